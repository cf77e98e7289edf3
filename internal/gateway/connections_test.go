package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestProxyProtocol checks who the client is by the header of a load balancer, with TLS and without, and that others cannot send one.
func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	own := testCertificate(t, "api.test")
	parts := []snapshot.Part{
		apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"),
		policyPart(t, "apis/a", inbound(`<return-response><set-body>@(context.Request.IpAddress)</set-body></return-response>`)),
	}
	start := func(from string, secure bool) string {
		w := newWorld(t, parts...)
		networks, err := gateway.ParseNetworks(from)
		if err != nil {
			t.Fatal(err)
		}
		server := gateway.NewServer(w.gateway, gateway.ServerOptions{Fallback: &own, ProxyProtocol: networks})
		if secure {
			return serveTLS(t, w, server)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
		return listener.Addr().String()
	}
	ask := func(address, header string, secure bool) string {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		request := "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
		if secure {
			fmt.Fprint(conn, header)
			conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // the certificate is not what is tested
			header = ""
		}
		fmt.Fprint(conn, header+request)
		answer, _ := io.ReadAll(conn) // a reset is an answer, too
		return string(answer)
	}
	const header = "PROXY TCP4 192.0.2.77 192.0.2.2 5000 443\r\n"
	for _, secure := range []bool{false, true} {
		if answer := ask(start("127.0.0.0/8", secure), header, secure); !strings.HasSuffix(answer, "\r\n192.0.2.77") {
			t.Errorf("TLS %v: %q", secure, answer)
		}
	}
	if answer := ask(start("10.0.0.0/8", false), header, false); !strings.HasPrefix(answer, "HTTP/1.1 400") {
		t.Errorf("from somebody else: %q", answer)
	}
	if answer := ask(start("127.0.0.1", false), "", false); answer != "" {
		t.Errorf("without a header: %q", answer)
	}
}

// TestConnectionsAge checks that a connection to a backend service is not used for ever.
func TestConnectionsAge(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]int{time.Nanosecond: 3, time.Hour: 1} {
		backend := causewaytest.NewBackend(t, causewaytest.Answer{})
		transport := gateway.NewTransport(gateway.TransportLimits{MaxAge: age})
		for range 3 {
			u, err := message.ParseURL(backend.URL() + "/")
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(t.Context(), &message.Request{Method: "GET", URL: u}, message.TransportOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if resp.Body != nil {
				if _, err := message.ReadAll(resp.Body, 1<<20, -1); err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			}
			resp.Release()
		}
		if got := backend.Connections(); got != want {
			t.Errorf("age %v: %d connections", age, got)
		}
		_ = transport.Close()
	}
}

// TestBackPressure checks that a backend service is not read faster than the client reads.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	stuck, all := make(chan struct{}), make(chan struct{})
	const size = 256 << 20
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 64<<10)
		idle := time.AfterFunc(300*time.Millisecond, func() { close(stuck) })
		defer idle.Stop()
		for sent.Load() < size {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			sent.Add(int64(len(chunk)))
			if !idle.Reset(300 * time.Millisecond) {
				return // it has waited
			}
		}
		close(all)
	}))
	t.Cleanup(backend.Close)
	s := newSystem(t, apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: backend.URL}), operationPart("a", "get", "GET /"))
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprint(conn, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
	if line, err := bufio.NewReaderSize(conn, 16).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q, %v", line, err)
	}
	select {
	case <-stuck:
	case <-all:
		t.Fatal("everything left the backend service although the client reads nothing")
	}
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("%d MB are buffered on the way", n>>20)
	}
}
