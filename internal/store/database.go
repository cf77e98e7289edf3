package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// dialect is what the two databases say differently.
type dialect struct {
	numbered bool   // parameters are $1, $2 … instead of ?
	rowLock  string // ends a SELECT that locks its row
	notify   string // statement that wakes the other replicas at commit; "" when there are none
	view     *sql.TxOptions
}

// rebind turns the question marks of a statement of this package (which has none in literals) into the dialect's
// parameters.
func (d dialect) rebind(query string) string {
	if !d.numbered {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// database is the Store over both databases; sqlite.go and postgres.go open it.
type database struct {
	dialect
	write *sql.DB
	read  *sql.DB
	now   func() time.Time
	vault vault
	hub   *hub
	close func() error // releases what openSQLite or openPostgres took
}

// conn is what database and transactions have in common. Queries are written with question marks.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// View implements Store.
func (db *database) View(ctx context.Context, fn func(Reader) error) error {
	tx, err := db.read.BeginTx(ctx, db.view)
	if err != nil {
		return fmt.Errorf("store: view: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing to commit
	return fn(&reader{db: db, conn: db.in(tx)})
}

// Update implements Store.
func (db *database) Update(ctx context.Context, service string, fn func(Tx) error) (int64, error) {
	if err := checkID("service", service, true); err != nil {
		return 0, fmt.Errorf("store: update: %w", err)
	}
	sqlTx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("store: update: %w", err)
	}
	defer func() { _ = sqlTx.Rollback() }() // no effect after the commit
	t := newTx(db, sqlTx, service)
	own, err := t.lock(ctx, service)
	if err != nil {
		return 0, err
	}
	if err := fn(t); err != nil {
		return 0, err
	}
	changed, err := t.finish(ctx)
	if err != nil {
		return 0, err
	}
	if err := sqlTx.Commit(); err != nil {
		return 0, fmt.Errorf("store: commit: %w", err)
	}
	if changed {
		db.hub.wake()
	}
	return own.taken(), nil
}

// Changes implements Store.
func (db *database) Changes(ctx context.Context, service string, after int64, limit int) ([]Change, error) {
	if limit <= 0 {
		limit = 1000
	}
	changes, err := db.readChanges(ctx, service, after, limit)
	if err != nil {
		return nil, fmt.Errorf("store: changes of %s: %w", service, err)
	}
	// Asked after the changes were read: both numbers only grow, so what was not compacted away now was not then.
	var seq, compacted int64
	row := db.read.QueryRowContext(ctx, db.rebind("SELECT seq, compacted FROM services WHERE name = ?"), service)
	if err := row.Scan(&seq, &compacted); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("store: changes of %s: %w", service, err)
	}
	if after < compacted || after > seq {
		return nil, fmt.Errorf("store: changes of %s after %d: %w", service, after, ErrCompacted)
	}
	return changes, nil
}

func (db *database) readChanges(ctx context.Context, service string, after int64, limit int) ([]Change, error) {
	rows, err := db.read.QueryContext(ctx, db.rebind("SELECT seq, key, type, created, deleted, at, path FROM changes "+
		"WHERE service = (SELECT id FROM services WHERE name = ?) AND seq > ? ORDER BY seq LIMIT ?"), service, after, limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(c *Change) error {
		var at, created, deleted int64
		err := rows.Scan(&c.Seq, &c.ID, &c.Type, &created, &deleted, &at, &c.Path)
		c.At, c.Created, c.Deleted = time.UnixMicro(at).UTC(), created != 0, deleted != 0
		return err
	})
}

// LastSeq implements Store.
func (db *database) LastSeq(ctx context.Context, service string) (int64, error) {
	return (&reader{db: db, conn: db.read}).LastSeq(ctx, service)
}

// maxCompacted bounds the changes that one call removes: writers wait for it.
const maxCompacted = 10_000

// Compact implements Store.
func (db *database) Compact(ctx context.Context, service string, keepAfter int64) error {
	if err := db.compact(ctx, service, keepAfter); err != nil {
		return fmt.Errorf("store: compact the log of %s: %w", service, err)
	}
	return nil
}

func (db *database) compact(ctx context.Context, service string, keepAfter int64) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect after the commit
	var id, seq, compacted int64
	row := tx.QueryRowContext(ctx, db.rebind("SELECT id, seq, compacted FROM services WHERE name = ?"+db.rowLock), service)
	if err := row.Scan(&id, &seq, &compacted); errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	upTo := min(keepAfter, seq, compacted+maxCompacted)
	if upTo <= compacted {
		return nil
	}
	if _, err := tx.ExecContext(ctx, db.rebind("DELETE FROM changes WHERE service = ? AND seq <= ?"), id, upTo); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, db.rebind("UPDATE services SET compacted = ? WHERE id = ?"), upTo, id); err != nil {
		return err
	}
	return tx.Commit()
}

// Watch implements Store.
func (db *database) Watch() (<-chan struct{}, func()) { return db.hub.watch() }

// Close implements Store.
func (db *database) Close() error {
	if err := db.close(); err != nil {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}

// collect reads all rows, one element each, and closes them.
func collect[T any](rows *sql.Rows, scan func(*T) error) ([]T, error) {
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	var all []T
	for rows.Next() {
		var v T
		if err := scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// chunks cuts s into pieces of few different lengths, so that statements for many rows are few different texts and
// stay in the database's cache of prepared statements.
func chunks[T any](s []T) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for _, size := range [...]int{128, 16, 1} {
			for len(s) >= size {
				if !yield(s[:size]) {
					return
				}
				s = s[size:]
			}
		}
	}
}

// marks returns n times "(?, ?, …)" with width question marks each, for VALUES.
func marks(n, width int) string {
	row := "(" + strings.Repeat("?, ", width-1) + "?), "
	all := strings.Repeat(row, n)
	return all[:len(all)-2]
}

// list returns "(?, ?, …)" with n question marks, for IN.
func list(n int) string { return marks(1, n) }
