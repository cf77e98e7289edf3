package telemetry

import (
	"testing"
	"time"
)

func TestTracesAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	traces := NewTraces(TracesOptions{Now: func() time.Time { return now }, Life: time.Hour, Count: 3, Bytes: 100})
	has := func(id string, want bool) {
		t.Helper()
		if _, ok := traces.Get(id); ok != want {
			t.Errorf("trace %s: there %v, want %v", id, ok, want)
		}
	}
	traces.Put("a", []byte("1"))
	traces.Put("a", []byte("another one"))
	if document, _ := traces.Get("a"); string(document) != "1" {
		t.Errorf("a trace was replaced by %q", document)
	}
	for _, id := range []string{"b", "c", "d"} {
		traces.Put(id, make([]byte, 10))
	}
	has("a", false)
	has("b", true)
	traces.Put("big", make([]byte, 90))
	has("c", false)
	has("big", true)
	traces.Put("huge", make([]byte, 1000))
	has("big", false)
	has("huge", true)
	now = now.Add(time.Hour)
	has("huge", false)
}
