package csharp

// ctl tells how a statement ended.
type ctl uint8

const (
	ctlNext ctl = iota
	ctlBreak
	ctlContinue
	ctlReturn
	ctlGoto     // to the label Frame.label of an enclosing block
	ctlGotoCase // to the section Frame.label of the enclosing switch
)

type exec func(*Frame) ctl

// jumpTarget is a loop or switch that break and continue refer to.
type jumpTarget struct {
	outer     *jumpTarget
	isSwitch  bool
	breaks    flow // join of the states at the breaks
	continues flow
	cases     *switchBinding
	finally   bool // a finally block: control cannot leave it
}

// function binds the statements of `@{ }`.
func (b *binder) function(tree *blockStmt, target *Type) code {
	run := b.block(tree)
	if !b.flow.dead && len(b.errs) == 0 {
		b.fail(max(tree.end-1, tree.at()), "CS0161", "Not all code paths return a value")
	}
	return returning(run, target)
}

// block binds a block with a scope of its own.
func (b *binder) block(s *blockStmt) exec {
	b.push()
	defer b.pop()
	return b.statements(s.list)
}

// statements binds a list of statements in the current scope.
func (b *binder) statements(list []stmt) exec {
	var cells []int
	var fill []func(*Frame)
	b.scope.cells = &cells
	labels := map[string]int{}
	for i, s := range list {
		switch s := s.(type) {
		case *localFunc:
			b.recoverable(func() { b.declareLocal(s, &fill) })
		case *labelStmt:
			if _, dup := labels[s.label]; dup {
				b.fail(s.at(), "CS0140", "The label '%s' is a duplicate", s.label)
			}
			labels[s.label] = i
		}
	}
	if len(labels) > 0 {
		old := b.labels
		b.labels = &labelScope{outer: old, names: labels, ids: map[string]int{}, fn: b.fn}
		defer func() { b.labels = old }()
	}
	steps := make([]exec, 0, len(list))
	for _, s := range list {
		if l, ok := s.(*labelStmt); ok {
			b.flow.dead = false // some goto leads here
			s = l.body
		}
		var e exec
		b.recoverable(func() { e = b.statement(s) })
		if e == nil {
			e = func(*Frame) ctl { return ctlNext }
			if d, ok := s.(*localDecl); ok {
				b.breakLocals(d)
			}
		}
		steps = append(steps, e)
	}
	run := sequenceOf(steps)
	if len(labels) > 0 {
		run = b.labelled(steps, labels)
	}
	prologue := func(fr *Frame) {
		for _, n := range cells {
			fr.objs[n] = &cell{}
		}
		for _, f := range fill {
			f(fr)
		}
	}
	// Captures that lambdas of this block cause are known only once the whole function is bound; so ask at run time.
	if len(cells) == 0 && len(fill) == 0 {
		return run
	}
	return func(fr *Frame) ctl { prologue(fr); return run(fr) }
}

func sequenceOf(steps []exec) exec {
	switch len(steps) {
	case 0:
		return func(*Frame) ctl { return ctlNext }
	case 1:
		return steps[0]
	case 2:
		p, q := steps[0], steps[1]
		return func(fr *Frame) ctl {
			if c := p(fr); c != ctlNext {
				return c
			}
			return q(fr)
		}
	}
	return func(fr *Frame) ctl {
		for _, s := range steps {
			if c := s(fr); c != ctlNext {
				return c
			}
		}
		return ctlNext
	}
}

// labelScope holds the labels of a block.
type labelScope struct {
	outer *labelScope
	names map[string]int
	ids   map[string]int
	fn    *funcState
}

// labelled runs steps and resumes at a label when a statement inside says goto.
func (b *binder) labelled(steps []exec, labels map[string]int) exec {
	at := map[int]int{}
	for name, id := range b.labels.ids {
		at[id] = labels[name]
	}
	return func(fr *Frame) ctl {
		for i := 0; i < len(steps); i++ {
			c := steps[i](fr)
			if c == ctlGoto {
				if to, ok := at[fr.label]; ok {
					fr.run.Step()
					i = to - 1
					continue
				}
			}
			if c != ctlNext {
				return c
			}
		}
		return ctlNext
	}
}

// recoverable collects an error of one statement so that the next ones are checked too.
func (b *binder) recoverable(f func()) {
	if b.fn.outer != nil {
		f() // lambdas and local functions may be bound speculatively
		return
	}
	if err := b.attempt(f); err != nil && err.code != "" {
		b.errs = append(b.errs, *err)
	}
}

func (b *binder) statement(s stmt) exec {
	switch s := s.(type) {
	case *blockStmt:
		return b.block(s)
	case *localDecl:
		return b.localDeclaration(s)
	case *localFunc:
		return b.localFunctionBody(s)
	case *exprStmt:
		do := b.effect(s.x)
		return func(fr *Frame) ctl { do(fr); return ctlNext }
	case *ifStmt:
		return b.ifStatement(s)
	case *whileStmt:
		return b.while(s)
	case *forStmt:
		return b.forStatement(s)
	case *foreachStmt:
		return b.foreach(s)
	case *switchStmt:
		return b.switchStatement(s)
	case *returnStmt:
		return b.returnStatement(s)
	case *throwStmt:
		return b.throwStatement(s)
	case *jumpStmt:
		return b.jump(s)
	case *yieldStmt:
		return b.yieldStatement(s)
	case *labelStmt:
		return b.statement(s.body)
	case *tryStmt:
		return b.try(s)
	case *usingStmt:
		return b.using(s)
	case *lockStmt:
		x := b.operandValue(s.x)
		o := boxer(x.c, x.t)
		run := b.statement(s.body)
		return func(fr *Frame) ctl {
			if o(fr) == nil {
				ThrowArgumentNull("obj")
			}
			return run(fr)
		}
	case *checkedStmt:
		old, oldUn := b.checked, b.unchecked
		b.checked, b.unchecked = s.on, !s.on
		defer func() { b.checked, b.unchecked = old, oldUn }()
		return b.block(s.body)
	}
	return func(*Frame) ctl { return ctlNext }
}

