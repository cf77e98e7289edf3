package csharp

import (
	"strings"
)

// equality binds == and != where it is not arithmetic.
func (b *binder) equality(pos int, op string, x, y operand) (operand, bool) {
	not := op == "!="
	out := operand{pos: pos, t: b.t.bool}
	isStr := func(o operand) bool { return o.t.kind == kindString || o.t.kind == kindNull }
	switch {
	case x.t.kind == kindString && isStr(y) || y.t.kind == kindString && isStr(x):
		p, _ := b.implicit(x, b.t.string)
		q, _ := b.implicit(y, b.t.string)
		out.c.b = stringEqual(p, q, not)
		return b.fold(out, x, y), true
	case x.t.kind == kindNull && y.t.kind == kindNull:
		return b.constant(pos, b.t.bool, !not), true
	case x.t.kind == kindNull:
		x, y = y, x
		fallthrough
	case y.t.kind == kindNull:
		if x.t.isValue() {
			if x.t.kind == kindStruct || x.t.isNumeric() || x.t.kind == kindBool || x.t.kind == kindEnum {
				o := boxer(x.c, x.t)
				out.c.b = func(fr *Frame) bool { o(fr); return not }
				return out, x.t.kind != kindStruct || x.t.members != nil
			}
			return out, false
		}
		o := x.c.o
		if x.lambda != nil || x.group != nil || o == nil {
			return out, false
		}
		out.c.b = func(fr *Frame) bool { return (o(fr) == nil) != not }
		return out, true
	case x.t.kind == kindNullable || y.t.kind == kindNullable:
		return b.nullableEquality(pos, x, y, not)
	case x.t.isValue() || y.t.isValue():
		if x.t.kind == kindRecord && y.t.kind == kindRecord {
			p, q := x.c.o, y.c.o
			out.c.b = func(fr *Frame) bool { a := p(fr); return Equal(a, q(fr)) != not }
			return out, true
		}
		return out, false
	case x.lambda != nil || y.lambda != nil || x.group != nil || y.group != nil:
		return out, false
	}
	if !referenceConversion(x.t, y.t) && !referenceConversion(y.t, x.t) && !(x.t.kind == kindInterface || y.t.kind == kindInterface) {
		return out, false
	}
	p, q := boxer(x.c, x.t), boxer(y.c, y.t)
	// Boxed numbers are different objects in .NET even when equal; strings of equal content may be one object.
	out.c.b = func(fr *Frame) bool { a := p(fr); return referenceEqual(a, q(fr)) != not }
	return out, true
}

// referenceEqual compares two objects by identity. Two boxed numbers are never the same object here: the Go form of a box
// has no identity, and in .NET each boxing makes a new one.
func referenceEqual(a, b any) bool {
	if _, ok := kindOf(a); ok {
		if _, str := a.(string); !str {
			return false
		}
	}
	return Same(a, b)
}

func (b *binder) nullableEquality(pos int, x, y operand, not bool) (operand, bool) {
	out := operand{pos: pos, t: b.t.bool}
	eq := b.attemptBinary(pos, "==", x, y)
	if eq == nil {
		return out, false
	}
	out.c.b = func(fr *Frame) bool {
		r, both, neither := eq(fr)
		return (both && r.(bool) || neither) != not
	}
	return out, true
}

// attemptBinary binds an operator on the values inside of T? operands. Its code gives the boxed result when both have a value.
func (b *binder) attemptBinary(pos int, op string, x, y operand) func(*Frame) (r any, both, neither bool) {
	xt, yt := x.t.underlying(), y.t.underlying()
	vx, vy := b.temp(b.t.object), b.temp(b.t.object)
	in := func(o operand, v *local, t *Type) operand {
		return operand{pos: o.pos, t: t, c: unboxer(b.load(v).o, t), konst: o.konst, val: o.val}
	}
	var res operand
	ix, iy := in(x, vx, xt), in(y, vy, yt)
	if x.konst {
		ix = x
	}
	if y.konst {
		iy = y
	}
	if b.attempt(func() { res = b.binary(pos, op, ix, iy) }) != nil {
		return nil
	}
	sx, sy := b.storeBoxed(vx), b.storeBoxed(vy)
	p, q, get := boxer(x.c, x.t), boxer(y.c, y.t), boxer(res.c, res.t)
	return func(fr *Frame) (any, bool, bool) {
		a, c := p(fr), q(fr)
		if a == nil || c == nil {
			return nil, false, a == nil && c == nil
		}
		sx(fr, a)
		sy(fr, c)
		return get(fr), true, false
	}
}

// lifted binds an operator with an operand of type T?.
func (b *binder) lifted(pos int, op string, x, y operand) operand {
	if x.t.kind == kindNull {
		x = operand{pos: x.pos, t: y.t, c: code{o: func(*Frame) any { return nil }}}
	}
	if y.t.kind == kindNull {
		y = operand{pos: y.pos, t: x.t, c: code{o: func(*Frame) any { return nil }}}
	}
	xt, yt := x.t.underlying(), y.t.underlying()
	if xt.kind == kindBool && yt.kind == kindBool && (op == "&" || op == "|") {
		return b.threeValued(pos, op, x, y)
	}
	f := b.attemptBinary(pos, op, x, y)
	if f == nil {
		b.noOperator(pos, op, x, y)
	}
	probe := b.binary(pos, op, operand{t: xt, c: zeroCode(xt)}, operand{t: yt, c: zeroCode(yt)})
	if probe.t.kind == kindBool && strings.Contains(" < > <= >= == != ", " "+op+" ") {
		return operand{pos: pos, t: b.t.bool, c: code{b: func(fr *Frame) bool {
			r, both, _ := f(fr)
			return both && r.(bool)
		}}}
	}
	return operand{pos: pos, t: probe.t.nullableOf(), c: code{o: func(fr *Frame) any { r, _, _ := f(fr); return r }}}
}

func zeroCode(t *Type) code {
	z := Zero(t)
	return unboxer(func(*Frame) any { return z }, t)
}

// threeValued is & and | on bool?.
func (b *binder) threeValued(pos int, op string, x, y operand) operand {
	p, q := boxer(x.c, x.t), boxer(y.c, y.t)
	decides := op == "|"
	return operand{pos: pos, t: b.t.bool.nullableOf(), c: code{o: func(fr *Frame) any {
		a, c := p(fr), q(fr)
		switch {
		case a == decides || c == decides:
			return decides
		case a == nil || c == nil:
			return nil
		}
		return !decides
	}}}
}
