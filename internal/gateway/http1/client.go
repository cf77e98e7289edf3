package http1

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// Client sends requests to backend services over pooled connections. Its fields are not changed after the first request.
type Client struct {
	// Dial opens connections; nil means a [net.Dialer] with its defaults (happy eyeballs, TCP keep-alive). It resolves names.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is used for https when a request brings no config; nil means the defaults of crypto/tls with a session cache.
	TLS *tls.Config
	// ProxyTLS is used with forward proxies that are reached over TLS; nil means the defaults of crypto/tls.
	ProxyTLS *tls.Config
	// MaxConns limits the connections to one place (scheme, host, port and TLS config); more requests wait. 0: no limit.
	MaxConns int
	// MaxIdle limits the idle connections kept for one place: 512 by default.
	MaxIdle int
	// IdleTimeout is how long a connection is kept idle: 90 s by default. It should be shorter than that of the backend services.
	IdleTimeout time.Duration
	// MaxAge is how long a connection is used at all: names are looked up anew then. 0: any time.
	MaxAge time.Duration
	// HeaderBytes and HeaderFields limit the head of a response: 128 KiB and 256 by default.
	HeaderBytes, HeaderFields int

	setUp      sync.Once
	defaultTLS *tls.Config
	calls      sync.Pool // of *call
	blocks     blocks

	// recent are some of places, for look-ups without a lock. They change under mu.
	recent [recentPools]atomic.Pointer[pool]

	mu     sync.Mutex
	places map[place]*pool
	closed bool
	ntlm   map[message.Proxy]bool // those that have asked for it
}

var _ message.Transport = (*Client)(nil)

var errClientClosed = errors.New("transport is closed")

func (c *Client) start() {
	c.setUp.Do(func() {
		if c.Dial == nil {
			c.Dial = new(net.Dialer).DialContext
		}
		c.MaxIdle = cmp.Or(c.MaxIdle, 512)
		c.IdleTimeout = cmp.Or(c.IdleTimeout, 90*time.Second)
		c.HeaderBytes = cmp.Or(c.HeaderBytes, 128<<10)
		c.HeaderFields = cmp.Or(c.HeaderFields, 256)
		if c.defaultTLS = c.TLS; c.defaultTLS == nil {
			c.defaultTLS = &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(0)}
		}
		c.places = map[place]*pool{}
		c.ntlm = map[message.Proxy]bool{}
	})
}

// RoundTrip implements [message.Transport].
func (c *Client) RoundTrip(ctx context.Context, r *message.Request, o message.TransportOptions) (*message.Response, error) {
	c.start()
	response, err := c.roundTrip(ctx, r, o)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	return response, nil
}

// roundTrip tries connections until one works or a failure is final. Only reused ones are given up silently: the backend service may close them
// whenever they are idle, which says nothing about its health.
func (c *Client) roundTrip(ctx context.Context, r *message.Request, o message.TransportOptions) (*message.Response, error) {
	if err := checkRequest(r); err != nil {
		return nil, err
	}
	repeatable := !o.NoRetry && (o.Idempotent || message.IsIdempotent(r.Method))
	const maxReused = 2
	for attempt := 0; ; attempt++ {
		conn, err := c.connect(ctx, r, o, attempt < maxReused, repeatable && mayRewind(r.Body))
		if err != nil {
			return nil, connectError(ctx, err)
		}
		reused := conn.requests > 0
		response, failure, free := c.newCall(conn, r, o).do(ctx)
		if failure == nil && response.Status == statusProxyAuth && conn.pool.at.isAbsolute() {
			if failure = c.refusedByProxy(conn, response); failure == nil && rewind(r.Body) {
				attempt = maxReused // on a new connection
				continue
			}
			return nil, cmp.Or(failure, &message.BackendError{Kind: message.BackendConnect, Err: errProxyBody, Answered: true})
		}
		if failure == nil {
			return response, nil
		}
		if !free || !reused || failure.Kind != message.BackendAborted || failure.Answered || failure.BytesSent > 0 && !repeatable || !rewind(r.Body) {
			return nil, failure
		}
	}
}

// mayRewind says whether a request with the body has a chance to be sent again.
func mayRewind(body message.Body) bool {
	_, ok := body.(message.Rewinder)
	return ok || body == nil
}

// rewind makes a body ready for another attempt.
func rewind(body message.Body) bool {
	if body == nil {
		return true
	}
	again, ok := body.(message.Rewinder)
	return ok && again.Rewind() == nil
}

