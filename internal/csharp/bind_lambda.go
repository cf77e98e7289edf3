package csharp

import (
	"strconv"
	"strings"
	"sync"
)

// lambdaKey identifies one binding of a lambda: overload resolution asks for the same one many times.
type lambdaKey struct {
	l      *lambdaExpr
	fn     *funcState
	params string
	result *Type // nil when inferred
}

// boundLambda is a lambda whose body is bound for given parameter types.
type boundLambda struct {
	err    *bindError
	fn     *funcState
	params []*local
	result *Type // inferred; nil for a body without a usable type
	body   operand
	code   code // of a block body
	enter  []int
}

func typeKey(list []*Type) string {
	var sb strings.Builder
	for _, t := range list {
		sb.WriteString(strconv.Itoa(t.id) + ",")
	}
	return sb.String()
}

// inferLambda binds the body to find its type.
func (b *binder) inferLambda(l *lambdaExpr, params []*Type) *boundLambda {
	return b.bindLambda(l, params, nil)
}

// bindLambda binds a lambda's body once for each combination of parameter types and result.
func (b *binder) bindLambda(l *lambdaExpr, params []*Type, result *Type) *boundLambda {
	if l.body != nil {
		result = nil // an expression is converted afterwards
	}
	k := lambdaKey{l, b.fn, typeKey(params), result}
	if bl := b.lambdas[k]; bl != nil {
		return bl
	}
	bl := &boundLambda{}
	b.lambdas[k] = bl
	start := b.flow.clone()
	bl.err = b.attempt(func() { b.lambdaBody(bl, l, params, result) })
	b.flow = start
	return bl
}

func (b *binder) lambdaBody(bl *boundLambda, l *lambdaExpr, params []*Type, result *Type) {
	outer, scope, jumps, assigning := b.fn, b.scope, b.jumps, b.assigning
	b.fn = &funcState{outer: outer, depth: outer.depth + 1, result: result, infer: result == nil}
	b.jumps, b.assigning = nil, false
	defer func() { b.fn, b.scope, b.jumps, b.assigning = outer, scope, jumps, assigning }()
	bl.fn = b.fn
	s := b.push()
	s.cells = &bl.enter
	for i, p := range l.params {
		if i >= len(params) {
			break
		}
		t := params[i]
		if p.typ != nil {
			t = b.typ(p.typ)
		}
		v := b.declare(p.at(), p.name, t)
		b.flow.set(v.id)
		bl.params = append(bl.params, v)
		if l.scope != nil && i == 0 {
			s.rng = v
		}
	}
	if l.body != nil {
		bl.body = b.value(l.body)
		bl.result = bl.body.t
		if bl.body.t.kind == kindNull || bl.body.t.kind == kindLambda || bl.body.isThrow {
			bl.result = nil
		}
		return
	}
	run := b.block(l.block)
	reachable := !b.flow.dead
	if result != nil {
		if reachable && result.kind != kindVoid {
			b.fail(l.at(), "CS1643", "Not all code paths return a value in lambda expression of type '%s'", result)
		}
		bl.result = result
		bl.code = returning(run, result)
		return
	}
	bl.result = b.t.void
	if len(b.fn.returns) > 0 {
		var list []*Type
		for _, r := range b.fn.returns {
			if r.t.kind != kindNull && r.t.kind != kindLambda {
				list = append(list, r.t)
			}
		}
		bl.result = b.bestType(list)
	}
}

// returning makes code of a function body from its statements.
func returning(run exec, t *Type) code {
	switch t.repr() {
	case reprInt:
		return code{i: func(fr *Frame) int64 { run(fr); return fr.ret.i }}
	case reprFloat:
		return code{f: func(fr *Frame) float64 { run(fr); return fr.ret.f }}
	case reprBool:
		return code{b: func(fr *Frame) bool { run(fr); return fr.ret.b }}
	case reprStr:
		return code{s: func(fr *Frame) string { run(fr); return fr.ret.s }}
	case reprVoid:
		return code{v: func(fr *Frame) { run(fr) }}
	}
	return code{o: func(fr *Frame) any { run(fr); return fr.ret.o }}
}

