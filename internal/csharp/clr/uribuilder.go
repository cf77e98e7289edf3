package clr

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A UriBuilder is System.UriBuilder.
type UriBuilder struct {
	scheme, user, password, host, path, query, fragment string
	port                                                int
}

// ClrName is System.UriBuilder.
func (*UriBuilder) ClrName() string { return "System.UriBuilder" }

// ToString is the URI.
func (x *UriBuilder) ToString() string {
	s := x.scheme + "://"
	if x.user != "" {
		s += x.user
		if x.password != "" {
			s += ":" + x.password
		}
		s += "@"
	}
	s += x.host
	if x.port >= 0 && x.host != "" {
		s += ":" + strconv.Itoa(x.port)
	}
	if x.path != "" && x.path[0] != '/' && x.host != "" {
		s += "/"
	}
	return s + x.path + x.query + x.fragment
}

// Equals compares the URIs.
func (x *UriBuilder) Equals(o any) bool {
	y, ok := o.(*UriBuilder)
	return ok && x.uri().Equals(y.uri())
}

func (x *UriBuilder) uri() *Uri { return mustUri(x.ToString(), uriAbsolute) }

func (x *UriBuilder) setScheme(s string) {
	s, _, _ = strings.Cut(notNull(s), ":")
	if s != "" && !validScheme(s) {
		csharp.ThrowArgument("System.ArgumentException", uriBadScheme, "value")
	}
	x.scheme = strings.ToLower(s)
}

func (x *UriBuilder) setHost(s string) {
	x.host = notNull(s)
	if strings.Contains(x.host, ":") && !strings.HasPrefix(x.host, "[") {
		x.host = "[" + x.host + "]"
	}
}

func (x *UriBuilder) setPort(n int) {
	if n < -1 || n > 65535 {
		outOfRange("value", "Specified argument was out of the range of valid values.")
	}
	x.port = n
}

func (x *UriBuilder) setPath(s string) {
	s = strings.ReplaceAll(notNull(s), `\`, "/")
	if s == "" {
		s = "/"
	}
	s = strings.NewReplacer("?", "%3F", "#", "%23").Replace(s)
	x.path = canonicalEscapes(s)
}

func withMark(mark, s string) string {
	if s = notNull(s); s == "" || strings.HasPrefix(s, mark) {
		return s
	}
	return mark + s
}

// notNull turns null into "".
func notNull(s string) string {
	if csharp.IsNull(s) {
		return ""
	}
	return s
}

func newUriBuilder(scheme, host string, port int, path string) *UriBuilder {
	x := &UriBuilder{}
	x.setScheme(scheme)
	x.setHost(host)
	x.setPort(port)
	x.setPath(path)
	return x
}

func builderOf(u *Uri) *UriBuilder {
	x := newUriBuilder(u.scheme, u.host, u.port, u.path)
	x.path, x.query, x.fragment = u.path, u.query, u.fragment
	x.user, x.password, _ = strings.Cut(u.user, ":")
	return x
}

func declareUriBuilder(b *csharp.Builder) {
	t := b.Type("class System.UriBuilder", csharp.Go[*UriBuilder]()).Outside()
	t.New("()", csharp.F0(func() *UriBuilder { return newUriBuilder("http", "localhost", -1, "/") }))
	t.New("(string uri)", csharp.F1(func(s string) *UriBuilder {
		needString(s, "uri")
		if u, ok := newUri(s, uriAny); ok && u.absolute {
			return builderOf(u)
		}
		return builderOf(mustUri("http://"+s, uriAbsolute))
	}))
	t.New("(Uri uri)", csharp.F1(func(u *Uri) *UriBuilder {
		if u == nil {
			csharp.ThrowArgumentNull("uri")
		}
		if !u.absolute {
			invalidOperation("This operation is not supported for a relative URI.")
		}
		return builderOf(u)
	}))
	t.New("(string schemeName, string hostName)", csharp.F2(func(s, h string) *UriBuilder { return newUriBuilder(s, h, -1, "/") }))
	t.New("(string scheme, string host, int portNumber)", csharp.F3(func(s, h string, p int) *UriBuilder { return newUriBuilder(s, h, p, "/") }))
	t.New("(string scheme, string host, int port, string pathValue)", csharp.F4(newUriBuilder))
	t.New("(string scheme, string host, int port, string path, string extraValue)", csharp.F5(func(s, h string, p int, path, extra string) *UriBuilder {
		x := newUriBuilder(s, h, p, path)
		switch extra = notNull(extra); {
		case extra == "":
		case extra[0] == '#':
			x.fragment = extra
		case extra[0] == '?':
			x.query, x.fragment, _ = strings.Cut(extra, "#")
			x.fragment = withMark("#", x.fragment)
		default:
			csharp.ThrowArgument("System.ArgumentException", "Extra portion of URI not valid.", "extraValue")
		}
		return x
	}))
	str := func(name string, get func(*UriBuilder) string, set func(*UriBuilder, string)) {
		t.Prop("string "+name, csharp.F1(get), csharp.V2(set))
	}
	str("Scheme", func(x *UriBuilder) string { return x.scheme }, (*UriBuilder).setScheme)
	str("Host", func(x *UriBuilder) string { return x.host }, (*UriBuilder).setHost)
	str("Path", func(x *UriBuilder) string { return x.path }, (*UriBuilder).setPath)
	str("Query", func(x *UriBuilder) string { return x.query }, func(x *UriBuilder, s string) { x.query = withMark("?", s) })
	str("Fragment", func(x *UriBuilder) string { return x.fragment }, func(x *UriBuilder, s string) { x.fragment = withMark("#", s) })
	str("UserName", func(x *UriBuilder) string { return x.user }, func(x *UriBuilder, s string) { x.user = notNull(s) })
	str("Password", func(x *UriBuilder) string { return x.password }, func(x *UriBuilder, s string) { x.password = notNull(s) })
	t.Prop("int Port", csharp.F1(func(x *UriBuilder) int { return x.port }), csharp.V2((*UriBuilder).setPort))
	t.Prop("Uri Uri", csharp.F1((*UriBuilder).uri))
	t.Method("string ToString()", csharp.F1((*UriBuilder).ToString))
}
