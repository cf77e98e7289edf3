package armtemplate

import (
	"strconv"
	"strings"
)

// expr is a node of a parsed expression.
type expr interface{}

type (
	literal struct{ v Value }
	call    struct {
		space, name string // space is that of user-defined functions
		args        []expr
	}
	member struct {
		of   expr
		name string
		safe bool // of.?name
	}
	index struct {
		of, at expr
		safe   bool
	}
)

// IsExpression reports whether a string of a template is an expression: it stands in brackets, and does not begin with
// two of them.
func IsExpression(s string) bool {
	return len(s) > 1 && s[0] == '[' && s[len(s)-1] == ']' && s[1] != '['
}

// unescape returns a string that is no expression as it is meant: "[[x]" is "[x]".
func unescape(s string) string {
	if strings.HasPrefix(s, "[[") && strings.HasSuffix(s, "]") {
		return s[1:]
	}
	return s
}

// parseExpression reads an expression with its brackets.
func parseExpression(s string) (expr, *Error) {
	if len(s) > MaxExpressionBytes {
		return nil, invalid("The expression has %d characters, more than the %d that are allowed.", len(s), MaxExpressionBytes)
	}
	p := &parser{s: s[1 : len(s)-1]}
	e := p.expression(0)
	if p.blank(); p.err == nil && p.i < len(p.s) {
		p.fail("the end of the expression is expected")
	}
	if p.err != nil {
		return nil, p.err
	}
	return e, nil
}

type parser struct {
	s   string
	i   int
	err *Error
}

func (p *parser) fail(what string) {
	if p.err == nil {
		p.err = invalid("The template language expression '%s' is not valid: %s at position %d.", shorten(p.s), what, p.i+1)
	}
	p.i = len(p.s)
}

// shorten keeps messages readable.
func shorten(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

func (p *parser) blank() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

// take moves past a byte when it is the next one.
func (p *parser) take(c byte) bool {
	p.blank()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) expression(depth int) expr {
	if depth > maxDepth {
		p.fail("it is nested too deep")
		return nil
	}
	e := p.primary(depth)
	for p.err == nil {
		switch {
		case p.take('.'):
			safe := p.take('?')
			name := p.word()
			if name == "" {
				p.fail("a property's name is expected")
			}
			e = member{e, name, safe}
		case p.take('['):
			safe := p.take('?')
			at := p.expression(depth + 1)
			if !p.take(']') {
				p.fail("']' is expected")
			}
			e = index{e, at, safe}
		default:
			return e
		}
	}
	return e
}

func (p *parser) primary(depth int) expr {
	p.blank()
	if p.i >= len(p.s) {
		p.fail("an expression is expected")
		return nil
	}
	switch c := p.s[p.i]; {
	case c == '\'':
		return p.text()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	name := p.word()
	if name == "" {
		p.fail("an expression is expected")
		return nil
	}
	space := ""
	if p.take('.') {
		space, name = name, p.word()
	}
	if !p.take('(') {
		p.fail("'(' is expected")
		return nil
	}
	c := call{space: space, name: name}
	for p.err == nil && !p.take(')') {
		if len(c.args) > 0 && !p.take(',') {
			p.fail("',' or ')' is expected")
			break
		}
		c.args = append(c.args, p.expression(depth+1))
	}
	return c
}

func (p *parser) word() string {
	p.blank()
	start := p.i
	for p.i < len(p.s) {
		c := p.s[p.i]
		if c != '_' && c != '$' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		p.i++
	}
	return p.s[start:p.i]
}

// text reads 'a string'; two apostrophes stand for one.
func (p *parser) text() expr {
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		if p.s[p.i] != '\'' {
			b.WriteByte(p.s[p.i])
			continue
		}
		p.i++
		if p.i >= len(p.s) || p.s[p.i] != '\'' {
			return literal{b.String()}
		}
		b.WriteByte('\'')
	}
	p.fail("the string has no end")
	return nil
}

func (p *parser) number() expr {
	start := p.i
	for p.i++; p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9'; p.i++ {
	}
	n, err := strconv.ParseInt(p.s[start:p.i], 10, 64)
	if err != nil {
		p.fail("a whole number is expected")
	}
	return literal{n}
}
