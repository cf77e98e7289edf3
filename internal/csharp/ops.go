package csharp

import (
	"strings"
)

// promoted is the type in which a numeric operator works, nil when there is none.
func (b *binder) promoted(x, y operand) *Type {
	w := b.t
	a, c := x.t.kind, y.t.kind
	is := func(k kind) bool { return a == k || c == k }
	switch {
	case is(kindDecimal):
		if is(kindFloat) || is(kindDouble) {
			return nil
		}
		return w.decimal
	case is(kindDouble):
		return w.double
	case is(kindFloat):
		return w.float
	case is(kindULong):
		for _, o := range []operand{x, y} {
			if k := o.t.kind; k == kindSByte || k == kindShort || k == kindInt || k == kindLong {
				// Of constants only those of int and long become ulong.
				if n, _ := Integer(o.val); !o.konst || n < 0 || k == kindSByte || k == kindShort {
					return nil
				}
			}
		}
		return w.ulong
	case is(kindLong):
		return w.long
	case is(kindUInt):
		for _, o := range []operand{x, y} {
			if k := o.t.kind; k == kindSByte || k == kindShort || k == kindInt {
				if n, _ := Integer(o.val); k == kindInt && o.konst && n >= 0 {
					continue
				}
				return w.long
			}
		}
		return w.uint
	}
	return w.int
}

func (b *binder) noOperator(pos int, op string, x, y operand) {
	signed := func(t *Type) bool {
		return t.isIntegral() && t.kind != kindULong && (t.kind == kindSByte || t.kind == kindShort || t.kind == kindInt || t.kind == kindLong)
	}
	p, q := x.t.underlying(), y.t.underlying()
	if p.kind == kindULong && signed(q) || q.kind == kindULong && signed(p) || p.kind == kindNull && q.kind == kindNull {
		b.fail(pos, "CS0034", "Operator '%s' is ambiguous on operands of type '%s' and '%s'", op, x.t, y.t)
	}
	b.fail(pos, "CS0019", "Operator '%s' cannot be applied to operands of type '%s' and '%s'", op, b.operandText(x), b.operandText(y))
}

func (b *binder) operandText(x operand) string {
	if x.group != nil {
		return "method group"
	}
	return b.typeText(x.t)
}

// binary binds an operator other than && || ?? to bound operands.
func (b *binder) binary(pos int, op string, x, y operand) operand {
	x, y = b.needValue(x), b.needValue(y)
	if x.isDefault && !y.isDefault {
		x, _ = b.implicit(x, y.t)
	} else if y.isDefault {
		y, _ = b.implicit(y, x.t)
	}
	if out, ok := b.userOperator(pos, op, x, y); ok {
		return out
	}
	switch {
	case x.t.kind == kindDynamic || y.t.kind == kindDynamic:
		return b.dynamicBinary(pos, op, x, y)
	case op == "+" && (x.t.kind == kindString || y.t.kind == kindString) && joins(x) && joins(y):
		return b.concat(pos, x, y)
	case op == "==" || op == "!=":
		if out, ok := b.equality(pos, op, x, y); ok {
			return out
		}
	}
	if x.t.kind == kindNullable || y.t.kind == kindNullable {
		return b.lifted(pos, op, x, y)
	}
	switch {
	case x.t.isNumeric() && y.t.isNumeric():
		return b.arithmetic(pos, op, x, y)
	case x.t.kind == kindBool && y.t.kind == kindBool:
		return b.logical(pos, op, x, y)
	case x.t.kind == kindEnum || y.t.kind == kindEnum:
		return b.enumOp(pos, op, x, y)
	case x.t.kind == kindDelegate && (op == "+" || op == "-"):
		if z, ok := b.implicit(y, x.t); ok {
			return b.combination(pos, op, x, z)
		}
	}
	if x.t.kind == kindNull && y.t.kind == kindNull || x.t.kind == kindNull && y.t.isValue() || y.t.kind == kindNull && x.t.isValue() {
		n := operand{pos: x.pos, t: b.t.int.nullableOf(), c: code{o: func(*Frame) any { return nil }}}
		if x.t.kind == kindNull && y.t.isNumeric() {
			return b.lifted(pos, op, n, y)
		}
		if y.t.kind == kindNull && x.t.isNumeric() {
			return b.lifted(pos, op, x, n)
		}
	}
	if op == "+" && (b.joinsNull(x, y) || b.joinsNull(y, x)) {
		return b.concat(pos, x, y)
	}
	b.noOperator(pos, op, x, y)
	return x
}

// joinsNull tells whether x + null is object + string: it is unless the type of x has an operator of its own.
func (b *binder) joinsNull(x, null operand) bool {
	if null.t.kind != kindNull || x.t.kind == kindNull || x.t.kind == kindEnum || x.t.kind == kindDelegate || !joins(x) {
		return false
	}
	t := x.t
	if t.def != nil {
		t = t.def
	}
	return len(t.ops["op2+"]) == 0
}

