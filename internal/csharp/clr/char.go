package clr

import (
	"unicode"

	"github.com/causeway-apim/causeway/internal/csharp"
)

func declareChar(b *csharp.Builder) {
	t := b.Type("struct System.Char : IComparable, IComparable<char>, IEquatable<char>", csharp.Go[csharp.Char]())
	t.Const("char MaxValue", csharp.Char(0xFFFF))
	t.Const("char MinValue", csharp.Char(0))
	t.Method("string ToString()", csharp.F1(csharp.Char.String))
	t.Method("int CompareTo(char value)", csharp.F2(func(a, c csharp.Char) int { return int(a) - int(c) }))
	t.Method("int CompareTo(object value)", csharp.F2(func(a csharp.Char, c any) int {
		if compareTo("Char", a, c); c == nil {
			return 1
		}
		return int(a) - int(c.(csharp.Char))
	}))
	t.Method("string ToString(IFormatProvider provider)", csharp.F2(func(c csharp.Char, _ any) string { return c.String() }))
	t.Method("bool Equals(char obj)", csharp.F2(func(a, c csharp.Char) bool { return a == c }))
	t.Static("string ToString(char c)", csharp.F1(csharp.Char.String))
	surrogate := func(r rune) bool { return r >= 0xD800 && r <= 0xDFFF }
	for name, f := range map[string]func(rune) bool{
		"IsDigit": unicode.IsDigit, "IsLetter": unicode.IsLetter, "IsWhiteSpace": isWhite,
		"IsLetterOrDigit": func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) },
		"IsUpper":         unicode.IsUpper, "IsLower": unicode.IsLower, "IsControl": unicode.IsControl,
		"IsNumber": unicode.IsNumber, "IsPunctuation": unicode.IsPunct, "IsSymbol": unicode.IsSymbol,
		"IsSeparator":     func(r rune) bool { return unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp) },
		"IsSurrogate":     surrogate,
		"IsHighSurrogate": func(r rune) bool { return surrogate(r) && r < 0xDC00 },
		"IsLowSurrogate":  func(r rune) bool { return surrogate(r) && r >= 0xDC00 },
		"IsAscii":         func(r rune) bool { return r < 128 },
	} {
		t.Static("bool "+name+"(char c)", csharp.F1(func(c csharp.Char) bool { return f(rune(c)) }))
		t.Static("bool "+name+"(string s, int index)", csharp.F2(func(s string, i int) bool {
			needString(s, "s")
			if i < 0 || i >= csharp.Length(s) {
				outOfRange("index", "Specified argument was out of the range of valid values.")
			}
			return f(rune(csharp.CharAt(s, i)))
		}))
	}
	for _, suffix := range []string{"", "Invariant"} {
		t.Static("char ToUpper"+suffix+"(char c)", csharp.F1(func(c csharp.Char) csharp.Char { return simpleCase(c, invariantUpper) }))
		t.Static("char ToLower"+suffix+"(char c)", csharp.F1(func(c csharp.Char) csharp.Char { return simpleCase(c, invariantLower) }))
	}
	for name, fold := range map[string]func(rune) rune{"Upper": invariantUpper, "Lower": invariantLower} {
		t.Static("char To"+name+"(char c, System.Globalization.CultureInfo culture)", csharp.F2(func(c csharp.Char, _ any) csharp.Char { return simpleCase(c, fold) }))
	}
	t.Static("double GetNumericValue(char c)", csharp.F1(func(c csharp.Char) float64 {
		if unicode.IsDigit(rune(c)) {
			return float64(digitValue(rune(c)))
		}
		return -1
	}))
	t.Static("char Parse(string s)", csharp.F1(func(s string) csharp.Char {
		needString(s, "s")
		if csharp.Length(s) != 1 {
			formatError("String must be exactly one character long.")
		}
		return csharp.CharAt(s, 0)
	}))
	t.Static("bool TryParse(string s, out char result)", csharp.F2(func(s string, out ref) bool {
		ok := csharp.Length(s) == 1
		out.Value = csharp.Char(0)
		if ok {
			out.Value = csharp.CharAt(s, 0)
		}
		return ok
	}))
	declareUnicode(b, t)
	t.Static("string ConvertFromUtf32(int utf32)", csharp.F1(func(n int) string {
		if n < 0 || n > unicode.MaxRune || surrogate(rune(n)) {
			outOfRange("utf32", "A valid UTF32 value is between 0x000000 and 0x10ffff, inclusive, and should not include surrogate codepoint values (0x00d800 ~ 0x00dfff).")
		}
		return string(rune(n))
	}))
}

func simpleCase(c csharp.Char, f func(rune) rune) csharp.Char {
	if r := f(rune(c)); r <= 0xFFFF {
		return csharp.Char(r)
	}
	return c
}

// digitValue is the value of a decimal digit of any script: the digits of a script stand in a row that ends at a multiple.
func digitValue(r rune) int {
	if r <= '9' {
		return int(r - '0')
	}
	n := 0
	for n < 9 && unicode.IsDigit(r-1) {
		r--
		n++
	}
	return n
}
