//go:build !race

package http1_test

import (
	"runtime"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
)

// TestProxyAllocations holds the whole way of a plain keep-alive GET through server and client engine
// to its budget. It counts the allocations of all goroutines, so it does not run in parallel with other tests.
func TestProxyAllocations(t *testing.T) {
	const requests, budget = 2000, 0.5
	d := newDriver(t, startServer(t, &http1.Server{Handler: &proxy{backend(t, 512), newClient(t)}}), 512)
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
	} else {
		t.Logf("%.3f allocations a request", got)
	}
}