// joins tells whether a value can be part of a string by +.
func joins(x operand) bool { return x.t.kind != kindVoid && x.lambda == nil && x.group == nil }

func (b *binder) fold(x operand, from ...operand) operand {
	for _, f := range from {
		if !f.konst {
			return x
		}
	}
	var v any
	if e := caughtException(func() { v = boxer(x.c, x.t)(nil) }); e != nil {
		if e.name == "System.DivideByZeroException" {
			b.fail(x.pos, "CS0020", "Division by constant zero")
		}
		if x.t.kind == kindDecimal {
			b.fail(x.pos, "CS0463", "Evaluation of the decimal constant expression failed")
		}
		b.fail(x.pos, "CS0220", "The operation overflows at compile time in checked mode")
	}
	return b.constant(x.pos, x.t, v)
}

func (b *binder) arithmetic(pos int, op string, x, y operand) operand {
	if op == "<<" || op == ">>" {
		return b.shift(pos, op, x, y)
	}
	t := b.promoted(x, y)
	if t == nil || (op == "&" || op == "|" || op == "^") && !t.isIntegral() {
		b.noOperator(pos, op, x, y)
	}
	k := t.kind
	if (op == "/" || op == "%") && x.konst && y.konst {
		n, integral := Integer(y.val)
		d, ok := y.val.(Decimal)
		if integral && n == 0 && t.isIntegral() || ok && d.IsZero() {
			b.fail(pos, "CS0020", "Division by constant zero")
		}
	}
	p, q := x, y
	if p.t != t {
		p = b.numeric(x, t, false)
	}
	if q.t != t {
		q = b.numeric(y, t, false)
	}
	out := operand{pos: pos, t: t, nonNull: true}
	compare := strings.Contains(" == != < > <= >= ", " "+op+" ")
	if compare {
		out.t = b.t.bool
	}
	switch t.repr() {
	case reprInt:
		if compare {
			out.c.b = compareInt(op, p.c.i, q.c.i, k == kindULong)
		} else {
			out.c.i = intOp(op, p.c.i, q.c.i, k, b.checked || x.konst && y.konst && !b.unchecked)
		}
	case reprFloat:
		if compare {
			out.c.b = compareFloat(op, p.c.f, q.c.f)
		} else {
			out.c.f = floatOp(op, p.c.f, q.c.f, k == kindFloat)
		}
	default:
		a, c := p.c.o, q.c.o
		if compare {
			out.c.b = compareWith(op, func(fr *Frame) int { l := a(fr).(Decimal); return l.Cmp(c(fr).(Decimal)) })
		} else {
			out.c.o = decimalOp(op, a, c)
		}
	}
	return b.fold(out, x, y)
}

func (b *binder) shift(pos int, op string, x, y operand) operand {
	t := b.t.int
	if x.t.isIntegral() && x.t.kind >= kindUInt {
		t = x.t
	}
	n, ok := b.implicit(y, b.t.int)
	if !x.t.isIntegral() || !ok {
		b.noOperator(pos, op, x, y)
	}
	p := x
	if p.t != t {
		p = b.numeric(x, t, false)
	}
	mask := int64(31)
	if t.kind == kindLong || t.kind == kindULong {
		mask = 63
	}
	i, c, k := p.c.i, n.c.i, t.kind
	out := operand{pos: pos, t: t}
	switch {
	case op == "<<":
		out.c.i = func(fr *Frame) int64 { a := i(fr); return wrap(k, a<<uint(c(fr)&mask)) }
	case k == kindULong:
		out.c.i = func(fr *Frame) int64 { a := i(fr); return int64(uint64(a) >> uint(c(fr)&mask)) }
	default:
		out.c.i = func(fr *Frame) int64 { a := i(fr); return a >> uint(c(fr)&mask) }
	}
	return b.fold(out, x, y)
}

func (b *binder) logical(pos int, op string, x, y operand) operand {
	p, q := x.c.b, y.c.b
	out := operand{pos: pos, t: b.t.bool}
	switch op {
	case "&":
		out.c.b = func(fr *Frame) bool { a, c := p(fr), q(fr); return a && c }
	case "|":
		out.c.b = func(fr *Frame) bool { a, c := p(fr), q(fr); return a || c }
	case "^", "!=":
		out.c.b = func(fr *Frame) bool { return p(fr) != q(fr) }
	case "==":
		out.c.b = func(fr *Frame) bool { return p(fr) == q(fr) }
	default:
		b.noOperator(pos, op, x, y)
	}
	return b.fold(out, x, y)
}

