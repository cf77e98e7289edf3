package clr

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// The kinds of tokens that may be cast to a type.
var (
	jsonNumberKinds = []jsonKind{jsonInteger, jsonFloat, jsonString, jsonComment, jsonRaw, jsonBoolean}
	jsonCharKinds   = []jsonKind{jsonInteger, jsonFloat, jsonString, jsonComment, jsonRaw}
	jsonStringKinds = []jsonKind{
		jsonDate, jsonInteger, jsonFloat, jsonString, jsonComment, jsonRaw, jsonBoolean, jsonBytes, jsonGuid, jsonTimeSpan, jsonURI,
	}
	jsonDateKinds  = []jsonKind{jsonDate, jsonString, jsonComment, jsonRaw}
	jsonBytesKinds = []jsonKind{jsonBytes, jsonString, jsonComment, jsonRaw, jsonInteger}
	jsonGuidKinds  = []jsonKind{jsonString, jsonComment, jsonRaw, jsonGuid, jsonBytes}
	jsonURIKinds   = []jsonKind{jsonString, jsonComment, jsonRaw, jsonURI}
	jsonSpanKinds  = []jsonKind{jsonString, jsonComment, jsonRaw, jsonTimeSpan}
)

// castToken is (T)token. Null tokens are null for types that have one.
func castToken(r run, v any, t *csharp.Type) any {
	target, nullable := t, t.IsNullable()
	if nullable {
		target = t.Args()[0]
	}
	name := strings.TrimPrefix(target.FullName(), "System.")
	nullable = nullable || name == "String" || name == "Byte[]" || name == "Uri"
	if p, ok := v.(*JProperty); ok && p != nil {
		v = tokenOrNil(p.value)
	}
	tok, _ := v.(JToken)
	if isNilToken(tok) {
		if !nullable {
			csharp.ThrowArgumentNull("value")
		}
		return nil
	}
	x, ok := tok.(*JValue)
	if ok && nullable && (x.typ == jsonNull || x.typ == jsonUndefined) {
		return nil
	}
	if !ok || !slices.Contains(castKinds(name), x.typ) {
		csharp.Throw("System.ArgumentException", "Can not convert "+jsonKindNames[tok.kind()]+" to "+name+".")
	}
	return x.castTo(r, target, name)
}

func castKinds(name string) []jsonKind {
	switch name {
	case "String":
		return jsonStringKinds
	case "Uri":
		return jsonURIKinds
	case "Char":
		return jsonCharKinds
	case "DateTime", "DateTimeOffset":
		return jsonDateKinds
	case "Byte[]":
		return jsonBytesKinds
	case "Guid":
		return jsonGuidKinds
	case "TimeSpan":
		return jsonSpanKinds
	}
	return jsonNumberKinds
}

func (v *JValue) castTo(r run, t *csharp.Type, name string) any {
	switch name {
	case "String":
		if b, ok := v.v.([]byte); ok {
			return base64.StdEncoding.EncodeToString(b)
		}
		return csharp.FormatValue(v.v)
	case "DateTimeOffset":
		switch x := v.v.(type) {
		case DateTimeOffset:
			return x
		case DateTime:
			return DateTimeOffset{Clock: x.Ticks}
		}
		return mustOffset(r, csharp.FormatValue(v.v), 0)
	case "DateTime":
		switch x := v.v.(type) {
		case DateTimeOffset:
			return x.clock()
		case string:
			return parseStyled(r, x, 0)
		}
	case "Byte[]":
		switch x := v.v.(type) {
		case []byte:
			return x
		case string:
			return decodeBase64(x)
		}
		csharp.Throw("System.ArgumentException", "Can not convert "+jsonKindNames[v.typ]+" to byte array.")
	case "Guid":
		switch x := v.v.(type) {
		case Guid:
			return x
		case []byte:
			if len(x) == 16 {
				return Guid(Guid(x).mixed())
			}
		}
		return mustGuid(csharp.FormatValue(v.v), "")
	case "TimeSpan":
		if s, ok := v.v.(TimeSpan); ok {
			return s
		}
		return mustSpan(csharp.FormatValue(v.v))
	case "Uri":
		if isURI(v.v) {
			return v.v
		}
		return NewURI(csharp.FormatValue(v.v))
	}
	if n, ok := v.v.(*BigInteger); ok {
		return changeType(r, n.ToString(), t)
	}
	return changeType(r, v.v, t)
}

