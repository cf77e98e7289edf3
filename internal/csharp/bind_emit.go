package csharp

// emit makes the code of a chosen member.
func (b *binder) emit(pos int, c candidate) operand {
	sig := c.m.sig
	t := b.closed(c, sig.result)
	site, post := b.site(&c, t, c.m.fn)
	res := c.m.fn.emit(site)
	out := operand{pos: pos, t: t, c: adapt(res, c.m.fn.result, t)}
	if post != nil {
		out.c = after(out.c, t, post)
	}
	return out
}

// emitSet makes the code of a setter.
func (b *binder) emitSet(c candidate, v operand) func(*Frame) {
	site, _ := b.site(&c, v.t, *c.m.set)
	if boxed := c.m.set.takesAny(); boxed[len(boxed)-1] {
		site.args = append(site.args, code{o: boxer(v.c, v.t)})
	} else {
		site.args = append(site.args, v.c)
	}
	return c.m.set.emit(site).v
}

func (b *binder) closed(c candidate, t *Type) *Type {
	if c.owner.def != nil {
		t = t.subst(c.owner.def.params, c.owner.args)
	}
	return t.subst(c.m.sig.typeParams, c.typeArgs)
}

// site prepares the arguments of a call in the representations that the Go function takes, and what to do after it.
func (b *binder) site(c *candidate, result *Type, fn Func) (*callSite, func(*Frame)) {
	boxed := fn.takesAny()
	s := &callSite{result: result, types: append(append(TypeArgs{}, c.owner.args...), c.typeArgs...)}
	if !c.m.static {
		x := b.receiver(*c.recv, c.m.owner, s)
		if boxed[0] && c.m.owner.repr() != reprObj {
			x = code{o: boxer(x, c.m.owner)}
		}
		s.args = append(s.args, x)
		boxed = boxed[1:]
	}
	var posts []func(*Frame)
	for i, p := range c.m.sig.params {
		x := c.args[i]
		if p.mode != "" {
			arg, post := b.refArgument(c, i, p.mode)
			s.args = append(s.args, arg)
			posts = append(posts, post)
			continue
		}
		if p.typ.repr() == reprObj || i < len(boxed) && boxed[i] {
			s.args = append(s.args, code{o: boxedOnce(x)})
		} else {
			s.args = append(s.args, x.c)
		}
	}
	return s, sequence(posts)
}

// boxedOnce is boxer that boxes a constant when it is compiled.
func boxedOnce(x operand) func(*Frame) any {
	if !x.konst || x.t.repr() == reprObj {
		return boxer(x.c, x.t)
	}
	v := x.val
	if s, ok := v.(string); ok {
		v = BoxString(s)
	}
	return func(*Frame) any { return v }
}

func (b *binder) refArgument(c *candidate, param int, mode string) (code, func(*Frame)) {
	for _, r := range c.refs {
		if r.param != param {
			continue
		}
		hold := b.slot(reprObj)
		v := b.temp(r.t)
		set := b.storeBoxed(v)
		var in func(*Frame) any
		if mode == "ref" {
			in = boxer(c.args[param].c, r.t)
		}
		make1 := func(fr *Frame) any {
			ref := &Ref{}
			if in != nil {
				ref.Value = in(fr)
			}
			fr.objs[hold] = ref
			return ref
		}
		lv := r.lv
		if r.decl != nil {
			if r.decl.name == "_" {
				return code{o: make1}, func(*Frame) {}
			}
			d := b.declare(r.decl.at(), r.decl.name, r.t)
			lv = b.localTarget(d)
		}
		if lv.local != nil {
			b.flow.set(lv.local.id)
		}
		put := lv.assign(b.load(v))
		return code{o: make1}, func(fr *Frame) {
			set(fr, fr.objs[hold].(*Ref).Value)
			put(fr)
		}
	}
	return code{}, nil
}

// receiver checks the receiver of an instance member for null when s is called.
func (b *binder) receiver(x operand, owner *Type, s *callSite) code {
	if owner.repr() == reprObj && x.t.repr() != reprObj {
		o := boxer(x.c, x.t)
		if x.t.kind == kindString {
			return code{o: s.nonNull(o)}
		}
		return code{o: o}
	}
	if x.nonNull || x.t.isValue() || owner == b.t.nullable {
		return x.c
	}
	if x.t.kind == kindString {
		text := x.c.s
		return code{s: func(fr *Frame) string {
			v := text(fr)
			if len(v) == 0 && IsNull(v) {
				s.throwNull(fr)
			}
			return v
		}}
	}
	return code{o: s.nonNull(x.c.o)}
}

// throwNull is what a call of a null receiver does: the arguments are evaluated first, and may throw themselves.
func (s *callSite) throwNull(fr *Frame) {
	for _, a := range s.args[1:] {
		a.run(fr)
	}
	ThrowNullReference()
}

func (s *callSite) nonNull(o func(*Frame) any) func(*Frame) any {
	return func(fr *Frame) any {
		v := o(fr)
		if v == nil {
			s.throwNull(fr)
		}
		return v
	}
}

func nonNull(o func(*Frame) any) func(*Frame) any {
	return func(fr *Frame) any {
		v := o(fr)
		if v == nil {
			ThrowNullReference()
		}
		return v
	}
}

// adapt turns what a Go function gives into the representation of the C# type.
func adapt(c code, have repr, t *Type) code {
	if have == reprObj && t.repr() != reprObj {
		return unboxer(c.o, t)
	}
	return c
}

// arrayOf makes an array of bound items already converted to the element type.
func (b *binder) arrayOf(t *Type, items []operand) operand {
	elem := t.elem
	out := operand{t: t, nonNull: true}
	if elem.kind == kindByte {
		parts := make([]func(*Frame) int64, len(items))
		for i, x := range items {
			parts[i] = x.c.i
		}
		out.c.o = func(fr *Frame) any {
			fr.run.Alloc(len(parts))
			a := make([]byte, len(parts))
			for i, p := range parts {
				a[i] = byte(p(fr))
			}
			return a
		}
		return out
	}
	parts := make([]func(*Frame) any, len(items))
	for i, x := range items {
		parts[i] = boxer(x.c, x.t)
	}
	out.c.o = func(fr *Frame) any {
		fr.run.Alloc(16 * len(parts))
		a := &Array{Elem: elem, Items: make([]any, len(parts))}
		for i, p := range parts {
			a.Items[i] = p(fr)
		}
		return a
	}
	return out
}
