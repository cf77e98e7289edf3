package http2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/message"
)

// maxInterim bounds the interim answers before the final one.
const maxInterim = 100

// senderGrace is how long a sender may take to end after the response.
const senderGrace = time.Second

// call is one request to a backend service. It is the body of the response and the owner of its header.
type call struct {
	stream
	client   *Client
	conn     *clientConn
	request  *message.Request
	upload   message.Body // its body, which may be touched longer than the request itself
	options  message.TransportOptions
	response message.Response
	header   *message.Header // pooled; response.Header is its copy
	ctx      context.Context
	waiting  message.Registration

	// Guarded by the link's lock.
	opened   bool
	answered bool // the final head is there
	interim  []interim
	interims int
	canceled bool
	finished bool // nothing of the request may be touched any more
	body     error
	sending  chan struct{} // closed when the goroutine that sends the body has ended; nil when there is none
}

// interim is an interim answer that waits to be reported.
type interim struct {
	status int
	header message.Header
}

func newCall(c *Client, conn *clientConn, r *message.Request, body message.Body, o message.TransportOptions) *call {
	x := &call{client: c, conn: conn, request: r, upload: body, options: o}
	x.header, _ = c.headers.Get().(*message.Header)
	if x.header == nil {
		x.header = new(message.Header)
	}
	x.response.Header = *x.header
	x.init(conn.link)
	x.stream.call = x
	return x
}

// ContextDone implements [message.Watcher].
func (x *call) ContextDone() {
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.canceled = true
	if x.opened {
		x.reset(h2.ErrCodeCancel)
		x.link.flushLater()
	}
	x.fail(context.Canceled)
}

// do sends the request and waits for the response's head. After a failure free says that nobody uses the request any more.
func (x *call) do(ctx context.Context) (response *message.Response, failure *message.BackendError, free bool) {
	x.ctx = ctx
	var ok bool
	if x.waiting, ok = message.Await(ctx, x); !ok {
		x.waiting, x.canceled = message.Registration{}, true
		return x.giveUp(ctx.Err())
	}
	if err := x.send(); err != nil {
		return x.giveUp(err)
	}
	if err := x.awaitHead(); err != nil {
		return x.giveUp(err)
	}
	if x.response.Body == nil {
		x.finish() // the request is the caller's again
	}
	return &x.response, nil, true
}

// giveUp ends a call without a response.
func (x *call) giveUp(err error) (*message.Response, *message.BackendError, bool) {
	x.link.mu.Lock()
	failure := x.classify(err)
	x.link.mu.Unlock()
	x.finish()
	return nil, failure, x.sending == nil || x.awaitSender(senderGrace)
}

// awaitSender waits for the goroutine that sends the body, and says whether it has ended.
func (x *call) awaitSender(longest time.Duration) bool {
	select {
	case <-x.sending:
		return true
	default:
	}
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-x.sending:
		return true
	case <-timer.C:
		return false
	}
}

// send gathers the head and as much of the body as needs no waiting; the rest goes on beside the response.
func (x *call) send() error {
	r, body := x.request, x.upload
	o := sender{stream: &x.stream, begin: x.sendRequest, trailer: &r.Trailer, length: -1}
	if body != nil {
		o.length = r.ContentLength
	}
	x.link.mu.Lock()
	err := x.link.err
	if err == nil && x.conn.away {
		err = errAway
	}
	if err == nil {
		err = o.head(body == nil)
	}
	small := false
	if memory, ok := body.(message.Memory); ok && err == nil {
		size := int64(len(memory.Rest()))
		small = size <= min(streamSize, x.outWindow, x.link.window)
	}
	if err == nil && body == nil {
		x.link.flush()
	}
	x.link.mu.Unlock()
	switch {
	case err != nil || body == nil:
		return err
	case small:
		err = o.send(body)
		_ = body.Close()
		if source := sourceOf(err); source != nil {
			x.body = source
		}
		return err
	}
	x.sending = make(chan struct{})
	o.left = func() bool { return x.finished }
	o.progress = func() { x.extend() }
	go x.sendOn(o, body)
	return nil
}

// sendOn sends the body in a goroutine of its own.
func (x *call) sendOn(o sender, body message.Body) {
	defer close(x.sending)
	err := o.send(body)
	_ = body.Close()
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	if source := sourceOf(err); source != nil && !x.finished {
		x.body = source
		x.reset(h2.ErrCodeCancel)
		x.link.flush()
	} else if errors.Is(err, errStalled) && !x.answered {
		x.abandon(h2.ErrCodeCancel, errStalled)
		x.link.flush()
	}
	x.extend()
}

// extend gives the response's head its time from now on. The lock is held.
func (x *call) extend() {
	if !x.answered && !x.finished && x.options.HeaderTimeout > 0 {
		x.waitUntil(time.Now().Add(x.options.HeaderTimeout))
	}
}

