package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// maxDiscard is how much of an unread request body is worth reading to keep a connection.
const maxDiscard = 256 << 10

// What a client still sends after its answer is read and thrown away: for so long where that keeps the connection, which clients take for granted, and
// for so long where it only keeps the answer from being lost.
const (
	patience      = 5 * time.Second
	lingeringTime = 2 * time.Second
)

// exchange implements [message.Exchange] for the requests of a connection, one after the other.
type exchange struct {
	c        *conn
	ctx      *message.ExchangeContext
	req      message.Request
	framing  framing
	body     *requestBody // nil when the request has none
	finish   []func(message.Result)
	result   message.Result
	inBefore int64
	outMark  int64           // bytes written before the final answer
	trailer  *message.Header // of the answer

	// writing guards the output and answered: interim answers may come from the goroutine that reads the body.
	writing  sync.Mutex
	answered bool // a final head has been gathered

	complete bool // the whole answer has been written
	keep     bool // the connection can take another request
	tunnel   bool
	untilEnd bool // the end of the connection is the end of the answer
	owner    message.Releaser
}

var _ message.Exchange = (*exchange)(nil)

// forget drops what belongs to the connection.
func (x *exchange) forget() {
	header, trailer := x.req.Header, x.req.Trailer
	header.Reset()
	trailer.Reset()
	x.req = message.Request{Header: header, Trailer: trailer}
	x.c, x.body, x.trailer, x.result = nil, nil, nil, message.Result{}
	x.ctx = x.ctx.Next()
}

// begin prepares for a request whose first byte arrived at the time.
func (x *exchange) begin(received time.Time) {
	r := &x.req
	r.Header.Reset()
	r.Trailer.Reset()
	r.TLS, r.Received = x.c.tls, received
	x.finish = x.finish[:0]
	x.inBefore = x.c.in.consumed
	x.c.out.written = 0
	x.result = message.Result{}
	x.answered, x.complete, x.keep, x.tunnel, x.untilEnd, x.owner = false, false, false, false, false, nil
}

// open is called with a parsed head.
func (x *exchange) open() {
	x.keep = x.framing.persistent()
	x.req.ContentLength = x.framing.bodyLength()
	if x.req.ContentLength == 0 {
		x.req.Body, x.body = nil, nil
		x.c.gone.allow(x.ctx)
		return
	}
	x.body = x.newBody()
	x.req.Body = x.body
}

// run serves the exchange and says whether the connection takes another one.
func (x *exchange) run() bool {
	unanswered := message.ErrNotAnswered
	if x.c.handle() {
		x.keep, unanswered = false, errPanicked
	}
	if x.body != nil {
		x.body.shut() // before stop: a reader that comes to the end of the body would start watching again
	}
	alive := x.c.gone.stop()
	if !x.answered {
		x.respondFor(unanswered, alive)
	}
	x.settle()
	if x.tunnel {
		return false
	}
	again := x.complete && x.keep && alive
	if x.untilEnd && !x.complete {
		x.c.reset()
	}
	if x.unread() {
		again = x.drain(again)
	} else if !again && x.complete && x.c.hasMore() {
		x.c.linger()
	}
	x.c.out.drop()
	x.c.in.release()
	x.ctx = x.ctx.Next()
	return again
}

// respondFor answers for a handler that did not.
func (x *exchange) respondFor(why error, alive bool) {
	if alive {
		_ = x.Respond(&message.Response{Status: 500}) // the reason why there was no answer matters more
	} else {
		why = message.ErrClientGone
	}
	x.result.Err = why
}

var errPanicked = errors.New("handler panicked")

// unread says whether a part of the request body is still to come. Nobody reads at the same time.
func (x *exchange) unread() bool { return x.body != nil && !x.body.reader.ended() }

// unsure says whether nobody can know where the next request begins.
func (x *exchange) unsure() bool {
	return x.body != nil && (x.body.waiting() || x.body.broken.Load())
}

// refusesBody says whether the answer leaves so much of the request body unread that ending the connection costs less than receiving it. That can be
// said of answers that are there at once: behind others the rest of the request may still be read.
func (x *exchange) refusesBody(r *message.Response, withBody bool) bool {
	if x.body == nil || x.framing.bodyLength() <= maxDiscard {
		return false
	}
	if _, atOnce := r.Body.(message.Memory); withBody && !atOnce || !x.body.reading.TryLock() {
		return false
	}
	defer x.body.reading.Unlock()
	return x.body.reader.remaining > maxDiscard
}

