package messagetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// runWire tests the bytes of HTTP/1.1.
func runWire(t *testing.T, e Engine) {
	tests := []struct {
		name string
		run  func(*testing.T, Engine)
	}{
		{"pipelining", testPipelining}, {"refused", testRefused}, {"accepted", testAccepted}, {"limits", testLimits}, {"continue", testContinue},
		{"http 1.0", testHTTP10}, {"framing of answers", testFraming}, {"gone behind pipelined bytes", testGoneBehind}, {"upgrade", testUpgrade},
		{"malformed chunks", testMalformedChunks},
	}
	for _, test := range tests {
		t.Run("wire/"+test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, e)
		})
	}
}

// dial opens a raw connection.
func dial(t *testing.T, to message.URL) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn, bufio.NewReader(conn)
}

// write sends raw bytes.
func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// readHead reads a head, without its Date line and its empty one.
func readHead(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("head %q: %v", head.String()+line, err)
		}
		if line == "\r\n" {
			return head.String()
		}
		if !strings.HasPrefix(line, "Date: ") {
			head.WriteString(line)
		}
	}
}

// readN reads n bytes.
func readN(t *testing.T, r *bufio.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return string(b)
}

// readRest reads to the end of the connection.
func readRest(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return string(b)
}

// exchange sends raw bytes, ends the sending direction and returns all that comes back, or "" when the connection was reset.
func exchange(t *testing.T, to message.URL, text string) string {
	t.Helper()
	conn, r := dial(t, to)
	write(t, conn, text)
	_ = conn.(*net.TCPConn).CloseWrite()
	b, _ := io.ReadAll(r)
	return string(b)
}

// echoTarget answers with method, target and body.
var echoTarget = message.HandlerFunc(func(x message.Exchange) {
	r := x.Request()
	body, err := message.ReadAll(r.Body, 1<<20, -1)
	if errors.Is(err, message.ErrMalformed) {
		_ = x.Respond(answer(400, "malformed"))
		return
	}
	_ = x.Respond(answer(200, fmt.Sprintf("%s %s %s %s", r.Method, r.Target, r.URL.String(), body)))
})

func testPipelining(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		name, body := r.Header.Get("x-name"), ""
		x.OnFinish(func(message.Result) {
			if r.Header.Get("x-name") != name || !strings.HasPrefix(name, "n") {
				t.Errorf("strings changed to %q before the finish", name)
			}
		})
		if r.Body != nil {
			b, _ := message.ReadAll(r.Body, 1<<20, -1)
			body = string(b)
		}
		_ = x.Respond(answer(200, r.URL.Path+name+body))
	}))
	conn, r := dial(t, to)
	write(t, conn, "GET /1 HTTP/1.1\r\nHost: h\r\nX-Name: n1\r\n\r\n"+
		"\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nX-Name: n2\r\nContent-Length: 3\r\n\r\nabc"+
		"POST /3 HTTP/1.1\r\nHost: h\r\nX-Name: n3\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\nX-T: 1\r\n\r\n"+
		"GET /4 HTTP/1.1\r\nHost: h\r\nX-Name: n4\r\nX-Long: "+strings.Repeat("l", 6000)+"\r\n\r\n"+
		"GET /5 HTTP/1.1\r\nHost: h\r\nX-Name: n5\r\nConnection: close\r\n\r\nGET /6 HTTP/1.1\r\n")
	for _, want := range []string{"/1n1", "/2n2abc", "/3n3def", "/4n4"} {
		if head := readHead(t, r); head != fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n", len(want)) {
			t.Errorf("head %q", head)
		}
		if got := readN(t, r, len(want)); got != want {
			t.Errorf("body %q, want %q", got, want)
		}
	}
	if head := readHead(t, r); head != "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n" {
		t.Errorf("last head %q", head)
	}
	if got := readRest(t, r); got != "/5n5" {
		t.Errorf("last body %q", got)
	}
}

func testRefused(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		t.Errorf("%q was passed on", x.Request().Target)
		_ = x.Respond(answer(200, ""))
	}))
	for _, c := range MalformedRequests() {
		got := exchange(t, to, c.Text+"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
		if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", c.Status)) || !strings.Contains(got, "\r\nConnection: close\r\n") ||
			strings.Count(got, "HTTP/1.1") != 1 {
			t.Errorf("%s: answer %q, want one with %d", c.Name, got, c.Status)
		}
	}
}

