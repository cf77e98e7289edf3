package csharp

import (
	"math"
	"strconv"
	"strings"
)

// FormatFloat is Double.ToString() in the invariant culture, or Single.ToString() for bits 32.
func FormatFloat(f float64, bits int) string {
	exact := 1e9 // integers below have no shorter digits than their own
	if bits == 32 {
		exact = 1 << 24
	}
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == math.Trunc(f) && math.Abs(f) < exact && (f != 0 || !math.Signbit(f)):
		return strconv.FormatInt(int64(f), 10)
	}
	s := strconv.FormatFloat(f, 'e', -1, bits)
	mantissa, e, _ := strings.Cut(s, "e")
	exp, _ := strconv.Atoi(e)
	// .NET writes exponents from 1E+17 up (float: 1E+09) and below 1E-04.
	most := 17
	if bits == 32 {
		most = 9
	}
	if exp >= -4 && exp < most {
		return strconv.FormatFloat(f, 'f', -1, bits)
	}
	sign := "+"
	if exp < 0 {
		sign, exp = "-", -exp
	}
	num := strconv.Itoa(exp)
	if len(num) < 2 {
		num = "0" + num
	}
	return mantissa + "E" + sign + num
}

// FormatValue is Convert.ToString(v, CultureInfo.InvariantCulture); null is "".
func FormatValue(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		if x {
			return "True"
		}
		return "False"
	case int32:
		return strconv.Itoa(int(x))
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return FormatFloat(x, 64)
	case float32:
		return FormatFloat(float64(x), 32)
	case Char:
		return x.String()
	case Stringer:
		return x.ToString()
	case uint64:
		return strconv.FormatUint(x, 10)
	case []byte:
		return "System.Byte[]"
	}
	if n, ok := Integer(v); ok {
		return strconv.FormatInt(n, 10)
	}
	return TypeName(v)
}

// TypeName is v.GetType().ToString() for a non-null v; "null" for nil and "anonymous" for an anonymous type.
func TypeName(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case Typer:
		return x.ClrType().FullName()
	case Namer:
		return x.ClrName()
	}
	if k, ok := kindOf(v); ok {
		return kindNames[k]
	}
	if _, ok := v.([]byte); ok {
		return "System.Byte[]"
	}
	return "System.Object"
}

// ToString of an enum value gives its name, the names of its flags, or the number.
func (e Enum) ToString() string {
	info := e.Type.enum
	for i, v := range info.values {
		if v == e.Value {
			return info.names[i]
		}
	}
	if info.flags && e.Value != 0 {
		rest := e.Value
		var names []string
		for i := len(info.values) - 1; i >= 0 && rest != 0; i-- {
			if v := info.values[i]; v != 0 && rest&v == v {
				names = append([]string{info.names[i]}, names...)
				rest &^= v
			}
		}
		if rest == 0 {
			return strings.Join(names, ", ")
		}
	}
	return strconv.FormatInt(e.Value, 10)
}

// ClrType is the enum's type.
func (e Enum) ClrType() *Type { return e.Type }

// EnumMembers gives names and values of an enum type in ascending order of value.
func (t *Type) EnumMembers() (names []string, values []int64) {
	if t.enum == nil {
		return nil, nil
	}
	return t.enum.names, t.enum.values
}

// ClrType is the array's type.
func (a *Array) ClrType() *Type { return a.Elem.arrayOf(max(1, len(a.Dims))) }

// Each implements Enumerable.
func (a *Array) Each(r *Run, yield func(any) bool) {
	for _, v := range a.Items {
		r.Step()
		if !yield(v) {
			return
		}
	}
}

// ClrType is the delegate's type.
func (d *Delegate) ClrType() *Type { return d.Type }

// ClrType is the type of the record.
func (x *Record) ClrType() *Type { return x.Type }

// ToString gives { A = 1, B = x } for an anonymous type and (1, x) for a tuple.
func (x *Record) ToString() string {
	parts := make([]string, len(x.Values))
	for i, v := range x.Values {
		parts[i] = FormatValue(v)
		if !x.Type.tuple {
			parts[i] = x.Type.fields[i].name + " = " + parts[i]
		}
	}
	if x.Type.tuple {
		return "(" + strings.Join(parts, ", ") + ")"
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// Equals compares field by field.
func (x *Record) Equals(v any) bool {
	y, ok := v.(*Record)
	if !ok || len(x.Values) != len(y.Values) || !x.Type.tuple && x.Type != y.Type {
		return false
	}
	for i := range x.Values {
		if !Equal(x.Values[i], y.Values[i]) {
			return false
		}
	}
	return true
}

// HashKey is equal for equal records.
func (x *Record) HashKey() any {
	var b strings.Builder
	for _, v := range x.Values {
		s := FormatValue(v)
		b.WriteString(strconv.Itoa(len(s)) + ":" + s)
	}
	return b.String()
}

// Fields gives the names of the record's fields.
func (t *Type) Fields() []string {
	out := make([]string, len(t.fields))
	for i, f := range t.fields {
		out[i] = f.name
	}
	return out
}

// FieldTypes are the types of the fields, in the order of Fields.
func (t *Type) FieldTypes() []*Type {
	out := make([]*Type, len(t.fields))
	for i, f := range t.fields {
		out[i] = f.typ
	}
	return out
}

// ClrType is the exception's type.
func (e *Exception) ClrType() *Type { return e.Type }

// ToString is "Type: message" with the inner exception behind an arrow.
func (e *Exception) ToString() string {
	var list []string
	n := 0
	for x := e; x != nil; x = x.Inner {
		s := x.TypeName()
		if x.Message != "" {
			s += ": " + x.Message
		}
		list = append(list, s)
		n++
	}
	return JoinText(list, "\n ---> ") + strings.Repeat("\n   --- End of inner exception stack trace ---", n-1)
}

// Equal is Object.Equals(a, b): the same run-time type and value, or the same object.
func Equal(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y
	case float64:
		y, ok := b.(float64)
		return ok && (x == y || x != x && y != y)
	case float32:
		y, ok := b.(float32)
		return ok && (x == y || x != x && y != y)
	case []byte:
		return sameBytes(a, b)
	case Equaler:
		return x.Equals(b)
	}
	if _, ok := b.([]byte); ok {
		return false
	}
	return a == b
}

func sameBytes(a, b any) bool {
	x, ok := a.([]byte)
	y, ok2 := b.([]byte)
	return ok && ok2 && len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
}

// Same is ReferenceEquals, with boxed values compared by value.
func Same(a, b any) bool {
	switch a.(type) {
	case []byte:
		return sameBytes(a, b)
	}
	if _, ok := b.([]byte); ok {
		return false
	}
	return a == b
}

// KeyOf is a comparable Go value that is equal for values that are Equal, to index Go maps with.
func KeyOf(v any) any {
	switch x := v.(type) {
	case Keyer:
		return x.HashKey()
	case []byte:
		if len(x) > 0 {
			return &x[0]
		}
		return "\x00empty"
	case float64:
		if x != x {
			return "\x00NaN"
		}
	}
	return v
}
