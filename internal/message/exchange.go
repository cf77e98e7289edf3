package message

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"time"
)

// Handler answers requests.
type Handler interface {
	// Serve answers the exchange and returns when that is done. It runs in the connection's or stream's goroutine.
	Serve(x Exchange)
}

// HandlerFunc is a function as a [Handler].
type HandlerFunc func(x Exchange)

// Serve calls f.
func (f HandlerFunc) Serve(x Exchange) { f(x) }

// Exchange is one request and its answer on a client's connection. Its methods belong to the handler's goroutine, except that the request body may
// be read and closed from another one (a transport does). Nothing of it may be used after it has finished.
type Exchange interface {
	// Context ends with the error [ErrClientGone] when the client has gone and with [ErrFinished] when the exchange has finished. It
	// implements [Watchable].
	Context() context.Context
	// Request is the request; the handler may change it.
	Request() *Request
	// Informational sends an interim answer (status 100 to 199 but 101) before the final one. Clients that know none are spared.
	Informational(status int, h *Header) error
	// Respond sends the answer: the head, then the body as far as the client takes it, until EOF. It closes the body in every case and takes
	// the response over: it is released after the finish. An error before the first byte (an [InvalidFieldError], a
	// [Memory] shorter than ContentLength) leaves the exchange unanswered, so that another answer can be sent; a body's error after it ends the connection without the last chunk, so that the client
	// sees the truncation, and is returned. A client that has gone gives [ErrClientGone]. Bodies of answers that have none (HEAD, 204, 304)
	// are closed unread. The head does not wait for a body that is not [Buffered], so that event streams begin at once. A response with a Tunnel is sent as Upgrade does, then bytes flow both ways until both sides have ended.
	Respond(r *Response) error
	// Upgrade sends the 101 answer and returns the client's raw connection, bytes that are buffered included. The caller closes it. Engines
	// and requests without upgrade return an error that wraps [errors.ErrUnsupported].
	Upgrade(r *Response) (net.Conn, error)
	// OnFinish registers a function that runs after the last byte and after Serve has returned, in the order of registration.
	OnFinish(f func(Result))
}

// Refused describes a request that an engine answered by itself, or a connection that it closed when Status is 0.
type Refused struct {
	Remote netip.AddrPort
	Status int
	Err    error
}

// Result says how an exchange ended.
type Result struct {
	// BytesIn and BytesOut count what belongs to this exchange on the wire, heads and framing included, TLS records not.
	BytesIn, BytesOut int64
	// FirstByte and Done are when the first byte of the final answer was written, zero if none was, and when the last one was.
	FirstByte, Done time.Time
	// Err is nil when the whole answer was sent: [ErrClientGone], a body's error or [ErrNotAnswered] otherwise.
	Err error
}

// AddrPort returns the IP address and port of a connection's end, the zero value when it has none. IPv4 in IPv6 becomes IPv4.
func AddrPort(a net.Addr) netip.AddrPort {
	end, ok := a.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.AddrPort{}
	}
	ap := end.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// Tunnel is a raw two-way connection after an upgrade.
type Tunnel interface {
	io.ReadWriteCloser
	// CloseWrite ends this side's direction and leaves the other one open, as far as the connection can.
	CloseWrite() error
}

// Transport sends requests to backend services. It is safe for concurrent use.
type Transport interface {
	// RoundTrip sends r and returns the final answer's head; the body is read afterwards. Every error is a [*BackendError].
	//
	// The request's strings must stay valid until the response's body has been closed or read to its end. r.Body is read as fast as the
	// backend service takes it, also after RoundTrip has returned, and closed by the transport in every case. The response's body must be
	// closed; its strings are valid until [Response.Release]. When ctx ends, RoundTrip and reads of the body fail with BackendCanceled.
	RoundTrip(ctx context.Context, r *Request, o TransportOptions) (*Response, error)
}

// TransportOptions are the conditions of one request to a backend service. Redirects are followed by callers, never by a transport.
type TransportOptions struct {
	// ConnectTimeout limits name look-up, connecting and the TLS handshake together; HeaderTimeout the time from the last byte of the request
	// (or, with a body, from its last progress) to the end of the response's head; IdleTimeout each wait for a part of the body. 0: no limit.
	ConnectTimeout, HeaderTimeout, IdleTimeout time.Duration
	// ContinueTimeout is how long a body waits for 100 Continue where the request says that it expects that; it fails when neither that nor the answer
	// comes. 0 sends the body at once, and so does HTTP/2.
	ContinueTimeout time.Duration
	// TLS is used for https. Connections are shared only between requests with the same pointer: keep one config per identity. An empty
	// ServerName becomes the URL's host. nil means the transport's default.
	TLS *tls.Config
	// Idempotent says that the request may be repeated on a new connection when a reused one turns out to be dead before any byte of the
	// answer, although its method is not idempotent.
	Idempotent bool
	// NoRetry forbids that repetition for every method. A reused connection that fails before a byte is written is replaced all the same.
	NoRetry bool
	// Proxy is a forward proxy that the request goes through; nil for none.
	Proxy *Proxy
	// Version says which versions of HTTP may be spoken. A transport that has only one version ignores it.
	Version HTTPVersion
	// OnInformational is called with each interim answer but 101, before RoundTrip returns. The header is valid during the call.
	OnInformational func(status int, h *Header)
}

// VerifyName makes a client's VerifyConnection see the name that it has asked for when that is an IP address: crypto/tls leaves it out because it is
// not sent. Transports call it with the config of one connection.
func VerifyName(c *tls.Config) {
	verify, name := c.VerifyConnection, c.ServerName
	if verify == nil {
		return
	}
	c.VerifyConnection = func(state tls.ConnectionState) error {
		state.ServerName = name
		return verify(state)
	}
}

// HTTPVersion is a choice of versions of HTTP towards a backend service.
type HTTPVersion uint8

// The choices.
const (
	HTTP1    HTTPVersion = iota // HTTP/1.1
	HTTP2or1                    // over TLS HTTP/2 if the backend service offers it; else HTTP/1.1
	HTTP2                       // HTTP/2, in the clear with prior knowledge
)

// Watchable is a context that tells a [Watcher] of its end without allocating; [context.AfterFunc] needs several objects for the same.
type Watchable interface {
	context.Context
	// Watch registers w. It returns false, and does not register, when the context has ended.
	Watch(w Watcher) bool
	// Unwatch removes w and returns whether its ContextDone was prevented. After false it is running or has run.
	Unwatch(w Watcher) bool
}

// Watcher is told that a context has ended.
type Watcher interface {
	// ContextDone is called once, from any goroutine, and must not block.
	ContextDone()
}
