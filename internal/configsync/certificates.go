package configsync

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// CertificateUse says what client certificates of gateways are good for.
type CertificateUse int

// The uses. The zero value looks at none.
const (
	CertificateIgnored    CertificateUse = iota
	CertificateOptional                  // one that is presented must fit the gateway of the token
	CertificateRequired                  // as well, and there must be one
	CertificateSufficient                // as optional, and one is as good as a token
)

// ClientCertificates is mutual TLS of gateways. A certificate holds for the gateways that it names: by a URI whose path ends in
// /gateways/NAME, or is the gateway's ARM ID, or where there is none by a DNS name or a common name that is the gateway's.
type ClientCertificates struct {
	Use CertificateUse
	// Roots are the authorities whose certificates are taken; called for each connection.
	Roots func() (*x509.CertPool, error)
}

// present returns the certificate that came with a request, nil for none.
func (c *ClientCertificates) present(r *http.Request, now time.Time) (*x509.Certificate, error) {
	if c == nil || c.Use == CertificateIgnored {
		return nil, nil
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		if c.Use == CertificateRequired {
			return nil, refused(codeCertificateRefused, errors.New("a client certificate is required here; see config.service.tls.certificatePath"))
		}
		return nil, nil
	}
	roots, err := c.Roots()
	if err != nil {
		return nil, fmt.Errorf("read the authorities of gateways: %w", err)
	}
	leaf := r.TLS.PeerCertificates[0]
	between := x509.NewCertPool()
	for _, c := range r.TLS.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return nil, refused(codeCertificateRefused, fmt.Errorf("the client certificate is not valid: %w", err))
	}
	return leaf, nil
}

// bind ties an identity to the certificate that it came with, which must name its gateway. Nil binds to none.
func (id Identity) bind(c *x509.Certificate) (Identity, error) {
	if c == nil {
		return id, nil
	}
	if !certifies(c, id.Service, id.Gateway) {
		return id, refused(codeCertificateRefused, fmt.Errorf("the client certificate is not that of gateway %s", id.Gateway))
	}
	id.CertificateExpiry = c.NotAfter
	return id, nil
}

// certifies says whether a certificate names a gateway.
func certifies(c *x509.Certificate, service, gateway string) bool {
	byURI := slices.ContainsFunc(c.URIs, namesGateway)
	for _, u := range c.URIs {
		p := strings.ToLower(u.Path)
		if p == "/gateways/"+gateway || p == service+"/gateways/"+gateway {
			return true
		}
	}
	is := func(name string) bool { return strings.EqualFold(name, gateway) }
	return !byURI && (slices.ContainsFunc(c.DNSNames, is) || is(c.Subject.CommonName))
}

func namesGateway(u *url.URL) bool {
	return strings.EqualFold(path.Base(path.Dir(u.Path)), "gateways")
}

// certified finds the gateway of a request that has nothing but a certificate.
func (s *Server) certified(r *http.Request, service string, c *x509.Certificate) (Identity, error) {
	no := func(text string, a ...any) (Identity, error) {
		return Identity{}, refused(codeCertificateRefused, fmt.Errorf(text, a...))
	}
	name := strings.ToLower(r.Header.Get(headerGateway))
	if at := strings.LastIndex(name, "/gateways/"); at >= 0 { // an ARM ID
		service, name = name[:at], name[at+len("/gateways/"):]
	}
	if name == "" {
		return no("the setting gateway.name is needed: a certificate may be that of several gateways")
	}
	all, err := s.Source.GatewayKeys(r.Context(), name)
	if err != nil {
		return Identity{}, fmt.Errorf("look up gateway %s: %w", name, err)
	}
	var found []Identity
	for _, k := range all {
		if (service == "" || service == k.Service) && certifies(c, k.Service, name) {
			found = append(found, Identity{Service: k.Service, Gateway: name, CertificateExpiry: c.NotAfter})
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return no("there is no gateway %s here that the client certificate names", name)
	}
	return no("the client certificate fits gateways %s of several services: name it by its resource ID", name)
}

// checkCertificate ends a connection whose certificate has expired; the gateway comes back with a newer one.
func (c *serverConn) checkCertificate() {
	at := c.id.CertificateExpiry
	if !at.IsZero() && !c.server.now().Before(at) {
		c.end(ending{code: closeCertificate, reason: "the client certificate expired at " + at.UTC().Format(time.RFC3339)})
	}
}

// checkWait is the time to the next look at the expiry of token and certificate.
func (c *serverConn) checkWait() time.Duration {
	now := c.server.now()
	wait := c.expiry.wait(now)
	if at := c.id.CertificateExpiry; !at.IsZero() {
		wait = min(wait, max(0, at.Sub(now)), heartbeatPeriod)
	}
	return wait
}

// gone says whether the gateway of a connection without a token is there no more. The service's own has no keys.
func (c *serverConn) gone(keys []GatewayKeys) bool {
	return c.id.Gateway != snapshot.ManagedGateway && !slices.ContainsFunc(keys, func(k GatewayKeys) bool { return k.Service == c.id.Service })
}

// check looks at the expiry of token and certificate.
func (c *serverConn) check(ctx context.Context) error {
	c.checkCertificate()
	return c.checkExpiry(ctx)
}
