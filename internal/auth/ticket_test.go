package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
)

func TestTicket(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	key := []byte("key")
	ticket := auth.Ticket{Purpose: "password", Subject: "/users/ann", State: "hash", Expiry: now.Add(time.Hour)}
	text := ticket.Sign(key)
	if err := ticket.Verify(text, key, now); err != nil {
		t.Errorf("a good ticket: %v", err)
	}
	var late *auth.TokenExpiredError
	if err := ticket.Verify(text, key, now.Add(time.Hour)); !errors.As(err, &late) {
		t.Errorf("a late ticket: %v", err)
	}
	other := func(change func(o *auth.Ticket)) auth.Ticket {
		o := ticket
		change(&o)
		return o
	}
	for name, err := range map[string]error{
		"other purpose": other(func(o *auth.Ticket) { o.Purpose = "signup" }).Verify(text, key, now),
		"other subject": other(func(o *auth.Ticket) { o.Subject = "/users/bob" }).Verify(text, key, now),
		"used":          other(func(o *auth.Ticket) { o.State = "new hash" }).Verify(text, key, now),
		"moved border":  other(func(o *auth.Ticket) { o.Purpose, o.Subject = "password/", "users/ann" }).Verify(text, key, now),
		"other key":     ticket.Verify(text, []byte("other"), now),
		"longer life":   ticket.Verify("9"+text, key, now),
		"no ticket":     ticket.Verify("ticket", key, now),
		"empty":         ticket.Verify("", key, now),
	} {
		if !errors.Is(err, auth.ErrTicketVoid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
