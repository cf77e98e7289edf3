package http1_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// forwardProxy is a forward proxy that offers the given schemes, or asks for nothing.
type forwardProxy struct {
	offers []string
	mu     sync.Mutex
	seen   []string // method and target of what came, with the scheme of its credentials
}

type connState struct{ challenge, user string } // of a connection

type connKey struct{}

func startProxy(t *testing.T, offers ...string) (*forwardProxy, *message.Proxy) {
	t.Helper()
	p := &forwardProxy{offers: offers}
	s := httptest.NewUnstartedServer(p)
	s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, &connState{})
	}
	s.Start()
	t.Cleanup(s.Close)
	return p, parseProxy(t, s.URL)
}

func parseProxy(t *testing.T, url string) *message.Proxy {
	t.Helper()
	proxy, err := message.ParseProxy(url, `EXAMPLE\me`, "secret")
	if err != nil {
		t.Fatal(err)
	}
	return proxy
}

// ServeHTTP implements [http.Handler].
func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
	target := r.Host
	if r.Method != http.MethodConnect {
		target = r.RequestURI
	}
	p.mu.Lock()
	p.seen = append(p.seen, strings.TrimSpace(r.Method+" "+target+" "+scheme))
	p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if !p.admits(r.Context().Value(connKey{}).(*connState), scheme, token, w) {
		w.WriteHeader(http.StatusProxyAuthRequired)
		_, _ = io.WriteString(w, "who are you?")
		return
	}
	if r.Method == http.MethodConnect {
		p.connect(w, r)
		return
	}
	out, err := http.NewRequest(r.Method, r.RequestURI, strings.NewReader(string(body)))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// admits checks credentials, or says which ones are wanted.
func (p *forwardProxy) admits(c *connState, scheme, token string, w http.ResponseWriter) bool {
	raw, _ := base64.StdEncoding.DecodeString(token)
	for _, offer := range p.offers {
		switch {
		case c.user != "":
			return true
		case !strings.EqualFold(offer, scheme):
		case offer == "Basic":
			return string(raw) == `EXAMPLE\me:secret`
		case c.challenge == "":
			c.challenge = string(ntlmChallenge("01234567"))
			w.Header().Set("Proxy-Authenticate", offer+" "+base64.StdEncoding.EncodeToString([]byte(c.challenge)))
			return false
		case ntlmProves(raw, "01234567", "me", "EXAMPLE", "secret"):
			c.user = "me"
			return true
		}
	}
	for _, offer := range p.offers {
		w.Header().Add("Proxy-Authenticate", offer)
	}
	return len(p.offers) == 0
}

func (p *forwardProxy) connect(w http.ResponseWriter, r *http.Request) {
	up, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(up, conn); _ = up.Close() }()
	_, _ = io.Copy(conn, up)
	_ = conn.Close()
}

func (p *forwardProxy) list() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.seen, "; ")
}

// proxied is a backend service that is called through a proxy.
type proxied struct {
	url    message.URL
	client *http1.Client
}

func newProxied(t *testing.T, secure bool) proxied {
	t.Helper()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+r.RequestURI+" "+string(body)+r.Header.Get("Proxy-Authorization"))
	})
	s := httptest.NewUnstartedServer(h)
	c := &http1.Client{}
	if secure {
		s.StartTLS()
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		c.TLS = &tls.Config{RootCAs: roots}
	} else {
		s.Start()
	}
	t.Cleanup(func() { _ = c.Close(); s.Close() })
	u, err := message.ParseURL(s.URL + "/a?b=c")
	if err != nil {
		t.Fatal(err)
	}
	return proxied{u, c}
}

// post sends a body and returns what the backend service says.
func (b *proxied) post(t *testing.T, proxy *message.Proxy, body message.Body) (string, error) {
	t.Helper()
	r := &message.Request{Method: "POST", URL: b.url, Body: body, ContentLength: 2}
	resp, err := b.client.RoundTrip(t.Context(), r, message.TransportOptions{Proxy: proxy})
	if err != nil {
		return "", err
	}
	defer resp.Release()
	text, err := message.ReadAll(resp.Body, 1<<20, -1)
	return string(text), err
}

