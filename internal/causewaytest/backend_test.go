package causewaytest

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// dial opens a connection to a backend.
func dial(t *testing.T, b *Backend) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// exchange sends raw bytes and returns all that comes back until the connection ends.
func exchange(t *testing.T, b *Backend, raw string) string {
	t.Helper()
	conn := dial(t, b)
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestBackendRecordsBytesInOrder(t *testing.T) {
	t.Parallel()
	b := NewBackend(t)
	got := exchange(t, b, "POST /a%2Fb?x=1 HTTP/1.1\r\nhOst: h\r\nX-B: 2\r\nx-a:1 \r\nX-B: 3\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
	if want := "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nbackend"; got != want {
		t.Errorf("answer %q, want %q", got, want)
	}
	req := b.Requests()[0]
	if want := "POST /a%2Fb?x=1 HTTP/1.1\nhOst: h\nX-B: 2\nx-a: 1\nX-B: 3\nContent-Length: 3\nConnection: close\n"; req.Head() != want {
		t.Errorf("head %q, want %q", req.Head(), want)
	}
	if got := req.Values("x-b"); !slices.Equal(got, []string{"2", "3"}) {
		t.Errorf("values %q", got)
	}
	if string(req.Body) != "abc" || req.Cut {
		t.Errorf("body %q, cut %v", req.Body, req.Cut)
	}
}

func TestBackendReadsChunksAndTrailers(t *testing.T) {
	t.Parallel()
	b := NewBackend(t)
	exchange(t, b, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 3\r\n\r\n")
	req := b.Requests()[0]
	if string(req.Body) != "abc" || !slices.Equal(req.Trailer, []Field{{"X-Sum", "3"}}) {
		t.Errorf("body %q, trailer %v", req.Body, req.Trailer)
	}
}

func TestBackendNoticesACutBody(t *testing.T) {
	t.Parallel()
	b := NewBackend(t)
	conn := dial(t, b)
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	reqs, err := b.Wait(t.Context(), 1)
	if err != nil || !reqs[0].Cut || string(reqs[0].Body) != "abc" {
		t.Errorf("requests %+v, error %v", reqs, err)
	}
}

func TestBackendAnswers(t *testing.T) {
	t.Parallel()
	const get = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
	f := func(a Answer, want string) {
		t.Helper()
		if got := exchange(t, NewBackend(t, a), get); got != want {
			t.Errorf("answer %q, want %q", got, want)
		}
	}
	f(Answer{Status: 404, Reason: "Gone fishing", Header: []Field{{"b", "1"}, {"A", "2"}}, Body: "x"},
		"HTTP/1.1 404 Gone fishing\r\nb: 1\r\nA: 2\r\nContent-Length: 1\r\n\r\nx")
	f(Answer{Status: 204}, "HTTP/1.1 204 No Content\r\n\r\n")
	f(Answer{Early: []int{103}, Body: "x"}, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
	f(Answer{Chunks: []string{"ab", "", "c"}, Trailer: []Field{{"T", "1"}}},
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n")
	f(Answer{Chunks: []string{"ab"}, Cut: CutInBody}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
	f(Answer{Body: "abcd", Cut: CutInBody}, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
	f(Answer{Cut: CutBeforeHead}, "")
	f(Answer{Echo: true}, "HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\nGET / HTTP/1.1\nConnection: close\n\n")
}

func TestBackendReusesConnectionsAndFollowsItsScript(t *testing.T) {
	t.Parallel()
	b := NewBackend(t, Answer{Body: "1"}, Answer{Body: "2"})
	conn := dial(t, b)
	r := bufio.NewReader(conn)
	for _, want := range []string{"1", "2", "2"} {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		readOne(t, r)
		head, err := readFields(r)
		if err != nil || !slices.Equal(head, []Field{{"Content-Length", "1"}}) {
			t.Fatalf("head %v, error %v", head, err)
		}
		if body, err := r.ReadByte(); err != nil || string(body) != want {
			t.Fatalf("body %q, want %q, error %v", body, want, err)
		}
	}
	if n := b.Connections(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	b.Handle(func(r Request) Answer { return Answer{Body: r.Target} })
	if got := exchange(t, b, "GET /x HTTP/1.1\r\nConnection: close\r\n\r\n"); !strings.HasSuffix(got, "\r\n\r\n/x") {
		t.Errorf("answer %q", got)
	}
	b.Reset()
	if n := len(b.Requests()); n != 0 {
		t.Errorf("%d requests after the reset", n)
	}
}

func TestBackendSaysContinue(t *testing.T) {
	t.Parallel()
	b := NewBackend(t)
	conn := dial(t, b)
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line := readOne(t, bufio.NewReader(conn)); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("line %q", line)
	}
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Wait(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

func TestBackendWaitEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := NewBackend(t).Wait(ctx, 1); err == nil {
		t.Error("it waited for nothing and found it")
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := NewClock(start)
	c.Advance(time.Minute)
	if got := c.Now(); !got.Equal(start.Add(time.Minute)) {
		t.Errorf("now %v", got)
	}
	c.Set(start)
	if got := c.Now(); !got.Equal(start) {
		t.Errorf("now %v", got)
	}
}

// readOne reads a line.
func readOne(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}
