package armtemplate

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Relax makes strict JSON of what Azure Resource Manager takes for JSON besides: comments, names without quotes (the
// Azure CLI sends its templates as `template:{…}`), strings over several lines, and a comma after the last item. Lines
// stay what they are. Strict JSON is returned as it is; what is wrong otherwise stays wrong.
func Relax(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if json.Valid(data) {
		return data
	}
	r := relaxer{in: data, out: make([]byte, 0, len(data)+len(data)/8)}
	for r.at < len(r.in) {
		r.next()
	}
	return r.out
}

type relaxer struct {
	in, out []byte
	at      int
	last    byte // the last byte of out that is not blank
}

// next copies one token.
func (r *relaxer) next() {
	c := r.in[r.at]
	end := skipBlank(r.in, r.at)
	switch {
	case end > r.at:
		for _, b := range r.in[r.at:end] {
			if b != '\n' {
				b = ' '
			}
			r.out = append(r.out, b)
		}
		r.at = end
		return
	case c == '"':
		r.text()
	case c == ',' && !bytes.ContainsRune([]byte("[{,"), rune(r.last)) && closes(r.in, skipBlank(r.in, r.at+1)):
		r.out = append(r.out, ' ')
		r.at++
		return
	case (r.last == '{' || r.last == ',') && nameLength(r.in[r.at:]) > 0:
		n := nameLength(r.in[r.at:])
		r.out = append(append(append(r.out, '"'), r.in[r.at:r.at+n]...), '"')
		r.at += n
	default:
		r.out = append(r.out, c)
		r.at++
	}
	r.last = r.out[len(r.out)-1]
}

// text copies a string. Line feeds in it are escaped, and follow it, so that lines stay what they are.
func (r *relaxer) text() {
	lines := 0
	r.out = append(r.out, '"')
	for r.at++; r.at < len(r.in); r.at++ {
		switch c := r.in[r.at]; {
		case c == '\\' && r.at+1 < len(r.in):
			r.out = append(r.out, c, r.in[r.at+1])
			r.at++
		case c == '"':
			r.at++
			r.out = append(append(r.out, '"'), bytes.Repeat([]byte("\n"), lines)...)
			return
		case c == '\n':
			lines++
			r.out = append(r.out, `\n`...)
		case c == '\r':
			r.out = append(r.out, `\r`...)
		case c == '\t':
			r.out = append(r.out, `\t`...)
		default:
			r.out = append(r.out, c)
		}
	}
}

// skipBlank returns where blanks and comments that begin at an offset end.
func skipBlank(data []byte, at int) int {
	for at < len(data) {
		switch rest := data[at:]; {
		case bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0:
			at++
		case bytes.HasPrefix(rest, []byte("//")):
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				return len(data)
			}
			at += end
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				return at // not closed: an error
			}
			at += end + 4
		default:
			return at
		}
	}
	return at
}

func closes(data []byte, at int) bool { return at < len(data) && (data[at] == '}' || data[at] == ']') }

// nameLength is the length of a name without quotes that a colon follows, 0 for anything else.
func nameLength(data []byte) int {
	n := 0
	for n < len(data) && (data[n] == '_' || data[n] == '$' || data[n]|0x20 >= 'a' && data[n]|0x20 <= 'z' || n > 0 && data[n] >= '0' && data[n] <= '9') && data[n] < utf8.RuneSelf {
		n++
	}
	if end := skipBlank(data, n); n > 0 && end < len(data) && data[end] == ':' {
		return n
	}
	return 0
}
