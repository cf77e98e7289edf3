package http1

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// The states of a connection that Shutdown looks at.
const (
	connActive = iota // a request is being received or answered
	connIdle          // waits for the first byte of a request
	connClosed        // closed by Shutdown while idle
)

// conn is a client's connection. While it waits for a request for long this is all that there is of it: see await.
type conn struct {
	server   *Server
	netConn  net.Conn
	tls      *tls.ConnectionState
	state    atomic.Int32
	first    bool // no request has been received yet
	upgraded bool // the connection belongs to whoever called Upgrade
	// until is when the wait for a request ends; zero while none has lasted long.
	until  moment
	parked parked
	*active
}

// active is what a connection needs to receive and answer requests. It goes from one connection to the next.
type active struct {
	in   input
	out  output
	gone goneWatch
	x    exchange
}

func newConn(s *Server, netConn net.Conn) *conn {
	return &conn{server: s, netConn: direct(netConn), first: true}
}

// remote is the client's address.
func (c *conn) remote() netip.AddrPort { return message.AddrPort(c.netConn.RemoteAddr()) }

// activate makes the connection able to receive requests. deadline is the one of reads that is in force.
func (c *conn) activate(deadline moment) {
	s := c.server
	a, ok := s.actives.Get().(*active)
	if !ok {
		a = &active{}
		a.in.lenient = true
		a.in.blocks, a.out.blocks, a.out.stall = &s.blocks, &s.blocks, s.limits.WriteTimeout
		a.gone.active = a
		a.x.ctx = &message.ExchangeContext{Watched: a.gone.start}
	}
	c.active = a
	a.in.conn, a.in.limit.conn, a.in.limit.at = c.netConn, c.netConn, deadline
	a.out.conn, a.out.until, a.out.used = c.netConn, 0, 0
	a.x.c = c
	a.x.req.RemoteAddr, a.x.req.LocalAddr = c.remote(), message.AddrPort(c.netConn.LocalAddr())
}

// deactivate gives back what activate took. Nothing is buffered.
func (c *conn) deactivate() {
	a := c.active
	if a == nil {
		return
	}
	c.active = nil
	a.in.drop()
	a.out.drop()
	a.in.conn, a.in.limit.conn, a.out.conn = nil, nil, nil
	a.in.limit.clear()
	a.gone.reset()
	a.x.forget()
	c.server.actives.Put(a)
}

// serve completes TLS and runs the connection until it ends, rests or goes on in another goroutine.
func (c *conn) serve() {
	var err error
	if c.tls, err = c.server.handshake(c.netConn); err != nil {
		if f := c.server.Hooks.HandshakeFailed; f != nil {
			f(c.remote(), err)
		}
		c.end()
		return
	}
	if c.server.HTTP2 != nil && c.tls != nil && c.tls.NegotiatedProtocol == "h2" {
		go c.serveHTTP2(nil) // which needs a smaller stack than the handshake
		return
	}
	c.activate(0)
	c.run()
}

// serveHTTP2 hands the connection to the engine of HTTP/2 until its end.
func (c *conn) serveHTTP2(early []byte) {
	defer c.end()
	c.server.HTTP2(c.netConn, c.tls, early)
}

// run serves requests until the connection ends or rests: then another goroutine goes on with it.
func (c *conn) run() {
	resting := false
	defer func() {
		if !resting {
			c.end()
		}
	}()
	for {
		var ready bool
		if ready, resting = c.await(); !ready || !c.receive() || !c.x.run() {
			return
		}
	}
}

// end closes the connection, unless it was handed over, and gives the buffers back.
func (c *conn) end() {
	c.deactivate()
	if !c.upgraded {
		_ = c.netConn.Close()
	}
	c.server.removeConn(c)
}

// longestHold is how long a connection that waits for a request keeps its goroutine and its buffer: busy clients come back earlier.
const longestHold = 100 * time.Millisecond

// await waits for the first byte of a request, for a moment. Then it says that the connection is resting, which belongs to others from then on.
func (c *conn) await() (ready, resting bool) {
	if c.in.buffered() > 0 {
		return true, false
	}
	c.state.Store(connIdle)
	if c.server.ended.Load() { // after the store: either Drain sees the state or this sees Drain
		return false, false
	}
	idle := c.server.limits.IdleTimeout
	if c.first {
		idle = c.server.limits.HeaderTimeout
	}
	hold := min(idle/8, longestHold)
	c.in.hold(blockSizes[0])
	err := c.in.limit.armNear(c.out.lastUse().plus(hold), hold/2)
	if err == nil {
		err = c.in.fill()
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return c.awake(err), false
	}
	if now := now(); c.until == 0 {
		c.until = now.plus(idle - hold)
	} else if now >= c.until { // what woke it was no request
		return false, false
	}
	c.rest()
	return false, true
}

// awake ends the wait for a request and says whether there is one.
func (c *conn) awake(err error) bool {
	c.until = 0
	return c.state.CompareAndSwap(connIdle, connActive) && err == nil
}

// rest lets the connection wait for a request without a buffer and, where that is possible, without a goroutine, so that idle connections cost
// little memory.
func (c *conn) rest() {
	c.deactivate()
	if !c.server.parking.park(c) {
		go c.wait()
	}
}

// resume goes on with a connection that something has arrived for. It is a goroutine's first function.
func (c *conn) resume() {
	c.activate(longAgo)
	c.run()
}

// wait waits for the first byte of a request. It is a goroutine's first function because a new stack is small: one that requests were served on stays
// as large as they needed it.
func (c *conn) wait() {
	n, first := 0, make([]byte, 16)
	err := c.netConn.SetReadDeadline(c.until.time())
	if err == nil {
		n, err = c.netConn.Read(first)
	}
	c.activate(c.until)
	if n > 0 {
		c.in.hold(blockSizes[0])
		c.in.w, err = copy(c.in.buf, first[:n]), nil
	}
	if c.awake(err) {
		c.run()
	} else {
		c.end()
	}
}

