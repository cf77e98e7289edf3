package http1

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

// clientConn is a connection to a backend service. It has no buffer and no goroutine while it is idle.
type clientConn struct {
	net.Conn
	pool     *pool
	requests int    // answered so far
	idle     moment // since when
	opened   moment
	taken    moment // when the request that uses it got it
	deadline moment // read deadline in force
	peek     peeker
	// authorization is the Proxy-Authorization of requests; that of NTLM is for the first one only.
	authorization string
	proved        bool // it has been sent
	// bare says that the last answer had no body by its nature: some backend services send one all the same, which would be the next answer.
	bare bool
}

// pool holds the connections to one place.
type pool struct {
	client  *Client
	at      place
	address string

	mu      sync.Mutex
	idle    []*clientConn // the one used last at the end, and taken first
	opened  int           // idle, in use and being opened
	waiters []chan *clientConn
	sweeper *time.Timer
	closed  bool
}

// freshFor is how long a connection is believed to be alive unseen, if the request can be repeated.
const freshFor = time.Second

// take returns an idle connection that seems alive, or nil. careful ones are looked at even when they were used just now.
func (p *pool) take(careful bool) *clientConn {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			return nil
		}
		conn := p.idle[last]
		p.idle[last] = nil
		p.idle = p.idle[:last]
		p.mu.Unlock()
		conn.taken = now()
		age := conn.taken.since(conn.idle)
		if age < p.client.IdleTimeout && (age < freshFor && !careful && !conn.bare || conn.peek.alive()) {
			return conn
		}
		p.discard(conn)
	}
}

// open returns a new connection, or waits for one when the limit is reached: for an idle one too if reuse allows it.
func (p *pool) open(ctx context.Context, reuse bool) (*clientConn, error) {
	for {
		ready, mayOpen := p.reserve()
		if mayOpen {
			return p.dial(ctx)
		}
		select {
		case conn := <-ready:
			if conn == nil {
				return p.dial(ctx) // the place of a connection that ended
			}
			if conn.taken = now(); reuse && conn.peek.alive() {
				return conn, nil
			}
			p.discard(conn)
		case <-ctx.Done():
			p.abandon(ready)
			return nil, ctx.Err()
		}
	}
}

// reserve takes a place for a new connection or queues for what becomes free.
func (p *pool) reserve() (ready chan *clientConn, mayOpen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit := p.client.MaxConns; limit <= 0 || p.opened < limit {
		p.opened++
		return nil, true
	}
	ready = make(chan *clientConn, 1)
	p.waiters = append(p.waiters, ready)
	return ready, false
}

// abandon leaves the queue and passes on what arrived meanwhile.
func (p *pool) abandon(ready chan *clientConn) {
	p.mu.Lock()
	if i := slices.Index(p.waiters, ready); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	if conn := <-ready; conn != nil {
		p.put(conn)
	} else {
		p.leave()
	}
}

// dial opens a connection in a place that is reserved.
func (p *pool) dial(ctx context.Context) (*clientConn, error) {
	c, authorization, err := p.client.dial(ctx, &p.at, p.address)
	if err != nil {
		p.leave()
		return nil, err
	}
	opened := now()
	conn := &clientConn{Conn: direct(c), pool: p, opened: opened, taken: opened, authorization: authorization}
	conn.peek.init(c)
	return conn, nil
}

// giveBack ends the use of a connection. It is reusable after a complete exchange.
func (c *clientConn) giveBack(reusable bool) {
	if !reusable {
		c.pool.discard(c)
		return
	}
	c.requests++
	c.pool.put(c)
}

// put takes a connection back after a complete exchange.
func (p *pool) put(conn *clientConn) {
	conn.idle = now()
	if age := p.client.MaxAge; age > 0 && conn.idle.since(conn.opened) > age {
		p.discard(conn)
		return
	}
	p.mu.Lock()
	if len(p.waiters) > 0 {
		ready := p.waiters[0]
		p.waiters = slices.Delete(p.waiters, 0, 1)
		p.mu.Unlock()
		ready <- conn
		return
	}
	keep := !p.closed && len(p.idle) < p.client.MaxIdle
	if keep {
		p.idle = append(p.idle, conn)
	}
	p.mu.Unlock()
	if !keep {
		p.discard(conn)
	}
}

// discard closes a connection.
func (p *pool) discard(conn *clientConn) {
	_ = conn.Close()
	p.leave()
}

// leave gives the place of a connection to a waiter, or frees it.
func (p *pool) leave() {
	p.mu.Lock()
	if len(p.waiters) == 0 {
		p.opened--
		p.mu.Unlock()
		return
	}
	ready := p.waiters[0]
	p.waiters = slices.Delete(p.waiters, 0, 1)
	p.mu.Unlock()
	ready <- nil
}

// watch makes sure that idle connections are closed in time, as long as the pool is used.
func (p *pool) watch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweeper = time.AfterFunc(p.client.IdleTimeout, p.sweep)
}

// sweep closes connections that have been idle for too long and forgets a pool that has none.
func (p *pool) sweep() {
	if p.client.forget(p) {
		return
	}
	p.mu.Lock()
	oldest := now().plus(-p.client.IdleTimeout)
	n := 0
	for n < len(p.idle) && p.idle[n].idle < oldest {
		n++
	}
	expired := slices.Clone(p.idle[:n])
	p.idle = slices.Delete(p.idle, 0, n)
	if !p.closed {
		p.sweeper.Reset(p.client.IdleTimeout)
	}
	p.mu.Unlock()
	for _, conn := range expired {
		p.discard(conn)
	}
}

// close closes the idle connections; those in use are closed when they come back.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.sweeper.Stop()
	p.mu.Unlock()
	for _, conn := range idle {
		p.discard(conn)
	}
}
