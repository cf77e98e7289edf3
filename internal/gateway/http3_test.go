package gateway_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	h3 "github.com/quic-go/quic-go/http3"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// bothPorts opens a port of TCP and the one of UDP with the same number.
func bothPorts(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if socket, err := net.ListenPacket("udp", listener.Addr().String()); err == nil {
			return listener, socket
		}
		_ = listener.Close()
	}
	t.Fatal("no number is free for both")
	return nil, nil
}

// TestHTTP3 follows the announcement of HTTP/3: it leads to the same APIs, with the certificate of the host name.
func TestHTTP3(t *testing.T) {
	t.Parallel()
	backend := causewaytest.NewBackend(t, causewaytest.Answer{Echo: true})
	transport := &gateway.Transport{}
	g := newGateway(t, transport, slog.New(slog.DiscardHandler), time.Now)
	first, delta := snapshot.Empty().Edit(1, []snapshot.Part{
		servicePart, policyPart(t, "", defaultPolicy), apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: backend.URL()}), operationPart("a", "post", "POST /echo"),
		mustPart(snapshot.KindCertificate, "hostnames/own", snapshot.Certificate{Name: "own", PFX: encodePFX(t, testCertificate(t, "api.test")), Password: "pw"}),
		mustPart(snapshot.KindHostname, "hostnames/own", snapshot.Hostname{Gateway: "managed", Hostname: "api.test", Certificate: "hostnames/own"}),
	}, nil)
	if err := g.Apply(t.Context(), serviceID, nil, first, delta); err != nil {
		t.Fatal(err)
	}
	fallback := testCertificate(t, "fallback.test")
	server := gateway.NewServer(g, gateway.ServerOptions{Fallback: &fallback, HTTP3: gateway.HTTP3{Enabled: true, Port: 443}})
	listener, free := bothPorts(t)
	_ = free.Close()
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		g.Close()
		_ = transport.Close()
	})
	config := &tls.Config{ServerName: "api.test", InsecureSkipVerify: true} // the test looks at the certificate itself
	old := &http.Transport{TLSClientConfig: config}
	t.Cleanup(old.CloseIdleConnections)
	recent := &h3.Transport{TLSClientConfig: config}
	t.Cleanup(func() { _ = recent.Close() })
	post := func(over http.RoundTripper) *http.Response {
		request, err := http.NewRequestWithContext(within(t), "POST", "https://"+listener.Addr().String()+"/a/echo?q=1", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "api.test"
		response, err := over.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != 200 || !strings.HasSuffix(string(body), "hello") {
			t.Errorf("%s: %d %q, %v", response.Proto, response.StatusCode, body, err)
		}
		return response
	}
	for announced := ""; announced == ""; { // the UDP port opens beside
		announced = post(old).Header.Get("Alt-Svc")
		if announced != "" && announced != `h3=":443"; ma=3600` {
			t.Errorf("announced %s", announced)
		}
	}
	response := post(recent)
	if names := fmt.Sprint(response.TLS.PeerCertificates[0].DNSNames); response.Proto != "HTTP/3.0" || names != "[api.test]" {
		t.Errorf("%s with a certificate for %s", response.Proto, names)
	}
	if last := backend.Requests(); last[len(last)-1].Target != "/echo?q=1" {
		t.Errorf("the backend service was asked for %s", last[len(last)-1].Target)
	}
}

// TestHTTP3WaitsForItsPort checks that HTTP/3 begins when another process has left the port, and that shutting down does not wait for that.
func TestHTTP3WaitsForItsPort(t *testing.T) {
	t.Parallel()
	fallback := testCertificate(t, "fallback.test")
	w := newWorld(t)
	server := gateway.NewServer(w.gateway, gateway.ServerOptions{Fallback: &fallback, HTTP3: gateway.HTTP3{Enabled: true}})
	listener, taken := bothPorts(t)
	t.Cleanup(func() { _ = taken.Close() })
	go func() { _ = server.ServeTLS(listener) }()
	awaitLog(t, w, "HTTP/3 has to wait")
	if err := server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}
