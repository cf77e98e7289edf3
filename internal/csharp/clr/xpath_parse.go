package clr

import (
	"strings"
	"unicode/utf8"
)

// maxXPathDepth bounds the nesting of an expression: its parser and its evaluation recurse.
const maxXPathDepth = 1000

// xpathToken is a lexical token: an operator or punctuation, a name, a number ("0") or a literal ("'").
type xpathToken struct {
	kind byte // o operator, n name, # number, ' literal, ! end
	text string
}

// An xpathParser reads an expression.
type xpathParser struct {
	src    string
	tokens []xpathToken
	depth  int
}

func parseXPath(src string) xpathExpr {
	p := &xpathParser{src: src}
	p.scan()
	e := p.binary(0)
	if p.tokens[0].kind != '!' {
		p.fail()
	}
	return e
}

func (p *xpathParser) fail() { xpathError("'" + p.src + "' has an invalid token.") }

// scan splits the source (section 3.7: whether a name or * is an operator depends on the token before it).
func (p *xpathParser) scan() {
	s := p.src
	add := func(kind byte, n int) {
		p.tokens = append(p.tokens, xpathToken{kind, s[:n]})
		s = s[n:]
	}
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			p.tokens = append(p.tokens, xpathToken{kind: '!'})
			return
		}
		operand := p.afterOperand()
		switch c := s[0]; {
		case c == '"' || c == '\'':
			end := strings.IndexByte(s[1:], c)
			if end < 0 {
				xpathError("This is an unclosed string.")
			}
			p.tokens = append(p.tokens, xpathToken{'\'', s[1 : end+1]})
			s = s[end+2:]
		case c >= '0' && c <= '9' || c == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
			add('#', xpathDigits(s))
		case strings.HasPrefix(s, "//"), strings.HasPrefix(s, "::"), strings.HasPrefix(s, ".."), strings.HasPrefix(s, "!="), strings.HasPrefix(s, "<="), strings.HasPrefix(s, ">="):
			add('o', 2)
		case c == '*' && !operand:
			add('n', 1)
		case strings.IndexByte("()[]@,/|+-=<>*.$", c) >= 0:
			add('o', 1)
		default:
			n := p.name(s)
			if word := s[:n]; operand && (word == "and" || word == "or" || word == "mod" || word == "div") {
				add('o', n)
			} else {
				add('n', n)
			}
		}
	}
}

func xpathDigits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n < len(s) && s[n] == '.' {
		for n++; n < len(s) && s[n] >= '0' && s[n] <= '9'; {
			n++
		}
	}
	return n
}

// afterOperand tells whether the token before ends an operand.
func (p *xpathParser) afterOperand() bool {
	if len(p.tokens) == 0 {
		return false
	}
	t := p.tokens[len(p.tokens)-1]
	return t.kind != 'o' || t.text == ")" || t.text == "]" || t.text == "." || t.text == ".."
}

// name measures a qualified name, prefix:* included.
func (p *xpathParser) name(s string) int {
	part := func(i int) int {
		start := i
		for i < len(s) {
			r, size := utf8.DecodeRuneInString(s[i:])
			if i == start && !nameStart(r) || !nameChar(r) {
				break
			}
			i += size
		}
		return i
	}
	n := part(0)
	if n == 0 {
		p.fail()
	}
	if n+1 < len(s) && s[n] == ':' && s[n+1] != ':' {
		if s[n+1] == '*' {
			return n + 2
		}
		if m := part(n + 1); m > n+1 {
			return m
		}
		p.fail()
	}
	return n
}

func (p *xpathParser) is(op string) bool { return p.tokens[0].kind == 'o' && p.tokens[0].text == op }

func (p *xpathParser) next() xpathToken {
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *xpathParser) accept(op string) bool {
	if p.is(op) {
		p.next()
		return true
	}
	return false
}

func (p *xpathParser) expect(op string) {
	if !p.accept(op) {
		p.fail()
	}
}

// xpathLevel lists the binary operators of one precedence, the weakest first.
func xpathLevel(level int) []string {
	return [][]string{{"or"}, {"and"}, {"=", "!="}, {"<", "<=", ">", ">="}, {"+", "-"}, {"*", "div", "mod"}}[level]
}

const xpathLevels = 6

func (p *xpathParser) binary(level int) xpathExpr {
	if level == xpathLevels {
		return p.unary()
	}
	left := p.binary(level + 1)
	for {
		op := ""
		for _, o := range xpathLevel(level) {
			if p.is(o) {
				op = o
			}
		}
		if op == "" {
			return left
		}
		p.next()
		left = &xpathBinary{op, left, p.binary(level + 1)}
		p.deeper()
	}
}

