package http1_test

import (
	"bufio"
	"bytes"
	"context"
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

// TestSplice sends bodies of many sizes to a backend service that sends them back, on one connection, to readers of all kinds.
func TestSplice(t *testing.T) {
	t.Parallel()
	origin := target(t, startServer(t, &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		data, err := message.ReadAll(r.Body, 8<<20, r.ContentLength)
		if err != nil {
			return
		}
		_ = x.Respond(&message.Response{Status: 200, Body: message.BytesBody(data), ContentLength: int64(len(data))})
	})}))
	client, results := newClient(t), make(chan message.Result, 1)
	onward := &proxy{origin, client}
	front := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { results <- r })
		onward.Serve(x)
	})}
	conn, reader := connect(t, startServer(t, front))
	for _, size := range []int{1, 60 << 10, 64 << 10, 84 << 10, 84<<10 + 1, 85 << 10, 100 << 10, 256 << 10, 2 << 20} {
		data := noise(size)
		go func() {
			say(conn, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size)
			_, _ = conn.Write(data)
		}()
		head := readRequest(reader)
		if !strings.HasPrefix(head, "HTTP/1.1 200 ") || !strings.Contains(head, fmt.Sprintf("\r\nContent-Length: %d\r\n", size)) {
			t.Fatalf("%d bytes: head %q", size, head)
		}
		got, err := io.ReadAll(sipping{io.LimitReader(reader, int64(size))})
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes: got %d others, %v", size, len(got), err)
		}
		r := receiveResult(t, results)
		if r.Err != nil || r.BytesOut != int64(len(head)+size) || r.BytesIn < int64(size) || r.FirstByte.IsZero() || r.Done.Before(r.FirstByte) {
			t.Errorf("%d bytes: result %+v", size, r)
		}
	}
}

// TestSpliceInterrupted ends exchanges in the middle of a large body in the ways that there are.
func TestSpliceInterrupted(t *testing.T) {
	t.Parallel()
	const size, sent = 64 << 20, 1 << 20
	failed := func(kind message.BackendErrorKind) func(error) bool {
		return func(err error) bool {
			var failure *message.BackendError
			return errors.As(err, &failure) && failure.Kind == kind
		}
	}
	for _, c := range []struct {
		name    string
		options message.TransportOptions
		timeout time.Duration
		backend func(conn net.Conn)                             // goes on after the bytes sent
		client  func(conn net.Conn, r io.Reader, cancel func()) // goes on after the head
		want    func(error) bool
	}{
		{
			name: "backend service ends", backend: func(conn net.Conn) { _ = conn.Close() },
			want: func(err error) bool {
				return errors.Is(err, message.ErrTruncated) && failed(message.BackendAborted)(err)
			},
		},
		{
			name: "backend service rests", options: message.TransportOptions{IdleTimeout: 100 * time.Millisecond},
			want: failed(message.BackendTimeout),
		},
		{
			name: "client leaves", backend: func(conn net.Conn) { _, _ = conn.Write(make([]byte, size-sent)) },
			client: func(conn net.Conn, _ io.Reader, _ func()) { _ = conn.Close() },
			want:   func(err error) bool { return errors.Is(err, message.ErrClientGone) },
		},
		{
			name: "client takes nothing", timeout: 100 * time.Millisecond,
			backend: func(conn net.Conn) { _, _ = conn.Write(make([]byte, size-sent)) },
			client:  func(net.Conn, io.Reader, func()) {},
			want:    func(err error) bool { return errors.Is(err, message.ErrClientGone) },
		},
		{
			name: "canceled",
			client: func(_ net.Conn, r io.Reader, cancel func()) {
				_, _ = io.CopyN(io.Discard, r, sent)
				cancel()
			},
			want: failed(message.BackendCanceled),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			origin := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				defer close(ended)
				readRequest(r)
				say(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
				_, _ = conn.Write(make([]byte, sent))
				if c.backend != nil {
					c.backend(conn)
				}
				_, _ = r.ReadByte() // the end of the connection
			})
			client, results := newClient(t), make(chan message.Result, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			front := &http1.Server{Limits: http1.Limits{WriteTimeout: c.timeout}, Handler: message.HandlerFunc(func(x message.Exchange) {
				x.OnFinish(func(r message.Result) { results <- r })
				r := x.Request()
				r.URL.Scheme, r.URL.Host, r.URL.Port = origin.Scheme, origin.Host, origin.Port
				if resp, err := client.RoundTrip(ctx, r, c.options); err == nil {
					_ = x.Respond(resp)
				}
			})}
			conn, reader := connect(t, startServer(t, front))
			say(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			readRequest(reader)
			if c.client != nil {
				c.client(conn, reader, cancel)
			} else if n, err := io.Copy(io.Discard, reader); n != sent {
				t.Errorf("%d bytes arrived, %v", n, err)
			}
			if r := receiveResult(t, results); !c.want(r.Err) || r.FirstByte.IsZero() {
				t.Errorf("result %+v", r)
			}
			select {
			case <-ended:
			case <-time.After(time.Minute):
				t.Error("the connection to the backend service stays open")
			}
		})
	}
}

// TestSpliceRefused has a system that does not let bytes go through pipes: they are copied, both ways.
func TestSpliceRefused(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	origin := target(t, startServer(t, &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		_ = x.Respond(&message.Response{Status: 200, Body: r.Body, ContentLength: r.ContentLength})
	})}))
	client := newClient(t)
	front := &http1.Server{Handler: &proxy{origin, client}}
	conn, reader := connect(t, startServer(t, front))
	data := noise(size)
	for range 50 {
		if err := errors.Join(front.SpoilPipes(), client.SpoilPipes()); err != nil {
			t.Fatal(err)
		}
		go func() {
			say(conn, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size)
			_, _ = conn.Write(data)
		}()
		readRequest(reader)
		if got, err := io.ReadAll(io.LimitReader(reader, size)); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d other bytes, %v", len(got), err)
		}
		if front.PipesUnfit() && client.PipesUnfit() {
			return
		}
	}
	t.Error("they go on with pipes")
}
