package http1_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestStalledClient has clients send requests and take no answers: such a client is given up, however small the answers are.
func TestStalledClient(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func() *message.Response{
		"small": func() *message.Response { return text(200, strings.Repeat("a", 1000)) },
		"none": func() *message.Response { // with a long head, so that not too many fill the buffers of the system
			return &message.Response{Status: 204, Header: message.NewHeader("X-Filler", strings.Repeat("a", 2000))}
		},
		"large": func() *message.Response { return text(200, strings.Repeat("a", 10<<20)) },
		"streamed": func() *message.Response {
			return &message.Response{Status: 200, Body: io.NopCloser(strings.NewReader(strings.Repeat("a", 10<<20))), ContentLength: -1}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost := make(chan error, 1)
			s := &http1.Server{
				Limits: http1.Limits{WriteTimeout: 50 * time.Millisecond},
				Handler: message.HandlerFunc(func(x message.Exchange) {
					x.OnFinish(func(r message.Result) {
						if r.Err != nil {
							lost <- r.Err
						}
					})
					_ = x.Respond(body())
				}),
			}
			conn, err := net.Dial("tcp", startServer(t, s))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			go func() {
				for err == nil {
					_, err = io.WriteString(conn, strings.Repeat("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 100))
				}
			}()
			select {
			case err := <-lost:
				if !errors.Is(err, message.ErrClientGone) {
					t.Errorf("result %v", err)
				}
			case <-time.After(time.Minute):
				t.Error("the server waits on")
			}
		})
	}
}
