package http1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// rawBackend hands each connection, counted from 0, to serve and returns where to connect.
func rawBackend(t *testing.T, serve func(n int, conn net.Conn, r *bufio.Reader)) message.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(n, conn, bufio.NewReader(conn))
			}()
		}
	}()
	return target(t, listener.Addr().String())
}

// readRequest reads a request's head, "" at the end of the connection.
func readRequest(r *bufio.Reader) string {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return ""
		}
		head.WriteString(line)
		if line == "\r\n" {
			return head.String()
		}
	}
}

// say writes a raw answer.
func say(conn net.Conn, format string, args ...any) { _, _ = fmt.Fprintf(conn, format, args...) }

// roundTrip sends a request without a body and returns status and body, or the error.
func roundTrip(t *testing.T, c *http1.Client, method string, to message.URL, o message.TransportOptions) (string, error) {
	t.Helper()
	to.Path = "/"
	resp, err := c.RoundTrip(t.Context(), &message.Request{Method: method, URL: to}, o)
	if err != nil {
		return "", err
	}
	defer resp.Release()
	body, err := message.ReadAll(resp.Body, 1<<20, -1)
	return fmt.Sprintf("%d %s", resp.Status, body), err
}

func wantFailure(t *testing.T, err error, kind message.BackendErrorKind) *message.BackendError {
	t.Helper()
	var failure *message.BackendError
	if !errors.As(err, &failure) || failure.Kind != kind {
		t.Fatalf("error %v, want kind %v", err, kind)
	}
	return failure
}

// TestStaleConnection checks which requests are repeated when a kept connection turns out to be dead.
func TestStaleConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method string
		options      message.TransportOptions
		repeated     bool
	}{
		{"idempotent", "GET", message.TransportOptions{}, true},
		{"not idempotent", "POST", message.TransportOptions{}, false},
		{"declared idempotent", "POST", message.TransportOptions{Idempotent: true}, true},
		{"forbidden", "GET", message.TransportOptions{NoRetry: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			to := rawBackend(t, func(n int, conn net.Conn, r *bufio.Reader) {
				for i := 0; readRequest(r) != ""; i++ {
					requests.Add(1)
					if n == 0 && i == 1 {
						return // takes the request and closes: it may have been processed
					}
					say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", n)
				}
			})
			client := newClient(t)
			if got, err := roundTrip(t, client, "GET", to, message.TransportOptions{}); got != "200 0" {
				t.Fatalf("first answer %q, %v", got, err)
			}
			got, err := roundTrip(t, client, c.method, to, c.options)
			if c.repeated {
				if got != "200 1" || requests.Load() != 3 {
					t.Errorf("answer %q, %v after %d requests", got, err, requests.Load())
				}
				return
			}
			failure := wantFailure(t, err, message.BackendAborted)
			if failure.BytesSent == 0 || failure.Answered || requests.Load() != 2 {
				t.Errorf("failure %+v after %d requests", failure, requests.Load())
			}
		})
	}
}

// TestUnaskedBytes checks that bytes behind an answer never become the next answer.
func TestUnaskedBytes(t *testing.T) {
	t.Parallel()
	to := rawBackend(t, func(n int, conn net.Conn, r *bufio.Reader) {
		for readRequest(r) != "" {
			say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%dHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", n)
		}
	})
	client := newClient(t)
	for n := range 3 {
		if got, err := roundTrip(t, client, "GET", to, message.TransportOptions{}); got != fmt.Sprint("200 ", n) {
			t.Errorf("answer %q, %v", got, err)
		}
	}
}

