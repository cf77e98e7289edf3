package csharp

import (
	"math"
	"math/bits"
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
				if n, _ := unboxInt(o.val); !o.konst || n < 0 {
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
				if n, _ := unboxInt(o.val); k == kindInt && o.konst && n >= 0 {
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
	b.fail(pos, "CS0019", "Operator '%s' cannot be applied to operands of type '%s' and '%s'", op, x.t, y.t)
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
	case op == "+" && (x.t.kind == kindString || y.t.kind == kindString) && x.t.kind != kindVoid && y.t.kind != kindVoid && x.lambda == nil && y.lambda == nil:
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
	b.noOperator(pos, op, x, y)
	return x
}

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
	if op == "/" || op == "%" {
		if n, ok := unboxInt(y.val); ok && y.konst && n == 0 && t.isIntegral() {
			b.fail(pos, "CS0020", "Division by constant zero")
		}
		if d, ok := y.val.(Decimal); ok && d.IsZero() && y.konst {
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
			out.c.i = intOp(op, p.c.i, q.c.i, k, b.checked || x.konst && y.konst)
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

func compareInt(op string, x, y func(*Frame) int64, unsigned bool) func(*Frame) bool {
	if unsigned && op != "==" && op != "!=" {
		return compareWith(op, func(fr *Frame) int {
			a, c := uint64(x(fr)), uint64(y(fr))
			switch {
			case a < c:
				return -1
			case a > c:
				return 1
			}
			return 0
		})
	}
	switch op {
	case "==":
		return func(fr *Frame) bool { return x(fr) == y(fr) }
	case "!=":
		return func(fr *Frame) bool { return x(fr) != y(fr) }
	case "<":
		return func(fr *Frame) bool { return x(fr) < y(fr) }
	case ">":
		return func(fr *Frame) bool { return x(fr) > y(fr) }
	case "<=":
		return func(fr *Frame) bool { return x(fr) <= y(fr) }
	}
	return func(fr *Frame) bool { return x(fr) >= y(fr) }
}

func compareFloat(op string, x, y func(*Frame) float64) func(*Frame) bool {
	switch op {
	case "==":
		return func(fr *Frame) bool { return x(fr) == y(fr) }
	case "!=":
		return func(fr *Frame) bool { return x(fr) != y(fr) }
	case "<":
		return func(fr *Frame) bool { return x(fr) < y(fr) }
	case ">":
		return func(fr *Frame) bool { return x(fr) > y(fr) }
	case "<=":
		return func(fr *Frame) bool { return x(fr) <= y(fr) }
	}
	return func(fr *Frame) bool { return x(fr) >= y(fr) }
}

func compareWith(op string, cmp func(*Frame) int) func(*Frame) bool {
	switch op {
	case "==":
		return func(fr *Frame) bool { return cmp(fr) == 0 }
	case "!=":
		return func(fr *Frame) bool { return cmp(fr) != 0 }
	case "<":
		return func(fr *Frame) bool { return cmp(fr) < 0 }
	case ">":
		return func(fr *Frame) bool { return cmp(fr) > 0 }
	case "<=":
		return func(fr *Frame) bool { return cmp(fr) <= 0 }
	}
	return func(fr *Frame) bool { return cmp(fr) >= 0 }
}

// intOp gives the code of an integer operator on kind k: int, uint, long or ulong.
func intOp(op string, x, y func(*Frame) int64, k kind, checked bool) func(*Frame) int64 {
	if checked && (op == "+" || op == "-" || op == "*") {
		return checkedOp(op, x, y, k)
	}
	narrow := k == kindInt || k == kindUInt
	switch op {
	case "+":
		if k == kindInt {
			return func(fr *Frame) int64 { return int64(int32(x(fr) + y(fr))) }
		}
		return func(fr *Frame) int64 { return wrap(k, x(fr)+y(fr)) }
	case "-":
		return func(fr *Frame) int64 { return wrap(k, x(fr)-y(fr)) }
	case "*":
		return func(fr *Frame) int64 { return wrap(k, x(fr)*y(fr)) }
	case "&":
		return func(fr *Frame) int64 { return x(fr) & y(fr) }
	case "|":
		return func(fr *Frame) int64 { return x(fr) | y(fr) }
	case "^":
		return func(fr *Frame) int64 { return x(fr) ^ y(fr) }
	case "/":
		switch {
		case k == kindULong:
			return func(fr *Frame) int64 { return int64(uint64(x(fr)) / uint64(y(fr))) }
		case k == kindInt || k == kindLong:
			lo, _ := intRange(k)
			return func(fr *Frame) int64 {
				a, c := x(fr), y(fr)
				if c == -1 && a == lo {
					throwOverflow()
				}
				return a / c
			}
		}
		return func(fr *Frame) int64 { return x(fr) / y(fr) }
	}
	if k == kindULong {
		return func(fr *Frame) int64 { return int64(uint64(x(fr)) % uint64(y(fr))) }
	}
	lo, _ := intRange(k)
	return func(fr *Frame) int64 {
		a, c := x(fr), y(fr)
		if c == -1 && a == lo && (narrow || k == kindLong) && k != kindUInt {
			throwOverflow()
		}
		return a % c
	}
}

func checkedOp(op string, x, y func(*Frame) int64, k kind) func(*Frame) int64 {
	lo, hi := intRange(k)
	return func(fr *Frame) int64 {
		a, c := x(fr), y(fr)
		if k == kindULong {
			return checkedUnsigned(op, uint64(a), uint64(c))
		}
		var n int64
		over := false
		switch op {
		case "+":
			n = a + c
			over = (n > a) != (c > 0)
		case "-":
			n = a - c
			over = (n < a) != (c > 0)
		default:
			n = a * c
			over = a != 0 && (n/a != c || a == -1 && c == math.MinInt64)
		}
		if over || n < lo || n > hi {
			throwOverflow()
		}
		return n
	}
}

func checkedUnsigned(op string, a, c uint64) int64 {
	var n, over uint64
	switch op {
	case "+":
		n, over = bits.Add64(a, c, 0)
	case "-":
		n, over = bits.Sub64(a, c, 0)
	default:
		over, n = bits.Mul64(a, c)
	}
	if over != 0 {
		throwOverflow()
	}
	return int64(n)
}

func floatOp(op string, x, y func(*Frame) float64, single bool) func(*Frame) float64 {
	var f func(*Frame) float64
	switch op {
	case "+":
		f = func(fr *Frame) float64 { return x(fr) + y(fr) }
	case "-":
		f = func(fr *Frame) float64 { return x(fr) - y(fr) }
	case "*":
		f = func(fr *Frame) float64 { return x(fr) * y(fr) }
	case "/":
		f = func(fr *Frame) float64 { return x(fr) / y(fr) }
	default:
		f = func(fr *Frame) float64 { return math.Mod(x(fr), y(fr)) }
	}
	if single {
		return func(fr *Frame) float64 { return float64(float32(f(fr))) }
	}
	return f
}

func decimalOp(op string, x, y func(*Frame) any) func(*Frame) any {
	var f func(a, c Decimal) Decimal
	switch op {
	case "+":
		f = Decimal.Add
	case "-":
		f = Decimal.Sub
	case "*":
		f = Decimal.Mul
	case "/":
		f = Decimal.Div
	default:
		f = Decimal.Rem
	}
	return func(fr *Frame) any { a := x(fr).(Decimal); return f(a, y(fr).(Decimal)) }
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

// concat joins two operands of which one is a string.
func (b *binder) concat(pos int, x, y operand) operand {
	out := operand{pos: pos, t: b.t.string, nonNull: true}
	if x.konst && y.konst && (x.val == nil || x.t.kind == kindString) && (y.val == nil || y.t.kind == kindString) {
		return b.constant(pos, b.t.string, Concat(FormatValue(x.val), FormatValue(y.val)))
	}
	if x.t.kind == kindString && len(x.parts) > 0 {
		out.parts = append(out.parts, x.parts...)
	} else {
		out.parts = append(out.parts, b.text(x))
	}
	out.parts = append(out.parts, b.text(y))
	out.c.s = joiner(out.parts)
	return out
}

// joiner makes code that joins strings with one allocation.
func joiner(parts []func(*Frame) string) func(*Frame) string {
	if len(parts) == 2 {
		p, q := parts[0], parts[1]
		return func(fr *Frame) string {
			a := p(fr)
			c := q(fr)
			fr.run.Alloc(len(a) + len(c))
			return Concat(a, c)
		}
	}
	if len(parts) == 3 {
		p, q, r := parts[0], parts[1], parts[2]
		return func(fr *Frame) string {
			a, c, d := p(fr), q(fr), r(fr)
			fr.run.Alloc(len(a) + len(c) + len(d))
			return joinStrings(a, c, d)
		}
	}
	return func(fr *Frame) string {
		var buf [8]string
		all := buf[:0]
		n := 0
		for _, p := range parts {
			s := p(fr)
			n += len(s)
			all = append(all, s)
		}
		fr.run.Alloc(n)
		return joinStrings(all...)
	}
}

func joinStrings(all ...string) string {
	if len(all) == 3 && !endsHigh(all[0]) && !endsHigh(all[1]) {
		if len(all[0])+len(all[1])+len(all[2]) == 0 {
			return ""
		}
		return all[0] + all[1] + all[2]
	}
	n := 0
	plain := true
	for _, s := range all {
		n += len(s)
		plain = plain && !endsHigh(s)
	}
	if plain {
		var sb strings.Builder
		sb.Grow(n)
		for _, s := range all {
			sb.WriteString(s)
		}
		return sb.String()
	}
	out := ""
	for _, s := range all {
		out = Concat(out, s)
	}
	return out
}

// endsHigh tells whether s ends in a high surrogate.
func endsHigh(s string) bool {
	n := len(s)
	return n >= 3 && s[n-3] == 0xED && s[n-2] >= 0xA0 && s[n-2] <= 0xAF
}

// text makes code for the string of a value inside a concatenation: "" for null, else ToString.
func (b *binder) text(x operand) func(*Frame) string {
	switch {
	case x.konst:
		s := FormatValue(x.val)
		return func(*Frame) string { return s }
	case x.t.kind == kindString:
		return x.c.s
	case x.t.kind == kindInt || x.t.kind == kindLong || x.t.kind == kindShort:
		i := x.c.i
		return func(fr *Frame) string { return formatInt(i(fr)) }
	case x.t.kind == kindChar:
		i := x.c.i
		return func(fr *Frame) string { return Char(i(fr)).String() }
	case x.t.kind == kindBool:
		c := x.c.b
		return func(fr *Frame) string {
			if c(fr) {
				return "True"
			}
			return "False"
		}
	case x.t.kind == kindDouble:
		f := x.c.f
		return func(fr *Frame) string { return FormatFloat(f(fr), 64) }
	}
	o := boxer(x.c, x.t)
	return func(fr *Frame) string { return FormatValue(o(fr)) }
}

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

func stringEqual(x, y operand, not bool) func(*Frame) bool {
	p, q := x.c.s, y.c.s
	if y.konst {
		x, y = y, x
		p, q = q, p
	}
	if x.konst {
		want := UnboxString(x.val)
		switch {
		case IsNull(want):
			return func(fr *Frame) bool { return IsNull(q(fr)) != not }
		case want == "":
			return func(fr *Frame) bool { s := q(fr); return (s == "" && !IsNull(s)) != not }
		case not:
			return func(fr *Frame) bool { return q(fr) != want }
		}
		return func(fr *Frame) bool { return q(fr) == want }
	}
	return func(fr *Frame) bool {
		a, c := p(fr), q(fr)
		return (a == c && (a != "" || IsNull(a) == IsNull(c))) != not
	}
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
		checked := b.checked || x.konst
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
