package csharp

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokIdent
	tokKeyword
	tokOp
	tokNumber // value: int64 and so on as boxed literal
	tokString
	tokChar
	tokInterp
)

type token struct {
	kind  tokenKind
	pos   int
	end   int
	text  string // identifier without @, keyword, operator
	value any
	parts []interpPart
}

// interpPart is a piece of an interpolated string: text, or a hole with the source range of its expression.
type interpPart struct {
	text       string
	hole       bool
	start, end int // of the expression
	alignStart int // of the alignment, 0 for none
	alignEnd   int
	format     string
}

// syntaxError is panicked by scanner and parser and recovered by the function that started them.
type syntaxError struct {
	pos  int
	code string
	msg  string
}

func fail(pos int, code, format string, args ...any) {
	panic(syntaxError{pos, code, fmt.Sprintf(format, args...)})
}

var keywords = func() map[string]bool {
	m := map[string]bool{}
	for _, k := range strings.Fields(`abstract as base bool break byte case catch char checked class const continue decimal
		default delegate do double else enum event explicit extern false finally fixed float for foreach goto if implicit
		in int interface internal is lock long namespace new null object operator out override params private protected
		public readonly ref return sbyte sealed short sizeof stackalloc static string struct switch this throw true try
		typeof uint ulong unchecked unsafe ushort using virtual void volatile while`) {
		m[k] = true
	}
	return m
}()

// operators, longest first. >> is left to the parser, which joins two adjacent > so that List<List<int>> works.
var operators = []string{"<<=", "...", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=",
	"^=", "<<", "->", "::"}

// scan cuts src[start:end] into tokens, ending with tokEOF.
func scan(src string, start, end int) []token {
	s := &scanner{src: src[:end], i: start}
	out := make([]token, 0, (end-start)/4+8) // a token has three or four bytes of source
	for {
		t := s.next()
		out = append(out, t)
		if t.kind == tokEOF {
			return out
		}
	}
}

type scanner struct {
	src string
	i   int
}

func (s *scanner) peek(n int) byte {
	if s.i+n < len(s.src) {
		return s.src[s.i+n]
	}
	return 0
}

func (s *scanner) skipSpace() {
	for s.i < len(s.src) {
		c := s.src[s.i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f':
			s.i++
		case c == '/' && s.peek(1) == '/':
			for s.i < len(s.src) && s.src[s.i] != '\n' {
				s.i++
			}
		case c == '/' && s.peek(1) == '*':
			n := strings.Index(s.src[s.i+2:], "*/")
			if n < 0 {
				fail(s.i, "CS1035", "End-of-file found, '*/' expected")
			}
			s.i += n + 4
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s.src[s.i:])
			if !unicode.IsSpace(r) && r != 0xFEFF {
				return
			}
			s.i += n
		default:
			return
		}
	}
}

func (s *scanner) next() token {
	s.skipSpace()
	start := s.i
	if s.i >= len(s.src) {
		return token{kind: tokEOF, pos: start, end: start}
	}
	c := s.src[s.i]
	switch {
	case c == '"':
		return s.finish(token{kind: tokString, pos: start, value: s.regularString()})
	case c == '@' && s.peek(1) == '"':
		s.i++
		return s.finish(token{kind: tokString, pos: start, value: s.verbatimString()})
	case c == '$' && s.peek(1) == '"':
		s.i += 2
		return s.interpolated(start, false)
	case c == '@' && s.peek(1) == '$' && s.peek(2) == '"':
		fail(start, "CS8401", "To use '@$' instead of '$@' for an interpolated verbatim string, C# 8.0 would be needed; write $@")
	case c == '$' && s.peek(1) == '@' && s.peek(2) == '"':
		s.i += 3
		return s.interpolated(start, true)
	case c == '\'':
		return s.finish(token{kind: tokChar, pos: start, value: s.charLiteral()})
	case isDigit(c) || c == '.' && isDigit(s.peek(1)):
		return s.finish(token{kind: tokNumber, pos: start, value: s.number()})
	case c == '@' || c == '_' || c == '\\' || isLetter(c) || c >= utf8.RuneSelf:
		return s.identifier()
	}
	for _, op := range operators {
		if strings.HasPrefix(s.src[s.i:], op) {
			if op == "?." && isDigit(s.peek(2)) {
				break
			}
			s.i += len(op)
			return token{kind: tokOp, pos: start, end: s.i, text: op}
		}
	}
	if strings.IndexByte("+-*/%&|^!~<>=?:;,.()[]{}", c) < 0 {
		fail(start, "CS1056", "Unexpected character '%c'", c)
	}
	s.i++
	return token{kind: tokOp, pos: start, end: s.i, text: s.src[start:s.i]}
}

