package csharp

// lvalue is what can be assigned.
type lvalue struct {
	local  *local
	assign func(c code) func(*Frame)
	// spill evaluates the parts of the target once (pre may be nil) for a read followed by a write.
	spill    func() (pre func(*Frame), get code, assign func(c code) func(*Frame))
	readonly string // why it cannot be assigned
	prop     bool   // a property or indexer, not a variable
	name     string // of a property or indexer that is read only
}

// nameOf is the name of a target in messages.
func (l *lvalue) nameOf(e expr) string {
	if l.name != "" {
		return l.name
	}
	return nameOf(e)
}

func (b *binder) assignment(e *assignExpr) operand {
	if e.op != "=" {
		return b.compound(e)
	}
	switch l := e.l.(type) {
	case *tupleExpr:
		return b.deconstruct(e, l, b.operandValue(e.r))
	case *identExpr:
		if l.name == "_" {
			if _, ok := b.localName(l); !ok {
				x := b.operandValue(e.r)
				x.lv = nil
				return x
			}
		}
	}
	tuple, field := b.tupleField(e.l)
	lv, t := b.target(e.l)
	x := b.operandValue(e.r)
	x = b.convert(x, t, "")
	if lv.local != nil {
		b.flow.set(lv.local.id)
	}
	if tuple != nil {
		b.setField(tuple, field)
	}
	v := b.temp(t)
	keep, put := b.store(v, x.c), lv.assign(b.load(v))
	direct := lv.assign(x.c)
	return operand{t: t, stmt: direct, c: before(b.load(v), t, func(fr *Frame) { keep(fr); put(fr) })}
}

// target binds the left side of an assignment without reading it.
func (b *binder) target(e expr) (*lvalue, *Type) {
	_, ident := e.(*identExpr)
	tuple, _ := b.tupleField(e)
	b.assigning = ident || tuple != nil
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
	case x.lv.readonly == "CS1612":
		b.fail(e.at(), "CS1612", "Cannot modify '%s' because the tuple around it is not a variable", nameOf(e))
	case x.lv.readonly == "CS0200":
		b.fail(e.at(), "CS0200", "Property or indexer '%s' cannot be assigned to -- it is read only", x.lv.nameOf(e))
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
	if x.t.kind == kindDelegate && (y.lambda != nil || y.group != nil) {
		y = b.convert(y, x.t, "")
	}
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

// deconstruct binds (a, b) = x for tuples and types with Item1, Item2 … or Key and Value. All parts are read before the
// first is assigned; the value is the tuple of them.
func (b *binder) deconstruct(e expr, l *tupleExpr, x operand) operand {
	var reads, moves []func(*Frame)
	values := b.deconstructInto(e, l, x, &reads, &moves)
	do := sequence(append(reads, moves...))
	if do == nil {
		do = func(*Frame) {}
	}
	fields := make([]recordField, len(values))
	for i, v := range values {
		fields[i] = recordField{"Item" + formatInt(int64(i+1)), v.t}
	}
	out := b.makeRecord(e.at(), b.lib.family.record(fields, true), values)
	return operand{t: out.t, stmt: do, nonNull: true, c: before(out.c, out.t, do)}
}

func (b *binder) deconstructInto(e expr, l *tupleExpr, x operand, reads, moves *[]func(*Frame)) []operand {
	var parts []operand
	if x.tuple != nil && len(x.tuple) == len(l.items) {
		parts = x.tuple // (a, b) = (b, a): each part keeps its own type and need not have one
	} else {
		var setup func(*Frame)
		parts, setup = b.pieces(e, x, len(l.items))
		*reads = append(*reads, setup)
	}
	values := make([]operand, len(parts))
	for i, it := range l.items {
		values[i] = b.deconstructPart(e, it, parts[i], reads, moves)
	}
	return values
}

// deconstructPart assigns one part of a deconstruction.
func (b *binder) deconstructPart(e, into expr, part operand, reads, moves *[]func(*Frame)) operand {
	if nested, ok := into.(*tupleExpr); ok {
		list := b.deconstructInto(e, nested, part, reads, moves)
		fields := make([]recordField, len(list))
		for i, v := range list {
			fields[i] = recordField{"Item" + formatInt(int64(i+1)), v.t}
		}
		return b.makeRecord(e.at(), b.lib.family.record(fields, true), list)
	}
	lv, t := b.deconstructTarget(into, part)
	if t == nil {
		t = part.t
	}
	if k := t.kind; k == kindNull || k == kindLambda || k == kindVoid {
		b.fail(into.at(), "CS8130", "Cannot infer the type of implicitly-typed deconstruction variable.")
	}
	y := b.convert(part, t, "")
	v := b.temp(t)
	*reads = append(*reads, b.store(v, y.c))
	if lv != nil {
		*moves = append(*moves, lv.assign(b.load(v)))
		if lv.local != nil {
			b.flow.set(lv.local.id)
		}
	}
	return operand{pos: into.at(), t: t, c: b.load(v)}
}

// deconstructTarget gives what a part is assigned to: nil for a discard, whose type is nil too unless it is written.
func (b *binder) deconstructTarget(into expr, part operand) (*lvalue, *Type) {
	switch d := into.(type) {
	case *declExpr:
		var t *Type
		if d.typ != nil && !d.typ.isVar() {
			t = b.typ(d.typ)
		}
		if d.name == "_" {
			return nil, t
		}
		if t == nil {
			t = part.t
		}
		if k := t.kind; k == kindNull || k == kindLambda || k == kindVoid {
			b.fail(d.at(), "CS8130", "Cannot infer the type of implicitly-typed deconstruction variable '%s'.", d.name)
		}
		return b.localTarget(b.declare(d.at(), d.name, t)), t
	case *identExpr:
		if _, ok := b.localName2(d); !ok && d.name == "_" {
			return nil, nil
		}
	}
	return b.target(into)
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
		if x.t.tuple && len(x.t.fields) != n {
			b.fail(e.at(), "CS8132", "Cannot deconstruct a tuple of '%d' elements into '%d' variables.", len(x.t.fields), n)
		}
		if len(b.members(x.t, name)) == 0 && !(x.t.kind == kindRecord && len(x.t.fields) == n) {
			b.fail(e.at(), "CS8129", "No suitable 'Deconstruct' instance or extension method was found for type '%s', with %d out parameters and a void return type.", x.t, n)
		}
		out[i] = b.memberOf(&memberExpr{pos: pos(e.at()), name: name}, hold)
	}
	return out, b.store(v, x.c)
}
