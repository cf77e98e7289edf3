package clr

import (
	"hash/fnv"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Object is an instance of System.Object itself.
type Object struct{ _ byte }

// ClrName is System.Object.
func (*Object) ClrName() string { return "System.Object" }

func declareObject(b *csharp.Builder) {
	t := b.Type("class System.Object", csharp.Go[any]())
	t.New("()", csharp.F0(func() any { return &Object{} }))
	t.Method("string ToString()", csharp.F1(func(v any) string { return csharp.FormatValue(v) }))
	t.Method("bool Equals(object obj)", csharp.F2(func(a, o any) bool { return csharp.Equal(a, o) }))
	t.Method("int GetHashCode()", csharp.F1(hashCode))
	t.Method("Type GetType()", csharp.F2(func(r run, v any) *csharp.Type { return r.Library().TypeOf(v) }))
	t.Static("bool Equals(object objA, object objB)", csharp.F2(csharp.Equal))
	t.Static("bool ReferenceEquals(object objA, object objB)", csharp.F2(csharp.Same))

	b.Type("abstract class System.ValueType", csharp.NoGo())
	e := b.Type("abstract class System.Enum : IComparable, IFormattable", csharp.Go[csharp.Enum]())
	e.Method("string ToString(string format)", csharp.F2(func(v any, f string) string { return Format(v, f) }))
	e.Method("bool HasFlag(Enum flag)", csharp.F2(func(v, f any) bool {
		n := f.(csharp.Enum).Value
		return v.(csharp.Enum).Value&n == n
	}))
	e.Method("int CompareTo(object target)", csharp.F2(Compare))
	declareEnum(e)

	declareType(b)
	b.Type("interface System.IDisposable", csharp.Go[interface{ Dispose() }]()).
		Method("void Dispose()", csharp.V1(func(d interface{ Dispose() }) { d.Dispose() }))
	b.Type("interface System.IFormatProvider", csharp.Go[*Culture]())
	b.Type("interface System.IComparable", csharp.NoGo()).Method("int CompareTo(object obj)", csharp.F2(Compare))
	b.Type("interface System.IComparable<T>", csharp.NoGo()).Method("int CompareTo(T other)", csharp.F2(Compare))
	b.Type("interface System.IEquatable<T>", csharp.NoGo()).Method("bool Equals(T other)", csharp.F2(csharp.Equal))
	b.Type("interface System.IFormattable", csharp.NoGo()).
		Method("string ToString(string format, IFormatProvider provider)", csharp.F3(func(v any, f string, _ any) string { return Format(v, f) }))
	c := b.Type("class System.Globalization.CultureInfo : IFormatProvider", csharp.Go[*Culture]()).Outside()
	c.StaticProp("CultureInfo InvariantCulture", csharp.F0(func() *Culture { return invariant }))
	c.StaticProp("CultureInfo CurrentCulture", csharp.F0(func() *Culture { return invariant }))
	c.New("(string name)", csharp.F1(func(string) *Culture { return invariant }))
	c.Prop("string Name", csharp.F1(func(*Culture) string { return "" }))
	c.Static("CultureInfo GetCultureInfo(string name)", csharp.F1(func(string) *Culture { return invariant }))

	declareNullable(b)
	n := b.Type("struct System.Nullable<T>", csharp.NoGo())
	n.Prop("bool HasValue", csharp.F1(func(v any) bool { return v != nil }))
	n.Prop("T Value", csharp.F1(func(v any) any {
		if v == nil {
			invalidOperation("Nullable object must have a value.")
		}
		return v
	}))
	n.Method("T GetValueOrDefault()", csharp.F2(func(t typeArgs, v any) any {
		if v == nil {
			return csharp.Zero(t[0])
		}
		return v
	}))
	n.Method("T GetValueOrDefault(T defaultValue)", csharp.F2(func(v, d any) any {
		if v == nil {
			return d
		}
		return v
	}))
	n.Method("string ToString()", csharp.F1(func(v any) string { return csharp.FormatValue(v) }))
	n.Method("bool Equals(object other)", csharp.F2(csharp.Equal))
	n.Method("int GetHashCode()", csharp.F1(func(v any) int {
		if v == nil {
			return 0
		}
		return hashCode(v)
	}))
}

// Culture is CultureInfo; only the invariant culture exists.
type Culture struct{ _ byte }

// ClrName is System.Globalization.CultureInfo.
func (*Culture) ClrName() string { return "System.Globalization.CultureInfo" }

// ToString is the name of the invariant culture, which is empty.
func (*Culture) ToString() string { return "" }

var invariant = &Culture{}

// hashCode is GetHashCode. .NET randomises those of strings, so only equal values having equal codes matters; integers
// have the codes of .NET.
func hashCode(v any) int {
	switch x := v.(type) {
	case int32:
		return int(x)
	case bool:
		if x {
			return 1
		}
		return 0
	case csharp.Char:
		return int(int32(uint32(x) | uint32(x)<<16))
	case int64:
		return int(int32(x) ^ int32(x>>32))
	case uint8:
		return int(x)
	case int16:
		return int(x)
	case uint16:
		return int(x)
	case csharp.Enum:
		return int(int32(x.Value))
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(csharp.FormatValue(v))) // a hash never fails
	return int(int32(h.Sum32()))
}
