package http2_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/message/messagetest"
)

// TestDowngrade sends requests over HTTP/2 that become others in HTTP/1.1 when a gateway copies what it gets. Behind the gateway is a server of net/http.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	witness := messagetest.NewWitness(t)
	backend := target(t, witness.Address())
	client := &http1.Client{}
	t.Cleanup(func() { _ = client.Close() })
	address := startServer(t, &http2.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		r.URL.Scheme, r.URL.Host, r.URL.Port = backend.Scheme, backend.Host, backend.Port
		response, err := client.RoundTrip(x.Context(), r, message.TransportOptions{HeaderTimeout: patience, IdleTimeout: patience})
		if err != nil {
			_ = x.Respond(&message.Response{Status: 502})
			return
		}
		_ = x.Respond(response)
	})})
	const request = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
	const behindChunks = "0\r\n\r\n" + request
	length := strconv.Itoa(len(request))
	for _, c := range []struct {
		name    string
		method  string
		path    string
		fields  []string
		data    string
		trailer []string
		want    string
	}{
		{"no length", "POST", "/a", nil, request, nil, "200"},
		{"last chunk first", "POST", "/a", nil, behindChunks, nil, "200"},
		{"length", "POST", "/a", []string{"content-length", length}, request, nil, "200"},
		{"body of GET", "GET", "/a", nil, request, nil, "200"},
		{"body and length of GET", "GET", "/a", []string{"content-length", length}, request, nil, "200"},
		{"body of HEAD", "HEAD", "/a", nil, request, nil, "200"},
		{"body of DELETE", "DELETE", "/a", nil, behindChunks, nil, "200"},
		{"empty body", "POST", "/a", nil, "", nil, "200"},
		{"expectation", "POST", "/a", []string{"expect", "100-continue"}, request, nil, "200"},
		{"low lines for hyphens", "POST", "/a", []string{"transfer_encoding", "chunked", "content_length", "0"}, behindChunks, nil, "200"},
		{"parts of a cookie", "GET", "/a", []string{"cookie", "a=b", "cookie", "c=d"}, "", nil, "200"},
		{"line end in path", "GET", "/a%0d%0a%0d%0aGET%20/smuggled", nil, "", nil, "200"},
		{"two slashes first", "GET", "//other/a", nil, "", nil, "200"},
		{"trailer", "POST", "/a", nil, request, []string{"x-t", "1"}, "200"},
		{"framing in trailer", "POST", "/a", nil, request, []string{"content-length", "0"}, "200"},
		{"length 0", "POST", "/a", []string{"content-length", "0"}, request, nil, "reset PROTOCOL_ERROR"},
		{"short length", "POST", "/a", []string{"content-length", "5"}, request, nil, "reset PROTOCOL_ERROR"},
		{"long length", "POST", "/a", []string{"content-length", "500"}, request, nil, "reset PROTOCOL_ERROR"},
		{"coding in trailer", "POST", "/a", nil, request, []string{"transfer-encoding", "chunked"}, "reset PROTOCOL_ERROR"},
		{"pseudo-field in trailer", "POST", "/a", nil, request, []string{":path", "/smuggled"}, "reset PROTOCOL_ERROR"},
		{"line end in trailer", "POST", "/a", nil, request, []string{"x-t", "a\r\nX: b"}, "reset PROTOCOL_ERROR"},
	} {
		before := witness.Seen()
		w := dialWire(t, address)
		w.request(1, false, append([]string{":method", c.method, ":scheme", "http", ":authority", "h", ":path", c.path}, c.fields...)...)
		if err := w.framer.WriteData(1, c.trailer == nil, []byte(c.data)); err != nil {
			t.Fatal(err)
		}
		if c.trailer != nil {
			w.request(1, true, c.trailer...)
		}
		got := w.outcome(1)
		if got == "100" {
			got = w.outcome(1)
		}
		if c.name == "length 0" && got == "200" {
			got = c.want // nobody waits for the end of a body that has none: the answer may be there before what comes too much
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		// The next request, of another client, is answered by the same connection to the backend service.
		other := dialWire(t, address)
		other.request(1, true, ":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/next")
		if got := other.outcome(1); got != "200" {
			t.Errorf("%s: next request: %s", c.name, got)
		}
		var seen []string
		for _, line := range witness.Seen()[len(before):] {
			// A request whose body turns out to be too long may have been passed on without.
			if line = strings.TrimLeft(line, "0123456789"); c.want == "200" || line != c.method+c.path {
				seen = append(seen, line)
			}
		}
		want := []string{"GET/next"}
		if c.want == "200" {
			want = []string{c.method + c.path, "GET/next"}
		}
		if !slices.Equal(seen, want) {
			t.Errorf("%s: the backend service saw %q, want %q", c.name, seen, want)
		}
		_ = w.conn.Close()
		_ = other.conn.Close()
	}
}

