package csharp

import "strings"

func (p *parser) primary() expr {
	t := p.tok()
	at := p.here()
	switch t.kind {
	case tokNumber, tokString, tokChar:
		p.advance()
		return &litExpr{at, t.value}
	case tokInterp:
		p.advance()
		return p.interpolation(t)
	case tokIdent:
		return p.name()
	case tokKeyword:
		return p.keyword()
	case tokEOF:
		fail(t.pos, "CS1733", "Expected expression")
	}
	if t.is("(") {
		return p.parenthesised()
	}
	p.newer()
	fail(t.pos, "CS1525", "Invalid expression term '%s'", t.text)
	return nil
}

func (p *parser) name() expr {
	at := p.here()
	id := p.advance()
	if p.at("::") { // global::
		p.advance()
		return p.name()
	}
	p.uses(id.text)
	return &identExpr{at, id.text, p.tryTypeArgs()}
}

// tryTypeArgs reads <T, …> behind a name when what follows shows that these are type arguments and no comparison.
func (p *parser) tryTypeArgs() []*typeRef {
	if !p.at("<") {
		return nil
	}
	var args []*typeRef
	if p.try(func() bool {
		args = p.typeArgs()
		t := p.tok()
		return t.kind == tokEOF || t.kind == tokOp && strings.Contains(" ( ) ] } : ; , . ?. ? == != | ^ && || & [ > ", " "+t.text+" ")
	}) {
		if args[0] == nil {
			fail(p.toks[p.i-1].pos, "CS7003", "Unexpected use of an unbound generic name")
		}
		return args
	}
	return nil
}

func (p *parser) interpolation(t *token) expr {
	x := &interpExpr{pos: pos(t.pos)}
	for _, part := range t.parts {
		if !part.hole {
			x.parts = append(x.parts, interpPiece{text: part.text})
			continue
		}
		defer p.nest()()
		sub := interpPiece{format: part.format}
		if strings.TrimSpace(p.src[part.start:part.end]) == "" {
			fail(part.start, "CS1733", "Expected expression")
		}
		sub.x = p.holeExpr(part)
		if part.alignEnd > 0 {
			sub.align = p.sub(part.alignStart, part.alignEnd)
		}
		x.parts = append(x.parts, sub)
	}
	return x
}

// holeExpr parses the expression of a hole, which a ':' outside parentheses ends, so that ?: needs parentheses.
func (p *parser) holeExpr(part interpPart) expr {
	defer func() {
		r := recover()
		if e, ok := r.(syntaxError); ok && part.format != "" && e.code == "CS1003" {
			fail(part.start, "CS8361", "A conditional expression cannot be used directly in a string interpolation because the ':' ends the interpolation. Parenthesize the conditional expression.")
		}
		if r != nil {
			panic(r)
		}
	}()
	return p.sub(part.start, part.end)
}

func (p *parser) sub(start, end int) expr {
	q := newParser(p.src, start, end)
	q.depth, q.used, q.level = p.depth, p.used, p.level
	x := q.expression()
	if q.tok().kind != tokEOF {
		q.unexpected()
	}
	return x
}