// http2Preface is the part of the preface of HTTP/2 that looks like a head (RFC 9113, 3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\n"

// receive reads and parses a request's head. What cannot be accepted is answered.
func (c *conn) receive() bool {
	first := c.first
	c.first = false
	x, limits := &c.x, &c.server.limits
	x.begin(c.server.Now())
	if c.receiveAtOnce() {
		return true
	}
	head, err := c.in.head(limits.RequestLine+limits.HeaderBytes, limits.HeaderTimeout)
	if f := c.server.HTTP2; f != nil && first && err == nil && c.tls == nil && string(head) == http2Preface {
		early := append([]byte(http2Preface), c.in.buf[c.in.r:c.in.w]...)
		c.deactivate()
		f(c.netConn, nil, early)
		return false
	}
	if err == nil || errors.Is(err, errHeadTooLong) {
		if tooLarge := checkSize(head, limits, err); tooLarge != nil {
			err = tooLarge
		}
	}
	if err == nil {
		_, err = parseRequest(alias(head), &x.req, &x.framing, c.tls != nil, limits.HeaderFields)
	}
	if err != nil {
		c.reject(err)
		return false
	}
	x.open()
	return true
}

// receiveAtOnce parses a head that has arrived as a whole, as nearly all do, without looking for its end first. What is unusual in any way is left to
// receive.
func (c *conn) receiveAtOnce() bool {
	x, limits := &c.x, &c.server.limits
	text := c.in.unread()
	if text == "" {
		return false
	}
	size, err := parseRequest(text, &x.req, &x.framing, c.tls != nil, limits.HeaderFields)
	if err != nil || size > min(limits.RequestLine, limits.HeaderBytes) || !c.in.takeHead(size) {
		x.req.Header.Reset()
		return false
	}
	x.open()
	return true
}

// reject answers what made receiving fail, unless the client has gone.
func (c *conn) reject(err error) {
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		c.refuse(refused)
	case errors.Is(err, errBareLF):
		c.refuse(errField)
	case errors.Is(err, os.ErrDeadlineExceeded) && c.in.buffered() > 0:
		c.refuse(errHeaderTimeout)
	}
}

// checkSize says which limit a head breaks. err is not nil when it is longer than both together.
func checkSize(head []byte, limits *Limits, err error) error {
	line := bytes.IndexByte(head, '\r')
	switch {
	case line < 0 || line > limits.RequestLine:
		return errTargetTooLong
	case err != nil || len(head)-line > limits.HeaderBytes:
		return errTooLarge
	}
	return nil
}

// refuse answers a request that cannot be served and ends the connection.
func (c *conn) refuse(why *refusal) {
	if f := c.server.Hooks.Refused; f != nil {
		f(message.Refused{Remote: c.x.req.RemoteAddr, Status: why.status, Err: why})
	}
	c.out.hold(blockSizes[0])
	b := appendStatusLine(c.out.buf, why.status, "")
	if why == errConnect {
		b = append(b, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE\r\n"...)
	}
	b = c.server.dates.appendLine(b, c.server.Now())
	c.out.buf = append(b, "Content-Length: 0\r\nConnection: close\r\n\r\n"...)
	if c.out.flush() == nil {
		c.linger()
	}
}

// appendStatusLine appends the first line of a response.
func appendStatusLine(b []byte, status int, reason string) []byte {
	if reason == "" {
		reason = message.ReasonPhrase(status)
	}
	b = strconv.AppendInt(append(b, proto11+" "...), int64(status), 10)
	return append(append(append(b, ' '), reason...), "\r\n"...)
}

// reset makes closing the connection an error for the client, which would take a plain end for the end of the answer. TLS tells the difference by
// itself: closing the connection below it sends no close_notify.
func (c *conn) reset() {
	if t, ok := c.netConn.(*tls.Conn); ok {
		_ = t.NetConn().Close()
	}
	if tcp, ok := c.netConn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // fails on closed connections only
	}
}

// hasMore says whether the client has sent something that nobody has read, be it the end.
func (c *conn) hasMore() bool {
	if c.in.buffered() > 0 {
		return true
	}
	var p peeker
	p.init(c.netConn)
	return !p.alive()
}

// linger ends the sending side and reads what the client still sends, for a moment: closing at once would reset the connection and might take the
// answer away before the client has read it (RFC 9112, 9.6).
func (c *conn) linger() {
	half, ok := c.netConn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.in.limit.clear()
	if c.in.limit.armAt(now().plus(lingeringTime)) != nil {
		return
	}
	scratch := c.server.blocks.get(blockSizes[1])
	defer c.server.blocks.put(scratch)
	for {
		if _, err := c.netConn.Read(scratch.data); err != nil {
			return
		}
	}
}

// handle runs the handler and keeps its panic from ending the process.
func (c *conn) handle() (panicked bool) {
	defer func() {
		if v := recover(); v != nil {
			panicked = true
			if f := c.server.Hooks.Panicked; f != nil {
				f(v, debug.Stack())
			}
		}
	}()
	c.server.Handler.Serve(&c.x)
	return false
}

// requestReadError turns an error of reading from a client into what handlers see.
func requestReadError(err error) error {
	var refused *refusal
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, message.ErrTooSlow), errors.As(err, &refused), errors.Is(err, message.ErrBodyClosed):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return message.ErrTooSlow
	case errors.Is(err, errAborted):
		return message.ErrBodyClosed
	}
	return message.ClientGone(err)
}