// TestBackendAnswers checks what becomes of the bytes that backend services send.
func TestBackendAnswers(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		name, answer, want string
		kind               message.BackendErrorKind
	}{
		{"fixed", ok + "Content-Length: 2\r\n\r\nab", "200 ab", 0},
		{"until close", ok + "\r\nabc", "200 abc", 0},
		{"until close 1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc", "200 abc", 0},
		{"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "200 ab", 0},
		{"no reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", "404 ", 0},
		{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 1\r\n\r\na", "200 a", 0},
		{"truncated", ok + "Content-Length: 3\r\n\r\nab", "200 ab", message.BackendAborted},
		{"truncated chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nab", "200 ab", message.BackendAborted},
		{"no last chunk", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "200 ab", message.BackendAborted},
		{"nothing", "", "", message.BackendAborted},
		{"half a head", "HTTP/1.1 200 OK\r\nContent-", "", message.BackendAborted},
		{"both framings", ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", message.BackendProtocol},
		{"two lengths", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "", message.BackendProtocol},
		{"unknown coding", ok + "Transfer-Encoding: gzip\r\n\r\nabc", "", message.BackendProtocol},
		{"other protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "", message.BackendProtocol},
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "", message.BackendProtocol},
		{"folded", ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"101 without request", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "", message.BackendProtocol},
		{"status 000", "HTTP/1.1 000 X\r\n\r\n", "", message.BackendProtocol},
		{"large head", ok + "X: " + strings.Repeat("a", 129<<10) + "\r\n\r\n", "", message.BackendProtocol},
		{"interim without end", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 101) + ok + "\r\n", "", message.BackendProtocol},
		{"malformed chunk", ok + "Transfer-Encoding: chunked\r\n\r\nx\r\n", "200 ", message.BackendProtocol},
		{"same length twice", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "", message.BackendProtocol},
		{"list of lengths", ok + "Content-Length: 1, 1\r\n\r\na", "", message.BackendProtocol},
		{"signed length", ok + "Content-Length: +1\r\n\r\na", "", message.BackendProtocol},
		{"negative length", ok + "Content-Length: -1\r\n\r\n", "", message.BackendProtocol},
		{"length behind a space", ok + "Content-Length : 1\r\n\r\na", "", message.BackendProtocol},
		{"chunked and identity", ok + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "", message.BackendProtocol},
		{"chunked twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", message.BackendProtocol},
		{"chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", message.BackendProtocol},
		{"vertical tab before chunked", ok + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "", message.BackendProtocol},
		{"bare CR in value", ok + "X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"bare LF in value", ok + "X: a\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"NUL in value", ok + "X: a\x00b\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"space in name", ok + "X Y: a\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"control in reason", "HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"bare CR in reason", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"two spaces before status", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"signed status", "HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"version 2.0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"no status line", "<html></html>\r\n\r\n", "", message.BackendProtocol},
		{"body of an interim answer", "HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\nhello" + ok + "Content-Length: 0\r\n\r\n", "", message.BackendProtocol},
		{"interim of both framings", "HTTP/1.1 100 Go\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + ok + "\r\n", "", message.BackendProtocol},
		{"framing in trailer", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n", "200 ", message.BackendProtocol},
		{"long reason", "HTTP/1.1 200 " + strings.Repeat("a", 129<<10) + "\r\n\r\n", "", message.BackendProtocol},
		{"many fields", ok + strings.Repeat("X: a\r\n", 300) + "\r\n", "", message.BackendProtocol},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				readRequest(r)
				say(conn, "%s", c.answer)
				_ = conn.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, r)
			})
			got, err := roundTrip(t, newClient(t), "GET", to, message.TransportOptions{})
			if c.kind == 0 {
				if got != c.want || err != nil {
					t.Errorf("answer %q, %v", got, err)
				}
				return
			}
			wantFailure(t, err, c.kind)
		})
	}
}

