package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Backup writes an encrypted archive of the service that the request is in, with everything below it.
func Backup(x *Reader, w io.Writer) error { return x.store.Backup(x.ctx, x.Service.String(), w) }

// Restore replaces everything below a service by what an archive of [Backup] holds, be it of this service or another.
// No hooks run: what was valid when it was backed up is. adopt takes over into service what it wants of the archived
// one; the service is saved then. The error for an archive that cannot be used is an arm.Error.
func Restore[T any](x *Tx, service *Doc[T], r io.Reader, adopt func(archived *Doc[T])) error {
	n, err := nodeFor[T](&x.Reader, service.ID)
	if err != nil {
		return err
	}
	sd, err := x.tx.Restore(x.ctx, service.ID.String(), r)
	if errors.Is(err, store.ErrArchive) || errors.Is(err, store.ErrWrongKey) {
		return arm.Invalid("backupName", "The backup cannot be restored: %v.", err)
	}
	if err != nil {
		return err
	}
	archived, err := decodeStored(n, sd)
	if err != nil {
		return err
	}
	adopt(archived.(*Doc[T]))
	return Save(x, service)
}

// Answer returns a resource as a GET answers it, for actions whose answer it is. It reads x's own writes.
func Answer(x *Reader, id arm.ID) (json.RawMessage, error) {
	n := x.cat.nodeOf(id)
	if n == nil {
		return nil, arm.NotFound(id)
	}
	d, sd, err := x.load(n, id)
	if err != nil {
		return nil, err
	}
	if sd == nil {
		return nil, arm.NotFound(id)
	}
	body, err := x.render(n, sd, d)
	if err != nil {
		return nil, fmt.Errorf("answer %s: %w", id, err)
	}
	return body, nil
}
