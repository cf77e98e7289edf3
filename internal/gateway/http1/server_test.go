package http1_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

func text(status int, body string) *message.Response {
	return &message.Response{Status: status, Body: message.StringBody(body), ContentLength: int64(len(body))}
}

// connect opens a raw connection to a server.
func connect(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, reader := connectIf(address)
	if conn == nil {
		t.Fatal("no connection to the server")
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, reader
}

// connectIf does so unless nobody listens.
func connectIf(address string) (net.Conn, *bufio.Reader) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, nil
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn, bufio.NewReader(conn)
}

// TestShutdown checks that idle connections end at once and requests in flight are answered.
func TestShutdown(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	server := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		if x.Request().URL.Path == "/slow" {
			close(started)
			<-release
		}
		_ = x.Respond(text(200, "done"))
	})}
	address := startServer(t, server)
	idle, idleReader := connect(t, address)
	say(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if head := readRequest(idleReader); strings.Contains(head, "Connection") {
		t.Errorf("head %q", head)
	}
	_, _ = idleReader.Discard(4)
	busy, busyReader := connect(t, address)
	say(busy, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-started
	ended := make(chan error, 1)
	go func() { ended <- server.Shutdown(t.Context()) }()
	if _, err := idleReader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("idle connection: %v", err)
	}
	if late, err := net.Dial("tcp", address); err == nil {
		_ = late.Close()
		t.Error("a new connection was accepted")
	}
	close(release)
	rest, err := io.ReadAll(busyReader)
	if err != nil || !strings.Contains(string(rest), "\r\nConnection: close\r\n") || !strings.HasSuffix(string(rest), "done") {
		t.Errorf("answer %q, %v", rest, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// TestShutdownLimit checks that a shutdown ends with its context.
func TestShutdownLimit(t *testing.T) {
	t.Parallel()
	started, results := make(chan struct{}), make(chan message.Result, 1)
	server := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { results <- r })
		close(started)
		<-x.Context().Done()
	})}
	conn, _ := connect(t, startServer(t, server))
	say(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("shutdown: %v", err)
	}
	if result := <-results; !errors.Is(result.Err, message.ErrClientGone) {
		t.Errorf("result %+v", result)
	}
}

func TestServerTimeouts(t *testing.T) {
	t.Parallel()
	refused := make(chan message.Refused, 1)
	bodies := make(chan error, 1)
	address := startServer(t, &http1.Server{
		Limits: http1.Limits{HeaderTimeout: 50 * time.Millisecond, IdleTimeout: 50 * time.Millisecond, BodyTimeout: 50 * time.Millisecond},
		Hooks:  http1.Hooks{Refused: func(r message.Refused) { refused <- r }},
		Handler: message.HandlerFunc(func(x message.Exchange) {
			if body := x.Request().Body; body != nil {
				_, err := message.ReadAll(body, 100, -1)
				bodies <- err
				_ = x.Respond(text(408, ""))
				return
			}
			_ = x.Respond(text(200, ""))
		}),
	})
	half, halfReader := connect(t, address)
	say(half, "GET / HTTP/1.1\r\nHo")
	if rest, err := io.ReadAll(halfReader); err != nil || !strings.HasPrefix(string(rest), "HTTP/1.1 408 ") {
		t.Errorf("half a head: %q, %v", rest, err)
	}
	if r := <-refused; r.Status != 408 || !r.Remote.IsValid() || !errors.Is(r.Err, message.ErrMalformed) {
		t.Errorf("refused %+v", r)
	}
	_, silent := connect(t, address)
	if rest, err := io.ReadAll(silent); err != nil || len(rest) > 0 {
		t.Errorf("silent connection: %q, %v", rest, err)
	}
	idle, idleReader := connect(t, address)
	say(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if rest, err := io.ReadAll(idleReader); err != nil || !strings.HasPrefix(string(rest), "HTTP/1.1 200 ") {
		t.Errorf("idle connection: %q, %v", rest, err)
	}
	slow, slowReader := connect(t, address)
	say(slow, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
	if rest, err := io.ReadAll(slowReader); err != nil || !strings.HasPrefix(string(rest), "HTTP/1.1 408 ") {
		t.Errorf("slow body: %q, %v", rest, err)
	}
	if err := <-bodies; err == nil || errors.Is(err, message.ErrClientGone) {
		t.Errorf("slow body: %v", err)
	}
}

// TestParkedConnection checks that a connection works after it has waited without a buffer.
func TestParkedConnection(t *testing.T) {
	t.Parallel()
	limits := http1.Limits{IdleTimeout: 400 * time.Millisecond}
	conn, r := connect(t, startServer(t, &http1.Server{Limits: limits, Handler: message.HandlerFunc(func(x message.Exchange) {
		_ = x.Respond(text(200, x.Request().URL.Path))
	})}))
	for _, path := range []string{"/before", "/after0"} {
		say(conn, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
		readRequest(r)
		b := make([]byte, len(path))
		if _, err := io.ReadFull(r, b); err != nil || string(b) != path {
			t.Errorf("body %q, %v", b, err)
		}
		<-time.After(limits.IdleTimeout / 4) // the server holds its buffer for an eighth
	}
}

// certificate makes a server certificate for example.test and a pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.test"}, DNSNames: []string{"example.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestTLS checks both sides over TLS: requests, reuse, identities and the end of a client.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, pool := certificate(t)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan netip.AddrPort, 4)
	waiting, gone := make(chan struct{}), make(chan struct{})
	server := &http1.Server{
		Hooks: http1.Hooks{HandshakeFailed: func(remote netip.AddrPort, _ error) { failed <- remote }},
		Handler: message.HandlerFunc(func(x message.Exchange) {
			r := x.Request()
			if r.TLS == nil || r.URL.Scheme != "https" {
				t.Error("the connection is not known as secure")
			}
			if r.URL.Path == "/wait" {
				close(waiting)
				<-x.Context().Done()
				close(gone)
				return
			}
			_ = x.Respond(text(200, r.RemoteAddr.String()))
		}),
	}
	go func() { _ = server.Serve(tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{cert}})) }()
	t.Cleanup(func() { _ = server.Close() })

	dialed := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, plain.Addr().String())
	}
	client := &http1.Client{Dial: dialed}
	t.Cleanup(func() { _ = client.Close() })
	to := message.URL{Scheme: "https", Host: "example.test"}
	one, two := &tls.Config{RootCAs: pool}, &tls.Config{RootCAs: pool}
	first, err := roundTrip(t, client, "GET", to, message.TransportOptions{TLS: one})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if again, err := roundTrip(t, client, "POST", to, message.TransportOptions{TLS: one}); again != first {
			t.Errorf("answer %q, %v: not the connection of %q", again, err, first)
		}
	}
	if other, err := roundTrip(t, client, "GET", to, message.TransportOptions{TLS: two}); err != nil || other == first {
		t.Errorf("answer %q, %v: identities share a connection", other, err)
	}
	_, err = roundTrip(t, client, "GET", to, message.TransportOptions{})
	wantFailure(t, err, message.BackendConnect)
	<-failed

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		to.Path = "/wait"
		_, err := client.RoundTrip(ctx, &message.Request{Method: "GET", URL: to}, message.TransportOptions{TLS: one})
		ended <- err
	}()
	<-waiting
	cancel()
	wantFailure(t, <-ended, message.BackendCanceled)
	<-gone
}

