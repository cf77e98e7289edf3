package csharp

var predefined = map[string]bool{"object": true, "void": true, "bool": true, "string": true, "char": true, "sbyte": true,
	"byte": true, "short": true, "ushort": true, "int": true, "uint": true, "long": true, "ulong": true, "float": true,
	"double": true, "decimal": true}

func (t *token) isPredefined() bool { return t.kind == tokKeyword && predefined[t.text] }

// typeName reads a type without array and ? suffixes.
func (p *parser) typeName() *typeRef {
	defer p.nest()()
	t := &typeRef{pos: p.tok().pos}
	switch {
	case p.tok().isPredefined():
		t.parts = []typePart{{name: p.advance().text}}
	case p.at("("):
		p.advance()
		for {
			e := tupleElem{typ: p.typ()}
			if p.tok().kind == tokIdent {
				e.name = p.advance().text
			}
			t.tuple = append(t.tuple, e)
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		if len(t.tuple) < 2 {
			fail(t.pos, "CS8124", "Tuple must contain at least two elements.")
		}
	default:
		for {
			part := typePart{name: p.ident().text}
			if p.at("::") {
				p.advance()
				continue
			}
			if p.at("<") {
				part.args = p.typeArgs()
			}
			t.parts = append(t.parts, part)
			if !p.at(".") {
				break
			}
			p.advance()
		}
	}
	return t
}

func (p *parser) typeArgs() []*typeRef {
	p.expect("<")
	var out []*typeRef
	if p.at(">") || p.at(",") { // typeof(List<>)
		for !p.at(">") {
			p.expect(",")
			out = append(out, nil)
		}
		p.advance()
		return append(out, nil)
	}
	for {
		out = append(out, p.typ())
		if !p.accept(",") {
			break
		}
	}
	p.expect(">")
	return out
}

func (p *parser) typ() *typeRef {
	t := p.typeName()
	for {
		switch {
		case p.at("?"):
			p.advance()
			t.suffix = append(t.suffix, 0)
		case p.at("[") && (p.ahead(1).is("]") || p.ahead(1).is(",")):
			t.suffix = append(t.suffix, p.rank())
		default:
			return t
		}
	}
}

func (p *parser) rank() int {
	p.expect("[")
	n := 1
	for p.accept(",") {
		n++
	}
	p.expect("]")
	return n
}
