package csharp

import "unsafe"

// Char is the Go form of System.Char: one UTF-16 code unit.
type Char uint16

// Enum is the Go form of an enum value.
type Enum struct {
	Type  *Type
	Value int64
}

// Array is the Go form of every array but byte[], which is []byte. Items hold boxed values.
type Array struct {
	Elem  *Type
	Items []any
	Dims  []int // lengths of the dimensions when there are two or more; nil for one
}

// A Delegate is the Go form of a delegate such as Func<int, string>. Call takes and gives boxed values.
type Delegate struct {
	Type *Type
	Call func(r *Run, args []any) any
	list []*Delegate // of a combination
}

// A Record is the Go form of anonymous types and value tuples.
type Record struct {
	Type   *Type
	Values []any // in the order of Type's fields
	nested int   // see NestedSize
}

// A Ref is an out or ref argument on its way through a library member: it holds the boxed value going in and out.
type Ref struct{ Value any }

const nullBacking = "\x00"

// Null is the Go string that stands for a C# null string where the static type is string. It is empty and told apart from
// "" by its address, so that strings that may be null need no allocation and no second word. Library members return it
// for null and ask IsNull; in the boxed form (any) null is nil.
func Null() string { return nullBacking[:0] }

// IsNull tells whether s is a null string.
func IsNull(s string) bool {
	return len(s) == 0 && unsafe.StringData(s) == unsafe.StringData(nullBacking)
}

// BoxString gives nil for a null string and s otherwise.
func BoxString(s string) any {
	if IsNull(s) {
		return nil
	}
	return s
}

// UnboxString is the reverse of BoxString. A value that is not a string panics like a failed cast.
func UnboxString(v any) string {
	if v == nil {
		return Null()
	}
	return v.(string)
}

// Values that appear as any implement these interfaces as far as their .NET type does.
type (
	// A Stringer overrides Object.ToString, in the invariant culture.
	Stringer interface{ ToString() string }
	// A Formatter is an IFormattable: Format is ToString(spec) in the invariant culture.
	Formatter interface{ Format(spec string) string }
	// An Equaler overrides Object.Equals.
	Equaler interface{ Equals(other any) bool }
	// A Keyer gives a comparable Go value that is equal for values that are Equals: the hash key in dictionaries.
	Keyer interface{ HashKey() any }
	// A Comparer is an IComparable.
	Comparer interface{ CompareTo(other any) int }
	// An Enumerable is an IEnumerable: Each calls yield for each item, boxed, until yield returns false.
	Enumerable interface {
		Each(r *Run, yield func(item any) bool)
	}
	// A Typer knows its exact generic .NET type.
	Typer interface{ ClrType() *Type }
	// A Namer knows the full name of its .NET type; for types without type arguments.
	Namer interface{ ClrName() string }
)
