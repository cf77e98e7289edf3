package store

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// Put implements Tx.
func (t *tx) Put(ctx context.Context, d *Document, indexes []Index) error {
	return t.PutAll(ctx, []Item{{d, indexes}})
}

// PutAll implements Tx.
func (t *tx) PutAll(ctx context.Context, items []Item) error {
	if err := checkItems(items); err != nil {
		return err
	}
	for chunk := range chunks(items) {
		if err := t.putChunk(ctx, chunk); err != nil {
			return t.fail("put "+chunk[0].Document.ID, err)
		}
	}
	return nil
}

func checkItems(items []Item) error {
	seen := make(map[string]bool, len(items))
	for _, it := range items {
		d := it.Document
		err := d.check()
		if err == nil && seen[d.ID] {
			err = fmt.Errorf("%w ID: twice in one call", ErrInvalid)
		}
		for _, i := range it.Indexes {
			err = cmp.Or(err, i.check())
		}
		if err != nil {
			return fmt.Errorf("store: put %q: %w", d.ID, err)
		}
		seen[d.ID] = true
	}
	return nil
}

// stored is what a Put has to know about the document it replaces.
type stored struct {
	id, etag         string
	kind, parent     string
	service, created int64
}

func (t *tx) putChunk(ctx context.Context, items []Item) error {
	old, err := t.storedOnes(ctx, items)
	if err != nil {
		return err
	}
	if err := t.putDocuments(ctx, items, old); err != nil {
		return err
	}
	if err := t.deleteIn(ctx, "index_rows", items, func(it Item) bool { return old[it.Document.ID].id != "" }); err != nil {
		return err
	}
	if err := t.putIndexes(ctx, items); err != nil {
		return err
	}
	return t.putSecrets(ctx, items, old)
}

func (t *tx) storedOnes(ctx context.Context, items []Item) (map[string]stored, error) {
	args := make([]any, len(items))
	for i, it := range items {
		args[i] = it.Document.ID
	}
	rows, err := t.query(ctx, "SELECT key, etag, type, parent, service, created FROM documents WHERE key IN "+list(len(args)), args...)
	if err != nil {
		return nil, err
	}
	found, err := collect(rows, func(s *stored) error { return rows.Scan(&s.id, &s.etag, &s.kind, &s.parent, &s.service, &s.created) })
	old := make(map[string]stored, len(found))
	for _, s := range found {
		old[s.id] = s
	}
	return old, err
}

// putDocuments completes the documents and writes their rows.
func (t *tx) putDocuments(ctx context.Context, items []Item, old map[string]stored) error {
	const width = 11
	args := make([]any, 0, width*len(items))
	for _, it := range items {
		d := it.Document
		l, err := t.logOf(ctx, d.Service)
		if err != nil {
			return err
		}
		was, replaces := old[d.ID]
		if replaces && was.service != l.id {
			return fmt.Errorf("%w service %q: the stored document belongs to another", ErrInvalid, d.Service)
		}
		if replaces && (was.kind != d.Type || was.parent != d.Parent) {
			return fmt.Errorf("%w type %q or parent %q: the stored document has another", ErrInvalid, d.Type, d.Parent)
		}
		d.complete(t.written(l, d.ID, d.Type, !replaces), t.at, was)
		args = append(args, d.ID, d.Path, l.id, d.Type, d.Parent, d.Name, d.ETag, d.Seq,
			d.Created.UnixMicro(), d.Modified.UnixMicro(), notNil(d.Body))
	}
	_, err := t.exec(ctx, "INSERT INTO documents (key, path, service, type, parent, name, etag, seq, created, modified, body) "+
		"VALUES "+marks(len(items), width)+" ON CONFLICT (key) DO UPDATE SET path = excluded.path, "+
		"name = excluded.name, etag = excluded.etag, seq = excluded.seq, "+
		"modified = excluded.modified, body = excluded.body", args...)
	return err
}

