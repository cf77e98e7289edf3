package clr

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// ClrName is System.Uri.
func (u *Uri) ClrName() string { return "System.Uri" }

// ToString is the URI with everything unescaped that does not change its meaning.
func (u *Uri) ToString() string {
	if !u.absolute {
		return percentUnescape(u.original, keepUnsafe)
	}
	unescape := func(s string) string { return percentUnescape(s, keepUnsafe) }
	return u.prefix() + unescape(u.path) + unescape(u.query) + unescape(u.fragment)
}

// AbsoluteURI is Uri.AbsoluteUri.
func (u *Uri) AbsoluteURI() string { return u.prefix() + u.path + u.query + u.fragment }

// prefix is everything before the path.
func (u *Uri) prefix() string {
	s := u.scheme + ":"
	if u.authority {
		s += "//"
	}
	if u.hasUser {
		s += u.user + "@"
	}
	s += u.hostPort()
	if u.dos {
		s += "/"
	}
	return s
}

// hostPort is Uri.Authority.
func (u *Uri) hostPort() string {
	if u.port == u.defPort || u.port < 0 {
		return u.host
	}
	return u.host + ":" + strconv.Itoa(u.port)
}

// identity is what two equal URIs have in common: user information and fragment do not count.
func (u *Uri) identity() string {
	if !u.absolute {
		return u.original
	}
	return u.scheme + "://" + u.host + ":" + strconv.Itoa(u.port) + u.path + u.query
}

// Equals compares with a Uri or with the text of one.
func (u *Uri) Equals(o any) bool {
	x, ok := o.(*Uri)
	if s, text := o.(string); text {
		x, ok = newUri(s, uriAny)
	}
	return ok && x != nil && x.absolute == u.absolute && x.identity() == u.identity()
}

// HashKey is equal for equal URIs.
func (u *Uri) HashKey() any { return "uri:" + u.identity() }

// System.UriKind.
const (
	uriAny = iota
	uriAbsolute
	uriRelative
)

func uriError(message string) { csharp.Throw("System.UriFormatException", message) }

// newUri reads a URI of a kind.
func newUri(s string, kind int) (*Uri, bool) {
	if kind == uriAny && strings.HasPrefix(s, "/") {
		kind = uriRelative
	}
	u, problem := parseUri(s)
	switch kind {
	case uriAbsolute:
		return u, problem == ""
	case uriRelative:
		if problem == "" && u.scheme != "file" || problem == uriBadDrive || problem == uriBadHost || problem == uriBadPort {
			return nil, false
		}
		return &Uri{original: s}, true
	}
	switch problem {
	case "":
		return u, true
	case uriNoFormat, uriEmpty, uriBadScheme:
		return &Uri{original: s}, true
	}
	return nil, false
}

// NewURI makes an absolute System.Uri; what is none throws UriFormatException.
func NewURI(s string) *Uri { return mustUri(s, uriAbsolute) }

func mustUri(s string, kind int) *Uri {
	needString(s, "uriString")
	if kind < uriAny || kind > uriRelative {
		csharp.ThrowArgument("System.ArgumentException", "The value '"+strconv.Itoa(kind)+"' passed for the UriKind parameter is invalid.", "uriKind")
	}
	if u, ok := newUri(s, kind); ok {
		return u
	}
	if kind == uriRelative {
		uriError("A relative URI cannot be created because the 'uriString' parameter represents an absolute URI.")
	}
	_, problem := parseUri(s)
	uriError(problem)
	return nil
}

