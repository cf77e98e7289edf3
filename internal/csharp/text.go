package csharp

import (
	"unicode/utf16"
	"unicode/utf8"
)

// This file holds the UTF-16 view of WTF-8 strings.

// IsASCII tells whether s has only bytes below 0x80; then its UTF-16 units are its bytes.
func IsASCII(s string) bool {
	for len(s) >= 8 {
		// One test for eight bytes: the loop over single bytes is most of the cost of Length otherwise.
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&0x80 != 0 {
			return false
		}
		s = s[8:]
	}
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decode reads the code point at the start of s, which may be a lone surrogate. Invalid bytes count as U+FFFD.
func decode(s string) (rune, int) {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 && len(s) >= 3 && s[0] == 0xED && s[1] >= 0xA0 && s[1] <= 0xBF && s[2]&0xC0 == 0x80 {
		return rune(0xD000) | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), 3
	}
	return r, n
}

// Length is String.Length: the number of UTF-16 units.
func Length(s string) int {
	if IsASCII(s) {
		return len(s)
	}
	n := 0
	for i := 0; i < len(s); {
		r, size := decode(s[i:])
		i += size
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// Units gives the UTF-16 units of s.
func Units(s string) []uint16 {
	out := make([]uint16, 0, len(s))
	for i := 0; i < len(s); {
		r, size := decode(s[i:])
		i += size
		if r > 0xFFFF {
			hi, lo := utf16.EncodeRune(r)
			out = append(out, uint16(hi), uint16(lo))
		} else {
			out = append(out, uint16(r))
		}
	}
	return out
}

// FromUnits is the reverse of Units.
func FromUnits(u []uint16) string {
	b := make([]byte, 0, len(u))
	for _, x := range u {
		b = AppendUnit(b, x)
	}
	return string(b)
}

// AppendUnit appends one UTF-16 unit to WTF-8 text, joining it with a high surrogate at the end of b.
func AppendUnit(b []byte, u uint16) []byte {
	if u < 0xD800 || u > 0xDFFF {
		return utf8.AppendRune(b, rune(u))
	}
	if n := len(b); u >= 0xDC00 && n >= 3 && b[n-3] == 0xED && b[n-2] >= 0xA0 && b[n-2] <= 0xAF {
		hi, _ := decode(string(b[n-3:]))
		return utf8.AppendRune(b[:n-3], utf16.DecodeRune(hi, rune(u)))
	}
	return append(b, 0xE0|byte(u>>12), 0x80|byte(u>>6)&0x3F, 0x80|byte(u)&0x3F)
}

// ToUTF8 gives valid UTF-8: U+FFFD for each lone surrogate, as .NET's encoder writes it.
func ToUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, n := decode(s[i:])
		b = utf8.AppendRune(b, r) // writes U+FFFD for a surrogate
		i += n
	}
	return string(b)
}

// CharAt is the indexer of String. An index out of range throws IndexOutOfRangeException.
func CharAt(s string, i int) Char {
	if i >= 0 && i < len(s) && IsASCII(s[:i+1]) {
		return Char(s[i])
	}
	n := 0
	for k := 0; k < len(s) && i >= 0; {
		r, size := decode(s[k:])
		k += size
		switch {
		case r > 0xFFFF && n == i:
			hi, _ := utf16.EncodeRune(r)
			return Char(hi)
		case r > 0xFFFF && n+1 == i:
			_, lo := utf16.EncodeRune(r)
			return Char(lo)
		case n == i:
			return Char(r)
		case r > 0xFFFF:
			n++
		}
		n++
	}
	Throw("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
	return 0
}

// Slice gives the units from start (inclusive) to end (exclusive), which must be in range.
func Slice(s string, start, end int) string {
	if IsASCII(s) {
		return s[start:end]
	}
	return FromUnits(Units(s)[start:end])
}

// Concat joins two strings, either of which may be null; a surrogate pair that meets in the middle becomes one code point.
func Concat(a, b string) string {
	if len(a) == 0 && len(b) == 0 {
		return ""
	}
	if n := len(a); n >= 3 && len(b) >= 3 && a[n-3] == 0xED && b[0] == 0xED && a[n-2] >= 0xA0 && b[1] >= 0xB0 {
		lo, _ := decode(b)
		return string(AppendUnit([]byte(a), uint16(lo))) + b[3:]
	}
	return a + b
}

// String gives the string of one unit.
func (c Char) String() string {
	if c < utf8.RuneSelf {
		return asciiChars[c : c+1]
	}
	return string(AppendUnit(nil, uint16(c)))
}

// asciiChars backs one-character strings without allocation.
const asciiChars = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f" +
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f"
