//go:build !race

package http1_test

import (
	"runtime"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
)

// TestProxyAllocations holds the whole way of plain keep-alive requests through server and client engine to its budget. It counts the allocations of
// all goroutines, so it does not run in parallel with other tests.
func TestProxyAllocations(t *testing.T) {
	f := func(request string, budget float64) {
		t.Helper()
		const requests = 2000
		d := newDriver(t, startServer(t, &http1.Server{Handler: &proxy{backend(t, 512), newClient(t)}}), 512)
		if request != "" {
			d.request = []byte(request)
		}
		for range 100 {
			d.get(t)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range requests {
			d.get(t)
		}
		runtime.ReadMemStats(&after)
		if got := float64(after.Mallocs-before.Mallocs) / requests; got > budget {
			t.Errorf("%.2f allocations a request, want at most %.1f", got, budget)
		}
	}
	f("", 0.5)
	// The body is an object of its own, so that whoever keeps it too long cannot read the next one.
	f("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 1.5)
}