// TestSilentHandshake checks that a client of TLS that says nothing is given up.
func TestSilentHandshake(t *testing.T) {
	t.Parallel()
	cert, _ := certificate(t)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	server := &http1.Server{
		Handler: message.HandlerFunc(func(message.Exchange) { t.Error("a request came") }),
		Limits:  http1.Limits{HandshakeTimeout: 20 * time.Millisecond},
		Hooks:   http1.Hooks{HandshakeFailed: func(_ netip.AddrPort, err error) { failed <- err }},
	}
	go func() { _ = server.Serve(tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{cert}})) }()
	t.Cleanup(func() { _ = server.Close() })
	_, r := connect(t, plain.Addr().String())
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("handshake: %v", err)
	}
}

// TestPanic checks that a handler's bug is reported and ends its connection only.
func TestPanic(t *testing.T) {
	t.Parallel()
	panicked := make(chan any, 1)
	address := startServer(t, &http1.Server{
		Hooks: http1.Hooks{Panicked: func(value any, stack []byte) {
			if !strings.Contains(string(stack), "TestPanic") {
				t.Errorf("stack %s", stack)
			}
			panicked <- value
		}},
		Handler: message.HandlerFunc(func(message.Exchange) { panic("a bug") }),
	})
	conn, r := connect(t, address)
	say(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if rest, err := io.ReadAll(r); err != nil || !strings.HasPrefix(string(rest), "HTTP/1.1 500 ") || !strings.Contains(string(rest), "Connection: close") {
		t.Errorf("answer %q, %v", rest, err)
	}
	if value := <-panicked; value != "a bug" {
		t.Errorf("panicked with %v", value)
	}
}

// failing is a body that breaks after its first bytes.
type failing struct{ sent bool }

func (b *failing) Read(p []byte) (int, error) {
	if b.sent {
		return 0, errors.New("broken")
	}
	b.sent = true
	return copy(p, "part"), nil
}

func (b *failing) Close() error { return nil }

// TestResetUntilEnd checks that a client of HTTP/1.0, for which the end of the connection is the end of the body, learns that the body is not whole.
func TestResetUntilEnd(t *testing.T) {
	t.Parallel()
	conn, r := connect(t, startServer(t, &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		_ = x.Respond(&message.Response{Status: 200, Body: new(failing), ContentLength: -1})
	})}))
	say(conn, "GET / HTTP/1.0\r\n\r\n")
	if rest, err := io.ReadAll(r); err == nil {
		t.Errorf("%q looks complete", rest)
	}
}

// TestDate checks the field and that a handler's own one wins.
func TestDate(t *testing.T) {
	t.Parallel()
	address := startServer(t, &http1.Server{
		Now: func() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600)) },
		Handler: message.HandlerFunc(func(x message.Exchange) {
			resp := text(200, "")
			if x.Request().URL.Path == "/own" {
				resp.Header = message.NewHeader("date", "mine")
			}
			_ = x.Respond(resp)
		}),
	})
	conn, r := connect(t, address)
	for path, want := range map[string]string{"/": "Date: Tue, 03 Feb 2026 03:05:06 GMT\r\n", "/own": "date: mine\r\n"} {
		say(conn, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
		if head := readRequest(r); !strings.Contains(head, want) || strings.Count(strings.ToLower(head), "date:") != 1 {
			t.Errorf("%s: head %q", path, head)
		}
	}
}