// valueOfToken is Value<T>(): the token or its value where it is a T, and Convert.ChangeType of the value otherwise.
func valueOfToken(r run, v any, t *csharp.Type) any {
	tok, _ := v.(JToken)
	if isNilToken(tok) {
		return csharp.Zero(t)
	}
	if r.Library().InstanceOf(tok, t) {
		return tok
	}
	x, ok := tok.(*JValue)
	if !ok {
		csharp.Throw("System.InvalidCastException", "Cannot cast "+tok.ClrName()+" to Newtonsoft.Json.Linq.JToken.")
	}
	if x.v != nil && r.Library().InstanceOf(x.v, t) {
		return x.v
	}
	if t.IsNullable() {
		if x.v == nil {
			return nil
		}
		t = t.Args()[0]
	}
	if x.v == nil && t.IsValueType() {
		csharp.Throw("System.InvalidCastException", "Null object cannot be converted to a value type.")
	}
	return changeType(r, x.v, t)
}

// convertToken is ToObject<T>(): a cast for simple types, the token itself for token types, and a built value
// for collections.
func convertToken(r run, v any, t *csharp.Type) any {
	tok, _ := v.(JToken)
	if isNilToken(tok) {
		return csharp.Zero(t)
	}
	if r.Library().InstanceOf(tok, t) && t.FullName() != "System.Object" {
		return tok
	}
	switch {
	case t.IsNullable():
		if tok.kind() == jsonNull || tok.kind() == jsonUndefined {
			return nil
		}
		return convertToken(r, tok, t.Args()[0])
	case t.IsEnum():
		return enumOfToken(r, tok, t)
	case t.FullName() == "System.Object":
		switch x := tok.(type) {
		case *JValue:
			return x.v
		case *JConstructor: // Newtonsoft's reader gives the name and leaves the arguments
			return x.name
		}
		return tok
	case t.IsArray():
		return t.Elem().MakeArray(convertItems(r, tok, t.Elem()))
	case isSimpleType(t):
		return castToken(r, tok, t)
	}
	return convertCollection(r, tok, t)
}

// enumOfToken reads a name or a number.
func enumOfToken(r run, tok JToken, t *csharp.Type) any {
	x, ok := tok.(*JValue)
	if !ok {
		csharp.Throw("System.ArgumentException", "Can not convert "+jsonKindNames[tok.kind()]+" to "+t.Name()+".")
	}
	if n, ok := csharp.Integer(x.v); ok {
		return csharp.Enum{Type: t, Value: n}
	}
	return enumParse(t, csharp.FormatValue(x.v), true)
}

func isSimpleType(t *csharp.Type) bool {
	switch strings.TrimPrefix(t.FullName(), "System.") {
	case "String", "Boolean", "Char", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Single", "Double",
		"Decimal", "DateTime", "DateTimeOffset", "TimeSpan", "Guid", "Uri", "Byte[]":
		return true
	}
	return false
}

func convertItems(r run, tok JToken, elem *csharp.Type) []any {
	a, ok := tok.(*JArray)
	if !ok {
		csharp.Throw("Newtonsoft.Json.JsonSerializationException",
			"Cannot deserialize the current JSON "+strings.ToLower(jsonKindNames[tok.kind()])+" because the type requires a JSON array (e.g. [1,2,3]) to deserialize correctly.")
	}
	out := make([]any, len(a.items))
	for i, t := range a.items {
		out[i] = convertToken(r, t, elem)
	}
	r.Alloc(16 * len(out))
	return out
}

