package http2

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/message"
)

// The states of a connection that is to end.
const (
	drainNot  = iota
	drainTold // the first GOAWAY has been sent: requests that are on their way are still served
	drainLast // the second one has been sent
)

// anyStream is the last stream of a first GOAWAY.
const anyStream = 1<<31 - 1

// conn is a client's connection.
type conn struct {
	server        *Server
	link          *link
	tls           *tls.ConnectionState
	remote, local netip.AddrPort
	handlers      sync.WaitGroup

	// Guarded by the link's lock.
	last     uint32 // the highest stream that the client has opened
	running  int    // handlers, those of streams that were reset included
	draining int
	greeted  bool // our SETTINGS have been sent
}

func newConn(s *Server, netConn net.Conn, state *tls.ConnectionState, early []byte) *conn {
	c := &conn{server: s, tls: state, remote: message.AddrPort(netConn.RemoteAddr()), local: message.AddrPort(netConn.LocalAddr())}
	in := io.Reader(netConn)
	if len(early) > 0 {
		in = io.MultiReader(bytes.NewReader(bytes.Clone(early)), netConn)
	}
	c.link = newLink(netConn, in, c, &s.buffers, headLimits{s.limits.HeaderBytes, s.limits.HeaderFields})
	c.link.stall = s.limits.WriteTimeout
	c.link.patience = patience{idle: s.limits.IdleTimeout, keepAlive: s.limits.KeepAlive, frame: s.limits.HeaderTimeout}
	c.link.now = s.Now
	return c
}

// serve runs the connection until its end.
func (c *conn) serve() {
	l := c.link
	err := c.greet()
	for err == nil {
		var now time.Time
		if now, err = l.awaitFrame(); err == nil {
			err = l.receive(now)
		}
	}
	var broken *linkError
	l.mu.Lock()
	last, ended := c.last, l.err != nil
	l.mu.Unlock()
	if errors.As(err, &broken) && !ended {
		if f := c.server.Hooks.Refused; f != nil && broken.code != h2.ErrCodeNo {
			f(message.Refused{Remote: c.remote, Err: broken})
		}
		l.shut(broken, last)
		l.linger()
	} else {
		l.shut(err, last)
	}
	_ = l.conn.Close()
	c.handlers.Wait()
}

// greet reads the client's preface and sends our settings.
func (c *conn) greet() error {
	l, limits := c.link, &c.server.limits
	l.mu.Lock()
	l.settings(
		h2.Setting{ID: h2.SettingMaxConcurrentStreams, Val: uint32(limits.Streams)},
		h2.Setting{ID: h2.SettingInitialWindowSize, Val: firstWindow},
		h2.Setting{ID: h2.SettingMaxHeaderListSize, Val: uint32(limits.HeaderBytes)},
		h2.Setting{ID: h2.SettingNoRFC7540Priorities, Val: 1},
	)
	l.word(h2.FrameWindowUpdate, 0, linkWindow-defaultWindow)
	l.flushLater()
	c.greeted = true
	l.mu.Unlock()
	if c.server.isClosing() {
		c.drain()
	}
	if err := l.armRead(time.Now(), limits.HeaderTimeout); err != nil {
		return err
	}
	var preface [len(h2.ClientPreface)]byte
	if _, err := io.ReadFull(l.reader, preface[:]); err != nil {
		return err
	}
	if string(preface[:]) != h2.ClientPreface {
		return &linkError{h2.ErrCodeProtocol, "preface is malformed"}
	}
	now, err := l.awaitFrame()
	if err != nil {
		return err
	}
	// RFC 9113, 3.4: the preface ends with a SETTINGS frame.
	first, err := l.reader.Peek(frameHead)
	if err != nil {
		return err
	}
	if h2.FrameType(first[3]) != h2.FrameSettings || h2.Flags(first[4]).Has(h2.FlagSettingsAck) {
		return &linkError{h2.ErrCodeProtocol, "preface has no SETTINGS"}
	}
	return l.receive(now)
}

// idle implements end. Clients open odd streams; we open none.
func (c *conn) idle(id uint32) bool { return id%2 == 0 || id > c.last }

// gotAway implements end: a client that goes away still gets its answers.
func (c *conn) gotAway(uint32, h2.ErrCode) {}

// gotAck implements end.
func (c *conn) gotAck() { c.sayLast() }

