package csharp

import "math"

// constant makes an operand of a boxed constant.
func (b *binder) constant(pos int, t *Type, v any) operand {
	x := operand{pos: pos, t: t, konst: t.kind != kindNullable, val: v, nonNull: v != nil}
	switch t.repr() {
	case reprInt:
		n, _ := unboxInt(v)
		x.c = code{i: func(*Frame) int64 { return n }}
	case reprFloat:
		f := unboxFloat(v)
		x.c = code{f: func(*Frame) float64 { return f }}
	case reprBool:
		p, _ := v.(bool)
		x.c = code{b: func(*Frame) bool { return p }}
	case reprStr:
		s := UnboxString(v)
		x.c = code{s: func(*Frame) string { return s }}
	default:
		x.c = code{o: func(*Frame) any { return v }}
	}
	return x
}

// implicitNumeric tells whether a numeric type widens to another without a cast.
func implicitNumeric(from, to kind) bool {
	switch from {
	case kindChar:
		return to == kindUShort || to >= kindInt && to <= kindDecimal
	case kindSByte:
		return to == kindShort || to == kindInt || to == kindLong || to >= kindFloat && to <= kindDecimal
	case kindByte:
		return to >= kindShort && to <= kindDecimal
	case kindShort:
		return to == kindInt || to == kindLong || to >= kindFloat && to <= kindDecimal
	case kindUShort:
		return to >= kindInt && to <= kindDecimal
	case kindInt:
		return to == kindLong || to >= kindFloat && to <= kindDecimal
	case kindUInt:
		return to >= kindLong && to <= kindDecimal
	case kindLong, kindULong:
		return to >= kindFloat && to <= kindDecimal
	case kindFloat:
		return to == kindDouble
	}
	return false
}

// intRange is the range of an integer kind as int64; ulong is treated apart.
func intRange(k kind) (lo, hi int64) {
	switch k {
	case kindSByte:
		return math.MinInt8, math.MaxInt8
	case kindByte:
		return 0, math.MaxUint8
	case kindShort:
		return math.MinInt16, math.MaxInt16
	case kindChar, kindUShort:
		return 0, math.MaxUint16
	case kindInt:
		return math.MinInt32, math.MaxInt32
	case kindUInt:
		return 0, math.MaxUint32
	case kindULong:
		return 0, math.MaxInt64
	}
	return math.MinInt64, math.MaxInt64
}

// referenceConversion tells whether every value of from is one of to without changing its Go form: identity, base class,
// interface, variance, array covariance.
func referenceConversion(from, to *Type) bool {
	if from == to || to.kind == kindObject || to.kind == kindDynamic {
		return true
	}
	if from.kind == kindArray && to.kind == kindArray {
		return from.rank == to.rank && from.elem.isReference() && to.elem.isReference() && referenceConversion(from.elem, to.elem)
	}
	if from.kind == kindRecord && to.kind == kindRecord && from.tuple && to.tuple && len(from.fields) == len(to.fields) {
		for i := range from.fields {
			if !referenceConversion(from.fields[i].typ, to.fields[i].typ) {
				return false
			}
		}
		return true
	}
	if from.def != nil && from.def == to.def && (to.kind == kindInterface || to.kind == kindDelegate) && variantArgs(from, to) {
		return true
	}
	if from.kind == kindNullable {
		return false
	}
	for t := from.Base(); t != nil; t = t.Base() {
		if t == to {
			return true
		}
	}
	if to.kind != kindInterface {
		return false
	}
	for t := from; t != nil; t = t.Base() {
		for _, i := range t.interfaces() {
			if referenceConversion(i, to) {
				return true
			}
		}
	}
	return false
}

// variantArgs decides whether an instance of a generic interface or delegate converts to another: the type parameters of
// the covariant interfaces and of delegates' results vary with the type, those of delegates' parameters against it.
func variantArgs(from, to *Type) bool {
	contra := len(from.args)
	switch {
	case to.kind == kindDelegate && from.def.invoke != nil && from.def.invoke.result.kind == kindTypeParam:
		contra = len(from.args) - 1
	case to.kind == kindDelegate:
		contra = len(from.args)
	default:
		contra = 0
		switch from.name {
		case "IEnumerable", "IEnumerator", "IReadOnlyList", "IReadOnlyCollection", "IGrouping":
		default:
			return false
		}
	}
	for i := range from.args {
		a, c := from.args[i], to.args[i]
		if i < contra {
			a, c = c, a
		}
		if a != c && (a.isValue() || c.isValue() || a.kind == kindNullable || c.kind == kindNullable || !referenceConversion(a, c)) {
			return false
		}
	}
	return true
}