// convertCollection builds lists, sets and dictionaries.
func convertCollection(r run, tok JToken, t *csharp.Type) any {
	args := t.Args()
	def := t.Definition().FullName()
	switch {
	case len(args) == 1 && (strings.HasPrefix(def, "System.Collections.Generic.List`1") || t.IsInterface()):
		list := r.Library().MustType("System.Collections.Generic.List<object>").Definition().Of(args[0])
		return NewList(list, convertItems(r, tok, args[0]))
	case len(args) == 1 && strings.HasPrefix(def, "System.Collections.Generic.HashSet`1"):
		set := newSet(t, nil)
		for _, v := range convertItems(r, tok, args[0]) {
			set.Add(r, v)
		}
		return set
	case len(args) == 2 && strings.Contains(def, "Dictionary`2"):
		o, ok := tok.(*JObject)
		if !ok {
			break
		}
		d := NewDictionary(r.Library(), r.Library().MustType("System.Collections.Generic.Dictionary<string, object>").Definition().Of(args...), nil)
		for _, p := range o.props {
			r.Alloc(64)
			key := any(p.name)
			if args[0].FullName() != "System.String" {
				key = convertToken(r, &JValue{typ: jsonString, v: p.name}, args[0])
			}
			d.Set(key, convertToken(r, p.value, args[1]))
		}
		return d
	}
	csharp.Throw("Newtonsoft.Json.JsonSerializationException", "Cannot deserialize a JSON "+strings.ToLower(jsonKindNames[tok.kind()])+" into type '"+t.FullName()+"'.")
	return nil
}

// castTypes are the types that tokens can be cast to explicitly.
var castTypes = []string{
	"bool", "bool?", "byte", "byte?", "sbyte", "sbyte?", "short", "short?", "ushort", "ushort?", "int", "int?", "uint", "uint?",
	"long", "long?", "ulong", "ulong?", "float", "float?", "double", "double?", "decimal", "decimal?", "char", "char?", "string",
	"DateTime", "DateTime?", "DateTimeOffset", "DateTimeOffset?", "TimeSpan", "TimeSpan?", "Guid", "Guid?", "byte[]", "Uri",
}

func declareJTokenCasts(t *csharp.TypeBuilder) {
	for _, name := range castTypes {
		t.Conv("explicit operator "+name+"(JToken value)", csharp.Boxed(csharp.F3(func(to resultType, r run, v any) any {
			return castToken(r, v, to.Type)
		})))
		if !strings.HasPrefix(name, "char") { // a char goes by way of int
			t.Conv("implicit operator JToken("+name+" value)", valueMaker(name))
		}
	}
}

// valueMaker makes a JValue of a C# type's value.
func valueMaker(name string) csharp.Func {
	switch name {
	case "bool":
		return csharp.F1(func(v bool) *JValue { return &JValue{typ: jsonBoolean, v: v} })
	case "string":
		return csharp.F1(func(v string) *JValue {
			if csharp.IsNull(v) {
				return &JValue{typ: jsonNull}
			}
			return &JValue{typ: jsonString, v: v}
		})
	case "char":
		return csharp.F1(func(v csharp.Char) *JValue { return &JValue{typ: jsonString, v: v.String()} })
	case "ulong":
		return csharp.F1(func(v uint64) *JValue { return &JValue{typ: jsonInteger, v: v} })
	case "byte", "sbyte", "short", "ushort", "int", "uint", "long":
		return csharp.F1(func(v int64) *JValue { return &JValue{typ: jsonInteger, v: v} })
	case "float":
		return csharp.F1(func(v float32) *JValue { return &JValue{typ: jsonFloat, v: v} })
	case "double":
		return csharp.F1(func(v float64) *JValue { return &JValue{typ: jsonFloat, v: v} })
	}
	return csharp.F1(func(v any) *JValue {
		x, _ := newJValue(widenSmall(v))
		return x
	})
}
