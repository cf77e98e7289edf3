package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// serveTLS puts a world's gateway on a TLS listener.
func serveTLS(t *testing.T, w *world, server *gateway.Server) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.ServeTLS(listener) }()
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	return listener.Addr().String()
}

// shake makes a handshake and returns what came of it. It asks for the gateway's state so that tickets have arrived.
func shake(t *testing.T, address, name string, change func(*tls.Config)) (tls.ConnectionState, error) {
	t.Helper()
	c := &tls.Config{ServerName: name, InsecureSkipVerify: true} // the tests look at the certificate themselves
	if change != nil {
		change(c)
	}
	conn, err := tls.Dial("tcp", address, c)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if conn.ConnectionState().NegotiatedProtocol == "" {
		fmt.Fprint(conn, "GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			t.Errorf("answer %q, %v", answer, err)
		}
	}
	return conn.ConnectionState(), nil
}

func hostnameParts(t *testing.T, h snapshot.Hostname, certificate tls.Certificate) []snapshot.Part {
	t.Helper()
	h.Gateway, h.Certificate = "managed", "hostnames/h"
	return []snapshot.Part{
		mustPart(snapshot.KindCertificate, "hostnames/h", snapshot.Certificate{Name: "hostnames/h", PFX: encodePFX(t, certificate), Password: "pw"}),
		mustPart(snapshot.KindHostname, "hostnames/h", h),
	}
}

// TestTLSReplacesCertificates checks that a new certificate of a host name is shown to the next client, and that the default one is shown to clients
// without a name.
func TestTLSReplacesCertificates(t *testing.T) {
	t.Parallel()
	fallback := testCertificate(t, "fallback.test")
	w := newWorld(t)
	address := serveTLS(t, w, gateway.NewServer(w.gateway, gateway.ServerOptions{Fallback: &fallback}))
	for _, isDefault := range []bool{false, true} {
		own := testCertificate(t, "api.test")
		w.put(hostnameParts(t, snapshot.Hostname{Hostname: "api.test", Default: isDefault}, own)...)
		for name, want := range map[string]tls.Certificate{"api.test": own, "": map[bool]tls.Certificate{true: own, false: fallback}[isDefault]} {
			state, err := shake(t, address, name, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !state.PeerCertificates[0].Equal(want.Leaf) {
				t.Errorf("%q, default %v: certificate of %v", name, isDefault, state.PeerCertificates[0].DNSNames)
			}
		}
	}
}

// TestTLSVersions checks versions, cipher suites, key shares and ALPN that are agreed on.
func TestTLSVersions(t *testing.T) {
	t.Parallel()
	own := testCertificate(t, "api.test")
	w := newWorldWith(t, func(o *gateway.Options) {
		if _, err := o.ServerTLS.Allow("TLS_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"); err != nil {
			t.Fatal(err)
		}
	})
	address := serveTLS(t, w, gateway.NewServer(w.gateway, gateway.ServerOptions{Fallback: &own}))
	limit := func(version uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, version }
	}
	offer := func(protocols ...string) func(*tls.Config) {
		return func(c *tls.Config) { c.NextProtos = protocols }
	}
	w.put(hostnameParts(t, snapshot.Hostname{Hostname: "api.test", TLS11: true, HTTP2: true}, own)...)
	w.put(mustPart(snapshot.KindHostname, "hostnames/old", snapshot.Hostname{Gateway: "managed", Hostname: "old.test", TLS10: true}))
	f := func(name string, change func(*tls.Config), version, suite uint16, protocol string) {
		t.Helper()
		state, err := shake(t, address, name, change)
		switch {
		case version == 0 && err == nil:
			t.Errorf("%s: connected with %s", name, tls.VersionName(state.Version))
		case version == 0:
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case state.Version != version || suite != 0 && state.CipherSuite != suite || state.NegotiatedProtocol != protocol:
			t.Errorf("%s: %s, %s, %q", name, tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), state.NegotiatedProtocol)
		}
	}
	f("other.test", limit(tls.VersionTLS13), tls.VersionTLS13, 0, "")
	f("other.test", limit(tls.VersionTLS12), tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "")
	f("other.test", limit(tls.VersionTLS11), 0, 0, "")
	f("api.test", limit(tls.VersionTLS11), tls.VersionTLS11, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "")
	f("api.test", limit(tls.VersionTLS10), 0, 0, "")
	f("old.test", limit(tls.VersionTLS10), tls.VersionTLS10, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "")
	f("api.test", offer("h2", "http/1.1"), tls.VersionTLS13, 0, "h2")
	f("old.test", offer("h2", "http/1.1"), tls.VersionTLS13, 0, "http/1.1")
	f("api.test", offer("unknown"), 0, 0, "")
	if state, err := shake(t, address, "api.test", nil); err != nil || state.CurveID != tls.X25519MLKEM768 {
		t.Errorf("key share %v, %v", state.CurveID, err)
	}
	w.put(mustPart(snapshot.KindService, "", snapshot.Service{ID: serviceID, Name: "dev", Location: "here", KeyHashKey: hashKey, Protocols: map[string]string{
		"Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10": "true", "Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2": "false",
		"Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Ssl30": "true",
	}}))
	f("other.test", limit(tls.VersionTLS10), tls.VersionTLS10, 0, "")
	f("api.test", offer("h2", "http/1.1"), tls.VersionTLS13, 0, "http/1.1")
	if !strings.Contains(w.log.String(), "SSL 3.0") {
		t.Error("nothing is said of SSL 3.0")
	}
}

