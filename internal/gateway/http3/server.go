// Package http3 serves HTTP/3 (RFC 9114) to clients: quic-go's engine, behind the contract of package message. Requests lose the order of fields with
// different names on the way through net/http's types; they come sorted by name.
package http3

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	h3 "github.com/quic-go/quic-go/http3"

	"github.com/causeway-apim/causeway/internal/message"
)

// Limits bound what a client can make the server do. A zero field means its default.
type Limits struct {
	// Streams is how many requests a client may have open on a connection: 250.
	Streams int
	// Target is the longest :path in bytes: 8 KiB. Longer ones are answered 414.
	Target int
	// HeaderBytes, as RFC 9114, 4.2.2 counts them, and HeaderFields limit a head: 64 KiB and 128. Larger ones are answered 431.
	HeaderBytes, HeaderFields int
	// HandshakeTimeout limits each wait within the handshake: 10 s.
	HandshakeTimeout time.Duration
	// IdleTimeout is how long a connection may be without a request: 120 s.
	IdleTimeout time.Duration
	// KeepAlive is how long a client may be silent, also on the level of QUIC, before it is given up: 60 s.
	KeepAlive time.Duration
	// BodyTimeout limits each wait for a part of a request body, but not those of gRPC, whose streams may rest: 60 s.
	BodyTimeout time.Duration
	// WriteTimeout limits how long a client may take nothing of an answer: 60 s.
	WriteTimeout time.Duration
	// Conns and ConnsPerAddress limit the connections of all clients and of each IP address: none.
	Conns, ConnsPerAddress int
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Streams:          cmp.Or(l.Streams, 250),
		Target:           cmp.Or(l.Target, 8<<10),
		HeaderBytes:      cmp.Or(l.HeaderBytes, 64<<10),
		HeaderFields:     cmp.Or(l.HeaderFields, 128),
		HandshakeTimeout: cmp.Or(l.HandshakeTimeout, 10*time.Second),
		IdleTimeout:      cmp.Or(l.IdleTimeout, 120*time.Second),
		KeepAlive:        cmp.Or(l.KeepAlive, 60*time.Second),
		BodyTimeout:      cmp.Or(l.BodyTimeout, 60*time.Second),
		WriteTimeout:     cmp.Or(l.WriteTimeout, 60*time.Second),
		Conns:            l.Conns,
		ConnsPerAddress:  l.ConnsPerAddress,
	}
}

// validateFrom is the number of connections from which on clients have to show that their address is theirs (QUIC's Retry), so that a flood of false
// ones costs little.
const validateFrom = 512

// Windows of flow control: what a stream, and a connection, may hold unread.
const (
	streamWindow = 1 << 20
	connWindow   = 8 << 20
)

// Hooks are told what happens beside exchanges; nil ones are not called. They must not block.
type Hooks struct {
	// Refused is called for what breaks a rule or a limit of ours. What breaks QUIC or the framing of HTTP/3 is quic-go's business.
	Refused func(message.Refused)
	// Panicked is called when a handler panics. stack is its goroutine's trace.
	Panicked func(value any, stack []byte)
}

// ErrServerClosed is returned by Serve after Shutdown or Close.
var ErrServerClosed = http.ErrServerClosed

// Server serves HTTP/3 on sockets that others have opened. Its fields are not changed after the first Serve.
type Server struct {
	// Handler answers the requests.
	Handler message.Handler
	// TLS chooses certificates. HTTP/3 needs TLS 1.3, whatever it says.
	TLS    *tls.Config
	Limits Limits
	Hooks  Hooks
	// Now is the clock of Request.Received and Result; nil means time.Now. Time limits always follow the real clock.
	Now func() time.Time

	setUp  sync.Once
	limits Limits
	engine h3.Server
	ended  chan struct{} // closed when no connection is left
	end    sync.Once

	mu       sync.Mutex
	conns    int
	remotes  map[netip.Addr]int // connections of each address
	requests int                // that are under way
	draining bool
	drained  chan struct{} // closed when the server is draining and the last request has ended
}

// start fills in the defaults.
func (s *Server) start() {
	s.setUp.Do(func() {
		s.limits = s.Limits.withDefaults()
		if s.Now == nil {
			s.Now = time.Now
		}
		s.remotes, s.ended, s.drained = map[netip.Addr]int{}, make(chan struct{}), make(chan struct{})
		s.engine = h3.Server{Handler: http.HandlerFunc(s.serve), MaxHeaderBytes: s.limits.HeaderBytes, IdleTimeout: s.limits.IdleTimeout}
	})
}