// deeper counts what will recurse when it is evaluated.
func (p *xpathParser) deeper() {
	if p.depth++; p.depth > maxXPathDepth {
		xpathError("The xpath query is too complex.")
	}
}

func (p *xpathParser) unary() xpathExpr {
	minus := 0
	for p.accept("-") {
		minus++
	}
	e := p.path()
	for p.accept("|") {
		p.deeper()
		e = &xpathBinary{"|", e, p.path()}
	}
	for range minus {
		p.deeper()
		e = &xpathBinary{"neg", e, nil}
	}
	return e
}

// path reads a location path, or a filter expression with one behind it.
func (p *xpathParser) path() xpathExpr {
	p.deeper()
	path := &xpathPath{}
	t := p.tokens[0]
	switch {
	case p.is("/"):
		p.next()
		path.absolute = true
		if !p.startsStep() {
			return path
		}
	case p.is("//"):
		path.absolute = true
		p.next()
		path.steps = append(path.steps, xpathStep{axis: "descendant-or-self", test: "node"})
	case t.kind == '\'', t.kind == '#', p.is("("), p.is("$"), t.kind == 'n' && p.isCall():
		path.from = p.primary()
		path.predicates = p.predicateList()
		if !p.is("/") && !p.is("//") {
			if len(path.predicates) == 0 {
				return path.from
			}
			return path
		}
		p.separator(path)
	}
	for {
		path.steps = append(path.steps, p.step())
		if !p.is("/") && !p.is("//") {
			return path
		}
		p.separator(path)
	}
}

// separator reads / or //.
func (p *xpathParser) separator(path *xpathPath) {
	if p.next().text == "//" {
		path.steps = append(path.steps, xpathStep{axis: "descendant-or-self", test: "node"})
	}
}

func (p *xpathParser) startsStep() bool {
	return p.tokens[0].kind == 'n' || p.is("@") || p.is(".") || p.is("..")
}

// isCall tells a function from a step: a name before ( that is no node test.
func (p *xpathParser) isCall() bool {
	if len(p.tokens) < 2 || p.tokens[1].kind != 'o' || p.tokens[1].text != "(" {
		return false
	}
	return !isNodeTest(p.tokens[0].text)
}

func isNodeTest(name string) bool {
	return name == "node" || name == "text" || name == "comment" || name == "processing-instruction"
}

func (p *xpathParser) primary() xpathExpr {
	switch t := p.next(); {
	case t.kind == '\'':
		return xpathConst{t.text}
	case t.kind == '#':
		return xpathConst{xpathNumber(t.text)}
	case t.text == "(":
		e := p.binary(0)
		p.expect(")")
		return e
	case t.text == "$":
		xpathError("Namespace Manager or XsltContext needed. This query has a prefix, variable, or user-defined function.")
		return nil
	default:
		return p.call(t.text)
	}
}

func (p *xpathParser) call(name string) xpathExpr {
	p.expect("(")
	var args []xpathExpr
	for !p.accept(")") {
		if len(args) > 0 {
			p.expect(",")
		}
		args = append(args, p.binary(0))
	}
	f, ok := xpathFunction(name)
	if !ok {
		xpathError("XsltContext is needed for this query because of an unknown function.")
	}
	if len(args) < f.min || len(args) > f.max {
		xpathError("Function '" + name + "' in '" + p.src + "' has an invalid number of arguments.")
	}
	return &xpathCall{name, f.do, args}
}

func (p *xpathParser) predicateList() (out []xpathExpr) {
	for p.accept("[") {
		out = append(out, p.binary(0))
		p.expect("]")
	}
	return out
}

func (p *xpathParser) step() xpathStep {
	if p.accept(".") {
		return xpathStep{axis: "self", test: "node"}
	}
	if p.accept("..") {
		return xpathStep{axis: "parent", test: "node"}
	}
	s := xpathStep{axis: "child"}
	if p.accept("@") {
		s.axis = "attribute"
	} else if len(p.tokens) > 1 && p.tokens[1].kind == 'o' && p.tokens[1].text == "::" {
		s.axis = p.next().text
		p.next()
		if !isXPathAxis(s.axis) {
			p.fail()
		}
	}
	t := p.next()
	if t.kind == '!' {
		xpathError("Expression must evaluate to a node-set.")
	}
	if t.kind != 'n' {
		p.fail()
	}
	if isNodeTest(t.text) && p.accept("(") {
		s.test = t.text
		if s.test == "processing-instruction" && p.tokens[0].kind == '\'' {
			s.local = p.next().text
		}
		p.expect(")")
	} else {
		s.test = "name"
		prefix, local, ok := strings.Cut(t.text, ":")
		if !ok {
			prefix, local = "", t.text
		}
		s.prefix, s.local = prefix, local
	}
	s.predicates = p.predicateList()
	return s
}
