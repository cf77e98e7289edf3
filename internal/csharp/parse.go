package csharp

import "strings"

// maxNesting bounds the depth of the syntax tree, so that neither parser nor binder can exhaust the stack.
const maxNesting = 200

type parser struct {
	src   string
	toks  []token
	i     int
	depth int
	used  map[string]int // deepest function nesting at which a name is used; shared with sub-parsers
	level int            // nesting of lambdas and local functions
	// yields is set by a yield statement in the function that is being read.
	yields bool
}

func newParser(src string, start, end int) *parser {
	return &parser{src: src, toks: scan(src, start, end)}
}

func (p *parser) tok() *token { return &p.toks[p.i] }

func (p *parser) ahead(n int) *token {
	if p.i+n < len(p.toks) {
		return &p.toks[p.i+n]
	}
	return &p.toks[len(p.toks)-1]
}

func (p *parser) advance() *token {
	t := &p.toks[p.i]
	if p.i < len(p.toks)-1 {
		p.i++
	}
	return t
}

func (t *token) is(text string) bool {
	return (t.kind == tokOp || t.kind == tokKeyword) && t.text == text
}

func (t *token) isWord(name string) bool { return t.kind == tokIdent && t.text == name }

func (p *parser) at(text string) bool { return p.tok().is(text) }

func (p *parser) accept(text string) bool {
	if p.at(text) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) here() pos { return pos(p.tok().pos) }

// expect reads a token or reports what is missing, at the end of the token before, as the C# compiler does.
func (p *parser) expect(text string) token {
	if !p.at(text) {
		at := p.tok().pos
		if p.i > 0 {
			at = p.toks[p.i-1].end
		}
		code := "CS1003"
		switch text {
		case ";":
			code = "CS1002"
		case ")":
			code = "CS1026"
		case "}":
			code = "CS1513"
		case "{":
			code = "CS1514"
		}
		p.newer()
		fail(at, code, "%s expected", map[bool]string{true: text, false: "Syntax error, '" + text + "'"}[code != "CS1003"])
	}
	return *p.advance()
}

func (p *parser) ident() token {
	if p.tok().kind != tokIdent {
		if p.tok().kind == tokKeyword {
			fail(p.tok().pos, "CS1041", "Identifier expected; '%s' is a keyword", p.tok().text)
		}
		p.newer()
		fail(p.tok().pos, "CS1001", "Identifier expected")
	}
	return *p.advance()
}

func (p *parser) nest() func() {
	if p.depth++; p.depth > maxNesting {
		fail(p.tok().pos, "CS8078", "An expression is too long or complex to compile")
	}
	return func() { p.depth-- }
}

// try runs f and goes back when it fails with a syntax error or gives false.
func (p *parser) try(f func() bool) (ok bool) {
	i, depth := p.i, p.depth
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(syntaxError); !is {
				panic(r)
			}
			ok = false
		}
		if !ok {
			p.i, p.depth = i, depth
		}
	}()
	return f()
}

// expression reads a whole expression, including assignment and lambda.
func (p *parser) expression() expr {
	defer p.nest()()
	if l := p.lambda(); l != nil {
		return l
	}
	if p.tok().isWord("from") && (p.ahead(1).kind == tokIdent || p.ahead(1).isPredefined()) && !p.ahead(1).isWord("is") {
		if p.ahead(2).is("in") || p.ahead(2).kind == tokIdent && p.ahead(3).is("in") {
			return p.query()
		}
		var q expr
		if p.try(func() bool { q = p.query(); return true }) {
			return q
		}
	}
	x := p.deconstruction()
	if x == nil {
		x = p.ternary()
	}
	t := p.tok()
	if t.kind != tokOp {
		return x
	}
	op := t.text
	switch op {
	case ">":
		if p.ahead(1).text == ">=" && p.ahead(1).pos == t.end {
			p.advance()
			op = ">>="
			break
		}
		return x
	case "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=":
	default:
		return x
	}
	p.advance()
	return &assignExpr{pos(x.at()), op, x, p.expression()}
}

// deconstruction reads the left side of var (a, b) = x, or gives nil.
func (p *parser) deconstruction() expr {
	if !p.tok().isWord("var") || !p.ahead(1).is("(") {
		return nil
	}
	var t *tupleExpr
	if !p.try(func() bool {
		p.advance()
		t = p.varTuple()
		return p.at("=")
	}) {
		return nil
	}
	return t
}