func (b *binder) enumOp(pos int, op string, x, y operand) operand {
	t := x.t
	if t.kind != kindEnum {
		t = y.t
	}
	if p, ok := b.implicit(x, t); ok {
		if q, ok := b.implicit(y, t); ok {
			out := operand{pos: pos, t: t}
			switch op {
			case "==", "!=", "<", ">", "<=", ">=":
				out.t = b.t.bool
				out.c.b = compareInt(op, p.c.i, q.c.i, false)
				return b.fold(out, x, y)
			case "&", "|", "^":
				out.c.i = intOp(op, p.c.i, q.c.i, kindInt, false)
				return b.fold(out, x, y)
			case "-":
				out.t = b.t.int
				out.c.i = intOp(op, p.c.i, q.c.i, kindInt, false)
				return b.fold(out, x, y)
			}
		}
	}
	if (op == "+" || op == "-" && x.t.kind == kindEnum) && (x.t.isIntegral() || y.t.isIntegral()) {
		out := operand{pos: pos, t: t}
		out.c.i = intOp(op, x.c.i, y.c.i, kindInt, false)
		return b.fold(out, x, y)
	}
	b.noOperator(pos, op, x, y)
	return x
}

// userOperator finds an operator that a library type declares.
func (b *binder) userOperator(pos int, op string, args ...operand) (operand, bool) {
	key := "op1" + op
	if len(args) == 2 {
		key = "op2" + op
	}
	var found []found
	seen := map[*Type]bool{}
	for _, a := range args {
		for t := a.t.underlying(); t != nil; t = t.Base() {
			d := t
			if t.def != nil {
				d = t.def
			}
			if len(d.ops[key]) == 0 || seen[t] {
				continue
			}
			seen[t] = true
			for _, m := range d.ops[key] {
				found = append(found, foundMember(m, t))
			}
		}
	}
	if len(found) == 0 {
		return operand{}, false
	}
	// Null against a type with its own == compares references, which is what such an operator does with null.
	list := make([]arg, len(args))
	for i, a := range args {
		list[i] = arg{x: a}
	}
	best, _ := b.choose(pos, op, found, list, nil, nil)
	if best == nil {
		return operand{}, false
	}
	return b.emit(pos, *best), true
}

// unary binds - + ! ~ on a bound operand.
func (b *binder) unary(pos int, op string, x operand) operand {
	x = b.needValue(x)
	if out, ok := b.userOperator(pos, op, x); ok {
		return out
	}
	switch {
	case x.t.kind == kindDynamic:
		return b.dynamicUnary(pos, op, x)
	case x.t.kind == kindNullable:
		v := b.temp(b.t.object)
		set, src := b.storeBoxed(v), x.c.o
		r := b.unary(pos, op, operand{pos: x.pos, t: x.t.elem, c: unboxer(b.load(v).o, x.t.elem)})
		get := boxer(r.c, r.t)
		return operand{pos: pos, t: r.t.nullableOf(), c: code{o: func(fr *Frame) any {
			y := src(fr)
			if y == nil {
				return nil
			}
			set(fr, y)
			return get(fr)
		}}}
	case op == "!" && x.t.kind == kindBool:
		c := x.c.b
		return b.fold(operand{pos: pos, t: x.t, c: code{b: func(fr *Frame) bool { return !c(fr) }}}, x)
	case op == "~" && x.t.kind == kindEnum:
		i := x.c.i
		return b.fold(operand{pos: pos, t: x.t, c: code{i: func(fr *Frame) int64 { return ^i(fr) }}}, x)
	case !x.t.isNumeric() || op == "!" || op == "~" && !x.t.isIntegral():
		b.fail(pos, "CS0023", "Operator '%s' cannot be applied to operand of type '%s'", op, x.t)
	}
	t := x.t
	if t.kind < kindInt {
		t = b.t.int
	}
	if op == "-" && t.kind == kindUInt {
		t = b.t.long
	}
	if op == "-" && t.kind == kindULong {
		b.fail(pos, "CS0023", "Operator '-' cannot be applied to operand of type 'ulong'")
	}
	if x.t != t {
		x, _ = b.implicit(x, t)
	}
	if op == "+" {
		x.lv = nil
		return x
	}
	out := operand{pos: pos, t: t}
	switch t.repr() {
	case reprInt:
		i, k, lo := x.c.i, t.kind, int64(0)
		checked := b.checked || x.konst && !b.unchecked
		lo, _ = intRange(k)
		switch {
		case op == "~":
			out.c.i = func(fr *Frame) int64 { return wrap(k, ^i(fr)) }
		case checked:
			out.c.i = func(fr *Frame) int64 {
				n := i(fr)
				if n == lo {
					throwOverflow()
				}
				return -n
			}
		default:
			out.c.i = func(fr *Frame) int64 { return wrap(k, -i(fr)) }
		}
	case reprFloat:
		f := x.c.f
		out.c.f = func(fr *Frame) float64 { return -f(fr) }
	default:
		o := x.c.o
		out.c.o = func(fr *Frame) any { return o(fr).(Decimal).Neg() }
	}
	return b.fold(out, x)
}