// resolve gives the URI that ref means at base (RFC 3986, section 5.2).
func (u *Uri) resolve(ref string) (*Uri, string) {
	s := strings.Trim(ref, " \t\r\n")
	if own := u.scheme + ":"; strings.HasPrefix(strings.ToLower(s), own) && !strings.HasPrefix(s[len(own):], "//") && u.authority {
		s = s[len(own):] // http:x means x
	}
	if i := strings.IndexAny(s, ":/?#\\"); i > 0 && s[i] == ':' && validScheme(s[:i]) {
		return parseUri(s)
	}
	base := u.scheme + ":"
	if u.authority {
		s = strings.ReplaceAll(s, `\`, "/")
	}
	if strings.HasPrefix(s, "//") {
		return parseUri(base + s)
	}
	base = u.prefix()
	switch {
	case s == "":
		return parseUri(base + u.path + u.query + u.fragment)
	case s[0] == '#':
		return parseUri(base + u.path + u.query + s)
	case s[0] == '?':
		return parseUri(base + u.path + s)
	case s[0] == '/':
		return parseUri(base + s)
	}
	return parseUri(base + u.path[:strings.LastIndexByte(u.path, '/')+1] + s)
}

func (u *Uri) combine(ref string) *Uri {
	if u == nil {
		csharp.ThrowArgumentNull("baseUri")
	}
	if !u.absolute {
		outOfRange("baseUri", "Specified argument was out of the range of valid values.")
	}
	out, problem := u.resolve(ref)
	if problem != "" {
		uriError(problem)
	}
	return out
}

// relativeTo gives the text that leads from u to target, which is on the same host.
func (u *Uri) relativeTo(target *Uri) string {
	from, to := u.path, target.path
	common := 0
	i := 0
	for i < len(from) && i < len(to) && from[i] == to[i] {
		if from[i] == '/' {
			common = i + 1
		}
		i++
	}
	if i == len(from) && i == len(to) {
		return target.query + target.fragment
	}
	rest := to[common:]
	up := strings.Repeat("../", strings.Count(from[common:], "/"))
	if up == "" && (rest == "" || strings.Contains(rest, ":")) {
		up = "./"
	}
	return up + rest + target.query + target.fragment
}

func (u *Uri) sameHost(x *Uri) bool {
	return u.scheme == x.scheme && u.host == x.host && u.port == x.port
}

// local is Uri.LocalPath.
func (u *Uri) local() string {
	p := percentUnescape(u.path, keepNothing)
	switch {
	case u.dos:
		return strings.ReplaceAll(p, "/", `\`)
	case u.scheme == "file" && u.host != "":
		return `\\` + u.host + strings.ReplaceAll(p, "/", `\`)
	}
	return p
}

func (u *Uri) segments() []string {
	if u.path == "" {
		return nil
	}
	p := u.path
	if u.dos {
		p = "/" + p
	}
	parts := strings.SplitAfter(p, "/")
	if parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

func (u *Uri) loopback() bool {
	if u.scheme == "file" && u.host == "" {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(u.host, "[]"))
	return u.host == "localhost" || u.host == "loopback" || err == nil && a.Unmap().IsLoopback()
}

func (u *Uri) dnsSafe() string { return strings.Trim(u.host, "[]") + u.zone }

func (u *Uri) idnHost() string {
	if csharp.IsASCII(u.host) {
		return u.dnsSafe()
	}
	s, err := idna.Lookup.ToASCII(u.host)
	if err != nil {
		return u.host
	}
	return s
}

// left is GetLeftPart.
func (u *Uri) left(part int) string {
	scheme := u.scheme + ":"
	if u.authority {
		scheme += "//"
	}
	switch part {
	case 0:
		return scheme
	case 1:
		if !u.authority {
			return ""
		}
		if u.dos {
			return "file://"
		}
		return u.prefix()
	case 2:
		return u.prefix() + u.path
	}
	return u.prefix() + u.path + u.query
}

// wellFormed is IsWellFormedUriString.
func wellFormed(s string, kind int) bool {
	if csharp.IsNull(s) {
		return false
	}
	u, ok := newUri(s, kind)
	if !ok || u.scheme == "file" && !strings.HasPrefix(s, "file:") || strings.Contains(s, `\`) {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		_, escape := percentByte(s[i:])
		if !escape && c < 0x80 && !isUnreserved(c) && strings.IndexByte(uriReserved, c) < 0 {
			return false
		}
	}
	return true
}

// absoluteOnly wraps a getter of a property that relative URIs do not have.
func absoluteOnly[R any](get func(*Uri) R) csharp.Func {
	return csharp.F1(func(u *Uri) R {
		if !u.absolute {
			invalidOperation("This operation is not supported for a relative URI.")
		}
		return get(u)
	})
}

func declareURI(b *csharp.Builder) {
	b.Enum("System.UriKind", false, []string{"RelativeOrAbsolute", "Absolute", "Relative"}, []int64{uriAny, uriAbsolute, uriRelative}).Outside()
	b.Enum("System.UriPartial", false, []string{"Scheme", "Authority", "Path", "Query"}, []int64{0, 1, 2, 3})
	b.Enum("System.UriHostNameType", false, []string{"Unknown", "Basic", "Dns", "IPv4", "IPv6"}, []int64{0, 1, 2, 3, 4}).Outside()
	t := b.Type("class System.Uri", csharp.Go[*Uri]())
	t.New("(string uriString)", csharp.F1(func(s string) *Uri { return mustUri(s, uriAbsolute) }))
	t.New("(string uriString, UriKind uriKind)", csharp.F2(mustUri))
	t.New("(Uri baseUri, string relativeUri)", csharp.F2((*Uri).combine))
	t.New("(Uri baseUri, Uri relativeUri)", csharp.F2(func(base, ref *Uri) *Uri {
		if ref == nil {
			csharp.ThrowArgumentNull("relativeUri")
		}
		if ref.absolute {
			return ref
		}
		return base.combine(ref.original)
	}))
	for name, value := range map[string]string{"SchemeDelimiter": "://", "UriSchemeHttp": "http", "UriSchemeHttps": "https", "UriSchemeMailto": "mailto",
		"UriSchemeFtp": "ftp", "UriSchemeFile": "file", "UriSchemeWs": "ws", "UriSchemeWss": "wss", "UriSchemeSftp": "sftp",
		"UriSchemeFtps": "ftps", "UriSchemeGopher": "gopher", "UriSchemeNews": "news", "UriSchemeNntp": "nntp", "UriSchemeSsh": "ssh", "UriSchemeTelnet": "telnet",
		"UriSchemeNetTcp": "net.tcp", "UriSchemeNetPipe": "net.pipe"} {
		t.StaticProp("string "+name, csharp.F0(func() string { return value }))
	}
	declareUriProps(t)
	declareUriMethods(t)
	declareUriEscape(t)
}

func declareUriProps(t *csharp.TypeBuilder) {
	t.Prop("string OriginalString", csharp.F1(func(u *Uri) string { return u.original }))
	t.Prop("bool IsAbsoluteUri", csharp.F1(func(u *Uri) bool { return u.absolute }))
	t.Prop("bool UserEscaped", csharp.F1(func(*Uri) bool { return false }))
	for name, get := range map[string]func(*Uri) string{
		"AbsoluteUri": (*Uri).AbsoluteURI, "Scheme": func(u *Uri) string { return u.scheme }, "Host": func(u *Uri) string { return u.host },
		"AbsolutePath": func(u *Uri) string { return u.path }, "Query": func(u *Uri) string { return u.query },
		"Fragment": func(u *Uri) string { return u.fragment }, "UserInfo": func(u *Uri) string { return u.user }, "Authority": (*Uri).hostPort,
		"LocalPath": (*Uri).local, "PathAndQuery": func(u *Uri) string { return u.path + u.query }, "DnsSafeHost": (*Uri).dnsSafe, "IdnHost": (*Uri).idnHost,
	} {
		t.Prop("string "+name, absoluteOnly(get))
	}
	t.Prop("int Port", absoluteOnly(func(u *Uri) int { return u.port }))
	t.Prop("UriHostNameType HostNameType", absoluteOnly(func(u *Uri) int { return int(u.kind) }))
	t.Prop("bool IsDefaultPort", absoluteOnly(func(u *Uri) bool { return u.port == u.defPort }))
	t.Prop("bool IsLoopback", absoluteOnly((*Uri).loopback))
	t.Prop("bool IsFile", absoluteOnly(func(u *Uri) bool { return u.scheme == "file" }))
	t.Prop("bool IsUnc", absoluteOnly(func(u *Uri) bool { return u.scheme == "file" && u.host != "" }))
	t.Prop("string[] Segments", csharp.F2(func(r run, u *Uri) array {
		if !u.absolute {
			invalidOperation("This operation is not supported for a relative URI.")
		}
		return newStrings(r, u.segments())
	}))
}

func declareUriMethods(t *csharp.TypeBuilder) {
	t.Method("string ToString()", csharp.F1((*Uri).ToString))
	t.Method("bool Equals(object comparand)", csharp.F2((*Uri).Equals))
	t.Op("bool operator ==(Uri uri1, Uri uri2)", csharp.F2(func(a, b any) bool { return csharp.Equal(a, b) }))
	t.Op("bool operator !=(Uri uri1, Uri uri2)", csharp.F2(func(a, b any) bool { return !csharp.Equal(a, b) }))
	t.Method("string GetLeftPart(UriPartial part)", csharp.F2(func(u *Uri, part int) string {
		if !u.absolute {
			invalidOperation("This operation is not supported for a relative URI.")
		}
		return u.left(part)
	}))
	t.Method("Uri MakeRelativeUri(Uri uri)", csharp.F2(func(u, x *Uri) *Uri {
		if x == nil {
			csharp.ThrowArgumentNull("uri")
		}
		if !u.absolute || !x.absolute {
			invalidOperation("This operation is not supported for a relative URI.")
		}
		if !u.sameHost(x) {
			return x
		}
		return &Uri{original: u.relativeTo(x)}
	}))
	t.Method("bool IsBaseOf(Uri uri)", csharp.F2(func(u, x *Uri) bool {
		if x == nil {
			csharp.ThrowArgumentNull("uri")
		}
		return u.absolute && (!x.absolute || u.sameHost(x) && strings.HasPrefix(x.path, u.path[:strings.LastIndexByte(u.path, '/')+1]))
	}))
	t.Method("bool IsWellFormedOriginalString()", csharp.F1(func(u *Uri) bool { return wellFormed(u.original, uriAny) }))
	t.Static("bool IsWellFormedUriString(string uriString, UriKind uriKind)", csharp.F2(wellFormed))
	t.Static("bool CheckSchemeName(string schemeName)", csharp.F1(validScheme))
	t.Static("UriHostNameType CheckHostName(string name)", csharp.F1(func(s string) int {
		if !strings.HasPrefix(s, "[") && strings.Contains(s, ":") {
			s = "[" + s + "]"
		}
		u := &Uri{}
		if s == "" || u.setHost(s) != "" || u.kind == hostBasic {
			return int(hostUnknown)
		}
		return int(u.kind)
	}))
	t.Static("bool TryCreate(string uriString, UriKind uriKind, out Uri result)", csharp.F3(func(s string, kind int, out ref) bool {
		out.Value = nil
		if csharp.IsNull(s) {
			return false
		}
		u, ok := newUri(s, kind)
		if ok {
			out.Value = u
		}
		return ok
	}))
	try := func(base *Uri, s string, out ref) bool {
		out.Value = nil
		if base == nil || !base.absolute || csharp.IsNull(s) {
			return false
		}
		u, problem := base.resolve(s)
		if problem != "" {
			return false
		}
		out.Value = u
		return true
	}
	t.Static("bool TryCreate(Uri baseUri, string relativeUri, out Uri result)", csharp.F3(try))
	t.Static("bool TryCreate(Uri baseUri, Uri relativeUri, out Uri result)", csharp.F3(func(base, x *Uri, out ref) bool {
		if x != nil && x.absolute {
			out.Value = x
			return true
		}
		if x == nil {
			out.Value = nil
			return false
		}
		return try(base, x.original, out)
	}))
}