// complete sets what Put derives. was is the zero value for a new document.
func (d *Document) complete(seq int64, at time.Time, was stored) {
	d.Seq, d.Modified = seq, at
	d.Path = cmp.Or(d.Path, d.ID)
	if d.ETag == was.etag || d.ETag == "" {
		d.ETag = base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(seq)))
	}
	switch {
	case was.id != "":
		d.Created = time.UnixMicro(was.created).UTC()
	case d.Created.IsZero():
		d.Created = at
	default:
		d.Created = d.Created.UTC().Truncate(time.Microsecond)
	}
}

// deleteIn removes from table the rows of the items that which selects.
func (t *tx) deleteIn(ctx context.Context, table string, items []Item, which func(Item) bool) error {
	var ids []any
	for _, it := range items {
		if which(it) {
			ids = append(ids, it.Document.ID)
		}
	}
	for chunk := range chunks(ids) {
		if _, err := t.exec(ctx, "DELETE FROM "+table+" WHERE key IN "+list(len(chunk)), chunk...); err != nil {
			return err
		}
	}
	return nil
}

type indexRow struct {
	Index
	id string
}

func (t *tx) putIndexes(ctx context.Context, items []Item) error {
	var all []indexRow
	for _, it := range items {
		first := len(all)
		for _, i := range it.Indexes {
			row := indexRow{i, it.Document.ID}
			same := func(r indexRow) bool { return r.Name == i.Name && r.Value == i.Value }
			if !slices.ContainsFunc(all[first:], same) {
				all = append(all, row)
			}
		}
	}
	for chunk := range chunks(all) {
		args := make([]any, 0, 4*len(chunk))
		for _, r := range chunk {
			distinct := 0
			if r.Unique {
				distinct = 1
			}
			args = append(args, r.Name, r.Value, r.id, distinct)
		}
		n, err := t.exec(ctx, "INSERT INTO index_rows (name, value, key, distinct_value) VALUES "+marks(len(chunk), 4)+
			" ON CONFLICT DO NOTHING", args...)
		if err != nil {
			return err
		}
		if n < int64(len(chunk)) {
			return t.duplicate(ctx, chunk)
		}
	}
	return nil
}

// errHolderGone is met when another service's transaction lets a value go between two statements of this one.
var errHolderGone = fmt.Errorf("%w, released meanwhile: try again", ErrDuplicate)

// duplicate finds the row of chunk whose value another document holds.
func (t *tx) duplicate(ctx context.Context, chunk []indexRow) error {
	chunk = slices.DeleteFunc(slices.Clone(chunk), func(r indexRow) bool { return !r.Unique })
	for _, r := range chunk {
		rows, err := t.query(ctx, "SELECT key FROM index_rows WHERE name = ? AND value = ? AND distinct_value = 1 AND key <> ?",
			r.Name, r.Value, r.id)
		if err != nil {
			return err
		}
		holders, err := collect(rows, func(id *string) error { return rows.Scan(id) })
		if err != nil {
			return err
		}
		if len(holders) > 0 {
			return &DuplicateError{Index: r.Name, ID: r.id, Holder: holders[0]}
		}
	}
	return errHolderGone
}

func (t *tx) putSecrets(ctx context.Context, items []Item, old map[string]stored) error {
	replaces := func(it Item) bool { return it.Document.Secrets != nil && old[it.Document.ID].id != "" }
	if err := t.deleteIn(ctx, "secrets", items, replaces); err != nil {
		return err
	}
	type secretRow struct {
		id, name string
		sealed   []byte
	}
	var all []secretRow
	for _, it := range items {
		id := it.Document.ID
		for name, value := range it.Document.Secrets {
			sealed, err := t.db.vault.seal(id, name, value)
			if err != nil {
				return fmt.Errorf("seal secret %q of %s: %w", name, id, err)
			}
			all = append(all, secretRow{id, name, sealed})
		}
	}
	for chunk := range chunks(all) {
		args := make([]any, 0, 3*len(chunk))
		for _, r := range chunk {
			args = append(args, r.id, r.name, r.sealed)
		}
		if _, err := t.exec(ctx, "INSERT INTO secrets (key, name, sealed) VALUES "+marks(len(chunk), 3), args...); err != nil {
			return err
		}
	}
	return nil
}