// TestAnswersWithoutBody checks that what follows an answer that has no body (RFC 9112, 6.3) is no answer to the next request, and that malformed
// answers end their connections.
func TestAnswersWithoutBody(t *testing.T) {
	t.Parallel()
	const next = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
	for _, c := range []struct{ name, method, answer, want string }{
		{"204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 44\r\n\r\n", "204 "},
		{"204 with chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "204 "},
		{"304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 44\r\n\r\n", "304 "},
		{"answer to HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n", "200 "},
		{"chunked answer to HEAD", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200 "},
		{"length 0", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 "},
		{"behind the last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "200 a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := rawBackend(t, func(n int, conn net.Conn, r *bufio.Reader) {
				for readRequest(r) != "" {
					if n > 0 {
						say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean")
					} else {
						say(conn, "%s", c.answer+next)
					}
				}
			})
			client := newClient(t)
			if got, err := roundTrip(t, client, c.method, to, message.TransportOptions{}); got != c.want || err != nil {
				t.Errorf("answer %q, %v", got, err)
			}
			if got, err := roundTrip(t, client, "GET", to, message.TransportOptions{}); got != "200 clean" {
				t.Errorf("next answer %q, %v", got, err)
			}
		})
	}
}

// TestLateBody checks that a body that follows an answer to HEAD later is no answer to the next request.
func TestLateBody(t *testing.T) {
	t.Parallel()
	answered, sent := make(chan struct{}), make(chan struct{})
	to := rawBackend(t, func(n int, conn net.Conn, r *bufio.Reader) {
		for readRequest(r) != "" {
			if n > 0 {
				say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean")
				continue
			}
			say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n")
			<-answered
			say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
			close(sent)
		}
	})
	client := newClient(t)
	if got, err := roundTrip(t, client, "HEAD", to, message.TransportOptions{}); got != "200 " {
		t.Fatalf("answer %q, %v", got, err)
	}
	close(answered)
	<-sent
	if got, err := roundTrip(t, client, "GET", to, message.TransportOptions{}); got != "200 clean" {
		t.Errorf("next answer %q, %v", got, err)
	}
}

func TestClientTimeouts(t *testing.T) {
	t.Parallel()
	to := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		if strings.HasPrefix(readRequest(r), "HEAD") {
			say(conn, "HTTP/1.1 200")
		} else {
			say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
		}
		_, _ = io.Copy(io.Discard, r)
	})
	client := newClient(t)
	_, err := roundTrip(t, client, "HEAD", to, message.TransportOptions{HeaderTimeout: 20 * time.Millisecond})
	if failure := wantFailure(t, err, message.BackendTimeout); !failure.Timeout() || failure.BytesSent == 0 {
		t.Errorf("failure %+v", failure)
	}
	_, err = roundTrip(t, client, "GET", to, message.TransportOptions{IdleTimeout: 20 * time.Millisecond})
	wantFailure(t, err, message.BackendTimeout)

	never := &http1.Client{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	_, err = roundTrip(t, never, "GET", to, message.TransportOptions{ConnectTimeout: time.Millisecond})
	if failure := wantFailure(t, err, message.BackendTimeout); failure.BytesSent != 0 {
		t.Errorf("failure %+v", failure)
	}
}

func TestConnectFailure(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := target(t, listener.Addr().String())
	_ = listener.Close()
	_, err = roundTrip(t, newClient(t), "POST", to, message.TransportOptions{})
	if failure := wantFailure(t, err, message.BackendConnect); !failure.MayRepeat("POST") {
		t.Errorf("failure %+v", failure)
	}
	closed := newClient(t)
	_ = closed.Close()
	_, err = roundTrip(t, closed, "GET", to, message.TransportOptions{})
	wantFailure(t, err, message.BackendConnect)
}

// TestConnectionLimit checks that more requests than connections wait for each other.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	var open, most atomic.Int32
	to := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		most.Store(max(most.Load(), open.Add(1)))
		defer open.Add(-1)
		for readRequest(r) != "" {
			say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	client := &http1.Client{MaxConns: 2}
	t.Cleanup(func() { _ = client.Close() })
	results := make(chan error, 20)
	for range cap(results) {
		go func() {
			_, err := roundTrip(t, client, "GET", to, message.TransportOptions{})
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if most.Load() > 2 {
		t.Errorf("%d connections at once", most.Load())
	}
	// A request that holds the only connections makes the next one wait until its own time is over.
	to.Path = "/"
	var held []*message.Response
	for range 2 {
		resp, err := client.RoundTrip(t.Context(), &message.Request{Method: "GET", URL: to}, message.TransportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, resp)
	}
	_, err := roundTrip(t, client, "GET", to, message.TransportOptions{ConnectTimeout: 10 * time.Millisecond})
	wantFailure(t, err, message.BackendTimeout)
	for _, resp := range held {
		_ = resp.Body.Close()
	}
	if got, err := roundTrip(t, client, "GET", to, message.TransportOptions{}); got != "200 ok" {
		t.Errorf("answer %q, %v", got, err)
	}
}

// TestReplay checks that a streamed request can be sent again from what was remembered.
func TestReplay(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 4)
	to := rawBackend(t, func(n int, conn net.Conn, r *bufio.Reader) {
		for i := 0; readRequest(r) != ""; i++ {
			b := make([]byte, 5)
			_, _ = io.ReadFull(r, b)
			bodies <- string(b)
			if n == 0 && i == 1 {
				return
			}
			say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	client := newClient(t)
	to.Path = "/"
	for range 2 {
		source := struct{ io.ReadCloser }{io.NopCloser(strings.NewReader("hello"))}
		body := message.NewReplayBody(source, 100)
		resp, err := client.RoundTrip(t.Context(), &message.Request{Method: "PUT", URL: to, Body: body, ContentLength: 5}, message.TransportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		resp.Release()
	}
	for range 3 {
		if got := <-bodies; got != "hello" {
			t.Errorf("body %q", got)
		}
	}
}

// TestRequestBytes checks the exact bytes of requests.
func TestRequestBytes(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 1)
	to := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		for {
			head := readRequest(r)
			if head == "" {
				return
			}
			heads <- strings.ReplaceAll(head, conn.LocalAddr().String(), "ADDRESS")
			say(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	})
	client := newClient(t)
	for _, c := range []struct {
		request message.Request
		want    string
	}{
		{message.Request{Method: "GET", URL: message.URL{Path: "/a%2f", RawQuery: "b=c"}}, "GET /a%2f?b=c HTTP/1.1\r\nHost: ADDRESS\r\n\r\n"},
		{message.Request{Method: "OPTIONS", URL: message.URL{Path: "*"}}, "OPTIONS * HTTP/1.1\r\nHost: ADDRESS\r\n\r\n"},
		{message.Request{Method: "POST"}, "POST / HTTP/1.1\r\nHost: ADDRESS\r\nContent-Length: 0\r\n\r\n"},
		{
			message.Request{Method: "GET", Header: message.NewHeader("x-a", "1", "host", "other", "Connection", "close", "X-A", "2", "Content-Length", "9")},
			"GET / HTTP/1.1\r\nx-a: 1\r\nhost: other\r\nX-A: 2\r\n\r\n",
		},
	} {
		r := c.request
		r.URL.Scheme, r.URL.Host, r.URL.Port = to.Scheme, to.Host, to.Port
		resp, err := client.RoundTrip(t.Context(), &r, message.TransportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		resp.Release()
		if got := <-heads; got != c.want {
			t.Errorf("request %q, want %q", got, c.want)
		}
	}
}

// TestIdleSweep checks that idle connections are closed after their time.
func TestIdleSweep(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	to := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		readRequest(r)
		say(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		readRequest(r)
		close(ended)
	})
	client := &http1.Client{IdleTimeout: 20 * time.Millisecond}
	t.Cleanup(func() { _ = client.Close() })
	if got, err := roundTrip(t, client, "GET", to, message.TransportOptions{}); got != "204 " {
		t.Fatalf("answer %q, %v", got, err)
	}
	<-ended
}