func (s *scanner) finish(t token) token { t.end = s.i; return t }
func isDigit(c byte) bool               { return c >= '0' && c <= '9' }
func isLetter(c byte) bool              { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isIdentRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Pc, unicode.Cf)
}

func (s *scanner) identifier() token {
	start := s.i
	verbatim := s.src[s.i] == '@'
	if verbatim {
		s.i++
	}
	from := s.i
	escaped := false
	for s.i < len(s.src) {
		r, n := s.identRune()
		if !isIdentRune(r) || s.i == from && unicode.IsDigit(r) {
			break
		}
		escaped = escaped || s.src[s.i] == '\\'
		s.i += n
	}
	if s.i == from {
		r, _ := utf8.DecodeRuneInString(s.src[start:])
		hint := ""
		switch r {
		case '\u201c', '\u201d', '\u201e':
			hint = ". Did you mean '\"'?"
		case '\u2018', '\u2019':
			hint = ". Did you mean '?"
		}
		fail(start, "CS1056", "Unexpected character '%c'%s", r, hint)
	}
	text := s.src[from:s.i]
	if escaped {
		return token{kind: tokIdent, pos: start, end: s.i, text: unescape(text, from)}
	}
	k := tokIdent
	if !verbatim && keywords[text] {
		k = tokKeyword
	}
	return token{kind: k, pos: start, end: s.i, text: text}
}

// identRune reads a character of an identifier, which may be written as \u0061.
func (s *scanner) identRune() (rune, int) {
	r, n := utf8.DecodeRuneInString(s.src[s.i:])
	if r != '\\' {
		return r, n
	}
	switch s.peek(1) {
	case 'u':
		n = 6
	case 'U':
		n = 10
	default:
		return r, n
	}
	n = min(n, len(s.src)-s.i)
	r, _ = utf8.DecodeRuneInString(unescape(s.src[s.i:s.i+n], s.i))
	return r, n
}

func (s *scanner) regularString() string {
	s.i++
	start := s.i
	plain := true
	for s.i < len(s.src) {
		switch s.src[s.i] {
		case '"':
			raw := s.src[start:s.i]
			s.i++
			if plain {
				return raw
			}
			return unescape(raw, start)
		case '\\':
			plain = false
			s.i++
		case '\n':
			fail(start-1, "CS1010", "Newline in constant")
		}
		s.i++
	}
	fail(start-1, "CS1010", "Newline in constant: the string has no closing quote")
	return ""
}

func (s *scanner) verbatimString() string {
	start := s.i
	s.i++
	var b strings.Builder
	for s.i < len(s.src) {
		c := s.src[s.i]
		if c == '"' {
			if s.peek(1) != '"' {
				s.i++
				return b.String()
			}
			s.i++
		}
		b.WriteByte(c)
		s.i++
	}
	fail(start, "CS1039", "Unterminated string literal")
	return ""
}

func (s *scanner) charLiteral() any {
	start := s.i
	s.i++
	from := s.i
	for s.i < len(s.src) && s.src[s.i] != '\'' && s.src[s.i] != '\n' {
		if s.src[s.i] == '\\' {
			s.i++
		}
		s.i++
	}
	if s.i >= len(s.src) || s.src[s.i] != '\'' {
		fail(start, "CS1012", "Too many characters in character literal")
	}
	text := s.src[from:s.i]
	s.i++
	if text == "" {
		fail(start, "CS1011", "Empty character literal")
	}
	text = unescape(text, from)
	if Length(text) != 1 {
		fail(start, "CS1012", "Too many characters in character literal")
	}
	return CharAt(text, 0)
}

// unescape resolves the escapes of a regular string whose raw text stands at pos.
func unescape(raw string, pos int) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw
	}
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			b = append(b, raw[i])
			continue
		}
		at := pos + i
		i++
		if i >= len(raw) {
			fail(at, "CS1009", "Unrecognized escape sequence")
		}
		if j := strings.IndexByte(`'"\0abfnrtv`, raw[i]); j >= 0 {
			b = append(b, "'\"\\\x00\a\b\f\n\r\t\v"[j])
			continue
		}
		least, most := 4, 4
		switch raw[i] {
		case 'x':
			least = 1
		case 'U':
			least, most = 8, 8
		case 'u':
		default:
			fail(at, "CS1009", "Unrecognized escape sequence")
		}
		n, v := 0, rune(0)
		for n < most && i+1 < len(raw) && hexDigit(raw[i+1]) >= 0 {
			v = v<<4 | rune(hexDigit(raw[i+1]))
			i++
			n++
		}
		if n < least || v > unicode.MaxRune {
			fail(at, "CS1009", "Unrecognized escape sequence")
		}
		if v > 0xFFFF {
			b = utf8.AppendRune(b, v)
		} else {
			b = AppendUnit(b, uint16(v))
		}
	}
	return string(b)
}

func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
