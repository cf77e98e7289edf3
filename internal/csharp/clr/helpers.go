package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Short names of the wrappers, since every declaration uses one.
type (
	run        = *csharp.Run
	typeArgs   = csharp.TypeArgs
	resultType = csharp.ResultType
	ref        = *csharp.Ref
	array      = *csharp.Array
	delegate   = *csharp.Delegate
)

// outOfRange throws ArgumentOutOfRangeException for a parameter.
func outOfRange(param, message string) {
	csharp.ThrowArgument("System.ArgumentOutOfRangeException", message, param)
}

// negative throws ArgumentOutOfRangeException for a parameter that must not be below zero.
func negative(param string, n int) {
	v := text(int32(n))
	csharp.ThrowActual(param+" ('"+v+"') must be a non-negative value.", param, v)
}

// needArg throws ArgumentNullException when v is nil.
func needArg(v any, param string) {
	if v == nil {
		csharp.ThrowArgumentNull(param)
	}
}

// needArray throws ArgumentNullException when a is null.
func needArray(a array, param string) {
	if a == nil {
		csharp.ThrowArgumentNull(param)
	}
}

// needString throws ArgumentNullException when s is null.
func needString(s, param string) {
	if csharp.IsNull(s) {
		csharp.ThrowArgumentNull(param)
	}
}

func invalidOperation(message string) {
	csharp.Throw("System.InvalidOperationException", message)
}

func formatError(message string) { csharp.Throw("System.FormatException", message) }

// call invokes a delegate.
func call(r run, d delegate, args ...any) any { return d.Call(r, args) }

// test invokes a predicate.
func test(r run, d delegate, args ...any) bool { return d.Call(r, args).(bool) }

// strs gives the items of a string[] parameter as Go strings; null items keep their mark.
func strs(a array) []string {
	out := make([]string, len(a.Items))
	for i, v := range a.Items {
		out[i] = csharp.UnboxString(v)
	}
	return out
}

// newStrings makes a string[].
func newStrings(r run, list []string) array {
	a := &csharp.Array{Elem: r.Library().MustType("string"), Items: make([]any, len(list))}
	n := 0
	for i, s := range list {
		a.Items[i] = csharp.BoxString(s)
		n += len(s) + 16
	}
	r.Alloc(n)
	return a
}

// text is the string of a value in a concatenation.
func text(v any) string { return csharp.FormatValue(v) }

func join(sep string, parts []string) string {
	for i, p := range parts {
		if csharp.IsNull(p) {
			parts[i] = ""
		}
	}
	return strings.Join(parts, sep)
}
