package message

import "strings"

// EscapeURL percent-encodes what cannot stand in a URL (RFC 3986, appendix A), as .NET's Uri does with texts that people write: blanks, characters
// beyond ASCII and the like, and a percent sign that begins no escape. What is encoded already stays.
func EscapeURL(raw string) string {
	n := 0
	for i := range len(raw) {
		if mustEscape(raw, i) {
			n++
		}
	}
	if n == 0 {
		return raw
	}
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(raw) + 2*n)
	for i := range len(raw) {
		c := raw[i]
		if !mustEscape(raw, i) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

func mustEscape(s string, i int) bool {
	switch c := s[i]; c {
	case '"', '<', '>', '\\', '^', '`', '{', '|', '}':
		return true
	case '%':
		return i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])
	default:
		return c <= ' ' || c >= 0x7f
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