// drain begins the end of the connection: the client learns that it is to open no more streams.
func (c *conn) drain() {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.greeted || c.draining != drainNot || l.err != nil { // the first frame is SETTINGS
		return
	}
	c.draining = drainTold
	l.goAway(anyStream, h2.ErrCodeNo)
	l.frame(h2.FramePing, 0, 0, make([]byte, 8))
	l.flushLater()
	// Its answer comes behind all requests that were on their way; a client that gives none is not waited for.
	const patience = time.Second
	time.AfterFunc(patience, c.sayLast)
}

// sayLast says which stream was the last.
func (c *conn) sayLast() {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.draining != drainTold || l.err != nil {
		return
	}
	c.draining = drainLast
	l.goAway(c.last, h2.ErrCodeNo)
	l.flushLater()
	c.checkDrained()
}

// checkDrained ends the connection when nothing is left to do. The lock is held.
func (c *conn) checkDrained() {
	if c.draining == drainLast && c.running == 0 && c.link.err == nil {
		c.link.endSoon()
	}
}

// gotHead implements end: it is a request, or the trailer of one.
func (c *conn) gotHead(h *head) error {
	l := c.link
	now := c.server.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.flushLater()
	if l.err != nil { // somebody who wrote has found out: nobody would end what begins now
		return l.err
	}
	if h.id%2 == 0 {
		return &linkError{h2.ErrCodeProtocol, "client opens an even stream"}
	}
	if s := l.streams[h.id]; s != nil {
		return s.gotTrailer(h, now)
	}
	if h.id <= c.last {
		if l.closed.find(h.id) == closedUnknown {
			return &linkError{h2.ErrCodeProtocol, "stream numbers do not rise"}
		}
		return l.closedFrame(h.id, false, now)
	}
	c.last = h.id
	switch {
	case c.draining == drainLast:
		return nil
	case len(l.streams) >= c.server.limits.Streams || c.running >= 2*c.server.limits.Streams:
		return l.streamErrorLocked(h.id, h2.ErrCodeRefusedStream, now)
	case h.itself:
		return l.streamErrorLocked(h.id, h2.ErrCodeProtocol, now)
	}
	return c.open(h, now)
}

// open starts the exchange of a request. The lock is held.
func (c *conn) open(h *head, now time.Time) error {
	x := newExchange(c, now)
	x.open(h.id)
	x.bytesIn = int64(h.bytes)
	if err := x.parse(h); err != nil {
		if f := c.server.Hooks.Refused; f != nil {
			f(message.Refused{Remote: c.remote, Status: err.status, Err: err})
		}
		x.recycle()
		if err.status == 0 {
			return c.link.streamErrorLocked(h.id, h2.ErrCodeProtocol, now)
		}
		x.refuse(err.status, h.end)
		return nil
	}
	if h.end {
		x.inEnded = true
		x.req.ContentLength = 0
	} else {
		x.body = requestBody{x: x}
		x.req.Body, x.req.ContentLength = &x.body, x.length
	}
	c.running++
	c.handlers.Add(1)
	c.server.workers.run(x)
	return nil
}

// gotTrailer ends a message with a trailer. The lock is held.
func (s *stream) gotTrailer(h *head, now time.Time) error {
	trailer, ok := trailerOf(h.list)
	switch {
	case s.inEnded:
		return s.link.streamErrorLocked(s.id, h2.ErrCodeStreamClosed, now)
	case !h.end, !ok, h.tooLarge, s.length >= 0 && s.arrived != s.length:
		return s.link.streamErrorLocked(s.id, h2.ErrCodeProtocol, now)
	}
	s.bytesIn += int64(h.bytes)
	s.trailer = trailer
	s.ended()
	return nil
}

// refuse answers a request without a handler. The lock is held.
func (x *exchange) refuse(status int, end bool) {
	x.inEnded = end
	x.link.put(":status", statusText(status))
	if status == 405 {
		x.link.put("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE")
	}
	x.link.put("date", x.c.server.dateAt(x.req.Received))
	x.sendHead(true)
	x.stream.reset(h2.ErrCodeNo)
}

// requestError turns an error of reading from a client into what handlers see.
func requestError(err error) error {
	var reset *resetError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, message.ErrBodyClosed):
		return err
	case errors.Is(err, errLate):
		return message.ErrTooSlow
	case errors.As(err, &reset) && reset.own && reset.code == h2.ErrCodeProtocol:
		return errLength
	}
	return message.ClientGone(err)
}
