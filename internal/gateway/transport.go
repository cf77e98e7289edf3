package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
)

// Transport sends requests to backend services in the version of HTTP that is asked for. The zero value is ready for use.
type Transport struct {
	http1 http1.Client
	http2 http2.Client

	mu      sync.Mutex
	without map[offer]time.Time // places without HTTP/2, and until when that is believed
}

var _ message.Transport = (*Transport)(nil)

// TransportLimits bound connections to backend services. A zero field means its default; see the clients of the engines.
type TransportLimits struct {
	// MaxConns limits the connections of HTTP/1.1 to one place, further requests wait: none. MaxIdle limits those that are kept idle: 512.
	MaxConns, MaxIdle int
	// IdleTimeout is how long a connection is kept idle: 90 s. MaxAge is how long one is used at all, so that a change of the name's addresses is
	// followed: 10 minutes.
	IdleTimeout, MaxAge time.Duration
	// ProxyRoots are the authorities of forward proxies that are reached over TLS: nil means the operating system's.
	ProxyRoots *x509.CertPool
}

// NewTransport returns a transport with limits.
func NewTransport(l TransportLimits) *Transport {
	const maxAge = 10 * time.Minute
	l.MaxAge = cmp.Or(l.MaxAge, maxAge)
	return &Transport{
		http1: http1.Client{
			MaxConns: l.MaxConns, MaxIdle: l.MaxIdle, IdleTimeout: l.IdleTimeout, MaxAge: l.MaxAge, ProxyTLS: &tls.Config{RootCAs: l.ProxyRoots},
		},
		http2: http2.Client{IdleTimeout: l.IdleTimeout, MaxAge: l.MaxAge},
	}
}

// offer is a place that was asked for HTTP/2.
type offer struct {
	host string
	port int
	tls  *tls.Config
}

// RoundTrip implements [message.Transport]. Upgrades and what goes through a forward proxy is HTTP/1.1 always.
func (t *Transport) RoundTrip(ctx context.Context, r *message.Request, o message.TransportOptions) (*message.Response, error) {
	if o.Version == message.HTTP1 || o.Proxy != nil || r.Header.Has("Upgrade") || o.Version == message.HTTP2or1 && !r.URL.Secure() {
		return t.http1.RoundTrip(ctx, r, o)
	}
	at := offer{r.URL.Host, r.URL.EffectivePort(), o.TLS}
	if o.Version == message.HTTP2or1 && t.isWithout(at) {
		return t.http1.RoundTrip(ctx, r, o)
	}
	resp, err := t.http2.RoundTrip(ctx, r, o)
	if !errors.Is(err, http2.ErrNotOffered) {
		return resp, err
	}
	if o.Version == message.HTTP2or1 {
		t.note(at)
		return t.http1.RoundTrip(ctx, r, o)
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return resp, err
}

// isWithout says whether a place was found without HTTP/2 not long ago.
func (t *Transport) isWithout(at offer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, known := t.without[at]
	return known && time.Now().Before(until)
}

// note remembers for a while that a place has no HTTP/2.
func (t *Transport) note(at offer) {
	const belief, most = 5 * time.Minute, 1000
	at.host = string([]byte(at.host)) // the request's strings end with it
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.without == nil || len(t.without) >= most {
		t.without = make(map[offer]time.Time)
	}
	t.without[at] = time.Now().Add(belief)
}

// Close closes idle connections and refuses further requests; those in flight finish.
func (t *Transport) Close() error { return errors.Join(t.http1.Close(), t.http2.Close()) }

// httpVersion is the choice that the attribute http-version of forward-request makes. gRPC needs HTTP/2.
func (r *request) httpVersion(attribute string) message.HTTPVersion {
	switch {
	case attribute == "2" || r.matched.api != nil && r.matched.api.isGRPC():
		return message.HTTP2
	case attribute == "2or1":
		return message.HTTP2or1
	}
	return message.HTTP1
}
