package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// tx implements Tx. Changes are collected and written together with the last numbers when the transaction ends.
type tx struct {
	reader
	service string // of Update
	at      time.Time
	logs    map[string]*serviceLog // locked ones, by service
	changes []pendingChange
	grew    bool  // there are new documents
	failed  error // the first error of a writing statement: the transaction cannot be committed any more
}

// serviceLog is a locked row of services.
type serviceLog struct {
	id    int64
	first int64 // number at the start of the transaction
	seq   int64 // last number taken
}

func (l *serviceLog) next() int64 {
	l.seq++
	return l.seq
}

// taken returns the last number taken in the transaction, 0 if none was.
func (l *serviceLog) taken() int64 {
	if l.seq == l.first {
		return 0
	}
	return l.seq
}

type pendingChange struct {
	log     int64 // ID of the service's row
	seq     int64
	id      string
	kind    string
	created int
	deleted int
	path    string // of a deleted document
}

func newTx(db *database, sqlTx *sql.Tx, service string) *tx {
	return &tx{
		reader:  reader{db: db, conn: db.in(sqlTx)},
		service: service,
		at:      db.now().UTC().Truncate(time.Microsecond),
		logs:    make(map[string]*serviceLog, 1),
	}
}

func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := t.conn.ExecContext(ctx, t.db.rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// fail notes a failed write, wraps its error and returns it.
func (t *tx) fail(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*DuplicateError](err); !ok {
		err = fmt.Errorf("store: %s: %w", what, err)
	}
	if t.failed == nil {
		t.failed = err
	}
	return err
}

// lock locks the service's row until the end of the transaction and makes it when missing.
func (t *tx) lock(ctx context.Context, service string) (*serviceLog, error) {
	if l := t.logs[service]; l != nil {
		return l, nil
	}
	l, err := t.lockRow(ctx, service)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = t.exec(ctx, "INSERT INTO services (name, seq, compacted) VALUES (?, 0, 0) ON CONFLICT (name) DO NOTHING", service)
		if err == nil {
			l, err = t.lockRow(ctx, service)
		}
	}
	if err != nil {
		return nil, t.fail("lock the log of "+service, err)
	}
	t.logs[service] = l
	return l, nil
}

func (t *tx) lockRow(ctx context.Context, service string) (*serviceLog, error) {
	l := new(serviceLog)
	err := t.row(ctx, "SELECT id, seq FROM services WHERE name = ?"+t.db.rowLock, service).Scan(&l.id, &l.seq)
	l.first = l.seq
	return l, err
}

// logOf returns the locked log for a document of the service. Only the transaction of "" may write those of others: it
// holds the row of "" first and every other transaction holds one row only, so no two can wait for each other.
func (t *tx) logOf(ctx context.Context, service string) (*serviceLog, error) {
	if service != t.service && t.service != "" {
		return nil, fmt.Errorf("%w service %q: the transaction is of service %q", ErrInvalid, service, t.service)
	}
	return t.lock(ctx, service)
}

// written notes that a document was put and returns the change's number; created says that there was none before.
func (t *tx) written(l *serviceLog, id, kind string, created bool) int64 {
	c := pendingChange{log: l.id, seq: l.next(), id: id, kind: kind}
	if created {
		c.created, t.grew = 1, true
	}
	t.changes = append(t.changes, c)
	return c.seq
}

// deleted notes that the document with a path is no more.
func (t *tx) deleted(l *serviceLog, id, kind, path string) {
	t.changes = append(t.changes, pendingChange{log: l.id, seq: l.next(), id: id, kind: kind, deleted: 1, path: path})
}

// LastSeq implements Reader: the numbers taken here are not in the table yet.
func (t *tx) LastSeq(ctx context.Context, service string) (int64, error) {
	if l := t.logs[service]; l != nil {
		return l.seq, nil
	}
	return t.reader.LastSeq(ctx, service)
}

// PutBlob implements Tx.
func (t *tx) PutBlob(ctx context.Context, id, name string, data []byte) error {
	if err := firstError(checkID("ID", id, false), checkText("blob name", name, MaxWordBytes)); err != nil {
		return fmt.Errorf("store: put blob: %w", err)
	}
	if len(data) > MaxBlobBytes {
		return fmt.Errorf("store: put blob %q of %s: %w blob: longer than %d bytes", name, id, ErrInvalid, MaxBlobBytes)
	}
	if err := t.mayWrite(ctx, id); err != nil {
		return fmt.Errorf("store: put blob %q of %s: %w", name, id, err)
	}
	_, err := t.exec(ctx, "INSERT INTO blobs (key, name, data) VALUES (?, ?, ?) "+
		"ON CONFLICT (key, name) DO UPDATE SET data = excluded.data", id, name, notNil(data))
	return t.fail("put blob "+name+" of "+id, err)
}

