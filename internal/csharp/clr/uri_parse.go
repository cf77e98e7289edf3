package clr

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// hostKind is System.UriHostNameType.
type hostKind int

const (
	hostUnknown hostKind = iota
	hostBasic
	hostDNS
	hostIPv4
	hostIPv6
)

// uriScheme is what .NET knows of a scheme; unknown ones are generic: an authority if "//" follows.
type uriScheme struct {
	port      int
	authority bool // "//" and a host are required
}

var uriSchemes = map[string]uriScheme{
	"http": {80, true}, "https": {443, true}, "ws": {80, true}, "wss": {443, true}, "ftp": {21, true}, "gopher": {70, true},
	"telnet": {23, true}, "nntp": {119, true}, "ldap": {389, false}, "net.tcp": {808, true}, "net.pipe": {-1, true},
}

// A Uri is System.Uri. Path, query and fragment are in canonical escapes.
type Uri struct {
	original  string
	absolute  bool
	scheme    string
	authority bool // "//" was there
	hasUser   bool
	user      string
	host      string
	zone      string // scope of an IPv6 address
	kind      hostKind
	port      int // -1 for none
	defPort   int
	path      string
	query     string // with its question mark
	fragment  string // with its number sign
	dos       bool   // file path that begins with a drive letter
}

const (
	uriEmpty     = "Invalid URI: The URI is empty."
	uriNoFormat  = "Invalid URI: The format of the URI could not be determined."
	uriBadScheme = "Invalid URI: The URI scheme is not valid."
	uriBadHost   = "Invalid URI: The hostname could not be parsed."
	uriNoHost    = "Invalid URI: The Authority/Host could not be parsed."
	uriBadPort   = "Invalid URI: Invalid port specified."
	uriBadDrive  = `Invalid URI: A Dos path must be rooted, for example, 'c:\'.`
	uriTooLong   = "Invalid URI: The Uri string is too long."
)

// maxUri is .NET's limit in characters.
const maxUri = 65519

func validScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (i == 0 || !isAlnum(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// parseUri reads an absolute URI; problem is .NET's message when it is none.
func parseUri(original string) (u *Uri, problem string) {
	s := strings.Trim(original, " \t\r\n")
	switch {
	case s == "":
		return nil, uriEmpty
	case len(s) > maxUri:
		return nil, uriTooLong
	}
	u = &Uri{original: original, absolute: true, port: -1, defPort: -1}
	if len(s) > 2 && s[1] == ':' && (s[2] == '/' || s[2] == '\\') && validScheme(s[:1]) {
		u.dos = true
		return u, u.file(strings.ReplaceAll(s, `\`, "/"))
	}
	if s[0] == '/' {
		return u, u.file(s)
	}
	i := strings.IndexAny(s, ":/?#\\")
	if i < 0 || s[i] != ':' {
		return nil, uriNoFormat
	}
	if !validScheme(s[:i]) {
		if i == 0 {
			return nil, uriNoFormat
		}
		return nil, uriBadScheme
	}
	if i == 1 {
		return nil, uriBadDrive
	}
	u.scheme = strings.ToLower(s[:i])
	rest := s[i+1:]
	if u.scheme == "file" {
		if !strings.HasPrefix(rest, "//") {
			return nil, uriNoHost
		}
		return u, u.file(rest)
	}
	return u, u.hierarchy(rest)
}

// hierarchy reads what follows the scheme.
func (u *Uri) hierarchy(rest string) string {
	known, ok := uriSchemes[u.scheme]
	u.defPort = -1
	if ok {
		u.defPort = known.port
	}
	if u.scheme == "mailto" {
		return u.mail(rest)
	}
	rest, u.fragment = cutPart(rest, '#')
	rest, u.query = cutPart(rest, '?')
	if !strings.HasPrefix(rest, "//") {
		if known.authority {
			if strings.HasPrefix(rest, `\\`) {
				return uriBadHost
			}
			return uriNoHost
		}
		u.path = canonicalEscapes(rest)
		return ""
	}
	u.authority = true
	if known.authority {
		rest = strings.ReplaceAll(rest, `\`, "/")
	}
	authority := rest[2:]
	if i := strings.IndexByte(authority, '/'); i >= 0 {
		authority, rest = authority[:i], authority[i:]
	} else {
		rest = ""
	}
	if problem := u.setAuthority(authority); problem != "" {
		return problem
	}
	u.path = canonicalEscapes(rest)
	if u.path == "" && ok {
		u.path = "/"
	}
	u.path = removeDots(u.path)
	return ""
}

// cutPart takes the query or fragment, with its mark, off s and makes it canonical.
func cutPart(s string, mark byte) (before, part string) {
	if i := strings.IndexByte(s, mark); i >= 0 {
		return s[:i], canonicalEscapes(s[i:])
	}
	return s, ""
}

// file reads //host/path, /path and c:/path.
func (u *Uri) file(rest string) string {
	u.scheme, u.authority, u.kind = "file", true, hostBasic
	if strings.HasPrefix(u.original, "file:") {
		rest, u.fragment = cutPart(rest, '#')
		rest, u.query = cutPart(rest, '?')
	}
	if strings.HasPrefix(rest, "//") {
		host := rest[2:]
		rest = ""
		if i := strings.IndexByte(host, '/'); i >= 0 {
			host, rest = host[:i], host[i:]
		}
		if host != "" {
			if problem := u.setHost(host); problem != "" {
				return problem
			}
		}
		if len(rest) > 3 && rest[2] == ':' && rest[3] == '/' && validScheme(rest[1:2]) {
			u.dos, rest = true, rest[1:]
		}
	}
	u.path = canonicalEscapes(rest)
	if !u.dos {
		u.path = removeDots(u.path)
		if u.path == "" {
			u.path = "/"
		}
	}
	return ""
}

func (u *Uri) mail(rest string) string {
	u.defPort, u.port = 25, 25
	rest, u.fragment = cutPart(rest, '#')
	rest, u.query = cutPart(rest, '?')
	user, host, ok := strings.Cut(rest, "@")
	if !ok {
		u.port, u.path = -1, canonicalEscapes(rest)
		return ""
	}
	u.hasUser, u.user = true, user
	return u.setHost(host)
}

func (u *Uri) setAuthority(a string) string {
	if i := strings.LastIndexByte(a, '@'); i >= 0 {
		u.hasUser, u.user = true, canonicalEscapes(a[:i])
		a = a[i+1:]
		if strings.Contains(u.user, "@") {
			return uriBadHost
		}
	}
	port := ""
	if i := strings.LastIndexByte(a, ':'); i >= 0 && i > strings.LastIndexByte(a, ']') {
		a, port = a[:i], a[i+1:]
	}
	u.port = u.defPort
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || port[0] == '+' {
			return uriBadPort
		}
		u.port = int(n)
	}
	return u.setHost(a)
}

func (u *Uri) setHost(h string) string {
	u.host = strings.ToLower(h)
	if strings.HasPrefix(h, "[") {
		inner := strings.TrimSuffix(h[1:], "]")
		inner, zone, _ := strings.Cut(inner, "%")
		a, err := netip.ParseAddr(inner)
		if err != nil || !strings.HasSuffix(h, "]") || !a.Is6() {
			return uriBadHost
		}
		u.kind, u.host = hostIPv6, "["+addrText(a)+"]"
		if zone != "" {
			u.zone = "%" + zone
		}
		return ""
	}
	if a, ok := parseIPv4(h); ok {
		u.kind, u.host = hostIPv4, a.String()
		return ""
	}
	u.kind = hostNameKind(h)
	if u.kind == hostUnknown {
		return uriBadHost
	}
	return ""
}

// hostNameKind tells a DNS name from another name and from what is none.
func hostNameKind(h string) hostKind {
	labels := strings.Split(strings.TrimSuffix(h, "."), ".")
	kind := hostDNS
	for _, l := range labels {
		if l == "" || len(l) > 63 && csharp.IsASCII(l) {
			return hostUnknown
		}
		for i := 0; i < len(l); i++ {
			c := l[i]
			switch {
			case isAlnum(c) || c >= utf8.RuneSelf:
			case c == '-' || c == '_':
				if i == 0 {
					kind = hostBasic
				}
			default:
				return hostUnknown
			}
		}
	}
	return kind
}

// removeDots applies RFC 3986, section 5.2.4.
func removeDots(p string) string {
	if !strings.Contains(p, "/.") {
		return p
	}
	var out []string
	parts := strings.Split(p, "/")
	for i, s := range parts {
		last := i == len(parts)-1
		switch s {
		case ".":
		case "..":
			if len(out) > 1 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, s)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return strings.Join(out, "/")
}
