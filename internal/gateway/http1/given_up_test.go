package http1_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestClosedIdleConnection checks that a connection that the backend service closed while it was idle is not used for what cannot be repeated.
func TestClosedIdleConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request message.Request
		options message.TransportOptions
	}{
		"forbidden":                 {message.Request{Method: "POST"}, message.TransportOptions{NoRetry: true}},
		"not idempotent":            {message.Request{Method: "POST", Body: message.StringBody("body"), ContentLength: 4}, message.TransportOptions{}},
		"body that comes just once": {message.Request{Method: "PUT", Body: streamed{strings.NewReader("body")}, ContentLength: -1}, message.TransportOptions{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed := make(chan struct{})
			to := rawBackend(t, func(n int, conn net.Conn, r *bufio.Reader) {
				readRequest(r)
				say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", n)
				if n == 0 {
					_ = conn.Close()
					close(closed)
				}
				_, _ = io.Copy(io.Discard, r)
			})
			client := newClient(t)
			if got, err := roundTrip(t, client, "GET", to, message.TransportOptions{}); got != "200 0" {
				t.Fatalf("first answer %q, %v", got, err)
			}
			<-closed
			c.request.URL = to
			resp, err := client.RoundTrip(t.Context(), &c.request, c.options)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Release()
			if got, err := message.ReadAll(resp.Body, 100, -1); string(got) != "1" {
				t.Errorf("second answer %q, %v", got, err)
			}
		})
	}
}

// TestUnreadAnswer checks that an answer whose body nobody wants costs no connection if all of it is there already.
func TestUnreadAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		kept   bool
	}{
		"length":             {"Content-Length: 5\r\n\r\nhello", true},
		"chunks":             {"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n", true},
		"more to come":       {"Content-Length: 6\r\n\r\nhello", false},
		"a chunk to come":    {"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false},
		"more than its body": {"Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n", false},
		"malformed":          {"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n0\r\n\r\n", false},
		"end announced":      {"Content-Length: 5\r\nConnection: close\r\n\r\nhello", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := rawBackend(t, func(n int, conn net.Conn, r *bufio.Reader) {
				for readRequest(r) != "" {
					say(conn, "HTTP/1.1 200 OK\r\nX-Connection: %d\r\n%s", n, c.answer)
				}
			})
			client := newClient(t)
			for i := range 3 {
				resp, err := client.RoundTrip(t.Context(), &message.Request{Method: "GET", URL: to}, message.TransportOptions{})
				if err != nil {
					t.Fatal(err)
				}
				want := i
				if c.kept {
					want = 0
				}
				if got := resp.Header.Get("X-Connection"); got != fmt.Sprint(want) {
					t.Errorf("request %d: connection %s", i, got)
				}
				_ = resp.Body.Close()
				resp.Release()
			}
		})
	}
}

// TestResetBehindBody checks that an answer up to the end of its connection is not taken for whole when that was a reset, which the system tells only
// whoever uses the connection first: here that is the sender of the request.
func TestResetBehindBody(t *testing.T) {
	t.Parallel()
	reset := make(chan struct{})
	to := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		readRequest(r)
		say(conn, "HTTP/1.1 200 OK\r\n\r\nhalf")
		_, _ = r.ReadByte()
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
		close(reset)
	})
	reader, writer := io.Pipe()
	request := &message.Request{Method: "POST", URL: to, Body: pipeBody{reader}, ContentLength: -1}
	resp, err := newClient(t).RoundTrip(t.Context(), request, message.TransportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Release()
	_, _ = io.WriteString(writer, "a")
	<-reset
	for err == nil { // until the sender has noticed and closed its body
		_, err = io.WriteString(writer, "b")
	}
	if got, err := message.ReadAll(resp.Body, 100, -1); err == nil {
		t.Errorf("answer %q taken for whole", got)
	} else if failure := wantFailure(t, err, message.BackendAborted); !errors.Is(failure, message.ErrTruncated) {
		t.Errorf("failure %v", failure)
	}
}

// pipeBody is a body that the other end of a pipe writes.
type pipeBody struct{ *io.PipeReader }

func (b pipeBody) Close() error { return b.PipeReader.CloseWithError(message.ErrBodyClosed) }

// TestPipelinedAtTheEnd checks that an answer arrives as a whole on a connection that ends behind it though its client has sent more.
func TestPipelinedAtTheEnd(t *testing.T) {
	t.Parallel()
	const size = 8 << 20 // more than the buffers of the system
	more, answering := make(chan struct{}), make(chan struct{})
	address := startServer(t, &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		body := streamed{io.MultiReader(&onRead{func() { close(answering); <-more }}, strings.NewReader(strings.Repeat("a", size)))}
		_ = x.Respond(&message.Response{Status: 200, Body: body, ContentLength: size})
	})})
	conn, reader := connect(t, address)
	say(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	<-answering
	say(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	close(more)
	answer, err := io.ReadAll(reader)
	if err != nil || !strings.HasSuffix(string(answer), strings.Repeat("a", size)) {
		t.Errorf("%d bytes, %v", len(answer), err)
	}
}

// onRead is a reader of nothing that calls a function.
type onRead struct{ call func() }

func (r *onRead) Read([]byte) (int, error) {
	r.call()
	return 0, io.EOF
}
