package clr

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file converts between strings and bytes. What cannot be converted is replaced as .NET's encodings do by default.

const replacement = "\uFFFD"

// decodeUTF8 replaces each maximal part of an ill-formed sequence by one U+FFFD (Unicode Standard, section 3.9), where Go
// would replace each byte.
func decodeUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			out.Write(b[:n])
			b = b[n:]
			continue
		}
		out.WriteString(replacement)
		b = b[illFormed(b):]
	}
	return out.String()
}

// illFormed is the length of the longest beginning of b that also begins a well-formed sequence, at least 1.
func illFormed(b []byte) int {
	length, low, high := 1, byte(0x80), byte(0xBF)
	switch c := b[0]; {
	case c >= 0xC2 && c <= 0xDF:
		length = 2
	case c >= 0xE0 && c <= 0xEF:
		length = 3
	case c >= 0xF0 && c <= 0xF4:
		length = 4
	}
	switch b[0] {
	case 0xE0:
		low = 0xA0
	case 0xED:
		high = 0x9F
	case 0xF0:
		low = 0x90
	case 0xF4:
		high = 0x8F
	}
	n := 1
	for n < length && n < len(b) && b[n] >= low && b[n] <= high {
		n++
		low, high = 0x80, 0xBF
	}
	return n
}

// encodeUTF8 replaces lone surrogates, which WTF-8 strings may hold.
func encodeUTF8(s string) []byte {
	if utf8.ValidString(s) {
		return []byte(s)
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			out = append(out, replacement...)
			n = min(3, len(s)-i) // a surrogate has three bytes
		} else {
			out = append(out, s[i:i+n]...)
		}
		i += n
	}
	return out
}

func decodeUTF16(b []byte, order binary.ByteOrder) string {
	out := make([]byte, 0, len(b))
	for ; len(b) >= 2; b = b[2:] {
		out = csharp.AppendUnit(out, order.Uint16(b))
	}
	if len(b) == 1 {
		out = append(out, replacement...)
	}
	return string(encodeUTF8(string(out))) // replaces lone surrogates
}

func encodeUTF16(s string, order binary.AppendByteOrder) []byte {
	units := csharp.Units(string(encodeUTF8(s)))
	out := make([]byte, 0, 2*len(units))
	for _, u := range units {
		out = order.AppendUint16(out, u)
	}
	return out
}

func decodeUTF32(b []byte, order binary.ByteOrder) string {
	var out strings.Builder
	for ; len(b) >= 4; b = b[4:] {
		// WriteRune writes U+FFFD for what is no code point, also for numbers that turn negative.
		out.WriteRune(rune(order.Uint32(b)))
	}
	if len(b) > 0 {
		out.WriteString(replacement)
	}
	return out.String()
}

func encodeUTF32(s string, order binary.AppendByteOrder) []byte {
	out := make([]byte, 0, 4*len(s))
	for _, r := range string(encodeUTF8(s)) {
		out = order.AppendUint32(out, uint32(r))
	}
	return out
}

// decodeSingle makes one character of each byte, a question mark of those above most.
func decodeSingle(b []byte, most byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for _, c := range b {
		if c > most {
			out.WriteByte('?')
			continue
		}
		out.WriteRune(rune(c))
	}
	return out.String()
}

// encodeSingle writes a question mark for each UTF-16 unit that is above most.
func encodeSingle(s string, most uint16) []byte {
	out := make([]byte, 0, len(s))
	if csharp.IsASCII(s) {
		return append(out, s...)
	}
	for _, u := range csharp.Units(s) {
		if u > most {
			u = '?'
		}
		out = append(out, byte(u))
	}
	return out
}
