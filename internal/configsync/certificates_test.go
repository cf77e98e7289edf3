package configsync

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority issues certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.make(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, Subject: pkix.Name{CommonName: "authority"}, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) make(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour)
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// client issues the certificate of a client by its names: URIs, or a DNS name.
func (a *authority) client(name string, until time.Time) *tls.Certificate {
	template := &x509.Certificate{NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if u, err := url.Parse(name); err == nil && u.Scheme != "" {
		template.URIs = []*url.URL{u}
	} else if common, ok := strings.CutPrefix(name, "CN="); ok {
		template.Subject.CommonName = common
	} else {
		template.DNSNames = []string{name}
	}
	cert, key := a.make(template)
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// serveMutual serves a plane over TLS that looks at client certificates.
func serveMutual(t *testing.T, p *plane, a *authority, use CertificateUse) *testServer {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	s := &testServer{t: t, changes: make(chan Instance, 10_000)}
	s.Server = &Server{
		Source: p, Version: "9.9.9", Changed: func(_, _ string, i Instance) { s.changes <- i },
		Certificates: &ClientCertificates{Use: use, Roots: func() (*x509.CertPool, error) { return roots, nil }},
	}
	hs := httptest.NewUnstartedServer(s.Server)
	hs.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	hs.StartTLS()
	s.url = hs.URL
	t.Cleanup(func() {
		s.Close()
		hs.Close()
	})
	return s
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	p, a := newPlane(t), newAuthority(t)
	later := time.Now().Add(time.Hour)
	token := p.token(later, time.Now())
	const armID = "spiffe://contoso" + testService + "/gateways/Edge"
	for _, c := range []struct {
		name    string
		use     CertificateUse
		cert    *tls.Certificate
		token   string
		gateway string
		refused string // "" for a connection
	}{
		{"optional, without", CertificateOptional, nil, token, "", ""},
		{"optional, named by DNS", CertificateOptional, a.client("EDGE", later), token, "", ""},
		{"optional, another gateway's", CertificateOptional, a.client("core", later), token, "", "not that of gateway edge"},
		{"optional, alone", CertificateOptional, a.client("edge", later), "", "edge", "refused the token"},
		{"required, without", CertificateRequired, nil, token, "", "is required"},
		{"required, common name", CertificateRequired, a.client("CN=edge", later), token, "", ""},
		{"required, URI", CertificateRequired, a.client("spiffe://contoso/gateways/edge", later), token, "", ""},
		{"required, ARM ID", CertificateRequired, a.client(armID, later), token, "", ""},
		{"required, alone", CertificateRequired, a.client("edge", later), "", "edge", "refused the token"},
		{"required, another service's", CertificateRequired, a.client("spiffe://contoso/subscriptions/other/gateways/edge", later), token, "", "not that of gateway edge"},
		{"required, expired", CertificateRequired, a.client("edge", time.Now().Add(-time.Minute)), token, "", "not valid"},
		{"required, of a stranger", CertificateRequired, newAuthority(t).client("edge", later), token, "", "not valid"},
		{"sufficient, alone", CertificateSufficient, a.client("edge", later), "", "Edge", ""},
		{"sufficient, by ARM ID", CertificateSufficient, a.client(armID, later), "", testService + "/gateways/edge", ""},
		{"sufficient, a token", CertificateSufficient, nil, token, "", ""},
		{"sufficient, nothing", CertificateSufficient, nil, "", "edge", "refused the token"},
		{"sufficient, no such gateway", CertificateSufficient, a.client("core", later), "", "core", "no gateway core"},
		{"sufficient, no name", CertificateSufficient, a.client("edge", later), "", "", "gateway.name is needed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serveMutual(t, p, a, c.use)
			g := newGateway(t, s.url, c.token, nil)
			g.Gateway, g.TLS = c.gateway, &tls.Config{InsecureSkipVerify: true}
			if c.cert != nil {
				g.TLS.Certificates = []tls.Certificate{*c.cert}
			}
			g.start()
			if c.refused != "" {
				g.status("refused: "+c.refused, func(st Status) bool { return strings.Contains(st.Reason, c.refused) })
				return
			}
			g.until(1)
			i := s.instance("connected", func(i Instance) bool { return i.Status == StatusOK })
			if c.cert != nil && (i.CertificateExpiry == nil || !i.CertificateExpiry.Equal(c.cert.Leaf.NotAfter)) || i.ConnectedSince == nil || i.Address == "" {
				t.Errorf("instance %+v", i)
			}
		})
	}
}

// TestCertificateExpires: a connection does not outlive its certificate, and the next one presents what there is then.
func TestCertificateExpires(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]time.Duration{"while it is used": 2 * time.Second, "before it is used": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, a := newPlane(t), newAuthority(t)
			s := serveMutual(t, p, a, CertificateSufficient)
			short, long := a.client("edge", time.Now().Add(left)), a.client("edge", time.Now().Add(time.Hour))
			var renewed atomic.Bool
			g := newGateway(t, s.url, "", nil)
			g.Gateway = "edge"
			g.TLS = &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if renewed.Swap(true) {
					return long, nil
				}
				return short, nil
			}}
			g.start()
			g.status("the certificate expired", func(st Status) bool {
				return strings.Contains(st.Reason, "the client certificate expired at") || strings.Contains(st.Reason, "not valid") // before it was used, on a slow machine
			})
			s.instance("the new certificate", func(i Instance) bool {
				return i.CertificateExpiry != nil && i.CertificateExpiry.Equal(long.Leaf.NotAfter)
			})
		})
	}
}

// TestGatewayWithoutTokenIsDeleted: what signs in with a certificate, or as an application, ends with its gateway.
func TestGatewayWithoutTokenIsDeleted(t *testing.T) {
	t.Parallel()
	p, a := newPlane(t), newAuthority(t)
	s := serveMutual(t, p, a, CertificateSufficient)
	g := newGateway(t, s.url, "", nil)
	g.Gateway, g.TLS = "edge", &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{*a.client("edge", time.Now().Add(time.Hour))}}
	g.start().until(1)
	p.mu.Lock()
	p.keys = nil
	p.mu.Unlock()
	if err := s.Recheck(context.Background(), testService, "edge"); err != nil {
		t.Fatal(err)
	}
	g.state(StateTokenRefused)
}
