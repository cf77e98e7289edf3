package clr

import (
	"unicode"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// unicodeCategories are the members of UnicodeCategory with Unicode's abbreviations, in .NET's order.
var unicodeCategories = []struct{ name, abbreviation string }{
	{"UppercaseLetter", "Lu"}, {"LowercaseLetter", "Ll"}, {"TitlecaseLetter", "Lt"}, {"ModifierLetter", "Lm"}, {"OtherLetter", "Lo"},
	{"NonSpacingMark", "Mn"}, {"SpacingCombiningMark", "Mc"}, {"EnclosingMark", "Me"}, {"DecimalDigitNumber", "Nd"},
	{"LetterNumber", "Nl"}, {"OtherNumber", "No"}, {"SpaceSeparator", "Zs"}, {"LineSeparator", "Zl"}, {"ParagraphSeparator", "Zp"},
	{"Control", "Cc"}, {"Format", "Cf"}, {"Surrogate", "Cs"}, {"PrivateUse", "Co"}, {"ConnectorPunctuation", "Pc"},
	{"DashPunctuation", "Pd"}, {"OpenPunctuation", "Ps"}, {"ClosePunctuation", "Pe"}, {"InitialQuotePunctuation", "Pi"},
	{"FinalQuotePunctuation", "Pf"}, {"OtherPunctuation", "Po"}, {"MathSymbol", "Sm"}, {"CurrencySymbol", "Sc"},
	{"ModifierSymbol", "Sk"}, {"OtherSymbol", "So"}, {"OtherNotAssigned", "Cn"},
}

func categoryOf(r rune) int {
	for i, c := range unicodeCategories {
		if t := unicode.Categories[c.abbreviation]; t != nil && unicode.Is(t, r) {
			return i
		}
	}
	return len(unicodeCategories) - 1
}

// declareUnicode declares what char says about Unicode and ASCII; t is System.Char.
func declareUnicode(b *csharp.Builder, t *csharp.TypeBuilder) {
	names := make([]string, len(unicodeCategories))
	for i, c := range unicodeCategories {
		names[i] = c.name
	}
	b.Enum("System.Globalization.UnicodeCategory", false, names, countTo(len(names))).Outside()
	t.Static("UnicodeCategory GetUnicodeCategory(char c)", csharp.F1(func(c csharp.Char) int { return categoryOf(rune(c)) }))
	t.Static("UnicodeCategory GetUnicodeCategory(string s, int index)", csharp.F2(func(s string, i int) int {
		needString(s, "s")
		if i < 0 || i >= csharp.Length(s) {
			outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
		}
		c := csharp.CharAt(s, i)
		if isHigh(c) && i+1 < csharp.Length(s) && isLow(csharp.CharAt(s, i+1)) {
			return categoryOf(codePoint(c, csharp.CharAt(s, i+1)))
		}
		return categoryOf(rune(c))
	}))
	between := func(name string, ranges ...rune) {
		t.Static("bool "+name+"(char c)", csharp.F1(func(c csharp.Char) bool {
			for i := 0; i < len(ranges); i += 2 {
				if rune(c) >= ranges[i] && rune(c) <= ranges[i+1] {
					return true
				}
			}
			return false
		}))
	}
	between("IsAsciiDigit", '0', '9')
	between("IsAsciiLetter", 'a', 'z', 'A', 'Z')
	between("IsAsciiLetterLower", 'a', 'z')
	between("IsAsciiLetterUpper", 'A', 'Z')
	between("IsAsciiLetterOrDigit", 'a', 'z', 'A', 'Z', '0', '9')
	between("IsAsciiHexDigit", 'a', 'f', 'A', 'F', '0', '9')
	between("IsAsciiHexDigitLower", 'a', 'f', '0', '9')
	between("IsAsciiHexDigitUpper", 'A', 'F', '0', '9')
	t.Static("bool IsBetween(char c, char minInclusive, char maxInclusive)", csharp.F3(func(c, lo, hi csharp.Char) bool { return c >= lo && c <= hi }))
	declareSurrogates(t)
}

func isHigh(c csharp.Char) bool { return c >= 0xD800 && c <= 0xDBFF }
func isLow(c csharp.Char) bool  { return c >= 0xDC00 && c <= 0xDFFF }

// codePoint joins the halves of a surrogate pair.
func codePoint(hi, lo csharp.Char) rune { return (rune(hi)-0xD800)<<10 + rune(lo) - 0xDC00 + 0x10000 }

func declareSurrogates(t *csharp.TypeBuilder) {
	t.Static("bool IsSurrogatePair(char highSurrogate, char lowSurrogate)", csharp.F2(func(hi, lo csharp.Char) bool { return isHigh(hi) && isLow(lo) }))
	t.Static("bool IsSurrogatePair(string s, int index)", csharp.F2(func(s string, i int) bool {
		needString(s, "s")
		if i < 0 || i >= csharp.Length(s) {
			outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
		}
		return i+1 < csharp.Length(s) && isHigh(csharp.CharAt(s, i)) && isLow(csharp.CharAt(s, i+1))
	}))
	t.Static("int ConvertToUtf32(char highSurrogate, char lowSurrogate)", csharp.F2(func(hi, lo csharp.Char) int {
		if !isHigh(hi) {
			outOfRange("highSurrogate", "A valid high surrogate character is between 0xd800 and 0xdbff, inclusive.")
		}
		if !isLow(lo) {
			outOfRange("lowSurrogate", "A valid low surrogate character is between 0xdc00 and 0xdfff, inclusive.")
		}
		return int(codePoint(hi, lo))
	}))
	t.Static("int ConvertToUtf32(string s, int index)", csharp.F2(func(s string, i int) int {
		needString(s, "s")
		if i < 0 || i >= csharp.Length(s) {
			outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
		}
		c := csharp.CharAt(s, i)
		switch {
		case isLow(c):
			csharp.ThrowArgument("System.ArgumentException", "Found a low surrogate char without a preceding high surrogate at index: "+text(int32(i))+". The input may not be in this encoding, or may not contain valid Unicode (UTF-16) characters.", "s")
		case isHigh(c):
			if i+1 >= csharp.Length(s) || !isLow(csharp.CharAt(s, i+1)) {
				csharp.ThrowArgument("System.ArgumentException", "Found a high surrogate char without a following low surrogate at index: "+text(int32(i))+". The input may not be in this encoding, or may not contain valid Unicode (UTF-16) characters.", "s")
			}
			return int(codePoint(c, csharp.CharAt(s, i+1)))
		}
		return int(c)
	}))
}
