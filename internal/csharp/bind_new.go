package csharp

func (b *binder) creation(e *newExpr) operand {
	t := b.typ(e.typ)
	args := b.args(e.args)
	var x operand
	switch {
	case t.kind == kindDelegate:
		if len(args) != 1 {
			b.fail(e.at(), "CS0149", "Method name expected")
		}
		return b.convert(args[0].x, t, "")
	case t.kind == kindNullable:
		if len(args) == 0 {
			x = operand{t: t, c: code{o: func(*Frame) any { return nil }}}
		} else {
			x = b.convert(args[0].x, t, "")
		}
	case t.static || t.abstract || t.kind == kindInterface:
		b.fail(e.at(), "CS0144", "Cannot create an instance of the abstract type or interface '%s'", t)
	case len(args) == 0 && t.isValue():
		z := Zero(t)
		x = operand{t: t, c: unboxer(func(*Frame) any { return z }, t)}
	case t.kind == kindRecord:
		b.fail(e.at(), "CS8181", "'new' cannot be used with tuple type. Use a tuple literal expression instead.")
	default:
		x = b.construct(e.at(), t, args)
	}
	x.nonNull = true
	if e.init == nil {
		return x
	}
	v := b.temp(t)
	keep := b.store(v, x.c)
	held := operand{pos: e.at(), t: t, c: b.load(v), nonNull: true}
	do := sequence(append([]func(*Frame){keep}, b.initialize(held, e.init)...))
	return operand{t: t, nonNull: true, c: before(b.load(v), t, do)}
}

func (b *binder) construct(pos int, t *Type, args []arg) operand {
	d := t
	if t.def != nil {
		d = t.def
	}
	list := make([]found, len(d.ctors))
	for i, m := range d.ctors {
		list[i] = found{m: m, owner: t}
	}
	if len(list) == 0 {
		b.fail(pos, "CS1729", "'%s' does not contain a constructor that takes %d arguments", t, len(args))
	}
	best, err := b.choose(pos, t.name, list, args, nil, nil)
	if best == nil {
		if err.code == "CS1501" {
			b.fail(pos, "CS1729", "'%s' does not contain a constructor that takes %d arguments", t, len(args))
		}
		panic(*err)
	}
	if best.m.outside || t.outside {
		b.warn(pos, "The constructor of '%s' is outside the published list of members for policy expressions", t)
	}
	return b.emit(pos, *best)
}

// initialize binds an object or collection initializer on the object x.
func (b *binder) initialize(x operand, in *initializer) []func(*Frame) {
	var out []func(*Frame)
	for _, it := range in.items {
		switch {
		case it.name != "" || it.index != nil:
			out = append(out, b.initMember(x, it)...)
		default:
			out = append(out, b.initAdd(x, it))
		}
	}
	return out
}

func (b *binder) initMember(x operand, it initItem) []func(*Frame) {
	var target operand
	var e expr
	if it.index != nil {
		ix := &indexExpr{pos: it.pos, args: it.index}
		e, target = ix, b.indexOf(ix, x)
	} else {
		m := &memberExpr{pos: it.pos, name: it.name}
		if len(b.members(x.t, it.name)) == 0 {
			b.fail(it.at(), "CS0117", "'%s' does not contain a definition for '%s'%s", x.t, it.name, b.suggestMember(x.t, it.name, false))
		}
		e, target = m, b.memberOf(m, x)
	}
	if it.nest != nil {
		v := b.temp(target.t)
		keep := b.store(v, target.c)
		return append([]func(*Frame){keep}, b.initialize(operand{t: target.t, c: b.load(v)}, it.nest)...)
	}
	b.assignable(e, target)
	y := b.convert(b.operandOrVoid(it.value), target.t, "")
	return []func(*Frame){target.lv.assign(y.c)}
}

// initAdd binds an element as a call of Add.
func (b *binder) initAdd(x operand, it initItem) func(*Frame) {
	list := it.list
	if list == nil {
		list = []expr{it.value}
	}
	var args []arg
	for _, e := range list {
		args = append(args, arg{x: b.operandOrVoid(e)})
	}
	add := b.members(x.t, "Add")
	if len(add) == 0 {
		b.fail(it.at(), "CS1922", "Cannot initialize type '%s' with a collection initializer because it has no accessible method 'Add'", x.t)
	}
	best, err := b.choose(it.at(), "Add", add, args, nil, &x)
	if best == nil {
		if err.code == "CS1503" {
			b.fail(it.at(), "CS1950", "The best overloaded Add method for the collection initializer of '%s' has some invalid arguments", x.t)
		}
		panic(*err)
	}
	r := b.emit(it.at(), *best)
	if r.t.kind == kindVoid {
		return r.c.v
	}
	o := boxer(r.c, r.t)
	return func(fr *Frame) { o(fr) }
}

func (b *binder) anonymous(e *newAnon) operand {
	fields := make([]recordField, len(e.names))
	items := make([]operand, len(e.names))
	for i, n := range e.names {
		for _, f := range fields[:i] {
			if f.name == n {
				b.fail(e.exprs[i].at(), "CS0833", "An anonymous type cannot have multiple properties with the same name")
			}
		}
		x := b.operandOrVoid(e.exprs[i])
		if x.t.kind == kindNull || x.t.kind == kindLambda {
			b.fail(e.exprs[i].at(), "CS0828", "Cannot assign '%s' to anonymous type property", x.t)
		}
		items[i] = x
		fields[i] = recordField{n, x.t}
	}
	return b.makeRecord(e.at(), b.lib.family.record(fields, false), items)
}

