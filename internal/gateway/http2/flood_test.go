package http2_test

import (
	"testing"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestFloods sends what makes a server work for nothing.
func TestFloods(t *testing.T) {
	t.Parallel()
	address := startServer(t, &http2.Server{Handler: message.HandlerFunc(func(x message.Exchange) { <-x.Context().Done() })})
	for name, send := range map[string]func(w *wire, i int) error{
		"pings":    func(w *wire, i int) error { return w.framer.WritePing(false, [8]byte{}) },
		"settings": func(w *wire, i int) error { return w.framer.WriteSettings() },
		"empty data": func(w *wire, i int) error {
			if i == 0 {
				w.request(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
			}
			return w.framer.WriteData(1, false, nil)
		},
		"rapid reset": func(w *wire, i int) error {
			id := uint32(2*i + 1)
			w.block.Reset()
			block := w.fields(":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/")
			if err := w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true}); err != nil {
				return err
			}
			return w.framer.WriteRSTStream(id, h2.ErrCodeCancel)
		},
		"resets that we make": func(w *wire, i int) error { // CVE-2025-8671
			id := uint32(2*i + 1)
			block := w.fields(":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/")
			if err := w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true}); err != nil {
				return err
			}
			return w.framer.WriteWindowUpdate(id, 0)
		},
		"malformed requests": func(w *wire, i int) error {
			return w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: w.fields(":method", "GET"), EndHeaders: true, EndStream: true})
		},
		"more streams than allowed": func(w *wire, i int) error {
			block := w.fields(":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/")
			return w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: block, EndHeaders: true, EndStream: true})
		},
		"settings acknowledged": func(w *wire, i int) error { return w.framer.WriteSettingsAck() },
		"windows":               func(w *wire, i int) error { return w.framer.WriteWindowUpdate(0, 1) },
		"priorities": func(w *wire, i int) error {
			return w.framer.WritePriority(uint32(2*i+1), h2.PriorityParam{StreamDep: 0})
		},
		"unknown frames": func(w *wire, i int) error { return w.framer.WriteRawFrame(0xbe, 0, 0, nil) },
		"header table sizes": func(w *wire, i int) error {
			return w.framer.WriteSettings(h2.Setting{ID: h2.SettingHeaderTableSize, Val: uint32(i % 2 * 4096)})
		},
		"continuations": func(w *wire, i int) error {
			if i == 0 {
				return w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: 1, BlockFragment: w.fields(":method", "GET")})
			}
			return w.framer.WriteContinuation(1, false, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := dialWire(t, address)
			go func() {
				for i := range 20_000 {
					if send(w, i) != nil {
						return
					}
				}
			}()
			for {
				f, err := w.framer.ReadFrame()
				if err != nil {
					t.Fatalf("no GOAWAY: %v", err)
				}
				if away, ok := f.(*h2.GoAwayFrame); ok {
					if away.ErrCode != h2.ErrCodeEnhanceYourCalm {
						t.Errorf("GOAWAY with %v", away.ErrCode)
					}
					return
				}
			}
		})
	}
}
