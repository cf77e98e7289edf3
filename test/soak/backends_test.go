//go:build linux

package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"

	"github.com/causeway-apim/causeway/internal/porttest"
)

// newGood starts a backend service that never fails: whatever goes wrong with it is the gateway's fault.
func newGood(t *testing.T) (address string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // fails on other protocols only
		if r.ContentLength >= 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
		}
		w.Header().Set("X-Method", r.Method)
		_, _ = io.Copy(w, r.Body) // of clients that leave nobody reads on
	})
	mux.HandleFunc("/bytes/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		_, _ = io.CopyN(w, &pattern{}, int64(n))
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := range events {
			if _, err := fmt.Fprintf(w, "data: %d\n\n", i); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush() // the next write fails too
			<-tick.C
		}
	})
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(maxMessage)
		for {
			kind, data, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, data) != nil {
				return
			}
		}
	})
	server := &http.Server{Handler: mux}
	listener := listen(t, "127.0.0.1:0")
	go func() { _ = server.Serve(listener) }() // until Close
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

// maxMessage limits messages of WebSockets, in bytes.
const maxMessage = 1 << 20

// events is how many events a stream of them has.
const events = 30

// pattern is an endless stream of bytes that are easy to check.
type pattern struct{ offset int }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.offset ^ p.offset>>8 ^ p.offset>>16)
		p.offset++
	}
	return len(b), nil
}

// checkPattern reads n bytes of the pattern and the end.
func checkPattern(r io.Reader, n int) error {
	got, want, want0 := make([]byte, 32<<10), make([]byte, 32<<10), pattern{}
	for total := 0; ; {
		k, err := r.Read(got)
		_, _ = want0.Read(want[:k])
		if string(got[:k]) != string(want[:k]) {
			return fmt.Errorf("other bytes behind %d of %d", total, n)
		}
		total += k
		switch {
		case err == io.EOF && total == n:
			return nil
		case err == io.EOF:
			return fmt.Errorf("%d bytes of %d: %w", total, n, io.ErrUnexpectedEOF)
		case err != nil:
			return fmt.Errorf("%d bytes of %d: %w", total, n, err)
		}
	}
}

// bytesCodec sends messages of gRPC as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "bytes" }

func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// newEchoCalls starts a server of gRPC that sends each message back.
func newEchoCalls(t *testing.T) (address string) {
	t.Helper()
	server := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		for {
			var message []byte
			if err := stream.RecvMsg(&message); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := stream.SendMsg(&message); err != nil {
				return err
			}
		}
	}))
	listener := listen(t, "127.0.0.1:0")
	go func() { _ = server.Serve(listener) }() // until Stop
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// bad is a backend service that fails in every way it knows, and remembers whom it has failed.
type bad struct {
	address string

	mu     sync.Mutex
	conns  map[net.Conn]bool
	failed map[string]bool // by the X-Id of requests
	down   bool
	since  time.Time // when it went down or came up last
}

// backAgain is for how long after the return of a backend service its absence is still an excuse: a connection that was refused just before may be
// reported late on a busy machine.
const backAgain = 2 * time.Second

func newBad(t *testing.T) *bad {
	t.Helper()
	port, release, err := porttest.Keep()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	b := &bad{address: porttest.Address(port), conns: map[net.Conn]bool{}, failed: map[string]bool{}}
	listener := listen(t, b.address)
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { b.live(ctx, listener) })
	t.Cleanup(func() { cancel(); ended.Wait() })
	return b
}

// live has it die every now and then and come back on its port.
func (b *bad) live(ctx context.Context, listener net.Listener) {
	for ctx.Err() == nil {
		go b.accept(listener)
		pause(ctx, 8*time.Second)
		b.mu.Lock()
		b.down, b.since = true, time.Now()
		listener.Close()
		for c := range b.conns {
			c.Close()
		}
		b.mu.Unlock()
		pause(ctx, time.Second)
		for ctx.Err() == nil {
			var err error
			if listener, err = net.Listen("tcp", b.address); err == nil {
				break
			}
			pause(ctx, 50*time.Millisecond)
		}
		b.mu.Lock()
		b.down, b.since = false, time.Now()
		b.mu.Unlock()
	}
	listener.Close()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// excused says whether it may have failed a request that was sent at a time.
func (b *bad) excused(id string, sent time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	failed := b.failed[id]
	delete(b.failed, id)
	return failed || b.down || !b.since.IsZero() && sent.Before(b.since.Add(backAgain))
}

func (b *bad) accept(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns[c] = true
		b.mu.Unlock()
		go func() {
			b.serve(c)
			c.Close()
			b.mu.Lock()
			delete(b.conns, c)
			b.mu.Unlock()
		}()
	}
}

func (b *bad) serve(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		if !b.answer(c, req) {
			return
		}
	}
}

// answer answers in one of its ways and says whether the connection goes on.
func (b *bad) answer(c net.Conn, req *http.Request) bool {
	id := req.Header.Get("X-Id")
	body := badBody(id)
	whole := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if rand.N(2) == 0 {
		half := len(body) / 2
		whole = fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:])
	}
	fail := func(text string) bool {
		b.mu.Lock()
		b.failed[id] = true
		b.mu.Unlock()
		_, _ = io.WriteString(c, text) // nobody relies on it
		return false
	}
	switch rand.N(20) {
	case 0:
		return fail("")
	case 1:
		return fail(whole[:len(whole)/2])
	case 2:
		_ = c.(*net.TCPConn).SetLinger(0) // a reset
		return fail(whole[:20])
	case 3:
		return fail("HTTP/1.1 twohundred\r\n\r\n")
	case 4:
		return fail("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef")
	case 5: // it stalls for longer than the policy waits
		defer time.Sleep(3 * badTimeout)
		return fail("")
	case 6, 7: // it closes without a word, as it may
		_, _ = io.WriteString(c, whole)
		return false
	case 8:
		_, _ = io.WriteString(c, strings.Replace(whole, "\r\n", "\r\nConnection: close\r\n", 1))
		return false
	}
	_, err := io.WriteString(c, whole)
	return err == nil
}

// badBody is what it answers to a request, in full.
func badBody(id string) string { return strings.Repeat(id+" ", 1000) }
