package http1

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// ErrServerClosed is returned by [Server.Serve] after Shutdown or Close.
var ErrServerClosed = errors.New("http1 server is closed")

// Limits bound what a client can make the server do. A zero field means its default; a negative one, where it says so, no limit.
type Limits struct {
	// RequestLine is the longest request line in bytes: 8 KiB. Longer ones are answered 414.
	RequestLine int
	// HeaderBytes and HeaderFields limit the header: 64 KiB and 128. Larger ones are answered 431.
	HeaderBytes, HeaderFields int
	// HandshakeTimeout limits the TLS handshake: 10 s. HeaderTimeout limits the arrival of a head from its first byte on: 20 s, then 408.
	HandshakeTimeout, HeaderTimeout time.Duration
	// IdleTimeout is how long a connection may wait for a request: 120 s.
	IdleTimeout time.Duration
	// BodyTimeout limits each wait for a part of a request body: 60 s; negative: none.
	BodyTimeout time.Duration
	// WriteTimeout limits each write, that is how long a client may take nothing: 60 s; negative: none.
	WriteTimeout time.Duration
	// TunnelTimeout is how long an upgraded connection goes on when one side has ended its direction and the other has not: 60 s.
	TunnelTimeout time.Duration
	// BodyRate is the least number of bytes a second, on average after 5 s, that a request body has to bring; 0: any.
	BodyRate int64
	// Conns and ConnsPerAddress limit the connections at once, of all clients and of each IP address; 0: none. Further ones are closed at once.
	Conns, ConnsPerAddress int
}

// withDefaults replaces zero fields.
func (l Limits) withDefaults() Limits {
	return Limits{
		RequestLine:      cmp.Or(l.RequestLine, 8<<10),
		HeaderBytes:      cmp.Or(l.HeaderBytes, 64<<10),
		HeaderFields:     cmp.Or(l.HeaderFields, 128),
		HandshakeTimeout: cmp.Or(l.HandshakeTimeout, 10*time.Second),
		HeaderTimeout:    cmp.Or(l.HeaderTimeout, 20*time.Second),
		IdleTimeout:      cmp.Or(l.IdleTimeout, 120*time.Second),
		BodyTimeout:      cmp.Or(l.BodyTimeout, 60*time.Second),
		WriteTimeout:     cmp.Or(l.WriteTimeout, 60*time.Second),
		TunnelTimeout:    cmp.Or(l.TunnelTimeout, 60*time.Second),
		BodyRate:         l.BodyRate,
		Conns:            l.Conns,
		ConnsPerAddress:  l.ConnsPerAddress,
	}
}

// Hooks are told what happens beside exchanges; nil ones are not called. They must not block.
type Hooks struct {
	// Refused is called for each request or connection that breaks the protocol or a limit.
	Refused func(message.Refused)
	// Panicked is called when a handler panics, which ends the connection. stack is its goroutine's trace.
	Panicked func(value any, stack []byte)
	// HandshakeFailed is called when a client's TLS handshake fails.
	HandshakeFailed func(remote netip.AddrPort, err error)
}

// Server serves HTTP/1.0 and HTTP/1.1 on any number of listeners. Its fields are not changed after the first Serve.
type Server struct {
	// Handler answers the requests.
	Handler message.Handler
	Limits  Limits
	Hooks   Hooks
	// HTTP2 serves a connection whose client speaks HTTP/2, because ALPN has agreed on "h2" or because it begins with the preface of HTTP/2 in the
	// clear, and returns when it has ended. early is what has been read of it; it may not be kept. nil: the preface is refused like any other version.
	HTTP2 func(conn net.Conn, state *tls.ConnectionState, early []byte)
	// Now is the clock of Request.Received, Result and Date; nil means time.Now. Time limits always follow the real clock.
	Now func() time.Time

	setUp   sync.Once
	limits  Limits
	dates   dates
	blocks  blocks
	actives sync.Pool // of *active
	parking parking
	closing atomic.Bool // no connection lives beyond its next answer
	ended   atomic.Bool // no connection waits for a request any more

	mu         sync.Mutex
	listeners  map[net.Listener]struct{}
	accepted   int // connections that are about to be in conns
	conns      map[*conn]struct{}
	perAddress map[netip.Addr]int // connections, when they are limited
	drained    chan struct{}      // closed when the server is closing and the last connection has ended
}

// start fills in the defaults.
func (s *Server) start() {
	s.setUp.Do(func() {
		s.limits = s.Limits.withDefaults()
		if s.Now == nil {
			s.Now = time.Now
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.listeners, s.conns, s.drained = map[net.Listener]struct{}{}, map[*conn]struct{}{}, make(chan struct{})
		s.perAddress = map[netip.Addr]int{}
	})
}

// Serve accepts connections until the listener fails or the server is closed, which gives [ErrServerClosed]. It closes the listener. Connections of
// a TLS listener are handshaken in their own goroutines.
func (s *Server) Serve(listener net.Listener) error {
	s.start()
	defer listener.Close()
	if !s.addListener(listener) {
		return ErrServerClosed
	}
	defer s.removeListener(listener)
	const firstPause, lastPause = 5 * time.Millisecond, time.Second
	pause := firstPause
	for {
		c, err := listener.Accept()
		switch {
		case err == nil:
			pause = firstPause
			s.expect(1)
			go s.serveConn(c)
		case s.closing.Load():
			return ErrServerClosed
		case isTemporary(err):
			// Mostly "too many open files": wait for connections to end.
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-s.drained:
			}
			timer.Stop()
			pause = min(2*pause, lastPause)
		default:
			return err
		}
	}
}