// TestTLSResumption checks that sessions are resumed, by the process that takes over too, and not for ever.
func TestTLSResumption(t *testing.T) {
	t.Parallel()
	own := testCertificate(t, "api.test")
	w := newWorld(t)
	first := gateway.NewServer(w.gateway, gateway.ServerOptions{Fallback: &own})
	second := gateway.NewServer(w.gateway, gateway.ServerOptions{Fallback: &own})
	addresses := []string{serveTLS(t, w, first), ""}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cache := tls.NewLRUClientSessionCache(10)
		resumed := func(address string) bool {
			t.Helper()
			state, err := shake(t, address, "api.test", func(c *tls.Config) { c.ClientSessionCache, c.MaxVersion = cache, version })
			if err != nil {
				t.Fatal(err)
			}
			return state.DidResume
		}
		if resumed(addresses[0]) || !resumed(addresses[0]) {
			t.Errorf("%s: no session was resumed", tls.VersionName(version))
		}
		if addresses[1] == "" {
			keys, err := first.TicketKeys()
			if err != nil {
				t.Fatal(err)
			}
			if err := second.InheritTicketKeys(keys); err != nil {
				t.Fatal(err)
			}
			addresses[1] = serveTLS(t, w, second)
		}
		if !resumed(addresses[1]) {
			t.Errorf("%s: the session was not resumed by another server", tls.VersionName(version))
		}
	}
	cache := tls.NewLRUClientSessionCache(10)
	resume := func() bool {
		state, err := shake(t, addresses[0], "api.test", func(c *tls.Config) {
			c.ClientSessionCache = cache
			c.Time = func() time.Time { return w.clock.Now() }
		})
		if err != nil {
			t.Fatal(err)
		}
		return state.DidResume
	}
	resume()
	w.clock.Advance(9 * time.Hour)
	if !resume() {
		t.Error("a session of yesterday's key was not resumed")
	}
	if err := second.InheritTicketKeys([]byte(`[{"key":"AAAA"}]`)); err == nil {
		t.Error("a short key was taken")
	}
}

// TestTLSResumptionAsksForCertificates checks that a host name that begins to ask clients for certificates asks those, too, that have a session from
// before, and that they resume the new one.
func TestTLSResumptionAsksForCertificates(t *testing.T) {
	t.Parallel()
	own, client := testCertificate(t, "api.test"), testCertificate(t, "client")
	w := newWorld(t)
	address := serveTLS(t, w, gateway.NewServer(w.gateway, gateway.ServerOptions{Fallback: &own}))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cache := tls.NewLRUClientSessionCache(10)
		for _, step := range []struct{ ask, asked, resumed bool }{{}, {resumed: true}, {ask: true, asked: true}, {ask: true, resumed: true}} {
			w.put(hostnameParts(t, snapshot.Hostname{Hostname: "api.test", NegotiateClientCertificate: step.ask}, own)...)
			asked := false
			state, err := shake(t, address, "api.test", func(c *tls.Config) {
				c.ClientSessionCache, c.MaxVersion = cache, version
				c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					asked = true
					return &client, nil
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if asked != step.asked || state.DidResume != step.resumed {
				t.Errorf("%s, %+v: asked %v, resumed %v", tls.VersionName(version), step, asked, state.DidResume)
			}
		}
	}
}

// authority makes certificates that it has signed.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{}
	a.certificate, a.key = signed(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true}, nil)
	return a
}

