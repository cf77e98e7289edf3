package csharp

// lambda reads a lambda expression if one begins here, else gives nil without moving.
func (p *parser) lambda() expr {
	at := p.here()
	switch {
	case p.tok().kind == tokIdent && p.ahead(1).is("=>"):
		l := &lambdaExpr{pos: at, params: []param{{pos: at, name: p.advance().text}}}
		p.advance()
		return p.lambdaBody(l)
	case p.tok().isWord("async") && (p.ahead(1).kind == tokIdent || p.ahead(1).is("(")):
		if p.ahead(2).is("=>") || p.ahead(1).is("(") && p.arrowAfterParens(1) {
			fail(p.tok().pos, "CS4032", "async is not available in policy expressions")
		}
		return nil
	case p.at("(") && p.arrowAfterParens(0):
		l := &lambdaExpr{pos: at}
		p.advance()
		p.lambdaParams(l)
		p.expect("=>")
		return p.lambdaBody(l)
	}
	return nil
}

// arrowAfterParens looks for => behind the parenthesis that closes the one at p.ahead(n).
func (p *parser) arrowAfterParens(n int) bool {
	depth := 0
	for ; ; n++ {
		t := p.ahead(n)
		switch {
		case t.kind == tokEOF:
			return false
		case t.is("("), t.is("["), t.is("{"):
			depth++
		case t.is(")"), t.is("]"), t.is("}"):
			if depth--; depth == 0 {
				return p.ahead(n + 1).is("=>")
			}
		}
	}
}

func (p *parser) lambdaParams(l *lambdaExpr) {
	for !p.at(")") {
		q := param{pos: p.here()}
		if p.at("ref") || p.at("out") || p.at("in") {
			q.mode = p.advance().text
		}
		if p.tok().kind == tokIdent && (p.ahead(1).is(",") || p.ahead(1).is(")")) {
			q.name = p.advance().text
		} else {
			q.typ = p.typ()
			q.name = p.ident().text
			l.typed = true
		}
		l.params = append(l.params, q)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
}

func (p *parser) lambdaBody(l *lambdaExpr) expr {
	defer p.nest()()
	defer p.nested()()
	if p.at("{") {
		l.block = p.block()
	} else {
		l.body = mayThrow(p.expression())
	}
	return l
}

func (p *parser) anonymousMethod(at pos) expr {
	l := &lambdaExpr{pos: at, any: true}
	if p.accept("(") {
		l.any = false
		l.typed = true
		p.lambdaParams(l)
	}
	defer p.nested()()
	l.block = p.block()
	return l
}

// query translates a query expression to calls of Select, Where and so on, as the C# specification defines it.
type query struct {
	p    *parser
	src  expr
	vars []string
}

func (p *parser) query() expr {
	defer p.nest()()
	defer p.nested()()
	q := &query{p: p}
	q.src, q.vars = q.from()
	for {
		if done := q.clause(); done {
			if !p.tok().isWord("into") {
				return q.src
			}
			p.advance()
			q.vars = []string{p.ident().text}
		}
	}
}

// from reads `from [T] x in e`.
func (q *query) from() (expr, []string) {
	p := q.p
	p.advance()
	var typ *typeRef
	if !p.ahead(1).is("in") {
		typ = p.typ()
	}
	name := p.ident().text
	p.expect("in")
	src := p.expression()
	if typ != nil {
		src = &callExpr{pos: pos(typ.pos), fn: &memberExpr{pos(typ.pos), src, "Cast", []*typeRef{typ}}, query: true}
	}
	return src, []string{name}
}

// rangeParam is the lambda parameter that brings the range variables into scope.
func (q *query) rangeParam(at pos) (param, *string) {
	if len(q.vars) == 1 {
		return param{pos: at, name: q.vars[0]}, nil
	}
	name := "$range"
	return param{pos: at, name: name}, &name
}

func (q *query) lambda(body expr, more ...string) expr {
	at := pos(body.at())
	first, scope := q.rangeParam(at)
	l := &lambdaExpr{pos: at, params: []param{first}, body: body, scope: scope}
	for _, m := range more {
		l.params = append(l.params, param{pos: at, name: m})
	}
	return l
}

func (q *query) call(at pos, name string, args ...expr) {
	c := &callExpr{pos: at, fn: &memberExpr{at, q.src, name, nil}, query: true}
	for _, a := range args {
		c.args = append(c.args, argument{pos: at, x: a})
	}
	q.src = c
}

// tuple is the object of all range variables and one more.
func (q *query) tuple(at pos, name string, value expr) expr {
	n := &newAnon{pos: at}
	for _, v := range q.vars {
		n.names, n.exprs = append(n.names, v), append(n.exprs, &identExpr{pos: at, name: v})
	}
	n.names, n.exprs = append(n.names, name), append(n.exprs, value)
	return n
}

// clause reads one clause and tells whether it ended the query.
func (q *query) clause() bool {
	p := q.p
	at := p.here()
	if p.tok().kind != tokIdent {
		fail(p.tok().pos, "CS0742", "A query body must end with a select clause or a group clause")
	}
	switch p.tok().text {
	case "where":
		p.advance()
		q.call(at, "Where", q.lambda(p.expression()))
	case "let":
		p.advance()
		name := p.ident().text
		p.expect("=")
		q.call(at, "Select", q.lambda(q.tuple(at, name, p.expression())))
		q.vars = append(q.vars, name)
	case "from":
		src, vars := q.from()
		q.call(at, "SelectMany", q.lambda(src), q.lambda(q.tuple(at, vars[0], &identExpr{pos: at, name: vars[0]}), vars[0]))
		q.vars = append(q.vars, vars[0])
	case "join":
		q.join(at)
	case "orderby":
		p.advance()
		for method := "OrderBy"; ; method = "ThenBy" {
			key := p.expression()
			name := method
			if p.tok().isWord("descending") {
				p.advance()
				name += "Descending"
			} else if p.tok().isWord("ascending") {
				p.advance()
			}
			q.call(at, name, q.lambda(key))
			if !p.accept(",") {
				break
			}
		}
	case "select":
		p.advance()
		q.call(at, "Select", q.lambda(p.expression()))
		return true
	case "group":
		p.advance()
		item := p.expression()
		if !p.tok().isWord("by") {
			fail(p.tok().pos, "CS0742", "Expected contextual keyword 'by'")
		}
		p.advance()
		q.call(at, "GroupBy", q.lambda(p.expression()), q.lambda(item))
		return true
	default:
		fail(p.tok().pos, "CS0742", "A query body must end with a select clause or a group clause")
	}
	return false
}

func (q *query) join(at pos) {
	p := q.p
	src, vars := q.from()
	name := vars[0]
	word := func(w string) {
		if !p.tok().isWord(w) {
			fail(p.tok().pos, "CS0743", "Expected contextual keyword '%s'", w)
		}
		p.advance()
	}
	word("on")
	outer := p.expression()
	word("equals")
	inner := p.expression()
	innerKey := &lambdaExpr{pos: at, params: []param{{pos: at, name: name}}, body: inner}
	method := "Join"
	if p.tok().isWord("into") {
		p.advance()
		method, name = "GroupJoin", p.ident().text
	}
	q.call(at, method, src, q.lambda(outer), innerKey, q.lambda(q.tuple(at, name, &identExpr{pos: at, name: name}), name))
	q.vars = append(q.vars, name)
}
