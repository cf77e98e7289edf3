package clr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// repeatChar gives n times one UTF-16 unit.
func repeatChar(r run, c csharp.Char, n int) string {
	s := c.String()
	r.Alloc(n * len(s))
	return strings.Repeat(s, n)
}

// isWhite is Char.IsWhiteSpace.
func isWhite(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0x85, 0xA0:
		return true
	}
	return r > 0xFF && unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp)
}

// cutset gives the predicate of Trim and Split for a char[] that may be null or empty, which means white space.
func cutset(a array) func(rune) bool {
	if a == nil || len(a.Items) == 0 {
		return isWhite
	}
	if len(a.Items) == 1 {
		c := rune(a.Items[0].(csharp.Char))
		return func(r rune) bool { return r == c }
	}
	set := map[rune]bool{}
	for _, v := range a.Items {
		set[rune(v.(csharp.Char))] = true
	}
	return func(r rune) bool { return set[r] }
}

func upper(s string) string { return mapRunes(s, invariantUpper) }
func lower(s string) string { return mapRunes(s, invariantLower) }

// The dotted and dotless i keep their form in the invariant culture.
func invariantUpper(r rune) rune {
	if r == 'ı' {
		return r
	}
	return unicode.ToUpper(r)
}

func invariantLower(r rune) rune {
	if r == 'İ' {
		return r
	}
	return unicode.ToLower(r)
}

// mapRunes maps code points one to one; lone surrogates stay.
func mapRunes(s string, f func(rune) rune) string {
	changed := false
	for _, r := range s {
		if r != utf8.RuneError && f(r) != r {
			changed = true
			break
		}
	}
	if !changed {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[i])
		} else {
			b = utf8.AppendRune(b, f(r))
		}
		i += n
	}
	return string(b)
}

func declareString(b *csharp.Builder) {
	b.Enum("System.Text.NormalizationForm", false, []string{"FormC", "FormD", "FormKC", "FormKD"}, []int64{1, 2, 5, 6}).Outside()
	t := b.Type("class System.String : IEnumerable<char>, IComparable, IComparable<string>, IEquatable<string>", csharp.Go[string]())
	declareSteps(t, "char")
	t.Const("string Empty", "")
	t.New("(char c, int count)", csharp.F3(func(r run, c csharp.Char, n int) string {
		if n < 0 {
			negative("count", n)
		}
		return repeatChar(r, c, n)
	}))
	t.New("(char[] value)", csharp.F1(charsToString))
	t.New("(char[] value, int startIndex, int length)", csharp.F3(func(a array, i, n int) string { return substring(charsToString(a), i, n) }))
	t.Prop("int Length", csharp.F1(csharp.Length))
	t.Index("char this[int index]", csharp.F2(csharp.CharAt))
	t.Method("string ToString()", csharp.F1(func(s string) string { return s }))
	declareStringParts(t)
	declareStringSearch(t)
	declareStringCompare(t)
	declareStringSplit(b, t)
	declareStringStatic(t)
}

func charsToString(a array) string {
	if a == nil {
		return ""
	}
	u := make([]uint16, len(a.Items))
	for i, v := range a.Items {
		u[i] = uint16(v.(csharp.Char))
	}
	return csharp.FromUnits(u)
}

func stringToChars(r run, s string) array {
	u := csharp.Units(s)
	r.Alloc(16 * len(u))
	a := &csharp.Array{Elem: r.Library().MustType("char"), Items: make([]any, len(u))}
	for i, c := range u {
		a.Items[i] = csharp.Char(c)
	}
	return a
}

