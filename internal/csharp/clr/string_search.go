package clr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// substring is Substring with .NET's checks.
func substring(s string, start, length int) string {
	n := csharp.Length(s)
	switch {
	case start < 0:
		negative("startIndex", start)
	case start > n:
		outOfRange("startIndex", "startIndex cannot be larger than length of string.")
	case length < 0:
		negative("length", length)
	case start+length > n:
		outOfRange("length", "Index and length must refer to a location within the string.")
	}
	return csharp.Slice(s, start, start+length)
}

// unitIndex turns a byte index of s into an index of UTF-16 units.
func unitIndex(s string, i int) int {
	if i < 0 {
		return -1
	}
	return csharp.Length(s[:i])
}

// byteIndex turns a unit index, which must be in range, into a byte index.
func byteIndex(s string, unit int) int {
	if csharp.IsASCII(s) {
		return unit
	}
	return len(csharp.Slice(s, 0, unit))
}

// indexOf searches with a comparison from a unit index within count units.
func indexOf(s, sub string, start, n int, c comparison) int {
	needString(sub, "value")
	total := csharp.Length(s)
	if start < 0 || start > total {
		outOfRange("startIndex", "Index was out of range. Must be non-negative and less than or equal to the size of the collection.")
	}
	if n < 0 || start+n > total {
		outOfRange("count", "Count must be positive and count must refer to a location within the string/array/collection.")
	}
	part := apart(csharp.Slice(s, start, start+n), sub)
	i := findText(part, sub, c)
	if i < 0 {
		return -1
	}
	return start + unitIndex(part, i)
}

// findText gives the byte index of sub in s.
func findText(s, sub string, c comparison) int {
	if c.ignoreCase() {
		return indexFold(s, sub)
	}
	return strings.Index(s, sub)
}

