package gateway

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// trust is whom a service trusts on this gateway and which protocols it speaks. It changes with the authorities and the custom properties only:
// connections to backend services are shared under one trust.
type trust struct {
	key           string // digest of what it is made of; empty when it is to be made
	policy        policy.Trust
	intermediates []*x509.Certificate
	spoken        protocols
	// plain says that it asks of backend services for nothing beyond the defaults of crypto/tls. Every request wants to know.
	plain bool
}

// trustFor makes the trust of a configuration, or returns that of the old one when nothing of it has changed.
func (g *Gateway) trustFor(c *config, old *config) *trust {
	t := &trust{policy: *g.trust, spoken: protocols{server: g.serverTLS, backend: g.backendTLS}}
	var roots []*x509.Certificate
	h := sha256.New()
	var ids []string
	c.authorities.each(func(id string, _ *snapshot.Authority) bool { ids = append(ids, id); return true })
	slices.Sort(ids)
	for _, id := range ids {
		a, _ := c.authorities.Get(id)
		der := a.DER
		if p, ok := c.publicCertificates.Get(a.Certificate); ok && der == nil {
			der = p.DER
		}
		authority, err := x509.ParseCertificate(der)
		if err != nil {
			g.log.Warn("A certificate authority cannot be used.", telemetry.EventKey, "AuthorityInvalid", "authority", id, "error", err)
			continue
		}
		if fmt.Fprintf(h, "%t %x\n", a.Trusted, der); a.Trusted {
			roots = append(roots, authority)
		} else {
			t.intermediates = append(t.intermediates, authority)
		}
	}
	var warnings []string
	if g.name == managedName {
		for _, name := range slices.Sorted(maps.Keys(c.service.Protocols)) {
			fmt.Fprintf(h, "%q=%q\n", name, c.service.Protocols[name])
		}
		t.spoken, warnings = t.spoken.withProperties(c.service.Protocols)
	}
	t.key = string(h.Sum(nil))
	if old != nil && old.trust.key == t.key {
		return old.trust
	}
	for _, w := range warnings {
		g.log.Warn("A custom property of the service has no effect: "+w+".", telemetry.EventKey, "ProtocolNotOffered", "service", c.service.Name)
	}
	t.policy.Intermediates = t.intermediates
	if len(roots) > 0 {
		t.policy.Roots = rootsOf(g.trust.Roots)
		for _, r := range roots {
			t.policy.Roots.AddCert(r)
		}
	}
	t.plain = t.isPlain()
	return t
}

// isPlain works plain out.
func (t *trust) isPlain() bool {
	b := t.spoken.backend.withDefaults()
	return t.policy.Roots == nil && !t.policy.CheckServers && t.intermediates == nil && b.Suites == nil && b.TLS12 && b.TLS13 && !b.TLS11 && !b.TLS10
}

// managedName is the name of the gateway that belongs to the service itself.
const managedName = "managed"

// rootsOf returns a copy of the authorities that are trusted anyway; nil stands for those of the operating system.
func rootsOf(roots *x509.CertPool) *x509.CertPool {
	if roots != nil {
		return roots.Clone()
	}
	if system, err := x509.SystemCertPool(); err == nil {
		return system
	}
	return x509.NewCertPool() // a machine without authorities
}

// verifier checks the certificates of backend services where the usual check is not enough, or is too much.
type verifier struct {
	trust             *trust
	anyChain, anyName bool
	pins              *snapshot.BackendTLS // nil: any certificate that is trusted
}

// verify implements [tls.Config.VerifyConnection].
func (v *verifier) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	leaf := state.PeerCertificates[0]
	if v.pins != nil {
		return v.verifyPins(&state)
	}
	if !v.anyName {
		if err := leaf.VerifyHostname(state.ServerName); err != nil {
			return err
		}
	}
	if v.anyChain {
		return nil
	}
	return v.verifyChain(&state)
}

// verifyChain accepts certificates that lead to an authority, and that nobody has revoked where that is looked at.
func (v *verifier) verifyChain(state *tls.ConnectionState) error {
	chains, err := state.PeerCertificates[0].Verify(v.trust.policy.VerifyOptions(state.PeerCertificates))
	if err != nil || !v.trust.policy.CheckServers {
		return err
	}
	for _, chain := range chains {
		if err = v.trust.policy.Revocations.CheckStapled(context.Background(), chain, state.OCSPResponse); err == nil {
			return nil
		}
	}
	return err
}

// verifyPins accepts a certificate that the backend entity names by its thumbprint, or by its name with that of its issuer.
func (v *verifier) verifyPins(state *tls.ConnectionState) error {
	chain := state.PeerCertificates
	leaf := chain[0]
	for _, t := range v.pins.Thumbprints {
		if hasThumbprint(leaf, t) {
			return nil
		}
	}
	for _, i := range v.pins.Identities {
		if !strings.EqualFold(leaf.Subject.CommonName, strings.TrimPrefix(i.Name, "CN=")) && leaf.VerifyHostname(i.Name) != nil {
			continue
		}
		if i.Issuer != "" {
			if issuedBy(chain, i.Issuer) {
				return nil
			}
			continue
		}
		if err := v.verifyChain(state); err == nil {
			return nil
		} else if errors.Is(err, auth.ErrRevoked) {
			return err
		}
	}
	return errors.New("the server's certificate is none of those that the backend entity names")
}

// issuedBy says whether a chain leads from its first certificate to one with a thumbprint, each signed by the next.
func issuedBy(chain []*x509.Certificate, thumbprint string) bool {
	for i := range chain[1:] {
		if chain[i].CheckSignatureFrom(chain[i+1]) != nil {
			return false
		}
		if hasThumbprint(chain[i+1], thumbprint) {
			return true
		}
	}
	return false
}

// hasThumbprint compares with SHA-1, as API Management shows it, or SHA-256 in hexadecimal digits.
func hasThumbprint(c *x509.Certificate, thumbprint string) bool {
	thumbprint = strings.ReplaceAll(thumbprint, ":", "")
	if len(thumbprint) == hex.EncodedLen(sha256.Size) {
		sum := sha256.Sum256(c.Raw)
		return strings.EqualFold(hex.EncodeToString(sum[:]), thumbprint)
	}
	sum := sha1.Sum(c.Raw)
	return strings.EqualFold(hex.EncodeToString(sum[:]), thumbprint)
}

// pinsOf returns what a backend entity says of acceptable certificates, nil when it says nothing, and a text that stands for it.
func pinsOf(b *snapshot.BackendTLS) (*snapshot.BackendTLS, string) {
	if b == nil || len(b.Thumbprints)+len(b.Identities) == 0 {
		return nil, ""
	}
	return b, fmt.Sprintf("%q %q", b.Thumbprints, b.Identities)
}

// putAuthority takes the authorities of this gateway; those of others are not its business.
func (e *edit) putAuthority(id string, a snapshot.Authority) {
	e.removeAuthority(id)
	if strings.EqualFold(a.Gateway, e.deployment.GatewayID) {
		e.authorities.set(id, &a)
		e.trust = &trust{}
	}
}

func (e *edit) removeAuthority(id string) {
	if _, ok := e.authorities.Get(id); ok {
		e.authorities.delete(id)
		e.trust = &trust{}
	}
}
