package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// tlsConfigs keeps one client TLS configuration per identity: the transport
// shares connections only between requests with the same pointer.
type tlsConfigs struct {
	log *slog.Logger
	m   sync.Map // tlsIdentity → *tls.Config
}

// tlsIdentity is what makes connections to backend services differ.
type tlsIdentity struct {
	anyChain, anyName bool
	certificate       string // thumbprint
}

// tlsConfig returns the configuration for a backend entity (or nil) and a
// client certificate (or nil, then the entity's own one counts).
func (s *service) tlsConfig(entity *snapshot.Backend, cert *snapshot.Certificate, c *config) *tls.Config {
	var id tlsIdentity
	if entity != nil {
		if entity.TLS != nil {
			id.anyChain, id.anyName = !entity.TLS.ValidateChain, !entity.TLS.ValidateName
		}
		if cert == nil {
			cert = entityCertificate(entity, c)
		}
	}
	if cert != nil {
		id.certificate = cert.Thumbprint
	}
	if id == (tlsIdentity{}) {
		return nil
	}
	if t, ok := s.tls.m.Load(id); ok {
		return t.(*tls.Config)
	}
	t, _ := s.tls.m.LoadOrStore(id, s.tls.make(id, cert))
	return t.(*tls.Config)
}

func entityCertificate(entity *snapshot.Backend, c *config) *snapshot.Certificate {
	if entity.Credentials == nil {
		return nil
	}
	for _, list := range [][]string{entity.Credentials.CertificateIDs, entity.Credentials.Certificates} {
		for _, n := range list {
			if cert, ok := c.certificates.Get(strings.ToLower(n)); ok {
				return cert
			}
		}
	}
	return nil
}

func (t *tlsConfigs) make(id tlsIdentity, cert *snapshot.Certificate) *tls.Config {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case id.anyChain:
		out.InsecureSkipVerify = true // the backend entity says so
	case id.anyName:
		out.InsecureSkipVerify = true // replaced by a check of the chain alone
		out.VerifyConnection = verifyChainOnly
	}
	if cert == nil {
		return out
	}
	pair, err := decodePair(cert)
	if err != nil {
		t.log.Error("A client certificate cannot be used.", "certificate", cert.Name, "error", err)
		return out
	}
	out.Certificates = []tls.Certificate{*pair}
	return out
}

// verifyChainOnly checks a server's certificate chain and not its name.
func verifyChainOnly(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	options := x509.VerifyOptions{Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(options)
	return err
}
