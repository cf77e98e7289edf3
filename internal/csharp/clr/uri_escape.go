package clr

import (
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

const (
	uriUnreserved = "-._~"               // besides letters and digits (RFC 3986, section 2.3)
	uriReserved   = ":/?#[]@!$&'()*+,;=" // section 2.2
)

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isUnreserved(c byte) bool { return isAlnum(c) || strings.IndexByte(uriUnreserved, c) >= 0 }

// percentEscape escapes the UTF-8 bytes of s but for letters, digits and the characters in keep.
func percentEscape(s, keep string) string {
	n := 0
	for i := 0; i < len(s); i++ {
		if !isAlnum(s[i]) && strings.IndexByte(keep, s[i]) < 0 {
			n++
		}
	}
	if n == 0 {
		return s
	}
	s = string(encodeUTF8(s))
	out := make([]byte, 0, len(s)+2*n)
	for i := 0; i < len(s); i++ {
		if c := s[i]; isAlnum(c) || strings.IndexByte(keep, c) >= 0 {
			out = append(out, c)
		} else {
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(out)
}

func hexValue(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// percentByte reads %XX at the start of s.
func percentByte(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	h, ok := hexValue(s[1])
	l, ok2 := hexValue(s[2])
	return h<<4 | l, ok && ok2
}

// percentRune reads the escapes of one character beyond ASCII at the start of s.
func percentRune(s string) (text string, n int, ok bool) {
	var buf [utf8.UTFMax]byte
	for i := range buf {
		c, ok := percentByte(s[3*i:])
		if !ok {
			return "", 0, false
		}
		buf[i] = c
		if utf8.FullRune(buf[:i+1]) {
			r, size := utf8.DecodeRune(buf[:i+1])
			return string(buf[:i+1]), 3 * (i + 1), r != utf8.RuneError && size == i+1
		}
	}
	return "", 0, false
}

// percentUnescape replaces escapes of ASCII characters that keep does not refuse and of well-formed UTF-8.
func percentUnescape(s string, keep func(c byte) bool) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		c, ok := percentByte(s[i:])
		switch {
		case !ok || c < utf8.RuneSelf && keep(c):
			out.WriteByte(s[i])
			i++
		case c < utf8.RuneSelf:
			out.WriteByte(c)
			i += 3
		default:
			text, n, ok := percentRune(s[i:])
			if !ok {
				text, n = s[i:i+3], 3
			}
			out.WriteString(text)
			i += n
		}
	}
	return out.String()
}

func keepNothing(byte) bool { return false }

// keepUnsafe refuses what would change the meaning of a URI if it stood there unescaped.
func keepUnsafe(c byte) bool {
	return c == '%' || c == '\\' || c < ' ' || c == 0x7F || strings.IndexByte(uriReserved, c) >= 0
}

// canonicalEscapes is the form of a path, query or fragment in AbsoluteUri: unreserved characters stand for themselves,
// everything that is not allowed in a URI is escaped.
func canonicalEscapes(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		c, ok := percentByte(s[i:])
		switch {
		case ok && isUnreserved(c):
			out.WriteByte(c)
			i += 3
		case ok && c >= utf8.RuneSelf:
			text, n, ok := percentRune(s[i:])
			if ok {
				text = percentEscape(text, "")
			} else {
				text, n = s[i:i+3], 3
			}
			out.WriteString(text)
			i += n
		case ok:
			out.WriteString(s[i : i+3])
			i += 3
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				n = min(3, len(s)-i) // a lone surrogate
			}
			out.WriteString(percentEscape(s[i:i+n], uriUnreserved+uriReserved))
			i += n
		}
	}
	return out.String()
}

func declareUriEscape(t *csharp.TypeBuilder) {
	t.Static("string EscapeDataString(string stringToEscape)", csharp.F2(func(r run, s string) string {
		needString(s, "stringToEscape")
		r.Alloc(len(s))
		return percentEscape(s, uriUnreserved)
	}))
	t.Static("string EscapeUriString(string stringToEscape)", csharp.F2(func(r run, s string) string {
		needString(s, "stringToEscape")
		r.Alloc(len(s))
		return percentEscape(s, uriUnreserved+uriReserved)
	}))
	t.Static("string UnescapeDataString(string stringToUnescape)", csharp.F2(func(r run, s string) string {
		needString(s, "stringToUnescape")
		r.Alloc(len(s))
		return percentUnescape(s, keepNothing)
	}))
	t.Static("string HexEscape(char character)", csharp.F1(func(c csharp.Char) string {
		if c > 0xFF {
			outOfRange("character", "Specified argument was out of the range of valid values.")
		}
		return string([]byte{'%', upperHex[c>>4], upperHex[c&15]})
	}))
	t.Static("bool IsHexDigit(char character)", csharp.F1(func(c csharp.Char) bool {
		_, ok := hexValue(byte(c))
		return ok && c < 0x80
	}))
	t.Static("bool IsHexEncoding(string pattern, int index)", csharp.F2(func(s string, i int) bool {
		needString(s, "pattern")
		if i < 0 || i >= len(s) {
			return false
		}
		_, ok := percentByte(s[i:])
		return ok
	}))
	t.Static("int FromHex(char digit)", csharp.F1(func(c csharp.Char) int {
		v, ok := hexValue(byte(c))
		if !ok || c > 0x7F {
			csharp.ThrowArgument("System.ArgumentException", "Value does not fall within the expected range.", "digit")
		}
		return int(v)
	}))
}
