package policies

import (
	"errors"
	"fmt"
	"strings"
)

// odataParser reads expressions of OData URLs. Source: OData 4.01 Part 2, URL conventions (OASIS).
type odataParser struct {
	s     string
	at    int
	depth int
}

// maxODataDepth is how deep expressions may be nested.
const maxODataDepth = 50

func newODataParser(s string) *odataParser { return &odataParser{s: s} }

// wordAt is the name, number or other literal without quotes at the start of s; empty when there is none.
func wordAt(s string) string {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
		digit := '0' <= c && c <= '9'
		start := letter || digit || c == '@' || c == '$' || (c == '-' || c == '+') && len(s) > 1
		if !(letter || digit || i == 0 && start || i > 0 && strings.IndexByte("-.:@$+", c) >= 0) {
			return s[:i]
		}
	}
	return s
}

func (p *odataParser) space() {
	for p.at < len(p.s) && (p.s[p.at] == ' ' || p.s[p.at] == '\t') {
		p.at++
	}
}

func (p *odataParser) accept(symbol byte) bool {
	p.space()
	if p.at < len(p.s) && p.s[p.at] == symbol {
		p.at++
		return true
	}
	return false
}

func (p *odataParser) unexpected() error {
	p.space()
	if p.at >= len(p.s) {
		return errors.New("it ends too early")
	}
	return fmt.Errorf("unexpected '%.20s' at position %d", p.s[p.at:], p.at+1)
}

// peekWord is the word that comes next, if any.
func (p *odataParser) peekWord() string {
	p.space()
	return wordAt(p.s[p.at:])
}

func (p *odataParser) end() error {
	if p.space(); p.at < len(p.s) {
		return p.unexpected()
	}
	return nil
}

func parseODataFilter(s string) error {
	p := newODataParser(s)
	if err := p.expression(); err != nil {
		return err
	}
	return p.end()
}

func parseODataOrder(s string) error {
	p := newODataParser(s)
	for {
		if err := p.expression(); err != nil {
			return err
		}
		if word := p.peekWord(); word == "asc" || word == "desc" {
			p.at += len(word)
		}
		if !p.accept(',') {
			return p.end()
		}
	}
}

// parseODataArguments reads a key or the arguments of a function: values, or names with values.
func parseODataArguments(s string) error {
	p := newODataParser(s)
	if err := p.arguments(); err != nil {
		return err
	}
	return p.end()
}

// arguments are expressions with commas between them, each perhaps after "name=".
func (p *odataParser) arguments() error {
	for {
		if word := p.peekWord(); word != "" {
			if after := strings.TrimLeft(p.s[p.at+len(word):], " "); strings.HasPrefix(after, "=") {
				p.at = len(p.s) - len(after) + 1
			}
		}
		if err := p.expression(); err != nil {
			return err
		}
		if !p.accept(',') {
			return nil
		}
	}
}

// expression is operands with operators between them; what binds tighter does not matter here.
func (p *odataParser) expression() error {
	if p.depth++; p.depth > maxODataDepth {
		return errors.New("it is nested too deeply")
	}
	defer func() { p.depth-- }()
	for {
		if err := p.operand(); err != nil {
			return err
		}
		switch word := p.peekWord(); word {
		case "and", "or", "eq", "ne", "gt", "ge", "lt", "le", "has", "in", "add", "sub", "mul", "div", "divby", "mod":
			p.at += len(word)
		default:
			return nil
		}
	}
}

func (p *odataParser) operand() error {
	if p.peekWord() == "not" {
		p.at += len("not")
		return p.operandOnce()
	}
	p.space()
	if p.at+1 < len(p.s) && p.s[p.at] == '-' && p.s[p.at+1] != 'I' && (p.s[p.at+1] < '0' || p.s[p.at+1] > '9') {
		p.at++
	}
	return p.operandOnce()
}

func (p *odataParser) operandOnce() error {
	if p.depth++; p.depth > maxODataDepth {
		return errors.New("it is nested too deeply")
	}
	defer func() { p.depth-- }()
	switch {
	case p.peekWord() == "not":
		return p.operand()
	case p.accept('('):
		if err := p.arguments(); err != nil {
			return err
		}
		if !p.accept(')') {
			return p.unexpected()
		}
		return p.members()
	case p.at < len(p.s) && p.s[p.at] == '\'':
		return p.text()
	case p.at < len(p.s) && (p.s[p.at] == '[' || p.s[p.at] == '{'):
		return p.json()
	}
	word := p.peekWord()
	if word == "" {
		return p.unexpected()
	}
	p.at += len(word)
	return p.afterWord(word)
}

// afterWord reads what may follow a name at once: a quoted literal, arguments, further members.
func (p *odataParser) afterWord(word string) error {
	if p.at < len(p.s) && p.s[p.at] == '\'' { // duration'P1D', geography'…', Sales.Color'Red'
		return p.text()
	}
	if p.at < len(p.s) && p.s[p.at] == '(' {
		p.at++
		if p.accept(')') {
			return p.members()
		}
		if err := p.call(word); err != nil {
			return err
		}
	}
	return p.members()
}