func declareStringParts(t *csharp.TypeBuilder) {
	t.Method("string Substring(int startIndex)", csharp.F2(func(s string, i int) string {
		n := csharp.Length(s)
		if i > n {
			outOfRange("startIndex", "startIndex cannot be larger than length of string.")
		}
		return substring(s, i, n-i)
	}))
	t.Method("string Substring(int startIndex, int length)", csharp.F3(substring))
	t.Method("string Remove(int startIndex)", csharp.F2(func(s string, i int) string {
		switch {
		case i < 0:
			outOfRange("startIndex", "StartIndex cannot be less than zero.")
		case i > csharp.Length(s):
			outOfRange("startIndex", "startIndex cannot be larger than length of string.")
		}
		return csharp.Slice(s, 0, i)
	}))
	t.Method("string Remove(int startIndex, int count)", csharp.F3(func(s string, i, n int) string {
		total := csharp.Length(s)
		switch {
		case i < 0:
			negative("startIndex", i)
		case n < 0:
			negative("count", n)
		case i+n > total:
			actual, most := text(int32(n)), text(int32(total-i))
			csharp.ThrowActual("count ('"+actual+"') must be less than or equal to '"+most+"'.", "count", actual)
		}
		return csharp.Concat(csharp.Slice(s, 0, i), csharp.Slice(s, i+n, total))
	}))
	t.Method("string Insert(int startIndex, string value)", csharp.F4(func(r run, s string, i int, v string) string {
		needString(v, "value")
		total := csharp.Length(s)
		if i < 0 || i > total {
			actual, most := text(uint32(i)), text(int32(total))
			csharp.ThrowActual("startIndex ('"+actual+"') must be less than or equal to '"+most+"'.", "startIndex", actual)
		}
		r.Alloc(len(s) + len(v))
		return csharp.Concat(csharp.Concat(csharp.Slice(s, 0, i), v), csharp.Slice(s, i, total))
	}))
	t.Method("string Replace(char oldChar, char newChar)", csharp.F4(func(r run, s string, a, c csharp.Char) string {
		r.Alloc(len(s))
		if a < 0xD800 || a > 0xDFFF {
			return strings.ReplaceAll(s, a.String(), c.String())
		}
		u := csharp.Units(s)
		for i := range u {
			if u[i] == uint16(a) {
				u[i] = uint16(c)
			}
		}
		return csharp.FromUnits(u)
	}))
	t.Method("string Replace(string oldValue, string newValue)", csharp.F4(func(r run, s, a, c string) string { return replaceText(r, s, a, c, ordinal) }))
	t.Method("string Replace(string oldValue, string newValue, StringComparison comparisonType)", csharp.F5(func(r run, s, a, c string, n int) string {
		return replaceText(r, s, a, c, comparisonOf(n))
	}))
	trim := func(name string, left, right bool) {
		cut := func(s string, f func(rune) bool) string {
			if left {
				s = strings.TrimLeftFunc(s, f)
			}
			if right {
				s = strings.TrimRightFunc(s, f)
			}
			if s == "" {
				return "" // never a slice that could be taken for null
			}
			return s
		}
		t.Method("string "+name+"()", csharp.F1(func(s string) string { return cut(s, isWhite) }))
		t.Method("string "+name+"(char trimChar)", csharp.F2(func(s string, c csharp.Char) string {
			if isHalf(c) {
				return trimUnits(s, func(u uint16) bool { return u == uint16(c) }, left, right)
			}
			return cut(s, func(r rune) bool { return r == rune(c) })
		}))
		t.Method("string "+name+"(params char[] trimChars)", csharp.F2(func(s string, a array) string {
			if anyHalf(a) {
				return trimUnits(s, inSet(a), left, right)
			}
			return cut(s, cutset(a))
		}))
	}
	trim("Trim", true, true)
	trim("TrimStart", true, false)
	trim("TrimEnd", false, true)
	pad := func(name string, sign int) {
		f := func(r run, s string, n int, c csharp.Char) string {
			if n < 0 {
				negative("totalWidth", n)
			}
			k := n - csharp.Length(s)
			switch {
			case k <= 0:
				return s
			case sign < 0:
				return s + repeatChar(r, c, k)
			}
			return repeatChar(r, c, k) + s
		}
		t.Method("string "+name+"(int totalWidth)", csharp.F3(func(r run, s string, n int) string { return f(r, s, n, ' ') }))
		t.Method("string "+name+"(int totalWidth, char paddingChar)", csharp.F4(f))
	}
	pad("PadLeft", 1)
	pad("PadRight", -1)
	for _, n := range []string{"ToUpper", "ToUpperInvariant"} {
		t.Method("string "+n+"()", csharp.F1(upper))
	}
	for _, n := range []string{"ToLower", "ToLowerInvariant"} {
		t.Method("string "+n+"()", csharp.F1(lower))
	}
	t.Method("string ToUpper(System.Globalization.CultureInfo culture)", csharp.F2(func(s string, _ any) string { return upper(s) }))
	t.Method("string ToLower(System.Globalization.CultureInfo culture)", csharp.F2(func(s string, _ any) string { return lower(s) }))
	t.Method("string ToString(IFormatProvider provider)", csharp.F2(func(s string, _ any) string { return s }))
	t.Method("char[] ToCharArray()", csharp.F2(stringToChars))
	t.Method("char[] ToCharArray(int startIndex, int length)", csharp.F4(func(r run, s string, i, n int) array { return stringToChars(r, substring(s, i, n)) }))
	t.Method("string Normalize()", csharp.F1(normalize))
	declareNormalForms(t)
	t.Method("object Clone()", csharp.F1(func(s string) any { return s }))
	t.Method("void CopyTo(int sourceIndex, char[] destination, int destinationIndex, int count)", csharp.V6(func(r run, s string, i int, dst array, at, n int) {
		needArray(dst, "destination")
		if n < 0 || i < 0 || n > csharp.Length(s)-i || at < 0 || at > len(dst.Items)-n {
			outOfRange("sourceIndex", "Index and count must refer to a location within the string.")
		}
		copyItems(stringToChars(r, csharp.Slice(s, i, i+n)).Items, dst, at)
	}))
	t.Method("string Replace(string oldValue, string newValue, bool ignoreCase, System.Globalization.CultureInfo culture)", csharp.F6(func(r run, s, old, with string, fold bool, _ any) string {
		c := currentCulture
		if fold {
			c = currentCultureIgnoreCase
		}
		return replaceText(r, s, old, with, c)
	}))
}

