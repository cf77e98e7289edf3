package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/cache"
	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
)

// policyCatalogue is the catalogue of policies that every command uses.
func policyCatalogue() (*policy.Catalogue, error) { return policies.Catalogue() }

func gatewayCache(now func() time.Time) policy.Cache {
	return cache.NewMemory(cache.Options{Now: now})
}

// gatewayTrust is what a gateway validates tokens with and who it is itself, by
// the environment.
func gatewayTrust(now func() time.Time) (*policy.Trust, error) {
	client := noRedirects()
	identity, err := auth.Identity(os.Getenv, client, now)
	if err != nil {
		return nil, fmt.Errorf("set up the managed identity: %w", err)
	}
	return &policy.Trust{
		OpenID: auth.NewOpenID(client, now), Identity: identity, Revocations: auth.NewRevocations(revocationClient(), now), Tokens: new(auth.ValidTokens),
		Authority: strings.TrimSuffix(cmpOr(os.Getenv("AZURE_AUTHORITY_HOST"), auth.DefaultAuthority), "/"),
	}, nil
}

// noRedirects is the client for sources of keys, tokens and secrets.
func noRedirects() *http.Client {
	return &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		return fmt.Errorf("%s redirects, which a source of keys and tokens must not", r.URL.Host)
	}}
}

// revocationClient fetches revocation lists. Their addresses stand in certificates that an authority has signed which is trusted, so that those of
// private networks are good; nobody's list is where machines keep their own credentials.
func revocationClient() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		if at, err := netip.ParseAddrPort(address); err != nil || at.Addr().Unmap().IsLinkLocalUnicast() {
			return fmt.Errorf("%s is not an address of a revocation list", address)
		}
		return nil
	}}
	client := noRedirects()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = dialer.DialContext
	client.Transport = transport
	return client
}

// newInstanceID names this process: the host, so that people recognise it, and
// a few random characters, because containers may share one.
func newInstanceID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "gateway"
	}
	host, _, _ = strings.Cut(host, ".")
	return host + "-" + hex.EncodeToString(b[:])
}

// selfSigned is the certificate for host names that have none of their own. It
// lives in memory, for there may be no file system that can be written, and is
// made at each start.
func selfSigned(now time.Time) (*tls.Certificate, error) {
	ca, err := newLocalCA(now)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	return ca.issue(now, cmpOr(host, "localhost"), "localhost", "127.0.0.1", "::1")
}