func (p *parser) parenthesised() expr {
	at := p.here()
	p.advance()
	var items []expr
	var names []string
	for {
		name := ""
		if p.tok().kind == tokIdent && p.ahead(1).is(":") {
			name = p.advance().text
			p.advance()
		}
		var x expr
		if d := p.tupleDecl(); d != nil {
			x = d
		} else {
			x = p.expression()
		}
		items, names = append(items, x), append(names, name)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if len(items) == 1 && names[0] == "" {
		return items[0]
	}
	return &tupleExpr{at, names, items}
}

// tupleDecl reads T x inside parentheses, as in (int a, string b) = t.
func (p *parser) tupleDecl() expr {
	at := p.here()
	var d *declExpr
	if (p.tok().kind == tokIdent || p.tok().isPredefined()) && p.try(func() bool {
		t := p.typ()
		if p.tok().kind != tokIdent || p.tok().isWord("is") {
			return false
		}
		d = &declExpr{at, t, p.advance().text}
		return p.at(",") || p.at(")")
	}) {
		return d
	}
	return nil
}

func (p *parser) keyword() expr {
	t := p.tok()
	at := p.here()
	if t.isPredefined() {
		p.advance()
		if !p.at(".") {
			fail(t.pos, "CS1525", "Invalid expression term '%s'", t.text)
		}
		return &typeExpr{at, &typeRef{pos: t.pos, parts: []typePart{{name: t.text}}}}
	}
	switch t.text {
	case "true", "false":
		p.advance()
		return &litExpr{at, t.text == "true"}
	case "null":
		p.advance()
		return &litExpr{at, nil}
	case "new":
		p.advance()
		return p.creation(at)
	case "typeof", "sizeof":
		p.advance()
		p.expect("(")
		ty := p.typ()
		p.expect(")")
		if t.text == "sizeof" {
			return &sizeofExpr{at, ty}
		}
		return &typeofExpr{at, ty}
	case "default":
		p.advance()
		if !p.accept("(") {
			return &defaultExpr{at, nil}
		}
		ty := p.typ()
		p.expect(")")
		return &defaultExpr{at, ty}
	case "checked", "unchecked":
		p.advance()
		p.expect("(")
		x := p.expression()
		p.expect(")")
		return &checkedExpr{at, x, t.text == "checked"}
	case "delegate":
		p.advance()
		return p.anonymousMethod(at)
	case "this":
		fail(t.pos, "CS0026", "Keyword 'this' is not available in policy expressions")
	case "base":
		fail(t.pos, "CS1511", "Keyword 'base' is not available in policy expressions")
	case "stackalloc":
		fail(t.pos, "CS0214", "stackalloc is not available in policy expressions")
	}
	p.newer()
	fail(t.pos, "CS1525", "Invalid expression term '%s'", t.text)
	return nil
}

// creation reads what follows new.
func (p *parser) creation(at pos) expr {
	switch {
	case p.at("{"):
		return p.anonymousObject(at)
	case p.at("("):
		tooNew(p.tok().pos, "target-typed object creation", "9.0")
	case p.at("["):
		n := p.rank()
		return &newArray{pos: at, rank: n, init: p.arrayInit()}
	}
	t := p.typeName()
	for p.at("?") && !p.ahead(1).is("(") {
		p.advance()
		t.suffix = append(t.suffix, 0)
	}
	if p.at("[") {
		return p.arrayCreation(at, t)
	}
	n := &newExpr{pos: at, typ: t}
	if p.accept("(") {
		n.args = p.arguments(")")
	} else if !p.at("{") {
		fail(p.tok().pos, "CS1526", "A new expression requires an argument list or (), [], or {} after type")
	}
	if p.at("{") {
		n.init = p.initializer()
	}
	return n
}

func (p *parser) arrayCreation(at pos, elem *typeRef) expr {
	a := &newArray{pos: at, elem: elem, rank: 1}
	p.expect("[")
	if p.at("]") || p.at(",") {
		for p.accept(",") {
			a.rank++
		}
		p.expect("]")
	} else {
		for {
			a.dims = append(a.dims, p.expression())
			if !p.accept(",") {
				break
			}
		}
		a.rank = len(a.dims)
		p.expect("]")
	}
	for p.at("[") && (p.ahead(1).is("]") || p.ahead(1).is(",")) {
		a.more = append(a.more, p.rank())
	}
	if p.at("[") && a.dims != nil && p.ahead(1).kind == tokNumber {
		fail(p.tok().pos, "CS0178", "Invalid rank specifier: expected ',' or ']'")
	}
	if p.at("{") {
		a.init = p.arrayInit()
	} else if a.dims == nil {
		fail(p.tok().pos, "CS1586", "Array creation must have array size or array initializer")
	}
	return a
}

func (p *parser) arrayInit() *arrayInit {
	defer p.nest()()
	a := &arrayInit{pos: p.here()}
	p.expect("{")
	for !p.at("}") {
		if p.at("{") {
			a.items = append(a.items, p.arrayInit())
		} else {
			a.items = append(a.items, p.expression())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return a
}

func (p *parser) anonymousObject(at pos) expr {
	n := &newAnon{pos: at}
	p.expect("{")
	for !p.at("}") {
		name := ""
		from := p.tok().pos
		if p.tok().kind == tokIdent && p.ahead(1).is("=") {
			name = p.advance().text
			p.advance()
		}
		x := p.expression()
		if name == "" {
			if name = nameOf(x); name == "" {
				fail(from, "CS0746", "Invalid anonymous type member declarator. Anonymous type members must be declared with a member assignment, simple name or member access.")
			}
		}
		n.names, n.exprs = append(n.names, name), append(n.exprs, x)
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return n
}

// nameOf is the name that an expression lends to a member of an anonymous type or tuple.
func nameOf(x expr) string {
	switch x := x.(type) {
	case *identExpr:
		return x.name
	case *memberExpr:
		return x.name
	case *condAccess:
		return nameOf(x.rest)
	}
	return ""
}

func (p *parser) initializer() *initializer {
	defer p.nest()()
	in := &initializer{pos: p.here()}
	p.expect("{")
	for !p.at("}") {
		it := initItem{pos: p.here()}
		switch {
		case p.at("{"):
			it.list = p.arrayInit().items
		case p.at("["):
			p.advance()
			it.index = p.arguments("]")
			p.expect("=")
			p.initValue(&it)
		case p.tok().kind == tokIdent && p.ahead(1).is("="):
			it.name = p.advance().text
			p.advance()
			p.initValue(&it)
		default:
			it.value = p.expression()
		}
		in.items = append(in.items, it)
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return in
}

func (p *parser) initValue(it *initItem) {
	if p.at("{") {
		it.nest = p.initializer()
	} else {
		it.value = p.expression()
	}
}

// postfix reads member access, calls, indexing, ?. chains and ++ -- behind x.
func (p *parser) postfix(x expr) expr {
	for {
		t := p.tok()
		switch {
		case t.is("?."), t.is("?") && p.ahead(1).is("[") && p.isCondIndex():
			return p.conditional(x)
		case t.is("++"), t.is("--"):
			p.advance()
			x = &unaryExpr{pos(x.at()), t.text, x, true}
		default:
			next := p.step(x)
			if next == nil {
				return x
			}
			x = next
		}
	}
}

// step reads one .name, (args) or [args] behind x, or gives nil.
func (p *parser) step(x expr) expr {
	t := p.tok()
	switch {
	case t.is("."):
		p.advance()
		at := p.here()
		name := p.ident()
		return &memberExpr{at, x, name.text, p.tryTypeArgs()}
	case t.is("("):
		p.advance()
		return &callExpr{pos: pos(t.pos), fn: x, args: p.arguments(")")}
	case t.is("["):
		p.advance()
		args := p.arguments("]")
		if len(args) == 0 {
			fail(t.pos, "CS0443", "Syntax error; value expected")
		}
		return &indexExpr{pos(t.pos), x, args}
	case t.is("->"):
		fail(t.pos, "CS0214", "Pointers are not available in policy expressions")
	}
	return nil
}

// isCondIndex tells x?[i] from the conditional x ? [..] : y, which C# 7 does not have; so it always is.
func (p *parser) isCondIndex() bool { return p.ahead(1).pos == p.tok().end }

func (p *parser) conditional(x expr) expr {
	defer p.nest()()
	at := p.here()
	hole := &condHole{at}
	var rest expr = hole
	if p.accept("?.") {
		at := p.here()
		name := p.ident()
		rest = &memberExpr{at, rest, name.text, p.tryTypeArgs()}
	} else {
		p.advance()
		rest = p.step(rest)
	}
	for {
		t := p.tok()
		if t.is("?.") || t.is("?") && p.ahead(1).is("[") && p.isCondIndex() {
			rest = p.conditional(rest)
			break
		}
		next := p.step(rest)
		if next == nil {
			break
		}
		rest = next
	}
	return &condAccess{pos(x.at()), x, hole, rest}
}
