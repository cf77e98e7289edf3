package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// parseBool reads true or false in any case with white space around.
func parseBool(s string) (v, ok bool) {
	switch strings.ToLower(strings.TrimFunc(s, func(r rune) bool { return isWhite(r) || r == 0 })) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

func mustBool(s string) bool {
	v, ok := parseBool(s)
	if !ok {
		csharp.Throwf("System.FormatException", "String '%s' was not recognized as a valid Boolean.", s)
	}
	return v
}

func declareBoolean(b *csharp.Builder) {
	t := b.Type("struct System.Boolean : IComparable, IComparable<bool>, IEquatable<bool>", csharp.Go[bool]())
	t.Const("string TrueString", "True")
	t.Const("string FalseString", "False")
	t.Method("string ToString()", csharp.F1(func(v bool) string { return text(v) }))
	t.Method("string ToString(IFormatProvider provider)", csharp.F2(func(v bool, _ any) string { return text(v) }))
	t.Method("int CompareTo(bool value)", csharp.F2(func(a, c bool) int { return Compare(a, c) }))
	t.Method("int CompareTo(object obj)", csharp.F2(func(a bool, c any) int { return compareTo("Boolean", a, c) }))
	t.Method("bool Equals(bool obj)", csharp.F2(func(a, c bool) bool { return a == c }))
	t.Static("bool Parse(string value)", csharp.F1(func(s string) bool { needString(s, "value"); return mustBool(s) }))
	t.Static("bool TryParse(string value, out bool result)", csharp.F2(func(s string, out ref) bool {
		v, ok := parseBool(s)
		out.Value = v
		return ok
	}))
}
