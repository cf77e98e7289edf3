package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxAuditBytes bounds the body of an [AuditEntry].
const MaxAuditBytes = 8 << 20

// MaxAuditPage is how many entries one question answers at most.
const MaxAuditPage = 1000

// AuditEntry says what somebody did. It is written with the change itself and never changed.
type AuditEntry struct {
	N         int64     // number in the order of writing; set by Audit
	ID        string    // chosen by the writer, unique
	At        time.Time // set by Audit
	Scope     string    // lower-case ID of the resource
	Principal string    // who
	Body      []byte    // JSON of the writer's
	Secret    string    // kept encrypted; filled by AuditEntry of Store only
}

// AuditQuery selects entries by the fields that are not empty. The newest come first.
type AuditQuery struct {
	Under     string    // scopes at or below this ID
	Principal string    // who
	From, To  time.Time // From ≤ At < To
	Before    int64     // numbers below this one: the cursor of the next page
	Limit     int       // at most so many; 0 means MaxAuditPage
}

func (e *AuditEntry) check() error {
	err := firstError(checkID("ID of an audit entry", e.ID, false), checkID("scope of an audit entry", e.Scope, true),
		checkText("principal of an audit entry", e.Principal, MaxIDBytes))
	if err == nil && len(e.Body) > MaxAuditBytes {
		err = fmt.Errorf("%w audit entry: longer than %d bytes", ErrInvalid, MaxAuditBytes)
	}
	return err
}

// Audit implements Tx.
func (t *tx) Audit(ctx context.Context, e *AuditEntry) error {
	if err := e.check(); err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	sealed := []byte{}
	if e.Secret != "" {
		var err error
		if sealed, err = t.db.vault.seal(auditPlace, e.ID, e.Secret); err != nil {
			return t.fail("audit", err)
		}
	}
	e.At = t.at
	err := t.row(ctx, "INSERT INTO audit (id, at, scope, principal, body, sealed) VALUES (?, ?, ?, ?, ?, ?) RETURNING n",
		e.ID, t.at.UnixMicro(), e.Scope, e.Principal, notNil(e.Body), sealed).Scan(&e.N)
	return t.fail("audit", err)
}

// auditPlace binds what is sealed to this table.
const auditPlace = "audit"

const auditColumns = "n, id, at, scope, principal, body"

func scanAudit(scan func(...any) error, e *AuditEntry, more ...any) error {
	var at int64
	err := scan(append([]any{&e.N, &e.ID, &at, &e.Scope, &e.Principal, &e.Body}, more...)...)
	e.At = time.UnixMicro(at).UTC()
	return err
}

// AuditLog implements Store.
func (db *database) AuditLog(ctx context.Context, q AuditQuery) ([]AuditEntry, error) {
	where, args := []string{"1 = 1"}, []any(nil)
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Under != "" {
		add("(scope = ? OR scope >= ? AND scope < ?)", q.Under, q.Under+"/", q.Under+"0") // "0" follows "/"
	}
	if q.Principal != "" {
		add("principal = ?", q.Principal)
	}
	if !q.From.IsZero() {
		add("at >= ?", q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		add("at < ?", q.To.UnixMicro())
	}
	if q.Before > 0 {
		add("n < ?", q.Before)
	}
	limit := q.Limit
	if limit <= 0 || limit > MaxAuditPage {
		limit = MaxAuditPage
	}
	rows, err := db.read.QueryContext(ctx, db.rebind("SELECT "+auditColumns+" FROM audit WHERE "+strings.Join(where, " AND ")+
		" ORDER BY n DESC LIMIT ?"), append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("store: audit log: %w", err)
	}
	entries, err := collect(rows, func(e *AuditEntry) error { return scanAudit(rows.Scan, e) })
	if err != nil {
		return nil, fmt.Errorf("store: audit log: %w", err)
	}
	return entries, nil
}

// AuditEntry implements Store.
func (db *database) AuditEntry(ctx context.Context, id string) (*AuditEntry, error) {
	rows, err := db.read.QueryContext(ctx, db.rebind("SELECT "+auditColumns+", sealed FROM audit WHERE id = ?"), id)
	if err != nil {
		return nil, fmt.Errorf("store: audit entry: %w", err)
	}
	var sealed []byte
	entries, err := collect(rows, func(e *AuditEntry) error { return scanAudit(rows.Scan, e, &sealed) })
	if err == nil && len(entries) == 0 {
		err = ErrNotFound
	}
	if err == nil && len(sealed) > 0 {
		entries[0].Secret, err = db.vault.open(auditPlace, id, sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("store: audit entry %s: %w", id, err)
	}
	return &entries[0], nil
}

// ForgetAudit implements Store.
func (db *database) ForgetAudit(ctx context.Context, before time.Time) error {
	_, err := db.write.ExecContext(ctx, db.rebind("DELETE FROM audit WHERE at < ?"), before.UnixMicro())
	if err != nil && !errors.Is(err, context.Canceled) {
		err = fmt.Errorf("store: forget audit entries: %w", err)
	}
	return err
}
