package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrTicketVoid says that a ticket was not made for what it is shown for, or was used: its subject has changed since.
var ErrTicketVoid = errors.New("void ticket")

// Ticket lets whoever holds it do one thing once, such as choosing a new password: it travels in a link in a mail.
type Ticket struct {
	Purpose string // what it is for
	Subject string // whom it is for, an ID
	// State is something of the subject that changes when the ticket is used, such as the hash of the password.
	State  string
	Expiry time.Time // whole seconds
}

// Sign makes the text of the ticket, {Unix time}-{base64url(HMAC-SHA256(key, everything in it))}. Purpose, subject and
// state are not in it: who checks the ticket knows them.
func (t Ticket) Sign(key []byte) string {
	expiry := strconv.FormatInt(t.Expiry.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	for _, s := range []string{"ticket", t.Purpose, t.Subject, t.State, expiry} {
		fmt.Fprintf(mac, "%d:%s", len(s), s)
	}
	return expiry + "-" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Verify checks a ticket that was shown for t's purpose, subject and state; t's expiry is not looked at. A ticket that
// is right but late comes with a [TokenExpiredError].
func (t Ticket) Verify(text string, key []byte, now time.Time) error {
	expiry, _, _ := strings.Cut(text, "-")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil {
		return ErrTicketVoid
	}
	t.Expiry = time.Unix(seconds, 0).UTC()
	if !hmac.Equal([]byte(t.Sign(key)), []byte(text)) {
		return ErrTicketVoid
	}
	if !now.Before(t.Expiry) {
		return fmt.Errorf("ticket: %w", &TokenExpiredError{At: t.Expiry})
	}
	return nil
}