// sendRequest opens the stream and gathers the head. The lock is held.
func (x *call) sendRequest(end bool) {
	l, c, r := x.link, x.conn, x.request
	c.reserved--
	x.opened = true
	x.open(c.next)
	c.next += 2
	l.put(":method", r.Method)
	if r.URL.Secure() {
		l.put(":scheme", "https")
	} else {
		l.put(":scheme", "http")
	}
	authority := r.Header.Get("Host")
	if authority == "" {
		authority = r.URL.Authority()
	}
	l.put(":authority", authority)
	l.put(":path", pathOf(&r.URL))
	l.putHeader(&r.Header)
	switch {
	case r.Body != nil && r.ContentLength >= 0:
		l.putLength(r.ContentLength)
	case r.Body == nil && (r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH"):
		l.putLength(0)
	}
	x.sendHead(end)
}

// pathOf is the request target, without copying when there is nothing to join.
func pathOf(u *message.URL) string {
	if u.RawQuery == "" && u.Path != "" {
		return u.Path
	}
	return string(u.AppendTarget(nil))
}

// awaitHead waits for the final head and reports interim answers.
func (x *call) awaitHead() error {
	l := x.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.sending == nil || x.readUntil.IsZero() {
		x.extend()
	}
	for {
		switch {
		case len(x.interim) > 0:
			next := x.interim[0]
			x.interim = x.interim[1:]
			if f := x.options.OnInformational; f != nil {
				l.mu.Unlock()
				f(next.status, &next.header)
				l.mu.Lock()
			}
			continue
		case x.answered:
			x.waitUntil(time.Time{})
			return nil
		case x.err != nil:
			return x.err
		case x.late():
			return errLate
		}
		x.readable.Wait()
	}
}

// gotAnswer takes a head and says whether it is well-formed. The lock is held.
func (x *call) gotAnswer(h *head) bool {
	if h.tooLarge || len(h.list) == 0 || h.list[0].Name != ":status" || len(h.list[0].Value) != 3 {
		return false
	}
	status, err := strconv.Atoi(h.list[0].Value)
	if err != nil || status < 100 || status == 101 || status < 200 && h.end {
		return false
	}
	into := &x.response.Header
	var early message.Header
	if status < 200 {
		into = &early
		if x.interims++; x.interims > maxInterim {
			return false
		}
	}
	x.bytesIn += int64(h.bytes)
	for _, f := range h.list[1:] {
		if !validReceived(f) {
			return false
		}
		switch kind := fieldKind(f.Name); {
		case kind == fieldConnection:
			return false
		case kind == fieldLength && status >= 200:
			n, ok := parseLength(f.Value)
			if !ok || x.length >= 0 {
				return false
			}
			x.length = n
		}
		into.Add(f.Name, f.Value)
	}
	if status < 200 {
		x.interim = append(x.interim, interim{status, early})
		x.readable.Broadcast()
		return true
	}
	return x.openBody(status, h.end)
}

// openBody makes the response ready. The lock is held.
func (x *call) openBody(status int, end bool) bool {
	resp := &x.response
	resp.Status, resp.ContentLength, resp.Owner = status, x.length, x
	bare := x.request.Method == "HEAD" || status == 304
	switch {
	case bare:
		x.length = 0
	case status == 204:
		resp.ContentLength = 0
	case end && x.length > 0:
		return false
	case end:
		resp.ContentLength = 0
	}
	x.answered = true
	if end {
		x.ended()
	} else {
		resp.Body = x
	}
	x.readable.Broadcast()
	return true
}

// Read implements [message.Body].
func (x *call) Read(p []byte) (int, error) {
	n, err := x.read(p, x.options.IdleTimeout, &x.response.Trailer)
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		x.finish()
		return n, err
	case errors.Is(err, message.ErrBodyClosed):
		return n, err
	}
	x.link.mu.Lock()
	failure := x.classify(err)
	x.link.mu.Unlock()
	x.finish()
	return n, failure
}

// Buffered implements [message.Buffered].
func (x *call) Buffered() int {
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	return x.received.len()
}

// Close implements [message.Body].
func (x *call) Close() error {
	x.finish()
	return nil
}

// finish ends the call: what is still open of the stream is given up.
func (x *call) finish() {
	l := x.link
	l.mu.Lock()
	if x.finished {
		l.mu.Unlock()
		return
	}
	x.finished = true
	if !x.opened {
		x.conn.reserved--
	} else if !x.over {
		x.reset(h2.ErrCodeCancel)
		l.flush()
	}
	x.closeRead()
	x.conn.checkRetired()
	l.mu.Unlock()
	x.waiting.Cancel()
	if x.sending == nil {
		return
	}
	select {
	case <-x.sending:
		return
	default:
	}
	_ = x.upload.Close()
	if _, again := x.upload.(message.Rewinder); again { // it must not take bytes from another pass
		x.awaitSender(senderGrace)
	}
}

// Release implements [message.Releaser].
func (x *call) Release() {
	x.finish()
	if x.header != nil {
		x.response.Header.Reset()
		*x.header = x.response.Header
		x.response.Header = message.Header{}
		x.client.headers.Put(x.header)
		x.header = nil
	}
}

// classify turns an error of the stream into one that says what it means. The lock is held.
func (x *call) classify(err error) *message.BackendError {
	failure := &message.BackendError{Kind: message.BackendAborted, BytesSent: x.bytesOut, Answered: x.answered || x.interims > 0, Err: err}
	var reset *resetError
	var broken *linkError
	isReset := errors.As(err, &reset)
	switch {
	case x.canceled:
		failure.Kind, failure.Err = message.BackendCanceled, context.Cause(x.ctx)
	case x.body != nil:
		failure.Kind, failure.Err = message.RequestBodyFailed, x.body
	case errors.Is(err, errLate), errors.Is(err, errStalled):
		failure.Kind, failure.Err = message.BackendTimeout, fmt.Errorf("waiting for the backend service: %w", os.ErrDeadlineExceeded)
	case errors.Is(err, errAway), isReset && !reset.own && reset.code == h2.ErrCodeRefusedStream:
		failure.BytesSent = 0 // it has not been looked at
	case isReset && reset.own, errors.As(err, &broken):
		failure.Kind, failure.Err = message.BackendProtocol, fmt.Errorf("%w: %w", message.ErrMalformed, err)
	}
	return failure
}
