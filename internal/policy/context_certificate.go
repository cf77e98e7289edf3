package policy

import (
	"crypto/x509"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// clientCertificate is context.Request.Certificate: null when the client has presented none.
func (r *requestObject) clientCertificate() any {
	if r.Request.TLS == nil || len(r.Request.TLS.PeerCertificates) == 0 {
		return nil
	}
	presented := r.Request.TLS.PeerCertificates
	return clr.NewX509Certificate2(presented[0], nil, r.Host.Trust().VerifyOptions(presented))
}

// certificatesObject is context.Deployment.Certificates: the service's certificates by name. Thumbprints are found too.
type certificatesObject Exec

// Count is the number of certificates.
func (c *certificatesObject) Count() int { return len(c.Host.Certificates()) }

// Lookup gives the certificate of a name or thumbprint.
func (c *certificatesObject) Lookup(key any) (value any, ok bool) {
	name, _ := key.(string)
	if _, ok := c.Host.Certificate(name); !ok {
		return nil, false
	}
	pair, err := c.Host.KeyPair(name)
	if err != nil {
		csharp.Throw(cryptographicException, "The certificate '"+name+"' cannot be read.")
	}
	return clr.NewX509Certificate2(pair.Leaf, pair.PrivateKey, x509.VerifyOptions{Roots: c.Host.Trust().Roots}), true
}

// EachEntry yields the certificates by name.
func (c *certificatesObject) EachEntry(yield func(key, value any) bool) {
	for _, cert := range c.Host.Certificates() {
		value, ok := c.Lookup(cert.Name)
		if ok && !yield(cert.Name, value) {
			return
		}
	}
}
