package csharp

// body parses everything as the statements of `@{ }`.
func (p *parser) body(start, end int) *blockStmt {
	b := &blockStmt{pos: pos(start), end: end}
	for p.tok().kind != tokEOF {
		if p.at("}") {
			fail(p.tok().pos, "CS1022", "Unexpected '}'")
		}
		b.list = append(b.list, p.statement())
	}
	return b
}

func (p *parser) block() *blockStmt {
	defer p.nest()()
	b := &blockStmt{pos: p.here()}
	p.expect("{")
	for !p.at("}") {
		if p.tok().kind == tokEOF {
			p.expect("}")
		}
		b.list = append(b.list, p.statement())
	}
	b.end = p.advance().pos
	return b
}

// embedded reads the statement under if, while and so on, where a declaration is not allowed.
func (p *parser) embedded() stmt {
	s := p.statement()
	switch s.(type) {
	case *localDecl, *localFunc, *labelStmt:
		fail(s.at(), "CS1023", "Embedded statement cannot be a declaration or labeled statement")
	}
	return s
}

func (p *parser) statement() stmt {
	defer p.nest()()
	t := p.tok()
	at := p.here()
	p.newer()
	switch t.kind {
	case tokKeyword:
		if s := p.keywordStmt(at); s != nil {
			return s
		}
	case tokOp:
		switch t.text {
		case "{":
			return p.block()
		case ";":
			p.advance()
			return &emptyStmt{at}
		}
	case tokIdent:
		if p.ahead(1).is(":") && !p.ahead(2).is(":") {
			p.advance()
			p.advance()
			l := &labelStmt{pos: at, label: t.text}
			if p.at("}") {
				l.body = &emptyStmt{p.here()}
			} else {
				l.body = p.statement()
			}
			return l
		}
		if t.text == "yield" && (p.ahead(1).is("return") || p.ahead(1).is("break")) {
			return p.yield(at)
		}
	}
	if s := p.declaration(); s != nil {
		return s
	}
	x := p.expression()
	if id, ok := x.(*identExpr); ok && !p.at(";") && len(id.args) == 0 {
		if s := suggestKeyword(id.name); s != "" {
			fail(p.toks[p.i-1].end, "CS1002", "; expected%s", s)
		}
	}
	p.expect(";")
	if !isStatement(x) {
		fail(x.at(), "CS0201", notAStatement)
	}
	return &exprStmt{at, x}
}

const notAStatement = "Only assignment, call, increment, decrement, await, and new object expressions can be used as a statement"

// isStatement tells whether an expression has an effect, so that it may stand alone.
func isStatement(x expr) bool {
	switch x := x.(type) {
	case *callExpr, *assignExpr, *newExpr, *throwExpr:
		return true
	case *condAccess:
		return isStatement(x.rest)
	case *unaryExpr:
		return x.op == "++" || x.op == "--"
	}
	return false
}

// declaration reads a local variable or local function if one begins here, else gives nil.
func (p *parser) declaration() stmt {
	at := p.here()
	if p.tok().kind == tokOp && !p.at("(") {
		return nil
	}
	if p.at("ref") {
		return p.refLocal(at)
	}
	if p.tok().isWord("var") && p.ahead(1).is("(") {
		return nil
	}
	var t *typeRef
	if !p.try(func() bool {
		t = p.typ()
		n := p.ahead(1)
		return p.tok().kind == tokIdent && (n.is("=") || n.is(";") || n.is(",") || n.is("(") || n.is("<") || n.kind == tokEOF || n.kind == tokIdent || n.is("}"))
	}) {
		p.noName()
		return nil
	}
	if p.ahead(1).is("(") || p.ahead(1).is("<") {
		return p.localFunction(at, t)
	}
	d := &localDecl{pos: at, typ: t}
	p.declarators(d)
	p.expect(";")
	return d
}

// noName reports a declaration such as int 1x: behind the keyword of a type comes a name or a member.
func (p *parser) noName() {
	if !p.tok().isPredefined() {
		return
	}
	i := p.i
	p.typ()
	if !p.at(".") && p.tok().kind != tokIdent {
		p.ident()
	}
	p.i = i
}

// refLocal reads ref T x = ref y;
func (p *parser) refLocal(at pos) stmt {
	p.advance()
	d := &localDecl{pos: at, ref: true, typ: p.typ()}
	p.declarators(d)
	p.expect(";")
	return d
}

func (p *parser) declarators(d *localDecl) {
	for {
		v := declarator{pos: p.here()}
		v.name = p.ident().text
		if p.accept("=") {
			v.ref = p.accept("ref")
			if p.at("{") {
				v.init = p.arrayInit()
			} else {
				v.init = p.expression()
			}
		}
		if len(d.vars) > 0 && d.typ.isVar() {
			fail(v.at(), "CS0819", "Implicitly-typed variables cannot have multiple declarators")
		}
		d.vars = append(d.vars, v)
		if !p.accept(",") {
			return
		}
	}
}

func (p *parser) localFunction(at pos, result *typeRef) stmt {
	f := &localFunc{pos: at, result: result, name: p.advance().text}
	if p.accept("<") {
		for {
			f.typeParams = append(f.typeParams, p.ident().text)
			if !p.accept(",") {
				break
			}
		}
		p.expect(">")
	}
	p.expect("(")
	f.params = p.parameters()
	defer p.nested()()
	for p.tok().isWord("where") { // constraints do not matter here
		for !p.at("{") && !p.at("=>") && p.tok().kind != tokEOF {
			p.advance()
		}
	}
	if p.accept("=>") {
		f.body = mayThrow(p.expression())
		p.expect(";")
	} else {
		outer := p.yields
		p.yields = false
		f.block = p.block()
		f.iterator, p.yields = p.yields, outer
	}
	return f
}

