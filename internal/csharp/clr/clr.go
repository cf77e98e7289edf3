// Package clr is the .NET library that policy expressions may call: one file for each type, wired in list.go.
package clr

import (
	"io"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A Map is the Go side of IReadOnlyDictionary<K, V> and the reading half of IDictionary<K, V>: anything with these methods
// can be the value of such a type. Keys and values are boxed.
type Map interface {
	Count() int
	Lookup(key any) (value any, ok bool)
	// EachEntry calls yield in order until it returns false.
	EachEntry(yield func(key, value any) bool)
}

// Library gives the .NET library. It is built once and immutable.
func Library() *csharp.Library { return nil }

// EvalBatch reads JSON lines {"id","expr","vars"?} and writes for each line, in order, one JSON line with its outcome:
// {"id","type","result"}, {"id","throws","message"} or {"id","compile_error","line","column","message"}. Only a failure to
// read or write, or a line that is not such an object, is an error.
func EvalBatch(r io.Reader, w io.Writer) error { return nil }