// implicit converts x to t if an implicit conversion exists.
func (b *binder) implicit(x operand, t *Type) (operand, bool) {
	if x.t == t && t.kind != kindLambda {
		return x, true
	}
	if x.t.kind == kindError || t.kind == kindError {
		x.t = t
		return x, true
	}
	switch {
	case x.isThrow:
		v := x.c.v
		x.c = thrower(v, t)
		x.t, x.isThrow = t, false
		return x, true
	case x.isDefault:
		return b.constant(x.pos, t, Zero(t)), true
	case x.t.kind == kindNull:
		if !t.nullOK() {
			return x, false
		}
		return b.constant(x.pos, t, nil), true
	case x.lambda != nil || x.group != nil:
		return b.toDelegate(x, t)
	case x.tuple != nil && t.kind == kindRecord && t.tuple:
		return b.convertTuple(x, t)
	case x.t.kind == kindVoid:
		return x, false
	}
	if x.konst && x.t.isIntegral() && t.isIntegral() && (x.t.kind == kindInt || x.t.kind == kindLong && t.kind == kindULong) && t.kind != kindChar {
		n, _ := unboxInt(x.val)
		if lo, hi := intRange(t.kind); n >= lo && n <= hi {
			return b.constant(x.pos, t, boxInt(t.kind, n)), true
		}
	}
	if x.konst && t.kind == kindEnum && x.t.isIntegral() {
		if n, _ := unboxInt(x.val); n == 0 {
			return b.constant(x.pos, t, Enum{Type: t}), true
		}
	}
	if x.t.isNumeric() && t.isNumeric() {
		if !implicitNumeric(x.t.kind, t.kind) {
			return x, false
		}
		return b.numeric(x, t, false), true
	}
	if t.kind == kindNullable {
		if x.t.kind == kindNullable {
			return b.liftConversion(x, t, func(y operand) (operand, bool) { return b.implicit(y, t.elem) })
		}
		if y, ok := b.implicit(x, t.elem); ok && y.t == t.elem {
			return b.box(y, t), true
		}
	}
	if x.t.kind == kindDynamic && t.kind != kindVoid {
		if t.kind == kindObject {
			x.t = t
			return x, true
		}
		return b.dynamicConvert(x, t), true
	}
	if referenceConversion(x.t, t) || x.t.kind == kindNullable && !t.isValue() && referenceConversion(x.t.elem, t) {
		return b.box(x, t), true
	}
	return b.userConversion(x, t, "implicit")
}

// thrower is code of type t that never gives a value.
func thrower(v func(*Frame), t *Type) code {
	return unboxer(func(fr *Frame) any { v(fr); return nil }, t)
}

// box changes the static type to one with representation any.
func (b *binder) box(x operand, t *Type) operand {
	if t.repr() == reprObj && x.t.repr() != reprObj {
		x.c = code{o: boxer(x.c, x.t)}
		if x.konst {
			v := x.val
			x.c = code{o: func(*Frame) any { return v }}
		}
	}
	x.t = t
	x.konst, x.lv, x.parts = false, nil, nil
	return x
}

func (b *binder) convertTuple(x operand, t *Type) (operand, bool) {
	if len(x.tuple) != len(t.fields) {
		return x, false
	}
	items := make([]operand, len(x.tuple))
	for i, y := range x.tuple {
		var ok bool
		if items[i], ok = b.implicit(y, t.fields[i].typ); !ok {
			return x, false
		}
	}
	return b.makeRecord(x.pos, t, items), true
}

func (b *binder) makeRecord(pos int, t *Type, items []operand) operand {
	parts := make([]func(*Frame) any, len(items))
	for i, y := range items {
		parts[i] = boxer(y.c, y.t)
	}
	return operand{pos: pos, t: t, nonNull: true, c: code{o: func(fr *Frame) any {
		r := &Record{Type: t, Values: make([]any, len(parts))}
		for i, p := range parts {
			r.Values[i] = p(fr)
		}
		return r
	}}}
}