// Direct returns a listener whose TCP connections cost less than those of package net where that can be. It is for what stands below TLS: [Server.Serve]
// does the same with plain connections.
func Direct(l net.Listener) net.Listener { return directListener{l} }

type directListener struct{ net.Listener }

// Accept implements [net.Listener].
func (l directListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return direct(c), nil
}

// isTemporary says whether a later Accept may succeed.
func isTemporary(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}

// serveConn serves a connection that was accepted, until it ends or goes on in another goroutine.
func (s *Server) serveConn(netConn net.Conn) {
	if c := newConn(s, netConn); s.addConn(c) {
		c.serve()
		return
	}
	_ = netConn.Close()
	s.expect(-1)
}

func (s *Server) addListener(listener net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	s.listeners[listener] = struct{}{}
	return true
}

func (s *Server) removeListener(listener net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, listener)
	s.checkDrained()
}

// expect counts connections that have been accepted and are not in conns yet.
func (s *Server) expect(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted += n
	s.checkDrained()
}

// addConn takes a connection in, unless it is one too many or too late.
func (s *Server) addConn(c *conn) bool {
	address := c.remote().Addr()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended.Load():
		return false
	case s.limits.Conns > 0 && len(s.conns) >= s.limits.Conns, s.limits.ConnsPerAddress > 0 && s.perAddress[address] >= s.limits.ConnsPerAddress:
		if f := s.Hooks.Refused; f != nil {
			f(message.Refused{Remote: c.remote(), Err: message.ErrTooManyConns})
		}
		return false
	}
	s.conns[c] = struct{}{}
	s.accepted--
	if s.limits.ConnsPerAddress > 0 {
		s.perAddress[address]++
	}
	return true
}

func (s *Server) removeConn(c *conn) {
	address := c.remote().Addr()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.limits.ConnsPerAddress > 0 {
		if s.perAddress[address]--; s.perAddress[address] == 0 {
			delete(s.perAddress, address)
		}
	}
	s.checkDrained()
}

// checkDrained announces the end of the last connection.
func (s *Server) checkDrained() {
	if !s.closing.Load() || len(s.conns)+s.accepted+len(s.listeners) > 0 {
		return
	}
	select {
	case <-s.drained:
	default:
		close(s.drained)
	}
}

// Shutdown closes the listeners and the connections that wait for a request, lets requests in flight finish (their answers say "Connection: close")
// and returns when all connections have ended, those that a handler has upgraded included. When ctx ends first it closes the rest and returns the
// error of ctx.
func (s *Server) Shutdown(ctx context.Context) error { return s.Drain(ctx, 0) }

// Drain is [Server.Shutdown] for clients that must not notice: for a while, connections that wait for a request may bring one more. A connection
// that is closed while its client sends a request on it is a failure to the client; one whose answer says "Connection: close" is not.
func (s *Server) Drain(ctx context.Context, while time.Duration) error {
	s.stop(func(*conn) {})
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-s.drained:
		s.parking.close()
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	s.ended.Store(true)
	s.stop(func(c *conn) {
		if c.state.CompareAndSwap(connIdle, connClosed) {
			go func() { _ = c.netConn.Close() }() // TLS says goodbye, which takes seconds where the client takes nothing
		}
	})
	s.parking.close()
	select {
	case <-s.drained:
		return nil
	case <-ctx.Done():
		_ = s.Close()
		return ctx.Err()
	}
}

// Close closes the listeners and all connections at once.
func (s *Server) Close() error {
	s.ended.Store(true)
	s.stop(func(c *conn) { _ = c.netConn.Close() })
	s.parking.close()
	return nil
}

// stop refuses new connections and calls f for each that there is.
func (s *Server) stop(f func(*conn)) {
	s.start()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing.Store(true)
	for listener := range s.listeners {
		_ = listener.Close()
	}
	for c := range s.conns {
		f(c)
	}
	s.checkDrained()
}

// handshake completes TLS within the limit and returns the state of the connection, nil on plain ones.
func (s *Server) handshake(netConn net.Conn) (*tls.ConnectionState, error) {
	t, ok := netConn.(*tls.Conn)
	if !ok {
		return nil, nil
	}
	// A deadline costs less than a context, which package tls watches in a goroutine.
	if err := t.SetDeadline(time.Now().Add(s.limits.HandshakeTimeout)); err != nil {
		return nil, err
	}
	if err := t.Handshake(); err != nil {
		return nil, err
	}
	if err := t.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	state := t.ConnectionState()
	return &state, nil
}
