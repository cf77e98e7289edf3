package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// callBlock is the buffer for a response's head and the first part of its body.
const callBlock = 20 << 10

// call is one request on a connection to a backend service. It is the body of the response and the owner of its strings.
type call struct {
	client   *Client
	conn     *clientConn
	request  *message.Request
	options  message.TransportOptions
	in       input
	out      output
	framing  framing
	response message.Response
	reader   bodyReader
	waiting  message.Registration
	sender   *sender // streams the request body; nil when it was sent at once
	sent     int64   // bytes, when sender is nil
	asked    bool    // the request was written and the answer waited for, up to askWait; the limit of its head is not set yet
	held     bool    // the body waits until the backend service asks for it

	reading  sync.Mutex // held during Read
	closing  atomic.Bool
	canceled atomic.Bool // the caller's context ended
	ctx      context.Context
	over     bool // the connection has been given back or closed
	reusable bool
	shared   bool // ContextDone may still use the call: it is left to the garbage collector
}

func (c *Client) newCall(conn *clientConn, r *message.Request, o message.TransportOptions) *call {
	x, ok := c.calls.Get().(*call)
	if !ok {
		x = &call{client: c}
		x.in.blocks, x.out.blocks = &c.blocks, &c.blocks
		x.reader.in = &x.in
		x.reader.trailer = &x.response.Trailer
	}
	x.conn, x.request, x.options = conn, r, o
	x.in.conn, x.in.limit.conn, x.in.limit.at = conn.Conn, conn.Conn, conn.deadline
	x.out.conn, x.out.written = conn.Conn, 0
	x.reader.wait = o.IdleTimeout
	return x
}

// ContextDone implements [message.Watcher]: it wakes whoever reads or writes.
func (x *call) ContextDone() {
	x.canceled.Store(true)
	_ = x.conn.SetDeadline(longAgo.time()) // fails on closed connections only
	x.in.limit.abort()
}

// do sends the request and reads the response's head. After a failure free says that nobody uses the request any more.
func (x *call) do(ctx context.Context) (response *message.Response, failure *message.BackendError, free bool) {
	x.ctx = ctx
	var ok bool
	if x.waiting, ok = message.Await(ctx, x); !ok {
		x.waiting = message.Registration{}
		x.canceled.Store(true)
		return x.fail(context.Cause(ctx))
	}
	if err := x.send(); err != nil {
		return x.fail(err)
	}
	if err := x.receive(); err != nil {
		return x.fail(err)
	}
	return &x.response, nil, true
}

// send writes the head and as much of the body as needs no waiting; the rest goes on beside the response.
func (x *call) send() error {
	r, out := x.request, &x.out
	out.hold(blockSizes[0])
	s := x.plan()
	b := append(append(out.buf, r.Method...), ' ')
	proxied := x.conn.pool.at.isAbsolute()
	if proxied {
		b = r.URL.AppendAuthority(append(b, "http://"...))
	}
	switch {
	case r.URL.Path != "*":
		b = r.URL.AppendTarget(b)
	case !proxied: // RFC 9112, 3.2.4: in absolute form it is a URL without path
		b = append(b, '*')
	}
	b = append(b, " "+proto11+"\r\n"...)
	if proxied {
		b = x.conn.appendAuthorization(b)
	}
	if !r.Header.Has("Host") {
		b = append(r.URL.AppendAuthority(append(b, "Host: "...)), "\r\n"...)
	}
	b, _, err := appendFields(b, &r.Header, s)
	if err != nil {
		out.empty()
		return err
	}
	out.buf = append(b, "\r\n"...)
	defer func() {
		if x.sender == nil {
			out.drop()
		}
	}()
	switch {
	case r.Body == nil:
		err = x.ask()
	case x.options.ContinueTimeout > 0 && message.EqualName(r.Header.Get("Expect"), "100-continue"):
		x.held = true
		err = out.flush()
	case s.mode == sendLength && x.atHand(s.length):
		if err = out.gather(r.Body, s.length); err == nil {
			err = x.ask()
		}
		_ = r.Body.Close()
	default:
		x.startSender(s)
		return nil
	}
	x.sent = out.written
	if err != nil && out.written > 0 && sourceOf(err) == nil {
		return nil // the answer may be there already: reading tells
	}
	return err
}

// askWait is how long a request waits for its answer at first. Then the connection is read from, whatever the poller says.
const askWait = time.Second

// ask writes a request that is gathered. Where the connection can and the time limit allows it, it waits for the answer, which saves a vain read.
func (x *call) ask() error {
	conn, ok := x.conn.Conn.(asker)
	if !ok || x.options.HeaderTimeout <= askWait || x.in.limit.armNear(x.conn.taken.plus(askWait), askWait/8) != nil {
		return x.out.flush()
	}
	x.asked = true
	return x.out.ask(conn)
}

// atHand says whether a body of the length can be written in one go.
func (x *call) atHand(length int64) bool {
	if memory, ok := x.request.Body.(message.Memory); ok {
		return int64(len(memory.Rest())) <= streamSize
	}
	buffered, ok := x.request.Body.(message.Buffered)
	return ok && int64(buffered.Buffered()) >= length
}

