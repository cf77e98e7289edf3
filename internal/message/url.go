package message

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// URL is an absolute HTTP URL in its raw form: nothing is decoded, normalised or re-encoded, so that what came in can go out byte for byte.
type URL struct {
	// Scheme is "http" or "https", in small letters; "ws" and "wss" are allowed where a WebSocket backend is meant.
	Scheme string
	// Host is a name or an address without port; IPv6 addresses stand without brackets.
	Host string
	// Port is the port; 0 means the scheme's.
	Port int
	// Path is the path, still percent-encoded. It starts with "/", or is "*" for OPTIONS of the whole server.
	Path string
	// RawQuery is the query without "?", still percent-encoded.
	RawQuery string
}

// ParseURL splits an absolute URL without copying. User information is refused (RFC 9110, 4.2.4), a fragment is dropped, an empty path becomes "/".
func ParseURL(raw string) (URL, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return URL{}, fmt.Errorf("url %q has no scheme", raw)
	}
	var u URL
	switch {
	case EqualName(scheme, "http"):
		u.Scheme = "http"
	case EqualName(scheme, "https"):
		u.Scheme = "https"
	case EqualName(scheme, "ws"):
		u.Scheme = "ws"
	case EqualName(scheme, "wss"):
		u.Scheme = "wss"
	case EqualName(scheme, "grpc"): // as descriptions of gRPC services have it
		u.Scheme = "http"
	case EqualName(scheme, "grpcs"):
		u.Scheme = "https"
	default:
		return URL{}, fmt.Errorf("url %q: scheme %q is not supported", raw, scheme)
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	var err error
	if u.Host, u.Port, err = SplitAuthority(rest[:end]); err != nil {
		return URL{}, fmt.Errorf("url %q: %w", raw, err)
	}
	if u.Host == "" {
		return URL{}, fmt.Errorf("url %q has no host", raw)
	}
	rest, _, _ = strings.Cut(rest[end:], "#")
	u.Path, u.RawQuery, _ = strings.Cut(rest, "?")
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

var (
	errAuthority = errors.New("host is malformed")
	errPort      = errors.New("port is not a number from 1 to 65535")
)

// SplitAuthority splits "host", "host:port" and "[v6]:port" into host and port; the port is 0 when there is none. It accepts the characters of
// RFC 3986's host only, so no user information. An empty text is an empty host.
func SplitAuthority(authority string) (host string, port int, err error) {
	host, rest := authority, ""
	if strings.HasPrefix(authority, "[") {
		end := strings.IndexByte(authority, ']')
		if end < 2 || !allHostBytes(authority[1:end], true) {
			return "", 0, errAuthority
		}
		host, rest = authority[1:end], authority[end+1:]
		if rest != "" && rest[0] != ':' {
			return "", 0, errAuthority
		}
	} else {
		if colon := strings.IndexByte(authority, ':'); colon >= 0 {
			host, rest = authority[:colon], authority[colon:]
		}
		if !allHostBytes(host, false) || host == "" && rest != "" {
			return "", 0, errAuthority
		}
	}
	if len(rest) > 1 {
		port, err = parsePort(rest[1:])
	}
	return host, port, err
}

// allHostBytes says whether s has only characters of a registered name or, with colons, of an IP literal with a zone.
func allHostBytes(s string, colons bool) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if tokenByte[c] && c != '#' && c != '^' && c != '`' && c != '|' || colons && c == ':' {
			continue
		}
		if c != '(' && c != ')' && c != ',' && c != ';' && c != '=' {
			return false
		}
	}
	return true
}

func parsePort(digits string) (int, error) {
	port := 0
	for i := 0; i < len(digits); i++ {
		c := digits[i]
		if c < '0' || c > '9' || i > 4 {
			return 0, errPort
		}
		port = port*10 + int(c-'0')
	}
	if port < 1 || port > 65535 {
		return 0, errPort
	}
	return port, nil
}

// Secure says whether the scheme means TLS.
func (u *URL) Secure() bool { return u.Scheme == "https" || u.Scheme == "wss" }

// EffectivePort is Port, or the scheme's default when it is 0.
func (u *URL) EffectivePort() int {
	if u.Port != 0 {
		return u.Port
	}
	return u.schemePort()
}

func (u *URL) schemePort() int {
	if u.Secure() {
		return 443
	}
	return 80
}

// AppendAuthority appends host and port as a Host field has them: IPv6 in brackets, the scheme's default port omitted.
func (u *URL) AppendAuthority(b []byte) []byte {
	if strings.IndexByte(u.Host, ':') >= 0 {
		b = append(append(append(b, '['), u.Host...), ']')
	} else {
		b = append(b, u.Host...)
	}
	if u.Port != 0 && u.Port != u.schemePort() {
		b = strconv.AppendUint(append(b, ':'), uint64(u.Port), 10)
	}
	return b
}

// Authority returns what AppendAuthority appends.
func (u *URL) Authority() string {
	if u.Port == 0 && strings.IndexByte(u.Host, ':') < 0 {
		return u.Host
	}
	return string(u.AppendAuthority(nil))
}

// AppendTarget appends path and query as an origin-form request target.
func (u *URL) AppendTarget(b []byte) []byte {
	if u.Path == "" {
		b = append(b, '/')
	}
	b = append(b, u.Path...)
	if u.RawQuery != "" {
		b = append(append(b, '?'), u.RawQuery...)
	}
	return b
}

// String returns the whole URL, default ports omitted.
func (u *URL) String() string {
	b := make([]byte, 0, len(u.Scheme)+len(u.Host)+len(u.Path)+len(u.RawQuery)+12)
	b = append(append(b, u.Scheme...), "://"...)
	return string(u.AppendTarget(u.AppendAuthority(b)))
}

// Detach returns a copy that owns its strings.
func (u *URL) Detach() URL {
	return URL{
		Scheme: strings.Clone(u.Scheme), Host: strings.Clone(u.Host), Port: u.Port,
		Path: strings.Clone(u.Path), RawQuery: strings.Clone(u.RawQuery),
	}
}

// Join returns u with the path of another URL after its own, which stays as it is if the other has none, and the query of both.
func (u URL) Join(other URL) URL {
	if other.Path != "" {
		u.Path = strings.TrimSuffix(u.Path, "/") + other.Path
	}
	switch query := other.RawQuery; {
	case u.RawQuery == "":
		u.RawQuery = query
	case query != "":
		u.RawQuery += "&" + query
	}
	return u
}

// Query yields the pairs of RawQuery; see [QueryPairs].
func (u *URL) Query() iter.Seq2[string, string] { return QueryPairs(u.RawQuery) }

// QueryPairs yields the names and values of a raw query in order, still percent-encoded ([net/url.QueryUnescape] decodes one). A name without "="
// has the value "". Empty pairs ("a&&b") are skipped. It does not allocate.
func QueryPairs(rawQuery string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := rawQuery; rest != ""; {
			var pair string
			pair, rest, _ = strings.Cut(rest, "&")
			if pair == "" {
				continue
			}
			name, value, _ := strings.Cut(pair, "=")
			if !yield(name, value) {
				return
			}
		}
	}
}
