package csharp

import (
	"strconv"
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// value binds an expression that must have a value: no type, namespace or void.
func (b *binder) value(e expr) operand { return b.needValue(b.expr(e)) }

func (b *binder) needValue(x operand) operand {
	switch {
	case x.typ != nil:
		b.fail(x.pos, "CS0119", "'%s' is a type, which is not valid in the given context", x.typ)
	case x.space != "":
		b.fail(x.pos, "CS0118", "'%s' is a namespace but is used like a variable", x.space)
	}
	return x
}

// operandValue is value for an operand of an operator, where void makes no sense.
func (b *binder) operandValue(e expr) operand {
	x := b.value(e)
	if x.t.kind == kindVoid && !x.isThrow {
		b.fail(x.pos, "CS0023", "An operator cannot be applied to operand of type 'void'")
	}
	return x
}

func (b *binder) expr(e expr) operand {
	x := b.dispatch(e)
	x.pos = e.at()
	return x
}

func (b *binder) dispatch(e expr) operand {
	switch e := e.(type) {
	case *litExpr:
		return b.literal(e)
	case *identExpr:
		return b.name(e)
	case *typeExpr:
		return operand{pos: e.at(), t: b.t.err, typ: b.typ(e.typ)}
	case *memberExpr:
		return b.member(e)
	case *callExpr:
		return b.call(e)
	case *indexExpr:
		return b.index(e)
	case *condAccess:
		return b.conditionalAccess(e)
	case *condHole:
		return b.hole(e)
	case *newExpr:
		return b.creation(e)
	case *newArray:
		return b.arrayCreation(e)
	case *newAnon:
		return b.anonymous(e)
	case *unaryExpr:
		return b.unaryExpression(e)
	case *binaryExpr:
		return b.binaryExpression(e)
	case *assignExpr:
		return b.assignment(e)
	case *ternaryExpr:
		return b.ternary(e)
	case *castExpr:
		t := b.typ(e.typ)
		x := b.value(e.x)
		if x.t.kind == kindVoid {
			b.fail(e.at(), "CS0030", "Cannot convert type 'void' to '%s'", t)
		}
		y := b.explicit(x, t)
		y.lv, y.parts = nil, nil
		return y
	case *isExpr:
		return b.isExpression(e)
	case *asExpr:
		return b.asExpression(e)
	case *typeofExpr:
		t := b.openTyp(e.typ)
		return operand{t: b.t.typ, nonNull: true, c: code{o: func(*Frame) any { return t }}}
	case *defaultExpr:
		if e.typ == nil {
			return operand{t: b.t.null, konst: true, isDefault: true}
		}
		t := b.typ(e.typ)
		if t.kind == kindStruct || t.kind == kindNullable || t.kind == kindRecord {
			z := Zero(t)
			return operand{t: t, c: code{o: func(*Frame) any { return z }}}
		}
		return b.constant(e.at(), t, Zero(t))
	case *sizeofExpr:
		return b.sizeof(e)
	case *checkedExpr:
		old, oldUn := b.checked, b.unchecked
		b.checked, b.unchecked = e.on, !e.on
		x := b.value(e.x)
		b.checked, b.unchecked = old, oldUn
		x.lv = nil
		return x
	case *interpExpr:
		return b.interpolation(e)
	case *lambdaExpr:
		return operand{t: b.t.lambda, lambda: e}
	case *tupleExpr:
		return b.tupleLiteral(e)
	case *throwExpr:
		if !e.ok {
			b.fail(e.at(), "CS8115", "A throw expression is not allowed in this context")
		}
		x := b.convertException(b.value(e.x))
		o := x.c.o
		b.flow.dead = true
		return operand{t: b.t.void, isThrow: true, c: code{v: func(fr *Frame) { throwValue(o(fr)) }}}
	case *boundExpr:
		return e.x
	case *declExpr:
		b.fail(e.at(), "CS8185", "A declaration is not allowed in this context")
	}
	b.fail(e.at(), "CS1525", "Invalid expression term")
	return operand{}
}

func (b *binder) literal(e *litExpr) operand {
	if e.val == nil {
		x := b.constant(e.at(), b.t.null, nil)
		return x
	}
	k, _ := kindOf(e.val)
	x := b.constant(e.at(), b.lib.types[kindNames[k]], e.val)
	x.literal = true
	return x
}

func (b *binder) tupleLiteral(e *tupleExpr) operand {
	fields := make([]recordField, len(e.items))
	items := make([]operand, len(e.items))
	natural := true
	for i, it := range e.items {
		items[i] = b.operandValue(it)
		name := e.names[i]
		if name == "" {
			name = nameOf(it)
		}
		if name == "" {
			name = "Item" + strconv.Itoa(i+1)
		}
		if k := items[i].t.kind; k == kindNull || k == kindLambda {
			natural = false
		}
		fields[i] = recordField{name, items[i].t}
	}
	if !natural {
		return operand{t: b.t.lambda, tuple: items, c: code{}}
	}
	x := b.makeRecord(e.at(), b.lib.family.record(fields, true), items)
	x.tuple = items
	return x
}

// choose makes code that gives a or c by a condition; both have static type t.
func chooser(cond func(*Frame) bool, a, c code, t *Type) code {
	switch t.repr() {
	case reprInt:
		p, q := a.i, c.i
		return code{i: func(fr *Frame) int64 {
			if cond(fr) {
				return p(fr)
			}
			return q(fr)
		}}
	case reprFloat:
		p, q := a.f, c.f
		return code{f: func(fr *Frame) float64 {
			if cond(fr) {
				return p(fr)
			}
			return q(fr)
		}}
	case reprBool:
		p, q := a.b, c.b
		return code{b: func(fr *Frame) bool {
			if cond(fr) {
				return p(fr)
			}
			return q(fr)
		}}
	case reprStr:
		p, q := a.s, c.s
		return code{s: func(fr *Frame) string {
			if cond(fr) {
				return p(fr)
			}
			return q(fr)
		}}
	}
	p, q := a.o, c.o
	return code{o: func(fr *Frame) any {
		if cond(fr) {
			return p(fr)
		}
		return q(fr)
	}}
}

// condition binds a bool expression and leaves the states of definite assignment for both outcomes.
func (b *binder) condition(e expr) (x operand, whenTrue, whenFalse flow) {
	switch e := e.(type) {
	case *unaryExpr:
		if e.op == "!" {
			y, t, f := b.condition(e.x)
			if y.t.kind == kindBool {
				out := b.unary(e.at(), "!", y)
				return out, f, t
			}
			out := b.unary(e.at(), "!", y)
			return out, b.flow.clone(), b.flow.clone()
		}
	case *binaryExpr:
		if e.op == "&&" || e.op == "||" {
			return b.shortCircuit(e)
		}
	case *isExpr:
		return b.isCondition(e)
	}
	x = b.operandValue(e)
	if x.konst && x.t.kind == kindBool {
		dead := flow{dead: true}
		if x.val == true {
			return x, b.flow.clone(), dead
		}
		return x, dead, b.flow.clone()
	}
	return x, b.flow.clone(), b.flow.clone()
}

// truth is condition for a statement or ?: that needs a bool.
func (b *binder) truth(e expr) (x operand, whenTrue, whenFalse flow) {
	x, whenTrue, whenFalse = b.condition(e)
	if x.t.kind != kindBool {
		x = b.convert(x, b.t.bool, "")
	}
	return x, whenTrue, whenFalse
}

func (b *binder) shortCircuit(e *binaryExpr) (operand, flow, flow) {
	l, lt, lf := b.condition(e.l)
	if e.op == "&&" {
		b.flow = lt.clone()
	} else {
		b.flow = lf.clone()
	}
	r, rt, rf := b.condition(e.r)
	toBool := func(x operand) operand {
		if x.t.kind != kindBool {
			y, ok := b.implicit(x, b.t.bool)
			if !ok || x.t.kind == kindNull {
				b.noOperator(e.at(), e.op, l, r)
			}
			return y
		}
		return x
	}
	x, y := toBool(l), toBool(r)
	p, q := x.c.b, y.c.b
	out := operand{pos: e.at(), t: b.t.bool}
	var t, f flow
	if e.op == "&&" {
		out.c.b = func(fr *Frame) bool { return p(fr) && q(fr) }
		t, f = rt, lf.join(rf)
	} else {
		out.c.b = func(fr *Frame) bool { return p(fr) || q(fr) }
		t, f = lt.join(rt), rf
	}
	b.flow = t.join(f)
	return b.fold(out, x, y), t, f
}

func (b *binder) binaryExpression(e *binaryExpr) operand {
	switch e.op {
	case "&&", "||":
		x, t, f := b.shortCircuit(e)
		b.flow = t.join(f)
		return x
	case "??":
		return b.coalesce(e)
	}
	x := b.operandValue(e.l)
	y := b.operandValue(e.r)
	return b.binary(e.at(), e.op, x, y)
}

func (b *binder) coalesce(e *binaryExpr) operand {
	x := b.operandValue(e.l)
	if x.t.kind == kindNull && !x.isDefault {
		b.fail(e.at(), "CS0019", "Operator '??' cannot be applied to operands of type '<null>' and others")
	}
	if x.t.isValue() || x.t.kind == kindVoid || x.t.kind == kindLambda {
		b.fail(e.at(), "CS0019", "Operator '??' cannot be applied to operands of type '%s' and others", x.t)
	}
	start := b.flow.clone()
	y := b.operandValue(e.r)
	b.flow = start.join(b.flow)
	if x.t.kind == kindNullable {
		if z, ok := b.implicit(y, x.t.elem); ok {
			v := b.temp(b.t.object)
			set, src := b.storeBoxed(v), x.c.o
			inner := unboxer(b.load(v).o, x.t.elem)
			return operand{t: x.t.elem, c: chooser(func(fr *Frame) bool {
				val := src(fr)
				set(fr, val)
				return val != nil
			}, inner, z.c, x.t.elem)}
		}
	}
	t := x.t
	z, ok := b.implicit(y, t)
	if !ok && t.kind == kindNullable && y.t.isValue() {
		if out, ok := b.coalesceValue(x, y); ok {
			return out
		}
	}
	if !ok {
		t = y.t
		if _, ok := b.implicit(x, t); !ok || y.t.kind == kindLambda {
			b.noOperator(e.at(), "??", x, y)
		}
		z = y
	}
	if x.t.kind == kindString && t.kind == kindString {
		p, q := x.c.s, z.c.s
		return operand{t: t, nonNull: y.nonNull, c: code{s: func(fr *Frame) string {
			if s := p(fr); !IsNull(s) {
				return s
			}
			return q(fr)
		}}}
	}
	v := b.temp(b.t.object)
	set, src := b.storeBoxed(v), boxer(x.c, x.t)
	in, _ := b.implicit(operand{t: x.t, c: unboxer(b.load(v).o, x.t)}, t)
	return operand{t: t, nonNull: y.nonNull, c: chooser(func(fr *Frame) bool {
		val := src(fr)
		set(fr, val)
		return val != nil
	}, in.c, z.c, t)}
}

// coalesceValue is x ?? y where the value inside x converts to the type of y.
func (b *binder) coalesceValue(x, y operand) (operand, bool) {
	v := b.temp(b.t.object)
	set, src := b.storeBoxed(v), x.c.o
	in, ok := b.implicit(operand{t: x.t.elem, c: unboxer(b.load(v).o, x.t.elem)}, y.t)
	if !ok {
		return x, false
	}
	return operand{t: y.t, c: chooser(func(fr *Frame) bool {
		val := src(fr)
		set(fr, val)
		return val != nil
	}, in.c, y.c, y.t)}, true
}

// converts tells whether every value of type t converts implicitly to u.
func (b *binder) converts(t, u *Type) bool {
	_, ok := b.implicit(operand{t: t, c: zeroCode(t)}, u)
	return ok
}

func (b *binder) ternary(e *ternaryExpr) operand {
	c, t, f := b.truth(e.c)
	b.flow = t.clone()
	x := b.value(e.a)
	mid := b.flow
	b.flow = f.clone()
	y := b.value(e.b)
	b.flow = mid.join(b.flow)
	if x.t.kind == kindVoid && !x.isThrow || y.t.kind == kindVoid && !y.isThrow {
		b.fail(e.at(), "CS0173", "Type of conditional expression cannot be determined because there is no implicit conversion between '%s' and '%s'", x.t, y.t)
	}
	p, q := x, y
	var typ *Type
	if x.t == y.t && x.t.kind < kindTypeParam && x.t.kind != kindNull {
		typ = x.t
	} else {
		q1, ok1 := b.implicit(y, x.t)
		p1, ok2 := b.implicit(x, y.t)
		if x.t.kind == kindNull || x.t.kind == kindLambda || x.isThrow {
			ok1 = false
		}
		if y.t.kind == kindNull || y.t.kind == kindLambda || y.isThrow {
			ok2 = false
		}
		switch {
		case ok1 && ok2 && b.converts(x.t, y.t) && !b.converts(y.t, x.t):
			typ, p = y.t, p1
		case ok1:
			typ, q = x.t, q1
		case ok2:
			typ, p = y.t, p1
		default:
			b.fail(e.at(), "CS0173", "Type of conditional expression cannot be determined because there is no implicit conversion between '%s' and '%s'", x.t, y.t)
		}
	}
	if c.konst && x.konst && y.konst && p.konst && q.konst {
		if c.val == true {
			return b.constant(e.at(), typ, p.val)
		}
		return b.constant(e.at(), typ, q.val)
	}
	return operand{t: typ, nonNull: p.nonNull && q.nonNull, c: chooser(c.c.b, p.c, q.c, typ)}
}
