package store_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

func TestNotes(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		now := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
		s := open(t, url, store.Options{Now: func() time.Time { return now }})
		ctx := t.Context()
		write := func(forget time.Time, notes ...store.Note) {
			t.Helper()
			if err := s.PutNotes(ctx, notes, forget); err != nil {
				t.Fatal(err)
			}
		}
		have := func(scope, want string) {
			t.Helper()
			notes, err := s.Notes(ctx, scope)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range notes {
				got = append(got, n.Name+"="+string(n.Body)+"@"+n.At.Format("05"))
			}
			wantEqual(t, "notes of "+scope, strings.Join(got, " "), want)
		}
		write(time.Time{}, store.Note{Scope: "a", Name: "2", Body: []byte("x")}, store.Note{Scope: "a", Name: "1"}, store.Note{Scope: "b", Name: "1", Body: []byte("z")})
		have("a", "1=@03 2=x@03")
		have("b", "1=z@03")
		have("c", "")
		now = now.Add(time.Second)
		write(now, store.Note{Scope: "a", Name: "2", Body: []byte("y")})
		have("a", "2=y@04")
		have("b", "")
		// Notes are in no log.
		seq, err := s.LastSeq(ctx, "")
		if err != nil || seq != 0 {
			t.Errorf("the log is at %d, %v", seq, err)
		}
		for _, bad := range []store.Note{{Name: "n"}, {Scope: "a", Name: strings.Repeat("n", store.MaxIDBytes+1)}, {Scope: "a", Name: "n", Body: bytes.Repeat([]byte("x"), store.MaxNoteBytes+1)}} {
			wantErr(t, s.PutNotes(ctx, []store.Note{bad}, now), store.ErrInvalid)
		}
	})
}
