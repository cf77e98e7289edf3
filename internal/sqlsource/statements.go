package sqlsource

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/policy"
)

// statement is one statement for PostgreSQL, which numbers parameters ($1 …) and takes one statement at a time when it
// has some.
type statement struct {
	text string
	args []policy.SQLParameter // in the order of their numbers
}

// splitter divides a text into statements and numbers the parameters of each. It knows PostgreSQL's lexical structure:
// strings, quoted names, dollar quotes and comments (PostgreSQL's documentation, chapter 4.1).
type splitter struct {
	text       string
	pos        int
	start      int // of what is not yet in out
	depth      int // of parentheses
	out        strings.Builder
	some       bool // there is more than white space and comments
	parameters map[string]policy.SQLParameter
	numbers    map[string]int
	current    statement
	list       []statement
}

// splitStatements makes PostgreSQL statements of a text with parameters named by @.
// A name that is no parameter stays as it is: @ is a part of operators, too.
func splitStatements(text string, parameters []policy.SQLParameter) []statement {
	s := &splitter{text: text, parameters: make(map[string]policy.SQLParameter), numbers: make(map[string]int)}
	for _, p := range parameters {
		s.parameters[strings.ToLower(p.Name)] = p
	}
	for s.pos < len(text) {
		s.step()
	}
	s.end()
	return s.list
}

// step reads one lexical element.
func (s *splitter) step() {
	c, rest := s.text[s.pos], s.text[s.pos:]
	switch {
	case strings.HasPrefix(rest, "--"):
		s.skipTo("\n")
		return
	case strings.HasPrefix(rest, "/*"):
		s.skipComment()
		return
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		s.pos++
		return
	case c == ';' && s.depth == 0:
		s.end()
		s.pos++
		s.start = s.pos
		return
	}
	s.some = true
	switch {
	case c == '\'':
		s.skipString()
	case c == '"':
		s.pos++
		s.skipTo(`"`)
	case c == '$':
		s.skipDollar()
	case c == '@':
		s.parameter()
	case c == '(':
		s.depth++
		s.pos++
	case c == ')':
		s.depth = max(0, s.depth-1)
		s.pos++
	default:
		s.pos += max(1, nameLen(rest)) // a $ inside of a name begins no quote
	}
}

func (s *splitter) end() {
	s.out.WriteString(s.text[s.start:s.pos])
	if s.some {
		s.current.text = s.out.String()
		s.list = append(s.list, s.current)
	}
	s.out.Reset()
	s.start, s.some, s.depth, s.current = s.pos, false, 0, statement{}
	clear(s.numbers)
}

// skipTo goes behind the next end, or to the end of the text.
func (s *splitter) skipTo(end string) {
	i := strings.Index(s.text[s.pos:], end)
	if i < 0 {
		s.pos = len(s.text)
		return
	}
	s.pos += i + len(end)
}

// skipComment goes behind a comment; comments nest.
func (s *splitter) skipComment() {
	for depth := 0; s.pos < len(s.text); {
		switch rest := s.text[s.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			s.pos += 2
		case strings.HasPrefix(rest, "*/"):
			s.pos += 2
			if depth--; depth == 0 {
				return
			}
		default:
			s.pos++
		}
	}
}

// skipString goes behind a string; one after E has escapes with a backslash. A doubled quote begins the next string.
func (s *splitter) skipString() {
	escapes := s.pos > 0 && (s.text[s.pos-1] == 'E' || s.text[s.pos-1] == 'e') && (s.pos == 1 || nameLen(s.text[s.pos-2:s.pos-1]) == 0)
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '\\' && escapes:
			s.pos++
		case c == '\'' && escapes && strings.HasPrefix(s.text[s.pos:], "''"):
			s.pos++
		case c == '\'':
			s.pos++
			return
		}
	}
	s.pos = len(s.text)
}

// skipDollar goes behind $tag$…$tag$.
func (s *splitter) skipDollar() {
	rest := s.text[s.pos+1:]
	n := strings.IndexByte(rest, '$')
	if n < 0 || n > 0 && (rest[0] >= '0' && rest[0] <= '9' || nameLen(rest[:n]) != n) {
		s.pos++
		return
	}
	tag := s.text[s.pos : s.pos+n+2]
	s.pos += len(tag)
	s.skipTo(tag)
}

func (s *splitter) parameter() {
	s.pos++
	n := nameLen(s.text[s.pos:])
	name := strings.ToLower(s.text[s.pos : s.pos+n])
	p, ok := s.parameters[name]
	if !ok || s.pos > 1 && s.text[s.pos-2] == '@' {
		s.pos += n
		return
	}
	number, ok := s.numbers[name]
	if !ok {
		s.current.args = append(s.current.args, p)
		number = len(s.current.args)
		s.numbers[name] = number
	}
	s.out.WriteString(s.text[s.start : s.pos-1])
	s.out.WriteByte('$')
	s.out.WriteString(strconv.Itoa(number))
	s.pos += n
	s.start = s.pos
}

// nameLen is how many bytes of a name s begins with.
func nameLen(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c < utf8.RuneSelf && (c != '$' || i == 0) {
			return i
		}
	}
	return len(s)
}
