package csharp

// constant makes an operand of a boxed constant.
func (b *binder) constant(pos int, t *Type, v any) operand {
	x := operand{pos: pos, t: t, konst: t.kind != kindNullable, val: v, nonNull: v != nil}
	switch t.repr() {
	case reprInt:
		n, _ := Integer(v)
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
	var contra int
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
		n, _ := Integer(x.val)
		if lo, hi := intRange(t.kind); n >= lo && n <= hi {
			return b.constant(x.pos, t, boxInt(t.kind, n)), true
		}
	}
	if x.konst && t.kind == kindEnum && x.t.isIntegral() {
		if n, _ := Integer(x.val); n == 0 {
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
		values := make([]any, len(parts))
		for i, p := range parts {
			values[i] = p(fr)
		}
		return NewRecord(t, values)
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
		case what == "explicit" && referenceConversion(t, to):
			s += 32
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

// whole converts what stands in @( ), for an object by a cast.
func (b *binder) whole(x operand, t *Type) operand {
	switch {
	case t.kind == kindObject && x.group != nil:
		b.fail(x.pos, "CS0030", "Cannot convert type 'method' to '%s'", t)
	case t.kind == kindObject && x.t.kind == kindVoid && !x.isThrow:
		b.fail(x.pos, "CS0030", "Cannot convert type 'void' to '%s'", t)
	}
	return b.convert(x, t, "")
}

func (b *binder) noConversion(x operand, t *Type) {
	switch {
	case x.t.kind == kindNull:
		b.fail(x.pos, "CS0037", "Cannot convert null to '%s' because it is a non-nullable value type", t)
	case x.lambda != nil:
		if t.kind == kindDelegate {
			if b.lambdaError != nil {
				panic(*b.lambdaError)
			}
			b.fail(x.pos, "CS1661", "Cannot convert the lambda expression to type '%s'", t)
		}
		b.fail(x.pos, "CS1660", "Cannot convert lambda expression to type '%s' because it is not a delegate type", t)
	case x.group != nil:
		b.fail(x.pos, "CS0428", "Cannot convert method group '%s' to non-delegate type '%s'. Did you intend to invoke the method?", x.group.name, t)
	case x.literal && x.t.kind == kindDouble && (t.kind == kindFloat || t.kind == kindDecimal):
		suffix := map[kind]string{kindFloat: "F", kindDecimal: "M"}[t.kind]
		b.fail(x.pos, "CS0664", "Literal of type double cannot be implicitly converted to type '%s'; use an '%s' suffix to create a literal of this type", t, suffix)
	case x.konst && x.t.isIntegral() && t.isIntegral() && x.t.kind == kindInt && t.kind != kindChar:
		b.fail(x.pos, "CS0031", "Constant value '%s' cannot be converted to a '%s'", FormatValue(x.val), t)
	case b.explicitExists(x, t):
		b.fail(x.pos, "CS0266", "Cannot implicitly convert type '%s' to '%s'. An explicit conversion exists (are you missing a cast?)", x.t, t)
	}
	b.fail(x.pos, "CS0029", "Cannot implicitly convert type '%s' to '%s'", x.t, t)
}