// liftConversion converts T? to U? by converting the value inside.
func (b *binder) liftConversion(x operand, t *Type, f func(operand) (operand, bool)) (operand, bool) {
	v := b.temp(b.t.object)
	in := operand{pos: x.pos, t: x.t.elem, c: unboxer(b.load(v).o, x.t.elem)}
	out, ok := f(in)
	if !ok {
		return x, false
	}
	set, get, src := b.storeBoxed(v), boxer(out.c, out.t), x.c.o
	return operand{pos: x.pos, t: t, c: code{o: func(fr *Frame) any {
		y := src(fr)
		if y == nil {
			return nil
		}
		set(fr, y)
		return get(fr)
	}}}, true
}

// userConversion applies a conversion operator of the source or target type. The conversion's own operand and result may
// need a standard conversion each.
func (b *binder) userConversion(x operand, t *Type, what string) (operand, bool) {
	if x.t.kind == kindInterface || t.kind == kindInterface || t.kind == kindObject {
		return x, false
	}
	var best *Member
	var bestOwner *Type
	score := 1 << 30
	consider := func(owner *Type, m *Member) {
		sig := m.sig
		from, to := sig.params[0].typ, sig.result
		if owner.def != nil {
			from, to = from.subst(owner.def.params, owner.args), to.subst(owner.def.params, owner.args)
		}
		s := 0
		switch {
		case from == x.t:
		case b.standard(x, from):
			s++
		case what == "explicit" && referenceConversion(from, x.t):
			s += 2
		default:
			return
		}
		switch {
		case to == t:
		case to.kind == kindNullable && to.elem == t, t.kind == kindNullable && t.elem == to:
			s += 4
		case to.isNumeric() && t.isNumeric() && (what == "explicit" || implicitNumeric(to.kind, t.kind)):
			s += 8
		case referenceConversion(to, t):
			s += 2
		case what == "explicit" && to.kind == kindInt && t.kind == kindEnum:
			s += 16
		default:
			return
		}
		if s < score {
			best, bestOwner, score = m, owner, s
		}
	}
	for _, side := range []*Type{x.t.underlying(), t.underlying()} {
		for o := side; o != nil; o = o.Base() {
			d := o
			if o.def != nil {
				d = o.def
			}
			for _, m := range d.ops["implicit"] {
				consider(o, m)
			}
			if what == "explicit" {
				for _, m := range d.ops["explicit"] {
					consider(o, m)
				}
			}
		}
	}
	if best == nil {
		return x, false
	}
	from := best.sig.params[0].typ
	if bestOwner.def != nil {
		from = from.subst(bestOwner.def.params, bestOwner.args)
	}
	in, ok := b.implicit(x, from)
	if !ok {
		in = b.explicit(x, from)
	}
	out := b.emit(x.pos, candidate{m: best, owner: bestOwner, args: []operand{in}})
	if out.t == t {
		return out, true
	}
	if y, ok := b.implicit(out, t); ok {
		return y, true
	}
	return b.explicit(out, t), true
}

// standard tells whether a standard implicit conversion exists, that is, one without user-defined operators.
func (b *binder) standard(x operand, t *Type) bool {
	if x.t == t || x.t.kind == kindNull && t.nullOK() {
		return true
	}
	if x.t.isNumeric() && t.isNumeric() {
		return implicitNumeric(x.t.kind, t.kind)
	}
	if t.kind == kindNullable {
		return x.t.underlying() == t.elem
	}
	return x.lambda == nil && x.group == nil && x.t.kind != kindNull && x.t.kind != kindNullable && referenceConversion(x.t, t)
}

// convert is implicit with an error.
func (b *binder) convert(x operand, t *Type, context string) operand {
	y, ok := b.implicit(x, t)
	if ok {
		return y
	}
	b.noConversion(x, t)
	return x
}

