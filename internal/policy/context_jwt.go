package policy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// jwt is a JSON Web Token that has been read but not validated: what AsJwt gives.
type jwt struct {
	header, payload map[string]any
	claims          claims
}

func declareJWT(b *csharp.Builder) {
	t := b.Type("class Jwt", csharp.Go[*jwt]())
	text := func(name string, from func(t *jwt) map[string]any, claim string) {
		t.Prop("string "+name, csharp.F1(func(t *jwt) string {
			if s, ok := from(t)[claim].(string); ok {
				return s
			}
			return csharp.Null()
		}))
	}
	header, payload := func(t *jwt) map[string]any { return t.header }, func(t *jwt) map[string]any { return t.payload }
	text("Algorithm", header, "alg")
	text("Type", header, "typ")
	text("Id", payload, "jti")
	text("Issuer", payload, "iss")
	text("Subject", payload, "sub")
	moment := func(name, claim string) {
		t.Prop("DateTime? "+name, csharp.F1(func(t *jwt) any {
			n, ok := t.payload[claim].(json.Number)
			if !ok {
				return nil
			}
			seconds, err := n.Float64()
			if err != nil || seconds < -62135596800 || seconds > 253402300799 { // the years 1 to 9999 of DateTime
				return nil
			}
			return dateTime(time.Unix(int64(seconds), 0))
		}))
	}
	moment("ExpirationTime", "exp")
	moment("IssuedAt", "iat")
	moment("NotBefore", "nbf")
	t.Prop("IEnumerable<string> Audiences", csharp.F1(func(t *jwt) any {
		var list objects
		for _, a := range t.claims.find("aud") {
			list = append(list, a)
		}
		return list
	}))
	t.Prop("IClaims Claims", csharp.F1(func(t *jwt) *claims { return &t.claims }))

	c := b.Type("interface IClaims : IReadOnlyDictionary<string, string[]>", csharp.Go[*claims]())
	c.Index("string[] this[string name]", csharp.F2(func(c *claims, name string) any { return stringArray(c.find(name)) }))
	c.Method("string GetValueOrDefault(string name, string defaultValue = null)", csharp.F3(func(c *claims, name, fallback string) string {
		if _, ok := c.Lookup(name); ok {
			return strings.Join(c.find(name), ",")
		}
		return fallback
	}))
}

// claims are the payload as IReadOnlyDictionary<string, string[]>. Names compare without regard to case; an unknown one is an empty array.
type claims struct {
	names  []string
	values map[string][]string // by lower-case name
}

func (c *claims) find(name string) []string { return c.values[strings.ToLower(name)] }

// Count is the number of claims.
func (c *claims) Count() int { return len(c.names) }

// Lookup gives a claim's values as string[].
func (c *claims) Lookup(key any) (value any, ok bool) {
	name, _ := key.(string)
	values, ok := c.values[strings.ToLower(name)]
	if !ok {
		return nil, false
	}
	return stringArray(values), true
}

// EachEntry yields the claims in the token's order.
func (c *claims) EachEntry(yield func(key, value any) bool) {
	for _, name := range c.names {
		if !yield(name, stringArray(c.find(name))) {
			return
		}
	}
}

// parseJWT reads "HEADER.PAYLOAD[.SIGNATURE]" with or without "Bearer "; nil when it is none. Nothing is validated.
func parseJWT(s string) *jwt {
	if len(s) > 7 && strings.EqualFold(s[:7], "Bearer ") {
		s = s[7:]
	}
	parts := strings.Split(strings.TrimSpace(s), ".")
	if len(parts) < 2 {
		return nil
	}
	t := &jwt{}
	var ok bool
	if t.header, _, ok = decodePart(parts[0]); !ok {
		return nil
	}
	var names []string
	if t.payload, names, ok = decodePart(parts[1]); !ok {
		return nil
	}
	t.setClaims(names)
	return t
}

// NewJWT is a C# Jwt of a token that has been validated; header and payload are its JSON objects. It is null when they are none.
func NewJWT(header, payload []byte) any {
	t := &jwt{}
	var names []string
	var ok bool
	if t.header, _, ok = decodeObject(header); !ok {
		return nil
	}
	if t.payload, names, ok = decodeObject(payload); !ok {
		return nil
	}
	t.setClaims(names)
	return t
}

func (t *jwt) setClaims(names []string) {
	t.claims = claims{names: names, values: make(map[string][]string, len(names))}
	for _, name := range names {
		t.claims.values[strings.ToLower(name)] = claimValues(t.payload[name])
	}
}

// decodePart reads one part of a token, a JSON object in Base64url, and the order of its names.
func decodePart(part string) (object map[string]any, names []string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return nil, nil, false
	}
	return decodeObject(raw)
}

// decodeObject reads a JSON object and the order of its names.
func decodeObject(raw []byte) (object map[string]any, names []string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&object); err != nil || object == nil {
		return nil, nil, false
	}
	d = json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, nil, false
	}
	seen := make(map[string]bool, len(object))
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, nil, false
		}
		if name := token.(string); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, nil, false
		}
	}
	return object, names, true
}

// claimValues are the strings of a claim: the items of an array, nothing for null, JSON for objects.
func claimValues(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var list []string
		for _, item := range v {
			list = append(list, claimValues(item)...)
		}
		return list
	case string:
		return []string{v}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil
	}
	return []string{strings.TrimSuffix(b.String(), "\n")}
}
