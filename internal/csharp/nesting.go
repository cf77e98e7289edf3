package csharp

import "strings"

const (
	// maxNested bounds how many tuples and the like one value holds inside: they are written, compared and hashed by recursion.
	maxNested = 10_000
	// maxText bounds text that is made without a run to charge it to, in bytes.
	maxText = 64 << 20
)

// Nested is a value that holds others which are Nested in turn.
type Nested interface{ NestedSize() int }

// NestedSize counts the nested values in items; too many end the run with its limit of depth. Whoever makes a Nested value
// keeps the result.
func NestedSize(items []any) int {
	n := 1
	for _, v := range items {
		if s, ok := v.(Nested); ok {
			n += s.NestedSize()
		}
	}
	if n > maxNested {
		panic(&LimitError{Limit: "depth"})
	}
	return n
}

// JoinText is strings.Join within the bound of texts that no run is charged for.
func JoinText(list []string, sep string) string {
	n := 0
	for _, s := range list {
		if n += len(s) + len(sep); n > maxText {
			panic(&LimitError{Limit: "memory"})
		}
	}
	return strings.Join(list, sep)
}

// NewRecord makes an anonymous object or value tuple of boxed values.
func NewRecord(t *Type, values []any) *Record {
	return &Record{Type: t, Values: values, nested: NestedSize(values)}
}

// NestedSize implements Nested.
func (r *Record) NestedSize() int { return r.nested }