func (b *binder) noConversion(x operand, t *Type) {
	switch {
	case x.t.kind == kindNull:
		b.fail(x.pos, "CS0037", "Cannot convert null to '%s' because it is a non-nullable value type", t)
	case x.lambda != nil:
		if t.kind == kindDelegate {
			b.fail(x.pos, "CS1661", "Cannot convert the lambda expression to type '%s'", t)
		}
		b.fail(x.pos, "CS1660", "Cannot convert lambda expression to type '%s' because it is not a delegate type", t)
	case x.group != nil:
		b.fail(x.pos, "CS0428", "Cannot convert method group '%s' to non-delegate type '%s'. Did you intend to invoke the method?", x.group.name, t)
	case x.konst && x.t.isIntegral() && t.isIntegral() && x.t.kind == kindInt:
		b.fail(x.pos, "CS0031", "Constant value '%s' cannot be converted to a '%s'", FormatValue(x.val), t)
	case b.explicitExists(x, t):
		b.fail(x.pos, "CS0266", "Cannot implicitly convert type '%s' to '%s'. An explicit conversion exists (are you missing a cast?)", x.t, t)
	}
	b.fail(x.pos, "CS0029", "Cannot implicitly convert type '%s' to '%s'", x.t, t)
}

func (b *binder) explicitExists(x operand, t *Type) bool {
	return b.attempt(func() { b.explicit(x, t) }) == nil
}

// cast binds (T)x.
func (b *binder) explicit(x operand, t *Type) operand {
	if y, ok := b.implicit(x, t); ok {
		y.lv = nil
		return y
	}
	switch {
	case (x.t.isNumeric() || x.t.kind == kindEnum) && (t.isNumeric() || t.kind == kindEnum):
		return b.numeric(x, t, true)
	case x.t.kind == kindNullable && t.kind == kindNullable:
		y, ok := b.liftConversion(x, t, func(y operand) (operand, bool) { return b.explicit(y, t.elem), true })
		if ok {
			return y
		}
	case t.kind == kindNullable && (x.t.isNumeric() || x.t.kind == kindEnum):
		return b.box(b.explicit(x, t.elem), t)
	case x.t.kind == kindNullable && t.isValue():
		src := x.c.o
		in := operand{pos: x.pos, t: x.t.elem, c: unboxer(func(fr *Frame) any {
			v := src(fr)
			if v == nil {
				Throw("System.InvalidOperationException", "Nullable object must have a value.")
			}
			return v
		}, x.t.elem)}
		return b.explicit(in, t)
	}
	if b.downcast(x.t, t) {
		return b.unbox(x, t)
	}
	if y, ok := b.userConversion(x, t, "explicit"); ok {
		return y
	}
	b.fail(x.pos, "CS0030", "Cannot convert type '%s' to '%s'", x.t, t)
	return x
}

// downcast tells whether a value of static type from may turn out to be a t at run time.
func (b *binder) downcast(from, to *Type) bool {
	switch {
	case from.kind == kindVoid || to.kind == kindVoid || from.kind == kindNull || from.kind == kindLambda:
		return false
	case from.kind == kindObject || from.kind == kindDynamic:
		return true
	case from.kind == kindArray && to.kind == kindArray:
		return from.rank == to.rank && (from.elem == to.elem || !from.elem.isValue() && !to.elem.isValue() && (referenceConversion(to.elem, from.elem) || b.downcast(from.elem, to.elem)))
	case to.isValue() || to.kind == kindNullable:
		return referenceConversion(to.underlying(), from)
	case from.isValue() || from.kind == kindNullable:
		return false
	case from.kind == kindString || to.kind == kindString:
		return referenceConversion(to, from)
	case from.kind == kindInterface || to.kind == kindInterface:
		return from.kind != kindRecord && to.kind != kindRecord
	}
	return referenceConversion(to, from)
}

// unbox casts a reference at run time; a mismatch throws InvalidCastException.
func (b *binder) unbox(x operand, t *Type) operand {
	src := boxer(x.c, x.t)
	is := b.lib.unboxable(t.underlying())
	lib := b.lib
	nullOK := t.nullOK()
	checked := func(fr *Frame) any {
		v := src(fr)
		switch {
		case v == nil && nullOK:
			return nil
		case v == nil:
			ThrowNullReference()
		case !is(v):
			Throwf("System.InvalidCastException", "Unable to cast object of type '%s' to type '%s'.", lib.TypeOf(v).FullName(), t.FullName())
		}
		return v
	}
	out := operand{pos: x.pos, t: t}
	switch t.kind {
	case kindString:
		out.c = code{s: func(fr *Frame) string {
			v := src(fr)
			if s, ok := v.(string); ok {
				return s
			}
			if v != nil {
				Throwf("System.InvalidCastException", "Unable to cast object of type '%s' to type 'System.String'.", lib.TypeOf(v).FullName())
			}
			return Null()
		}}
	default:
		out.c = unboxer(checked, t)
	}
	return out
}

