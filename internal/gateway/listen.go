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

	"software.sslmate.com/src/go-pkcs12"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Server puts a gateway on listeners.
type Server struct {
	gateway *Gateway
	http    http1.Server
	tls     *tls.Config
	pairs   sync.Map // thumbprint → *tls.Certificate
}

// NewServer returns a server for a gateway. fallback is the certificate for
// host names without one of their own.
func NewServer(g *Gateway, fallback *tls.Certificate) *Server {
	s := &Server{gateway: g}
	s.http = http1.Server{Handler: g, Now: g.now, Hooks: http1.Hooks{
		Refused: func(r http1.Refused) {
			g.log.Info("A request was refused.", telemetry.EventKey, "RequestRefused", "callerIpAddress", addressText(r.Remote), "responseCode", r.Status, "error", r.Err)
		},
		Panicked: func(value any, stack []byte) {
			g.log.Error("A request ended in a panic.", telemetry.EventKey, "Panic", "error", fmt.Sprint(value), "stack", string(stack))
		},
		HandshakeFailed: func(remote netip.AddrPort, err error) {
			g.log.Info("A TLS handshake failed.", telemetry.EventKey, "ClientHelloParsingFailed", "callerIpAddress", addressText(remote), "error", err)
		},
	}}
	s.tls = &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
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
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// configFor makes the TLS configuration of one host name.
func (s *Server) configFor(name string, fallback *tls.Certificate) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	host, config := s.findHostname(name)
	if host != nil {
		switch {
		case host.TLS10:
			c.MinVersion = tls.VersionTLS10
		case host.TLS11:
			c.MinVersion = tls.VersionTLS11
		}
		if host.NegotiateClientCertificate {
			c.ClientAuth = tls.RequestClientCert
		}
		if cert, ok := config.certificates.Get(strings.ToLower(host.Certificate)); ok {
			pair, err := s.pair(cert)
			if err != nil {
				return nil, err
			}
			c.Certificates = []tls.Certificate{*pair}
			return c, nil
		}
	}
	if fallback == nil {
		return nil, fmt.Errorf("no certificate for host name %q", name)
	}
	c.Certificates = []tls.Certificate{*fallback}
	return c, nil
}

// findHostname looks a server name up, exactly and then with its first label
// replaced by a wildcard.
func (s *Server) findHostname(name string) (*snapshot.Hostname, *config) {
	name = strings.ToLower(name)
	_, parent, _ := strings.Cut(name, ".")
	for _, sv := range s.gateway.services.Load().byID {
		c := sv.current.Load()
		for _, want := range [...]string{name, "*." + parent, "*"} {
			if h, ok := c.hostnames.Get(want); ok {
				return h, c
			}
		}
	}
	return nil, nil
}

// pair decodes a certificate once.
func (s *Server) pair(cert *snapshot.Certificate) (*tls.Certificate, error) {
	if p, ok := s.pairs.Load(cert.Thumbprint); ok {
		return p.(*tls.Certificate), nil
	}
	p, err := decodePair(cert)
	if err != nil {
		return nil, err
	}
	s.pairs.Store(cert.Thumbprint, p)
	return p, nil
}

// decodePair reads a PFX with its chain.
func decodePair(cert *snapshot.Certificate) (*tls.Certificate, error) {
	key, leaf, chain, err := pkcs12.DecodeChain(cert.PFX, cert.Password)
	if err != nil {
		return nil, fmt.Errorf("decode certificate %s: %w", cert.Name, err)
	}
	pair := &tls.Certificate{PrivateKey: key, Leaf: leaf, Certificate: [][]byte{leaf.Raw}}
	for _, c := range chain {
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	return pair, nil
}
