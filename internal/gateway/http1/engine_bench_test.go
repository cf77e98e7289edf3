//go:build unix

package http1_test

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
)

// memoryConn is a connection without a kernel behind it: each read finds the whole next message, or the rest of one that had no room.
type memoryConn struct {
	net.Conn // for the addresses
	incoming []byte
	rest     []byte
	left     int // messages still to come
	closed   func()
}

func (c *memoryConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		if c.left == 0 {
			return 0, io.EOF
		}
		c.left--
		c.rest = c.incoming
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *memoryConn) Close() error {
	c.closed()
	return nil
}

func (c *memoryConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }

// memoryListener hands out the connections of a channel.
type memoryListener struct {
	net.Listener
	conns chan net.Conn
}

func (l *memoryListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// BenchmarkEngine is what server and client spend on a plain request beside the system calls and the waiting.
func BenchmarkEngine(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	peer, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer peer.Close()
	answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nX-Backend: yes\r\nContent-Length: 512\r\n\r\n"), make([]byte, 512)...)
	client := &http1.Client{Dial: func(context.Context, string, string) (net.Conn, error) {
		return &memoryConn{Conn: peer, incoming: answer, left: -1, closed: func() {}}, nil
	}}
	defer client.Close()
	to := target(b, listener.Addr().String())
	server := &http1.Server{Handler: &proxy{to, client}}
	defer server.Close()
	l := &memoryListener{listener, make(chan net.Conn)}
	defer close(l.conns)
	go func() { _ = server.Serve(l) }()
	request := []byte("GET /pets/7?verbose=true HTTP/1.1\r\nHost: gateway.example\r\nUser-Agent: driver/1.0\r\n" +
		"Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nOcp-Apim-Subscription-Key: 0123456789abcdef\r\n\r\n")
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	done := make(chan struct{})
	l.conns <- &memoryConn{Conn: peer, incoming: request, left: b.N, closed: sync.OnceFunc(func() { close(done) })}
	<-done
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is what the process has used. Other processes that are about disturb it less than the time that has passed.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