// unboxable is instance for a cast: an enum also unboxes as its underlying type, and the reverse.
func (l *Library) unboxable(t *Type) func(any) bool {
	is := l.instance(t)
	switch t.kind {
	case kindInt:
		return func(v any) bool {
			_, enum := v.(Enum)
			return enum || is(v)
		}
	case kindEnum:
		return func(v any) bool {
			_, num := v.(int32)
			return num || is(v)
		}
	}
	return is
}

// instance makes the test whether a boxed value, not nil, is a t.
func (l *Library) instance(t *Type) func(any) bool {
	w := &l.family.t
	switch t.kind {
	case kindObject, kindDynamic:
		return func(v any) bool { return v != nil }
	case kindString:
		return func(v any) bool { _, ok := v.(string); return ok }
	case kindInt:
		return func(v any) bool { _, ok := v.(int32); return ok }
	case kindBool:
		return func(v any) bool { _, ok := v.(bool); return ok }
	case kindEnum:
		return func(v any) bool { e, ok := v.(Enum); return ok && e.Type == t }
	case kindArray:
		if t == w.byte.ArrayOf() {
			return func(v any) bool { _, ok := v.([]byte); return ok }
		}
		return func(v any) bool { a, ok := v.(*Array); return ok && referenceConversion(a.ClrType(), t) }
	case kindNullable:
		return l.instance(t.elem)
	}
	if t.kind >= kindBool && t.kind <= kindDecimal {
		k := t.kind
		return func(v any) bool { have, ok := kindOf(v); return ok && have == k }
	}
	for x := t; x != nil; x = x.Base() {
		if x == w.exception {
			return func(v any) bool {
				e, ok := v.(*Exception)
				if !ok {
					return false
				}
				l.resolveException(e)
				return referenceConversion(e.Type, t)
			}
		}
	}
	d := t
	if t.def != nil {
		d = t.def
	}
	is := d.goType.is
	return func(v any) bool {
		if v == nil {
			return false
		}
		if typer, ok := v.(Typer); ok {
			return referenceConversion(typer.ClrType(), t)
		}
		if have := l.TypeOf(v); have.kind != kindObject && referenceConversion(have, t) {
			return true
		}
		return is != nil && is(v)
	}
}

// numeric converts between numeric types and enums; explicit conversions may lose range.
func (b *binder) numeric(x operand, t *Type, explicit bool) operand {
	from, to := x.t, t
	fk, tk := from.kind, to.kind
	if fk == kindEnum {
		fk = kindInt
	}
	if tk == kindEnum {
		tk = kindInt
	}
	out := operand{pos: x.pos, t: t}
	c := x.c
	checked := b.checked || x.konst
	switch {
	case from.repr() == reprInt && to.repr() == reprInt:
		out.c = code{i: intToInt(c.i, fk, tk, checked && explicit)}
	case from.repr() == reprInt && to.repr() == reprFloat:
		i := c.i
		switch {
		case fk == kindULong:
			out.c = code{f: func(fr *Frame) float64 { return float64(uint64(i(fr))) }}
		case tk == kindFloat:
			out.c = code{f: func(fr *Frame) float64 { return float64(float32(i(fr))) }}
		default:
			out.c = code{f: func(fr *Frame) float64 { return float64(i(fr)) }}
		}
	case from.repr() == reprFloat && to.repr() == reprInt:
		f := c.f
		out.c = code{i: func(fr *Frame) int64 { return FloatToInt(f(fr), tk, checked) }}
	case from.repr() == reprFloat && to.repr() == reprFloat:
		out.c = c
		if tk == kindFloat && fk == kindDouble {
			f := c.f
			out.c = code{f: func(fr *Frame) float64 { return float64(float32(f(fr))) }}
		}
	case tk == kindDecimal:
		switch from.repr() {
		case reprInt:
			i := c.i
			if fk == kindULong {
				out.c = code{o: func(fr *Frame) any { return DecimalFromUint64(uint64(i(fr))) }}
			} else {
				out.c = code{o: func(fr *Frame) any { return DecimalFromInt64(i(fr)) }}
			}
		case reprFloat:
			f, single := c.f, fk == kindFloat
			out.c = code{o: func(fr *Frame) any { return DecimalFromFloat(f(fr), single) }}
		default:
			out.c = c
		}
	case fk == kindDecimal && to.repr() == reprFloat:
		o := c.o
		out.c = code{f: func(fr *Frame) float64 { return o(fr).(Decimal).Float64() }}
	case fk == kindDecimal:
		o := c.o
		out.c = code{i: func(fr *Frame) int64 { return decimalToInt(o(fr).(Decimal), tk) }}
	}
	if !x.konst {
		return out
	}
	var v any
	if e := caughtException(func() { v = boxer(out.c, t)(nil) }); e != nil {
		b.fail(x.pos, "CS0221", "Constant value '%s' cannot be converted to a '%s' (use 'unchecked' syntax to override)", FormatValue(x.val), t)
	}
	return b.constant(x.pos, t, v)
}

