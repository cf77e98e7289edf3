package policy

import (
	"encoding/json"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strings"
)

// Limits of a sample: what lies deeper is left out, and what is over the number of values too.
const (
	maxSampleDepth  = 32
	maxSampleValues = 10_000
)

// Sample is a value of the type of that name, for answers that nobody has written: what the schema has as an example, a default or an allowed
// value, and otherwise one made after its types. It is as encoding/json would read it. References to /schemas/NAME lead to the schemas of all.
func (s *Schema) Sample(name string, all Schemas) (value any, ok bool) {
	document, err := s.document()
	if err != nil {
		return nil, false
	}
	definition := document
	if name != "" {
		definition = nil
		for _, path := range [][]string{{"components", "schemas"}, {"definitions"}, {"$defs"}} {
			if types, is := member(document, path...).(map[string]any); is && types[name] != nil {
				definition = types[name]
				break
			}
		}
	}
	schema, is := definition.(map[string]any)
	if !is {
		return nil, false
	}
	b := &sampler{all: all, left: maxSampleValues}
	return b.value(document, schema)
}

// sampler makes a sample.
type sampler struct {
	all   Schemas
	left  int      // values that may still be made
	depth int      // of schemas
	open  []string // the references that are being followed: a type within itself ends there
}

// value is a sample of a schema of a document; not ok when it would have no end.
func (b *sampler) value(document any, schema map[string]any) (v any, ok bool) {
	if b.left--; b.left < 0 || b.depth >= maxSampleDepth {
		return nil, false
	}
	b.depth++
	defer func() { b.depth-- }()
	if ref, is := schema["$ref"].(string); is {
		return b.referred(document, ref)
	}
	if v, ok := given(schema); ok {
		return v, true
	}
	if parts, is := schema["allOf"].([]any); is && len(parts) > 0 {
		return b.merged(document, schema, parts)
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		choices, _ := schema[keyword].([]any)
		for _, choice := range choices {
			if choice, is := choice.(map[string]any); is && choice["type"] != "null" {
				return b.value(document, choice)
			}
		}
	}
	switch typeOf(schema) {
	case "object":
		return b.object(document, schema), true
	case "array":
		return b.list(document, schema), true
	case "string":
		return sampleText(schema), true
	case "integer", "number":
		return sampleNumber(schema), true
	case "boolean":
		return true, true
	case "null":
		return nil, true
	}
	return map[string]any{}, true
}

// given is the value that a schema itself names.
func given(schema map[string]any) (v any, ok bool) {
	if v, ok = schema["example"]; ok {
		return v, true
	}
	if list, is := schema["examples"].([]any); is && len(list) > 0 {
		return list[0], true
	}
	if v, ok = schema["default"]; ok {
		return v, true
	}
	if v, ok = schema["const"]; ok {
		return v, true
	}
	if list, is := schema["enum"].([]any); is && len(list) > 0 {
		return list[0], true
	}
	return nil, false
}

// typeOf is the type of a schema: the first that is not null, or what its keywords are for.
func typeOf(schema map[string]any) string {
	switch typ := schema["type"].(type) {
	case string:
		return typ
	case []any:
		for _, t := range typ {
			if t, is := t.(string); is && t != "null" {
				return t
			}
		}
	}
	switch {
	case schema["properties"] != nil || schema["additionalProperties"] != nil:
		return "object"
	case schema["items"] != nil:
		return "array"
	}
	return ""
}

// referred follows a reference within the document, or to a schema of the service.
func (b *sampler) referred(document any, ref string) (v any, ok bool) {
	if slices.Contains(b.open, ref) {
		return nil, false
	}
	where, pointer, _ := strings.Cut(ref, "#")
	if name, is := strings.CutPrefix(where, "/schemas/"); is && b.all != nil {
		s, found := b.all.Schema("", name)
		if !found {
			return nil, false
		}
		var err error
		if document, err = s.document(); err != nil {
			return nil, false
		}
	}
	target := document
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		if decoded, err := url.PathUnescape(part); err == nil {
			part = decoded
		}
		target = member(target, strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
	}
	schema, is := target.(map[string]any)
	if !is {
		return nil, false
	}
	b.open = append(b.open, ref)
	defer func() { b.open = b.open[:len(b.open)-1] }()
	return b.value(document, schema)
}

