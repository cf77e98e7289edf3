package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// system is a gateway on real connections.
type system struct {
	gateway  *gateway.Gateway
	address  string
	snapshot *snapshot.Snapshot
	mu       sync.Mutex
}

// newSystem starts a gateway with parts.
func newSystem(tb testing.TB, parts ...snapshot.Part) *system {
	tb.Helper()
	client := &gateway.Transport{}
	s := &system{gateway: newGateway(tb, client, slog.New(slog.DiscardHandler), time.Now), snapshot: snapshot.Empty()}
	s.put(tb, append([]snapshot.Part{servicePart, policyPart(tb, "", defaultPolicy)}, parts...)...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.address = listener.Addr().String()
	server := gateway.NewServer(s.gateway, gateway.ServerOptions{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			tb.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			tb.Errorf("serve: %v", err)
		}
		s.gateway.Close()
		_ = client.Close()
	})
	return s
}

func (s *system) put(tb testing.TB, parts ...snapshot.Part) {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	next, delta := s.snapshot.Edit(s.snapshot.Sequence()+1, parts, nil)
	if err := s.gateway.Apply(tb.Context(), serviceID, s.snapshot, next, delta); err != nil {
		tb.Error(err)
	}
	s.snapshot = next
}

func (s *system) url(path string) string { return "http://" + s.address + path }

// within is a context for what should take no time.
func within(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

func httpClient(tb testing.TB) *http.Client {
	tr := &http.Transport{MaxIdleConnsPerHost: 16}
	tb.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestSystemStreams(t *testing.T) {
	t.Parallel()
	// The backend service echoes the body while it comes in.
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		_ = control.Flush()
		buf := make([]byte, 32<<10)
		for {
			n, err := r.Body.Read(buf)
			if _, werr := w.Write(buf[:n]); werr != nil || err != nil {
				return
			}
			_ = control.Flush()
		}
	}))
	t.Cleanup(backend.Close)
	s := newSystem(t, apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: backend.URL}), operationPart("a", "post", "POST /echo"))
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(within(t), "POST", s.url("/a/echo"), reader)
	if err != nil {
		t.Fatal(err)
	}
	response, err := httpClient(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	back := bufio.NewReader(response.Body)
	for i := range 3 { // each line comes back before the next one leaves
		line := fmt.Sprintf("line %d\n", i)
		if _, err := io.WriteString(writer, line); err != nil {
			t.Fatal(err)
		}
		if got, err := back.ReadString('\n'); err != nil || got != line {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	// Nobody reads the answer: the sender has to stop long before the end.
	var sent atomic.Int64
	const size = 256 << 20
	stalled := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		chunk := make([]byte, 64<<10)
		idle := time.AfterFunc(300*time.Millisecond, sync.OnceFunc(func() { close(stalled) }))
		for sent.Load() < size {
			if _, err := writer.Write(chunk); err != nil {
				done <- err
				return
			}
			sent.Add(int64(len(chunk)))
			idle.Reset(300 * time.Millisecond)
		}
		done <- errors.New("the whole body left although nobody read the answer")
	}()
	select {
	case <-stalled:
	case err := <-done:
		t.Fatal(err)
	}
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("%d MB are buffered on the way", n>>20)
	}
	_ = writer.CloseWithError(io.ErrUnexpectedEOF)
	<-done
}

func TestSystemClientLeaves(t *testing.T) {
	t.Parallel()
	arrived, gone := make(chan struct{}), make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(gone)
	}))
	t.Cleanup(backend.Close)
	s := newSystem(t, apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: backend.URL}), operationPart("a", "get", "GET /"))
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
	ctx := within(t)
	for _, next := range []<-chan struct{}{arrived, gone} {
		select {
		case <-next:
			conn.Close()
		case <-ctx.Done():
			t.Fatal("the backend service was not called, or not told that the client has gone")
		}
	}
}

