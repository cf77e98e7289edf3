package http1_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// echoing answers with the path.
func echoing() *http1.Server {
	return &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) { _ = x.Respond(text(200, x.Request().URL.Path)) })}
}

// awaitParked waits until so many connections are parked, and parking has happened at least so often.
func awaitParked(t *testing.T, s *http1.Server, want int, ever uint64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		now, all := s.Parked()
		if now == want && all >= ever {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are parked, %d ever; want %d, %d", now, all, want, ever)
		}
	}
}

// wantAnswer reads an answer whose body is the path.
func wantAnswer(t *testing.T, r *bufio.Reader, path string) {
	t.Helper()
	head := readRequest(r)
	body := make([]byte, len(path))
	if _, err := io.ReadFull(r, body); err != nil || !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") || string(body) != path {
		t.Fatalf("head %q, body %q, %v; want %q", head, body, err, path)
	}
}

func wantEnd(t *testing.T, r *bufio.Reader) {
	t.Helper()
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("reading gives %v, want the end of the connection", err)
	}
}

// TestParking checks that many connections are parked, serve what comes next, pipelined requests included, are parked again, and end with the server.
func TestParking(t *testing.T) {
	t.Parallel()
	const many = 200
	server := echoing()
	address := startServer(t, server)
	conns, readers := make([]net.Conn, many), make([]*bufio.Reader, many)
	for i := range conns {
		conns[i], readers[i] = connect(t, address)
		if i%2 == 0 { // the others bring their first request when they are parked
			say(conns[i], "GET /first HTTP/1.1\r\nHost: h\r\n\r\n")
			wantAnswer(t, readers[i], "/first")
		}
	}
	for round := range 2 {
		awaitParked(t, server, many, 0)
		for i, c := range conns {
			say(c, "GET /%[1]d/%[2]d HTTP/1.1\r\nHost: h\r\n\r\nPOST /%[1]d/%[2]d/next HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", round, i)
		}
		for i, r := range readers {
			wantAnswer(t, r, fmt.Sprintf("/%d/%d", round, i))
			wantAnswer(t, r, fmt.Sprintf("/%d/%d/next", round, i))
		}
	}
	awaitParked(t, server, many, 3*many)
	if err := server.Shutdown(t.Context()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	for _, r := range readers {
		wantEnd(t, r)
	}
}

// TestParkingEnds checks that parked connections end: after the idle time-out, with one for those that have brought nothing; when the peer closes its
// side; when the server is closed.
func TestParkingEnds(t *testing.T) {
	t.Parallel()
	short := http1.Limits{IdleTimeout: 300 * time.Millisecond}
	silent := http1.Limits{HeaderTimeout: 300 * time.Millisecond}
	for name, c := range map[string]struct {
		limits http1.Limits
		silent bool
		end    func(*http1.Server, net.Conn)
	}{
		"idle":   {limits: short},
		"silent": {limits: silent, silent: true},
		"half": {end: func(s *http1.Server, c net.Conn) {
			awaitParked(t, s, 1, 1)
			_ = c.(*net.TCPConn).CloseWrite()
		}},
		"close": {end: func(s *http1.Server, _ net.Conn) {
			awaitParked(t, s, 1, 1)
			_ = s.Close()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := echoing()
			server.Limits = c.limits
			conn, reader := connect(t, startServer(t, server))
			if !c.silent {
				say(conn, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n")
				wantAnswer(t, reader, "/1")
			}
			if c.end != nil {
				c.end(server, conn)
			}
			wantEnd(t, reader)
			awaitParked(t, server, 0, 1)
		})
	}
}

// TestParkingOrder checks that a connection that waits less than one parked before it ends first.
func TestParkingOrder(t *testing.T) {
	t.Parallel()
	server := echoing()
	server.Limits = http1.Limits{HeaderTimeout: 300 * time.Millisecond, IdleTimeout: time.Hour}
	address := startServer(t, server)
	used, usedReader := connect(t, address)
	say(used, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n")
	wantAnswer(t, usedReader, "/1")
	awaitParked(t, server, 1, 1)
	_, silent := connect(t, address)
	wantEnd(t, silent)
	say(used, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
	wantAnswer(t, usedReader, "/2")
}

// TestParkingLimit checks that parked connections count, until they end.
func TestParkingLimit(t *testing.T) {
	t.Parallel()
	server := echoing()
	server.Limits = http1.Limits{ConnsPerAddress: 1}
	address := startServer(t, server)
	first, _ := connect(t, address)
	awaitParked(t, server, 1, 1)
	_, second := connect(t, address)
	wantEnd(t, second)
	_ = first.Close()
	awaitParked(t, server, 0, 1)
}

// TestParkingDrain checks that a parked connection may bring one more request while the server drains.
func TestParkingDrain(t *testing.T) {
	t.Parallel()
	server := echoing()
	address := startServer(t, server)
	conn, reader := connect(t, address)
	awaitParked(t, server, 1, 1)
	ended := make(chan error, 1)
	go func() { ended <- server.Drain(t.Context(), time.Hour) }()
	for late, _ := connectIf(address); late != nil; late, _ = connectIf(address) { // the listener ends first
		_ = late.Close()
	}
	say(conn, "GET /last HTTP/1.1\r\nHost: h\r\n\r\n")
	answer, err := io.ReadAll(reader)
	if err != nil || !strings.Contains(string(answer), "\r\nConnection: close\r\n") || !strings.HasSuffix(string(answer), "/last") {
		t.Errorf("answer %q, %v", answer, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("drain: %v", err)
	}
}

// TestParkingTLS checks that a TLS connection is parked and goes on, also when a part of a record has woken it in between.
func TestParkingTLS(t *testing.T) {
	t.Parallel()
	cert, pool := certificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := echoing()
	go func() {
		_ = server.Serve(tls.NewListener(http1.Direct(listener), &tls.Config{Certificates: []tls.Certificate{cert}}))
	}()
	t.Cleanup(func() { _ = server.Close() })
	below, _ := connect(t, listener.Addr().String())
	halting := &haltingConn{Conn: below}
	conn := tls.Client(halting, &tls.Config{RootCAs: pool, ServerName: "example.test"})
	reader := bufio.NewReader(conn)
	say(conn, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n")
	wantAnswer(t, reader, "/1")
	awaitParked(t, server, 1, 1)
	say(conn, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
	wantAnswer(t, reader, "/2")
	awaitParked(t, server, 1, 2)
	halting.halt = func() { awaitParked(t, server, 1, 3) }
	say(conn, "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n")
	wantAnswer(t, reader, "/3")
}

// haltingConn calls halt in the middle of a write.
type haltingConn struct {
	net.Conn
	halt func()
}

func (c *haltingConn) Write(p []byte) (int, error) {
	if c.halt == nil {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(p[:3])
	if err != nil {
		return n, err
	}
	c.halt()
	m, err := c.Conn.Write(p[3:])
	return n + m, err
}

// TestParkingUpgrade checks that a connection that was parked once can be handed over, and leaves nothing to the next one.
func TestParkingUpgrade(t *testing.T) {
	t.Parallel()
	server := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		if !x.Request().Header.Has("Upgrade") {
			if err := x.Context().Err(); err != nil {
				t.Errorf("the context begins with %v", err)
			}
			_ = x.Respond(text(200, x.Request().URL.Path))
			return
		}
		conn, err := x.Upgrade(&message.Response{Status: 101, Header: message.NewHeader("Upgrade", "echo")})
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		defer conn.Close()
		_, _ = io.Copy(conn, conn)
	})}
	address := startServer(t, server)
	conn, reader := connect(t, address)
	awaitParked(t, server, 1, 1)
	say(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	if head := readRequest(reader); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Fatalf("head %q", head)
	}
	for _, word := range []string{"one", "two"} {
		say(conn, "%s", word)
		got := make([]byte, len(word))
		if _, err := io.ReadFull(reader, got); err != nil || string(got) != word {
			t.Errorf("echo %q, %v", got, err)
		}
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	wantEnd(t, reader)
	next, nextReader := connect(t, address)
	say(next, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
	wantAnswer(t, nextReader, "/next")
}
