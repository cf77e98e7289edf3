package http2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/message"
)

// exchange implements [message.Exchange] for one stream.
type exchange struct {
	stream
	c      *conn
	ctx    message.ExchangeContext
	req    message.Request
	header *message.Header // pooled; req.Header is its copy
	body   requestBody
	finish []func(message.Result)
	result message.Result
	owner  message.Releaser

	expected  bool        // the client waits for 100 Continue
	grpc      bool        // a call of gRPC, whose streams may rest
	answered  bool        // a final head has been sent, or is about to be
	continued atomic.Bool // 100 has been sent
	fields    [4]func(message.Result)
}

var _ message.Exchange = (*exchange)(nil)

func newExchange(c *conn, received time.Time) *exchange {
	x, _ := c.server.exchanges.Get().(*exchange)
	if x == nil {
		x = new(exchange)
	}
	x.c = c
	x.header, _ = c.server.headers.Get().(*message.Header)
	if x.header == nil {
		x.header = new(message.Header)
	}
	x.req = message.Request{Header: *x.header, RemoteAddr: c.remote, LocalAddr: c.local, TLS: c.tls, Received: received, Proto: "HTTP/2.0"}
	x.finish = x.fields[:0]
	x.init(c.link)
	x.failed = x.lost
	return x
}

// reuse gives the exchange back when its handler has returned, unless somebody may still hold a part of it.
func (x *exchange) reuse() {
	if x.body.x != nil || x.err != nil || x.result.Err != nil || x.ctx.Held() {
		return
	}
	server := x.c.server
	*x = exchange{}
	server.exchanges.Put(x)
}

// recycle gives the header's memory back.
func (x *exchange) recycle() {
	x.req.Header.Reset()
	*x.header = x.req.Header
	x.req.Header = message.Header{}
	x.c.server.headers.Put(x.header)
}

// lost ends the context when the client has gone. Watchers may have locks of their own: they are told from another goroutine.
func (x *exchange) lost(err error) {
	if reset, ok := err.(*resetError); ok && reset.own && reset.code != h2.ErrCodeProtocol {
		return
	}
	go x.ctx.End(message.ErrClientGone)
}

// run serves the exchange in a goroutine of its own.
func (x *exchange) run() {
	c, l := x.c, x.link
	defer c.handlers.Done()
	panicked := x.handle()
	l.mu.Lock()
	answered, gone := x.answered, x.err
	l.mu.Unlock()
	if !answered {
		why := message.ErrNotAnswered
		if panicked {
			why = errPanicked
		}
		if gone != nil {
			why = message.ClientGone(gone)
		} else {
			_ = x.Respond(&message.Response{Status: 500}) // the reason why there was no answer matters more
		}
		x.result.Err = why
	}
	l.mu.Lock()
	x.closeRead()
	if !x.over {
		code := h2.ErrCodeNo // the answer is complete: the client need not send the rest (RFC 9113, 8.1)
		if !x.outEnded {
			code = h2.ErrCodeInternal
		}
		x.stream.reset(code)
		l.flush()
	}
	x.result.BytesIn, x.result.BytesOut = x.bytesIn, x.bytesOut
	l.mu.Unlock()
	x.settle()
	l.mu.Lock()
	c.running--
	c.checkDrained()
	l.mu.Unlock()
	x.reuse()
}

// handle runs the handler and keeps its panic from ending the process.
func (x *exchange) handle() (panicked bool) {
	defer func() {
		if v := recover(); v != nil {
			panicked = true
			if f := x.c.server.Hooks.Panicked; f != nil {
				f(v, debug.Stack())
			}
		}
	}()
	x.c.server.Handler.Serve(x)
	return false
}

var errPanicked = errors.New("handler panicked")

// settle ends the context and reports the result.
func (x *exchange) settle() {
	if x.result.Done.IsZero() {
		x.result.Done = x.c.server.Now()
	}
	x.ctx.End(message.ErrFinished)
	for _, f := range x.finish {
		f(x.result)
	}
	if x.owner != nil {
		x.owner.Release()
	}
	x.recycle()
}

// Context implements [message.Exchange].
func (x *exchange) Context() context.Context { return &x.ctx }

// Request implements [message.Exchange].
func (x *exchange) Request() *message.Request { return &x.req }

// OnFinish implements [message.Exchange].
func (x *exchange) OnFinish(f func(message.Result)) { x.finish = append(x.finish, f) }

// Upgrade implements [message.Exchange]: HTTP/2 has none (RFC 9113, 8.6).
func (x *exchange) Upgrade(*message.Response) (net.Conn, error) {
	return nil, fmt.Errorf("http/2 has no upgrade: %w", errors.ErrUnsupported)
}

// Informational implements [message.Exchange].
func (x *exchange) Informational(status int, h *message.Header) error {
	if status < 100 || status > 199 || status == 101 {
		return fmt.Errorf("status %d is not interim", status)
	}
	if h != nil {
		if err := h.Validate(); err != nil {
			return err
		}
	}
	l := x.link
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case x.answered:
		return message.ErrAnswered
	case x.err != nil:
		return message.ClientGone(x.err)
	case status == 100 && x.continued.Swap(true):
		return nil
	}
	l.put(":status", statusText(status))
	if h != nil {
		l.putHeader(h)
	}
	x.sendHead(false)
	l.flush()
	return nil
}

// requestBody is the body of a request. One goroutine reads it, any may close it.
type requestBody struct{ x *exchange }

// Read implements [message.Body].
func (b *requestBody) Read(p []byte) (int, error) {
	x := b.x
	if x.expected && !x.continued.Load() {
		if err := x.Informational(100, nil); errors.Is(err, message.ErrAnswered) {
			return 0, message.ErrBodyClosed
		}
	}
	wait := x.c.server.limits.BodyTimeout
	if x.grpc {
		wait = 0
	}
	n, err := x.read(p, wait, &x.req.Trailer)
	if err != nil && err != io.EOF {
		err = requestError(err)
	}
	return n, err
}

// Close implements [message.Body].
func (b *requestBody) Close() error {
	l := b.x.link
	l.mu.Lock()
	defer l.mu.Unlock()
	b.x.closeRead()
	return nil
}

// Buffered implements [message.Buffered].
func (b *requestBody) Buffered() int {
	l := b.x.link
	l.mu.Lock()
	defer l.mu.Unlock()
	return b.x.received.len()
}

// statusText renders a status; usual ones are constants.
func statusText(status int) string {
	switch status {
	case 200:
		return "200"
	case 204:
		return "204"
	case 304:
		return "304"
	}
	return strconv.Itoa(status)
}