// plan chooses the framing of the request.
func (x *call) plan() (s sending) {
	r := x.request
	switch {
	case r.Body != nil && (r.ContentLength < 0 || r.Trailer.Len() > 0):
		s.mode = sendChunked
	case r.Body != nil:
		s = sending{mode: sendLength, length: r.ContentLength}
	case r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH":
		s.mode = sendLength // RFC 9110, 8.6: methods that expect content say that there is none
	}
	if r.Header.Has("Upgrade") {
		s.connection = "Upgrade"
	}
	return s
}

// receive reads heads until the final one.
func (x *call) receive() error {
	x.in.hold(callBlock)
	if err := x.awaitHead(); err != nil {
		return err
	}
	resp := &x.response
	for range maxHeads {
		if err := x.readHead(); err != nil {
			return err
		}
		switch {
		case resp.Status == 101:
			return x.switchProtocols()
		case resp.Status >= 200:
			if x.sender != nil {
				x.sender.answered()
			}
			x.open()
			return nil
		}
		if f := x.options.OnInformational; f != nil {
			f(resp.Status, &resp.Header)
		}
		asked := x.held && resp.Status == 100
		x.in.release()
		x.in.hold(callBlock)
		if asked {
			x.held = false
			x.startSender(x.plan())
		}
		if err := x.limitNext(asked); err != nil {
			return err
		}
	}
	return errTooManyHeads
}

// awaitHead sets the time limit of the head. A request that asked has waited for a part of it: if that has brought something, the limit waits too.
func (x *call) awaitHead() error {
	if x.held {
		return x.in.limit.arm(x.options.ContinueTimeout)
	}
	if !x.asked {
		return x.in.limit.armExactly(x.options.HeaderTimeout)
	}
	err := x.in.fill()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return x.limitRest()
	}
	return err
}

// limitRest sets the time limit of a head whose request has asked, unless that has happened.
func (x *call) limitRest() error {
	if !x.asked {
		return nil
	}
	x.asked = false
	return x.in.limit.armAt(x.conn.taken.plus(x.options.HeaderTimeout)) // which is later than askWait
}

// readHead reads and parses one head.
func (x *call) readHead() error {
	if x.in.buffered() == 0 {
		if err := x.in.fill(); err != nil {
			return err
		}
	}
	if x.parseAtOnce() {
		return nil
	}
	if err := x.limitRest(); err != nil {
		return err
	}
	head, err := x.in.head(x.client.HeaderBytes, 0)
	if err == nil {
		_, err = parseStatus(alias(head), x.emptyResponse(), &x.framing, x.client.HeaderFields)
	}
	return err
}

// parseAtOnce parses a head that has arrived as a whole, as nearly all do, without looking for its end first.
func (x *call) parseAtOnce() bool {
	text := x.in.unread()
	if text == "" {
		return false
	}
	size, err := parseStatus(text, x.emptyResponse(), &x.framing, x.client.HeaderFields)
	return err == nil && size <= x.client.HeaderBytes && x.in.takeHead(size)
}

// emptyResponse is the response without fields.
func (x *call) emptyResponse() *message.Response {
	x.response.Header.Reset()
	x.response.Trailer.Reset()
	return &x.response
}

// limitNext sets the time limit of the heads behind an interim one, if that came before it was set or was for less.
func (x *call) limitNext(anew bool) error {
	if !x.asked && !anew {
		return nil
	}
	x.asked = false
	return x.in.limit.arm(x.options.HeaderTimeout)
}

// maxHeads bounds the interim answers before the final one.
const maxHeads = 100

// open makes the response's body readable.
func (x *call) open() {
	resp := &x.response
	resp.ContentLength = x.framing.responseBody(&x.reader, x.request.Method, resp.Status)
	x.reusable = x.framing.persistent() && x.reader.state != bodyUntilClose
	if resp.Status == statusProxyAuth && x.conn.pool.at.isAbsolute() { // signing in belongs to the opening of a connection
		x.reusable = false
	}
	if x.held { // the backend service does without the body, but may wait for it
		x.reusable = false
		_ = x.request.Body.Close()
	}
	x.conn.bare = x.reader.ended() && x.framing.length != 0
	resp.Owner = x
	if x.reader.ended() {
		x.finish()
		return
	}
	resp.Body = x
}

// switchProtocols hands the connection over.
func (x *call) switchProtocols() error {
	if !x.request.Header.Has("Upgrade") || x.sender != nil || x.held {
		return errUnasked
	}
	if x.shared = !x.waiting.Cancel(); x.shared {
		return errAborted
	}
	_ = x.conn.SetDeadline(time.Time{}) // fails on closed connections only: their use says so
	x.response.Tunnel = &backendTunnel{tunnel: newTunnel(x.conn.Conn, &x.in), conn: x.conn}
	x.response.Owner = x
	x.over = true
	return nil
}

// backendTunnel leaves the pool when it is closed.
type backendTunnel struct {
	*tunnel
	conn *clientConn
	once sync.Once
}

// Close implements [io.Closer].
func (t *backendTunnel) Close() error {
	t.once.Do(func() { t.conn.pool.discard(t.conn) })
	return nil
}

