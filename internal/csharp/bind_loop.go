package csharp

// loop runs body as the body of a loop and gives the state behind it.
func (b *binder) loop(body func(), exit func() flow) {
	b.jumps = &jumpTarget{outer: b.jumps, breaks: flow{dead: true}, continues: flow{dead: true}}
	body()
	out := exit()
	b.flow = out.join(b.jumps.breaks)
	b.jumps = b.jumps.outer
}

func (b *binder) while(s *whileStmt) exec {
	var test func(*Frame) bool
	var body exec
	if s.do {
		b.loop(func() {
			body = b.nested(s.body)
			b.flow = b.flow.join(b.jumps.continues)
		}, func() flow {
			c, _, f := b.truth(s.c)
			test = c.c.b
			return f
		})
		return func(fr *Frame) ctl {
			for {
				fr.run.Step()
				if c := body(fr); c > ctlBreak && c != ctlContinue {
					return c
				} else if c == ctlBreak {
					return ctlNext
				}
				if !test(fr) {
					return ctlNext
				}
			}
		}
	}
	b.push()
	defer b.pop()
	var cells []int
	b.scope.cells = &cells
	var whenFalse flow
	b.loop(func() {
		c, t, f := b.truth(s.c)
		whenFalse = f
		test = c.c.b
		b.flow = t.clone()
		body = b.nested(s.body)
	}, func() flow { return whenFalse })
	return func(fr *Frame) ctl {
		for {
			for _, n := range cells {
				fr.objs[n] = &cell{}
			}
			if !test(fr) {
				return ctlNext
			}
			fr.run.Step()
			if c := body(fr); c > ctlBreak && c != ctlContinue {
				return c
			} else if c == ctlBreak {
				return ctlNext
			}
		}
	}
}

func (b *binder) forStatement(s *forStmt) exec {
	b.push()
	defer b.pop()
	var cells []int
	b.scope.cells = &cells
	var init []exec
	for _, x := range s.init {
		init = append(init, b.statement(x))
	}
	start := sequenceOf(init)
	test := func(*Frame) bool { return true }
	var body exec
	var post func(*Frame)
	whenFalse := flow{dead: true}
	b.loop(func() {
		if s.c != nil {
			c, t, f := b.truth(s.c)
			test, whenFalse = c.c.b, f
			b.flow = t.clone()
		}
		body = b.nested(s.body)
		b.flow = b.flow.join(b.jumps.continues)
		var list []func(*Frame)
		for _, x := range s.post {
			list = append(list, b.effect(x))
		}
		post = sequence(list)
	}, func() flow { return whenFalse })
	return func(fr *Frame) ctl {
		for _, n := range cells {
			fr.objs[n] = &cell{}
		}
		start(fr)
		for test(fr) {
			fr.run.Step()
			if c := body(fr); c > ctlBreak && c != ctlContinue {
				return c
			} else if c == ctlBreak {
				return ctlNext
			}
			if post != nil {
				post(fr)
			}
		}
		return ctlNext
	}
}

// elementType finds what foreach gives for a value of type t.
func (b *binder) elementType(pos int, t *Type) *Type {
	switch {
	case t.kind == kindArray:
		return t.elem
	case t.kind == kindString:
		return b.t.char
	case t.kind == kindDynamic:
		return b.t.dynamic
	}
	if list := instancesOf(t, b.t.enumerable); len(list) > 0 {
		return list[0].args[0]
	}
	if e := b.lib.types["System.Collections.IEnumerable"]; e != nil && (t == e || referenceConversion(t, e)) {
		return b.t.object
	}
	b.fail(pos, "CS1579", "foreach statement cannot operate on variables of type '%s' because '%s' does not contain a public instance or extension definition for 'GetEnumerator'", t, t)
	return nil
}

func (b *binder) foreach(s *foreachStmt) exec {
	x := b.operandValue(s.x)
	if x.t.kind == kindNull || x.t.kind == kindLambda {
		b.fail(s.x.at(), "CS0186", "Use of null is not valid in this context")
	}
	item := b.elementType(s.x.at(), x.t)
	b.push()
	defer b.pop()
	var cells []int
	b.scope.cells = &cells
	cur := b.temp(b.t.object)
	set := b.storeBoxed(cur)
	in := operand{pos: s.at(), t: item, c: unboxer(b.load(cur).o, item)}
	var bindItem func(*Frame)
	if s.into != nil {
		bindItem = b.deconstruct(s.x, s.into, in).stmt
	} else {
		t := item
		if !s.typ.isVar() {
			t = b.typ(s.typ)
			in = b.explicit(in, t)
		}
		v := b.declare(s.at(), s.name, t)
		v.readonly = "CS1656"
		b.flow.set(v.id)
		bindItem = b.store(v, in.c)
	}
	before := b.flow.clone()
	var body exec
	b.loop(func() { body = b.nested(s.body) }, func() flow { return before })
	src := boxer(x.c, x.t)
	return func(fr *Frame) ctl {
		v := src(fr)
		if v == nil {
			ThrowNullReference()
		}
		out := ctlNext
		Each(fr.run, v, func(item any) bool {
			for _, n := range cells {
				fr.objs[n] = &cell{}
			}
			set(fr, item)
			bindItem(fr)
			switch c := body(fr); c {
			case ctlNext, ctlContinue:
				return true
			case ctlBreak:
				return false
			default:
				out = c
				return false
			}
		})
		return out
	}
}

// Each calls yield for the items of anything that foreach accepts. Null throws NullReferenceException.
func Each(r *Run, v any, yield func(any) bool) {
	switch x := v.(type) {
	case Enumerable:
		x.Each(r, yield)
	case string:
		for _, u := range Units(x) {
			r.Step()
			if !yield(Char(u)) {
				return
			}
		}
	case []byte:
		for _, c := range x {
			r.Step()
			if !yield(c) {
				return
			}
		}
	case nil:
		ThrowNullReference()
	default:
		Throw("System.InvalidCastException", "Unable to cast object of type '"+TypeName(v)+"' to type 'System.Collections.IEnumerable'.")
	}
}
