package http2

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	h2 "golang.org/x/net/http2"
)

// pingPause is how long a backend service that has answered a ping is not asked again. Servers of gRPC end connections with too_many_pings when they
// get the third one within five minutes each while their streams rest; what is lost without a word meanwhile, TCP's own probes find.
const pingPause = 5*time.Minute + 10*time.Second

// pool holds the connections to one place.
type pool struct {
	client  *Client
	at      place
	address string

	mu      sync.Mutex
	conns   []*clientConn
	dialing *dialing // nil when nobody opens a connection
	closed  bool
}

// dialing is an attempt to connect that others wait for.
type dialing struct {
	done chan struct{}
	err  error // why it failed; nil also when that says nothing to others
}

// reserve finds room for a stream on a connection, or opens one. Requests that come meanwhile wait for it.
func (p *pool) reserve(ctx context.Context) (conn *clientConn, reused bool, err error) {
	for {
		p.mu.Lock()
		for _, conn := range p.conns {
			if conn.reserve() {
				p.mu.Unlock()
				return conn, true, nil
			}
		}
		if p.dialing == nil {
			break
		}
		attempt := p.dialing
		p.mu.Unlock()
		select {
		case <-attempt.done:
			if attempt.err != nil {
				return nil, false, attempt.err
			}
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	attempt := &dialing{done: make(chan struct{})}
	p.dialing = attempt
	p.mu.Unlock()
	conn, err = p.open(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialing = nil
	if err == nil {
		p.conns = append(p.conns, conn)
		if p.closed {
			go conn.retire()
		}
	} else if ctx.Err() == nil {
		attempt.err = err
	}
	close(attempt.done)
	return conn, false, err
}

// open opens a connection with a stream reserved.
func (p *pool) open(ctx context.Context) (*clientConn, error) {
	netConn, err := p.client.dial(ctx, &p.at, p.address)
	if err != nil {
		return nil, err
	}
	c := p.client
	conn := &clientConn{pool: p, opened: time.Now(), next: 1, reserved: 1}
	l := newLink(netConn, netConn, conn, &c.buffers, headLimits{c.HeaderBytes, c.HeaderFields})
	l.stall, l.now = max(c.WriteTimeout, 0), time.Now
	const frameTime = 30 * time.Second
	l.patience = patience{idle: c.IdleTimeout, keepAlive: c.KeepAlive, pings: pingPause, frame: frameTime}
	conn.link = l
	l.mu.Lock()
	copy(l.room(len(h2.ClientPreface)), h2.ClientPreface)
	l.gathered += len(h2.ClientPreface)
	l.total += int64(len(h2.ClientPreface))
	l.settings(
		h2.Setting{ID: h2.SettingEnablePush, Val: 0},
		h2.Setting{ID: h2.SettingInitialWindowSize, Val: firstWindow},
		h2.Setting{ID: h2.SettingMaxHeaderListSize, Val: uint32(c.HeaderBytes)},
	)
	l.word(h2.FrameWindowUpdate, 0, linkWindow-defaultWindow)
	l.mu.Unlock()
	go conn.run() // what is gathered leaves with the first request
	return conn, nil
}

// remove takes a connection out of the pool, and the pool out of the client when it was the last.
func (p *pool) remove(conn *clientConn) {
	c := p.client
	c.mu.Lock()
	defer c.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.conns, conn); i >= 0 {
		p.conns = slices.Delete(p.conns, i, i+1)
	}
	if len(p.conns) == 0 && p.dialing == nil && c.places[p.at] == p {
		delete(c.places, p.at)
	}
}

// close retires the connections.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	conns := slices.Clone(p.conns)
	p.mu.Unlock()
	for _, conn := range conns {
		conn.retire()
	}
}

// clientConn is a connection to a backend service.
type clientConn struct {
	pool *pool
	link *link

	opened time.Time

	// Guarded by the link's lock.
	next     uint32 // stream
	reserved int    // streams that are about to be opened
	away     bool   // takes no more streams
}

// run reads frames until the connection ends.
func (c *clientConn) run() {
	l := c.link
	now, err := l.awaitFrame()
	for err == nil {
		if err = l.receive(now); err == nil {
			now, err = l.awaitFrame()
		}
	}
	c.pool.remove(c)
	var broken *linkError
	l.shut(err, 0)
	if errors.As(err, &broken) {
		l.linger()
	}
	_ = l.conn.Close()
}

// reserve says whether the connection takes another stream, which it then waits for.
func (c *clientConn) reserve() bool {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	const lastID = 1<<31 - 1
	if age := c.pool.client.MaxAge; age > 0 && time.Since(c.opened) > age {
		c.away = true
		c.checkRetired()
	}
	most := min(int(l.peerMax), c.pool.client.MaxStreams)
	if l.err != nil || c.away || c.next > lastID-2 || len(l.streams)+c.reserved >= most {
		return false
	}
	c.reserved++
	return true
}

// retire lets the connection end with its last stream.
func (c *clientConn) retire() {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.away = true
	c.checkRetired()
}

// checkRetired ends a connection that takes no streams and has none. The link's lock is held.
func (c *clientConn) checkRetired() {
	if l := c.link; c.away && len(l.streams)+c.reserved == 0 && l.err == nil {
		l.endSoon()
	}
}

// idle implements end. We open odd streams; backend services open none.
func (c *clientConn) idle(id uint32) bool { return id%2 == 0 || id >= c.next }

// gotAck implements end.
func (c *clientConn) gotAck() {}

// gotAway implements end: streams above the last one have not been looked at.
func (c *clientConn) gotAway(last uint32, _ h2.ErrCode) {
	c.pool.remove(c)
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	c.away = true
	for id, s := range l.streams {
		if id > last {
			s.leave(closedByPeer)
			s.fail(errAway)
		}
	}
	c.checkRetired()
}

// gotHead implements end: it is an answer, an interim one or a trailer.
func (c *clientConn) gotHead(h *head) error {
	l := c.link
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.flushLater()
	if c.idle(h.id) {
		return &linkError{h2.ErrCodeProtocol, "HEADERS on an idle stream"}
	}
	s := l.streams[h.id]
	switch {
	case s == nil:
		return l.closedFrame(h.id, false, now)
	case s.call.answered:
		return s.gotTrailer(h, now)
	case !s.call.gotAnswer(h):
		return l.streamErrorLocked(h.id, h2.ErrCodeProtocol, now)
	}
	return nil
}
