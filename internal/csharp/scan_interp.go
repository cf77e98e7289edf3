package csharp

import (
	"strings"
)

// interpolated scans an interpolated string whose opening quote has been passed.
func (s *scanner) interpolated(start int, verbatim bool) token {
	t := token{kind: tokInterp, pos: start}
	from := s.i
	var text []byte
	flush := func() {
		part := string(text)
		if !verbatim {
			part = unescape(part, from)
		}
		if part != "" {
			t.parts = append(t.parts, interpPart{text: part})
		}
		text = text[:0]
	}
	for s.i < len(s.src) {
		c := s.src[s.i]
		switch {
		case c == '"' && verbatim && s.peek(1) == '"':
			text = append(text, '"')
			s.i += 2
		case c == '"':
			flush()
			s.i++
			return s.finish(t)
		case c == '\\' && !verbatim && s.i+1 < len(s.src):
			text = append(text, c, s.src[s.i+1])
			s.i += 2
		case c == '\n' && !verbatim:
			fail(start, "CS1010", "Newline in constant")
		case (c == '{' || c == '}') && s.peek(1) == c:
			text = append(text, c)
			s.i += 2
		case c == '}':
			fail(s.i, "CS8086", "A '}' character must be escaped (by doubling) in an interpolated string.")
		case c == '{':
			flush()
			t.parts = append(t.parts, s.hole(verbatim))
			from = s.i
		default:
			text = append(text, c)
			s.i++
		}
	}
	fail(start, "CS1039", "Unterminated string literal")
	return t
}

// hole scans {expr[,align][:format]} of an interpolated string.
func (s *scanner) hole(verbatim bool) interpPart {
	open := s.i
	s.i++
	p := interpPart{hole: true, start: s.i}
	depth := 0
	for {
		if s.i >= len(s.src) {
			fail(open, "CS8076", "Missing close delimiter '}' for interpolated expression started with '{'.")
		}
		c := s.src[s.i]
		if depth == 0 && (c == '}' || c == ':' || c == ',') {
			break
		}
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
		n := skipLexeme(s.src, s.i)
		if n <= 0 {
			fail(s.i, "CS1039", "Unterminated string literal")
		}
		s.i += n
	}
	p.end = s.i
	if s.src[s.i] == ',' {
		s.i++
		p.alignStart = s.i
		for s.i < len(s.src) && s.src[s.i] != ':' && s.src[s.i] != '}' {
			s.i++
		}
		p.alignEnd = s.i
	}
	if s.i < len(s.src) && s.src[s.i] == ':' {
		s.i++
		from := s.i
		for s.i < len(s.src) && s.src[s.i] != '}' && (s.src[s.i] != '"' || verbatim && s.peek(1) == '"') {
			if s.src[s.i] == '"' || s.src[s.i] == '\\' && !verbatim {
				s.i++
			}
			s.i++
		}
		if s.i > len(s.src) {
			s.i = len(s.src)
		}
		p.format = s.src[from:s.i]
		if verbatim {
			p.format = strings.ReplaceAll(p.format, `""`, `"`)
		} else {
			p.format = unescape(p.format, from)
		}
		if p.format == "" {
			fail(from, "CS8089", "Empty format specifier.")
		}
	}
	if s.i >= len(s.src) || s.src[s.i] != '}' {
		fail(open, "CS8076", "Missing close delimiter '}' for interpolated expression started with '{'.")
	}
	s.i++
	return p
}
