// Package message is the contract between the protocol engines of the gateway and everything that works on requests and responses.
//
// Policies, matching and records see a [Request], a [Response] and an [Exchange]; only the engines (gateway/http1 and its siblings) know bytes on
// the wire. The rules that every engine keeps, and that package messagetest checks:
//
//   - Header fields keep their order, the case of their names and their duplicates, in both directions.
//   - Bodies are pulled: nobody reads, nothing moves. An engine buffers a bounded number of bytes, whatever the size of the body.
//   - The context of an exchange ends when its client has gone, also while the handler waits for a backend service.
//   - Strings of a message alias the engine's buffers. They are valid until the exchange finishes; what is kept longer (cache, one-way sends,
//     records) is copied with one of the Detach functions.
//   - [Exchange.OnFinish] functions run once, after the last byte and after the handler has returned.
//   - An engine owns the framing: it writes Content-Length, Transfer-Encoding and Connection itself and ignores what a message says there.
//     Other hop-by-hop fields (Keep-Alive, TE, Proxy-…) are the gateway's business.
package message

import (
	"crypto/tls"
	"net/netip"
	"strings"
	"time"
)

// Request is a request that came from a client or goes to a backend service.
type Request struct {
	// Method is the method as received, in its own case.
	Method string
	// Target is the request target exactly as received (origin, absolute or asterisk form). Engines that send a request use URL instead.
	Target string
	// Proto is the protocol version: "HTTP/1.0", "HTTP/1.1", "HTTP/2.0" …
	Proto string
	// URL is the effective URL: target, Host and scheme of the connection together. A transport connects to its Host and Port.
	URL URL
	// Header holds the fields in order, Host included. A transport that finds no Host field writes one from URL.
	Header Header
	// Body is nil when there is none. The reader closes it; a transport always does.
	Body Body
	// ContentLength is the size of Body in bytes, -1 when unknown, 0 when Body is nil.
	ContentLength int64
	// Trailer is complete after Body's EOF.
	Trailer Header

	// RemoteAddr and LocalAddr are the two ends of the client's connection; invalid when it has no IP addresses.
	RemoteAddr, LocalAddr netip.AddrPort
	// TLS describes the client's connection; nil on plain ones. It is shared by the requests of the connection: read only.
	TLS *tls.ConnectionState
	// Received is when the first byte of the request arrived.
	Received time.Time
}

// Response is the answer of a backend service or one made by the gateway.
type Response struct {
	// Status is the status code, 200 to 599, or 101 with a Tunnel. Interim answers go through [Exchange.Informational].
	Status int
	// Reason is the reason phrase; empty means the usual one of Status. Protocols without reasons ignore it.
	Reason string
	// Header holds the fields in order.
	Header Header
	// Body is nil when there is none.
	Body Body
	// ContentLength is the size of the body in bytes, -1 when unknown, 0 when Body is nil. In the answer to HEAD and in a 304 it is what the
	// Content-Length field says, -1 without one, though no body follows.
	ContentLength int64
	// Trailer is complete after Body's EOF; the maker of the body may fill it until then.
	Trailer Header
	// Tunnel is the raw connection behind a 101 answer to an upgrade request; nil otherwise.
	Tunnel Tunnel
	// Owner takes back what the strings of the response alias; set by transports.
	Owner Releaser
}

// Releaser takes back the memory of a message. See [Response.Release].
type Releaser interface{ Release() }

// Release gives the memory behind the response back to the transport that made it: afterwards nothing of it may be used. It is optional (the
// garbage collector frees what is not released) and must not be called for a response that was given to [Exchange.Respond], which takes it over.
func (r *Response) Release() {
	if owner := r.Owner; owner != nil {
		r.Owner = nil
		owner.Release()
	}
}

// Detach returns a copy of the request that owns all its strings, for use after the exchange has finished. The body is not copied: Body is nil and
// ContentLength 0. Use [ReadAll] first and set a [BytesBody] where it is needed.
func (r *Request) Detach() *Request {
	d := *r
	d.Method, d.Target, d.Proto = strings.Clone(r.Method), strings.Clone(r.Target), strings.Clone(r.Proto)
	d.URL = r.URL.Detach()
	d.Header, d.Trailer = r.Header.Detach(), r.Trailer.Detach()
	d.Body, d.ContentLength = nil, 0
	return &d
}

// Clone returns a copy that may be changed without changing r. Strings are shared, so it is valid only as long as r is; so is Body, which only one
// of the two may read.
func (r *Request) Clone() *Request {
	c := *r
	c.Header, c.Trailer = r.Header.Clone(), r.Trailer.Clone()
	return &c
}

// Detach returns a copy of the response that owns all its strings and has no body, tunnel or owner; ContentLength is kept.
func (r *Response) Detach() *Response {
	return &Response{
		Status: r.Status, Reason: strings.Clone(r.Reason), ContentLength: r.ContentLength,
		Header: r.Header.Detach(), Trailer: r.Trailer.Detach(),
	}
}

// IsIdempotent says whether repeating a request with the method has the effect of sending it once (RFC 9110, 9.2.2).
func IsIdempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}