// signed makes a certificate, signed by an authority or by itself.
func signed(t *testing.T, template *x509.Certificate, by *authority) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(7), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf, key
}

func thumbprint(c *x509.Certificate) string { return fmt.Sprintf("%X", sha1.Sum(c.Raw)) }

// TestBackendTrust calls a backend service whose certificate is for 127.0.0.1 and was signed by an intermediate authority.
func TestBackendTrust(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "Root")
	middle := &authority{}
	middle.certificate, middle.key = signed(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Middle"}, IsCA: true, BasicConstraintsValid: true}, root)
	leaf, key := signed(t, &x509.Certificate{Subject: pkix.Name{CommonName: "backend"}, DNSNames: []string{"backend.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, middle)
	start := func(chain ...*x509.Certificate) string {
		backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") }))
		pair := tls.Certificate{PrivateKey: key}
		for _, c := range chain {
			pair.Certificate = append(pair.Certificate, c.Raw)
		}
		backend.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		backend.Config.ErrorLog = log.New(io.Discard, "", 0)
		backend.StartTLS()
		t.Cleanup(backend.Close)
		return backend.URL
	}
	whole, short := start(leaf, middle.certificate), start(leaf)
	s := newSystem(t, apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"), policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="b" />`)))
	client := httpClient(t)
	f := func(name, url string, check *snapshot.BackendTLS, want int) {
		t.Helper()
		s.put(t, mustPart(snapshot.KindBackend, "backends/b", snapshot.Backend{Name: "b", Protocol: "http", URL: url, TLS: check}))
		response, err := client.Get(s.url("/a"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: status %d", name, response.StatusCode)
		}
	}
	strict := func(change func(*snapshot.BackendTLS)) *snapshot.BackendTLS {
		b := &snapshot.BackendTLS{ValidateChain: true, ValidateName: true}
		change(b)
		return b
	}
	pinned := func(thumbprints ...string) *snapshot.BackendTLS {
		return strict(func(b *snapshot.BackendTLS) { b.Thumbprints = thumbprints })
	}
	named := func(name, issuer string) *snapshot.BackendTLS {
		return strict(func(b *snapshot.BackendTLS) { b.Identities = []snapshot.ServerIdentity{{Name: name, Issuer: issuer}} })
	}
	f("unknown authority", whole, nil, 500)
	f("unknown authority, chain not checked", whole, strict(func(b *snapshot.BackendTLS) { b.ValidateChain = false }), 200)
	f("thumbprint", whole, pinned("00", strings.ToLower(thumbprint(leaf))), 200)
	f("another thumbprint", whole, pinned(thumbprint(middle.certificate)), 500)
	f("name and issuer", whole, named("CN=backend", thumbprint(middle.certificate)), 200)
	f("DNS name and issuer", whole, named("backend.test", thumbprint(middle.certificate)), 200)
	f("name and another issuer", whole, named("backend", thumbprint(root.certificate)), 500)
	f("another name", whole, named("other", thumbprint(middle.certificate)), 500)
	f("name without issuer", whole, named("backend", ""), 500)
	s.put(t, mustPart(snapshot.KindPublicCertificate, "certificates/root", snapshot.PublicCertificate{Name: "root", DER: root.certificate.Raw}),
		mustPart(snapshot.KindAuthority, "gateways/managed/certificateauthorities/root", snapshot.Authority{Gateway: "managed", Certificate: "root", Trusted: true}))
	f("trusted authority", whole, nil, 200)
	f("trusted authority, chain incomplete", short, nil, 500)
	f("trusted authority, name without issuer", whole, named("backend", ""), 200)
	s.put(t, mustPart(snapshot.KindAuthority, "authorities/0", snapshot.Authority{Gateway: "managed", DER: middle.certificate.Raw}))
	f("the gateway knows the rest of the chain", short, nil, 200)
	s.put(t, mustPart(snapshot.KindAuthority, "gateways/managed/certificateauthorities/root", snapshot.Authority{Gateway: "managed", Certificate: "root"}))
	f("not trusted any more", whole, nil, 500)
	s.put(t, mustPart(snapshot.KindAuthority, "gateways/other/certificateauthorities/root", snapshot.Authority{Gateway: "other", Certificate: "root", Trusted: true}))
	f("trusted by another gateway", whole, nil, 500)
}
