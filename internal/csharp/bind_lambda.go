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
	scope  *scope
	flow   flow
	params []*local
	result *Type // inferred; nil for a body without a usable type
	expr   expr  // of an expression body
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
	defer s.close()
	bl.scope = s
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
		if v.out = p.mode == "out"; v.out {
			b.fn.outs = append(b.fn.outs, v)
		} else {
			b.flow.set(v.id)
		}
		bl.params = append(bl.params, v)
		if l.scope != nil && i == 0 {
			s.rng = v
		}
	}
	if l.body != nil {
		bl.body, bl.expr = b.value(l.body), l.body
		bl.result = bl.body.t
		if bl.body.t.kind == kindNull || bl.body.t.kind == kindLambda || bl.body.isThrow {
			bl.result = nil
		}
		b.exit(l.at())
		bl.flow = b.flow.clone()
		return
	}
	run := b.block(l.block)
	reachable := !b.flow.dead
	b.exit(l.at())
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
	b.lambdaError = nil
	if len(l.params) != len(sig.params) && !l.any {
		b.lambdaError = &bindError{x.pos, "CS1593", "Delegate '" + t.String() + "' does not take " + formatInt(int64(len(l.params))) + " arguments"}
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
		case !isStatement(bl.expr):
			b.lambdaError = &bindError{x.pos, "CS0201", notAStatement}
			return code{}, false
		default:
			o := boxer(x.c, x.t)
			return code{v: func(fr *Frame) { o(fr) }}, x.t.kind != kindLambda && x.t.kind != kindNull
		}
	}
	if bl.body.t.kind == kindVoid && !bl.body.isThrow {
		return code{}, false
	}
	old, scope, before := b.fn, b.scope, b.flow
	b.fn, b.scope, b.flow = bl.fn, bl.scope, bl.flow
	y, ok := b.implicit(bl.body, result)
	b.fn, b.scope, b.flow = old, scope, before
	if !ok && (bl.body.lambda == nil || b.lambdaError == nil) {
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
	iter    bool // a call gives a sequence that runs the body
}

// delegate binds the function to the variables that it captures in fr.
func (f *function) delegate(fr *Frame, t *Type) *Delegate {
	d := &Delegate{Type: t}
	cells := make([]any, len(f.fn.captures))
	for i, c := range f.fn.captures {
		cells[i] = fr.objs[c.from]
	}
	d.Call = func(r *Run, args []any) any {
		if f.iter {
			return &sequenceOfCalls{f, cells, args}
		}
		return f.call(r, cells, args, nil)
	}
	return d
}

func (f *function) call(r *Run, cells, args []any, yield func(any) bool) any {
	r.enter()
	fr := f.pool.Get().(*Frame)
	fr.run, fr.yield = r, yield
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
	fr.yield = nil
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