func (p *parser) ternary() expr {
	c := p.coalesce()
	if !p.at("?") {
		return c
	}
	p.advance()
	a := mayThrow(p.expression())
	p.expect(":")
	return &ternaryExpr{pos(c.at()), c, a, mayThrow(p.expression())}
}

// mayThrow marks a throw expression as standing in one of the three places where C# has it: behind ??, in a branch of a
// conditional and as the body of a lambda or local function.
func mayThrow(x expr) expr {
	if t, ok := x.(*throwExpr); ok {
		t.ok = true
	}
	return x
}

func (p *parser) coalesce() expr {
	l := p.binary(0)
	if !p.at("??") {
		return l
	}
	defer p.nest()()
	p.advance()
	var r expr
	if p.at("throw") {
		r = mayThrow(p.unary())
	} else {
		r = p.coalesce()
	}
	return &binaryExpr{pos(l.at()), "??", l, r}
}

// levels are the binary operators from the loosest.
var levels = [][]string{{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="}, {"<", ">", "<=", ">=", "is", "as"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}}

func (p *parser) binary(level int) expr {
	if level == len(levels) {
		return p.unary()
	}
	l := p.binary(level + 1)
	for n := 0; ; n++ {
		op := p.operatorAt(level)
		if op == "" {
			return l
		}
		if n > 5000 {
			fail(p.tok().pos, "CS8078", "An expression is too long or complex to compile")
		}
		switch op {
		case "is":
			l = &isExpr{pos(l.at()), l, p.pattern()}
		case "as":
			l = &asExpr{pos(l.at()), l, p.castTarget()}
		default:
			l = &binaryExpr{pos(l.at()), op, l, p.binary(level + 1)}
		}
	}
}

func (p *parser) operatorAt(level int) string {
	t := p.tok()
	if t.kind != tokOp && t.kind != tokKeyword {
		return ""
	}
	adjacent := t.text == ">" && p.ahead(1).kind == tokOp && p.ahead(1).pos == t.end
	if adjacent && p.ahead(1).text == ">=" {
		return ""
	}
	shift := adjacent && p.ahead(1).text == ">"
	for _, op := range levels[level] {
		switch {
		case op == ">>" && shift:
			p.advance()
			p.advance()
			return op
		case op == t.text && !(op == ">" && shift):
			p.advance()
			return op
		}
	}
	return ""
}

// castTarget reads the type behind `as` or `is`, whose ? suffix may be that of a conditional instead.
func (p *parser) castTarget() *typeRef {
	t := p.typeName()
	for {
		switch {
		case p.at("[") && (p.ahead(1).is("]") || p.ahead(1).is(",")):
			t.suffix = append(t.suffix, p.rank())
		case p.at("?") && !p.startsOperand(p.ahead(1)):
			p.advance()
			t.suffix = append(t.suffix, 0)
		default:
			return t
		}
	}
}

// startsOperand tells whether an operand may begin with t.
func (p *parser) startsOperand(t *token) bool {
	switch t.kind {
	case tokIdent, tokNumber, tokString, tokChar, tokInterp:
		return true
	case tokKeyword:
		return !t.is("is") && !t.is("as")
	case tokOp:
		return strings.Contains(" ( ~ ! + - ++ -- ", " "+t.text+" ")
	}
	return false
}

func (p *parser) pattern() pattern {
	at := p.here()
	if p.tok().isWord("var") && p.ahead(1).kind == tokIdent {
		p.advance()
		return pattern{pos: at, isVar: true, name: p.advance().text}
	}
	var pt pattern
	if p.try(func() bool {
		pt = pattern{pos: at, typ: p.castTarget()}
		if p.tok().kind == tokIdent && !p.at("when") && !p.tok().isWord("when") {
			pt.name = p.advance().text
		}
		t := p.tok()
		return !t.is("(") && !(t.kind == tokOp && strings.Contains(" + - * / % . ", " "+t.text+" "))
	}) {
		return pt
	}
	return pattern{pos: at, value: p.binary(7)}
}

func (p *parser) unary() expr {
	defer p.nest()()
	t := p.tok()
	at := p.here()
	switch t.kind {
	case tokOp:
		switch t.text {
		case "-":
			// The literals int.MinValue and long.MinValue exist only behind a minus sign.
			if n := p.ahead(1); n.kind == tokNumber && n.pos == t.end {
				if v := negated(n.value); v != nil {
					p.advance()
					p.advance()
					return p.postfix(&litExpr{at, v})
				}
			}
			fallthrough
		case "+", "!", "~", "++", "--":
			p.advance()
			return &unaryExpr{at, t.text, p.unary(), false}
		case "(":
			if x := p.cast(); x != nil {
				return x
			}
		case "&", "*":
			fail(t.pos, "CS0214", "Pointers and fixed size buffers may only be used in an unsafe context")
		}
	case tokKeyword:
		if t.text == "throw" {
			p.advance()
			return &throwExpr{pos: at, x: p.expression()}
		}
	case tokIdent:
		if t.text == "await" && p.startsOperand(p.ahead(1)) && p.ahead(1).kind == tokIdent {
			fail(t.pos, "CS4032", "The 'await' operator is not available in policy expressions")
		}
	}
	return p.postfix(p.primary())
}

func negated(v any) any {
	switch n := v.(type) {
	case uint32:
		if n == 1<<31 {
			return int32(-1 << 31)
		}
	case uint64:
		if n == 1<<63 {
			return int64(-1 << 63)
		}
	}
	return nil
}

// cast reads (T)x if that is what stands here; nil leaves the position as it was.
func (p *parser) cast() expr {
	at := p.here()
	var t *typeRef
	if !p.try(func() bool {
		p.advance()
		keyword := p.tok().isPredefined()
		t = p.typ()
		if !p.accept(")") {
			return false
		}
		sure := keyword && len(t.parts) == 1 || len(t.suffix) > 0
		n := p.tok()
		if n.kind == tokOp && n.text != "(" && n.text != "~" && n.text != "!" {
			return sure && (n.text == "-" || n.text == "+" || n.text == "++" || n.text == "--")
		}
		return p.startsOperand(n)
	}) {
		return nil
	}
	return &castExpr{at, t, p.unary()}
}

func (p *parser) arguments(closer string) []argument {
	var out []argument
	for !p.at(closer) {
		if p.at(",") {
			fail(p.tok().pos, "CS0839", "Argument missing")
		}
		a := argument{pos: p.here()}
		if p.tok().kind == tokIdent && p.ahead(1).is(":") {
			a.name = p.advance().text
			p.advance()
		}
		if p.at("ref") || p.at("out") || p.at("in") {
			a.mode = p.advance().text
		}
		a.x = nil
		if a.mode == "out" {
			a.x = p.outDecl()
		}
		if a.x == nil {
			a.x = p.expression()
		}
		out = append(out, a)
		if !p.accept(",") {
			break
		}
		if p.at(closer) {
			fail(p.tok().pos, "CS1525", "Invalid expression term '%s'", closer)
		}
	}
	p.expect(closer)
	return out
}

// outDecl reads the declaration in out var x and out T x.
func (p *parser) outDecl() expr {
	at := p.here()
	var d *declExpr
	if p.try(func() bool {
		t := p.typ()
		if p.tok().kind != tokIdent {
			return false
		}
		d = &declExpr{at, t, p.advance().text}
		return true
	}) {
		return d
	}
	if p.tok().isWord("_") && (p.ahead(1).is(")") || p.ahead(1).is(",")) {
		p.advance()
		return &declExpr{at, nil, "_"}
	}
	return nil
}

// whole parses everything as one expression.
func (p *parser) whole(start int) expr {
	if p.tok().kind == tokEOF {
		fail(start, "CS1525", "Invalid expression term ')': an expression is expected")
	}
	x := p.expression()
	if p.tok().kind != tokEOF {
		p.unexpected()
	}
	return x
}

// nested brings the parser inside a lambda or local function until the returned function runs.
func (p *parser) nested() func() {
	p.level++
	return func() { p.level-- }
}

func (p *parser) uses(name string) {
	if p.used != nil && p.level > p.used[name] {
		p.used[name] = p.level
	}
}

func (p *parser) unexpected() {
	t := p.tok()
	text := t.text
	if text == "" {
		text = p.src[t.pos:t.end]
	}
	switch {
	case t.kind == tokOp && (text == ")" || text == "}" || text == "]"):
		fail(t.pos, "CS1525", "Unexpected '%s'", text)
	case t.kind == tokOp && text == ";":
		fail(t.pos, "CS1002", "A policy expression @( ) holds one expression without ';'; statements belong in @{ }")
	}
	p.newer()
	fail(t.pos, "CS1026", ") expected: '%s' is not expected here", text)
}
