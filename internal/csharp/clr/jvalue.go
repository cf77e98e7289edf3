package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// JValue is Newtonsoft.Json.Linq.JValue: a value that is no container. v is nil for null and undefined.
type JValue struct {
	jsonNode
	typ jsonKind
	v   any
}

func (v *JValue) kind() jsonKind { return v.typ }

// ClrName is Newtonsoft.Json.Linq.JValue, or JRaw.
func (v *JValue) ClrName() string {
	if v.typ == jsonRaw {
		return "Newtonsoft.Json.Linq.JRaw"
	}
	return "Newtonsoft.Json.Linq.JValue"
}

// Each gives nothing: a JValue is an IEnumerable<JToken> without items.
func (v *JValue) Each(run, func(any) bool) {}

// Value gives the boxed .NET value.
func (v *JValue) Value() any { return v.v }

// ToString is the value's own text, not JSON; null is "".
func (v *JValue) ToString() string { return csharp.FormatValue(v.v) }

// Format is ToString(spec).
func (v *JValue) Format(spec string) string { return Format(v.v, spec) }

func (v *JValue) clone() JToken { return &JValue{typ: v.typ, v: v.v} }

// Equals compares kind and value.
func (v *JValue) Equals(o any) bool {
	x, ok := o.(*JValue)
	return ok && x != nil && deepEquals(v, x)
}

// ConvertTo is what Convert does with a JValue: it converts the value.
func (v *JValue) ConvertTo(keyword string) any {
	for _, t := range intTypes() {
		if t.keyword == keyword {
			return t.convert(v.v)
		}
	}
	switch keyword {
	case "double":
		return toDouble(v.v)
	case "decimal":
		return toDecimal(v.v)
	case "bool":
		return toBoolean(v.v)
	}
	d, ok := v.v.(DateTime)
	if !ok {
		invalidConvert(v.v, keyword)
	}
	return d
}

// HashKey is equal for values that are Equals.
func (v *JValue) HashKey() any { return [2]any{v.typ, csharp.FormatValue(v.v)} }

// CompareTo orders values of one kind.
func (v *JValue) CompareTo(o any) int {
	x, ok := o.(*JValue)
	other := o
	if ok {
		other = x.v
	}
	switch {
	case v.v == nil && other == nil:
		return 0
	case v.v == nil:
		return -1
	case other == nil:
		return 1
	}
	switch v.typ {
	case jsonInteger, jsonFloat:
		a, _ := jsonNumber(v.v)
		b, ok := jsonNumber(other)
		if !ok {
			b = toDouble(other)
		}
		return compareFloats(a, b)
	case jsonBoolean:
		return Compare(v.v, toBoolean(other))
	case jsonString, jsonRaw, jsonComment:
		return sign(strings.Compare(csharp.FormatValue(v.v), csharp.FormatValue(other)))
	}
	return Compare(v.v, other)
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// jsonNumber gives any number as a double.
func jsonNumber(v any) (float64, bool) {
	if f, ok := jsonFloat64(v); ok {
		return f, true
	}
	if n, ok := jsonInt(v); ok {
		f, _ := n.Float64()
		return f, true
	}
	if d, ok := v.(csharp.Decimal); ok {
		return d.Float64(), true
	}
	return 0, false
}

// newJValue makes the token of a simple value; ok is false for others.
func newJValue(v any) (*JValue, bool) {
	k := jsonNone
	switch x := v.(type) {
	case nil:
		k = jsonNull
	case string:
		k = jsonString
	case bool:
		k = jsonBoolean
	case float64, float32, csharp.Decimal:
		k = jsonFloat
	case uint64, *BigInteger:
		k = jsonInteger
	case csharp.Char:
		return &JValue{typ: jsonString, v: x.String()}, true
	case csharp.Enum:
		return &JValue{typ: jsonInteger, v: x.Value}, true
	case DateTime, DateTimeOffset:
		k = jsonDate
	case TimeSpan:
		k = jsonTimeSpan
	case Guid:
		k = jsonGuid
	case []byte:
		k = jsonBytes
	default:
		if isURI(v) {
			return &JValue{typ: jsonURI, v: v}, true
		}
		if _, ok := csharp.Integer(v); !ok {
			return nil, false
		}
		k = jsonInteger
	}
	return &JValue{typ: k, v: v}, true
}

func isURI(v any) bool { return csharp.TypeName(v) == "System.Uri" }

// asToken gives the token of a C# value whose static type is JToken; null is nil.
func asToken(v any) JToken {
	t, _ := v.(JToken)
	return t
}

// widen gives integers the type that JValue's constructors take.
func widen(v any) any {
	if n, ok := csharp.Integer(v); ok {
		return n
	}
	return v
}

func declareJValue(b *csharp.Builder) {
	t := b.Type("class Newtonsoft.Json.Linq.JValue : JToken, IComparable, IComparable<JValue>, IEquatable<JValue>, IFormattable", csharp.Go[*JValue]())
	for _, p := range []string{"long", "ulong", "decimal", "double", "float", "DateTime", "DateTimeOffset", "bool", "string", "Guid", "TimeSpan", "char"} {
		t.New("("+p+" value)", valueMaker(p))
	}
	t.New("(object value)", csharp.F1(func(v any) *JValue {
		if o, ok := v.(*JValue); ok {
			return o.clone().(*JValue)
		}
		return contentToken(v).(*JValue)
	}))
	t.New("(JValue other)", csharp.F1(func(v *JValue) *JValue { return v.clone().(*JValue) }))
	t.Prop("object Value", csharp.F1(func(v *JValue) any { return v.v }), csharp.V2(func(v *JValue, value any) {
		if x, ok := newJValue(value); ok {
			v.typ, v.v = x.typ, x.v
		}
	}))
	t.Static("JValue CreateNull()", csharp.F0(func() *JValue { return &JValue{typ: jsonNull} }))
	t.Static("JValue CreateUndefined()", csharp.F0(func() *JValue { return &JValue{typ: jsonUndefined} }))
	t.Static("JValue CreateString(string value)", csharp.F1(func(s string) *JValue { return &JValue{typ: jsonString, v: csharp.BoxString(s)} }))
	t.Method("string ToString(string format)", csharp.F2((*JValue).Format))
	t.Method("string ToString(string format, IFormatProvider formatProvider)", csharp.F3(func(v *JValue, f string, _ any) string { return v.Format(f) }))
	t.Method("string ToString(IFormatProvider formatProvider)", csharp.F2(func(v *JValue, _ any) string { return v.ToString() }))
	t.Method("bool Equals(JValue other)", csharp.F2(func(v *JValue, o any) bool { return v.Equals(o) }))
	t.Method("int CompareTo(JValue obj)", csharp.F2(func(v *JValue, o any) int { return v.CompareTo(o) }))
	t.Method("int CompareTo(object obj)", csharp.F2(func(v *JValue, o any) int { return v.CompareTo(o) }))
	raw := b.Type("class Newtonsoft.Json.Linq.JRaw : JValue", csharp.Go[*JValue]())
	raw.New("(object rawJson)", csharp.F1(func(v any) *JValue { return &JValue{typ: jsonRaw, v: csharp.FormatValue(v)} }))
}

// widenSmall is what the constructors do to their argument: every signed integer is an Int64.
func widenSmall(v any) any {
	if _, ok := v.(uint64); ok {
		return v
	}
	return widen(v)
}
