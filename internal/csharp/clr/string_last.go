package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

const badStart = "Index was out of range. Must be non-negative and less than or equal to the size of the collection."

// lastIndexFrom is LastIndexOf from a unit index backwards over count units.
func lastIndexFrom(s, sub string, start, n int, c comparison) int {
	needString(sub, "value")
	total := csharp.Length(s)
	if total == 0 && (start == -1 || start == 0) {
		if sub == "" {
			return 0
		}
		return -1
	}
	if start < 0 || start > total {
		outOfRange("startIndex", badStart)
	}
	if start == total {
		start--
		if n > 0 {
			n--
		}
	}
	if n < 0 || start-n+1 < 0 {
		outOfRange("count", "Count must be positive and count must refer to a location within the string/array/collection.")
	}
	from := start - n + 1
	i := lastIndex(csharp.Slice(s, from, start+1), sub, c)
	if i < 0 {
		return -1
	}
	return from + i
}

// indexAnyIn searches one of the characters in a part of a text.
func indexAnyIn(s string, a array, start, n int, last bool) int {
	needArray(a, "anyOf")
	total := csharp.Length(s)
	from := start
	if last {
		if total == 0 {
			return -1
		}
		from = start - n + 1
	}
	if start < 0 || start > total || last && start == total {
		outOfRange("startIndex", badStart)
	}
	if n < 0 || from < 0 || from+n > total {
		outOfRange("count", "Count must be positive and count must refer to a location within the string/array/collection.")
	}
	part := csharp.Slice(s, from, from+n)
	i := -1
	if len(a.Items) > 0 {
		i = indexUnit(part, a, last)
	}
	if i < 0 {
		return -1
	}
	return from + i
}

func declareStringLast(t *csharp.TypeBuilder) {
	t.Method("int LastIndexOf(char value, int startIndex, int count)", csharp.F4(func(s string, c csharp.Char, i, n int) int {
		if csharp.Length(s) == 0 {
			return -1
		}
		if i >= csharp.Length(s) {
			outOfRange("startIndex", badStart)
		}
		return lastIndexFrom(s, c.String(), i, n, ordinal)
	}))
	t.Method("int LastIndexOf(string value, int startIndex)", csharp.F3(func(s, v string, i int) int { return lastIndexFrom(s, v, i, i+1, currentCulture) }))
	t.Method("int LastIndexOf(string value, int startIndex, int count)", csharp.F4(func(s, v string, i, n int) int { return lastIndexFrom(s, v, i, n, currentCulture) }))
	t.Method("int LastIndexOf(string value, int startIndex, StringComparison comparisonType)", csharp.F4(func(s, v string, i, c int) int {
		return lastIndexFrom(s, v, i, i+1, comparisonOf(c))
	}))
	t.Method("int LastIndexOf(string value, int startIndex, int count, StringComparison comparisonType)", csharp.F5(func(s, v string, i, n, c int) int {
		return lastIndexFrom(s, v, i, n, comparisonOf(c))
	}))
	t.Method("int IndexOf(string value, int startIndex, int count, StringComparison comparisonType)", csharp.F5(func(s, v string, i, n, c int) int {
		return indexOf(s, v, i, n, comparisonOf(c))
	}))
	t.Method("int IndexOf(char value, StringComparison comparisonType)", csharp.F3(func(s string, v csharp.Char, c int) int {
		return indexOf(s, v.String(), 0, csharp.Length(s), comparisonOf(c))
	}))
	t.Method("bool Contains(char value, StringComparison comparisonType)", csharp.F3(func(s string, v csharp.Char, c int) bool {
		return findText(s, v.String(), comparisonOf(c)) >= 0
	}))
	t.Method("int IndexOfAny(char[] anyOf, int startIndex)", csharp.F3(func(s string, a array, i int) int { return indexAnyIn(s, a, i, csharp.Length(s)-i, false) }))
	t.Method("int IndexOfAny(char[] anyOf, int startIndex, int count)", csharp.F4(func(s string, a array, i, n int) int { return indexAnyIn(s, a, i, n, false) }))
	t.Method("int LastIndexOfAny(char[] anyOf, int startIndex)", csharp.F3(func(s string, a array, i int) int { return indexAnyIn(s, a, i, i+1, true) }))
	t.Method("int LastIndexOfAny(char[] anyOf, int startIndex, int count)", csharp.F4(func(s string, a array, i, n int) int { return indexAnyIn(s, a, i, n, true) }))
	t.Method("string ReplaceLineEndings()", csharp.F1(func(s string) string { return replaceLineEndings(s, "\n") }))
	t.Method("string ReplaceLineEndings(string replacementText)", csharp.F2(func(s, with string) string {
		needString(with, "replacementText")
		return replaceLineEndings(s, with)
	}))
	part := func(s string, i, n int) string {
		if csharp.IsNull(s) {
			return s
		}
		total := csharp.Length(s)
		if i > total || i < 0 {
			outOfRange("indexA", "Index was out of range. Must be non-negative and less than or equal to the size of the collection.")
		}
		return csharp.Slice(s, i, min(i+n, total))
	}
	cut := func(a string, i int, b string, j, n int, compare func(a, b string) int) int {
		if n < 0 {
			negative("length", n)
		}
		return compare(part(a, i, n), part(b, j, n))
	}
	t.Static("int Compare(string strA, int indexA, string strB, int indexB, int length)", csharp.F5(func(a string, i int, b string, j, n int) int {
		return cut(a, i, b, j, n, currentCulture.compare)
	}))
	t.Static("int Compare(string strA, int indexA, string strB, int indexB, int length, StringComparison comparisonType)", csharp.F6(func(a string, i int, b string, j, n, c int) int {
		if comparisonOf(c) == ordinal {
			return cut(a, i, b, j, n, compareOrdinal)
		}
		return cut(a, i, b, j, n, comparisonOf(c).compare)
	}))
	t.Static("int CompareOrdinal(string strA, int indexA, string strB, int indexB, int length)", csharp.F5(func(a string, i int, b string, j, n int) int {
		return cut(a, i, b, j, n, compareOrdinal)
	}))
}

// replaceLineEndings replaces CR LF, CR, LF, FF, NEL, LS and PS.
func replaceLineEndings(s, with string) string {
	return strings.NewReplacer("\r\n", with, "\r", with, "\n", with, "\f", with, "\u0085", with, "\u2028", with, "\u2029", with).Replace(s)
}
