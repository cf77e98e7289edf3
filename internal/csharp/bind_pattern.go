package csharp

func (b *binder) isExpression(e *isExpr) operand {
	x, t, f := b.isCondition(e)
	b.flow = t.join(f)
	return x
}

// isCondition binds `x is …`; a variable of the pattern has a value when it is true.
func (b *binder) isCondition(e *isExpr) (operand, flow, flow) {
	x := b.operandValue(e.x)
	before := b.flow.clone()
	test := b.pattern(x, e.pat)
	whenTrue := b.flow.clone()
	b.flow = before.clone()
	return operand{pos: e.at(), t: b.t.bool, c: code{b: test}}, whenTrue, before
}

// pattern makes the test of a value against a pattern, evaluating x once.
func (b *binder) pattern(x operand, p pattern) func(*Frame) bool {
	if x.lambda != nil || x.group != nil || x.t.kind == kindVoid {
		b.fail(p.at(), "CS8117", "Invalid operand for pattern match; value required, but found '%s'.", x.t)
	}
	src := boxer(x.c, x.t)
	switch {
	case p.isVar:
		set := b.bindVariable(p, x.t)
		return func(fr *Frame) bool { set(fr, src(fr)); return true }
	case p.value != nil:
		return b.constantPattern(x, p.value)
	}
	// A name may be a constant instead of a type.
	if len(p.typ.suffix) == 0 && p.typ.tuple == nil && p.name == "" {
		if e := b.constantName(p.typ); e != nil {
			return b.constantPattern(x, e)
		}
	}
	if len(p.typ.parts) == 1 && p.name == "" && len(p.typ.parts[0].args) == 0 && len(p.typ.suffix) == 0 {
		if _, err := (typeScope{lib: b.lib, bound: b.bound}).resolve(p.typ); err != nil {
			name := p.typ.parts[0].name
			b.fail(p.at(), "CS0103", "The name '%s' does not exist in the current context%s", name, b.suggestName(name))
		}
	}
	t := b.typ(p.typ)
	if t.kind == kindNullable && p.name != "" {
		b.fail(p.at(), "CS8116", "It is not legal to use nullable type '%s' in a pattern; use the underlying type '%s' instead.", t, t.elem)
	}
	if !referenceConversion(x.t, t) && x.t.kind != kindNull && !b.downcast(x.t, t) && x.t.underlying() != t.underlying() {
		if p.name != "" || x.t.kind == kindError {
			b.fail(p.at(), "CS8121", "An expression of type '%s' cannot be handled by a pattern of type '%s'.", x.t, t)
		}
		return func(fr *Frame) bool { src(fr); return false }
	}
	is := b.lib.instance(t)
	if p.name == "" {
		return func(fr *Frame) bool { v := src(fr); return v != nil && is(v) }
	}
	set := b.bindVariable(p, t)
	return func(fr *Frame) bool {
		v := src(fr)
		if v == nil || !is(v) {
			return false
		}
		set(fr, v)
		return true
	}
}

func (b *binder) bindVariable(p pattern, t *Type) func(*Frame, any) {
	if p.name == "_" {
		return func(*Frame, any) {}
	}
	v := b.declare(p.at(), p.name, t)
	b.flow.set(v.id)
	return b.storeBoxed(v)
}

// constantName gives the expression for a dotted name that is a constant such as JTokenType.Null or int.MaxValue.
func (b *binder) constantName(ref *typeRef) expr {
	var e expr
	for i, p := range ref.parts {
		switch {
		case len(p.args) > 0:
			return nil
		case i == 0 && keywordTypes[p.name] != "":
			e = &typeExpr{pos(ref.pos), &typeRef{pos: ref.pos, parts: ref.parts[:1]}}
		case i == 0:
			e = &identExpr{pos: pos(ref.pos), name: p.name}
		default:
			e = &memberExpr{pos: pos(ref.pos), x: e, name: p.name}
		}
	}
	ok := false
	b.attempt(func() {
		x := b.expr(e)
		ok = x.typ == nil && x.space == "" && x.konst
	})
	if !ok {
		return nil
	}
	return e
}

func (b *binder) constantPattern(x operand, e expr) func(*Frame) bool {
	k := b.value(e)
	if !k.konst {
		b.fail(e.at(), "CS0150", "A constant value is expected")
	}
	src := boxer(x.c, x.t)
	if k.t.kind == kindNull {
		if !x.t.nullOK() && x.t.kind != kindNullable {
			b.fail(e.at(), "CS0037", "Cannot convert null to '%s' because it is a non-nullable value type", x.t)
		}
		return func(fr *Frame) bool { return src(fr) == nil }
	}
	if u := x.t.underlying(); u.isValue() || u.kind == kindString {
		k = b.convert(k, u, "")
	}
	switch {
	case x.t.repr() == reprInt && k.t.repr() == reprInt:
		want, _ := Integer(k.val)
		i := x.c.i
		return func(fr *Frame) bool { return i(fr) == want }
	case x.t.kind == kindString && k.t.kind == kindString:
		return stringEqual(x, k, false)
	}
	want := k.val
	return func(fr *Frame) bool { return Equal(src(fr), want) }
}

func (b *binder) asExpression(e *asExpr) operand {
	x := b.operandValue(e.x)
	t := b.typ(e.typ)
	if t.isValue() {
		b.fail(e.at(), "CS0077", "The as operator must be used with a reference type or nullable type ('%s' is a non-nullable value type)", t)
	}
	if x.t.kind == kindNull {
		return b.box(b.constant(e.at(), t, nil), t)
	}
	if y, ok := b.implicit(x, t); ok && (referenceConversion(x.t, t) || x.t == t) {
		y.lv, y.konst = nil, false
		return y
	}
	if !b.downcast(x.t, t) && x.t.underlying() != t.underlying() {
		b.fail(e.at(), "CS0039", "Cannot convert type '%s' to '%s' via a reference conversion, boxing conversion, unboxing conversion, wrapping conversion, or null type conversion", x.t, t)
	}
	src, is := boxer(x.c, x.t), b.lib.instance(t)
	return operand{t: t, c: unboxer(func(fr *Frame) any {
		if v := src(fr); v != nil && is(v) {
			return v
		}
		return nil
	}, t)}
}