// checkRequest refuses what would not arrive as one request.
func checkRequest(r *message.Request) *message.BackendError {
	valid := message.ValidName(r.Method) && r.Method != "CONNECT" && r.URL.Host != ""
	for _, part := range [...]string{r.URL.Path, r.URL.RawQuery} {
		for i := 0; i < len(part); i++ {
			valid = valid && part[i] > ' ' && part[i] != 0x7f
		}
	}
	if !valid || r.URL.Path != "" && r.URL.Path[0] != '/' && r.URL.Path != "*" {
		return &message.BackendError{Kind: message.RequestInvalid, Err: errTarget}
	}
	return nil
}

// connectError classifies why there is no connection.
func connectError(ctx context.Context, err error) *message.BackendError {
	kind := message.BackendConnect
	switch {
	case ctx.Err() != nil:
		kind, err = message.BackendCanceled, context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		kind = message.BackendTimeout
	}
	return &message.BackendError{Kind: kind, Err: err}
}

// place is what connections have to share to be exchangeable.
type place struct {
	secure bool
	host   string
	port   int
	tls    *tls.Config
	proxy  message.Proxy // zero for none
	tunnel bool          // through the proxy: it does not see the requests
}

// isAbsolute says whether requests go to a proxy as such.
func (p *place) isAbsolute() bool { return p.proxy.Host != "" && !p.tunnel }

// connect returns an idle connection if reuse is allowed and there is one, or a new one. repeatable requests may take a connection that was used a
// moment ago unseen.
func (c *Client) connect(ctx context.Context, r *message.Request, o message.TransportOptions, reuse, repeatable bool) (*clientConn, error) {
	at := place{secure: r.URL.Secure(), host: r.URL.Host, port: r.URL.EffectivePort()}
	if at.secure {
		if at.tls = o.TLS; at.tls == nil {
			at.tls = c.defaultTLS
		}
	}
	if o.Proxy != nil {
		at.proxy, at.tunnel = *o.Proxy, at.secure || r.Header.Has("Upgrade")
	}
	p, err := c.pool(at)
	if err != nil {
		return nil, err
	}
	if reuse {
		if conn := p.take(!repeatable); conn != nil {
			return conn, nil
		}
	}
	if o.ConnectTimeout > 0 {
		limited, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
		defer cancel()
		ctx = limited
	}
	return p.open(ctx, reuse)
}

// recentPools is a power of two.
const recentPools = 16

// slot is where the pool of a place is remembered.
func (c *Client) slot(at *place) *atomic.Pointer[pool] {
	i := at.port ^ len(at.host)
	if last := len(at.host) - 1; last >= 0 {
		i ^= int(at.host[last])
	}
	return &c.recent[i&(recentPools-1)]
}

// pool returns the pool of a place, a new one if need be.
func (c *Client) pool(at place) (*pool, error) {
	slot := c.slot(&at)
	if p := slot.Load(); p != nil && p.at == at {
		return p, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClientClosed
	}
	p := c.places[at]
	if p == nil {
		at.host = strings.Clone(at.host) // the request's strings end with it
		at.proxy = at.proxy.Detach()
		p = &pool{client: c, at: at, address: net.JoinHostPort(at.host, strconv.Itoa(at.port))}
		c.places[at] = p
		p.watch()
	}
	slot.Store(p)
	return p, nil
}

// forget drops a pool without connections and says whether that happened. A request that has just got it still works: its connection is closed
// when it comes back.
func (c *Client) forget(p *pool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened > 0 {
		return false
	}
	p.closed = true
	delete(c.places, p.at)
	c.slot(&p.at).CompareAndSwap(p, nil)
	return true
}

// dial opens a connection to a place. authorization is what a proxy is to be told with requests on it.
func (c *Client) dial(ctx context.Context, at *place, address string) (conn net.Conn, authorization string, err error) {
	if at.proxy.Host != "" {
		conn, authorization, err = c.dialProxy(ctx, at, address)
	} else {
		conn, err = c.Dial(ctx, "tcp", address)
	}
	if err == nil && at.secure {
		conn, err = secure(ctx, conn, at, address)
	}
	return conn, authorization, err
}

// secure begins TLS on a connection.
func secure(ctx context.Context, conn net.Conn, at *place, address string) (net.Conn, error) {
	config := at.tls.Clone()
	config.NextProtos = []string{"http/1.1"}
	if config.ServerName == "" {
		config.ServerName = at.host
	}
	message.VerifyName(config)
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("tls handshake with %s: %w", address, err)
	}
	return secured, nil
}

// Close closes idle connections and refuses further requests; those in flight finish.
func (c *Client) Close() error {
	c.start()
	c.mu.Lock()
	c.closed = true
	pools := make([]*pool, 0, len(c.places))
	for _, p := range c.places {
		pools = append(pools, p)
		c.slot(&p.at).Store(nil)
	}
	c.mu.Unlock()
	for _, p := range pools {
		p.close()
	}
	return nil
}
