package http2_test

import (
	"errors"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestStalledClient has clients send requests and take no answers: they are given up, however small the answers are.
func TestStalledClient(t *testing.T) {
	t.Parallel()
	lost := make(chan error, 1)
	address := startServer(t, &http2.Server{
		Limits: http2.Limits{WriteTimeout: 300 * time.Millisecond},
		Handler: message.HandlerFunc(func(x message.Exchange) {
			x.OnFinish(func(r message.Result) {
				if r.Err != nil {
					select {
					case lost <- r.Err:
					default:
					}
				}
			})
			_ = x.Respond(&message.Response{Status: 200, Body: message.StringBody("small"), ContentLength: 5})
		}),
	})
	wait := func(what string) {
		t.Helper()
		select {
		case err := <-lost:
			if !errors.Is(err, message.ErrClientGone) {
				t.Errorf("%s: result %v", what, err)
			}
		case <-time.After(patience):
			t.Errorf("%s: the server waits on", what)
		}
	}
	get := []string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/"}

	// The stream has no window: it is reset, and the connection goes on.
	w := dialWire(t, address)
	if err := w.framer.WriteSettings(h2.Setting{ID: h2.SettingInitialWindowSize, Val: 0}); err != nil {
		t.Fatal(err)
	}
	w.request(1, true, get...)
	if got := w.outcome(1); got != "200" {
		t.Errorf("head %q", got)
	}
	if got := w.outcome(1); got != "reset CANCEL" {
		t.Errorf("then %q", got)
	}
	wait("no window")

	// Nobody reads from the connection, whose window runs dry.
	w = dialWire(t, address)
	go func() {
		for id := uint32(1); ; id += 2 {
			block := w.fields(get...)
			if err := w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true}); err != nil {
				return
			}
		}
	}()
	wait("nobody reads")
}
