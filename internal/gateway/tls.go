package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// certificate is a certificate of the service, decoded at its first use.
type certificate struct {
	part    snapshot.Certificate
	decode  sync.Once
	pair    *tls.Certificate
	err     error
	clients clientConfigs
}

// keyPair is the certificate with its private key and chain.
func (c *certificate) keyPair() (*tls.Certificate, error) {
	c.decode.Do(func() {
		key, leaf, chain, err := pkcs12.DecodeChain(c.part.PFX, c.part.Password)
		if err != nil {
			c.err = fmt.Errorf("decode certificate %s: %w", c.part.Name, err)
			return
		}
		c.pair = &tls.Certificate{PrivateKey: key, Leaf: leaf, Certificate: [][]byte{leaf.Raw}}
		for _, issuer := range chain {
			c.pair.Certificate = append(c.pair.Certificate, issuer.Raw)
		}
	})
	return c.pair, c.err
}

// certificate finds a certificate by name or thumbprint.
func (c *config) certificate(nameOrThumbprint string) (*certificate, bool) {
	id := strings.ToLower(nameOrThumbprint)
	if cert, ok := c.certificates.Get(id); ok {
		return cert, true
	}
	if id, ok := c.thumbprints.first(id); ok && nameOrThumbprint != "" {
		return c.certificates.Get(id)
	}
	return nil, false
}

// clientConfigs are the client TLS configurations of one certificate, or of
// none, by what they verify. A transport shares connections only between
// requests with the same pointer, so each exists once.
type clientConfigs [4]atomic.Pointer[tls.Config]

// get returns the configuration, made at its first use.
func (s *clientConfigs) get(anyChain, anyName bool, pair *tls.Certificate) *tls.Config {
	i := 0
	if anyChain {
		i |= 1
	}
	if anyName {
		i |= 2
	}
	if c := s[i].Load(); c != nil {
		return c
	}
	s[i].CompareAndSwap(nil, newClientConfig(anyChain, anyName, pair))
	return s[i].Load()
}

func newClientConfig(anyChain, anyName bool, pair *tls.Certificate) *tls.Config {
	const sessions = 64
	c := &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(sessions)}
	if pair != nil {
		c.Certificates = []tls.Certificate{*pair}
	}
	if anyChain || anyName { // the backend entity says so
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(state tls.ConnectionState) error { return verifyPeer(state, anyChain, anyName) }
	}
	return c
}

// verifyPeer checks what is left to check of a server's certificate.
func verifyPeer(state tls.ConnectionState, anyChain, anyName bool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	leaf := state.PeerCertificates[0]
	if !anyName {
		if err := leaf.VerifyHostname(state.ServerName); err != nil {
			return err
		}
	}
	if anyChain {
		return nil
	}
	options := x509.VerifyOptions{Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(options)
	return err
}

// tlsConfig returns the configuration for calls to a backend entity, or nil for
// the transport's own. A chosen certificate goes before the entity's; both may
// be nil.
func (s *service) tlsConfig(c *config, entity *snapshot.Backend, chosen *snapshot.Certificate) (*tls.Config, error) {
	var anyChain, anyName bool
	if entity != nil && entity.TLS != nil {
		anyChain, anyName = !entity.TLS.ValidateChain, !entity.TLS.ValidateName
	}
	cert, err := c.clientCertificate(entity, chosen)
	switch {
	case err != nil:
		return nil, err
	case cert != nil:
		pair, err := cert.keyPair()
		if err != nil {
			return nil, &policy.Error{Reason: policy.ReasonBackendConnection, Message: "The client certificate cannot be used: " + err.Error() + ".", Err: err}
		}
		return cert.clients.get(anyChain, anyName, pair), nil
	case anyChain || anyName:
		return s.clients.get(anyChain, anyName, nil), nil
	}
	return nil, nil
}

// clientCertificate is the certificate for a call, or nil for none.
func (c *config) clientCertificate(entity *snapshot.Backend, chosen *snapshot.Certificate) (*certificate, error) {
	if chosen != nil {
		if cert, ok := c.certificate(chosen.Name); ok && &cert.part == chosen {
			return cert, nil
		}
		return &certificate{part: *chosen}, nil // made by a policy, not of the configuration
	}
	if entity == nil || entity.Credentials == nil {
		return nil, nil
	}
	wanted := entity.Credentials.CertificateIDs
	if len(wanted) == 0 {
		wanted = entity.Credentials.Certificates
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	for _, name := range wanted {
		if cert, ok := c.certificate(name); ok {
			return cert, nil
		}
	}
	return nil, backendFailure("The client certificate of backend " + entity.Name + " does not exist.")
}
