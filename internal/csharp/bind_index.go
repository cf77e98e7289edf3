package csharp

func (b *binder) index(e *indexExpr) operand {
	x := b.value(e.x)
	return b.indexOf(e, x)
}

func (b *binder) indexOf(e *indexExpr, x operand) operand {
	switch {
	case x.t.kind == kindArray:
		return b.element(e, x)
	case x.t.kind == kindDynamic:
		return b.dynamicIndex(e, x)
	case x.t.kind == kindVoid || x.lambda != nil || x.group != nil:
		b.fail(e.at(), "CS0021", "Cannot apply indexing with [] to an expression of type '%s'", x.t)
	}
	args := b.args(e.args)
	var list []found
	seen := map[*Type]bool{}
	var visit func(t *Type, depth int)
	visit = func(t *Type, depth int) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		d := t
		if t.def != nil {
			d = t.def
		}
		for _, m := range d.indexers {
			list = append(list, found{m, t, depth})
		}
		visit(t.Base(), depth+1)
		if t.kind == kindInterface {
			for _, i := range t.interfaces() {
				visit(i, depth+1)
			}
		}
	}
	visit(x.t, 0)
	if len(list) == 0 {
		b.fail(e.at(), "CS0021", "Cannot apply indexing with [] to an expression of type '%s'", x.t)
	}
	best, err := b.choose(e.at(), "this", list, args, nil, &x)
	if best == nil {
		panic(*err)
	}
	b.allow(e.at(), found{m: best.m, owner: best.owner})
	return b.property(e.at(), x, found{m: best.m, owner: best.owner}, best.args)
}

// element binds array[i, …].
func (b *binder) element(e *indexExpr, x operand) operand {
	if len(e.args) != x.t.rank {
		b.fail(e.at(), "CS0022", "Wrong number of indices inside []; expected %d", x.t.rank)
	}
	idx := make([]operand, len(e.args))
	for i, a := range e.args {
		y := b.operandValue(a.x)
		z, ok := b.implicit(y, b.t.int)
		if !ok {
			z = b.convert(y, b.t.long, "")
		}
		idx[i] = z
	}
	make1 := func(x operand, idx []operand) (code, func(code) func(*Frame)) {
		if x.t.elem.kind == kindByte && x.t.rank == 1 {
			return byteElement(x, idx[0])
		}
		at := arrayOffset(x, idx)
		t := x.t.elem
		get := unboxer(func(fr *Frame) any { a, i := at(fr); return a.Items[i] }, t)
		return get, func(c code) func(*Frame) {
			v := boxer(c, t)
			return func(fr *Frame) {
				a, i := at(fr)
				val := v(fr)
				a.Items[i] = val
			}
		}
	}
	get, assign := make1(x, idx)
	out := operand{t: x.t.elem, c: get}
	out.lv = &lvalue{assign: assign, spill: func() (func(*Frame), code, func(code) func(*Frame)) {
		var pre []func(*Frame)
		hold := func(x operand) operand {
			v := b.temp(x.t)
			pre = append(pre, b.store(v, x.c))
			return operand{t: x.t, c: b.load(v)}
		}
		a := hold(x)
		held := make([]operand, len(idx))
		for i := range idx {
			held[i] = hold(idx[i])
		}
		get, assign := make1(a, held)
		return sequence(pre), get, assign
	}}
	return out
}

func byteElement(x, i operand) (code, func(code) func(*Frame)) {
	o, n := x.c.o, i.c.i
	at := func(fr *Frame) ([]byte, int64) {
		v := o(fr)
		if v == nil {
			ThrowNullReference()
		}
		return v.([]byte), n(fr)
	}
	return code{i: func(fr *Frame) int64 { a, i := at(fr); return int64(a[i]) }}, func(c code) func(*Frame) {
		return func(fr *Frame) { a, i := at(fr); v := c.i(fr); a[i] = byte(v) }
	}
}

func arrayOffset(x operand, idx []operand) func(*Frame) (*Array, int64) {
	o := x.c.o
	array := func(fr *Frame) *Array {
		v := o(fr)
		if v == nil {
			ThrowNullReference()
		}
		return v.(*Array)
	}
	if len(idx) == 1 {
		n := idx[0].c.i
		return func(fr *Frame) (*Array, int64) {
			a := array(fr)
			i := n(fr)
			if uint64(i) >= uint64(len(a.Items)) {
				Throw("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
			}
			return a, i
		}
	}
	return func(fr *Frame) (*Array, int64) {
		a := array(fr)
		at := int64(0)
		for k, d := range a.Dims {
			i := idx[k].c.i(fr)
			if i < 0 || i >= int64(d) {
				Throw("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
			}
			at = at*int64(d) + i
		}
		return a, at
	}
}
