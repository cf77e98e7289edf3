package http2

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// Limits bound what a client can make the server do. A zero field means its default; a negative time no limit.
type Limits struct {
	// Streams is how many requests a client may have open on a connection: 250.
	Streams int
	// Target is the longest :path in bytes: 8 KiB. Longer ones are answered 414.
	Target int
	// HeaderBytes, as RFC 9113, 6.5.2 counts them, and HeaderFields limit a head: 64 KiB and 128. Larger ones are answered 431.
	HeaderBytes, HeaderFields int
	// HeaderTimeout limits the arrival of the preface, of a head and of each frame from its first byte on: 20 s.
	HeaderTimeout time.Duration
	// IdleTimeout is how long a connection may be without a request: 120 s.
	IdleTimeout time.Duration
	// KeepAlive is how long a client with open requests may be silent before it is pinged, and then again until it is given up: 30 s.
	KeepAlive time.Duration
	// BodyTimeout limits each wait for a part of a request body, but not those of gRPC, whose streams may rest: 60 s.
	BodyTimeout time.Duration
	// WriteTimeout limits each write, and how long a client may take nothing of an answer: 60 s.
	WriteTimeout time.Duration
}

// withDefaults replaces zero fields.
func (l Limits) withDefaults() Limits {
	return Limits{
		Streams:       cmp.Or(l.Streams, 250),
		Target:        cmp.Or(l.Target, 8<<10),
		HeaderBytes:   cmp.Or(l.HeaderBytes, 64<<10),
		HeaderFields:  cmp.Or(l.HeaderFields, 128),
		HeaderTimeout: cmp.Or(l.HeaderTimeout, 20*time.Second),
		IdleTimeout:   cmp.Or(l.IdleTimeout, 120*time.Second),
		KeepAlive:     cmp.Or(l.KeepAlive, 30*time.Second),
		BodyTimeout:   cmp.Or(l.BodyTimeout, 60*time.Second),
		WriteTimeout:  cmp.Or(l.WriteTimeout, 60*time.Second),
	}
}

// Hooks are told what happens beside exchanges; nil ones are not called. They must not block.
type Hooks struct {
	// Refused is called for what breaks the protocol or a limit.
	Refused func(message.Refused)
	// Panicked is called when a handler panics. stack is its goroutine's trace.
	Panicked func(value any, stack []byte)
}

// Server serves HTTP/2 on connections that others have accepted. Its fields are not changed after the first ServeConn.
type Server struct {
	// Handler answers the requests.
	Handler message.Handler
	Limits  Limits
	Hooks   Hooks
	// Now is the clock of Request.Received, Result and Date; nil means time.Now. Time limits always follow the real clock.
	Now func() time.Time

	setUp     sync.Once
	limits    Limits
	buffers   buffers
	headers   sync.Pool // of *message.Header, for requests
	exchanges sync.Pool // of *exchange, cleared
	workers   workers
	date      atomic.Pointer[dateValue]

	mu      sync.Mutex
	conns   map[*conn]struct{}
	closing bool          // connections end with the requests that are under way
	ended   bool          // no connection is taken
	drained chan struct{} // closed when the server is closing and the last connection has ended
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
		s.conns, s.drained = map[*conn]struct{}{}, make(chan struct{})
	})
}

// ServeConn serves one connection, closes it and returns when its last request has ended. state is that of TLS, nil on plain connections. early are
// bytes of the preface and behind it that have been read already; they are not kept.
func (s *Server) ServeConn(netConn net.Conn, state *tls.ConnectionState, early []byte) {
	s.start()
	c := newConn(s, netConn, state, early)
	if !s.addConn(c) {
		_ = netConn.Close()
		return
	}
	defer s.removeConn(c)
	c.serve()
}

func (s *Server) addConn(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.conns[c] = struct{}{}
	}
	return !s.ended
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

func (s *Server) removeConn(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.checkDrained()
}

// checkDrained announces the end of the last connection.
func (s *Server) checkDrained() {
	if !s.closing || len(s.conns) > 0 {
		return
	}
	select {
	case <-s.drained:
	default:
		close(s.drained)
		s.workers.close()
	}
}

// stop begins the end and returns the connections that there are. If there are to be no others, ended says so.
func (s *Server) stop(ended bool) []*conn {
	s.start()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing, s.ended = true, s.ended || ended
	s.checkDrained()
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	return conns
}

// Shutdown tells clients to go elsewhere with new requests (two GOAWAY frames, RFC 9113, 6.8), lets requests in flight finish and returns when all
// connections have ended. Those that come in later are told the same. When ctx ends first it closes the rest and returns the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.stop(false) {
		c.drain()
	}
	select {
	case <-s.drained:
		return nil
	case <-ctx.Done():
		_ = s.Close()
		return ctx.Err()
	}
}

// Close closes all connections at once.
func (s *Server) Close() error {
	for _, c := range s.stop(true) {
		_ = c.link.conn.Close()
	}
	return nil
}

// dateValue is the value of Date in one second.
type dateValue struct {
	second int64
	text   string
}

// dateAt returns the value of Date, rendered once a second (RFC 9110, 5.6.7).
func (s *Server) dateAt(now time.Time) string {
	current, second := s.date.Load(), now.Unix()
	if current == nil || current.second != second {
		current = &dateValue{second, now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}
		s.date.Store(current)
	}
	return current.text
}