// caughtException runs f and gives the exception that it throws.
func caughtException(f func()) (e *Exception) {
	defer func() {
		if r := recover(); r != nil {
			var ok bool
			if e, ok = r.(*Exception); !ok {
				panic(r)
			}
		}
	}()
	f()
	return nil
}

func throwOverflow() {
	Throw("System.OverflowException", "Arithmetic operation resulted in an overflow.")
}

// wrap reduces n to the range of an integer kind as C# does without checking.
func wrap(k kind, n int64) int64 {
	switch k {
	case kindInt:
		return int64(int32(n))
	case kindSByte:
		return int64(int8(n))
	case kindByte:
		return int64(uint8(n))
	case kindShort:
		return int64(int16(n))
	case kindChar, kindUShort:
		return int64(uint16(n))
	case kindUInt:
		return int64(uint32(n))
	}
	return n
}

func intToInt(i func(*Frame) int64, from, to kind, checked bool) func(*Frame) int64 {
	lo, hi := intRange(to)
	flo, fhi := intRange(from)
	if from != kindULong && flo >= lo && fhi <= hi || from == to {
		return i
	}
	if !checked {
		if to == kindLong || to == kindULong {
			return i
		}
		return func(fr *Frame) int64 { return wrap(to, i(fr)) }
	}
	return func(fr *Frame) int64 {
		n := i(fr)
		if from == kindULong && n < 0 && to != kindULong || n < lo && !(from == kindULong) || n > hi && to != kindULong {
			throwOverflow()
		}
		return n
	}
}

// FloatToInt truncates a double to an integer kind; out of range it saturates or, when checked, throws OverflowException.
func FloatToInt(f float64, k kind, checked bool) int64 {
	f = math.Trunc(f)
	if k == kindULong {
		if checked && (f != f || f < 0 || f >= 1<<64) {
			throwOverflow()
		}
		switch {
		case f != f || f <= 0:
			return 0
		case f >= 1<<64:
			return -1
		}
		return int64(uint64(f))
	}
	lo, hi := intRange(k)
	if checked && (f != f || f < float64(lo) || f > float64(hi) || k == kindLong && f >= 1<<63) {
		throwOverflow()
	}
	// Small types go through int, as the runtime does.
	clo, chi := lo, hi
	if k != kindLong && k != kindUInt {
		clo, chi = math.MinInt32, math.MaxInt32
	}
	switch {
	case f != f:
		return 0
	case f <= float64(clo):
		return wrap(k, clo)
	case f >= float64(chi):
		return wrap(k, chi)
	}
	return wrap(k, int64(f))
}

func decimalToInt(d Decimal, k kind) int64 {
	if k == kindULong {
		n, ok := d.Uint64()
		if !ok {
			Throw("System.OverflowException", "Value was either too large or too small for a UInt64.")
		}
		return int64(n)
	}
	n, ok := d.Int64()
	if lo, hi := intRange(k); !ok || n < lo || n > hi {
		Throwf("System.OverflowException", "Value was either too large or too small for %s.", kindArticle(k))
	}
	return n
}

func kindArticle(k kind) string {
	name := kindNames[k][len("System."):]
	switch name[0] {
	case 'I', 'U':
		return "an " + name
	}
	if name == "Byte" {
		return "an unsigned byte"
	}
	return "a " + name
}
