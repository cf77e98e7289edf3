package csharp

import "math/bits"

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
	cell  *local
	f     *function
	needs []*local   // captured variables that every call needs to have a value
	err   *bindError // its body does not compile
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
	if b.scope.funcs == nil {
		b.scope.funcs = map[string]*localFunction{}
	}
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
	out := b.emit(pos, *best)
	for _, v := range inst.needs {
		b.needAssigned(pos, v)
	}
	if gives := inst.f; gives != nil && !gives.fn.exits.dead {
		for i, w := range gives.fn.exits.bits {
			for ; w != 0; w &= w - 1 {
				b.flow.set(i*64 + bits.TrailingZeros64(w))
			}
		}
	}
	return out
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
		if in.err != nil {
			panic(*in.err)
		}
		return in
	}
	in := &localInst{cell: &local{name: lf.decl.name, t: b.t.object, fn: lf.fn, cell: true, slot: lf.fn.layout.objs}}
	lf.fn.layout.objs++
	lf.insts[k] = in
	if in.err = b.attempt(func() { b.instance(lf, in, types) }); in.err != nil {
		panic(*in.err)
	}
	slot := in.cell.slot
	t, f := b.t.delegate, in.f
	*lf.fill = append(*lf.fill, func(fr *Frame) { fr.objs[slot].(*cell).o = f.delegate(fr, t) })
	*lf.scope.cells = append(*lf.scope.cells, slot)
	return in
}

// instance binds a local function's body. It starts without values in the variables around it: see needAssigned.
func (b *binder) instance(lf *localFunction, in *localInst, types []*Type) {
	fn, scope, before, jumps, bound := b.fn, b.scope, b.flow, b.jumps, b.bound
	defer func() { b.fn, b.scope, b.flow, b.jumps, b.bound = fn, scope, before, jumps, bound }()
	b.flow = flow{}
	b.bound = map[string]*Type{}
	for n, t := range lf.bound {
		b.bound[n] = t
	}
	for i, n := range lf.decl.typeParams {
		b.bound[n] = types[i]
	}
	b.jumps = nil
	result := lf.sig.result.subst(lf.sig.typeParams, types)
	b.fn = &funcState{outer: lf.fn, depth: lf.fn.depth + 1, result: result, inst: in, exits: flow{dead: true}}
	b.scope = lf.scope
	f := &function{lib: b.lib, fn: b.fn, enter: new([]int), result: result}
	s := b.push()
	defer s.close()
	s.cells = f.enter
	for i, p := range lf.sig.params {
		v := b.declare(lf.decl.params[i].at(), p.name, p.typ.subst(lf.sig.typeParams, types))
		if v.out = p.mode == "out"; v.out {
			b.fn.outs = append(b.fn.outs, v)
		} else {
			b.flow.set(v.id)
		}
		f.setters = append(f.setters, b.storeBoxed(v))
		f.getters = append(f.getters, boxer(b.load(v), v.t))
		f.modes = append(f.modes, p.mode)
	}
	if lf.decl.body != nil {
		x := b.value(lf.decl.body)
		switch {
		case result.kind == kindVoid && !isStatement(lf.decl.body):
			b.fail(lf.decl.body.at(), "CS0201", notAStatement)
		case result.kind == kindVoid && x.stmt != nil:
			f.body = boxer(code{v: x.stmt}, result)
		case result.kind == kindVoid:
			f.body = boxer(x.c, x.t)
		default:
			f.body = boxer(b.convert(x, result, "").c, result)
		}
		b.exit(lf.decl.at())
	} else {
		if lf.decl.iterator {
			b.fn.item = b.iterated(lf.decl.at(), lf.decl.name, result)
			f.iter = true
		}
		run := b.block(lf.decl.block)
		if !b.flow.dead && result.kind != kindVoid && !f.iter {
			b.fail(lf.decl.at(), "CS0161", "'%s': not all code paths return a value", lf.decl.name)
		}
		if !b.flow.dead {
			b.exit(lf.decl.at())
		}
		f.body = boxer(returning(run, result), result)
	}
	f.pool.New = func() any { return f.fn.layout.newFrame() }
	in.f = f
}
