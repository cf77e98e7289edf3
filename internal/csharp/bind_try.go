package csharp

// throwValue raises a bound exception value.
func throwValue(v any) {
	e, ok := v.(*Exception)
	if !ok || e == nil {
		ThrowNullReference()
	}
	panic(e)
}

func (b *binder) convertException(x operand) operand {
	if x.t.kind == kindNull {
		return b.constant(x.pos, b.t.exception, nil)
	}
	if !referenceConversion(x.t, b.t.exception) {
		b.fail(x.pos, "CS0155", "The type caught or thrown must be derived from System.Exception")
	}
	return x
}

func (b *binder) throwStatement(s *throwStmt) exec {
	defer func() { b.flow = flow{bits: b.flow.bits, dead: true} }()
	if s.x == nil {
		if b.caught == nil || b.caught.fn != b.fn {
			b.fail(s.at(), "CS0156", "A throw statement with no arguments is not allowed outside of a catch clause")
		}
		o := b.load(b.caught).o
		return func(fr *Frame) ctl { throwValue(o(fr)); return ctlNext }
	}
	x := b.convertException(b.value(s.x))
	o := x.c.o
	return func(fr *Frame) ctl { throwValue(o(fr)); return ctlNext }
}

// catcher is a compiled catch clause.
type catcher struct {
	is   func(any) bool // nil: everything
	set  func(*Frame, any)
	when func(*Frame) bool
	body exec
}

func (b *binder) try(s *tryStmt) exec {
	start := b.flow.clone()
	body := b.block(s.body)
	end := b.flow
	var catches []catcher
	for i, c := range s.catches {
		b.flow = start.clone()
		if i > 0 && s.catches[i-1].typ == nil && s.catches[i-1].when == nil {
			b.fail(c.at(), "CS1017", "Catch clauses cannot follow the general catch clause of a try statement")
		}
		catches = append(catches, b.catch(c, s.catches[:i]))
		end = end.join(b.flow)
	}
	lib := b.lib
	run := body
	if len(catches) > 0 {
		run = func(fr *Frame) ctl { return runCatch(lib, fr, body, catches) }
	}
	b.flow = end
	if s.finally == nil {
		return run
	}
	b.flow = start.clone()
	b.jumps = &jumpTarget{outer: b.jumps, isSwitch: true, finally: true}
	final := b.block(s.finally)
	b.jumps = b.jumps.outer
	after := b.flow
	// What either part assigns has a value behind the statement.
	for i, w := range after.bits {
		if i < len(end.bits) {
			end.bits[i] |= w
		} else {
			end.bits = append(end.bits, w)
		}
	}
	end.dead = end.dead || after.dead
	b.flow = end
	return func(fr *Frame) ctl { return runFinally(fr, run, final) }
}

func (b *binder) catch(c catchClause, before []catchClause) catcher {
	b.push()
	defer b.pop()
	var cells []int
	b.scope.cells = &cells
	out := catcher{}
	t := b.t.exception
	if c.typ != nil {
		t = b.typ(c.typ)
		if !referenceConversion(t, b.t.exception) {
			b.fail(c.at(), "CS0155", "The type caught or thrown must be derived from System.Exception")
		}
		for _, p := range before {
			if p.typ != nil && p.when == nil && referenceConversion(t, b.typ(p.typ)) {
				b.fail(c.typ.at(), "CS0160", "A previous catch clause already catches all exceptions of this or of a super type ('%s')", b.typ(p.typ))
			}
		}
		out.is = b.lib.instance(t)
	}
	hold := b.temp(b.t.exception)
	keep := b.storeBoxed(hold)
	out.set = keep
	if c.name != "" {
		v := b.declare(c.at(), c.name, t)
		b.flow.set(v.id)
		set := b.storeBoxed(v)
		out.set = func(fr *Frame, e any) {
			for _, n := range cells {
				fr.objs[n] = &cell{}
			}
			keep(fr, e)
			set(fr, e)
		}
	}
	old := b.caught
	b.caught = hold
	defer func() { b.caught = old }()
	if c.when != nil {
		w, _, _ := b.truth(c.when)
		out.when = w.c.b
	}
	out.body = b.block(c.body)
	return out
}

