package csharp

import (
	"strings"
)

// skipLexeme gives the length of the string, character literal, comment or single byte at src[i]; 0 when it has no end.
func skipLexeme(src string, i int) int {
	rest := src[i:]
	switch {
	case strings.HasPrefix(rest, `@$"`), strings.HasPrefix(rest, `$@"`):
		return skipInterp(rest, 3, true)
	case strings.HasPrefix(rest, `$"`):
		return skipInterp(rest, 2, false)
	case strings.HasPrefix(rest, `@"`):
		for n := 2; n < len(rest); n++ {
			if rest[n] == '"' {
				if n+1 >= len(rest) || rest[n+1] != '"' {
					return n + 1
				}
				n++
			}
		}
		return 0
	case rest[0] == '"' || rest[0] == '\'':
		for n := 1; n < len(rest) && rest[n] != '\n'; n++ {
			if rest[n] == '\\' {
				n++
			} else if rest[n] == rest[0] {
				return n + 1
			}
		}
		return 0
	case strings.HasPrefix(rest, "//"):
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			return n
		}
		return len(rest)
	case strings.HasPrefix(rest, "/*"):
		if n := strings.Index(rest[2:], "*/"); n >= 0 {
			return n + 4
		}
		return 0
	}
	return 1
}

// skipInterp gives the length of an interpolated string whose text begins at rest[n].
func skipInterp(rest string, n int, verbatim bool) int {
	for n < len(rest) {
		c := rest[n]
		switch {
		case c == '"' && verbatim && n+1 < len(rest) && rest[n+1] == '"':
			n += 2
		case c == '"':
			return n + 1
		case c == '\\' && !verbatim:
			n += 2
		case c == '{' && n+1 < len(rest) && rest[n+1] == '{':
			n += 2
		case c == '{':
			depth := 0
			inFormat := false
			for {
				if n >= len(rest) {
					return 0
				}
				step := 1
				switch c := rest[n]; {
				case inFormat && c == '"' && !verbatim:
					return 0
				case inFormat && c != '}':
				case c == '(' || c == '[' || c == '{':
					depth++
				case c == ')' || c == ']' || c == '}':
					depth--
				case c == ':' && depth == 1:
					inFormat = true
				default:
					step = skipLexeme(rest, n)
				}
				if step == 0 {
					return 0
				}
				n += step
				if depth == 0 {
					break
				}
			}
		default:
			n++
		}
	}
	return 0
}

func endOfExpression(src string) (int, bool) {
	if len(src) < 2 || src[0] != '@' || src[1] != '(' && src[1] != '{' {
		return 0, false
	}
	var open []byte
	for i := 1; i < len(src); {
		switch c := src[i]; c {
		case '(':
			open = append(open, ')')
		case '[':
			open = append(open, ']')
		case '{':
			open = append(open, '}')
		case ')', ']', '}':
			if open[len(open)-1] != c {
				return 0, false
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return i + 1, true
			}
		}
		n := skipLexeme(src, i)
		if n == 0 {
			return 0, false
		}
		i += n
	}
	return 0, false
}
