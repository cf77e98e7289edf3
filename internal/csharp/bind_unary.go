package csharp

func (b *binder) sizeof(e *sizeofExpr) operand {
	t := b.typ(e.typ)
	n, ok := map[kind]int32{kindBool: 1, kindSByte: 1, kindByte: 1, kindShort: 2, kindUShort: 2, kindChar: 2, kindInt: 4,
		kindUInt: 4, kindLong: 8, kindULong: 8, kindFloat: 4, kindDouble: 8, kindDecimal: 16, kindEnum: 4}[t.kind]
	if !ok {
		b.fail(e.at(), "CS0233", "'%s' does not have a predefined size", t)
	}
	return b.constant(e.at(), b.t.int, n)
}

// unaryExpression binds prefix and postfix operators.
func (b *binder) unaryExpression(e *unaryExpr) operand {
	if e.op == "++" || e.op == "--" {
		return b.increment(e)
	}
	return b.unary(e.at(), e.op, b.operandValue(e.x))
}

func (b *binder) increment(e *unaryExpr) operand {
	x := b.value(e.x)
	if x.lv == nil {
		b.fail(e.at(), "CS1059", "The operand of an increment or decrement operator must be a variable, property or indexer")
	}
	t := x.t
	if u := t.underlying(); !u.isNumeric() && u.kind != kindEnum && t.kind != kindDynamic {
		b.fail(e.at(), "CS0023", "Operator '%s' cannot be applied to operand of type '%s'", e.op, t)
	}
	pre, get, assign := x.lv.spill()
	old := b.temp(t)
	keep := b.store(old, get)
	cur := operand{pos: e.at(), t: t, c: b.load(old)}
	one := b.constant(e.at(), b.t.int, int32(1))
	checked := b.checked
	sum := b.binary(e.at(), e.op[:1], cur, one)
	b.checked = checked
	next := b.explicit(sum, t)
	fresh := b.temp(t)
	calc := b.store(fresh, next.c)
	put := assign(b.load(fresh))
	result := b.load(fresh)
	if e.postfix {
		result = b.load(old)
	}
	if v := x.lv.local; v != nil && !v.cell && v.fn == b.fn && t.kind == kindInt && !b.checked {
		n, d := v.slot, int64(1)
		if e.op == "--" {
			d = -1
		}
		if e.postfix {
			return operand{t: t, c: code{i: func(fr *Frame) int64 { x := fr.ints[n]; fr.ints[n] = int64(int32(x + d)); return x }}}
		}
		return operand{t: t, c: code{i: func(fr *Frame) int64 { x := int64(int32(fr.ints[n] + d)); fr.ints[n] = x; return x }}}
	}
	return operand{t: t, c: before(result, t, func(fr *Frame) {
		if pre != nil {
			pre(fr)
		}
		keep(fr)
		calc(fr)
		put(fr)
	})}
}

// before makes code that does something and then gives the value of c, whose static type is t.
func before(c code, t *Type, do func(*Frame)) code {
	switch t.repr() {
	case reprInt:
		return code{i: func(fr *Frame) int64 { do(fr); return c.i(fr) }}
	case reprFloat:
		return code{f: func(fr *Frame) float64 { do(fr); return c.f(fr) }}
	case reprBool:
		return code{b: func(fr *Frame) bool { do(fr); return c.b(fr) }}
	case reprStr:
		return code{s: func(fr *Frame) string { do(fr); return c.s(fr) }}
	case reprVoid:
		return code{v: func(fr *Frame) { do(fr); c.v(fr) }}
	}
	return code{o: func(fr *Frame) any { do(fr); return c.o(fr) }}
}

// after makes code that does something once the value of c is known.
func after(c code, t *Type, do func(*Frame)) code {
	switch t.repr() {
	case reprInt:
		return code{i: func(fr *Frame) int64 { v := c.i(fr); do(fr); return v }}
	case reprFloat:
		return code{f: func(fr *Frame) float64 { v := c.f(fr); do(fr); return v }}
	case reprBool:
		return code{b: func(fr *Frame) bool { v := c.b(fr); do(fr); return v }}
	case reprStr:
		return code{s: func(fr *Frame) string { v := c.s(fr); do(fr); return v }}
	case reprVoid:
		return code{v: func(fr *Frame) { c.v(fr); do(fr) }}
	}
	return code{o: func(fr *Frame) any { v := c.o(fr); do(fr); return v }}
}
