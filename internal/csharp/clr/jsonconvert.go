package clr

import (
	"github.com/causeway-apim/causeway/internal/csharp"
)

// tokenOf gives the token that JToken.FromObject makes of a value: tokens stay what they are.
func tokenOf(r run, v any) JToken {
	if t, ok := v.(JToken); ok && !isNilToken(t) {
		return t
	}
	if x, ok := newJValue(v); ok {
		return x
	}
	r.Step()
	switch x := v.(type) {
	case JToken:
		return &JValue{typ: jsonNull}
	case *XElement, *XDocument:
		return tokenOfXML(r, domOfLinq(r, x), false)
	case *domNode:
		return tokenOfXML(r, x, false)
	case *csharp.Record:
		o := &JObject{}
		for i, name := range x.Type.Fields() {
			o.Set(name, tokenOf(r, x.Values[i]))
		}
		return o
	case Pair:
		o := &JObject{}
		o.Set("Key", tokenOf(r, x.Key))
		o.Set("Value", tokenOf(r, x.Value))
		return o
	case Map:
		o := &JObject{}
		x.EachEntry(func(k, value any) bool {
			o.Set(text(k), tokenOf(r, value))
			return true
		})
		return o
	case csharp.Enumerable:
		a := &JArray{}
		for _, item := range csharp.Items(r, x) {
			a.items = append(a.items, adopt(a, tokenOf(r, item)))
		}
		return a
	case *Tuple:
		o := &JObject{}
		for i, item := range x.items {
			o.Set("Item"+text(int32(i+1)), tokenOf(r, item))
		}
		return o
	}
	if csharp.TypeName(v) == "System.Object" {
		return &JObject{}
	}
	csharp.Throw("Newtonsoft.Json.JsonSerializationException", "Could not serialize a value of type '"+csharp.TypeName(v)+"'.")
	return nil
}

// contentToken gives the token for what a constructor or Add was given: a token or a simple value.
func contentToken(v any) JToken {
	if t, ok := v.(JToken); ok && !isNilToken(t) {
		return t
	}
	x, ok := newJValue(v)
	if _, char := v.(csharp.Char); !ok || char {
		csharp.Throw("System.ArgumentException", "Could not determine JSON object type for type "+csharp.TypeName(v)+".")
	}
	return x
}

// SerializeJSON is JsonConvert.SerializeObject.
func SerializeJSON(r run, v any, indented bool) string {
	w := jsonWriter{indented: indented}
	if !w.scalar(v) {
		w.token(tokenOf(r, v))
	}
	r.Alloc(len(w.b))
	return string(w.b)
}

func declareJSONConvert(b *csharp.Builder) {
	b.Enum("Newtonsoft.Json.Formatting", false, []string{"None", "Indented"}, []int64{0, 1})
	b.Enum("Newtonsoft.Json.Linq.JTokenType", false, jsonKindNames, countTo(len(jsonKindNames)))
	t := b.Type("static class Newtonsoft.Json.JsonConvert", csharp.NoGo())
	t.Static("string SerializeObject(object value)", csharp.F2(func(r run, v any) string { return SerializeJSON(r, v, false) }))
	t.Static("string SerializeObject(object value, Formatting formatting)", csharp.F3(func(r run, v any, f int) string { return SerializeJSON(r, v, f == 1) }))
	t.Static("object DeserializeObject(string value)", csharp.F2(func(r run, s string) any { return deserialize(r, s, r.Library().MustType("object")) }))
	t.Static("T DeserializeObject<T>(string value)", csharp.F3(func(a typeArgs, r run, s string) any { return deserialize(r, s, a[0]) }))
	t.Static("object DeserializeObject(string value, Type type)", csharp.F3(func(r run, s string, t *csharp.Type) any { return deserialize(r, s, t) }))
	t.Static("T DeserializeAnonymousType<T>(string value, T anonymousTypeObject)", csharp.F4(func(a typeArgs, r run, s string, _ any) any {
		return deserialize(r, s, a[0])
	})).Outside()
	declareJSONConvertSettings(t)
	declareJSONOfXML(t)
	t.Static("string ToString(object value)", csharp.F2(func(r run, v any) string { return SerializeJSON(r, v, false) })).Outside()
}

func countTo(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i)
	}
	return out
}
