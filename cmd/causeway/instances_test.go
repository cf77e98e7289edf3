package main

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/store"
)

// Every replica lists the instances that are connected to another, with what
// is known last.
func TestReplicasShareInstances(t *testing.T) {
	t.Parallel()
	st, err := store.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	start := time.Now()
	board := func() *instanceBoard {
		return &instanceBoard{store: st, now: time.Now, log: slog.New(slog.DiscardHandler)}
	}
	one, two, three := board(), board(), board()
	at := func(seconds int, status string) configsync.Instance {
		return configsync.Instance{ID: "i", LastHeartbeat: start.Add(time.Duration(seconds) * time.Second), Status: status}
	}
	flush := func(b *instanceBoard) {
		t.Helper()
		if err := b.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(b *instanceBoard, want string, local ...configsync.Instance) {
		t.Helper()
		if got := b.join("/S", "Edge", local); len(got) != 1 || got[0].Status != want {
			t.Errorf("listed are %+v, want one that is %s", got, want)
		}
	}
	one.changed("/s", "edge", at(0, "ok"))
	flush(one)
	expect(two, "ok")
	// It goes to another replica; the first one notices later.
	two.changed("/s", "edge", at(5, "ok"))
	flush(two)
	one.changed("/s", "edge", at(0, "disconnected"))
	flush(one)
	expect(one, "ok", at(0, "disconnected"))
	expect(two, "ok", at(5, "ok"))
	two.changed("/s", "edge", at(5, "tokenRevoked"))
	flush(two)
	expect(three, "tokenRevoked")
	// What was heard of long ago is not listed.
	three.now = func() time.Time { return start.Add(time.Hour) }
	if got := three.join("/s", "edge", nil); len(got) != 0 {
		t.Errorf("listed are %+v after an hour", got)
	}
}
