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

// substring is Substring with .NET's checks.
func substring(s string, start, length int) string {
	n := csharp.Length(s)
	switch {
	case start < 0:
		outOfRange("startIndex", "StartIndex cannot be less than zero.")
	case start > n:
		outOfRange("startIndex", "startIndex cannot be larger than length of string.")
	case length < 0:
		outOfRange("length", "Length cannot be less than zero.")
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
	part := csharp.Slice(s, start, start+n)
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
	return unitIndex(s, strings.LastIndex(s, sub))
}

func startsWith(s, sub string, c comparison) bool {
	needString(sub, "value")
	if c.ignoreCase() {
		_, ok := prefixFold(s, sub)
		return ok
	}
	return strings.HasPrefix(s, sub)
}

func endsWith(s, sub string, c comparison) bool {
	needString(sub, "value")
	if c.ignoreCase() {
		return strings.HasSuffix(foldCase(s), foldCase(sub))
	}
	return strings.HasSuffix(s, sub)
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
	t := b.Type("class System.String : IEnumerable<char>, IComparable, IComparable<string>, IEquatable<string>", csharp.Go[string]())
	t.Const("string Empty", "")
	t.New("(char c, int count)", csharp.F3(func(r run, c csharp.Char, n int) string {
		if n < 0 {
			outOfRange("count", "'count' must be non-negative.")
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
		if i < 0 || i > csharp.Length(s) {
			outOfRange("startIndex", "StartIndex cannot be less than zero.")
		}
		return csharp.Slice(s, 0, i)
	}))
	t.Method("string Remove(int startIndex, int count)", csharp.F3(func(s string, i, n int) string {
		total := csharp.Length(s)
		if i < 0 {
			outOfRange("startIndex", "StartIndex cannot be less than zero.")
		}
		if n < 0 || i+n > total {
			outOfRange("count", "Index and count must refer to a location within the string.")
		}
		return csharp.Concat(csharp.Slice(s, 0, i), csharp.Slice(s, i+n, total))
	}))
	t.Method("string Insert(int startIndex, string value)", csharp.F4(func(r run, s string, i int, v string) string {
		needString(v, "value")
		total := csharp.Length(s)
		if i < 0 || i > total {
			outOfRange("startIndex", "Specified argument was out of the range of valid values.")
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
			return cut(s, func(r rune) bool { return r == rune(c) })
		}))
		t.Method("string "+name+"(params char[] trimChars)", csharp.F2(func(s string, a array) string { return cut(s, cutset(a)) }))
	}
	trim("Trim", true, true)
	trim("TrimStart", true, false)
	trim("TrimEnd", false, true)
	pad := func(name string, sign int) {
		f := func(r run, s string, n int, c csharp.Char) string {
			if n < 0 {
				outOfRange("totalWidth", "Non-negative number required.")
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
}

// replaceText is String.Replace.
func replaceText(r run, s, old, with string, c comparison) string {
	needString(old, "oldValue")
	if old == "" {
		csharp.ThrowArgument("System.ArgumentException", "The value cannot be an empty string.", "oldValue")
	}
	if !c.ignoreCase() {
		if n := strings.Count(s, old); n > 0 {
			r.Alloc(len(s) + n*(len(with)-len(old)) + n*len(old))
			return strings.ReplaceAll(s, old, with)
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
	indexAny := func(s string, a array, last bool) int {
		if a == nil {
			csharp.ThrowArgumentNull("anyOf")
		}
		if len(a.Items) == 0 {
			return -1
		}
		if last {
			return unitIndex(s, strings.LastIndexFunc(s, cutset(a)))
		}
		return unitIndex(s, strings.IndexFunc(s, cutset(a)))
	}
	t.Method("int IndexOfAny(char[] anyOf)", csharp.F2(func(s string, a array) int { return indexAny(s, a, false) }))
	t.Method("int LastIndexOfAny(char[] anyOf)", csharp.F2(func(s string, a array) int { return indexAny(s, a, true) }))
	t.Method("bool Contains(string value)", csharp.F2(func(s, v string) bool { needString(v, "value"); return strings.Contains(s, v) }))
	t.Method("bool Contains(char value)", csharp.F2(func(s string, c csharp.Char) bool { return strings.Contains(s, c.String()) }))
	t.Method("bool Contains(string value, StringComparison comparisonType)", csharp.F3(func(s, v string, c int) bool {
		needString(v, "value")
		return findText(s, v, comparisonOf(c)) >= 0
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
	t.Method("int CompareTo(string strB)", csharp.F2(func(s, v string) int { return CompareCulture(s, v, false) }))
	t.Static("int Compare(string strA, string strB)", csharp.F2(func(a, c string) int { return CompareCulture(a, c, false) }))
	t.Static("int Compare(string strA, string strB, bool ignoreCase)", csharp.F3(CompareCulture))
	t.Static("int Compare(string strA, string strB, StringComparison comparisonType)", csharp.F3(func(a, c string, n int) int { return comparisonOf(n).compare(a, c) }))
	t.Static("int CompareOrdinal(string strA, string strB)", csharp.F2(compareOrdinal))
}

func declareStringSplit(b *csharp.Builder, t *csharp.TypeBuilder) {
	b.Enum("System.StringSplitOptions", true, []string{"None", "RemoveEmptyEntries", "TrimEntries"}, []int64{0, 1, 2})
	chars := func(r run, s string, a array, n, o int) array { return split(r, s, charSeparator(a), n, o) }
	texts := func(r run, s string, a array, n, o int) array { return split(r, s, textSeparator(a), n, o) }
	const all = 1 << 31
	t.Method("string[] Split(params char[] separator)", csharp.F3(func(r run, s string, a array) array { return chars(r, s, a, all, 0) }))
	t.Method("string[] Split(char[] separator, int count)", csharp.F4(func(r run, s string, a array, n int) array { return chars(r, s, a, n, 0) }))
	t.Method("string[] Split(char[] separator, StringSplitOptions options)", csharp.F4(func(r run, s string, a array, o int) array { return chars(r, s, a, all, o) }))
	t.Method("string[] Split(char[] separator, int count, StringSplitOptions options)", csharp.F5(chars))
	t.Method("string[] Split(string[] separator, StringSplitOptions options)", csharp.F4(func(r run, s string, a array, o int) array { return texts(r, s, a, all, o) }))
	t.Method("string[] Split(string[] separator, int count, StringSplitOptions options)", csharp.F5(texts))
	one := func(v any) array { return &csharp.Array{Items: []any{v}} }
	t.Method("string[] Split(char separator, StringSplitOptions options = StringSplitOptions.None)", csharp.F4(func(r run, s string, c csharp.Char, o int) array { return chars(r, s, one(c), all, o) }))
	t.Method("string[] Split(char separator, int count, StringSplitOptions options = StringSplitOptions.None)", csharp.F5(func(r run, s string, c csharp.Char, n, o int) array { return chars(r, s, one(c), n, o) }))
	t.Method("string[] Split(string separator, StringSplitOptions options = StringSplitOptions.None)", csharp.F4(func(r run, s, sep string, o int) array {
		return texts(r, s, one(csharp.BoxString(sep)), all, o)
	}))
	t.Method("string[] Split(string separator, int count, StringSplitOptions options = StringSplitOptions.None)", csharp.F5(func(r run, s, sep string, n, o int) array {
		return texts(r, s, one(csharp.BoxString(sep)), n, o)
	}))
}

// A separator finds the first separator in s: its byte index, -1 for none, and its length.
type separator func(s string) (at, n int)

func charSeparator(a array) separator {
	f := cutset(a)
	return func(s string) (int, int) {
		i := strings.IndexFunc(s, f)
		if i < 0 {
			return -1, 0
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		return i, n
	}
}

func textSeparator(a array) separator {
	var list []string
	if a != nil {
		for _, v := range a.Items {
			if s, ok := v.(string); ok && s != "" {
				list = append(list, s)
			}
		}
		if len(list) == 0 && len(a.Items) > 0 && a.Items[0] != nil {
			return func(string) (int, int) { return -1, 0 }
		}
	}
	if len(list) == 0 {
		return charSeparator(nil)
	}
	return func(s string) (int, int) {
		best, n := -1, 0
		for _, sep := range list {
			if i := strings.Index(s, sep); i >= 0 && (best < 0 || i < best) {
				best, n = i, len(sep)
			}
		}
		return best, n
	}
}

func split(r run, s string, sep separator, n, options int) array {
	if n < 0 {
		outOfRange("count", "Count cannot be less than zero.")
	}
	drop, trim := options&1 != 0, options&2 != 0
	var out []string
	clean := func(p string) string {
		if trim {
			p = strings.TrimFunc(p, isWhite)
		}
		return p
	}
	for n > 0 {
		at, w := sep(s)
		if at < 0 || len(out) == n-1 {
			break
		}
		r.Step()
		if p := clean(s[:at]); p != "" || !drop {
			out = append(out, p)
		}
		s = s[at+w:]
	}
	if drop && n > 0 && len(out) == n-1 {
		// The rest begins behind any further separators, as .NET skips empty entries before it.
		for at, w := sep(s); at == 0; at, w = sep(s) {
			s = s[w:]
		}
	}
	if p := clean(s); n > 0 && (p != "" || !drop) {
		out = append(out, p)
	}
	return newStrings(r, out)
}

func declareStringStatic(t *csharp.TypeBuilder) {
	t.Static("bool IsNullOrEmpty(string value)", csharp.F1(func(s string) bool { return s == "" }))
	t.Static("bool IsNullOrWhiteSpace(string value)", csharp.F1(func(s string) bool { return strings.TrimFunc(s, isWhite) == "" }))
	t.Static("string Copy(string str)", csharp.F1(func(s string) string { return s }))
	t.Static("string Intern(string str)", csharp.F1(func(s string) string { return s }))
	t.Static("string Join(string separator, params string[] value)", csharp.F3(func(r run, sep string, a array) string {
		if a == nil {
			csharp.ThrowArgumentNull("value")
		}
		return joinText(r, sep, strs(a))
	}))
	t.Static("string Join(string separator, params object[] values)", csharp.F3(func(r run, sep string, a array) string {
		if a == nil {
			csharp.ThrowArgumentNull("values")
		}
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
