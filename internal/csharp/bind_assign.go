package csharp

// lvalue is what can be assigned.
type lvalue struct {
	local  *local
	assign func(c code) func(*Frame)
	// spill evaluates the parts of the target once (pre may be nil) for a read followed by a write.
	spill    func() (pre func(*Frame), get code, assign func(c code) func(*Frame))
	readonly string // why it cannot be assigned
}

func (b *binder) assignment(e *assignExpr) operand {
	if e.op != "=" {
		return b.compound(e)
	}
	switch l := e.l.(type) {
	case *callExpr:
		if id, ok := l.fn.(*identExpr); ok && id.name == "var" {
			return b.deconstructVar(e, l)
		}
	case *tupleExpr:
		return b.deconstructTuple(e, l)
	case *identExpr:
		if l.name == "_" {
			if _, ok := b.localName(l); !ok {
				x := b.operandValue(e.r)
				x.lv = nil
				return x
			}
		}
	}
	lv, t := b.target(e.l)
	x := b.operandValue(e.r)
	x = b.convert(x, t, "")
	if lv.local != nil {
		b.flow.set(lv.local.id)
	}
	v := b.temp(t)
	keep, put := b.store(v, x.c), lv.assign(b.load(v))
	direct := lv.assign(x.c)
	return operand{t: t, stmt: direct, c: before(b.load(v), t, func(fr *Frame) { keep(fr); put(fr) })}
}

// target binds the left side of an assignment without reading it.
func (b *binder) target(e expr) (*lvalue, *Type) {
	_, ident := e.(*identExpr)
	b.assigning = ident
	x := func() operand {
		defer func() { b.assigning = false }()
		return b.expr(e)
	}()
	if x.typ != nil || x.space != "" || x.group != nil {
		b.fail(e.at(), "CS1656", "Cannot assign to this expression because it is not a variable")
	}
	b.assignable(e, x)
	return x.lv, x.t
}

func (b *binder) assignable(e expr, x operand) {
	switch {
	case x.lv == nil:
		b.fail(e.at(), "CS0131", "The left-hand side of an assignment must be a variable, property or indexer")
	case x.lv.readonly == "CS0200":
		b.fail(e.at(), "CS0200", "Property or indexer '%s' cannot be assigned to -- it is read only", nameOf(e))
	case x.lv.readonly != "":
		b.fail(e.at(), x.lv.readonly, "Cannot assign to '%s' because it is read only", nameOf(e))
	}
}

func (b *binder) compound(e *assignExpr) operand {
	x := b.value(e.l)
	b.assignable(e.l, x)
	op := e.op[:len(e.op)-1]
	pre, get, assign := x.lv.spill()
	cur := operand{pos: x.pos, t: x.t, c: get}
	y := b.operandValue(e.r)
	r := b.binary(e.at(), op, cur, y)
	out, ok := b.implicit(r, x.t)
	if !ok {
		// x op= y casts the result when y itself would fit, so that a byte can be added to a byte.
		_, fits := b.implicit(y, x.t)
		if !fits && op != "<<" && op != ">>" || !x.t.underlying().isNumeric() && x.t.kind != kindEnum {
			b.noConversion(r, x.t)
		}
		out = b.explicit(r, x.t)
	}
	v := b.temp(x.t)
	keep, put := b.store(v, out.c), assign(b.load(v))
	do := func(fr *Frame) {
		if pre != nil {
			pre(fr)
		}
		keep(fr)
		put(fr)
	}
	return operand{t: x.t, stmt: do, c: before(b.load(v), x.t, do)}
}

func (b *binder) deconstructVar(e *assignExpr, l *callExpr) operand {
	items := make([]expr, len(l.args))
	for i, a := range l.args {
		id, ok := a.x.(*identExpr)
		if !ok {
			b.fail(a.at(), "CS1001", "Identifier expected")
		}
		items[i] = &declExpr{pos(a.at()), &typeRef{pos: a.at(), parts: []typePart{{name: "var"}}}, id.name}
	}
	return b.deconstructTuple(e, &tupleExpr{pos: pos(l.at()), items: items})
}

// deconstructTuple binds (a, b) = x for tuples and types with Item1, Item2 …
func (b *binder) deconstructTuple(e *assignExpr, l *tupleExpr) operand {
	x := b.operandValue(e.r)
	parts, setup := b.pieces(e, x, len(l.items))
	var list []func(*Frame)
	list = append(list, setup)
	var moves []func(*Frame)
	for i, it := range l.items {
		var lv *lvalue
		var t *Type
		switch d := it.(type) {
		case *declExpr:
			if d.name == "_" {
				continue
			}
			t = parts[i].t
			if !d.typ.isVar() {
				t = b.typ(d.typ)
			}
			v := b.declare(d.at(), d.name, t)
			lv = b.localTarget(v)
		case *identExpr:
			if _, ok := b.localName2(d); !ok && d.name == "_" {
				continue
			}
			lv, t = b.target(it)
		default:
			lv, t = b.target(it)
		}
		y := b.convert(parts[i], t, "")
		v := b.temp(t)
		list = append(list, b.store(v, y.c))
		moves = append(moves, lv.assign(b.load(v)))
		if lv.local != nil {
			b.flow.set(lv.local.id)
		}
	}
	do := sequence(append(list, moves...))
	return operand{t: b.t.void, stmt: do, c: code{v: do}}
}

func (b *binder) localName2(e *identExpr) (operand, bool) {
	b.assigning = true
	defer func() { b.assigning = false }()
	return b.localName(e)
}

func (b *binder) localTarget(v *local) *lvalue {
	return &lvalue{local: v, assign: func(c code) func(*Frame) { return b.store(v, c) }}
}

// pieces takes a tuple, or an object with Item1 or Key and Value, apart.
func (b *binder) pieces(e expr, x operand, n int) ([]operand, func(*Frame)) {
	if x.tuple != nil && x.t.kind == kindLambda {
		b.fail(e.at(), "CS8131", "Deconstruct assignment requires an expression with a type on the right-hand-side.")
	}
	v := b.temp(x.t)
	hold := operand{pos: x.pos, t: x.t, c: b.load(v)}
	out := make([]operand, n)
	for i := range out {
		name := "Item" + formatInt(int64(i+1))
		if x.t.kind == kindStruct && n == 2 && len(b.members(x.t, "Key")) > 0 {
			name = []string{"Key", "Value"}[i]
		}
		if len(b.members(x.t, name)) == 0 && !(x.t.kind == kindRecord && len(x.t.fields) == n) {
			b.fail(e.at(), "CS8129", "No suitable 'Deconstruct' instance or extension method was found for type '%s', with %d out parameters and a void return type.", x.t, n)
		}
		out[i] = b.memberOf(&memberExpr{pos: pos(e.at()), name: name}, hold)
	}
	return out, b.store(v, x.c)
}
