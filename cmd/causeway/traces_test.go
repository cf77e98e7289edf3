package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/store"
)

func TestTraceBoard(t *testing.T) {
	t.Parallel()
	clock := causewaytest.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	st, err := store.Open(t.Context(), "sqlite://"+t.TempDir()+"/x.db", store.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	b := &traceBoard{store: st, now: clock.Now, log: slog.New(slog.DiscardHandler)}
	large := bytes.Repeat([]byte("x"), 3*store.MaxNoteBytes/2)
	b.put(t.Context(), "/S", "Edge", "one", large)
	b.take(t.Context(), configsync.Identity{Service: "/s", Gateway: "edge"}, configsync.Record{Kind: recordTrace, Payload: []byte(`{"id":"two","document":{"a":1}}`)})
	b.take(t.Context(), configsync.Identity{Service: "/s", Gateway: "edge"}, configsync.Record{Kind: "usage", Payload: []byte(`{"id":"three","document":{"a":1}}`)})
	b.put(t.Context(), "/s", "edge", "huge", make([]byte, maxTraceBytes+1))
	b.put(t.Context(), "/s", "edge", "no/id", []byte("{}"))
	for id, want := range map[string]string{"one": string(large), "two": `{"a":1}`} {
		got, err := b.find(t.Context(), "/s", "edge", id)
		if err != nil || string(got) != want {
			t.Errorf("trace %s: %.50s, %v", id, got, err)
		}
	}
	notes, err := st.Notes(t.Context(), traceScope("/s", "edge", "three"))
	if err != nil || len(notes) != 0 {
		t.Errorf("%d notes of another record, %v", len(notes), err)
	}
	if got, err := b.find(t.Context(), "/s", "edge", strings.Repeat("x", 100)); got != nil || err != nil {
		t.Errorf("a long ID: %s, %v", got, err)
	}
	clock.Advance(traceLife)
	if notes, _ := st.Notes(t.Context(), traceScope("/s", "edge", "two")); b.join(notes) != nil {
		t.Error("a trace lived for more than an hour")
	}
	for range maxTraces {
		b.admit()
	}
	if b.admit() {
		t.Error("there is no end to traces")
	}
	clock.Advance(traceLife)
	if !b.admit() {
		t.Error("the next hour has no room")
	}
}
