package http2

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
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// ErrNotOffered is wrapped by the error of a request over TLS to a backend service that does not speak HTTP/2. Nothing was sent, and the request's
// body is still open, for another transport.
var ErrNotOffered = errors.New("backend service does not offer HTTP/2")

// Client sends requests to backend services over shared connections: with TLS where ALPN agrees on h2, in the clear with prior knowledge (RFC 9113,
// 3.3). It knows no forward proxies. Its fields are not changed after the first request.
type Client struct {
	// Dial opens connections; nil means a [net.Dialer] with its defaults. It resolves names.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is used for https when a request brings no config; nil means the defaults of crypto/tls with a session cache.
	TLS *tls.Config
	// MaxStreams limits the requests at once on a connection, beside what the backend service allows: 250 by default.
	MaxStreams int
	// IdleTimeout is how long a connection is kept without a request: 90 s by default.
	IdleTimeout time.Duration
	// MaxAge is how long a connection takes requests: names are looked up anew then. 0: any time.
	MaxAge time.Duration
	// KeepAlive is how long a backend service with open requests may be silent before it is pinged, and then again until it is given up: 30 s. One
	// that answers is asked again after five minutes: servers of gRPC take no more.
	KeepAlive time.Duration
	// WriteTimeout limits each write, and how long a backend service may take nothing of a request's body: 60 s; negative: none.
	WriteTimeout time.Duration
	// HeaderBytes and HeaderFields limit the head of a response: 128 KiB and 256 by default.
	HeaderBytes, HeaderFields int

	setUp      sync.Once
	defaultTLS *tls.Config
	buffers    buffers
	headers    sync.Pool // of *message.Header, for responses

	mu     sync.Mutex
	places map[place]*pool
	closed bool
}

var _ message.Transport = (*Client)(nil)

var errClientClosed = errors.New("transport is closed")

func (c *Client) start() {
	c.setUp.Do(func() {
		if c.Dial == nil {
			c.Dial = new(net.Dialer).DialContext
		}
		c.MaxStreams = cmp.Or(c.MaxStreams, 250)
		c.IdleTimeout = cmp.Or(c.IdleTimeout, 90*time.Second)
		c.KeepAlive = cmp.Or(c.KeepAlive, 30*time.Second)
		c.WriteTimeout = cmp.Or(c.WriteTimeout, 60*time.Second)
		c.HeaderBytes = cmp.Or(c.HeaderBytes, 128<<10)
		c.HeaderFields = cmp.Or(c.HeaderFields, 256)
		if c.defaultTLS = c.TLS; c.defaultTLS == nil {
			c.defaultTLS = &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(0)}
		}
		c.places = map[place]*pool{}
	})
}

// RoundTrip implements [message.Transport]. A request that the backend service has certainly not looked at (REFUSED_STREAM, or a stream above the
// last one of a GOAWAY) is repeated whatever its method, if its body can be sent again.
func (c *Client) RoundTrip(ctx context.Context, r *message.Request, o message.TransportOptions) (*message.Response, error) {
	c.start()
	response, err := c.roundTrip(ctx, r, o)
	if err != nil {
		if r.Body != nil && !errors.Is(err, ErrNotOffered) {
			_ = r.Body.Close()
		}
		return nil, err
	}
	return response, nil
}

func (c *Client) roundTrip(ctx context.Context, r *message.Request, o message.TransportOptions) (*message.Response, error) {
	if err := checkRequest(r); err != nil {
		return nil, err
	}
	repeatable := !o.NoRetry && (o.Idempotent || message.IsIdempotent(r.Method))
	body := keep(r.Body)
	for attempt := 1; ; attempt++ {
		conn, reused, err := c.connect(ctx, r, o)
		if err != nil {
			return nil, connectError(ctx, err)
		}
		response, failure, free := newCall(c, conn, r, body, o).do(ctx)
		if failure == nil {
			return response, nil
		}
		safe := failure.BytesSent == 0 || reused && repeatable && failure.Kind == message.BackendAborted && !failure.Answered
		if failure.Kind != message.BackendAborted || !safe || !free || attempt >= attempts(failure) || !rewind(body) {
			return nil, failure
		}
	}
}

