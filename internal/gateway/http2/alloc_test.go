//go:build !race

package http2_test

import (
	"io"
	"runtime"
	"testing"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestServerAllocations holds plain requests on one connection to their budget. It counts the allocations of all goroutines, so it does not run in
// parallel with other tests.
func TestServerAllocations(t *testing.T) {
	const requests, budget = 2000, 10
	body := []byte("hello")
	w := dialWire(t, startServer(t, &http2.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		_ = x.Respond(&message.Response{Status: 200, Body: message.BytesBody(body), ContentLength: int64(len(body))})
	})}))
	block := w.fields(":method", "GET", ":scheme", "http", ":authority", "gateway.example", ":path", "/pets/7?verbose=true", "accept", "application/json",
		"user-agent", "driver/1.0", "ocp-apim-subscription-key", "0123456789abcdef")
	block = append([]byte(nil), block...)
	id := uint32(1)
	var frame [1 << 14]byte
	get := func() {
		if err := w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true}); err != nil {
			t.Fatal(err)
		}
		for { // frames are read by hand: the framer allocates
			if _, err := io.ReadFull(w.conn, frame[:9]); err != nil {
				t.Fatal(err)
			}
			size := int(frame[0])<<16 | int(frame[1])<<8 | int(frame[2])
			kind, flags, stream := h2.FrameType(frame[3]), h2.Flags(frame[4]), frame[5:9]
			end := kind == h2.FrameData && flags.Has(h2.FlagDataEndStream) && uint32(stream[0])<<24|uint32(stream[1])<<16|uint32(stream[2])<<8|uint32(stream[3]) == id
			if _, err := io.ReadFull(w.conn, frame[:size]); err != nil {
				t.Fatal(err)
			}
			if end {
				break
			}
		}
		id += 2
	}
	get()
	// From now on fields that both ends know are numbers, as with real clients.
	w.block.Reset()
	block = append(block[:0], w.fields(":method", "GET", ":scheme", "http", ":authority", "gateway.example", ":path", "/pets/7?verbose=true", "accept", "application/json",
		"user-agent", "driver/1.0", "ocp-apim-subscription-key", "0123456789abcdef")...)
	for range 100 {
		get()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range requests {
		get()
	}
	runtime.ReadMemStats(&after)
	got := float64(after.Mallocs-before.Mallocs) / requests
	t.Logf("%.2f allocations a request", got)
	if got > budget {
		t.Errorf("%.2f allocations a request, want at most %d", got, budget)
	}
}
