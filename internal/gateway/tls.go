package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
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

// madeCertificates are certificates that policies make, not those of the configuration. Each exists once, however often it is made: decoding one
// takes long, and connections are shared between requests with the same one only.
type madeCertificates struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*certificate
}

// maxMadeCertificates bounds them: there are few, unless an expression makes them up.
const maxMadeCertificates = 1000

func (m *madeCertificates) get(part *snapshot.Certificate) *certificate {
	h := sha256.New()
	fmt.Fprintf(h, "%d ", len(part.Password))
	io.WriteString(h, part.Password)
	h.Write(part.PFX)
	digest := [sha256.Size]byte(h.Sum(nil))
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.known[digest]; known != nil {
		return known
	}
	if m.known == nil || len(m.known) >= maxMadeCertificates {
		m.known = make(map[[sha256.Size]byte]*certificate)
	}
	own := snapshot.Certificate{PFX: slices.Clone(part.PFX), Password: strings.Clone(part.Password)} // the request's bytes end with it
	made := &certificate{part: own}
	m.known[digest] = made
	return made
}

// clientConfigs are client TLS configurations by what they depend on. A transport shares connections only between requests with the same pointer,
// so each exists once. Reading takes no lock.
type clientConfigs struct {
	mu   sync.Mutex
	made atomic.Pointer[map[clientKey]*tls.Config]
}

// clientKey is what a client configuration depends on.
type clientKey struct {
	trust             *trust
	anyChain, anyName bool
	pins              string
}

// maxClientConfigs bounds those of one identity: there are as many as combinations in backend entities.
const maxClientConfigs = 1000

// get returns the configuration, made at its first use. pair is the same in all calls.
func (s *clientConfigs) get(key clientKey, pins *snapshot.BackendTLS, pair *tls.Certificate) *tls.Config {
	if made := s.made.Load(); made != nil {
		if c := (*made)[key]; c != nil {
			return c
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := make(map[clientKey]*tls.Config)
	if made := s.made.Load(); made != nil {
		if c := (*made)[key]; c != nil {
			return c
		}
		for k, c := range *made {
			if k.trust == key.trust && len(next) < maxClientConfigs { // what belongs to another trust is of the past
				next[k] = c
			}
		}
	}
	c := newClientConfig(key, pins, pair)
	next[key] = c
	s.made.Store(&next)
	return c
}

func newClientConfig(key clientKey, pins *snapshot.BackendTLS, pair *tls.Certificate) *tls.Config {
	const sessions = 64
	c := &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(sessions), RootCAs: key.trust.policy.Roots}
	key.trust.spoken.backend.apply(c)
	if pair != nil {
		c.Certificates = []tls.Certificate{*pair}
	}
	if key.anyChain || key.anyName || pins != nil || len(key.trust.intermediates) > 0 || key.trust.policy.CheckServers {
		c.InsecureSkipVerify = true // the verifier does what is left to do
		c.VerifyConnection = (&verifier{key.trust, key.anyChain, key.anyName, pins}).verify
	}
	return c
}

// tlsConfig returns the configuration for calls to a backend entity, or nil for the transport's own. A chosen certificate goes before the entity's;
// both may be nil.
func (s *service) tlsConfig(c *config, entity *snapshot.Backend, chosen *snapshot.Certificate) (*tls.Config, error) {
	if entity == nil && chosen == nil && c.trust.plain {
		return nil, nil
	}
	key := clientKey{trust: c.trust}
	var pins *snapshot.BackendTLS
	if entity != nil && entity.TLS != nil {
		key.anyChain, key.anyName = !entity.TLS.ValidateChain, !entity.TLS.ValidateName
		pins, key.pins = pinsOf(entity.TLS)
	}
	cert, err := s.clientCertificate(c, entity, chosen)
	if err != nil {
		return nil, err
	}
	if cert == nil && key == (clientKey{trust: c.trust}) && c.trust.plain {
		return nil, nil
	}
	if cert == nil {
		return s.clients.get(key, pins, nil), nil
	}
	pair, err := cert.keyPair()
	if err != nil {
		return nil, &policy.Error{Reason: policy.ReasonBackendConnection, Message: "The client certificate cannot be used: " + err.Error() + ".", Err: err}
	}
	return cert.clients.get(key, pins, pair), nil
}

// clientCertificate is the certificate for a call, or nil for none.
func (s *service) clientCertificate(c *config, entity *snapshot.Backend, chosen *snapshot.Certificate) (*certificate, error) {
	if chosen != nil {
		if cert, ok := c.certificate(chosen.Name); ok && &cert.part == chosen {
			return cert, nil
		}
		return s.made.get(chosen), nil
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