// indexFold is strings.Index without regard to case.
func indexFold(s, sub string) int {
	for i := 0; i <= len(s); {
		if _, ok := prefixFold(s[i:], sub); ok {
			return i
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		i += max(n, 1)
	}
	return -1
}

// prefixFold tells whether s begins with sub without regard to case, and how many bytes of s that takes.
func prefixFold(s, sub string) (int, bool) {
	i := 0
	for _, want := range sub {
		if i >= len(s) {
			return 0, false
		}
		have, n := utf8.DecodeRuneInString(s[i:])
		if have != want && unicode.ToUpper(have) != unicode.ToUpper(want) {
			return 0, false
		}
		i += n
	}
	return i, true
}

func lastIndex(s, sub string, c comparison) int {
	needString(sub, "value")
	if c.ignoreCase() {
		s, sub = foldCase(s), foldCase(sub)
	}
	if sub == "" {
		return csharp.Length(s)
	}
	s = apart(s, sub)
	return unitIndex(s, strings.LastIndex(s, sub))
}

func startsWith(s, sub string, c comparison) bool {
	needString(sub, "value")
	if c.ignoreCase() {
		_, ok := prefixFold(s, sub)
		return ok
	}
	return strings.HasPrefix(apart(s, sub), sub)
}

func endsWith(s, sub string, c comparison) bool {
	needString(sub, "value")
	if c.ignoreCase() {
		return strings.HasSuffix(foldCase(s), foldCase(sub))
	}
	return strings.HasSuffix(apart(s, sub), sub)
}

func declareStringSearch(t *csharp.TypeBuilder) {
	rest := func(s string, from int) int { return csharp.Length(s) - from }
	t.Method("int IndexOf(string value)", csharp.F2(func(s, v string) int { return indexOf(s, v, 0, rest(s, 0), currentCulture) }))
	t.Method("int IndexOf(string value, StringComparison comparisonType)", csharp.F3(func(s, v string, c int) int { return indexOf(s, v, 0, rest(s, 0), comparisonOf(c)) }))
	t.Method("int IndexOf(string value, int startIndex)", csharp.F3(func(s, v string, i int) int { return indexOf(s, v, i, rest(s, i), currentCulture) }))
	t.Method("int IndexOf(string value, int startIndex, int count)", csharp.F4(func(s, v string, i, n int) int { return indexOf(s, v, i, n, currentCulture) }))
	t.Method("int IndexOf(string value, int startIndex, StringComparison comparisonType)", csharp.F4(func(s, v string, i, c int) int { return indexOf(s, v, i, rest(s, i), comparisonOf(c)) }))
	t.Method("int IndexOf(char value)", csharp.F2(func(s string, c csharp.Char) int { return indexOf(s, c.String(), 0, rest(s, 0), ordinal) }))
	t.Method("int IndexOf(char value, int startIndex)", csharp.F3(func(s string, c csharp.Char, i int) int { return indexOf(s, c.String(), i, rest(s, i), ordinal) }))
	t.Method("int IndexOf(char value, int startIndex, int count)", csharp.F4(func(s string, c csharp.Char, i, n int) int { return indexOf(s, c.String(), i, n, ordinal) }))
	t.Method("int LastIndexOf(string value)", csharp.F2(func(s, v string) int { return lastIndex(s, v, currentCulture) }))
	t.Method("int LastIndexOf(string value, StringComparison comparisonType)", csharp.F3(func(s, v string, c int) int { return lastIndex(s, v, comparisonOf(c)) }))
	t.Method("int LastIndexOf(char value)", csharp.F2(func(s string, c csharp.Char) int { return lastIndex(s, c.String(), ordinal) }))
	t.Method("int LastIndexOf(char value, int startIndex)", csharp.F3(func(s string, c csharp.Char, i int) int {
		n := csharp.Length(s)
		if n == 0 {
			return -1
		}
		if i < 0 || i >= n {
			outOfRange("startIndex", "Index was out of range. Must be non-negative and less than or equal to the size of the collection.")
		}
		return lastIndex(csharp.Slice(s, 0, i+1), c.String(), ordinal)
	}))
	declareStringLast(t)
	indexAny := func(s string, a array, last bool) int {
		if a == nil {
			csharp.ThrowArgumentNull("anyOf")
		}
		if len(a.Items) == 0 {
			return -1
		}
		return indexUnit(s, a, last)
	}
	t.Method("int IndexOfAny(char[] anyOf)", csharp.F2(func(s string, a array) int { return indexAny(s, a, false) }))
	t.Method("int LastIndexOfAny(char[] anyOf)", csharp.F2(func(s string, a array) int { return indexAny(s, a, true) }))
	t.Method("bool Contains(string value)", csharp.F2(func(s, v string) bool { needString(v, "value"); return strings.Contains(apart(s, v), v) }))
	t.Method("bool Contains(char value)", csharp.F2(func(s string, c csharp.Char) bool {
		v := c.String()
		return strings.Contains(apart(s, v), v)
	}))
	t.Method("bool Contains(string value, StringComparison comparisonType)", csharp.F3(func(s, v string, c int) bool {
		needString(v, "value")
		return findText(apart(s, v), v, comparisonOf(c)) >= 0
	}))
	for _, d := range []struct {
		name string
		f    func(s, v string, c comparison) bool
	}{{"StartsWith", startsWith}, {"EndsWith", endsWith}} {
		t.Method("bool "+d.name+"(string value)", csharp.F2(func(s, v string) bool { return d.f(s, v, currentCulture) }))
		t.Method("bool "+d.name+"(char value)", csharp.F2(func(s string, c csharp.Char) bool { return d.f(s, c.String(), ordinal) }))
		t.Method("bool "+d.name+"(string value, StringComparison comparisonType)", csharp.F3(func(s, v string, c int) bool { return d.f(s, v, comparisonOf(c)) }))
		t.Method("bool "+d.name+"(string value, bool ignoreCase, System.Globalization.CultureInfo culture)", csharp.F4(func(s, v string, fold bool, _ any) bool {
			if fold {
				return d.f(s, v, invariantCultureIgnoreCase)
			}
			return d.f(s, v, invariantCulture)
		}))
	}
}

func declareStringCompare(t *csharp.TypeBuilder) {
	t.Method("bool Equals(object obj)", csharp.F2(func(s string, v any) bool { o, ok := v.(string); return ok && o == s }))
	t.Method("bool Equals(string value)", csharp.F2(func(s, v string) bool { return ordinal.equal(s, v) }))
	t.Method("bool Equals(string value, StringComparison comparisonType)", csharp.F3(func(s, v string, c int) bool { return comparisonOf(c).equal(s, v) }))
	t.Static("bool Equals(string a, string b)", csharp.F2(ordinal.equal))
	t.Static("bool Equals(string a, string b, StringComparison comparisonType)", csharp.F3(func(a, c string, n int) bool { return comparisonOf(n).equal(a, c) }))
	t.Method("int CompareTo(object value)", csharp.F2(func(s string, v any) int {
		if _, ok := v.(string); !ok && v != nil {
			csharp.Throw("System.ArgumentException", "Object must be of type String.")
		}
		return CompareCulture(s, csharp.UnboxString(v), false)
	}))
	t.Method("int CompareTo(string strB)", csharp.F2(func(s, v string) int { return CompareCulture(s, v, false) }))
	t.Static("int Compare(string strA, string strB)", csharp.F2(func(a, c string) int { return CompareCulture(a, c, false) }))
	t.Static("int Compare(string strA, string strB, bool ignoreCase)", csharp.F3(CompareCulture))
	t.Static("int Compare(string strA, string strB, StringComparison comparisonType)", csharp.F3(func(a, c string, n int) int { return comparisonOf(n).compare(a, c) }))
	t.Static("int CompareOrdinal(string strA, string strB)", csharp.F2(compareWhole))
	t.Static("int Compare(string strA, string strB, bool ignoreCase, System.Globalization.CultureInfo culture)", csharp.F4(func(a, c string, fold bool, _ any) int { return CompareCulture(a, c, fold) }))
	part := func(a string, i int, c string, j, n int, fold bool) int {
		cut := func(s string, i int, name string) string {
			if csharp.IsNull(s) {
				return s
			}
			if i < 0 || i > csharp.Length(s) {
				outOfRange(name, "Index was out of range. Must be non-negative and less than or equal to the size of the collection.")
			}
			return csharp.Slice(s, i, min(i+n, csharp.Length(s)))
		}
		if n < 0 {
			negative("length", n)
		}
		return CompareCulture(cut(a, i, "indexA"), cut(c, j, "indexB"), fold)
	}
	t.Static("int Compare(string strA, int indexA, string strB, int indexB, int length, bool ignoreCase)", csharp.F6(part))
	t.Static("int Compare(string strA, int indexA, string strB, int indexB, int length, bool ignoreCase, System.Globalization.CultureInfo culture)", csharp.F7(func(a string, i int, c string, j, n int, fold bool, _ any) int {
		return part(a, i, c, j, n, fold)
	}))
}
