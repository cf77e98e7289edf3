package csharp

func (p *parser) forLoop(at pos) stmt {
	p.advance()
	s := &forStmt{pos: at}
	p.expect("(")
	if !p.at(";") {
		if d := p.forDeclaration(); d != nil {
			s.init = []stmt{d}
		} else {
			for {
				x := p.expression()
				s.init = append(s.init, &exprStmt{pos(x.at()), x})
				if !p.accept(",") {
					break
				}
			}
		}
	}
	p.expect(";")
	if !p.at(";") {
		s.c = p.expression()
	}
	p.expect(";")
	for !p.at(")") {
		s.post = append(s.post, p.expression())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	s.body = p.embedded()
	return s
}

func (p *parser) forDeclaration() stmt {
	var d *localDecl
	at := p.here()
	if p.try(func() bool {
		d = &localDecl{pos: at, typ: p.typ()}
		return p.tok().kind == tokIdent && (p.ahead(1).is("=") || p.ahead(1).is(";") || p.ahead(1).is(","))
	}) {
		p.declarators(d)
		return d
	}
	return nil
}

func (p *parser) foreach(at pos) stmt {
	p.advance()
	p.expect("(")
	s := &foreachStmt{pos: at}
	if p.tok().isWord("var") && p.ahead(1).is("(") {
		p.advance()
		s.into = p.varTuple()
	} else if !p.try(func() bool {
		s.typ = p.typ()
		s.name = p.ident().text
		return true
	}) {
		if p.tok().kind == tokIdent && p.ahead(1).is("in") {
			fail(p.ahead(1).pos, "CS0230", "Type and identifier are both required in a foreach statement")
		}
		if !p.at("(") {
			s.typ = p.typ()
			s.name = p.ident().text
		}
		s.into, _ = p.parenthesised().(*tupleExpr)
		if s.into == nil {
			fail(int(at), "CS0230", "Type and identifier are both required in a foreach statement")
		}
	}
	p.expect("in")
	s.x = p.expression()
	p.expect(")")
	s.body = p.embedded()
	return s
}

// varTuple reads the (a, (b, c)) of a deconstruction behind var.
func (p *parser) varTuple() *tupleExpr {
	defer p.nest()()
	t := &tupleExpr{pos: p.here()}
	p.expect("(")
	for {
		if p.at("(") {
			t.items = append(t.items, p.varTuple())
		} else {
			at := p.here()
			t.items = append(t.items, &declExpr{at, &typeRef{pos: int(at), parts: []typePart{{name: "var"}}}, p.ident().text})
		}
		t.names = append(t.names, "")
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return t
}
