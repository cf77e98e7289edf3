package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxPrepared bounds the statements that a transaction keeps: texts differ by the number of their rows only.
const maxPrepared = 64

// preparing is a transaction that keeps what it prepared for a statement that comes again: for SQLite, which otherwise
// parses every one. The transaction's end closes them. Rows of a statement are read or closed before it is run again.
type preparing struct {
	tx *sql.Tx
	mu sync.Mutex
	// kept holds nil for a statement that was seen once: most never come again.
	kept map[string]*sql.Stmt
}

// in makes the connection of a transaction. PostgreSQL's driver keeps statements itself, for longer.
func (d dialect) in(tx *sql.Tx) conn {
	if d.numbered {
		return tx
	}
	return &preparing{tx: tx, kept: make(map[string]*sql.Stmt)}
}

// statement returns nil when the text is to be run as it is.
func (p *preparing) statement(ctx context.Context, query string) *sql.Stmt {
	p.mu.Lock()
	defer p.mu.Unlock()
	stmt, seen := p.kept[query]
	if stmt != nil || !seen && len(p.kept) == maxPrepared {
		return stmt
	}
	if seen {
		// What cannot be prepared says so when it is run.
		stmt, _ = p.tx.PrepareContext(ctx, query)
	}
	p.kept[query] = stmt
	return stmt
}

// ExecContext implements conn.
func (p *preparing) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := p.statement(ctx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return p.tx.ExecContext(ctx, query, args...)
}

// QueryContext implements conn.
func (p *preparing) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := p.statement(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return p.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext implements conn.
func (p *preparing) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := p.statement(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return p.tx.QueryRowContext(ctx, query, args...)
}
