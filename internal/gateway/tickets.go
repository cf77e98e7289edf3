package gateway

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ticketKeys encrypt the sessions that TLS clients bring back (RFC 8446, 4.6.1). The newest key encrypts; the older ones still decrypt, so that a
// session is good for at least ticketPeriod. A key ends after keptTickets periods, and with it the forward secrecy that resumption costs.
type ticketKeys struct {
	mu   sync.Mutex
	keys []ticketKey // newest first
}

type ticketKey struct {
	Key  []byte    `json:"key"`
	Made time.Time `json:"made"`
}

const (
	ticketPeriod = 8 * time.Hour
	keptTickets  = 3
)

// rotate puts the keys of the time into a configuration if that needs others than it has.
func (t *ticketKeys) rotate(c *tls.Config, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.keys) > 0 && now.Sub(t.keys[0].Made) < ticketPeriod {
		return
	}
	fresh := ticketKey{Key: make([]byte, 32), Made: now}
	_, _ = rand.Read(fresh.Key) // never fails: see crypto/rand
	t.keys = slices.DeleteFunc(append([]ticketKey{fresh}, t.keys...), func(k ticketKey) bool { return now.Sub(k.Made) >= keptTickets*ticketPeriod })
	t.install(c)
}

// install is called with the lock.
func (t *ticketKeys) install(c *tls.Config) {
	keys := make([][32]byte, len(t.keys))
	for i, k := range t.keys {
		copy(keys[i][:], k.Key)
	}
	c.SetSessionTicketKeys(keys)
}

// export returns the keys for another process.
func (t *ticketKeys) export() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return json.Marshal(t.keys)
}

// inherit takes the keys of another process.
func (t *ticketKeys) inherit(c *tls.Config, exported []byte) error {
	var keys []ticketKey
	if err := json.Unmarshal(exported, &keys); err != nil {
		return fmt.Errorf("read session ticket keys: %w", err)
	}
	for _, k := range keys {
		if len(k.Key) != 32 {
			return fmt.Errorf("read session ticket keys: one has %d bytes", len(k.Key))
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.keys = keys; len(keys) > 0 {
		t.install(c)
	}
	return nil
}

// askedForCertificate marks the sessions of clients that were asked for a certificate.
const askedForCertificate = "causeway: asked for a certificate"

// resumeAsked has a configuration that asks clients for a certificate resume only sessions in which they were asked. In the others, of another host
// name or from before this one asked, nobody could present one, for as long as the client resumes.
func resumeAsked(c *tls.Config) {
	c.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		if !isAsked(session) {
			session.Extra = append(session.Extra, []byte(askedForCertificate))
		}
		return c.EncryptTicket(state, session)
	}
	c.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := c.DecryptTicket(ticket, state)
		if err != nil || session == nil || !isAsked(session) {
			return nil, err
		}
		return session, nil
	}
}

func isAsked(s *tls.SessionState) bool {
	return slices.ContainsFunc(s.Extra, func(e []byte) bool { return bytes.Equal(e, []byte(askedForCertificate)) })
}