// toDelegate converts a lambda or method group to a delegate type.
func (b *binder) toDelegate(x operand, t *Type) (operand, bool) {
	sig := t.delegate()
	if sig == nil {
		return x, false
	}
	if x.group != nil {
		return b.groupDelegate(x, t, sig)
	}
	l := x.lambda
	if len(l.params) != len(sig.params) && !l.any {
		return x, false
	}
	types := paramTypes(sig)
	for i, p := range l.params {
		if p.typ != nil && b.typ(p.typ) != types[i] || p.mode != sig.params[i].mode {
			return x, false
		}
	}
	for _, p := range types {
		if p.open {
			return x, false
		}
	}
	bl := b.bindLambda(l, types, sig.result)
	if bl.err != nil {
		b.lambdaError = bl.err
		return x, false
	}
	body := bl.code
	if l.body != nil {
		y, ok := b.lambdaResult(bl, sig.result)
		if !ok {
			return x, false
		}
		body = y
	}
	f := &function{lib: b.lib, fn: bl.fn, enter: &bl.enter, result: sig.result, body: boxer(body, sig.result)}
	old := b.fn
	b.fn = bl.fn
	for i, v := range bl.params {
		f.setters = append(f.setters, b.storeBoxed(v))
		f.getters = append(f.getters, boxer(b.load(v), v.t))
		f.modes = append(f.modes, sig.params[i].mode)
	}
	b.fn = old
	f.pool.New = func() any { return f.fn.layout.newFrame() }
	return operand{pos: x.pos, t: t, nonNull: true, c: code{o: func(fr *Frame) any { return f.delegate(fr, t) }}}, true
}

// lambdaResult converts an expression body to the delegate's result.
func (b *binder) lambdaResult(bl *boundLambda, result *Type) (code, bool) {
	if result.kind == kindVoid {
		switch x := bl.body; {
		case x.stmt != nil:
			return code{v: x.stmt}, true
		case x.t.kind == kindVoid:
			return x.c, true
		default:
			o := boxer(x.c, x.t)
			return code{v: func(fr *Frame) { o(fr) }}, x.t.kind != kindLambda && x.t.kind != kindNull
		}
	}
	if bl.body.t.kind == kindVoid && !bl.body.isThrow {
		return code{}, false
	}
	old := b.fn
	b.fn = bl.fn
	y, ok := b.implicit(bl.body, result)
	b.fn = old
	if !ok {
		b.lambdaError = &bindError{bl.body.pos, "CS0029", "Cannot implicitly convert type '" + bl.body.t.String() + "' to '" + result.String() + "'"}
	}
	return y.c, ok
}

// function is the compiled form of a lambda or local function.
type function struct {
	lib     *Library
	fn      *funcState
	enter   *[]int // cells to make on entry
	setters []func(*Frame, any)
	getters []func(*Frame) any
	modes   []string
	result  *Type
	body    func(*Frame) any
	pool    sync.Pool
}

// delegate binds the function to the variables that it captures in fr.
func (f *function) delegate(fr *Frame, t *Type) *Delegate {
	d := &Delegate{Type: t}
	cells := make([]any, len(f.fn.captures))
	for i, c := range f.fn.captures {
		cells[i] = fr.objs[c.from]
	}
	d.Call = func(r *Run, args []any) any { return f.call(r, cells, args) }
	return d
}

func (f *function) call(r *Run, cells, args []any) any {
	r.enter()
	fr := f.pool.Get().(*Frame)
	fr.run = r
	for i, c := range f.fn.captures {
		fr.objs[c.to] = cells[i]
	}
	for _, s := range *f.enter {
		fr.objs[s] = &cell{}
	}
	for i, set := range f.setters {
		if f.modes[i] != "" {
			set(fr, args[i].(*Ref).Value)
		} else {
			set(fr, args[i])
		}
	}
	v := f.body(fr)
	for i, m := range f.modes {
		if m != "" {
			args[i].(*Ref).Value = f.getters[i](fr)
		}
	}
	r.leave()
	fr.clear()
	f.pool.Put(fr)
	return v
}

