package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/causeway-apim/causeway/internal/auth"
)

// authority issues certificates and publishes a revocation list.
type authority struct {
	*httptest.Server
	clock *clock
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey

	mu      sync.Mutex
	signer  *ecdsa.PrivateKey // of the list
	revoked []int64
	fetched int
	broken  bool
}

func newAuthority(t *testing.T, c *clock) *authority {
	t.Helper()
	a := &authority{clock: c, key: ecKey(t, elliptic.P256())}
	a.signer = a.key
	a.cert = a.issue(t, 1, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "ca"}})
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *authority) issue(t *testing.T, serial int64, template *x509.Certificate) *x509.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(serial)
	template.NotBefore, template.NotAfter = a.clock.Now().Add(-time.Hour), a.clock.Now().Add(1000*time.Hour)
	parent := a.cert
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// chain is a certificate with that serial number and its issuer.
func (a *authority) chain(t *testing.T, serial int64, lists ...string) []*x509.Certificate {
	t.Helper()
	return []*x509.Certificate{a.issue(t, serial, &x509.Certificate{CRLDistributionPoints: lists}), a.cert}
}

func (a *authority) change(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

func (a *authority) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fetched++
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: a.clock.Now(), NextUpdate: a.clock.Now().Add(2 * time.Hour)}
	for _, serial := range a.revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: a.clock.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, &x509.Certificate{Raw: a.cert.Raw, RawSubject: a.cert.RawSubject, Subject: a.cert.Subject, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: a.cert.SubjectKeyId, PublicKey: a.signer.Public()}, a.signer)
	if err != nil || a.broken {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(der)
}

func TestRevocations(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := newAuthority(t, c)
	r := auth.NewRevocations(a.Client(), c.Now)
	good, bad := a.chain(t, 7, "ldap://nowhere", a.URL), a.chain(t, 8, a.URL)
	a.revoked = []int64{8}
	if err := r.Check(t.Context(), good); err != nil {
		t.Error(err)
	}
	if err := r.Check(t.Context(), bad); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("got %v", err)
	}
	if a.fetched != 1 {
		t.Errorf("%d fetches", a.fetched)
	}
	// An hour later the list is read again, while nobody waits; without an answer the old one is good to its end.
	a.change(func() { a.revoked = []int64{7} })
	c.add(time.Hour)
	for r.Check(t.Context(), good) == nil {
		runtime.Gosched() // ends with the time of the whole test
	}
	if err := r.Check(t.Context(), good); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("got %v", err)
	}
	a.change(func() { a.broken = true })
	c.add(90 * time.Minute)
	if err := r.Check(t.Context(), good); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("got %v", err)
	}
	c.add(time.Hour)
	if err := r.Check(t.Context(), good); err == nil || errors.Is(err, auth.ErrRevoked) {
		t.Errorf("out of date: %v", err)
	}
	// What is unknown is no approval.
	if err := r.Check(t.Context(), a.chain(t, 9)); err == nil || errors.Is(err, auth.ErrRevoked) {
		t.Errorf("no list: %v", err)
	}
	if err := r.Check(t.Context(), good[1:]); err != nil {
		t.Errorf("a root: %v", err)
	}
}

func TestRevocationListOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := newAuthority(t, c)
	a.signer = ecKey(t, elliptic.P256())
	if err := auth.NewRevocations(a.Client(), c.Now).Check(t.Context(), a.chain(t, 7, a.URL)); err == nil {
		t.Error("a list that somebody else has signed counts")
	}
}

// TestStaples: an answer of OCSP that the peer brings takes the place of the list, when it is valid.
func TestStaples(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := newAuthority(t, c)
	a.revoked = []int64{8}
	r := auth.NewRevocations(a.Client(), c.Now)
	staple := func(status int, serial int64, until time.Duration, signer *ecdsa.PrivateKey) []byte {
		t.Helper()
		der, err := ocsp.CreateResponse(a.cert, a.cert, ocsp.Response{
			Status: status, SerialNumber: big.NewInt(serial), ThisUpdate: c.Now().Add(-time.Hour), NextUpdate: c.Now().Add(until), RevokedAt: c.Now(),
		}, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	listed, unlisted := a.chain(t, 7, a.URL), a.chain(t, 9)
	for _, test := range []struct {
		name          string
		chain         []*x509.Certificate
		staple        []byte
		good, revoked bool
	}{
		{"good without a list", unlisted, staple(ocsp.Good, 9, time.Hour, a.key), true, false},
		{"revoked", listed, staple(ocsp.Revoked, 7, time.Hour, a.key), false, true},
		{"unknown: the list decides", listed, staple(ocsp.Unknown, 7, time.Hour, a.key), true, false},
		{"out of date", unlisted, staple(ocsp.Good, 9, -time.Minute, a.key), false, false},
		{"of another certificate", unlisted, staple(ocsp.Good, 7, time.Hour, a.key), false, false},
		{"of another issuer", unlisted, staple(ocsp.Good, 9, time.Hour, ecKey(t, elliptic.P256())), false, false},
		{"no answer at all", listed, []byte("x"), true, false},
		{"none, and the list says so", a.chain(t, 8, a.URL), nil, false, true},
	} {
		err := r.CheckStapled(t.Context(), test.chain, test.staple)
		if (err == nil) != test.good || errors.Is(err, auth.ErrRevoked) != test.revoked {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestRevocationListsAreFetchedOnce: many who need a list wait for one fetch, and nobody waits for one that has just failed.
func TestRevocationListsAreFetchedOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := newAuthority(t, c)
	r := auth.NewRevocations(a.Client(), c.Now)
	chain := a.chain(t, 7, a.URL)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := r.Check(t.Context(), chain); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	a.change(func() { a.broken = true })
	other := a.chain(t, 7, a.URL+"/other")
	for range 20 {
		if err := r.Check(t.Context(), other); err == nil {
			t.Error("a list that cannot be read is an approval")
		}
	}
	if a.fetched != 2 {
		t.Errorf("%d fetches", a.fetched)
	}
}
