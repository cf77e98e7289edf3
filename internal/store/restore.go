package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// streamAEAD is the cipher of an archive's chunks, whose nonces are counted.
func streamAEAD(key [keyBytes]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// archive reads the records of an archive.
type archive struct {
	service string // whose it is, in the user's spelling
	in      *bufio.Reader
}

func openArchive(src io.Reader, keys *Keyring) (*archive, error) {
	if keys == nil {
		return nil, ErrNoKey
	}
	src = bufio.NewReader(src)
	front := make([]byte, len(archiveMagic)+3)
	if _, err := io.ReadFull(src, front); err != nil {
		return nil, cutOff(err)
	}
	if string(front[:len(archiveMagic)]) != archiveMagic {
		return nil, fmt.Errorf("%w: it was not made by Causeway", ErrArchive)
	}
	if v := front[len(archiveMagic)]; v != archiveVersion {
		return nil, fmt.Errorf("%w: format %d is not known here: %w", ErrArchive, v, ErrNewerSchema)
	}
	head := make([]byte, binary.BigEndian.Uint16(front[len(archiveMagic)+1:]))
	if _, err := io.ReadFull(src, head); err != nil {
		return nil, cutOff(err)
	}
	var h archiveHeader
	if err := json.Unmarshal(head, &h); err != nil || checkID("service", strings.ToLower(h.Service), false) != nil {
		return nil, fmt.Errorf("%w: its header is damaged", ErrArchive)
	}
	key, _, err := keys.unwrap(h.Key, backupPlace())
	if err != nil {
		return nil, err
	}
	aead, err := streamAEAD(key)
	if err != nil {
		return nil, err
	}
	bound := sha256.Sum256(append(front, head...))
	zip, err := gzip.NewReader(&sealedReader{in: src, aead: aead, bound: bound[:]})
	if err != nil {
		return nil, archiveError(err)
	}
	return &archive{service: h.Service, in: bufio.NewReader(zip)}, nil
}

// archiveError makes every error of the streams one that wraps ErrArchive or is the source's.
func archiveError(err error) error {
	if errors.Is(err, ErrArchive) {
		return err
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return fmt.Errorf("%w: it is damaged", ErrArchive)
	}
	return cutOff(err)
}

func (a *archive) next() (rec archiveRecord, err error) {
	var size uint32
	if err := binary.Read(a.in, binary.BigEndian, &size); err != nil {
		return rec, archiveError(err)
	}
	if size > maxRecordBytes {
		return rec, fmt.Errorf("%w: a record is too long", ErrArchive)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(a.in, data); err != nil {
		return rec, archiveError(err)
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		return rec, fmt.Errorf("%w: a record is damaged", ErrArchive)
	}
	return rec, nil
}

func (a *archive) blob(size int64) ([]byte, error) {
	if size < 0 || size > MaxBlobBytes {
		return nil, fmt.Errorf("%w: an upload is too long", ErrArchive)
	}
	data := make([]byte, size)
	_, err := io.ReadFull(a.in, data)
	return data, archiveError(err)
}

// end checks that nothing follows the last record: reading to the end checks the checksums, too.
func (a *archive) end() error {
	n, err := io.Copy(io.Discard, a.in)
	if err == nil && n > 0 {
		err = fmt.Errorf("%w: there is more behind its end", ErrArchive)
	}
	if err != nil {
		return archiveError(err)
	}
	return nil
}

// rebase replaces the ID of one service by that of another in texts. The zero value replaces nothing.
type rebase struct {
	from *regexp.Regexp
	to   string
}

func newRebase(from, to string) rebase {
	if strings.EqualFold(from, to) {
		return rebase{}
	}
	return rebase{regexp.MustCompile(`(?i)` + regexp.QuoteMeta(from) + `($|[^A-Za-z0-9-])`), strings.ReplaceAll(to, "$", "$$")}
}

func (r rebase) bytes(b []byte) []byte {
	if r.from == nil {
		return b
	}
	return r.from.ReplaceAll(b, []byte(r.to+"${1}"))
}

// key does it for texts in lower case.
func (r rebase) key(s string) string {
	if r.from == nil {
		return s
	}
	return r.from.ReplaceAllString(s, strings.ToLower(r.to)+"${1}")
}

// Restore implements Tx.
func (t *tx) Restore(ctx context.Context, path string, src io.Reader) (*Document, error) {
	d, err := t.restore(ctx, path, src)
	return d, t.fail("restore "+path, err)
}

func (t *tx) restore(ctx context.Context, path string, src io.Reader) (own *Document, err error) {
	a, err := openArchive(src, t.db.vault.keys)
	if err != nil {
		return nil, err
	}
	service := strings.ToLower(path)
	l, err := t.logOf(ctx, service)
	if err != nil {
		return nil, err
	}
	before := l.seq
	// Unique values may move between documents: all go before the first comes. The own document's stay.
	const below = " WHERE key IN (SELECT key FROM documents WHERE service = ? AND key > ? AND key < ?)"
	for _, table := range []string{"index_rows", "blobs"} {
		if _, err := t.exec(ctx, "DELETE FROM "+table+below, l.id, service+"/", service+"0"); err != nil {
			return nil, err
		}
	}
	if own, err = t.restoreRecords(ctx, a, path); err != nil {
		return nil, err
	}
	return own, t.dropBefore(ctx, l, service, before)
}

// restoreRecords writes the documents of an archive and returns that of the service itself.
func (t *tx) restoreRecords(ctx context.Context, a *archive, path string) (own *Document, err error) {
	move := newRebase(a.service, path)
	var count int64
	var batch []Item
	flush := func() error {
		err := t.PutAll(ctx, batch)
		batch = batch[:0]
		return err
	}
	for {
		rec, err := a.next()
		switch {
		case err != nil:
			return nil, err
		case rec.End:
			if rec.Count != count || own == nil {
				return nil, fmt.Errorf("%w: documents are missing", ErrArchive)
			}
			if err := flush(); err != nil {
				return nil, err
			}
			return own, a.end()
		}
		count++
		if rec.Rel == "" {
			own = &Document{ID: strings.ToLower(a.service), Path: a.service, Type: rec.Type, Name: rec.Name, Body: rec.Body, Secrets: rec.Secrets, Created: rec.Created}
			continue
		}
		item, err := rec.item(path, move)
		if err != nil {
			return nil, err
		}
		if batch = append(batch, item); len(batch) == archiveBatch || len(rec.Blobs) > 0 {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		for _, b := range rec.Blobs {
			data, err := a.blob(b.Size)
			if err == nil {
				err = t.PutBlob(ctx, item.Document.ID, b.Name, data)
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

// item makes the document of a record, below the service of path.
func (rec archiveRecord) item(path string, move rebase) (Item, error) {
	service := strings.ToLower(path)
	if rec.Secrets == nil {
		rec.Secrets = map[string]string{} // nil would keep those that are stored
	}
	for i := range rec.Indexes {
		rec.Indexes[i].Value = move.key(rec.Indexes[i].Value)
	}
	return Item{Indexes: rec.Indexes, Document: &Document{
		ID: service + rec.Rel, Path: path + rec.Path, Service: service, Type: rec.Type, Parent: service + rec.Parent, Name: rec.Name,
		Body: move.bytes(rec.Body), Secrets: rec.Secrets, Created: rec.Created,
	}}, nil
}

// dropBefore deletes what is below the service and was not written since a number of its log.
func (t *tx) dropBefore(ctx context.Context, l *serviceLog, service string, before int64) error {
	rows, err := t.query(ctx, "SELECT key, type, path FROM documents WHERE service = ? AND key > ? AND key < ? AND seq <= ? ORDER BY key DESC",
		l.id, service+"/", service+"0", before)
	if err != nil {
		return err
	}
	type stale struct{ id, kind, path string }
	all, err := collect(rows, func(s *stale) error { return rows.Scan(&s.id, &s.kind, &s.path) })
	if err != nil {
		return err
	}
	for _, s := range all {
		t.deleted(l, s.id, s.kind, s.path)
	}
	for chunk := range chunks(all) {
		args := make([]any, len(chunk))
		for i, s := range chunk {
			args[i] = s.id
		}
		for _, table := range []string{"documents", "secrets"} { // their index rows and blobs have gone already
			if _, err := t.exec(ctx, "DELETE FROM "+table+" WHERE key IN "+list(len(args)), args...); err != nil {
				return err
			}
		}
	}
	return nil
}
