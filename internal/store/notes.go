package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxNoteBytes bounds the body of a [Note].
const MaxNoteBytes = 64 << 10

// Note is a fact that replicas tell each other for a short while, such as that a gateway is connected to one of them.
// Notes have no number, wake nobody and may be lost.
type Note struct {
	Scope, Name string // together the key
	Body        []byte
	At          time.Time // when it was written; set by PutNotes
}

// PutNotes implements Store.
func (db *database) PutNotes(ctx context.Context, notes []Note, forget time.Time) error {
	if err := db.putNotes(ctx, notes, forget); err != nil {
		return fmt.Errorf("store: put notes: %w", err)
	}
	return nil
}

func (db *database) putNotes(ctx context.Context, notes []Note, forget time.Time) error {
	for _, n := range notes {
		err := firstError(checkID("scope of a note", n.Scope, false), checkText("name of a note", n.Name, MaxIDBytes))
		if err == nil && len(n.Body) > MaxNoteBytes {
			err = fmt.Errorf("%w note: longer than %d bytes", ErrInvalid, MaxNoteBytes)
		}
		if err != nil {
			return err
		}
	}
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect after the commit
	at := db.now().UnixMicro()
	// One order for all writers, so that none waits for another that waits for it.
	notes = slices.SortedFunc(slices.Values(notes), func(a, b Note) int {
		return cmp.Or(strings.Compare(a.Scope, b.Scope), strings.Compare(a.Name, b.Name))
	})
	for _, n := range notes {
		_, err := tx.ExecContext(ctx, db.rebind("INSERT INTO notes (scope, name, at, body) VALUES (?, ?, ?, ?) "+
			"ON CONFLICT (scope, name) DO UPDATE SET at = excluded.at, body = excluded.body"), n.Scope, n.Name, at, notNil(n.Body))
		if err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, db.rebind("DELETE FROM notes WHERE at < ?"), forget.UnixMicro()); err != nil {
		return err
	}
	return tx.Commit()
}

// Notes implements Store.
func (db *database) Notes(ctx context.Context, scope string) ([]Note, error) {
	rows, err := db.read.QueryContext(ctx, db.rebind("SELECT name, at, body FROM notes WHERE scope = ? ORDER BY name"), scope)
	if err != nil {
		return nil, fmt.Errorf("store: notes of %s: %w", scope, err)
	}
	notes, err := collect(rows, func(n *Note) error {
		var at int64
		err := rows.Scan(&n.Name, &at, &n.Body)
		n.Scope, n.At = scope, time.UnixMicro(at).UTC()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: notes of %s: %w", scope, err)
	}
	return notes, nil
}