func (b *binder) arrayCreation(e *newArray) operand {
	if e.elem == nil {
		return b.implicitArray(e)
	}
	elem := b.typ(e.elem)
	for i := len(e.more) - 1; i >= 0; i-- {
		elem = elem.arrayOf(e.more[i])
	}
	t := elem.arrayOf(e.rank)
	if e.init != nil {
		x := b.arrayLiteral(e.init, t)
		for i, d := range e.dims {
			n := b.convert(b.value(d), b.t.int, "")
			if have, _ := Integer(n.val); !n.konst || i == 0 && int(have) != len(e.init.items) {
				b.fail(d.at(), "CS0847", "An array initializer of length '%s' is expected", FormatValue(n.val))
			}
		}
		return x
	}
	dims := make([]func(*Frame) int64, len(e.dims))
	for i, d := range e.dims {
		x := b.operandValue(d)
		n, ok := b.implicit(x, b.t.int)
		if !ok {
			n = b.convert(x, b.t.long, "")
		}
		if v, _ := Integer(n.val); n.konst && v < 0 {
			b.fail(d.at(), "CS0248", "Cannot create an array with a negative size")
		}
		dims[i] = n.c.i
	}
	zero := Zero(elem)
	isByte := elem.kind == kindByte && e.rank == 1
	return operand{t: t, nonNull: true, c: code{o: func(fr *Frame) any {
		total := int64(1)
		var lens []int
		for _, d := range dims {
			n := d(fr)
			if n < 0 {
				Throw("System.OverflowException", "Arithmetic operation resulted in an overflow.")
			}
			if total *= n; total > 1<<40 {
				total = 1 << 40
			}
			lens = append(lens, int(n))
		}
		if isByte {
			fr.run.Alloc(int(total))
			return make([]byte, total)
		}
		fr.run.Alloc(int(total) * 16)
		return NewArray(elem, zero, int(total), lens)
	}}}
}

// NewArray makes an array of n items with the given value; lens are the lengths of its dimensions when there are several.
func NewArray(elem *Type, value any, n int, lens []int) *Array {
	a := &Array{Elem: elem, Items: make([]any, n)}
	if len(lens) > 1 {
		a.Dims = lens
	}
	if value != nil {
		for i := range a.Items {
			a.Items[i] = value
		}
	}
	return a
}

func (b *binder) implicitArray(e *newArray) operand {
	var items []operand
	var types []*Type
	for _, it := range e.init.items {
		if _, nested := it.(*arrayInit); nested {
			b.fail(it.at(), "CS0826", "No best type found for implicitly-typed array")
		}
		x := b.operandOrVoid(it)
		items = append(items, x)
		if x.t.kind != kindNull && x.t.kind != kindLambda {
			types = append(types, x.t)
		}
	}
	elem := b.bestType(types)
	if elem == nil {
		b.fail(e.at(), "CS0826", "No best type found for implicitly-typed array")
	}
	for i := range items {
		y, ok := b.implicit(items[i], elem)
		if !ok {
			b.fail(e.at(), "CS0826", "No best type found for implicitly-typed array")
		}
		items[i] = y
	}
	return b.arrayOf(elem.ArrayOf(), items)
}

// arrayLiteral binds { … } for an array type of any rank.
func (b *binder) arrayLiteral(in *arrayInit, t *Type) operand {
	if t.rank == 1 {
		items := make([]operand, len(in.items))
		for i, it := range in.items {
			if nested, ok := it.(*arrayInit); ok {
				if t.elem.kind != kindArray {
					b.fail(it.at(), "CS0623", "Array initializers can only be used in a variable or field initializer. Try using a new expression instead.")
				}
				items[i] = b.arrayLiteral(nested, t.elem)
				continue
			}
			items[i] = b.convert(b.operandOrVoid(it), t.elem, "")
		}
		return b.arrayOf(t, items)
	}
	var dims []int
	var items []operand
	var visit func(in *arrayInit, depth int)
	visit = func(in *arrayInit, depth int) {
		if len(dims) == depth {
			dims = append(dims, len(in.items))
		} else if dims[depth] != len(in.items) {
			b.fail(in.at(), "CS0847", "An array initializer of length '%d' is expected", dims[depth])
		}
		for _, it := range in.items {
			nested, ok := it.(*arrayInit)
			if ok != (depth < t.rank-1) {
				b.fail(it.at(), "CS0846", "A nested array initializer is expected")
			}
			if ok {
				visit(nested, depth+1)
			} else {
				items = append(items, b.convert(b.operandOrVoid(it), t.elem, ""))
			}
		}
	}
	visit(in, 0)
	for len(dims) < t.rank {
		dims = append(dims, 0)
	}
	flat := b.arrayOf(t.elem.ArrayOf(), items)
	if t.elem.kind == kindByte {
		flat = b.arrayOf(b.t.object.ArrayOf(), items)
	}
	elem := t.elem
	return operand{t: t, nonNull: true, c: code{o: func(fr *Frame) any {
		return &Array{Elem: elem, Items: flat.c.o(fr).(*Array).Items, Dims: dims}
	}}}
}