// effect binds an expression for its effect alone.
func (b *binder) effect(e expr) func(*Frame) {
	x := b.value(e)
	switch {
	case x.stmt != nil:
		return x.stmt
	case x.t.kind == kindVoid:
		return x.c.v
	}
	switch x.t.repr() {
	case reprInt:
		return func(fr *Frame) { x.c.i(fr) }
	case reprStr:
		return func(fr *Frame) { x.c.s(fr) }
	case reprObj:
		return func(fr *Frame) { x.c.o(fr) }
	}
	o := boxer(x.c, x.t)
	return func(fr *Frame) { o(fr) }
}

func (b *binder) ifStatement(s *ifStmt) exec {
	c, t, f := b.truth(s.c)
	b.flow = t.clone()
	yes := b.nested(s.a)
	end := b.flow
	b.flow = f.clone()
	test := c.c.b
	if s.b == nil {
		b.flow = end.join(b.flow)
		return func(fr *Frame) ctl {
			if test(fr) {
				return yes(fr)
			}
			return ctlNext
		}
	}
	no := b.nested(s.b)
	b.flow = end.join(b.flow)
	return func(fr *Frame) ctl {
		if test(fr) {
			return yes(fr)
		}
		return no(fr)
	}
}

// nested binds an embedded statement.
func (b *binder) nested(s stmt) exec {
	if blk, ok := s.(*blockStmt); ok {
		return b.block(blk)
	}
	return b.block(&blockStmt{pos: pos(s.at()), list: []stmt{s}})
}

func (b *binder) returnStatement(s *returnStmt) exec {
	for j := b.jumps; j != nil; j = j.outer {
		if j.finally {
			b.fail(s.at(), "CS0157", "Control cannot leave the body of a finally clause")
		}
	}
	fn := b.fn
	defer func() { b.flow = flow{bits: b.flow.bits, dead: true} }()
	if s.x == nil {
		b.exit(s.at())
		if fn.result != nil && fn.result.kind != kindVoid {
			b.fail(s.at(), "CS0126", "An object of a type convertible to '%s' is required", fn.result)
		}
		return func(*Frame) ctl { return ctlReturn }
	}
	x := b.value(s.x)
	if fn.item != nil {
		b.fail(s.at(), "CS1622", "Cannot return a value from an iterator. Use the yield return statement to return a value, or yield break to end the iteration.")
	}
	if fn.infer {
		fn.returns = append(fn.returns, x)
		return func(*Frame) ctl { return ctlReturn }
	}
	if fn.result.kind == kindVoid {
		b.fail(s.at(), "CS0127", "A function without a result cannot return a value")
	}
	if x.t.kind == kindVoid && !x.isThrow {
		b.fail(s.x.at(), "CS0029", "Cannot implicitly convert type 'void' to '%s'", fn.result)
	}
	y := b.convert(x, fn.result, "")
	b.exit(s.at())
	switch fn.result.repr() {
	case reprInt:
		return func(fr *Frame) ctl { fr.ret.i = y.c.i(fr); return ctlReturn }
	case reprFloat:
		return func(fr *Frame) ctl { fr.ret.f = y.c.f(fr); return ctlReturn }
	case reprBool:
		return func(fr *Frame) ctl { fr.ret.b = y.c.b(fr); return ctlReturn }
	case reprStr:
		return func(fr *Frame) ctl { fr.ret.s = y.c.s(fr); return ctlReturn }
	}
	return func(fr *Frame) ctl { fr.ret.o = y.c.o(fr); return ctlReturn }
}

// exit notes the state of definite assignment where a function ends.
func (b *binder) exit(pos int) {
	for _, v := range b.fn.outs {
		if !b.flow.has(v.id) {
			b.fail(pos, "CS0177", "The out parameter '%s' must be assigned to before control leaves the current method", v.name)
		}
	}
	if b.fn.inst != nil {
		b.fn.exits = b.fn.exits.join(b.flow)
	}
}

func (b *binder) jump(s *jumpStmt) exec {
	defer func() { b.flow = flow{bits: b.flow.bits, dead: true} }()
	switch s.what {
	case "goto":
		for l := b.labels; l != nil; l = l.outer {
			if _, ok := l.names[s.label]; ok && l.fn == b.fn {
				if _, ok := l.ids[s.label]; !ok {
					b.labelIDs++
					l.ids[s.label] = b.labelIDs
				}
				id := l.ids[s.label]
				return func(fr *Frame) ctl { fr.label = id; return ctlGoto }
			}
		}
		b.fail(s.at(), "CS0159", "No such label '%s' within the scope of the goto statement", s.label)
	case "goto case", "goto default":
		return b.gotoCase(s)
	}
	for j := b.jumps; j != nil; j = j.outer {
		if j.finally {
			b.fail(s.at(), "CS0157", "Control cannot leave the body of a finally clause")
		}
		if s.what == "break" {
			j.breaks = j.breaks.join(b.flow)
			return func(*Frame) ctl { return ctlBreak }
		}
		if !j.isSwitch {
			j.continues = j.continues.join(b.flow)
			return func(*Frame) ctl { return ctlContinue }
		}
	}
	b.fail(s.at(), "CS0139", "No enclosing loop out of which to break or continue")
	return nil
}
