//go:build !race

package telemetry

import (
	"io"
	"log/slog"
	"testing"
)

// TestQueueAllocations: a record whose line is all that is wanted costs no allocation.
func TestQueueAllocations(t *testing.T) {
	h, err := NewLogHandler(io.Discard, LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	q := NewQueue(10_000, Writer{Log: slog.New(h), Wants: func(*Record) bool { return false }})
	defer q.Close()
	if n := testing.AllocsPerRun(1000, func() {
		r := q.New()
		r.URL, r.Method = append(r.URL, "http://a/echo"...), "GET"
		q.Add(r)
	}); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}
