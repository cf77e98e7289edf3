package csharp

// tooNew reports a construct of a later version of C#.
func tooNew(pos int, feature, version string) {
	fail(pos, "CS8370", "Feature '%s' is not available in C# 7.3, the language of policy expressions; it came with C# %s", feature, version)
}

// newer looks, where the parser does not know how to go on, for a construct of a later version of C# and names it.
func (p *parser) newer() {
	t, n := p.tok(), p.ahead(1)
	prev := &token{kind: tokEOF}
	if p.i > 0 {
		prev = &p.toks[p.i-1]
	}
	switch {
	case t.is("switch") && n.is("{"):
		tooNew(t.pos, "recursive patterns", "8.0")
	case prev.isWord("is") || prev.is("is"):
		if t.is("<") || t.is(">") || t.is("<=") || t.is(">=") {
			tooNew(t.pos, "relational pattern", "9.0")
		}
		if t.is("{") {
			tooNew(t.pos, "recursive patterns", "8.0")
		}
	case prev.isWord("not") && (t.is("null") || t.kind == tokIdent):
		tooNew(prev.pos, "not pattern", "9.0")
	case t.is("{") && p.i > 1 && (p.toks[p.i-2].is("is") || p.toks[p.i-2].is("case")):
		tooNew(t.pos, "recursive patterns", "8.0")
	case t.isWord("with") && n.is("{"):
		tooNew(t.pos, "with expressions", "9.0")
	case prev.kind == tokString && prev.end-prev.pos == 2 && t.kind == tokString && t.pos == prev.end:
		tooNew(prev.pos, "raw string literals", "11.0")
	case t.is("^") && (prev.is("[") || prev.is(".")):
		tooNew(t.pos, "index operator", "8.0")
	case t.is(".") && prev.is(".") && prev.end == t.pos:
		tooNew(prev.pos, "range operator", "8.0")
	case t.is("static"):
		tooNew(t.pos, "static local functions", "8.0")
	case t.is("=") && prev.is("??") && prev.end == t.pos:
		tooNew(prev.pos, "coalescing assignment", "8.0")
	case t.is("!") && (n.is(".") || n.is(";") || n.is(")")):
		tooNew(t.pos, "nullable reference types", "8.0")
	case t.is("[") && (prev.is("=") || prev.is("return")):
		tooNew(t.pos, "collection expressions", "12.0")
	case prev.is("using") && !t.is("("):
		tooNew(prev.pos, "using declarations", "8.0")
	}
}