// groupDelegate converts a method group such as int.Parse.
func (b *binder) groupDelegate(x operand, t *Type, sig *signature) (operand, bool) {
	g := x.group
	args := make([]arg, len(sig.params))
	slots := make([]*local, len(sig.params))
	fn := &funcState{outer: b.fn, depth: b.fn.depth + 1}
	old := b.fn
	recv := g.recv
	if recv != nil {
		// The receiver is evaluated when the delegate is made.
		v := b.temp(recv.t)
		v.cell, v.slot = true, b.slot(reprObj)
		n := v.slot
		set := b.store(v, recv.c)
		h := *g
		b.fn = fn
		r := operand{pos: recv.pos, t: recv.t, c: b.load(v)}
		b.fn = old
		h.recv = &r
		g = &h
		recv = &operand{c: code{v: func(fr *Frame) { fr.objs[n] = &cell{}; set(fr) }}}
	}
	b.fn = fn
	defer func() { b.fn = old }()
	for i, p := range sig.params {
		if p.typ.open {
			return x, false
		}
		slots[i] = b.temp(p.typ)
		args[i] = arg{x: operand{pos: x.pos, t: p.typ, c: b.load(slots[i])}, mode: p.mode}
		if p.mode != "" {
			args[i].x.lv = b.localTarget(slots[i])
		}
	}
	var res operand
	ok := b.attempt(func() {
		if g.local != nil {
			res = b.callLocal(x.pos, g, args)
			return
		}
		res = b.callGroup(x.pos, g, args)
	}) == nil
	if !ok {
		return x, false
	}
	body := res.c
	if sig.result.kind != kindVoid {
		y, ok := b.implicit(res, sig.result)
		if !ok {
			return x, false
		}
		body = y.c
	} else if res.t.kind != kindVoid {
		o := boxer(res.c, res.t)
		body = code{v: func(fr *Frame) { o(fr) }}
	}
	f := &function{lib: b.lib, fn: fn, enter: new([]int), result: sig.result, body: boxer(body, sig.result)}
	for i, v := range slots {
		f.setters = append(f.setters, b.storeBoxed(v))
		f.getters = append(f.getters, boxer(b.load(v), v.t))
		f.modes = append(f.modes, sig.params[i].mode)
	}
	f.pool.New = func() any { return f.fn.layout.newFrame() }
	return operand{pos: x.pos, t: t, nonNull: true, c: code{o: func(fr *Frame) any {
		if recv != nil {
			recv.c.v(fr)
		}
		return f.delegate(fr, t)
	}}}, true
}

// invoke calls a value of a delegate type.
func (b *binder) invoke(pos int, f operand, args []arg) operand {
	sig := f.t.delegate()
	m := &Member{owner: f.t, sig: sig, static: true, decl: f.t.String()}
	target := nonNull(f.c.o)
	m.fn = delegateCall(sig, func(*callSite) func(*Frame) any { return target })
	best, err := b.choose(pos, "Invoke", []found{{m: m, owner: b.t.delegate}}, args, nil, nil)
	if best == nil {
		if err.code == "CS1501" {
			b.fail(pos, "CS1593", "Delegate '%s' does not take %d arguments", f.t, len(args))
		}
		panic(*err)
	}
	return b.emit(pos, *best)
}

// delegateCall is the Func that calls the delegate found by target with boxed arguments.
func delegateCall(sig *signature, target func(*callSite) func(*Frame) any) Func {
	return Func{result: reprObj, emit: func(site *callSite) code {
		get := target(site)
		boxed := make([]func(*Frame) any, len(site.args))
		for i, a := range site.args {
			t := sig.params[i].typ
			if sig.params[i].mode != "" {
				boxed[i] = a.o
			} else {
				boxed[i] = boxer(a, t)
			}
		}
		call := func(fr *Frame) any {
			d := get(fr).(*Delegate)
			args := make([]any, len(boxed))
			for i, f := range boxed {
				args[i] = f(fr)
			}
			return d.Call(fr.run, args)
		}
		return code{o: call, v: func(fr *Frame) { call(fr) }}
	}}
}

// localFunction is a local function, bound once for each list of type arguments.
type localFunction struct {
	decl  *localFunc
	scope *scope
	fn    *funcState
	sig   *signature
	insts map[string]*localInst
	fill  *[]func(*Frame) // what makes the delegates on entry of the block
	bound map[string]*Type
}

type localInst struct {
	cell *local
	f    *function
}

