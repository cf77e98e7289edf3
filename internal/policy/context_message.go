package policy

import (
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
	"github.com/causeway-apim/causeway/internal/message"
)

func declareMessages(b *csharp.Builder, readers bodyReaders) {
	r := b.Type("interface IRequest", csharp.Go[*requestObject]())
	r.Prop("IMessageBody Body", csharp.F1(func(r *requestObject) any { return (*Exec)(r).requestBody() }))
	r.Prop("X509Certificate2 Certificate", csharp.F1((*requestObject).clientCertificate))
	r.Prop("IHeaders Headers", csharp.F1(func(r *requestObject) *headers { return (*headers)((*Exec)(r).visibleHeader()) }))
	r.Prop("string IpAddress", csharp.F1(func(r *requestObject) string { return nullIfEmpty(r.ClientIP) }))
	r.Prop("IParameters MatchedParameters", csharp.F1(func(r *requestObject) *matchedObject { return (*matchedObject)(r) }))
	r.Prop("string Method", csharp.F1(func(r *requestObject) string { return r.Request.Method }))
	r.Prop("string OriginalMethod", csharp.F1(func(r *requestObject) string { return r.OriginalMethod }))
	r.Prop("IUrl OriginalUrl", csharp.F1(func(r *requestObject) *originalURLObject { return (*originalURLObject)(r) }))
	r.Prop("IUrl Url", csharp.F1(func(r *requestObject) *requestURLObject { return (*requestURLObject)(r) }))

	r.Prop("IPrivateEndpointConnection PrivateEndpointConnection", null[*requestObject]())
	r.Prop("IAzureVnetInfo AzureVnetInfo", null[*requestObject]())

	s := b.Type("interface IResponse", csharp.Go[*ResponseValue]())
	s.Prop("IMessageBody Body", csharp.F1(func(v *ResponseValue) any { return v.bodyValue() }))
	s.Prop("IHeaders Headers", csharp.F1(func(v *ResponseValue) *headers { return (*headers)(&v.r.Header) }))
	s.Prop("int StatusCode", csharp.F1(func(v *ResponseValue) int { return v.r.Status }))
	s.Prop("string StatusReason", csharp.F1(func(v *ResponseValue) string { return or(v.r.Reason, message.ReasonPhrase(v.r.Status)) }))

	h := b.Type("interface IHeaders : IReadOnlyDictionary<string, string[]>", csharp.Go[*headers]())
	h.Method("string GetValueOrDefault(string name, string defaultValue = null)", csharp.F3(func(h *headers, name, fallback string) string {
		if header := (*message.Header)(h); header.Has(name) {
			return header.Joined(name)
		}
		return fallback
	}))
	h.Method("bool ContainsKey(string name)", csharp.F2(func(h *headers, name string) bool { return (*message.Header)(h).Has(name) }))

	m := b.Type("interface IParameters : IReadOnlyDictionary<string, string>", csharp.Go[*matchedObject]())
	m.Method("string GetValueOrDefault(string name, string defaultValue = null)", csharp.F3(func(m *matchedObject, name, fallback string) string {
		if value, ok := m.find(name); ok {
			return value
		}
		return fallback
	}))

	c := b.Type("interface IMessageBody", csharp.Go[*messageBody]())
	c.Method("T As<T>(bool preserveContent = false)", csharp.F3(func(types csharp.TypeArgs, m *messageBody, keep bool) any {
		return m.as(readers, types[0], keep)
	}))
	c.Method("IDictionary<string, IList<string>> AsFormUrlEncodedContent(bool preserveContent = false)",
		csharp.F2(func(m *messageBody, keep bool) any { return parseForm(m.text(keep)) }))
}

// headers is the C# view of a header: IReadOnlyDictionary<string, string[]> whose keys compare without regard to case.
type headers message.Header

// Count is the number of different names.
func (h *headers) Count() int {
	header, n := (*message.Header)(h), 0
	for i := range header.Len() {
		if firstIndex(header, header.At(i).Name) == i {
			n++
		}
	}
	return n
}

// Lookup gives the values of a name as string[].
func (h *headers) Lookup(key any) (value any, ok bool) {
	name, _ := key.(string)
	header := (*message.Header)(h)
	if !header.Has(name) {
		return nil, false
	}
	return stringArray(header.Values(name)), true
}

// EachEntry yields each name once, with all its values.
func (h *headers) EachEntry(yield func(key, value any) bool) {
	header := (*message.Header)(h)
	for i := range header.Len() {
		name := header.At(i).Name
		if firstIndex(header, name) == i && !yield(name, stringArray(header.Values(name))) {
			return
		}
	}
}

func firstIndex(h *message.Header, name string) int {
	for i := range h.Len() {
		if message.EqualName(h.At(i).Name, name) {
			return i
		}
	}
	return -1
}

// The methods of clr.Map for the template parameters.