// TestSystemSwap changes the configuration all the time while clients call: no
// request fails, and each sees one configuration.
func TestSystemSwap(t *testing.T) {
	t.Parallel()
	backend := causewaytest.NewBackend(t, causewaytest.Answer{Echo: true})
	base := apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: backend.URL(), SubscriptionRequired: true})
	state := func(n int) []snapshot.Part {
		set := func(name string) string {
			return inbound(fmt.Sprintf(`<set-header name=%q><value>%d</value></set-header>`, name, n))
		}
		return []snapshot.Part{
			policyPart(t, "apis/a", set("Api")), policyPart(t, "apis/a/operations/post", set("Operation")),
			mustPart(snapshot.KindOperation, "apis/a/operations/post", snapshot.Operation{API: "a", Name: "post", Display: fmt.Sprint(n), Method: "POST", URLTemplate: "/{id}"}),
			subscriptionPart("other", "", fmt.Sprint("key", n), nil),
		}
	}
	s := newSystem(t, append(state(0), base, subscriptionPart("s", "apis/a", "key", nil))...)
	client := httpClient(t)
	var clients sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	var served atomic.Int64
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				request, _ := http.NewRequestWithContext(t.Context(), "POST", s.url("/a/7"), strings.NewReader("hello"))
				request.Header.Set("Ocp-Apim-Subscription-Key", "key")
				response, err := client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				var api, operation string
				for line := range strings.Lines(string(body)) {
					if v, ok := strings.CutPrefix(line, "Api: "); ok {
						api = v
					}
					if v, ok := strings.CutPrefix(line, "Operation: "); ok {
						operation = v
					}
				}
				if err != nil || response.StatusCode != 200 || api != operation || api == "" || !strings.HasSuffix(string(body), "hello") {
					t.Errorf("%d %v: %s", response.StatusCode, err, body)
					return
				}
				served.Add(1)
			}
		})
	}
	for n := 1; n < 200 || served.Load() < 200; n++ {
		s.put(t, state(n)...)
		if t.Failed() {
			break
		}
	}
	cancel()
	clients.Wait()
}

func TestSystemThousandOperations(t *testing.T) {
	t.Parallel()
	backend := causewaytest.NewBackend(t, causewaytest.Answer{})
	parts := []snapshot.Part{apiPart(snapshot.API{ID: "big", Path: "big", ServiceURL: backend.URL()})}
	for i := range 1000 {
		parts = append(parts, operationPart("big", fmt.Sprintf("op%d", i), fmt.Sprintf("GET /r%d/{id}", i)))
	}
	s := newSystem(t, parts...)
	client := httpClient(t)
	for i := range 1000 {
		response, err := client.Get(s.url(fmt.Sprintf("/big/r%d/x", i)))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Fatalf("operation %d: %d", i, response.StatusCode)
		}
	}
	for i, r := range backend.Requests() {
		if want := fmt.Sprintf("/r%d/x", i); r.Target != want {
			t.Fatalf("got %s, want %s", r.Target, want)
		}
	}
}

func TestSystemWebSocket(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		reader := bufio.NewReader(conn)
		if request, err := http.ReadRequest(reader); err != nil || request.Header.Get("Upgrade") != "websocket" {
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(conn, reader)
	}()
	s := newSystem(t, apiPart(snapshot.API{ID: "ws", Path: "ws", Type: "websocket", Protocols: []string{"ws"}, ServiceURL: "ws://" + listener.Addr().String()}))
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nping")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 101 || response.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("got %v, %v", response, err)
	}
	var got [4]byte
	if _, err := io.ReadFull(reader, got[:]); err != nil || string(got[:]) != "ping" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSystemTLSNames(t *testing.T) {
	t.Parallel()
	fallback := testCertificate(t, "fallback.test")
	w := newWorld(t)
	for id, name := range map[string]string{"exact": "api.test", "wild": "*.wild.test", "foreign": "foreign.test"} {
		owner := "managed"
		if id == "foreign" {
			owner = "elsewhere"
		}
		w.put(mustPart(snapshot.KindCertificate, "hostnames/"+id, snapshot.Certificate{Name: id, PFX: encodePFX(t, testCertificate(t, name)), Password: "pw"}),
			mustPart(snapshot.KindHostname, "hostnames/"+id, snapshot.Hostname{Gateway: owner, Hostname: name, Certificate: "hostnames/" + id, NegotiateClientCertificate: id == "exact"}))
	}
	server := gateway.NewServer(w.gateway, gateway.ServerOptions{Fallback: &fallback})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.ServeTLS(listener) }()
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	for name, want := range map[string]string{
		"api.test": "api.test", "API.test": "api.test", "a.wild.test": "*.wild.test", "a.b.wild.test": "fallback.test", "foreign.test": "fallback.test", "other": "fallback.test",
	} {
		asked := false
		conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{
			ServerName: name, InsecureSkipVerify: true, // the test looks at the certificate itself
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				asked = true
				return &tls.Certificate{}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.ConnectionState().PeerCertificates[0].DNSNames[0]; got != want || asked != (want == "api.test") {
			t.Errorf("%s: certificate of %s, asked for a client certificate: %v", name, got, asked)
		}
		conn.Close()
	}
}
