package causewaytest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Field is one header or trailer line, as it stood on the wire.
type Field struct {
	Name, Value string
}

// Request is what a [Backend] was sent: nothing normalised, nothing sorted.
type Request struct {
	Method, Target, Proto string
	Header                []Field
	Body                  []byte
	Trailer               []Field
	// Cut says that the connection ended before the body did.
	Cut bool
	// Conn numbers the connection it came over, from 1: two requests with one number shared it.
	Conn int
}

// Values returns the values of all lines of a header, in order.
func (r Request) Values(name string) []string {
	var values []string
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// Head returns the request line and the header lines, with \n between them.
func (r Request) Head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\n", r.Method, r.Target, r.Proto)
	for _, f := range r.Header {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	return b.String()
}

// Answer is what a [Backend] sends for a request. The zero value is 200 with an empty body.
type Answer struct {
	Status int // 200 when zero
	Reason string
	Header []Field
	// Body is sent with its length; Chunks are sent chunk by chunk and flushed. One of them is set.
	Body   string
	Chunks []string
	// Trailer follows Chunks.
	Trailer []Field
	// Echo sends the request's head and body back as a text body.
	Echo bool
	// Early are statuses of interim responses sent first, such as 103.
	Early []int
	// Delay passes before the first byte, ChunkDelay before every chunk but the first.
	Delay, ChunkDelay time.Duration
	// Cut ends the connection early.
	Cut Cut
}

// Cut says where an answer breaks off.
type Cut string

// The places where an answer may break off.
const (
	CutNever      Cut = ""       // it is sent whole
	CutBeforeHead Cut = "head"   // nothing is sent
	CutInBody     Cut = "body"   // half of the body (or all chunks without the end of the body) is sent
	CutConnection Cut = "closes" // it is sent whole, and the connection is closed without a word about it
)

// Backend is an HTTP/1.1 server with a script. It writes and reads the protocol itself, so that tests see what a
// gateway sends byte by byte and can answer what no HTTP library would.
//
// The answers are given in order and the last one is repeated. Without any it answers 200 with the body "backend".
type Backend struct {
	listener net.Listener
	ctx      context.Context
	cancel   context.CancelFunc
	done     sync.WaitGroup

	mu       sync.Mutex
	answers  []Answer
	handle   func(Request) Answer
	requests []Request
	conns    map[net.Conn]bool
	accepted int
	changed  chan struct{} // closed and replaced at every request
}

// NewBackend starts a backend on a free port of 127.0.0.1 and stops it when the test ends.
func NewBackend(tb testing.TB, answers ...Answer) *Backend {
	tb.Helper()
	b, err := StartBackend(answers...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(b.Close)
	return b
}

// StartBackend starts a backend on a free port of 127.0.0.1; whoever starts it closes it.
func StartBackend(answers ...Answer) (*Backend, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a backend: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := &Backend{
		listener: listener, ctx: ctx, cancel: cancel, answers: answers,
		conns: map[net.Conn]bool{}, changed: make(chan struct{}),
	}
	b.done.Go(b.accept)
	return b, nil
}

// Addr returns the backend's host and port.
func (b *Backend) Addr() string { return b.listener.Addr().String() }

// URL returns the backend's base URL, without a slash at its end.
func (b *Backend) URL() string { return "http://" + b.Addr() }

// Answer replaces the script.
func (b *Backend) Answer(answers ...Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers, b.handle = answers, nil
}

// Handle replaces the script by a function, which may be called by several connections at once.
func (b *Backend) Handle(handle func(Request) Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handle = handle
}

// Requests returns what the backend was sent since it started or was [Backend.Reset], in the order in which the
// requests were complete.
func (b *Backend) Requests() []Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Reset forgets the requests so far.
func (b *Backend) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = nil
}

// Connections returns how many connections the backend has accepted.
func (b *Backend) Connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.accepted
}

// Wait waits until the backend has got n requests and returns them.
func (b *Backend) Wait(ctx context.Context, n int) ([]Request, error) {
	for {
		b.mu.Lock()
		requests, changed := slices.Clone(b.requests), b.changed
		b.mu.Unlock()
		if len(requests) >= n {
			return requests, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return requests, fmt.Errorf("waiting for %d requests, got %d: %w", n, len(requests), ctx.Err())
		}
	}
}

// Close ends the backend and its connections.
func (b *Backend) Close() {
	b.cancel()
	b.listener.Close()
	b.mu.Lock()
	for conn := range b.conns {
		conn.Close()
	}
	b.mu.Unlock()
	b.done.Wait()
}

func (b *Backend) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		if b.ctx.Err() != nil {
			b.mu.Unlock()
			conn.Close()
			return
		}
		b.accepted++
		number := b.accepted
		b.conns[conn] = true
		b.mu.Unlock()
		b.done.Go(func() {
			b.serve(conn, number)
			conn.Close()
			b.mu.Lock()
			delete(b.conns, conn)
			b.mu.Unlock()
		})
	}
}

// serve answers the requests of one connection.
func (b *Backend) serve(conn net.Conn, number int) {
	r := bufio.NewReader(conn)
	for {
		req, err := readRequest(r, conn)
		if req.Method == "" {
			return // the connection ended between two requests
		}
		req.Conn, req.Cut = number, err != nil
		answer := b.record(req)
		if err != nil || b.write(conn, req, answer) != nil || answer.Cut != CutNever || closes(req.Header) || closes(answer.Header) {
			return
		}
	}
}

// record keeps a request and returns its answer.
func (b *Backend) record(req Request) Answer {
	b.mu.Lock()
	b.requests = append(b.requests, req)
	close(b.changed)
	b.changed = make(chan struct{})
	handle := b.handle
	answer := Answer{Body: "backend"}
	if len(b.answers) > 0 {
		answer = b.answers[0]
	}
	if len(b.answers) > 1 {
		b.answers = b.answers[1:]
	}
	b.mu.Unlock()
	if handle != nil {
		return handle(req)
	}
	return answer
}

// pause waits unless the backend is closed meanwhile.
func (b *Backend) pause(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-b.ctx.Done():
		return errors.New("the backend was closed")
	}
}

// closes reports whether a header asks for the end of the connection.
func closes(header []Field) bool {
	return slices.ContainsFunc(header, func(f Field) bool {
		return strings.EqualFold(f.Name, "Connection") && strings.Contains(strings.ToLower(f.Value), "close")
	})
}
