package clr

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Text is WTF-8, in which a surrogate pair is one code point and a half of a pair stands for itself. .NET compares UTF-16 units,
// so that half a pair is found in a whole one. Only what looks for a half pays for that: it takes the pairs apart first.

// hasHalf tells whether a text holds half of a surrogate pair.
func hasHalf(s string) bool {
	for i := strings.IndexByte(s, 0xED); i >= 0 && i+1 < len(s); {
		if s[i+1] >= 0xA0 {
			return true
		}
		next := strings.IndexByte(s[i+1:], 0xED)
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

func isHalf(c csharp.Char) bool { return c >= 0xD800 && c <= 0xDFFF }

func anyHalf(a array) bool {
	return a != nil && slices.ContainsFunc(a.Items, func(v any) bool { c, ok := v.(csharp.Char); return ok && isHalf(c) })
}

// apart gives s with the halves of its pairs each on its own if sub holds a half, and s otherwise.
func apart(s, sub string) string {
	if !hasHalf(sub) || csharp.IsASCII(s) {
		return s
	}
	b := make([]byte, 0, len(s)+len(s)/2)
	for _, u := range csharp.Units(s) {
		if isHalf(csharp.Char(u)) {
			b = append(b, csharp.Char(u).String()...)
		} else {
			b = utf8.AppendRune(b, rune(u))
		}
	}
	return string(b)
}

// together joins what apart has taken apart.
func together(s string) string {
	if !hasHalf(s) {
		return s
	}
	return csharp.FromUnits(csharp.Units(s))
}

// trimUnits trims the units that drop names.
func trimUnits(s string, drop func(uint16) bool, left, right bool) string {
	u := csharp.Units(s)
	for left && len(u) > 0 && drop(u[0]) {
		u = u[1:]
	}
	for right && len(u) > 0 && drop(u[len(u)-1]) {
		u = u[:len(u)-1]
	}
	return csharp.FromUnits(u)
}

// inSet tells whether a unit is one of a char[].
func inSet(a array) func(uint16) bool {
	return func(u uint16) bool {
		return slices.ContainsFunc(a.Items, func(v any) bool { return uint16(v.(csharp.Char)) == u })
	}
}

// indexUnit is the index of the first or last unit of s that is one of a char[].
func indexUnit(s string, a array, last bool) int {
	if !anyHalf(a) {
		if last {
			return unitIndex(s, strings.LastIndexFunc(s, cutset(a)))
		}
		return unitIndex(s, strings.IndexFunc(s, cutset(a)))
	}
	u, is := csharp.Units(s), inSet(a)
	if !last {
		return slices.IndexFunc(u, is)
	}
	for i := len(u) - 1; i >= 0; i-- {
		if is(u[i]) {
			return i
		}
	}
	return -1
}
