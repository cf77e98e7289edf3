package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Server puts a gateway on listeners.
type Server struct {
	gateway *Gateway
	http    http1.Server // accepts, and hands on what speaks HTTP/2
	http2   http2.Server
	tls     *tls.Config
}

// NewServer returns a server for a gateway. fallback is the certificate for
// host names without one of their own.
func NewServer(g *Gateway, fallback *tls.Certificate) *Server {
	s := &Server{gateway: g}
	refused := func(remote netip.AddrPort, status int, err error) {
		g.log.Info("A request was refused.", telemetry.EventKey, "RequestRefused", "callerIpAddress", addressText(remote.Addr()), "responseCode", status, "error", err)
	}
	panicked := func(value any, stack []byte) {
		g.log.Error("A request ended in a panic.", telemetry.EventKey, "Panic", "error", fmt.Sprint(value), "stack", string(stack))
	}
	s.http2 = http2.Server{Handler: g, Now: g.now, Hooks: http2.Hooks{
		Refused: func(r http2.Refused) { refused(r.Remote, r.Status, r.Err) }, Panicked: panicked,
	}}
	s.http = http1.Server{Handler: g, Now: g.now, HTTP2: s.http2.ServeConn, Hooks: http1.Hooks{
		Refused: func(r http1.Refused) { refused(r.Remote, r.Status, r.Err) }, Panicked: panicked,
		HandshakeFailed: func(remote netip.AddrPort, err error) {
			g.log.Info("A TLS handshake failed.", telemetry.EventKey, "ClientHelloParsingFailed", "callerIpAddress", addressText(remote.Addr()), "error", err)
		},
	}}
	s.tls = &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			return s.configFor(hello.ServerName, fallback)
		},
	}
	return s
}

// Serve serves plain HTTP until Shutdown; then it returns nil.
func (s *Server) Serve(l net.Listener) error { return served(s.http.Serve(l)) }

// ServeTLS serves HTTPS until Shutdown; then it returns nil.
func (s *Server) ServeTLS(l net.Listener) error {
	return served(s.http.Serve(tls.NewListener(l, s.tls)))
}

func served(err error) error {
	if errors.Is(err, http1.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown ends the listeners and waits for requests in flight until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	over := make(chan error, 1)
	go func() { over <- s.http2.Shutdown(ctx) }()
	return errors.Join(s.http.Shutdown(ctx), <-over)
}

// configFor makes the TLS configuration of one host name.
func (s *Server) configFor(name string, fallback *tls.Certificate) (*tls.Config, error) {
	c := s.tls.Clone()
	c.GetConfigForClient = nil
	pair := fallback
	if host, config := s.gateway.services.Load().findHostname(name); host != nil {
		switch {
		case host.TLS10:
			c.MinVersion = tls.VersionTLS10
		case host.TLS11:
			c.MinVersion = tls.VersionTLS11
		}
		if !host.HTTP2 {
			c.NextProtos = []string{"http/1.1"}
		}
		if host.NegotiateClientCertificate {
			c.ClientAuth = tls.RequestClientCert
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
	c.Certificates = []tls.Certificate{*pair}
	return c, nil
}

// findHostname looks a server name up, exactly and then with its first label
// replaced by a wildcard.
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
	return nil, nil
}
