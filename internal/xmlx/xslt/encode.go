package xslt

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// knownEncoding says whether results can be written in an encoding.
func knownEncoding(name string) error {
	switch strings.ToLower(name) {
	case "utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "iso-8859-1", "latin1":
		return nil
	}
	return fmt.Errorf("the encoding %q is not supported", name)
}

// encode makes the bytes of a text. UTF-16 begins with a byte order mark.
func encode(text []byte, encoding string) []byte {
	switch strings.ToLower(encoding) {
	case "utf-16", "utf-16le":
		return encode16(text, 0)
	case "utf-16be":
		return encode16(text, 1)
	case "iso-8859-1", "latin1", "us-ascii", "ascii":
		out := make([]byte, 0, len(text))
		for i := 0; i < len(text); {
			r, size := utf8.DecodeRune(text[i:])
			if r > 0xff { // in raw text and text results, where there are no references
				r = '?'
			}
			out = append(out, byte(r))
			i += size
		}
		return out
	}
	return text
}

func encode16(text []byte, high int) []byte {
	units := utf16.Encode([]rune("\ufeff" + string(text)))
	out := make([]byte, 2*len(units))
	for i, u := range units {
		out[2*i+high], out[2*i+1-high] = byte(u), byte(u>>8)
	}
	return out
}
