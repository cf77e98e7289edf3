package csharp

func (b *binder) localFunctionBody(s *localFunc) exec {
	lf := b.scope.funcs[s.name]
	if lf != nil && len(s.typeParams) == 0 {
		b.instantiate(lf, nil)
	}
	return func(*Frame) ctl { return ctlNext }
}

func (b *binder) localDeclaration(s *localDecl) exec {
	var list []func(*Frame)
	for _, d := range s.vars {
		var do func(*Frame)
		err := b.attempt(func() { do = b.declarator(s, d) })
		if err != nil {
			// Declare the name all the same: its uses are not wrong.
			b.attempt(func() { v := b.declare(d.at(), d.name, b.t.err); b.flow.set(v.id) })
			panic(*err)
		}
		if do != nil {
			list = append(list, do)
		}
	}
	do := sequence(list)
	if do == nil {
		return func(*Frame) ctl { return ctlNext }
	}
	return func(fr *Frame) ctl { do(fr); return ctlNext }
}

// breakLocals marks the variables of a refused declaration, so that their uses raise no errors that only follow from it.
func (b *binder) breakLocals(s *localDecl) {
	for _, d := range s.vars {
		v := b.scope.names[d.name]
		if v == nil {
			v = &local{name: d.name, pos: d.at(), t: b.t.object, fn: b.fn, id: b.locals}
			b.locals++
			b.scope.add(v)
		}
		v.broken = true
	}
}

// refDeclarator binds ref T x = ref y: x is another name of y.
func (b *binder) refDeclarator(s *localDecl, d declarator) func(*Frame) {
	if d.init == nil || !d.ref {
		b.fail(d.at(), "CS8174", "A declaration of a by-reference variable must have an initializer such as 'ref x'")
	}
	x := b.value(d.init)
	if x.lv == nil || x.lv.prop || x.lv.readonly != "" {
		b.fail(d.init.at(), "CS1510", "A ref or out value must be an assignable variable")
	}
	if !s.typ.isVar() && b.typ(s.typ) != x.t {
		b.fail(d.init.at(), "CS8173", "The expression must be of type '%s' because it is being assigned by reference", b.typ(s.typ))
	}
	pre, get, assign := x.lv.spill()
	v := b.declare(d.at(), d.name, x.t)
	v.alias = &alias{get, assign}
	b.flow.set(v.id)
	return pre
}

func (b *binder) declarator(s *localDecl, d declarator) func(*Frame) {
	switch {
	case s.ref:
		return b.refDeclarator(s, d)
	case d.ref:
		b.fail(d.at(), "CS8171", "Cannot initialize a by-value variable with a reference")
	}
	if s.typ.isVar() && b.lib.lookup("", "var", 0) == nil {
		return b.varDeclarator(s, d)
	}
	t := b.typ(s.typ)
	if d.init == nil {
		if s.konst {
			b.fail(d.at(), "CS0145", "A const field requires a value to be provided")
		}
		v := b.declare(d.at(), d.name, t)
		return b.store(v, zeroCode(t)) // a loop may come here again
	}
	var x operand
	if a, ok := d.init.(*arrayInit); ok {
		if t.kind != kindArray {
			b.fail(a.at(), "CS0622", "Can only use array initializer expressions to assign to array types. Try using a new expression instead.")
		}
		x = b.arrayLiteral(a, t)
	} else {
		// The variable is in scope in its own initializer, for recursion in a lambda, but has no value there.
		v := b.declare(d.at(), d.name, t)
		x = b.convert(b.operandOrVoid(d.init), t, "")
		if s.konst {
			b.constLocal(v, x, d)
			return nil
		}
		b.flow.set(v.id)
		return b.store(v, x.c)
	}
	v := b.declare(d.at(), d.name, t)
	b.flow.set(v.id)
	return b.store(v, x.c)
}

func (b *binder) operandOrVoid(e expr) operand {
	x := b.value(e)
	if x.t.kind == kindVoid && !x.isThrow {
		b.fail(e.at(), "CS0029", "Cannot implicitly convert type 'void' to another type")
	}
	return x
}

func (b *binder) constLocal(v *local, x operand, d declarator) {
	if !x.konst {
		b.fail(d.init.at(), "CS0133", "The expression being assigned to '%s' must be constant", d.name)
	}
	v.konst = &x
	b.flow.set(v.id)
}

func (b *binder) varDeclarator(s *localDecl, d declarator) func(*Frame) {
	if d.init == nil {
		b.fail(d.at(), "CS0818", "Implicitly-typed variables must be initialized")
	}
	if _, ok := d.init.(*arrayInit); ok {
		b.fail(d.at(), "CS0820", "Cannot initialize an implicitly-typed variable with an array initializer")
	}
	if s.konst {
		b.fail(d.at(), "CS0822", "Implicitly-typed variables cannot be constant")
	}
	x := b.value(d.init)
	switch x.t.kind {
	case kindNull, kindVoid:
		b.fail(d.at(), "CS0815", "Cannot assign %s to an implicitly-typed variable", x.t)
	case kindLambda:
		b.fail(d.at(), "CS0815", "Cannot assign lambda expression or method group to an implicitly-typed variable")
	}
	v := b.declare(d.at(), d.name, x.t)
	b.flow.set(v.id)
	return b.store(v, x.c)
}