func testAccepted(t *testing.T, e Engine) {
	to := e.Serve(t, echoTarget)
	for _, c := range []struct{ name, text, want string }{
		{"absolute form", "GET http://other:81/a?b HTTP/1.1\r\nHost: h\r\n", "GET http://other:81/a?b http://other:81/a?b "},
		{"absolute form without path", "GET http://other?b HTTP/1.1\r\nHost: h\r\n", "GET http://other?b http://other/?b "},
		{"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n", "OPTIONS * http://h* "},
		{"later minor version", "GET / HTTP/1.7\r\nHost: h\r\n", "GET / http://h/ "},
		{"tabs around value", "GET / HTTP/1.1\r\nHost:\t h \t\r\n", "GET / http://h/ "},
		{"IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:81\r\n", "GET / http://[::1]:81/ "},
		{"bytes above 127", "GET /\xc5\xbc HTTP/1.1\r\nHost: h\r\nX: \xff\r\n", "GET /\xc5\xbc http://h/\xc5\xbc "},
		{"capital chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: CHUNKED\r\n", "POST / http://h/ "},
		{"zero length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 00\r\n", "POST / http://h/ "},
	} {
		body := ""
		if strings.Contains(c.text, "CHUNKED") {
			body = "0\r\n\r\n"
		}
		got := exchange(t, to, c.text+"Connection: close\r\n\r\n"+body)
		if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(got, "\r\n\r\n"+c.want) {
			t.Errorf("%s: answer %q, want %q", c.name, got, c.want)
		}
	}
}

func testLimits(t *testing.T, e Engine) {
	to := e.Serve(t, echoTarget)
	for _, c := range []struct {
		name   string
		text   string
		status int
	}{
		{"long line", "GET /" + strings.Repeat("a", 9<<10) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
		{"endless line", strings.Repeat("a", 80<<10), 414},
		{"longest line", "GET /" + strings.Repeat("a", 8<<10-14) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200},
		{"large header", "GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("a", 65<<10) + "\r\n\r\n", 431},
		{"endless header", "GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("a", 90<<10), 431},
		{"largest header", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX: " + strings.Repeat("a", 63<<10) + "\r\n\r\n", 200},
		{"many fields", "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X: 1\r\n", 128) + "\r\n", 431},
		{"most fields", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + strings.Repeat("X: 1\r\n", 126) + "\r\n", 200},
	} {
		if got := exchange(t, to, c.text); !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", c.status)) {
			t.Errorf("%s: answer %.60q, want %d", c.name, got, c.status)
		}
	}
}

func testContinue(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		if x.Request().URL.Path == "/refuse" {
			_ = x.Respond(answer(403, "no"))
			return
		}
		echoTarget(x)
	}))
	const head = " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n"
	conn, r := dial(t, to)
	write(t, conn, "POST /"+head)
	if got := readHead(t, r); got != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("interim answer %q", got)
	}
	write(t, conn, "abc")
	if got := readHead(t, r); got != "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n" {
		t.Errorf("answer %q", got)
	}
	readN(t, r, 20)
	// The body is there already: nothing to wait for.
	write(t, conn, "POST /"+head+"abc")
	if got := readHead(t, r); got != "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n" {
		t.Errorf("answer %q", got)
	}
	readN(t, r, 20)
	// Nobody knows whether the body will come, so the connection ends.
	write(t, conn, "POST /refuse"+head)
	if got := readHead(t, r); got != "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n" {
		t.Errorf("answer %q", got)
	}
	if got := readRest(t, r); got != "no" {
		t.Errorf("body %q", got)
	}
}

func testHTTP10(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		if err := x.Informational(103, nil); err != nil {
			t.Errorf("informational: %v", err)
		}
		_ = x.Respond(&message.Response{Status: 200, Body: &pattern{size: 5}, ContentLength: x.Request().ContentLength - 1})
	}))
	conn, r := dial(t, to)
	write(t, conn, "POST / HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: 4\r\n\r\nabcd")
	if got := readHead(t, r); got != "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n" {
		t.Errorf("answer with keep-alive %q", got)
	}
	readN(t, r, 3)
	write(t, conn, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
	if got := readHead(t, r); got != "HTTP/1.1 200 OK\r\nConnection: close\r\n" {
		t.Errorf("answer without length %q", got)
	}
	if got := readRest(t, r); len(got) != 5 {
		t.Errorf("body %q", got)
	}
}