// merged is one object of all parts of allOf and of what stands beside it; the first part that is no object decides otherwise.
func (b *sampler) merged(document any, schema map[string]any, parts []any) (v any, ok bool) {
	own := maps.Clone(schema)
	delete(own, "allOf")
	all := make(map[string]any)
	for _, part := range append(slices.Clone(parts), any(own)) {
		part, _ := part.(map[string]any)
		v, ok := b.value(document, part)
		object, is := v.(map[string]any)
		if ok && !is {
			return v, true
		}
		maps.Copy(all, object)
	}
	return all, true
}

func (b *sampler) object(document any, schema map[string]any) map[string]any {
	object := make(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property, is := properties[name].(map[string]any)
		if !is {
			continue
		}
		if v, ok := b.value(document, property); ok {
			object[name] = v
		}
	}
	return object
}

func (b *sampler) list(document any, schema map[string]any) []any {
	list := []any{}
	item, is := schema["items"].(map[string]any)
	if !is || bound(schema, "maxItems", 1) < 1 {
		return list
	}
	for range max(bound(schema, "minItems", 1), 1) {
		v, ok := b.value(document, item)
		if !ok {
			break
		}
		list = append(list, v)
	}
	return list
}

// bound is a keyword that counts.
func bound(schema map[string]any, keyword string, otherwise int64) int64 {
	n, _ := schema[keyword].(json.Number)
	if count, err := n.Int64(); err == nil {
		return count
	}
	return otherwise
}

// sampleText is a text of the schema's format, or the word "string" in a length that it allows.
func sampleText(schema map[string]any) string {
	switch schema["format"] {
	case "date-time":
		return "2000-01-23T04:56:07Z"
	case "date":
		return "2000-01-23"
	case "time":
		return "04:56:07Z"
	case "uuid":
		return "00000000-0000-0000-0000-000000000000"
	case "email":
		return "user@example.com"
	case "uri", "url":
		return "https://example.com"
	case "hostname":
		return "example.com"
	case "ipv4":
		return "192.0.2.1"
	case "ipv6":
		return "2001:db8::1"
	case "byte":
		return "c3RyaW5n"
	}
	const word, longest = "string", 4096
	text := word
	if least := min(bound(schema, "minLength", 0), longest); int64(len(text)) < least {
		text = strings.Repeat(word, int(least)/len(word)+1)[:least]
	}
	return text[:min(int64(len(text)), max(bound(schema, "maxLength", longest), 0))]
}

// sampleNumber is 0, or the number next to it that the bounds allow.
func sampleNumber(schema map[string]any) json.Number {
	one, n := big.NewRat(1, 1), new(big.Rat)
	if least, exclusive, ok := limit(schema, "minimum", "exclusiveMinimum"); ok && (least.Sign() > 0 || exclusive && least.Sign() == 0) {
		if n.Set(least); exclusive {
			n.Add(n, one)
		}
	}
	if most, exclusive, ok := limit(schema, "maximum", "exclusiveMaximum"); ok && (most.Sign() < 0 || exclusive && most.Sign() == 0) {
		if n.Set(most); exclusive {
			n.Sub(n, one)
		}
	}
	const digits = 6
	if n.IsInt() {
		return json.Number(n.Num().String())
	}
	return json.Number(strings.TrimRight(n.FloatString(digits), "0"))
}

// limit is a bound of numbers, in the way of OpenAPI 3.0, where exclusive is a flag, or of JSON Schema, where it is a number.
func limit(schema map[string]any, inclusive, exclusive string) (n *big.Rat, isExclusive, ok bool) {
	if v, is := schema[exclusive].(json.Number); is {
		n, ok = parseBound(v)
		return n, true, ok
	}
	v, _ := schema[inclusive].(json.Number)
	n, ok = parseBound(v)
	return n, schema[exclusive] == true, ok
}

// parseBound reads a number that is short enough to be worked with.
func parseBound(v json.Number) (*big.Rat, bool) {
	const longest = 40
	if len(v) > longest || strings.ContainsAny(string(v), "eE") {
		return nil, false
	}
	return new(big.Rat).SetString(string(v))
}
