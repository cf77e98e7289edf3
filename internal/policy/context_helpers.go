package policy

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
	"github.com/causeway-apim/causeway/internal/message"
)

// stringArray is a string[].
func stringArray(values []string) *csharp.Array {
	items := make([]any, len(values))
	for i, v := range values {
		items[i] = v
	}
	return &csharp.Array{Elem: stringType(), Items: items}
}

// declareHelpers declares the extension methods that APIM adds to .NET.
func declareHelpers(b *csharp.Builder) {
	c := b.Type("class BasicAuthCredentials", csharp.Go[*basicCredentials]())
	c.Prop("string UserId", csharp.F1(func(c *basicCredentials) string { return c.user }))
	c.Prop("string Username", csharp.F1(func(c *basicCredentials) string { return c.user }))
	c.Prop("string Password", csharp.F1(func(c *basicCredentials) string { return c.password }))
	declareJWT(b)
	a := b.Type("class Authorization", csharp.Go[*Authorization]())
	a.Prop("string AccessToken", csharp.F1(func(a *Authorization) string { return a.AccessToken }))
	a.Prop("IReadOnlyDictionary<string, object> Claims", csharp.F1(func(a *Authorization) any { return (*authorizationClaims)(a) }))

	e := b.Type("static class ExpressionExtensions", csharp.NoGo())
	e.Ext("BasicAuthCredentials AsBasic(this string input)", csharp.F1(func(s string) any { return orNull(parseBasic(s)) }))
	e.Ext("bool TryParseBasic(this string input, out BasicAuthCredentials credentials)", csharp.F2(func(s string, out *csharp.Ref) bool {
		out.Value = orNull(parseBasic(s))
		return out.Value != nil
	}))
	e.Ext("Jwt AsJwt(this string input)", csharp.F1(func(s string) any { return orNull(parseJWT(s)) }))
	e.Ext("bool TryParseJwt(this string input, out Jwt token)", csharp.F2(func(s string, out *csharp.Ref) bool {
		out.Value = orNull(parseJWT(s))
		return out.Value != nil
	}))
	e.Ext("string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> values, string name, string defaultValue = null)",
		csharp.F3(func(m clr.Map, name, fallback string) string {
			value, ok := m.Lookup(name)
			if array, isArray := value.(*csharp.Array); ok && isArray {
				return joinArray(array)
			}
			return fallback
		}))
	declareCrypto(e)
	e.Ext("string ToQueryString(this IDictionary<string, IList<string>> values)", csharp.F2(func(run *csharp.Run, m clr.Map) string { return encodeForm(run, m, "?") }))
	e.Ext("string ToFormUrlEncodedContent(this IDictionary<string, IList<string>> values)",
		csharp.F2(func(run *csharp.Run, m clr.Map) string { return encodeForm(run, m, "") }))
}

// orNull makes the C# null of a nil pointer.
func orNull[P any](p *P) any {
	if p == nil {
		return nil
	}
	return p
}

func joinArray(a *csharp.Array) string {
	var parts []string
	for _, item := range a.Items {
		parts = append(parts, csharp.FormatValue(item))
	}
	return strings.Join(parts, ",")
}

// Authorization is what get-authorization-context puts into a variable: a token of the credential manager.
type Authorization struct {
	AccessToken string
	// Claims are further properties of the token in the forms of package csharp.
	Claims map[string]any
}

// authorizationClaims is the C# view of an authorization's claims.
type authorizationClaims Authorization

// Count is the number of claims.
func (c *authorizationClaims) Count() int { return len(c.Claims) }

// Lookup gives a claim.
func (c *authorizationClaims) Lookup(key any) (value any, ok bool) {
	name, _ := key.(string)
	value, ok = c.Claims[name]
	return value, ok
}

// EachEntry yields the claims by name.
func (c *authorizationClaims) EachEntry(yield func(key, value any) bool) {
	for _, name := range slices.Sorted(maps.Keys(c.Claims)) {
		if !yield(name, c.Claims[name]) {
			return
		}
	}
}

// basicCredentials is what AsBasic reads from an Authorization header.
type basicCredentials struct{ user, password string }

// parseBasic reads "Basic BASE64"; nil when the text is something else. The user name ends at the last colon, as APIM's toolkit has it.
func parseBasic(s string) *basicCredentials {
	encoded, ok := strings.CutPrefix(s, "Basic ")
	if !ok {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return nil
	}
	text := latin1(raw)
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return nil
	}
	return &basicCredentials{text[:colon], text[colon+1:]}
}

// latin1 decodes ISO-8859-1, in which every byte is a character.
func latin1(raw []byte) string {
	out := make([]byte, 0, len(raw))
	for _, c := range raw {
		out = utf8.AppendRune(out, rune(c))
	}
	return string(out)
}

// parseForm reads an application/x-www-form-urlencoded text. A name that is asked for and is not there gets an empty list: the documentation of
// set-body adds to one.
func parseForm(text string) *clr.Dictionary {
	f := clr.NewDictionary(clr.Library(), formType(), nil)
	var names []string
	values := make(map[string][]any)
	for name, value := range message.QueryPairs(text) {
		name = unescape(name)
		if _, ok := values[name]; !ok {
			names = append(names, name)
		}
		values[name] = append(values[name], unescape(value))
	}
	for _, name := range names {
		f.Set(name, clr.NewList(stringListType(), values[name]))
	}
	f.SetMissing(func(any) any { return clr.NewList(stringListType(), nil) })
	return f
}

// encodeForm is the reverse of parseForm with a prefix; null for an empty or missing dictionary.
func encodeForm(run *csharp.Run, m clr.Map, prefix string) string {
	if m == nil || m.Count() == 0 {
		return csharp.Null()
	}
	var pairs []string
	m.EachEntry(func(key, value any) bool {
		name := url.QueryEscape(csharp.FormatValue(key))
		eachItem(run, value, func(item any) {
			pairs = append(pairs, name+"="+url.QueryEscape(csharp.FormatValue(item)))
		})
		return true
	})
	return prefix + strings.Join(pairs, "&")
}

// eachItem calls f for each item of an array or list.
func eachItem(run *csharp.Run, list any, f func(item any)) {
	switch list := list.(type) {
	case *csharp.Array:
		for _, item := range list.Items {
			f(item)
		}
	case csharp.Enumerable:
		list.Each(run, func(item any) bool { f(item); return true })
	}
}
