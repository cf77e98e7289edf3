package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxMailBytes bounds a [Mail] as JSON.
const MaxMailBytes = 1 << 20

// maxMailProblem bounds what is kept of an error.
const maxMailProblem = 1000

// Mail is a message to one recipient. It is kept encrypted.
type Mail struct {
	Template   string // what it is: the name of its template or notification
	SenderName string // whose mail it is
	Sender     string // address of the sender
	ToName, To string // who stands in the header
	Recipient  string // address that gets it: To, or that of a blind copy
	Subject    string
	HTML       string
}

// QueuedMail is mail in the outbox.
type QueuedMail struct {
	Mail
	ID      string
	Service string // lower-case ID
	Created time.Time
	Due     time.Time // when it is tried next
	Tries   int       // how often it was tried
	Dead    bool      // it is not tried any more
	Problem string    // of the last try
}

// mailPlace binds what is sealed to this table.
const mailPlace = "mail"

// QueueMail implements Tx.
func (t *tx) QueueMail(ctx context.Context, id, service string, m Mail) error {
	body, err := json.Marshal(m)
	if err == nil {
		err = firstError(checkID("ID of a mail", id, false), checkID("service of a mail", service, false))
	}
	if err == nil && len(body) > MaxMailBytes {
		err = fmt.Errorf("%w mail: longer than %d bytes", ErrInvalid, MaxMailBytes)
	}
	if err != nil {
		return fmt.Errorf("store: queue mail: %w", err)
	}
	sealed, err := t.db.vault.seal(mailPlace, id, string(body))
	if err == nil {
		_, err = t.exec(ctx, "INSERT INTO mail (id, service, created, due, tries, dead, problem, sealed) VALUES (?, ?, ?, ?, 0, 0, '', ?)",
			id, service, t.at.UnixMicro(), t.at.UnixMicro(), sealed)
	}
	return t.fail("queue mail", err)
}

const mailColumns = "id, service, created, due, tries, dead, problem, sealed"

func (db *database) scanMail(scan func(...any) error, m *QueuedMail) error {
	var created, due, dead int64
	var sealed []byte
	if err := scan(&m.ID, &m.Service, &created, &due, &m.Tries, &dead, &m.Problem, &sealed); err != nil {
		return err
	}
	m.Created, m.Due, m.Dead = time.UnixMicro(created).UTC(), time.UnixMicro(due).UTC(), dead != 0
	body, err := db.vault.open(mailPlace, m.ID, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), &m.Mail)
}

// ClaimMail implements Store. Whoever moves the time of the next try first has the mail.
func (db *database) ClaimMail(ctx context.Context, lease time.Duration) (*QueuedMail, error) {
	for {
		now := db.now()
		var m QueuedMail
		row := db.write.QueryRowContext(ctx, db.rebind("SELECT "+mailColumns+" FROM mail WHERE dead = 0 AND due <= ? ORDER BY due, n LIMIT 1"), now.UnixMicro())
		err := db.scanMail(row.Scan, &m)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if errors.Is(err, errSealed) { // one that nobody can read does not hold up the others
			if err := db.MailFailed(ctx, m.ID, now, true, err.Error()); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("store: claim mail: %w", err)
		}
		result, err := db.write.ExecContext(ctx, db.rebind("UPDATE mail SET due = ?, tries = tries + 1 WHERE id = ? AND due = ? AND dead = 0"),
			now.Add(lease).UnixMicro(), m.ID, m.Due.UnixMicro())
		if err != nil {
			return nil, fmt.Errorf("store: claim mail: %w", err)
		}
		if n, err := result.RowsAffected(); err == nil && n == 1 {
			m.Tries++
			return &m, nil
		}
	}
}

// MailSent implements Store.
func (db *database) MailSent(ctx context.Context, id string) error {
	if _, err := db.write.ExecContext(ctx, db.rebind("DELETE FROM mail WHERE id = ?"), id); err != nil {
		return fmt.Errorf("store: mail sent: %w", err)
	}
	return nil
}

// MailFailed implements Store.
func (db *database) MailFailed(ctx context.Context, id string, again time.Time, dead bool, problem string) error {
	problem = strings.ToValidUTF8(strings.ReplaceAll(problem, "\x00", ""), "?")
	if len(problem) > maxMailProblem {
		problem = strings.ToValidUTF8(problem[:maxMailProblem], "")
	}
	flag := 0
	if dead {
		flag = 1
	}
	_, err := db.write.ExecContext(ctx, db.rebind("UPDATE mail SET due = ?, dead = ?, problem = ? WHERE id = ?"), again.UnixMicro(), flag, problem, id)
	if err != nil {
		return fmt.Errorf("store: mail failed: %w", err)
	}
	return nil
}

// ForgetMail implements Store.
func (db *database) ForgetMail(ctx context.Context, before time.Time) error {
	if _, err := db.write.ExecContext(ctx, db.rebind("DELETE FROM mail WHERE dead = 1 AND due < ?"), before.UnixMicro()); err != nil {
		return fmt.Errorf("store: forget mail: %w", err)
	}
	return nil
}

// Mails implements Reader.
func (r *reader) Mails(ctx context.Context, service string, limit int) ([]QueuedMail, error) {
	rows, err := r.conn.QueryContext(ctx, r.db.rebind("SELECT "+mailColumns+" FROM mail WHERE service = ? ORDER BY n LIMIT ?"), service, limit)
	if err != nil {
		return nil, fmt.Errorf("store: mails: %w", err)
	}
	mails, err := collect(rows, func(m *QueuedMail) error { return r.db.scanMail(rows.Scan, m) })
	if err != nil {
		return nil, fmt.Errorf("store: mails: %w", err)
	}
	return mails, nil
}
