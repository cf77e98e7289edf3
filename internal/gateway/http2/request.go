package http2

import (
	"fmt"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/causeway-apim/causeway/internal/message"
)

// refusal is a request that the engine does not hand on. Status 0 means that it is malformed, so that the stream is reset (RFC 9113, 8.1.1).
type refusal struct {
	status int
	reason string
}

func (e *refusal) Error() string {
	if e.status == 0 {
		return e.reason
	}
	return fmt.Sprintf("%s (%d)", e.reason, e.status)
}
func (e *refusal) Unwrap() error { return message.ErrMalformed }

// What is refused.
var (
	errPseudo        = &refusal{0, "pseudo-fields are missing, repeated, unknown or behind others"}
	errField         = &refusal{0, "field is malformed"}
	errConnection    = &refusal{0, "field belongs to connections of HTTP/1.1"}
	errMethod        = &refusal{0, "method is malformed"}
	errPath          = &refusal{0, "path is malformed"}
	errAuthority     = &refusal{0, "authority is missing, malformed or not that of Host"}
	errContentLength = &refusal{0, "Content-Length is malformed, repeated or not that of the body"}
	errTooLarge      = &refusal{431, "head is too large"}
	errTargetTooLong = &refusal{414, "path is too long"}
	errConnect       = &refusal{405, "CONNECT is not supported"}
	errExpect        = &refusal{417, "expectation is not supported"}
)

// pseudo are the fields of a request that HTTP/1.1 has in its first line.
type pseudo struct{ method, scheme, authority, path string }

// take notes one of them; each may be there once.
func (p *pseudo) take(f hpack.HeaderField) bool {
	at := &p.method
	switch f.Name {
	case ":method":
	case ":scheme":
		at = &p.scheme
	case ":authority":
		at = &p.authority
	case ":path":
		at = &p.path
	default:
		return false
	}
	if *at != "" || f.Value == "" {
		return false
	}
	*at = f.Value
	return true
}

// parse fills the request from its head. It is strict: what the next server could take for something else is refused.
func (x *exchange) parse(h *head) *refusal {
	if h.tooLarge {
		return errTooLarge
	}
	var p pseudo
	list := h.list
	for len(list) > 0 && strings.HasPrefix(list[0].Name, ":") {
		if !p.take(list[0]) {
			return errPseudo
		}
		list = list[1:]
	}
	// Host comes first, where HTTP/1.1 has it; ours is the authority, if there is one.
	x.req.Header.Add("host", p.authority)
	for _, f := range list {
		if err := x.parseField(f, &p); err != nil {
			return err
		}
	}
	if err := x.parseTarget(&p); err != nil {
		return err
	}
	if h.end && x.length > 0 {
		return errContentLength
	}
	return nil
}

// parseField takes one regular field.
func (x *exchange) parseField(f hpack.HeaderField, p *pseudo) *refusal {
	if strings.HasPrefix(f.Name, ":") {
		return errPseudo
	}
	if !validReceived(f) {
		return errField
	}
	header := &x.req.Header
	switch fieldKind(f.Name) {
	case fieldHost:
		if p.authority == "" {
			p.authority = f.Value
			header.Set("host", f.Value)
		} else if !strings.EqualFold(p.authority, f.Value) {
			return errAuthority
		}
		return nil
	case fieldConnection:
		return errConnection
	case fieldTE:
		if f.Value != "trailers" {
			return errConnection
		}
	case fieldLength:
		n, ok := parseLength(f.Value)
		if !ok || x.length >= 0 {
			return errContentLength
		}
		x.length = n
	case fieldExpect:
		if !message.EqualName(f.Value, "100-continue") {
			return errExpect
		}
		x.expected = true
	case fieldCookie:
		// RFC 9113, 8.2.3: the parts of a cookie come together for everything that is not HTTP/2.
		if first, found := header.Lookup("cookie"); found {
			header.Set("cookie", first+"; "+f.Value)
			return nil
		}
	case fieldOther:
		if f.Name == "content-type" && strings.HasPrefix(f.Value, "application/grpc") {
			x.grpc = !strings.HasPrefix(f.Value, "application/grpc-web")
		}
	}
	header.Add(f.Name, f.Value)
	return nil
}

// parseTarget makes the URL. The scheme is that of the connection: a client's word does not make it secure.
func (x *exchange) parseTarget(p *pseudo) *refusal {
	req := &x.req
	if !message.ValidName(p.method) {
		return errMethod
	}
	if p.method == "CONNECT" {
		return errConnect
	}
	if p.scheme != "http" && p.scheme != "https" || p.path == "" {
		return errPseudo
	}
	for i := 0; i < len(p.path); i++ {
		if c := p.path[i]; c <= ' ' || c == 0x7f || c == '#' {
			return errPath
		}
	}
	if p.path[0] != '/' && (p.path != "*" || p.method != "OPTIONS") {
		return errPath
	}
	if len(p.path) > x.c.server.limits.Target {
		return errTargetTooLong
	}
	host, port, err := message.SplitAuthority(p.authority)
	if err != nil || host == "" {
		return errAuthority
	}
	req.Method, req.Target = p.method, p.path
	req.URL = message.URL{Scheme: "http", Host: host, Port: port}
	if x.c.tls != nil {
		req.URL.Scheme = "https"
	}
	req.URL.Path, req.URL.RawQuery, _ = strings.Cut(p.path, "?")
	return nil
}
