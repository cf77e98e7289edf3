package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/gateway/http3"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Server puts a gateway on listeners.
type Server struct {
	gateway  *Gateway
	http     http1.Server // accepts, and hands on what speaks HTTP/2
	http2    http2.Server
	http3    *http3.Server // nil when it is off
	tls      *tls.Config
	tickets  ticketKeys
	fallback *tls.Certificate
	proxied  *netSet // whose connections begin with a PROXY header; nil for nobody's

	altSvcPort int
	closing    chan struct{} // closed by the first Drain
	drain      sync.Once
}

// ServerOptions are what a server needs. All may be left out.
type ServerOptions struct {
	// Fallback is the certificate for host names without one of their own.
	Fallback *tls.Certificate
	// Limits bound what clients can make the gateway do.
	Limits ServerLimits
	// ProxyProtocol are the addresses of load balancers whose connections begin with the header of the PROXY protocol.
	ProxyProtocol []netip.Prefix
	// HTTP3 is off unless it says otherwise.
	HTTP3 HTTP3
}

// NewServer returns a server for a gateway.
func NewServer(g *Gateway, o ServerOptions) *Server {
	s := &Server{gateway: g, fallback: o.Fallback, altSvcPort: o.HTTP3.Port, closing: make(chan struct{})}
	if len(o.ProxyProtocol) > 0 {
		s.proxied = newNetSet(o.ProxyProtocol)
	}
	panicked := func(value any, stack []byte) {
		g.log.Error("A request ended in a panic.", telemetry.EventKey, "Panic", "error", fmt.Sprint(value), "stack", string(stack))
	}
	s.http2 = http2.Server{Handler: g, Now: g.now, Limits: o.Limits.http2(), Hooks: http2.Hooks{
		Refused: g.logRefused, Panicked: panicked,
	}}
	s.http = http1.Server{Handler: g, Now: g.now, Limits: o.Limits.http1(), HTTP2: s.http2.ServeConn, Hooks: http1.Hooks{
		Refused: g.logRefused, Panicked: panicked,
		HandshakeFailed: func(remote netip.AddrPort, err error) {
			g.log.Info("A TLS handshake failed.", telemetry.EventKey, "ClientHelloParsingFailed", "callerIpAddress", addressText(remote.Addr()), "error", err)
		},
	}}
	s.tls = &tls.Config{
		MinVersion: tls.VersionTLS12, // of what is cloned from it
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			s.tickets.rotate(s.tls, g.now())
			return s.configFor(hello.ServerName)
		},
	}
	if o.HTTP3.Enabled {
		s.http3 = s.http3Server(&o.Limits, panicked)
	}
	return s
}

// logRefused notes a request that the engines refused, or a connection when there is no status.
func (g *Gateway) logRefused(r message.Refused) {
	if errors.Is(r.Err, message.ErrTooManyConns) {
		if n := g.refusedConns.tick(g.now()); n > 0 {
			g.log.Warn("Connections were closed: there are too many.", telemetry.EventKey, "TooManyConnections", "count", n, "callerIpAddress", addressText(r.Remote.Addr()))
		}
		return
	}
	g.log.Info("A request was refused.", telemetry.EventKey, "RequestRefused", "callerIpAddress", addressText(r.Remote.Addr()), "responseCode", r.Status, "error", r.Err)
}

// TicketKeys returns what encrypts the sessions of TLS clients, for the process that takes over; see [Server.InheritTicketKeys].
func (s *Server) TicketKeys() ([]byte, error) {
	s.tickets.rotate(s.tls, s.gateway.now())
	return s.tickets.export()
}

// InheritTicketKeys lets clients resume sessions that they began with another process. It is called before ServeTLS.
func (s *Server) InheritTicketKeys(exported []byte) error { return s.tickets.inherit(s.tls, exported) }

// Serve serves plain HTTP until Shutdown; then it returns nil.
func (s *Server) Serve(l net.Listener) error { return served(s.http.Serve(s.behindProxies(l))) }

// ServeTLS serves HTTPS until Shutdown; then it returns nil. HTTP/3 comes with it where it is enabled.
func (s *Server) ServeTLS(l net.Listener) error {
	if s.http3 != nil {
		go s.serveHTTP3(l.Addr())
	}
	return served(s.http.Serve(tls.NewListener(http1.Direct(s.behindProxies(l)), s.tls)))
}

func served(err error) error {
	if errors.Is(err, http1.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown ends the listeners and waits for requests in flight until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { return s.Drain(ctx, 0) }

// Drain is [Server.Shutdown] for clients that must not notice: for a while, connections that wait for a request may bring one more.
func (s *Server) Drain(ctx context.Context, while time.Duration) error {
	s.drain.Do(func() { close(s.closing) })
	over := make(chan error, 2)
	go func() { over <- s.http2.Shutdown(ctx) }()
	go func() {
		if s.http3 == nil {
			over <- nil
			return
		}
		s.gateway.altSvc.Store(nil)
		over <- s.http3.Shutdown(ctx)
	}()
	return errors.Join(s.http.Drain(ctx, while), <-over, <-over)
}

// configFor makes the TLS configuration of one host name.
func (s *Server) configFor(name string) (*tls.Config, error) {
	c := s.tls.Clone()
	c.GetConfigForClient = nil
	pair := s.fallback
	spoken := protocols{server: s.gateway.serverTLS}
	services := s.gateway.services.Load()
	if f := services.fallback; f != nil {
		spoken = f.current.Load().trust.spoken
	}
	host, config := services.findHostname(name)
	if host != nil {
		spoken = config.trust.spoken
		if host.TLS10 {
			spoken.server.Enable("Tls10", true)
		}
		if host.TLS10 || host.TLS11 {
			spoken.server.Enable("Tls11", true)
		}
		if host.NegotiateClientCertificate {
			c.ClientAuth = tls.RequestClientCert
			resumeAsked(c)
		}
		if cert, ok := config.certificate(host.Certificate); ok {
			own, err := cert.keyPair()
			if err != nil {
				return nil, err
			}
			pair = own
		}
	}
	if pair == nil {
		return nil, fmt.Errorf("no certificate for host name %q", name)
	}
	spoken.server.apply(c)
	if spoken.http1Only || host != nil && !host.HTTP2 {
		c.NextProtos = []string{"http/1.1"}
	}
	c.Certificates = []tls.Certificate{*pair}
	return c, nil
}

// findHostname looks a server name up, exactly and then with its first label replaced by a wildcard. Clients that name none get the default one.
func (v *services) findHostname(name string) (*snapshot.Hostname, *config) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	_, parent, _ := strings.Cut(name, ".")
	for _, want := range [...]string{name, "*." + parent, "*"} {
		for _, s := range v.all {
			c := s.current.Load()
			if id, ok := c.hostnameIDs.first(want); ok {
				host, _ := c.hostnames.Get(id)
				return host, c
			}
		}
	}
	if name != "" {
		return nil, nil
	}
	for _, s := range v.all {
		if c := s.current.Load(); c.defaultHost != "" {
			host, _ := c.hostnames.Get(c.defaultHost)
			return host, c
		}
	}
	return nil, nil
}
