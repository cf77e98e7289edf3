package resource

import (
	"errors"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// The store's types that declarations need: the catalogue itself does not import the store.
type (
	// Index is a row by which documents are found; see Spec.Indexes and [Reader.Lookup].
	Index = store.Index
	// StoreReader reads below the engine, over all services.
	StoreReader = store.Reader
	// UsageRow and UsageRequest are what StoreReader keeps of the usage of gateways.
	UsageRow     = store.UsageRow
	UsageSums    = store.UsageSums
	UsageRequest = store.UsageRequest
	// Mail is a message to one recipient.
	Mail = store.Mail
)

// Blob returns the exact bytes that are kept beside a resource under name, nil when there are none.
func (x *Reader) Blob(id arm.ID, name string) ([]byte, error) {
	data, err := x.store.GetBlob(x.ctx, id.Key(), name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return data, err
}

// PutBlob keeps exact bytes beside a resource, which is stored already: After is the hook for it.
func (x *Tx) PutBlob(id arm.ID, name string, data []byte) error {
	return x.tx.PutBlob(x.ctx, id.Key(), name, data)
}

// DeleteBlob removes bytes that PutBlob has kept; it is no error when there are none.
func (x *Tx) DeleteBlob(id arm.ID, name string) error {
	return x.tx.DeleteBlob(x.ctx, id.Key(), name)
}

// QueueMail puts mail of the request's service into the outbox, from where it is sent once the transaction is committed.
func (x *Tx) QueueMail(m Mail) error {
	return x.tx.QueueMail(x.ctx, arm.NewGUID(), x.Service.Key(), m)
}