// declareLocal brings a local function into scope before the statements around it are bound.
func (b *binder) declareLocal(d *localFunc, fill *[]func(*Frame)) {
	if b.scope.funcs[d.name] != nil || b.scope.names[d.name] != nil {
		b.fail(d.at(), "CS0128", "A local variable or function named '%s' is already defined in this scope", d.name)
	}
	lf := &localFunction{decl: d, scope: b.scope, fn: b.fn, insts: map[string]*localInst{}, fill: fill, bound: b.bound}
	r := typeScope{lib: b.lib, bound: b.bound}
	var typeParams []*Type
	for _, n := range d.typeParams {
		tp := b.lib.family.newType(kindTypeParam, "", n)
		tp.open = true
		typeParams = append(typeParams, tp)
	}
	sig, err := r.signature(d.name, d.result, typeParams, d.params)
	if err != nil {
		b.fail(d.at(), "CS0246", "%s", err.Error())
	}
	lf.sig = sig
	b.scope.funcs[d.name] = lf
}

func (b *binder) callLocal(pos int, g *methodGroup, args []arg) operand {
	lf := g.local
	m := &Member{owner: b.t.object, sig: lf.sig, static: true, decl: lf.decl.name}
	var inst *localInst
	m.fn = delegateCall(lf.sig, func(site *callSite) func(*Frame) any {
		inst = b.instantiate(lf, site.types)
		return b.load(inst.cell).o
	})
	best, err := b.choose(pos, lf.decl.name, []found{{m: m, owner: b.t.object}}, args, g.typeArgs, nil)
	if best == nil {
		panic(*err)
	}
	return b.emit(pos, *best)
}

func (b *binder) localResult(g *methodGroup, args []arg) *Type {
	m := &Member{owner: b.t.object, sig: g.local.sig, static: true}
	best, _ := b.choose(0, "", []found{{m: m, owner: b.t.object}}, args, g.typeArgs, nil)
	if best == nil {
		return nil
	}
	return b.closed(*best, best.m.sig.result)
}

// instantiate binds the body of a local function for closed type arguments.
func (b *binder) instantiate(lf *localFunction, types []*Type) *localInst {
	k := typeKey(types)
	if in := lf.insts[k]; in != nil {
		return in
	}
	in := &localInst{cell: &local{name: lf.decl.name, t: b.t.object, fn: lf.fn, cell: true, slot: lf.fn.layout.objs}}
	lf.fn.layout.objs++
	lf.insts[k] = in
	fn, scope, flow, jumps, bound := b.fn, b.scope, b.flow.clone(), b.jumps, b.bound
	defer func() { b.fn, b.scope, b.flow, b.jumps, b.bound = fn, scope, flow, jumps, bound }()
	b.bound = map[string]*Type{}
	for n, t := range lf.bound {
		b.bound[n] = t
	}
	for i, n := range lf.decl.typeParams {
		b.bound[n] = types[i]
	}
	b.jumps = nil
	result := lf.sig.result.subst(lf.sig.typeParams, types)
	b.fn = &funcState{outer: lf.fn, depth: lf.fn.depth + 1, result: result}
	b.scope = lf.scope
	f := &function{lib: b.lib, fn: b.fn, enter: new([]int), result: result}
	s := b.push()
	s.cells = f.enter
	for i, p := range lf.sig.params {
		v := b.declare(lf.decl.params[i].at(), p.name, p.typ.subst(lf.sig.typeParams, types))
		if p.mode != "out" {
			b.flow.set(v.id)
		}
		f.setters = append(f.setters, b.storeBoxed(v))
		f.getters = append(f.getters, boxer(b.load(v), v.t))
		f.modes = append(f.modes, p.mode)
	}
	if lf.decl.body != nil {
		x := b.value(lf.decl.body)
		switch {
		case result.kind == kindVoid && x.stmt != nil:
			f.body = boxer(code{v: x.stmt}, result)
		case result.kind == kindVoid:
			f.body = boxer(x.c, x.t)
		default:
			f.body = boxer(b.convert(x, result, "").c, result)
		}
	} else {
		run := b.block(lf.decl.block)
		if !b.flow.dead && result.kind != kindVoid {
			b.fail(lf.decl.at(), "CS0161", "'%s': not all code paths return a value", lf.decl.name)
		}
		f.body = boxer(returning(run, result), result)
	}
	f.pool.New = func() any { return f.fn.layout.newFrame() }
	in.f = f
	slot := in.cell.slot
	t := b.t.delegate
	*lf.fill = append(*lf.fill, func(fr *Frame) { fr.objs[slot].(*cell).o = f.delegate(fr, t) })
	*lf.scope.cells = append(*lf.scope.cells, slot)
	return in
}