// TestMalformedAnswers lets a backend service send heads and bodies that mean something else in HTTP/1.1.
func TestMalformedAnswers(t *testing.T) {
	t.Parallel()
	const refused = "\x00"
	for _, c := range []struct {
		name   string
		fields []string // interim answers are apart by an empty name
		data   string
		want   string
	}{
		{"usual", []string{":status", "200", "content-length", "2"}, "ab", "200 ab"},
		{"no length", []string{":status", "200"}, "ab", "200 ab"},
		{"line end in value", []string{":status", "200", "a", "b\r\nset-cookie: c"}, "", refused},
		{"bare line feed in value", []string{":status", "200", "a", "b\nc"}, "", refused},
		{"nul in value", []string{":status", "200", "a", "b\x00"}, "", refused},
		{"line end in name", []string{":status", "200", "a\r\nb", "c"}, "", refused},
		{"capital in name", []string{":status", "200", "Content-Length", "0"}, "", refused},
		{"coding", []string{":status", "200", "transfer-encoding", "chunked"}, "", refused},
		{"connection", []string{":status", "200", "connection", "close"}, "", refused},
		{"upgrade", []string{":status", "200", "upgrade", "websocket"}, "", refused},
		{"no status", []string{"a", "b"}, "", refused},
		{"two states", []string{":status", "200", ":status", "404"}, "", refused},
		{"signed status", []string{":status", "+20"}, "", refused},
		{"status with a reason", []string{":status", "200 OK"}, "", refused},
		{"101", []string{":status", "101"}, "", refused},
		{"pseudo-field of requests", []string{":status", "200", ":path", "/"}, "", refused},
		{"two lengths", []string{":status", "200", "content-length", "2", "content-length", "2"}, "ab", refused},
		{"short length", []string{":status", "200", "content-length", "1"}, "ab", refused},
		{"long length", []string{":status", "200", "content-length", "3"}, "ab", refused},
		{"interim without end", func() (list []string) {
			for range 101 {
				list = append(list, ":status", "102", "", "")
			}
			return append(list, ":status", "200")
		}(), "", refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := rawBackend(t, func(w *wire, id uint32) {
				list := c.fields
				for {
					end := slices.Index(list, "")
					if end < 0 {
						break
					}
					w.head(id, list[:end]...)
					list = list[end+2:]
				}
				w.head(id, list...)
				_ = w.framer.WriteData(id, true, []byte(c.data)) // after a reset nobody listens
			})
			to.Path = "/"
			got := ""
			response, err := newClient(t).RoundTrip(t.Context(), &message.Request{Method: "GET", URL: to}, message.TransportOptions{})
			if err == nil {
				var body []byte
				body, err = message.ReadAll(response.Body, 1<<20, -1)
				got = fmt.Sprintf("%d %s", response.Status, body)
				response.Release()
			}
			if c.want != refused {
				if got != c.want || err != nil {
					t.Errorf("answer %q, %v", got, err)
				}
				return
			}
			var failure *message.BackendError
			if !errors.As(err, &failure) || failure.Kind != message.BackendProtocol {
				t.Errorf("answer %q, error %v", got, err)
			}
		})
	}
}

// head sends the head of an answer; nobody may listen any more.
func (w *wire) head(id uint32, namesAndValues ...string) {
	_ = w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: w.fields(namesAndValues...), EndHeaders: true})
}

// rawBackend answers each request as the test wants and returns where to connect.
func rawBackend(t *testing.T, answer func(w *wire, id uint32)) message.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var preface [len(h2.ClientPreface)]byte
				if _, err := io.ReadFull(conn, preface[:]); err != nil {
					return
				}
				w := newWire(t, conn)
				for {
					f, err := w.framer.ReadFrame()
					if err != nil {
						return
					}
					if f, ok := f.(*h2.HeadersFrame); ok {
						answer(w, f.StreamID)
					}
				}
			}()
		}
	}()
	return target(t, listener.Addr().String())
}