// settle ends the context and reports the result.
func (x *exchange) settle() {
	if x.result.Done.IsZero() {
		x.result.Done = x.c.server.Now()
	}
	x.result.BytesIn, x.result.BytesOut = x.c.in.consumed-x.inBefore, x.c.out.written
	x.ctx.End(message.ErrFinished)
	for _, f := range x.finish {
		f(x.result)
	}
	clear(x.finish)
	if x.owner != nil {
		x.owner.Release()
		x.owner = nil
	}
}

// drain deals with a request body that was not read to its end. Where the answer did not announce the end of the connection, time alone bounds what
// is skipped: a client that has sent everything takes the connection for usable, and would lose its next request.
func (x *exchange) drain(again bool) bool {
	x.c.in.limit.clear()
	if again && !x.body.waiting() && x.body.reader.discard(now().plus(patience)) {
		return true
	}
	if x.complete {
		x.c.linger()
	}
	return false
}

// Context implements [message.Exchange].
func (x *exchange) Context() context.Context { return x.ctx }

// Request implements [message.Exchange].
func (x *exchange) Request() *message.Request { return &x.req }

// OnFinish implements [message.Exchange].
func (x *exchange) OnFinish(f func(message.Result)) { x.finish = append(x.finish, f) }

// Informational implements [message.Exchange].
func (x *exchange) Informational(status int, h *message.Header) error {
	if status < 100 || status > 199 || status == 101 {
		return fmt.Errorf("status %d is not interim", status)
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.answered {
		return message.ErrAnswered
	}
	if x.req.Proto == proto10 {
		return nil
	}
	if status == 100 {
		return x.continueByHand(h)
	}
	return x.sendInterim(status, h)
}

// continueByHand sends the 100 of a handler, once. x.writing is held.
func (x *exchange) continueByHand(h *message.Header) error {
	if x.body != nil && x.body.continued.Swap(true) {
		return nil
	}
	return x.sendInterim(100, h)
}

// sendInterim writes an interim answer. x.writing is held.
func (x *exchange) sendInterim(status int, h *message.Header) error {
	out := &x.c.out
	out.hold(blockSizes[0])
	b := appendStatusLine(out.buf, status, "")
	if h != nil {
		var err error
		if b, _, err = appendFields(b, h, sending{}); err != nil {
			out.empty()
			return err
		}
	}
	out.buf = append(b, "\r\n"...)
	if err := out.flush(); err != nil {
		return x.lose(err)
	}
	return nil
}

// lose notes that the client cannot be written to.
func (x *exchange) lose(err error) error {
	x.keep = false
	x.ctx.End(message.ErrClientGone)
	return message.ClientGone(err)
}

// Respond implements [message.Exchange].
func (x *exchange) Respond(r *message.Response) error {
	if r.Tunnel != nil {
		return x.respondTunnel(r)
	}
	if r.Body != nil {
		defer r.Body.Close()
	}
	s, withBody, err := x.gatherHead(r)
	if err != nil {
		return err
	}
	x.owner, r.Owner = r.Owner, nil
	if withBody {
		x.trailer = &r.Trailer
		err = x.c.out.sendBody(r.Body, s, x)
	} else {
		err = x.c.out.flush()
	}
	return x.answerEnded(err)
}

// answerEnded notes how the answer went.
func (x *exchange) answerEnded(err error) error {
	source := sourceOf(err)
	switch {
	case err == nil:
		x.complete = true
	case source == nil:
		err = x.lose(err)
	case x.ctx.Err() != nil:
		err = x.lose(source)
	case x.c.out.written == x.outMark:
		x.c.out.empty()
		x.answered = false
		return source
	default:
		x.keep, err = false, source
	}
	x.result.Done = x.c.server.Now()
	if x.result.FirstByte.IsZero() && x.c.out.written > x.outMark {
		x.result.FirstByte = x.result.Done
	}
	x.result.Err = err
	return err
}

// appendTrailer implements courier.
func (x *exchange) appendTrailer(b []byte) []byte { return appendTrailer(b, x.trailer) }

// progress implements courier: it keeps the time of the first byte.
func (x *exchange) progress() {
	if x.result.FirstByte.IsZero() {
		x.result.FirstByte = x.c.server.Now()
	}
}

// gatherHead puts the head of the final answer into the output. On an error nothing has happened.
func (x *exchange) gatherHead(r *message.Response) (s sending, withBody bool, err error) {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.answered {
		return s, false, message.ErrAnswered
	}
	if r.Status < 200 || r.Status > 999 {
		return s, false, fmt.Errorf("status %d is not final", r.Status)
	}
	if !message.ValidValue(r.Reason) {
		return s, false, &message.InvalidFieldError{Name: "reason"}
	}
	s, withBody = x.plan(r)
	if !x.keep || x.unsure() || x.refusesBody(r, withBody) || x.c.server.closing.Load() {
		x.keep = false
		s.connection = "close"
	} else if x.req.Proto == proto10 {
		s.connection = "keep-alive"
	}
	if err := x.appendHead(r.Status, r.Reason, &r.Header, s); err != nil {
		return s, false, err
	}
	x.answered, x.outMark = true, x.c.out.written
	return s, withBody, nil
}

// appendHead renders a final head with a Date.
func (x *exchange) appendHead(status int, reason string, h *message.Header, s sending) error {
	out := &x.c.out
	out.hold(blockSizes[0])
	b, seen, err := appendFields(appendStatusLine(out.buf, status, reason), h, s)
	if err != nil {
		out.empty()
		return err
	}
	if seen&(1<<fieldDate) == 0 {
		b = x.c.server.dates.appendLine(b, x.c.server.Now())
	}
	out.buf = append(b, "\r\n"...)
	return nil
}

// plan chooses the framing of the answer (RFC 9112, 6).
func (x *exchange) plan(r *message.Response) (s sending, withBody bool) {
	length := r.ContentLength
	switch {
	case r.Status == 204:
		return s, false
	case r.Status == 304:
		if length > 0 { // 0 is also what a response without a length has; claiming an empty representation would be wrong
			s = sending{mode: sendLength, length: length}
		}
		return s, false
	case x.req.Method == "HEAD":
		if length >= 0 {
			s = sending{mode: sendLength, length: length}
		}
		return s, false
	case r.Body == nil:
		return sending{mode: sendLength}, false
	case length >= 0 && r.Trailer.Len() == 0:
		return sending{mode: sendLength, length: length}, length > 0
	case x.req.Proto == proto10:
		x.keep, x.untilEnd = false, true
		return sending{mode: sendClose}, true
	}
	return sending{mode: sendChunked}, true
}

// Upgrade implements [message.Exchange].
func (x *exchange) Upgrade(r *message.Response) (net.Conn, error) {
	x.writing.Lock()
	defer x.writing.Unlock()
	switch {
	case x.answered:
		return nil, message.ErrAnswered
	case !x.framing.upgrade || !x.framing.upgrading || x.req.Proto == proto10 || x.body != nil:
		return nil, fmt.Errorf("request asks for no upgrade: %w", errors.ErrUnsupported)
	case r.Status != 101:
		return nil, fmt.Errorf("status %d is no upgrade", r.Status)
	}
	if err := x.appendHead(101, r.Reason, &r.Header, sending{connection: "Upgrade"}); err != nil {
		return nil, err
	}
	alive := x.c.gone.stop()
	x.answered, x.tunnel, x.keep = true, true, false
	x.result.FirstByte = x.c.server.Now()
	if err := x.c.out.flush(); err != nil || !alive {
		x.result.Err = x.lose(errors.Join(err, io.ErrUnexpectedEOF))
		return nil, x.result.Err
	}
	_ = x.c.netConn.SetDeadline(time.Time{}) // fails on closed connections only: their use says so
	x.complete, x.c.upgraded = true, true
	return newTunnel(x.c.netConn, &x.c.in), nil
}

// respondTunnel joins the client's connection with the one behind a backend's 101.
func (x *exchange) respondTunnel(r *message.Response) error {
	defer r.Tunnel.Close()
	client, err := x.Upgrade(r)
	if err != nil {
		return err
	}
	x.owner, r.Owner = r.Owner, nil
	x.c.out.drop()
	in, out := join(client.(message.Tunnel), r.Tunnel, x.c.server.limits.TunnelTimeout)
	x.c.in.consumed += in
	x.c.out.written += out
	x.result.Done = x.c.server.Now()
	return nil
}