// call reads arguments up to their bracket. any and all name a variable first.
func (p *odataParser) call(word string) error {
	if word == "any" || word == "all" {
		if variable := wordAt(p.s[p.at:]); strings.Contains(variable, ":") {
			p.at += strings.IndexByte(variable, ':') + 1
		} else if rest := strings.TrimLeft(p.s[p.at+len(variable):], " "); variable != "" && strings.HasPrefix(rest, ":") {
			p.at = len(p.s) - len(rest) + 1
		} else {
			return fmt.Errorf("%s() names no variable", word)
		}
	} else if !strings.Contains(word, ".") && isODataFunctionName(word) && !isODataFunction(word) {
		return fmt.Errorf("there is no function %s()", word)
	}
	if err := p.arguments(); err != nil {
		return err
	}
	if !p.accept(')') {
		return p.unexpected()
	}
	return nil
}

// members reads /name, /name(…) and so on.
func (p *odataParser) members() error {
	for p.at < len(p.s) && p.s[p.at] == '/' {
		p.at++
		word := wordAt(p.s[p.at:])
		if word == "" {
			return p.unexpected()
		}
		p.at += len(word)
		if p.at < len(p.s) && p.s[p.at] == '(' {
			p.at++
			if p.accept(')') {
				continue
			}
			if err := p.call(word); err != nil {
				return err
			}
		}
	}
	return nil
}

// text reads a literal in quotes, in which two quotes are one.
func (p *odataParser) text() error {
	for p.at++; p.at < len(p.s); p.at++ {
		if p.s[p.at] != '\'' {
			continue
		}
		if p.at+1 < len(p.s) && p.s[p.at+1] == '\'' {
			p.at++
			continue
		}
		p.at++
		return nil
	}
	return errors.New("a text has no closing quote")
}

// json skips an array or object literal.
func (p *odataParser) json() error {
	depth, quoted := 0, false
	for ; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; {
		case quoted && c == '\\':
			p.at++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				p.at++
				return nil
			}
		}
	}
	return errors.New("an array or object has no end")
}

// isODataFunctionName says whether a name can only be a function of OData itself: those are written in small letters.
func isODataFunctionName(word string) bool { return strings.ToLower(word) == word }

func isODataFunction(word string) bool {
	switch word {
	case "concat", "contains", "endswith", "indexof", "length", "startswith", "substring", "substringof", "hassubset", "hassubsequence", "matchespattern",
		"tolower", "toupper", "trim", "replace", "day", "date", "fractionalseconds", "hour", "maxdatetime", "mindatetime", "minute", "month", "now", "second", "time",
		"totaloffsetminutes", "totalseconds", "year", "years", "ceiling", "floor", "round", "cast", "isof", "geo.distance", "geo.intersects",
		"geo.length", "case":
		return true
	}
	return false
}

// parseODataItems reads the lists of $select and $expand: paths, each perhaps with options in brackets.
func parseODataItems(s string, expand bool) error {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	for _, item := range splitOutside(s, ',') {
		item = strings.TrimSpace(item)
		path, options, has := strings.Cut(item, "(")
		if path = strings.TrimSpace(path); !isODataPath(path) {
			return fmt.Errorf("'%s' is not a property", item)
		}
		if !has {
			continue
		}
		options, closed := strings.CutSuffix(options, ")")
		if !closed {
			return fmt.Errorf("'%s' has a bracket that is not closed", item)
		}
		if err := nestedOptions(options, expand, strings.Count(s, "(")); err != nil {
			return err
		}
	}
	return nil
}

// nestedOptions checks the options of an item, which are separated by semicolons.
func nestedOptions(s string, expand bool, depth int) error {
	if depth > maxODataDepth {
		return errors.New("it is nested too deeply")
	}
	for _, part := range splitOutside(s, ';') {
		name, value, ok := strings.Cut(part, "=")
		if name = strings.ToLower(strings.TrimSpace(name)); !strings.HasPrefix(name, "$") {
			name = "$" + name
		}
		if expand && name == "$levels" && ok {
			if value != "max" && (value == "" || strings.Trim(value, "0123456789") != "") {
				return fmt.Errorf("'%s' is not a number of levels", value)
			}
			continue
		}
		if !ok {
			return fmt.Errorf("the option '%s' has no value", part)
		}
		if err := checkOption(name, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// splitOutside splits where a separator stands outside of brackets and quotes.
func splitOutside(s string, separator byte) (list []string) {
	depth, quoted, from := 0, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == separator && depth == 0:
			list, from = append(list, s[from:i]), i+1
		}
	}
	return append(list, s[from:])
}

// isODataPath says whether s is names with slashes between them; * and $count, $ref and $value may stand for one.
func isODataPath(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		switch part {
		case "*", "$count", "$ref", "$value":
			continue
		}
		part = strings.TrimSuffix(part, ".*")
		for i, c := range part {
			letter := c == '_' || c == '@' && i == 0 || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
			if !letter && (i == 0 || !('0' <= c && c <= '9') && c != '.') {
				return false
			}
		}
		if part == "" {
			return false
		}
	}
	return true
}