// TestProxy calls backend services twice through proxies that ask for different credentials.
func TestProxy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		secure bool
		offers []string
		want   string
	}{
		{"open", false, nil, "POST {url} Basic; POST {url} Basic"},
		{"basic", false, []string{"Basic"}, "POST {url} Basic; POST {url} Basic"},
		{"ntlm", false, []string{"NTLM"}, "POST {url} Basic; GET {root} NTLM; POST {url} NTLM; POST {url}"},
		{"negotiate", false, []string{"Negotiate"}, "POST {url} Basic; GET {root} NTLM; GET {root} Negotiate; POST {url} Negotiate; POST {url}"},
		{"tunnel", true, nil, "CONNECT {host} Basic"},
		{"tunnel basic", true, []string{"Basic"}, "CONNECT {host} Basic"},
		{"tunnel ntlm", true, []string{"Negotiate", "NTLM"}, "CONNECT {host} Basic; CONNECT {host} NTLM; CONNECT {host} NTLM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newProxied(t, c.secure)
			p, proxy := startProxy(t, c.offers...)
			for range 2 {
				got, err := b.post(t, proxy, message.BytesBody([]byte("hi")))
				if err != nil || got != "POST /a?b=c hi" {
					t.Fatalf("%q, %v", got, err)
				}
			}
			root, _, _ := strings.Cut(b.url.String(), "a?")
			want := strings.NewReplacer("{url}", b.url.String(), "{root}", root, "{host}", b.url.Authority()).Replace(c.want)
			if p.list() != want {
				t.Errorf("the proxy saw %s\nwant %s", p.list(), want)
			}
		})
	}
}

// TestSecureProxy calls backend services through a proxy that is reached over TLS, and through one whose certificate nobody trusts.
func TestSecureProxy(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		p := &forwardProxy{offers: []string{"Basic"}}
		s := httptest.NewUnstartedServer(p)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, &connState{})
		}
		s.StartTLS()
		t.Cleanup(s.Close)
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		b := newProxied(t, secure)
		if _, err := b.post(t, parseProxy(t, s.URL), message.BytesBody([]byte("hi"))); err == nil || !strings.Contains(err.Error(), "the proxy") {
			t.Errorf("secure %v, untrusted proxy: %v", secure, err)
		}
		trusting := newProxied(t, secure)
		trusting.client.ProxyTLS = &tls.Config{RootCAs: roots}
		for range 2 {
			got, err := trusting.post(t, parseProxy(t, s.URL), message.BytesBody([]byte("hi")))
			if err != nil || got != "POST /a?b=c hi" {
				t.Fatalf("secure %v: %q, %v", secure, got, err)
			}
		}
	}
}

// TestProxyRefuses wants every refusal of a proxy to be an error that says so, and never an answer to the client.
func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, user, want string
		secure           bool
		offers           []string
	}{
		{"no credentials", "", "asks for a user name", false, []string{"Basic"}},
		{"no credentials for a tunnel", "", "asks for a user name", true, []string{"NTLM"}},
		{"wrong", "you", "refuses the user name", false, []string{"Basic"}},
		{"wrong for a tunnel", "you", "refuses the user name", true, []string{"Basic"}},
		{"wrong with ntlm", "you", "refuses the user name", false, []string{"NTLM"}},
		{"wrong with ntlm for a tunnel", "you", "refuses the user name", true, []string{"NTLM"}},
		{"unknown scheme", "you", "refuses the user name", false, []string{"Digest"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newProxied(t, c.secure)
			_, proxy := startProxy(t, c.offers...)
			if proxy.Username = c.user; c.user == "" {
				proxy.Password = ""
			}
			_, err := b.post(t, proxy, message.BytesBody([]byte("hi")))
			failure := wantFailure(t, err, message.BackendConnect)
			if !strings.Contains(failure.Error(), c.want) || strings.Contains(failure.Error(), "secret") {
				t.Errorf("error %v", failure)
			}
		})
	}
}

// streamed is a body that comes once.
type streamed struct{ io.Reader }

func (streamed) Close() error { return nil }

// TestProxyNTLMStreams sends bodies that cannot be sent twice: the first one finds out that the proxy wants NTLM.
func TestProxyNTLMStreams(t *testing.T) {
	t.Parallel()
	b := newProxied(t, false)
	_, proxy := startProxy(t, "NTLM")
	_, err := b.post(t, proxy, streamed{strings.NewReader("hi")})
	wantFailure(t, err, message.BackendConnect)
	if got, err := b.post(t, proxy, streamed{strings.NewReader("hi")}); err != nil || got != "POST /a?b=c hi" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestProxyHangs wants the caller's end to end the talk with a proxy.
func TestProxyHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 10))
		cancel(message.ErrClientGone)
		_, _ = io.Copy(io.Discard, conn)
	}()
	proxy, err := message.ParseProxy("http://"+l.Addr().String(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	c := &http1.Client{}
	defer c.Close()
	_, err = c.RoundTrip(ctx, &message.Request{Method: "GET", URL: message.URL{Scheme: "https", Host: "x.test", Path: "/"}}, message.TransportOptions{Proxy: proxy})
	if failure := wantFailure(t, err, message.BackendCanceled); !errors.Is(failure, message.ErrClientGone) {
		t.Errorf("error %v", failure)
	}
}