func testFraming(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		resp := &message.Response{Status: 200, Reason: "Fine", Body: &pattern{size: 3, step: 2}, ContentLength: -1}
		// What a handler says about framing is ignored; the place and the spelling stay.
		resp.Header = message.NewHeader("a", "1", "transfer-ENCODING", "gzip", "Connection", "close, X", "content-length", "77", "b", "2")
		switch x.Request().URL.Path {
		case "/fixed":
			resp.ContentLength = 3
		case "/trailer":
			resp.Trailer = message.NewHeader("T", "1", "Content-Length", "9", "Transfer-Encoding", "x")
		case "/304":
			resp.Status, resp.ContentLength = 304, 9
		case "/204":
			resp.Status, resp.ContentLength = 204, 9
		}
		_ = x.Respond(resp)
	}))
	chunks := "2\r\n\x00\x01\r\n1\r\n\x02\r\n0\r\n"
	for _, c := range []struct{ method, path, head, body string }{
		{"GET", "/fixed", "200 Fine\r\na: 1\r\ncontent-length: 3\r\nb: 2\r\n", "\x00\x01\x02"},
		{"HEAD", "/fixed", "200 Fine\r\na: 1\r\ncontent-length: 3\r\nb: 2\r\n", ""},
		{"GET", "/chunked", "200 Fine\r\na: 1\r\ntransfer-ENCODING: chunked\r\nb: 2\r\n", chunks + "\r\n"},
		{"HEAD", "/chunked", "200 Fine\r\na: 1\r\nb: 2\r\n", ""},
		{"GET", "/trailer", "200 Fine\r\na: 1\r\ntransfer-ENCODING: chunked\r\nb: 2\r\n", chunks + "T: 1\r\n\r\n"},
		{"GET", "/304", "304 Fine\r\na: 1\r\ncontent-length: 9\r\nb: 2\r\n", ""},
		{"GET", "/204", "204 Fine\r\na: 1\r\nb: 2\r\n", ""},
	} {
		conn, r := dial(t, to)
		write(t, conn, c.method+" "+c.path+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if got := readHead(t, r); got != "HTTP/1.1 "+c.head+"Connection: close\r\n" {
			t.Errorf("%s %s: head %q", c.method, c.path, got)
		}
		if got := readRest(t, r); got != c.body {
			t.Errorf("%s %s: body %q", c.method, c.path, got)
		}
	}
}

func testGoneBehind(t *testing.T, e Engine) {
	started, ended := make(chan struct{}), make(chan struct{})
	paths := make(chan string, 2)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		paths <- strings.Clone(x.Request().URL.Path)
		switch x.Request().URL.Path {
		case "/wait":
			close(started)
			<-x.Context().Done()
			close(ended)
		default:
			// Somebody waits for the context, but the bytes of the next request are its own.
			derived := x.Context().Done()
			select {
			case <-derived:
				t.Error("the context ended early")
			case <-time.After(50 * time.Millisecond):
			}
			_ = x.Respond(answer(200, ""))
		}
	}))
	conn, r := dial(t, to)
	write(t, conn, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	receive(t, paths, "the first request")
	write(t, conn, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\nGET /never")
	readHead(t, r)
	if got := receive(t, paths, "the second request"); got != "/wait" {
		t.Errorf("second request %q", got)
	}
	receive(t, started, "the handler")
	_ = conn.Close()
	receive(t, ended, "the end of the context")
}

func testUpgrade(t *testing.T, e Engine) {
	backend := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		resp := &message.Response{Status: 101}
		resp.Header = message.NewHeader("Upgrade", "echo")
		conn, err := x.Upgrade(resp)
		if err != nil {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("upgrade: %v", err)
			}
			_ = x.Respond(answer(426, ""))
			return
		}
		_, _ = io.Copy(conn, conn)
		_ = conn.Close()
	}))
	tr := e.Transport(t)
	finished := make(chan message.Result, 1)
	front := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { finished <- r })
		r := x.Request()
		r.URL.Host, r.URL.Port = backend.Host, backend.Port
		resp, err := tr.RoundTrip(x.Context(), r, message.TransportOptions{})
		if err != nil {
			t.Errorf("backend: %v", err)
			return
		}
		_ = x.Respond(resp)
	}))
	if resp := send(t, tr, get(front, "/")); resp.Status != 426 {
		t.Errorf("without upgrade: status %d", resp.Status)
	}
	receive(t, finished, "the finish")
	conn, r := dial(t, front)
	write(t, conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\nearly")
	if got := readHead(t, r); got != "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n" {
		t.Fatalf("head %q", got)
	}
	if got := readN(t, r, 5); got != "early" {
		t.Errorf("echo %q", got)
	}
	write(t, conn, "late")
	_ = conn.(*net.TCPConn).CloseWrite()
	if got := readRest(t, r); got != "late" {
		t.Errorf("echo %q", got)
	}
	if result := receive(t, finished, "the finish"); result.Err != nil || result.BytesOut < 9 {
		t.Errorf("result %+v", result)
	}
}

func testMalformedChunks(t *testing.T, e Engine) {
	to := e.Serve(t, echoTarget)
	for _, chunks := range MalformedChunks() {
		got := exchange(t, to, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"+chunks+"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") || strings.Count(got, "HTTP/1.1") != 1 {
			t.Errorf("%.40q: answer %q", chunks, got)
		}
	}
}