// DeleteBlob implements Tx.
func (t *tx) DeleteBlob(ctx context.Context, id, name string) error {
	if !storable(id) || !storable(name) {
		return nil
	}
	if err := t.mayWrite(ctx, id); errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("store: delete blob %q of %s: %w", name, id, err)
	}
	_, err := t.exec(ctx, "DELETE FROM blobs WHERE key = ? AND name = ?", id, name)
	return t.fail("delete blob "+name+" of "+id, err)
}

// belongs returns the service, type and path of a document.
func (t *tx) belongs(ctx context.Context, id string) (service, kind, path string, err error) {
	err = t.row(ctx, "SELECT s.name, d.type, d.path FROM documents d JOIN services s ON s.id = d.service WHERE d.key = ?", id).
		Scan(&service, &kind, &path)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return service, kind, path, err
}

// mayWrite returns nil when the document exists and belongs to a service that this transaction writes.
func (t *tx) mayWrite(ctx context.Context, id string) error {
	service, _, _, err := t.belongs(ctx, id)
	if err != nil {
		return err
	}
	_, err = t.logOf(ctx, service)
	return err
}

// Delete implements Tx.
func (t *tx) Delete(ctx context.Context, id string) error {
	if !storable(id) {
		return fmt.Errorf("store: delete %q: %w", id, ErrNotFound)
	}
	service, kind, path, err := t.belongs(ctx, id)
	if err != nil {
		return fmt.Errorf("store: delete %s: %w", id, err)
	}
	l, err := t.logOf(ctx, service)
	if err != nil {
		return fmt.Errorf("store: delete %s: %w", id, err)
	}
	t.deleted(l, id, kind, path)
	return t.deleteRows(ctx, id, "key = ?", id)
}

// DeleteTree implements Tx.
func (t *tx) DeleteTree(ctx context.Context, id string) ([]string, error) {
	if err := checkID("ID", id, false); err != nil {
		return nil, fmt.Errorf("store: delete tree: %w", err)
	}
	const tree = "(key = ? OR key >= ? AND key < ?)"
	args := []any{id, id + "/", id + "0"} // "0" follows "/"
	type row struct{ id, service, kind, path string }
	rows, err := t.query(ctx, "SELECT d.key, s.name, d.type, d.path FROM documents d JOIN services s ON s.id = d.service "+
		"WHERE "+tree+" ORDER BY d.key DESC", args...)
	if err != nil {
		return nil, t.fail("delete tree "+id, err)
	}
	found, err := collect(rows, func(r *row) error { return rows.Scan(&r.id, &r.service, &r.kind, &r.path) })
	if err != nil || len(found) == 0 {
		return nil, t.fail("delete tree "+id, err)
	}
	ids := make([]string, len(found))
	for i, r := range found {
		l, err := t.logOf(ctx, r.service)
		if err != nil {
			return nil, t.fail("delete tree "+id, err)
		}
		t.deleted(l, r.id, r.kind, r.path)
		ids[i] = r.id
	}
	return ids, t.deleteRows(ctx, id, tree, args...)
}

// deleteRows removes everything that is kept under the keys that match condition.
func (t *tx) deleteRows(ctx context.Context, id, condition string, args ...any) error {
	for _, table := range []string{"index_rows", "secrets", "blobs", "documents"} {
		if _, err := t.exec(ctx, "DELETE FROM "+table+" WHERE "+condition, args...); err != nil {
			return t.fail("delete "+id, err)
		}
	}
	return nil
}

// finish writes the changes and last numbers. changed says that there were any.
func (t *tx) finish(ctx context.Context) (changed bool, err error) {
	if t.failed != nil {
		return false, t.failed
	}
	if len(t.changes) == 0 {
		return false, nil
	}
	if err := t.writeChanges(ctx); err != nil {
		return false, t.fail("write the change log", err)
	}
	if t.grew {
		if err := t.divideBlocks(ctx); err != nil {
			return false, t.fail("count documents", err)
		}
	}
	for _, service := range slices.Sorted(maps.Keys(t.logs)) {
		l := t.logs[service]
		if l.taken() == 0 {
			continue
		}
		if _, err := t.exec(ctx, "UPDATE services SET seq = ? WHERE id = ?", l.seq, l.id); err != nil {
			return false, t.fail("write the change log", err)
		}
	}
	if t.db.notify != "" {
		if _, err := t.exec(ctx, t.db.notify); err != nil {
			return false, t.fail("notify", err)
		}
	}
	return true, nil
}

func (t *tx) writeChanges(ctx context.Context) error {
	for chunk := range chunks(t.changes) {
		const width = 8
		args := make([]any, 0, width*len(chunk))
		for _, c := range chunk {
			args = append(args, c.log, c.seq, c.id, c.kind, c.created, c.deleted, t.at.UnixMicro(), c.path)
		}
		_, err := t.exec(ctx, "INSERT INTO changes (service, seq, key, type, created, deleted, at, path) VALUES "+marks(len(chunk), width), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// notNil turns nil, which is NULL for the database, into an empty slice.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
