package configsync

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// tunnel is a forward proxy that knows CONNECT only.
func tunnel(t *testing.T) (*url.URL, *atomic.Int32) {
	var used atomic.Int32
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		used.Add(1)
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer far.Close()
		w.WriteHeader(http.StatusOK)
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer near.Close()
		go func() {
			_, _ = io.Copy(far, near)
			_ = far.Close()
		}()
		_, _ = io.Copy(near, far)
	}))
	t.Cleanup(hs.Close)
	u, err := url.Parse(hs.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u, &used
}

func TestTLSAndProxy(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	server := &Server{Source: p}
	hs := httptest.NewTLSServer(server)
	t.Cleanup(func() {
		server.Close()
		hs.Close()
	})
	host := strings.TrimPrefix(hs.URL, "https://") // https is what an endpoint without scheme means
	token := p.token(time.Now().Add(time.Hour), time.Now())
	roots := x509.NewCertPool()
	roots.AddCert(hs.Certificate())

	stranger := newGateway(t, host, token, nil).start()
	if st := stranger.state(StateWaiting); !strings.Contains(st.Reason, host+": tls: failed to verify certificate") {
		t.Errorf("reason %q", st.Reason)
	}
	for name, config := range map[string]*tls.Config{"roots": {RootCAs: roots}, "no check": {InsecureSkipVerify: true}} {
		g := newGateway(t, host, token, nil)
		g.Instance, g.TLS = name, config
		g.start().until(1)
	}
	proxy, used := tunnel(t)
	g := newGateway(t, host, token, nil)
	g.TLS, g.Proxy = &tls.Config{RootCAs: roots}, http.ProxyURL(proxy)
	g.start().until(1)
	if used.Load() != 1 {
		t.Errorf("the proxy was used %d times", used.Load())
	}
}

// TestRedirectIsNotFollowed: the token goes to the configured host only.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var leaked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Store(true) }))
	t.Cleanup(other.Close)
	hs := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(hs.Close)
	g := newGateway(t, hs.URL, "x", nil).start()
	if st := g.state(StateWaiting); !strings.Contains(st.Reason, "status 307") || leaked.Load() {
		t.Errorf("reason %q", st.Reason)
	}
}
