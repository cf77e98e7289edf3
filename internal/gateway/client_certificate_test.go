package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestSystemClientCertificates sends a client certificate to the gateway, whose
// policies see it, and another one from there to a backend service.
func TestSystemClientCertificates(t *testing.T) {
	t.Parallel()
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.PeerCertificates[0].DNSNames[0], " ", r.Header.Get("X-Caller"))
	}))
	backend.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	backend.StartTLS()
	defer backend.Close()
	s := newSystem(t,
		mustPart(snapshot.KindHostname, "hostnames/h", snapshot.Hostname{Gateway: "managed", Hostname: "api.test", NegotiateClientCertificate: true}),
		mustPart(snapshot.KindCertificate, "certificates/out", snapshot.Certificate{Name: "out", PFX: encodePFX(t, testCertificate(t, "out.test")), Password: "pw"}),
		mustPart(snapshot.KindBackend, "backends/b", snapshot.Backend{Name: "b", Protocol: "http", URL: backend.URL, TLS: &snapshot.BackendTLS{}}),
		apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"),
		policyPart(t, "apis/a", inbound(`<validate-client-certificate validate-trust="false" validate-revocation="false"><identities><identity dns-name="caller.test" /></identities></validate-client-certificate>
			<set-header name="X-Caller"><value>@(context.Request.Certificate.GetNameInfo(X509NameType.DnsName, false) + context.Request.Certificate.VerifyNoRevocation() + context.Deployment.Certificates.Count)</value></set-header>
			<set-backend-service backend-id="b" /><authentication-certificate certificate-id="out" />`)))
	fallback := testCertificate(t, "api.test")
	server := gateway.NewServer(s.gateway, gateway.ServerOptions{Fallback: &fallback})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.ServeTLS(listener) }()
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	roots := x509.NewCertPool()
	roots.AddCert(fallback.Leaf)
	for _, test := range []struct {
		name   string
		status int
		body   string
	}{
		{"caller.test", 200, "out.test caller.testFalse1"},
		{"other.test", 403, `{"statusCode":403,"message":"Client certificate belongs to none of the allowed identities. Access denied."}`},
		{"", 403, `{"statusCode":403,"message":"Client certificate is not present. Access denied."}`},
	} {
		config := &tls.Config{RootCAs: roots, ServerName: "api.test"}
		if test.name != "" {
			config.Certificates = []tls.Certificate{testCertificate(t, test.name)}
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
		resp, err := client.Get("https://" + listener.Addr().String() + "/a")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		client.CloseIdleConnections()
		if resp.StatusCode != test.status || string(body) != test.body {
			t.Errorf("%q: %d %s", test.name, resp.StatusCode, body)
		}
	}
}