func (p *parser) yield(at pos) stmt {
	p.advance()
	s := &yieldStmt{pos: at}
	if p.advance().text == "return" {
		s.x = p.expression()
	}
	p.expect(";")
	p.yields = true
	return s
}

// parameters reads a parameter list up to and with its closing parenthesis.
func (p *parser) parameters() []param {
	var out []param
	for !p.at(")") {
		q := param{pos: p.here()}
		for p.at("ref") || p.at("out") || p.at("in") || p.at("params") || p.at("this") {
			q.mode = p.advance().text
		}
		q.typ = p.typ()
		q.name = p.ident().text
		if p.accept("=") {
			q.opt, q.hasOpt = p.expression(), true
		}
		out = append(out, q)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return out
}

func (p *parser) keywordStmt(at pos) stmt {
	t := p.tok()
	switch t.text {
	case "const":
		p.advance()
		d := &localDecl{pos: at, konst: true, typ: p.typ()}
		p.declarators(d)
		p.expect(";")
		return d
	case "if":
		p.advance()
		s := &ifStmt{pos: at, c: p.condition()}
		s.a = p.embedded()
		if p.accept("else") {
			s.b = p.embedded()
		}
		return s
	case "while":
		p.advance()
		s := &whileStmt{pos: at, c: p.condition()}
		s.body = p.embedded()
		return s
	case "do":
		p.advance()
		s := &whileStmt{pos: at, do: true, body: p.embedded()}
		p.expect("while")
		s.c = p.condition()
		p.expect(";")
		return s
	case "for":
		return p.forLoop(at)
	case "foreach":
		return p.foreach(at)
	case "switch":
		return p.switchStatement(at)
	case "return":
		p.advance()
		s := &returnStmt{pos: at}
		if !p.at(";") {
			s.x = p.expression()
		}
		p.expect(";")
		return s
	case "throw":
		p.advance()
		s := &throwStmt{pos: at}
		if !p.at(";") {
			s.x = p.expression()
		}
		p.expect(";")
		return s
	case "break", "continue":
		p.advance()
		p.expect(";")
		return &jumpStmt{pos: at, what: t.text}
	case "goto":
		return p.gotoStatement(at)
	case "try":
		return p.tryStatement(at)
	case "using":
		return p.using(at)
	case "lock":
		p.advance()
		return &lockStmt{at, p.condition(), p.embedded()}
	case "checked", "unchecked":
		if p.ahead(1).is("{") {
			p.advance()
			return &checkedStmt{at, p.block(), t.text == "checked"}
		}
	case "unsafe", "fixed":
		fail(t.pos, "CS0227", "Unsafe code is not available in policy expressions")
	}
	return nil
}

func (p *parser) condition() expr {
	p.expect("(")
	x := p.expression()
	p.expect(")")
	return x
}

func (p *parser) gotoStatement(at pos) stmt {
	p.advance()
	s := &jumpStmt{pos: at}
	switch {
	case p.accept("case"):
		s.what, s.x = "goto case", p.expression()
	case p.accept("default"):
		s.what = "goto default"
	default:
		s.what, s.label = "goto", p.ident().text
	}
	p.expect(";")
	return s
}

func (p *parser) switchStatement(at pos) stmt {
	p.advance()
	s := &switchStmt{pos: at, x: p.condition()}
	p.expect("{")
	for !p.at("}") {
		sec := switchSection{pos: p.here()}
		for p.at("case") || p.at("default") {
			l := switchLabel{pos: p.here()}
			if p.accept("default") {
				l.isDefault = true
			} else {
				p.advance()
				l.pat = p.pattern()
				if p.tok().isWord("when") {
					p.advance()
					l.when = p.expression()
				}
			}
			p.expect(":")
			sec.labels = append(sec.labels, l)
		}
		if len(sec.labels) == 0 {
			fail(p.tok().pos, "CS1525", "A case or default label is expected")
		}
		for !p.at("case") && !p.at("default") && !p.at("}") {
			sec.body = append(sec.body, p.statement())
		}
		s.sections = append(s.sections, sec)
	}
	p.expect("}")
	return s
}

func (p *parser) tryStatement(at pos) stmt {
	p.advance()
	s := &tryStmt{pos: at, body: p.block()}
	for p.at("catch") {
		c := catchClause{pos: p.here()}
		p.advance()
		if p.accept("(") {
			c.typ = p.typ()
			if p.tok().kind == tokIdent {
				c.name = p.advance().text
			}
			p.expect(")")
		}
		if p.tok().isWord("when") {
			p.advance()
			c.when = p.condition()
		}
		c.body = p.block()
		s.catches = append(s.catches, c)
	}
	if p.accept("finally") {
		s.finally = p.block()
	}
	if len(s.catches) == 0 && s.finally == nil {
		fail(p.toks[p.i-1].end-1, "CS1524", "Expected catch or finally")
	}
	return s
}

func (p *parser) using(at pos) stmt {
	p.advance()
	p.expect("(")
	s := &usingStmt{pos: at}
	if d := p.forUsing(); d != nil {
		s.decl = d
	} else {
		s.x = p.expression()
	}
	p.expect(")")
	s.body = p.embedded()
	return s
}

func (p *parser) forUsing() *localDecl {
	var d *localDecl
	at := p.here()
	if p.try(func() bool {
		d = &localDecl{pos: at, typ: p.typ()}
		return p.tok().kind == tokIdent && p.ahead(1).is("=")
	}) {
		p.declarators(d)
		return d
	}
	return nil
}
