//go:build !race

package telemetry

import (
	"crypto/tls"
	"io"
	"log/slog"
	"testing"
	"time"
)

// TestQueueAllocations: a record whose line is all that is wanted costs no allocation, whatever its form.
func TestQueueAllocations(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		h, err := NewLogHandler(io.Discard, LogOptions{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		q := NewQueue(10_000, Writer{Log: slog.New(h), Wants: func(*Record) bool { return false }})
		if n := testing.AllocsPerRun(1000, func() {
			r := q.New()
			r.URL, r.BackendURL = append(r.URL, "http://a/echo"...), append(r.BackendURL, "http://b/echo"...)
			r.Time, r.Method, r.BackendMethod, r.CallerIP, r.API, r.Operation = time.Unix(1_000_000, 0), "GET", "GET", "192.0.2.1", "echo", "get"
			r.ResponseCode, r.BackendResponseCode, r.ClientTLS = 200, 200, tls.VersionTLS13
			q.Add(r)
		}); n >= 1 {
			t.Errorf("%s: %v allocations", format, n)
		}
		q.Close()
	}
}