// attempts is how often a request is sent that fails like this. A backend service that ends a connection after so many requests refuses all others that
// are on their way, and may do so again with the next connection.
func attempts(failure *message.BackendError) int {
	if errors.Is(failure, errAway) {
		return 10
	}
	return 3
}

var errTarget = errors.New("request cannot be sent: its method or target is malformed")

// checkRequest refuses what would not arrive as it is.
func checkRequest(r *message.Request) *message.BackendError {
	valid := message.ValidName(r.Method) && r.Method != "CONNECT" && r.URL.Host != "" && r.Header.Get("Upgrade") == ""
	for _, part := range [...]string{r.URL.Path, r.URL.RawQuery} {
		for i := 0; i < len(part); i++ {
			valid = valid && part[i] > ' ' && part[i] != 0x7f
		}
	}
	err := errTarget
	if valid {
		if err = r.Header.Validate(); err == nil && (r.URL.Path == "" || r.URL.Path[0] == '/' || r.URL.Path == "*") {
			return nil
		}
	}
	return &message.BackendError{Kind: message.RequestInvalid, Err: cmp.Or(err, errTarget)}
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

// place is what requests have to share to share connections.
type place struct {
	secure bool
	host   string
	port   int
	tls    *tls.Config
}

// connect returns a connection with a stream reserved, and whether it has been used before.
func (c *Client) connect(ctx context.Context, r *message.Request, o message.TransportOptions) (conn *clientConn, reused bool, err error) {
	at := place{secure: r.URL.Secure(), host: r.URL.Host, port: r.URL.EffectivePort()}
	if at.secure {
		if at.tls = o.TLS; at.tls == nil {
			at.tls = c.defaultTLS
		}
	}
	if o.ConnectTimeout > 0 {
		limited, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
		defer cancel()
		ctx = limited
	}
	p, err := c.pool(at)
	if err != nil {
		return nil, false, err
	}
	return p.reserve(ctx)
}

// pool returns the pool of a place, a new one if need be.
func (c *Client) pool(at place) (*pool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClientClosed
	}
	p := c.places[at]
	if p == nil {
		at.host = strings.Clone(at.host) // the request's strings end with it
		p = &pool{client: c, at: at, address: net.JoinHostPort(at.host, strconv.Itoa(at.port))}
		c.places[at] = p
	}
	return p, nil
}

// dial opens a connection to a place.
func (c *Client) dial(ctx context.Context, at *place, address string) (net.Conn, error) {
	conn, err := c.Dial(ctx, "tcp", address)
	if err != nil || !at.secure {
		return conn, err
	}
	config := at.tls.Clone()
	config.NextProtos = []string{"h2"}
	if config.ServerName == "" {
		config.ServerName = at.host
	}
	message.VerifyName(config)
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		const noProtocol = 120 // RFC 7301, 3.2: the alert no_application_protocol
		var alert tls.AlertError
		if errors.As(err, &alert) && alert == noProtocol {
			return nil, fmt.Errorf("%s: %w", address, ErrNotOffered)
		}
		return nil, fmt.Errorf("tls handshake with %s: %w", address, err)
	}
	if secured.ConnectionState().NegotiatedProtocol != "h2" {
		_ = secured.Close()
		return nil, fmt.Errorf("%s: %w", address, ErrNotOffered)
	}
	return secured, nil
}

// Close closes connections without requests and refuses further ones; those in flight finish.
func (c *Client) Close() error {
	c.start()
	c.mu.Lock()
	c.closed = true
	pools := make([]*pool, 0, len(c.places))
	for _, p := range c.places {
		pools = append(pools, p)
	}
	c.mu.Unlock()
	for _, p := range pools {
		p.close()
	}
	return nil
}
