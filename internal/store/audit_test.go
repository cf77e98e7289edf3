package store_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

func TestAudit(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		start := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
		now := start
		s := open(t, url, store.Options{Now: func() time.Time { return now }, Keyring: store.NewKeyring([32]byte{1})})
		ctx := t.Context()
		write := func(id, scope, who, secret string) {
			t.Helper()
			update(t, s, "", func(tx store.Tx) error {
				return tx.Audit(ctx, &store.AuditEntry{ID: id, Scope: scope, Principal: who, Body: []byte(`{"id":"` + id + `"}`), Secret: secret})
			})
			now = now.Add(time.Second)
		}
		write("a", dev+"/apis/x", "me", "")
		write("b", dev2+"/apis/x", "me", "hidden")
		write("c", dev, "you", "")
		list := func(q store.AuditQuery) string {
			t.Helper()
			entries, err := s.AuditLog(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, e := range entries {
				ids = append(ids, e.ID)
				if e.Secret != "" {
					t.Error("a list shows a secret")
				}
			}
			return strings.Join(ids, " ")
		}
		wantEqual(t, "all", list(store.AuditQuery{}), "c b a")
		wantEqual(t, "under dev", list(store.AuditQuery{Under: dev}), "c a")
		wantEqual(t, "of me", list(store.AuditQuery{Principal: "me"}), "b a")
		wantEqual(t, "in time", list(store.AuditQuery{From: start.Add(time.Second), To: start.Add(2 * time.Second)}), "b")
		first, err := s.AuditLog(ctx, store.AuditQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "next page", list(store.AuditQuery{Before: first[0].N, Limit: 1}), "b")
		e, err := s.AuditEntry(ctx, "b")
		if err != nil || e.Secret != "hidden" || string(e.Body) != `{"id":"b"}` || !e.At.Equal(start.Add(time.Second)) {
			t.Errorf("%+v, %v", e, err)
		}
		_, err = s.AuditEntry(ctx, "z")
		wantErr(t, err, store.ErrNotFound)

		// What is not committed leaves nothing, and no log knows of entries.
		_, err = s.Update(ctx, "", func(tx store.Tx) error {
			return errors.Join(tx.Audit(ctx, &store.AuditEntry{ID: "d"}), errors.New("no"))
		})
		if seq, _ := s.LastSeq(ctx, ""); err == nil || seq != 0 {
			t.Errorf("%v, %d", err, seq)
		}
		if err := s.ForgetAudit(ctx, start.Add(2*time.Second)); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "what is left", list(store.AuditQuery{}), "c")
		_, err = s.Update(ctx, "", func(tx store.Tx) error {
			return tx.Audit(ctx, &store.AuditEntry{ID: "big", Body: bytes.Repeat([]byte("x"), store.MaxAuditBytes+1)})
		})
		wantErr(t, err, store.ErrInvalid)
	})
}
