package store_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

// outbox opens a store whose secrets can be sealed, and queues mail in it.
func outbox(t *testing.T, url string, ids ...string) store.Store {
	t.Helper()
	s := open(t, url, store.Options{Keyring: keyring(1)})
	for _, id := range ids {
		_, err := s.Update(t.Context(), "/s", func(tx store.Tx) error {
			return tx.QueueMail(t.Context(), id, "/s", store.Mail{Template: "T", To: "ann@example.com", Recipient: "ann@example.com", Subject: "About " + id})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestMailIsSentOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := outbox(t, url, "a", "b", "c")
		var mu sync.Mutex
		got := map[string]int{}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					m, err := s.ClaimMail(t.Context(), time.Hour)
					if err != nil {
						t.Error(err)
					}
					if m == nil || err != nil {
						return
					}
					mu.Lock()
					got[m.Subject] += m.Tries
					mu.Unlock()
					if err := s.MailSent(t.Context(), m.ID); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if len(got) != 3 || got["About a"] != 1 || got["About b"] != 1 || got["About c"] != 1 {
			t.Errorf("claimed %v; want each once", got)
		}
	})
}

func TestMailFailsAndDies(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s, ctx := outbox(t, url, "a"), t.Context()
		claim := func(lease time.Duration) *store.QueuedMail {
			t.Helper()
			m, err := s.ClaimMail(ctx, lease)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		if m := claim(-time.Second); m == nil || m.Tries != 1 { // who claimed it dies: the lease ends
			t.Fatalf("first claim: %+v", m)
		}
		m := claim(time.Hour)
		if m == nil || m.Tries != 2 || m.To != "ann@example.com" {
			t.Fatalf("second claim: %+v", m)
		}
		if other := claim(time.Hour); other != nil {
			t.Errorf("a mail that is being sent was claimed: %+v", other)
		}
		now := time.Now()
		for _, step := range []error{
			s.MailFailed(ctx, m.ID, now.Add(time.Hour), false, "busy\x00\xff"),
			s.MailFailed(ctx, m.ID, now.Add(-time.Second), true, strings.Repeat("no ", 1000)),
		} {
			if step != nil {
				t.Fatal(step)
			}
			if other := claim(time.Hour); other != nil {
				t.Errorf("claimed %+v", other)
			}
		}
		list := func() (mails []store.QueuedMail) {
			t.Helper()
			err := s.View(ctx, func(r store.Reader) (err error) {
				mails, err = r.Mails(ctx, "/s", 10)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return mails
		}
		if l := list(); len(l) != 1 || !l[0].Dead || !strings.HasPrefix(l[0].Problem, "no no") || l[0].Service != "/s" {
			t.Errorf("outbox: %+v", l)
		}
		if err := s.ForgetMail(ctx, now); err != nil {
			t.Fatal(err)
		}
		if l := list(); len(l) != 0 {
			t.Errorf("not forgotten: %+v", l)
		}
	})
}

func TestMailGoesWithItsTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s, ctx := outbox(t, url), t.Context()
		failed := errors.New("no")
		_, err := s.Update(ctx, "/s", func(tx store.Tx) error {
			if err := tx.QueueMail(ctx, "x", "/s", store.Mail{}); err != nil {
				return err
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Fatalf("update: %v", err)
		}
		if m, err := s.ClaimMail(ctx, time.Hour); m != nil || err != nil {
			t.Errorf("mail of a transaction that was rolled back: %+v, %v", m, err)
		}
		_, err = s.Update(ctx, "/s", func(tx store.Tx) error {
			return tx.QueueMail(ctx, "x", "/s", store.Mail{HTML: rand.Text() + strings.Repeat("x", store.MaxMailBytes)})
		})
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("too long a mail: %v", err)
		}
	})
}
