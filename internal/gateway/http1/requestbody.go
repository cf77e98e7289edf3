package http1

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/causeway-apim/causeway/internal/message"
)

// requestBody is the body of one request: whoever still holds it after the finish finds it closed. One goroutine reads it, any may close it.
type requestBody struct {
	x         *exchange
	reading   sync.Mutex // held during Read
	reader    bodyReader
	closed    atomic.Bool
	expected  bool        // the client waits for 100 Continue
	continued atomic.Bool // it has been sent
	broken    atomic.Bool // reading has failed: what follows on the connection has no meaning
}

// newBody returns the body of the request whose head has been parsed.
func (x *exchange) newBody() *requestBody {
	limits := &x.c.server.limits
	b := &requestBody{x: x, expected: x.framing.expect}
	b.reader = bodyReader{in: &x.c.in, wait: limits.BodyTimeout, minRate: limits.BodyRate, trailer: &x.req.Trailer}
	x.framing.requestBody(&b.reader)
	return b
}

// waiting says whether the client may still wait for 100 Continue, so that nobody knows whether the body will come.
func (b *requestBody) waiting() bool {
	return b.expected && !b.continued.Load()
}

// Read implements [message.Body].
func (b *requestBody) Read(p []byte) (int, error) { return b.take(p, nil) }

// take reads into p or, when there is one, into a pipe.
func (b *requestBody) take(p []byte, into *pipe) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.closed.Load() {
		return 0, message.ErrBodyClosed
	}
	if b.waiting() {
		if err := b.sendContinue(); err != nil {
			return 0, err
		}
	}
	n, err := b.reader.take(p, into)
	if err == nil || err == errUnspliced {
		return n, err
	}
	if b.reader.ended() && errors.Is(err, io.EOF) {
		b.x.c.gone.allow(b.x.ctx)
		return n, err
	}
	if err != errAborted {
		b.broken.Store(true)
	}
	err = requestReadError(err)
	if errors.Is(err, message.ErrClientGone) {
		b.x.ctx.End(message.ErrClientGone)
	}
	return n, err
}

// sendContinue tells the client to send the body (RFC 9110, 10.1.1).
func (b *requestBody) sendContinue() error {
	x := b.x
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.answered {
		return message.ErrBodyClosed
	}
	if b.continued.Swap(true) || b.x.c.in.buffered() > 0 {
		return nil // the client has not waited
	}
	return x.sendInterim(100, nil)
}

// Close implements [message.Body]. The connection's goroutine deals with the rest.
func (b *requestBody) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	if b.reading.TryLock() {
		b.reading.Unlock()
	} else {
		b.reader.in.limit.abort()
	}
	return nil
}

// Buffered implements [message.Buffered].
func (b *requestBody) Buffered() int {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.closed.Load() || b.waiting() {
		return 0
	}
	return b.reader.ready()
}

// shut makes later reads fail and waits until nobody reads.
func (b *requestBody) shut() {
	_ = b.Close()
	b.reading.Lock()
	//lint:ignore SA2001 the lock is taken to wait for the reader
	b.reading.Unlock()
	b.reader.in.limit.clear()
}