// A tryFrame is a try statement with catch clauses that is being run. .NET looks for the clause that takes an exception before
// it runs any finally block, so the first finally block that an exception meets asks all of the statements around it.
type tryFrame struct {
	outer   *tryFrame
	fr      *Frame
	catches []catcher
	asked   *Exception // the exception that chosen is for
	chosen  *catcher   // nil: none of the clauses takes it
}

// choose finds the clause that takes e. Filters run with the statements around this one as their surroundings.
func (t *tryFrame) choose(e *Exception) *catcher {
	if t.asked == e {
		return t.chosen
	}
	run := t.fr.run
	old := run.tries
	run.tries = t.outer
	defer func() { run.tries = old }()
	t.asked, t.chosen = e, nil
	for i := range t.catches {
		k := &t.catches[i]
		if k.is != nil && !k.is(e) {
			continue
		}
		k.set(t.fr, e)
		if k.when == nil || filter(run.lib, t.fr, k.when) {
			t.chosen = k
			break
		}
	}
	return t.chosen
}

// runCatch runs body and, on a .NET exception, the first clause that takes it. Limit errors pass.
func runCatch(lib *Library, fr *Frame, body exec, catches []catcher) ctl {
	depth := fr.run.depth
	t := &tryFrame{outer: fr.run.tries, fr: fr, catches: catches}
	fr.run.tries = t
	c, thrown := protect(lib, fr, body)
	fr.run.tries = t.outer
	if thrown == nil {
		return c
	}
	fr.run.depth = depth
	fr.run.Step()
	if k := t.choose(thrown); k != nil {
		return k.body(fr)
	}
	panic(thrown)
}

// filter evaluates a when clause; an exception inside counts as false.
func filter(lib *Library, fr *Frame, when func(*Frame) bool) bool {
	ok := false
	_, thrown := protect(lib, fr, func(fr *Frame) ctl { ok = when(fr); return ctlNext })
	return ok && thrown == nil
}

// protect runs body and gives the exception that it throws.
func protect(lib *Library, fr *Frame, body exec) (c ctl, thrown *Exception) {
	defer func() {
		if r := recover(); r != nil {
			e, limit := recovered(lib, r)
			if limit != nil {
				panic(limit)
			}
			thrown = e
		}
	}()
	return body(fr), nil
}

// runFinally runs final after body however body ends, but not when a limit was exceeded.
func runFinally(fr *Frame, body, final exec) (out ctl) {
	depth, tries := fr.run.depth, fr.run.tries
	done := false
	defer func() {
		if done {
			return
		}
		e, limit := recovered(fr.run.lib, recover())
		if limit != nil {
			panic(limit)
		}
		fr.run.depth = depth
		fr.run.tries = tries
		for t := tries; t != nil && t.choose(e) == nil; t = t.outer {
		}
		final(fr)
		panic(e)
	}()
	c := body(fr)
	done = true
	// A return keeps its value even when final runs further statements.
	ret, label := fr.ret, fr.label
	if f := final(fr); f != ctlNext {
		return f
	}
	fr.ret, fr.label = ret, label
	return c
}

func (b *binder) using(s *usingStmt) exec {
	b.push()
	defer b.pop()
	var cells []int
	b.scope.cells = &cells
	var init exec
	var o func(*Frame) any
	var t *Type
	if s.decl != nil {
		init = b.localDeclaration(s.decl)
		v := b.scope.names[s.decl.vars[0].name]
		t, o = v.t, boxer(b.load(v), v.t)
		v.readonly = "CS1656"
	} else {
		x := b.operandValue(s.x)
		v := b.temp(x.t)
		put := b.store(v, x.c)
		init = func(fr *Frame) ctl { put(fr); return ctlNext }
		t, o = x.t, boxer(b.load(v), x.t)
	}
	if t.kind != kindDynamic && !referenceConversion(t, b.t.disposable) && t.kind != kindError {
		b.fail(s.at(), "CS1674", "'%s': type used in a using statement must be implicitly convertible to 'System.IDisposable'.", t)
	}
	body := b.nested(s.body)
	return func(fr *Frame) ctl {
		for _, n := range cells {
			fr.objs[n] = &cell{}
		}
		init(fr)
		return runFinally(fr, body, func(fr *Frame) ctl {
			if d, ok := o(fr).(interface{ Dispose() }); ok {
				d.Dispose()
			}
			return ctlNext
		})
	}
}