// replaceText is String.Replace.
func replaceText(r run, s, old, with string, c comparison) string {
	needString(old, "oldValue")
	if old == "" {
		csharp.ThrowArgument("System.ArgumentException", "The value cannot be an empty string.", "oldValue")
	}
	if !c.ignoreCase() {
		from := apart(s, old)
		if n := strings.Count(from, old); n > 0 {
			r.Alloc(len(s) + n*(len(with)-len(old)) + n*len(old))
			return together(strings.ReplaceAll(from, old, with))
		}
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if n, ok := prefixFold(s[i:], old); ok {
			r.Alloc(len(with))
			b.WriteString(with)
			i += n
			continue
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		b.WriteString(s[i : i+n])
		i += n
	}
	r.Alloc(b.Len())
	return b.String()
}

func declareStringStatic(t *csharp.TypeBuilder) {
	t.Static("bool IsNullOrEmpty(string value)", csharp.F1(func(s string) bool { return s == "" }))
	t.Static("bool IsNullOrWhiteSpace(string value)", csharp.F1(func(s string) bool { return strings.TrimFunc(s, isWhite) == "" }))
	t.Static("string Copy(string str)", csharp.F1(func(s string) string { return s }))
	t.Static("string Intern(string str)", csharp.F1(func(s string) string { return s }))
	t.Static("string Join(string separator, params string[] value)", csharp.F3(func(r run, sep string, a array) string {
		needArray(a, "value")
		return joinText(r, sep, strs(a))
	}))
	t.Static("string Join(string separator, params object[] values)", csharp.F3(func(r run, sep string, a array) string {
		needArray(a, "values")
		return joinText(r, sep, texts(a.Items))
	}))
	for _, elem := range []string{"IEnumerable<string>", "IEnumerable<T>"} {
		name := "Join"
		if strings.HasSuffix(elem, "<T>") {
			name = "Join<T>"
		}
		t.Static("string "+name+"(string separator, "+elem+" values)", csharp.F3(func(r run, sep string, v any) string {
			needArg(v, "values")
			return joinText(r, sep, texts(csharp.Items(r, v)))
		}))
	}
	t.Static("string Join(char separator, params string[] value)", csharp.F3(func(r run, sep csharp.Char, a array) string {
		needArray(a, "value")
		return joinText(r, sep.String(), strs(a))
	}))
	t.Static("string Join(char separator, params object[] values)", csharp.F3(func(r run, sep csharp.Char, a array) string {
		needArray(a, "values")
		return joinText(r, sep.String(), texts(a.Items))
	}))
	t.Static("string Join<T>(char separator, IEnumerable<T> values)", csharp.F3(func(r run, sep csharp.Char, v any) string {
		needArg(v, "values")
		return joinText(r, sep.String(), texts(csharp.Items(r, v)))
	}))
	t.Static("string Join(string separator, string[] value, int startIndex, int count)", csharp.F5(func(r run, sep string, a array, i, n int) string {
		all := strs(a)
		if i < 0 || n < 0 || i+n > len(all) {
			outOfRange("startIndex", "Index and count must refer to a location within the buffer.")
		}
		return joinText(r, sep, all[i:i+n])
	}))
	concat := func(r run, list ...string) string { return joinText(r, "", list) }
	t.Static("string Concat(string str0, string str1)", csharp.F3(func(r run, a, b string) string { return concat(r, a, b) }))
	t.Static("string Concat(string str0, string str1, string str2)", csharp.F4(func(r run, a, b, c string) string { return concat(r, a, b, c) }))
	t.Static("string Concat(string str0, string str1, string str2, string str3)", csharp.F5(func(r run, a, b, c, d string) string { return concat(r, a, b, c, d) }))
	t.Static("string Concat(params string[] values)", csharp.F2(func(r run, a array) string {
		if a == nil {
			csharp.ThrowArgumentNull("values")
		}
		return concat(r, strs(a)...)
	}))
	t.Static("string Concat(object arg0)", csharp.F1(text))
	t.Static("string Concat(object arg0, object arg1)", csharp.F3(func(r run, a, b any) string { return concat(r, text(a), text(b)) }))
	t.Static("string Concat(object arg0, object arg1, object arg2)", csharp.F4(func(r run, a, b, c any) string { return concat(r, text(a), text(b), text(c)) }))
	t.Static("string Concat(params object[] args)", csharp.F2(func(r run, a array) string {
		if a == nil {
			csharp.ThrowArgumentNull("args")
		}
		return concat(r, texts(a.Items)...)
	}))
	t.Static("string Concat<T>(IEnumerable<T> values)", csharp.F2(func(r run, v any) string { return concat(r, texts(csharp.Items(r, v))...) }))
	t.Static("string Format(string format, object arg0)", csharp.F3(func(r run, f string, a any) string { return composite(r, f, []any{a}) }))
	t.Static("string Format(string format, object arg0, object arg1)", csharp.F4(func(r run, f string, a, b any) string { return composite(r, f, []any{a, b}) }))
	t.Static("string Format(string format, object arg0, object arg1, object arg2)", csharp.F5(func(r run, f string, a, b, c any) string { return composite(r, f, []any{a, b, c}) }))
	t.Static("string Format(string format, params object[] args)", csharp.F3(func(r run, f string, a array) string {
		if a == nil {
			csharp.ThrowArgumentNull("args")
		}
		return composite(r, f, a.Items)
	}))
	t.Static("string Format(IFormatProvider provider, string format, params object[] args)", csharp.F4(func(r run, _ any, f string, a array) string {
		return composite(r, f, a.Items)
	}))
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = text(v)
	}
	return out
}

func joinText(r run, sep string, list []string) string {
	if csharp.IsNull(sep) {
		sep = ""
	}
	n := 0
	for _, s := range list {
		n += len(s) + len(sep)
	}
	r.Alloc(n)
	return join(sep, list)
}
