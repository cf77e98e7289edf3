//go:build !race

package http2_test

import (
	"runtime"
	"testing"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestRequestAllocations holds a plain request over HTTP/2 to its budget, those of the test's own handler and client included. It counts the allocations of
// all goroutines, so it does not run in parallel with other tests.
func TestRequestAllocations(t *testing.T) {
	const body = "hello"
	address := startServer(t, &http2.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		err := x.Respond(&message.Response{
			Status: 200, Header: message.NewHeader("Content-Type", "text/plain"), Body: message.StringBody(body), ContentLength: int64(len(body)),
		})
		if err != nil {
			t.Error(err)
		}
	})})
	w := dialWire(t, address)
	w.framer.SetReuseFrames()
	block := append([]byte(nil), w.fields(":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/items/1", "accept", "*/*")...)
	id := uint32(1)
	request := func() {
		if err := w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true}); err != nil {
			t.Fatal(err)
		}
		for {
			f, err := w.framer.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if f.Header().StreamID == id && f.Header().Flags.Has(h2.FlagDataEndStream) {
				break
			}
		}
		id += 2
	}
	for range 100 {
		request()
	}
	// What others have left behind, goroutines that end and collections that empty pools, does not come with each attempt.
	const requests, most, attempts = 1000, 11, 5
	got := 0.0
	for range attempts {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range requests {
			request()
		}
		runtime.ReadMemStats(&after)
		if got = float64(after.Mallocs-before.Mallocs) / requests; got <= most {
			return
		}
	}
	t.Errorf("%.1f allocations a request, want at most %d", got, most)
}
