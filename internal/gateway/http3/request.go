package http3

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	h3 "github.com/quic-go/quic-go/http3"

	"github.com/causeway-apim/causeway/internal/message"
)

// refusal is a request that the engine answers by itself.
type refusal struct {
	status int
	reason string
}

func (e *refusal) Error() string { return fmt.Sprintf("%s (%d)", e.reason, e.status) }
func (e *refusal) Unwrap() error { return message.ErrMalformed }

// What is refused. Control characters, fields of HTTP/1.1 connections, and pseudo-fields that are missing or repeated have ended the stream before.
var (
	errField         = &refusal{400, "field is malformed"}
	errPath          = &refusal{400, "path is malformed"}
	errAuthority     = &refusal{400, "authority is malformed"}
	errScheme        = &refusal{400, "scheme is neither http nor https"}
	errTooMany       = &refusal{431, "head has too many fields"}
	errTargetTooLong = &refusal{414, "path is too long"}
	errConnect       = &refusal{405, "CONNECT is not supported"}
	errProtocol      = &refusal{501, "protocol of CONNECT is not supported"} // RFC 9220, 3
	errExpect        = &refusal{417, "expectation is not supported"}
)

// parse fills the request. It is strict: what the next server could take for something else is refused.
func (x *exchange) parse() *refusal {
	r, req := x.r, &x.req
	if r.Method == http.MethodConnect {
		if r.Proto != "HTTP/3.0" {
			return errProtocol
		}
		return errConnect
	}
	if err := x.parseFields(); err != nil {
		return err
	}
	target := r.RequestURI
	for i := 0; i < len(target); i++ {
		if c := target[i]; c <= ' ' || c == 0x7f || c == '#' {
			return errPath
		}
	}
	switch {
	case target == "" || target[0] != '/' && (target != "*" || r.Method != http.MethodOptions):
		return errPath
	case len(target) > x.server.limits.Target:
		return errTargetTooLong
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return errScheme
	}
	host, port, err := message.SplitAuthority(r.Host)
	if err != nil || host == "" {
		return errAuthority
	}
	req.Method, req.Target, req.Proto = r.Method, target, "HTTP/3.0"
	req.URL = message.URL{Scheme: "https", Host: host, Port: port}
	req.URL.Path, req.URL.RawQuery, _ = strings.Cut(target, "?")
	return nil
}

// parseFields takes the fields, Host first, where HTTP/1.1 has it.
func (x *exchange) parseFields() *refusal {
	header := &x.req.Header
	header.Add("host", x.r.Host)
	for _, name := range slices.Sorted(maps.Keys(x.r.Header)) {
		if name == "Host" {
			continue
		}
		lower := strings.ToLower(name)
		for _, value := range x.r.Header[name] {
			switch {
			case header.Len() >= x.server.limits.HeaderFields:
				return errTooMany
			case !message.ValidName(lower), !message.ValidValue(value), strings.Trim(value, " \t") != value:
				return errField
			case lower == "expect":
				if !message.EqualName(value, "100-continue") {
					return errExpect
				}
				x.expected = true
			case lower == "content-type" && strings.HasPrefix(value, "application/grpc"):
				x.grpc = !strings.HasPrefix(value, "application/grpc-web")
			}
			header.Add(lower, value)
		}
	}
	return nil
}

// parseBody finds out whether there is a body. Methods that usually have none and announce no length are asked for their first byte: otherwise each GET
// would seem to have a body of unknown length.
func (x *exchange) parseBody() error {
	r, req := x.r, &x.req
	body := &requestBody{x: x}
	switch {
	case r.ContentLength == 0:
		return nil
	case r.ContentLength > 0:
		req.Body, req.ContentLength = body, r.ContentLength
		return nil
	}
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		var first [1]byte
		n, err := body.Read(first[:])
		if n == 0 && err == io.EOF {
			return nil
		}
		if n == 0 {
			return err
		}
		body.first = first[:1]
	}
	req.Body, req.ContentLength = body, -1
	return nil
}

// requestBody is the body of a request. One goroutine reads it, any may close it.
type requestBody struct {
	x     *exchange
	first []byte // read already
	read  int64
	err   error
}

// Read implements [message.Body].
func (b *requestBody) Read(p []byte) (int, error) {
	x := b.x
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	if x.expected && !x.continued.Load() {
		if err := x.Informational(http.StatusContinue, nil); errors.Is(err, message.ErrAnswered) {
			return 0, message.ErrBodyClosed
		}
	}
	if !x.grpc {
		_ = x.control.SetReadDeadline(time.Now().Add(x.server.limits.BodyTimeout)) // fails on ended streams only: then Read says so
	}
	n, err := x.r.Body.Read(p)
	b.read += int64(n)
	x.bytesIn.Add(int64(n))
	if err != nil {
		b.err = b.failure(err)
	}
	return n, b.err
}

// failure turns an error of the stream into what handlers see.
func (b *requestBody) failure(err error) error {
	x := b.x
	var stream *h3.Error
	var late net.Error
	switch {
	case err == io.EOF:
		if b.x.r.ContentLength > 0 && b.read < b.x.r.ContentLength {
			return fmt.Errorf("%w: %w", message.ErrMalformed, message.ErrTruncated)
		}
		for _, name := range slices.Sorted(maps.Keys(x.r.Trailer)) {
			for _, value := range x.r.Trailer[name] {
				x.req.Trailer.Add(strings.ToLower(name), value)
			}
		}
		return io.EOF
	case x.closed.Load():
		return message.ErrBodyClosed
	case errors.As(err, &late) && late.Timeout() && x.r.Context().Err() == nil:
		return fmt.Errorf("%w: %w", message.ErrTooSlow, err)
	case errors.As(err, &stream) && !stream.Remote, x.r.Context().Err() == nil && stream == nil:
		return fmt.Errorf("%w: %w", message.ErrMalformed, err)
	}
	return message.ClientGone(err)
}

// Close implements [message.Body].
func (b *requestBody) Close() error {
	if !b.x.closed.Swap(true) {
		_ = b.x.control.SetReadDeadline(time.Unix(1, 0)) // wakes a Read
	}
	return nil
}
