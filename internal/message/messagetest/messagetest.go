// Package messagetest checks protocol engines against the contract of package message.
package messagetest

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// Engine is what the suite tests: a server and a transport that talk to each other.
type Engine struct {
	// Serve serves h until the test ends and returns where.
	Serve func(t *testing.T, h message.Handler) message.URL
	// Transport returns a transport that is closed when the test ends.
	Transport func(t *testing.T) message.Transport
	// LowerNames says that the protocol sends field names in small letters.
	LowerNames bool
	// SortsNames says that fields with different names may come in another order.
	SortsNames bool
	// ResetsOvertake says that of an answer that breaks off not even the head may arrive.
	ResetsOvertake bool
	// HTTP1 says that the server speaks HTTP/1.1 in the clear, so that its bytes are tested too.
	HTTP1 bool
}

// Run runs the suite.
func Run(t *testing.T, e Engine) {
	tests := []struct {
		name string
		run  func(*testing.T, Engine)
	}{
		{"header", testHeader}, {"trailers", testTrailers}, {"informational", testInformational}, {"bodies", testBodies}, {"memory", testMemory},
		{"no body", testNoBody}, {"invalid fields", testInvalidFields}, {"answers", testAnswers}, {"panic", testPanic},
		{"response back-pressure", testResponseBackPressure}, {"request back-pressure", testRequestBackPressure},
		{"duplex", testDuplex}, {"early answer", testEarlyAnswer}, {"client gone", testClientGone}, {"derived contexts", testDerivedContexts},
		{"finish", testFinish}, {"abort response", testAbortResponse}, {"abort request", testAbortRequest}, {"fail before first byte", testFailFirst}, {"head first", testHeadFirst},
		{"reuse", testReuse}, {"unread request", testUnreadRequest}, {"concurrency", testConcurrency},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, e)
		})
	}
	if e.HTTP1 {
		runWire(t, e)
	}
}

// patience bounds every wait of the suite; it passes only when a test fails.
const patience = time.Minute

// within returns a context that ends when the test has taken too long.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// receive returns the next value of a channel.
func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited too long for %s", what)
		panic("unreachable")
	}
}

// get is a plain request for a path.
func get(to message.URL, path string) *message.Request {
	return request("GET", to, path)
}

func request(method string, to message.URL, path string) *message.Request {
	to.Path = path
	return &message.Request{Method: method, URL: to}
}

// send does a round trip that must work.
func send(t *testing.T, tr message.Transport, r *message.Request) *message.Response {
	t.Helper()
	resp, err := tr.RoundTrip(within(t), r, message.TransportOptions{})
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return resp
}

// readAll reads a body that must be complete.
func readAll(t *testing.T, body message.Body) string {
	t.Helper()
	data, err := message.ReadAll(body, 64<<20, -1)
	if err != nil {
		t.Fatalf("body: %v", err)
	}
	return string(data)
}

// answer is a small response.
func answer(status int, body string) *message.Response {
	return &message.Response{Status: status, Body: message.StringBody(body), ContentLength: int64(len(body))}
}

// wantErr fails the test unless err is target.
func wantErr(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("error %v, want %v", err, target)
	}
}

// wantKind fails the test unless err is a backend error of the kind.
func wantKind(t *testing.T, err error, kind message.BackendErrorKind) {
	t.Helper()
	var failure *message.BackendError
	if !errors.As(err, &failure) || failure.Kind != kind {
		t.Errorf("error %v, want kind %v", err, kind)
	}
}

// pattern is a body of size bytes that are all different enough, given out in pieces of at most step bytes. It counts what was pulled.
type pattern struct {
	size, step int
	failAt     int // fails at this offset if positive or, with fail set, zero
	fail       error
	failAfter  <-chan struct{} // it waits for a value before; nil: it does not

	mu     sync.Mutex
	offset int
	closed bool
	over   chan struct{} // closed when more than bound bytes were pulled
	bound  int
}

func (p *pattern) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return 0, message.ErrBodyClosed
	case p.fail != nil && p.offset >= p.failAt:
		if p.failAfter != nil {
			<-p.failAfter
		}
		return 0, p.fail
	case p.offset == p.size:
		return 0, io.EOF
	}
	n := min(len(b), p.size-p.offset)
	if p.step > 0 {
		n = min(n, p.step)
	}
	for i := range n {
		b[i] = patternByte(p.offset + i)
	}
	p.offset += n
	if p.over != nil && p.offset > p.bound {
		close(p.over)
		p.over = nil
	}
	return n, nil
}

func patternByte(i int) byte { return byte(i ^ i>>8 ^ i>>16) }

func (p *pattern) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

func (p *pattern) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// checkPattern reads a body to its end and compares it.
func checkPattern(body message.Body, size int) error {
	buf, offset := make([]byte, 10_000), 0
	for {
		n, err := body.Read(buf)
		for i, c := range buf[:n] {
			if c != patternByte(offset+i) {
				return errors.New("wrong byte at " + strconv.Itoa(offset+i))
			}
		}
		offset += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if offset != size {
		return errors.New(strconv.Itoa(offset) + " bytes, want " + strconv.Itoa(size))
	}
	return nil
}

// pipeBody is one end of a pipe as a body.
type pipeBody struct{ *io.PipeReader }

// address is where a URL connects to.
func address(u message.URL) string { return net.JoinHostPort(u.Host, strconv.Itoa(u.EffectivePort())) }