// Serve serves a UDP socket until Shutdown or Close, and closes it. Data of the first flight (0-RTT) is not taken: it could be repeated by others.
func (s *Server) Serve(socket net.PacketConn) error {
	s.start()
	transport := &quic.Transport{Conn: socket, VerifySourceAddress: s.mustValidate, ConnContext: s.refuseWhenDraining}
	defer func() {
		_ = transport.Close() // with the connections that there are
		_ = socket.Close()
	}()
	listener, err := transport.Listen(h3.ConfigureTLSConfig(s.TLS), &quic.Config{
		HandshakeIdleTimeout:       s.limits.HandshakeTimeout,
		MaxIdleTimeout:             s.limits.KeepAlive,
		MaxIncomingStreams:         int64(s.limits.Streams),
		MaxIncomingUniStreams:      16, // three are needed
		MaxStreamReceiveWindow:     streamWindow,
		MaxConnectionReceiveWindow: connWindow,
	})
	if err != nil {
		return err
	}
	err = s.engine.ServeListener(&limitedListener{listener, s})
	if errors.Is(err, ErrServerClosed) {
		<-s.ended
	}
	_ = listener.Close()
	return err
}

// refuseWhenDraining answers attempts to connect while the last requests finish: a client that heard nothing would wait for its own time limit before
// it turned to TCP.
func (s *Server) refuseWhenDraining(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, ErrServerClosed
	}
	return ctx, nil
}

// mustValidate implements the rule of validateFrom.
func (s *Server) mustValidate(net.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns >= validateFrom
}

// limitedListener keeps the limits of connections.
type limitedListener struct {
	*quic.Listener
	server *Server
}

// Accept implements [h3.QUICListener].
func (l *limitedListener) Accept(ctx context.Context) (*quic.Conn, error) {
	for {
		conn, err := l.Listener.Accept(ctx)
		if err != nil {
			return nil, err
		}
		remote := message.AddrPort(conn.RemoteAddr())
		if l.server.admit(remote.Addr()) {
			context.AfterFunc(conn.Context(), func() { l.server.leave(remote.Addr()) })
			return conn, nil
		}
		l.server.refused(remote, 0, message.ErrTooManyConns)
		_ = conn.CloseWithError(quic.ApplicationErrorCode(h3.ErrCodeExcessiveLoad), "")
	}
}

func (s *Server) admit(remote netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limits.Conns > 0 && s.conns >= s.limits.Conns || s.limits.ConnsPerAddress > 0 && s.remotes[remote] >= s.limits.ConnsPerAddress {
		return false
	}
	s.conns++
	s.remotes[remote]++
	return true
}

func (s *Server) leave(remote netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns--
	if s.remotes[remote]--; s.remotes[remote] == 0 {
		delete(s.remotes, remote)
	}
}

func (s *Server) refused(remote netip.AddrPort, status int, err error) {
	if f := s.Hooks.Refused; f != nil {
		f(message.Refused{Remote: remote, Status: status, Err: err})
	}
}

// lingering is how long the last answers may take to arrive after the last request has ended. QUIC forgets what is on its way when it closes.
const lingering = time.Second

// begin and finish count the requests under way.
func (s *Server) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
}

func (s *Server) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests--
	s.checkDrained()
}

// checkDrained announces the end of the last request. The lock is held.
func (s *Server) checkDrained() {
	if !s.draining || s.requests > 0 {
		return
	}
	select {
	case <-s.drained:
	default:
		close(s.drained)
	}
}

// Shutdown tells clients to go elsewhere with new requests (GOAWAY), lets requests in flight finish, closes the connections and returns. When ctx ends
// first it closes the rest and returns the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.start()
	defer s.end.Do(func() { close(s.ended) })
	s.mu.Lock()
	s.draining = true
	s.checkDrained()
	s.mu.Unlock()
	soon, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.drained:
		case <-soon.Done():
			return
		}
		timer := time.NewTimer(lingering)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-soon.Done():
		}
	}()
	err := s.engine.Shutdown(soon)
	if ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return nil // clients that do not close their connections have had their answers
	}
	return err
}

// Close closes all connections at once.
func (s *Server) Close() error {
	s.start()
	defer s.end.Do(func() { close(s.ended) })
	return s.engine.Close()
}
