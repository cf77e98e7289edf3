package http2_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/message"
)

// streamed is a body that can be read once, in two parts, as one from a client.
type streamed struct {
	io.Reader
	closed atomic.Bool
}

func newStreamed(text string) *streamed {
	return &streamed{Reader: io.MultiReader(strings.NewReader(text[:1]), strings.NewReader(text[1:]))}
}

// Read implements [message.Body].
func (b *streamed) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, message.ErrBodyClosed
	}
	return b.Reader.Read(p)
}

// Close implements [message.Body].
func (b *streamed) Close() error {
	b.closed.Store(true)
	return nil
}

// leavingBackend ends its first connections with a GOAWAY frame, behind a whole request that it does not look at, and echoes later ones.
func leavingBackend(t *testing.T, leaves int) message.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	serve := func(conn net.Conn, leaves bool) {
		defer conn.Close()
		var preface [len(h2.ClientPreface)]byte
		if _, err := io.ReadFull(conn, preface[:]); err != nil {
			return
		}
		w := newWire(t, conn)
		var body []byte
		for {
			f, err := w.framer.ReadFrame()
			if err != nil {
				return
			}
			data, ok := f.(*h2.DataFrame)
			if !ok {
				continue
			}
			if body = append(body, data.Data()...); !data.StreamEnded() {
				continue
			}
			if leaves {
				_ = w.framer.WriteGoAway(0, h2.ErrCodeNo, nil)
				continue
			}
			w.head(data.StreamID, ":status", "200")
			_ = w.framer.WriteData(data.StreamID, true, body)
		}
	}
	go func() {
		for i := 0; ; i++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, i < leaves)
		}
	}()
	to := target(t, listener.Addr().String())
	to.Path = "/"
	return to
}

// TestRefusedRequests sends requests with bodies that can be read once to a backend service that ends connections without looking at them. Short ones
// are sent again.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		leaves, size int
		want         string
	}{{0, 10, "200"}, {1, 10, "200"}, {5, 10, "200"}, {5, 16 << 10, "200"}, {1, 17 << 10, "failed"}, {20, 10, "failed"}} {
		t.Run(fmt.Sprintf("%d connections, %d bytes", c.leaves, c.size), func(t *testing.T) {
			t.Parallel()
			text := strings.Repeat("x", c.size)
			body := newStreamed(text)
			got := "failed"
			response, err := newClient(t).RoundTrip(t.Context(),
				&message.Request{Method: "POST", URL: leavingBackend(t, c.leaves), Body: body, ContentLength: -1}, message.TransportOptions{})
			if err == nil {
				answer, err := message.ReadAll(response.Body, 1<<20, -1)
				if got = fmt.Sprint(response.Status); err != nil || string(answer) != text {
					t.Errorf("%d bytes, %v", len(answer), err)
				}
				response.Release()
			}
			if got != c.want {
				t.Errorf("%s, %v", got, err)
			}
			if !body.closed.Load() {
				t.Error("the body is open")
			}
		})
	}
}

// TestRequestIsGivenBack takes requests away as soon as there is an answer without a body, as the gateway does, while their bodies are on their way.
func TestRequestIsGivenBack(t *testing.T) {
	t.Parallel()
	to := rawBackend(t, func(w *wire, id uint32) {
		_ = w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: w.fields(":status", "403"), EndHeaders: true, EndStream: true})
	})
	to.Path = "/"
	client := newClient(t)
	for range 200 {
		body := newStreamed(strings.Repeat("x", 1<<20))
		r := &message.Request{Method: "POST", URL: to, Body: body, ContentLength: -1}
		response, err := client.RoundTrip(t.Context(), r, message.TransportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		*r = message.Request{}
		if !body.closed.Load() {
			t.Fatal("the body is open")
		}
		response.Release()
	}
}