var (
	errUnasked      = errors.New("101 was not asked for")
	errTooManyHeads = errors.New("too many interim answers")
)

// Read implements [message.Body].
func (x *call) Read(p []byte) (int, error) { return x.take(p, nil) }

// take reads into p or, when there is one, into a pipe.
func (x *call) take(p []byte, into *pipe) (int, error) {
	x.reading.Lock()
	defer x.reading.Unlock()
	if x.over {
		if x.reader.ended() {
			return 0, io.EOF
		}
		return 0, message.ErrBodyClosed
	}
	untilClose := x.reader.state == bodyUntilClose
	n, err := x.reader.take(p, into)
	if untilClose && err == io.EOF && x.sender != nil && errors.Is(x.sender.failure(), syscall.ECONNRESET) {
		// The system tells of a reset once, and has told the sender.
		x.reader.state, err = bodyUntilClose, message.ErrTruncated
	}
	switch {
	case err == nil || err == errUnspliced:
		return n, err
	case err == io.EOF:
		x.finish()
		return n, io.EOF
	}
	failure := x.classify(err)
	x.reusable = false
	x.finish()
	return n, failure
}

// Buffered implements [message.Buffered].
func (x *call) Buffered() int {
	x.reading.Lock()
	defer x.reading.Unlock()
	if x.over {
		return 0
	}
	return x.reader.ready()
}

// Close implements [message.Body].
func (x *call) Close() error {
	if x.closing.Swap(true) {
		return nil
	}
	if !x.reading.TryLock() {
		x.in.limit.abort() // Read finds out and ends the call
		return nil
	}
	defer x.reading.Unlock()
	if !x.reader.ended() && !x.reader.skip() {
		x.reusable = false
	}
	x.finish()
	return nil
}

// finish ends the use of the connection.
func (x *call) finish() {
	if x.over {
		return
	}
	x.over = true
	x.shared = !x.waiting.Cancel() || x.shared
	x.reusable = x.reusable && !x.shared && x.in.buffered() == 0
	x.conn.deadline = x.in.limit.current()
	if x.sender == nil {
		x.conn.giveBack(x.reusable)
	} else {
		x.sender.leave(x.reusable)
	}
}

// fail ends a call without a response and says why.
func (x *call) fail(err error) (_ *message.Response, failure *message.BackendError, free bool) {
	failure = x.classify(err)
	x.reusable = false
	x.finish()
	free = x.sender == nil || x.sender.hasEnded()
	x.recycle()
	return nil, failure, free
}

// bytesSent is what of the request has left.
func (x *call) bytesSent() int64 {
	if x.sender != nil {
		return x.sender.sent.Load()
	}
	return x.sent
}

// classify turns an error of the connection into one that says what it means.
func (x *call) classify(err error) *message.BackendError {
	failure := &message.BackendError{BytesSent: x.bytesSent(), Answered: x.in.consumed > 0 || x.in.buffered() > 0, Err: err}
	var refused *refusal
	var invalid *message.InvalidFieldError
	source := sourceOf(err)
	if x.sender != nil && source == nil {
		source = sourceOf(x.sender.failure())
	}
	switch {
	case x.canceled.Load():
		failure.Kind, failure.Err = message.BackendCanceled, context.Cause(x.ctx)
	case source != nil:
		failure.Kind, failure.Err = message.RequestBodyFailed, source
	case errors.As(err, &invalid):
		failure.Kind = message.RequestInvalid
	case x.closing.Load():
		failure.Kind, failure.Err = message.BackendCanceled, message.ErrBodyClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		failure.Kind, failure.Err = message.BackendTimeout, fmt.Errorf("waiting for the backend service: %w", os.ErrDeadlineExceeded)
	case errors.As(err, &refused), errors.Is(err, errHeadTooLong), errors.Is(err, errBareLF), errors.Is(err, errUnasked),
		errors.Is(err, errTooManyHeads):
		failure.Kind, failure.Err = message.BackendProtocol, fmt.Errorf("%w: %w", message.ErrMalformed, err)
	default:
		failure.Kind = message.BackendAborted
	}
	return failure
}

// Release implements [message.Releaser].
func (x *call) Release() {
	_ = x.Close()
	x.recycle()
}

// recycle makes the call ready for another request, unless another goroutine may still use it.
func (x *call) recycle() {
	if x.shared || x.sender != nil && !x.sender.hasEnded() {
		return
	}
	if x.in.block != nil {
		x.in.release()
		x.in.drop()
	}
	x.out.drop()
	x.in.consumed = 0
	x.in.limit.clear()
	x.closing.Store(false)
	x.canceled.Store(false)
	x.conn, x.request, x.sender, x.ctx = nil, nil, nil, nil
	x.options = message.TransportOptions{}
	x.over, x.reusable, x.sent, x.asked, x.held = false, false, 0, false, false
	header, trailer := x.response.Header, x.response.Trailer
	header.Reset()
	trailer.Reset()
	x.response = message.Response{Header: header, Trailer: trailer}
	x.client.calls.Put(x)
}