func (m *matchedObject) find(name string) (string, bool) {
	for _, p := range m.Matched {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

func (m *matchedObject) Count() int { return len(m.Matched) }

func (m *matchedObject) Lookup(key any) (value any, ok bool) {
	name, _ := key.(string)
	if value, ok := m.find(name); ok {
		return value, true
	}
	return nil, false
}

func (m *matchedObject) EachEntry(yield func(key, value any) bool) {
	for _, p := range m.Matched {
		if !yield(p.Name, p.Value) {
			return
		}
	}
}

// requestBody is context.Request.Body: null when there is none.
func (x *Exec) requestBody() any {
	m := &x.bodies.request
	m.x, m.body, m.length, m.header = x, &x.Request.Body, &x.Request.ContentLength, &x.Request.Header
	if *m.body == nil && !m.consumed {
		return nil
	}
	return m
}

// responseValue is context.Response: null before there is one.
func (x *Exec) responseValue() any {
	if x.Response == nil {
		return nil
	}
	v := &x.bodies.response
	if v.r != x.Response {
		*v = newResponseValue(x, x.Response)
	}
	return v
}

func (v *ResponseValue) bodyValue() any {
	if *v.body == nil && !v.consumed {
		return nil
	}
	return &v.messageBody
}

// read reads the body for an expression. Without keep the message loses it.
func (m *messageBody) read(keep bool) []byte {
	if m.consumed {
		csharp.Throw("System.InvalidOperationException", "The message body has been read already; read it with preserveContent: true to keep it.")
	}
	data, err := readBody(m.body, m.length, m.header)
	if err != nil {
		m.x.bodies.failure = err
		csharp.Throw("System.IO.IOException", "The message body could not be read: "+err.Error())
	}
	if !keep {
		m.consumed = true
		replaceBody(m.body, m.length, nil)
	}
	return data
}

func declareURL(b *csharp.Builder) {
	u := b.Type("interface IUrl", csharp.Go[urlView]())
	u.Prop("string Scheme", csharp.F1(func(u urlView) string { return u.base().Scheme }))
	u.Prop("string Host", csharp.F1(func(u urlView) string { return u.base().Host }))
	u.Prop("int Port", csharp.F1(func(u urlView) int { return u.base().EffectivePort() }))
	u.Prop("string Path", csharp.F1(func(u urlView) string { return u.resource().Path }))
	u.Prop("IQuery Query", csharp.F1(func(u urlView) *query { return &query{u.resource().RawQuery} }))
	u.Prop("string QueryString", csharp.F1(func(u urlView) string {
		if raw := u.resource().RawQuery; raw != "" {
			return "?" + raw
		}
		return ""
	}))

	u.Method("Uri ToUri()", csharp.F1(func(u urlView) *clr.Uri { return clr.NewURI(u.ToString()) }))

	q := b.Type("interface IQuery : IReadOnlyDictionary<string, string[]>", csharp.Go[*query]())
	q.Method("string GetValueOrDefault(string name, string defaultValue = null)", csharp.F3(func(q *query, name, fallback string) string {
		if value, ok := q.joined(name); ok {
			return value
		}
		return fallback
	}))
}

// urlView is an IUrl: base has scheme, host and port, resource path and query.
type urlView interface {
	base() *message.URL
	resource() *message.URL
	ToString() string
}

func (u *originalURLObject) base() *message.URL     { return &u.OriginalURL }
func (u *originalURLObject) resource() *message.URL { return &u.OriginalURL }

// ToString is the whole URL.
func (u *originalURLObject) ToString() string { return u.OriginalURL.String() }

func (u *requestURLObject) base() *message.URL     { return &u.Base }
func (u *requestURLObject) resource() *message.URL { return &u.Request.URL }

// ToString is the whole URL at the backend service.
func (u *requestURLObject) ToString() string {
	target := (*Exec)(u).BackendURL()
	return target.String()
}

// fixedURL is an IUrl of the configuration.
type fixedURL struct{ message.URL }

func (u *fixedURL) base() *message.URL     { return &u.URL }
func (u *fixedURL) resource() *message.URL { return &u.URL }

// ToString is the whole URL.
func (u *fixedURL) ToString() string { return u.String() }

// serviceURL is the IUrl of an API's backend service, null when it has none.
func serviceURL(raw string) any {
	u, err := message.ParseURL(raw)
	if err != nil {
		return nil
	}
	return &fixedURL{u}
}

// query is the C# view of a query: IReadOnlyDictionary<string, string[]>. Names are decoded and compare without regard to case.
type query struct{ raw string }

func (q *query) values(name string) []string {
	var list []string
	for n, v := range message.QueryPairs(q.raw) {
		if strings.EqualFold(unescape(n), name) {
			list = append(list, unescape(v))
		}
	}
	return list
}

// joined gives the values of a name with commas between them. It allocates only when there are several, or an escape.
func (q *query) joined(name string) (value string, ok bool) {
	for n, v := range message.QueryPairs(q.raw) {
		switch {
		case !strings.EqualFold(unescape(n), name):
		case ok:
			return strings.Join(q.values(name), ","), true
		default:
			value, ok = unescape(v), true
		}
	}
	return value, ok
}

// unescape decodes a name or value of a query; a malformed one stays as it is.
func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// names are the different names in order.
func (q *query) names() []string {
	var list []string
	seen := make(map[string]bool)
	for n := range message.QueryPairs(q.raw) {
		n = unescape(n)
		if folded := strings.ToLower(n); !seen[folded] {
			seen[folded] = true
			list = append(list, n)
		}
	}
	return list
}

// Count is the number of different names.
func (q *query) Count() int { return len(q.names()) }

// Lookup gives the values of a name as string[].
func (q *query) Lookup(key any) (value any, ok bool) {
	name, _ := key.(string)
	values := q.values(name)
	return stringArray(values), len(values) > 0
}

// EachEntry yields each name once, with all its values.
func (q *query) EachEntry(yield func(key, value any) bool) {
	for _, name := range q.names() {
		if !yield(name, stringArray(q.values(name))) {
			return
		}
	}
}

var (
	_ clr.Map = (*headers)(nil)
	_ clr.Map = (*query)(nil)
	_ clr.Map = (*matchedObject)(nil)
	_ clr.Map = (*variablesObject)(nil)
)
