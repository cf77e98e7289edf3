package gateway_test

import (
	"crypto/rand"
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
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestRevokedBackends calls backend services whose authority publishes a revocation list, with and without the check.
func TestRevokedBackends(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "Root")
	root.certificate, root.key = signed(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
	}, nil)
	var fetched atomic.Int64
	var revoked atomic.Bool
	lists := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
		if revoked.Load() {
			list.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: time.Now()}}
		}
		der, err := x509.CreateRevocationList(rand.Reader, list, root.certificate, root.key)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(der)
	}))
	t.Cleanup(lists.Close)
	backend := func(points ...string) string {
		leaf, key := signed(t, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, CRLDistributionPoints: points}, root)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") }))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}}}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server.URL
	}
	listed, unlisted := backend(lists.URL), backend()
	pool := x509.NewCertPool()
	pool.AddCert(root.certificate)
	world := func(check bool) func(url string, want int) {
		transport := &gateway.Transport{}
		t.Cleanup(func() { _ = transport.Close() })
		w := newWorldWith(t, func(o *gateway.Options) {
			o.Transport, o.Trust.Roots, o.Trust.CheckServers = transport, pool, check
			o.Trust.Revocations = auth.NewRevocations(http.DefaultClient, time.Now)
		}, apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"), policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="b" />`)))
		t.Cleanup(w.gateway.Close)
		return func(url string, want int) {
			t.Helper()
			w.put(mustPart(snapshot.KindBackend, "backends/b", snapshot.Backend{Name: "b", Protocol: "http", URL: url}))
			if x := w.do("GET http://dev.gateway.localhost/a"); x.status != want {
				t.Errorf("check %v, revoked %v: status %d, want %d", check, revoked.Load(), x.status, want)
			}
		}
	}
	unchecked, checked := world(false), world(true)
	unchecked(listed, 200)
	if fetched.Load() != 0 {
		t.Error("a list was fetched without the check")
	}
	checked(listed, 200)
	checked(listed, 200)
	if fetched.Load() != 1 {
		t.Errorf("the list was fetched %d times", fetched.Load())
	}
	checked(unlisted, 500) // what is not known is no approval
	revoked.Store(true)
	unchecked(listed, 200)
	world(true)(listed, 500)
}
