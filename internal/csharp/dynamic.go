package csharp

// The type dynamic: an operation on it is bound at run time, by the same binder, to the run-time types of its operands.

const runtimeBinderException = "Microsoft.CSharp.RuntimeBinder.RuntimeBinderException"

// dynamicOp makes an operand that evaluates xs, binds f to their values at run time and gives its boxed result.
func (b *binder) dynamicOp(pos int, xs []operand, f func(b *binder, xs []operand) operand) operand {
	lib := b.lib
	gets := make([]func(*Frame) any, len(xs))
	for i, x := range xs {
		if x.lambda != nil || x.group != nil {
			b.fail(x.pos, "CS1977", "Cannot use a lambda expression as an argument to a dynamically dispatched operation without first casting it to a delegate or expression tree type.")
		}
		gets[i] = boxer(x.c, x.t)
	}
	return operand{pos: pos, t: b.t.dynamic, c: code{o: func(fr *Frame) any {
		fr.run.Step()
		vals := make([]any, len(gets))
		ops := make([]operand, len(gets))
		rt := &binder{lib: lib, t: &lib.family.t, lambdas: map[lambdaKey]*boundLambda{}, fn: &funcState{}, used: map[string]int{}, runtime: true}
		rt.push()
		for i, g := range gets {
			vals[i] = g(fr)
			ops[i] = rt.runtimeOperand(xs[i], vals, i)
		}
		var out operand
		if err := rt.attempt(func() { out = f(rt, ops) }); err != nil {
			if len(ops) > 0 && vals[0] == nil && err.code != "CS0037" {
				Throw(runtimeBinderException, "Cannot perform runtime binding on a null reference")
			}
			Throw(runtimeBinderException, err.msg)
		}
		inner := rt.fn.layout.newFrame()
		inner.run = fr.run
		return boxer(out.c, out.t)(inner)
	}}}
}

// runtimeOperand is an operand of the type that the value has at run time, unless its static type was not dynamic.
func (b *binder) runtimeOperand(x operand, vals []any, i int) operand {
	t := x.t
	if t.kind == kindDynamic {
		if t = b.lib.TypeOf(vals[i]); t == nil {
			return b.constant(x.pos, b.t.null, nil)
		}
	}
	return operand{pos: x.pos, t: t, c: unboxer(func(*Frame) any { return vals[i] }, t), konst: x.konst, val: x.val}
}

// A DynamicOperand has operators of its own where it is the left operand of a dynamic operation.
type DynamicOperand interface {
	// DynamicBinary gives the boxed result; ok is false where C#'s own rules apply.
	DynamicBinary(op string, right any) (result any, ok bool)
}

func (b *binder) dynamicBinary(pos int, op string, x, y operand) operand {
	out := b.dynamicOp(pos, []operand{x, y}, func(b *binder, v []operand) operand {
		own, _ := boxer(v[0].c, v[0].t)(nil).(DynamicOperand)
		if own != nil {
			if r, ok := own.DynamicBinary(op, boxer(v[1].c, v[1].t)(nil)); ok {
				return operand{pos: pos, t: b.t.object, c: code{o: func(*Frame) any { return r }}}
			}
		}
		return b.binary(pos, op, v[0], v[1])
	})
	switch op {
	case "==", "!=", "<", ">", "<=", ">=":
		o := out.c.o
		return operand{pos: pos, t: b.t.bool, c: code{b: func(fr *Frame) bool { v, _ := o(fr).(bool); return v }}}
	}
	return out
}

func (b *binder) dynamicUnary(pos int, op string, x operand) operand {
	return b.dynamicOp(pos, []operand{x}, func(b *binder, v []operand) operand { return b.unary(pos, op, v[0]) })
}

func (b *binder) dynamicConvert(x operand, t *Type) operand {
	out := b.dynamicOp(x.pos, []operand{x}, func(b *binder, v []operand) operand { return b.explicit(v[0], t) })
	return operand{pos: x.pos, t: t, c: unboxer(out.c.o, t)}
}

// dynamicMember is x.name: a property now, or a method group if a call follows.
func (b *binder) dynamicMember(pos int, x operand, name string) operand {
	get := b.dynamicOp(pos, []operand{x}, func(b *binder, v []operand) operand { return b.dynamicProperty(pos, v[0], name) })
	get.group = nil
	get.dyn = &dynamicName{x, name}
	get.lv = &lvalue{assign: func(c code) func(*Frame) {
		put := b.dynamicOp(pos, []operand{x, {t: b.t.dynamic, c: c}}, func(b *binder, v []operand) operand {
			target := b.dynamicProperty(pos, v[0], name)
			b.assignable(&identExpr{name: name}, target)
			do := target.lv.assign(b.convert(v[1], target.t, "").c)
			return operand{t: b.t.void, c: code{v: do}}
		})
		return func(fr *Frame) { put.c.o(fr) }
	}}
	get.lv.spill = func() (func(*Frame), code, func(code) func(*Frame)) { return nil, get.c, get.lv.assign }
	return get
}

// dynamicName remembers how a dynamic member was named, for a call of it.
type dynamicName struct {
	recv operand
	name string
}

// dynamicProperty is a member at run time; a JSON object's members are its properties, as Newtonsoft provides.
func (b *binder) dynamicProperty(pos int, x operand, name string) operand {
	if x.t.kind == kindClass && x.t.name == "JObject" {
		ix := &indexExpr{pos: 0, args: []argument{{x: &litExpr{val: name}}}}
		return b.indexOf(ix, x)
	}
	return b.memberOf(&memberExpr{name: name}, x)
}

func (b *binder) dynamicIndex(e *indexExpr, x operand) operand {
	xs := []operand{x}
	for _, a := range e.args {
		xs = append(xs, b.operandValue(a.x))
	}
	bindIndex := func(b *binder, v []operand) operand {
		ix := &indexExpr{pos: e.pos}
		for _, y := range v[1:len(xs)] {
			ix.args = append(ix.args, argument{x: &boundExpr{x: y}})
		}
		return b.indexOf(ix, v[0])
	}
	get := b.dynamicOp(e.at(), xs, bindIndex)
	get.lv = &lvalue{assign: func(c code) func(*Frame) {
		put := b.dynamicOp(e.at(), append(xs[:len(xs):len(xs)], operand{t: b.t.dynamic, c: c}), func(b *binder, v []operand) operand {
			target := bindIndex(b, v)
			b.assignable(e, target)
			do := target.lv.assign(b.convert(v[len(v)-1], target.t, "").c)
			return operand{t: b.t.void, c: code{v: do}}
		})
		return func(fr *Frame) { put.c.o(fr) }
	}}
	get.lv.spill = func() (func(*Frame), code, func(code) func(*Frame)) { return nil, get.c, get.lv.assign }
	return get
}

// boundExpr stands in the tree for an operand that is bound already.
type boundExpr struct {
	pos
	x operand
}

// dynamicInvoke calls a member of a dynamic value or a dynamic delegate.
func (b *binder) dynamicInvoke(e *callExpr, f operand) operand {
	args := b.args(e.args)
	if f.dyn != nil {
		return b.dynamicCall(e.at(), &methodGroup{name: f.dyn.name, dynamic: &f.dyn.recv}, args)
	}
	xs := []operand{f}
	for _, a := range args {
		xs = append(xs, a.x)
	}
	return b.dynamicOp(e.at(), xs, func(b *binder, v []operand) operand {
		list := make([]arg, len(args))
		for i := range args {
			list[i] = arg{x: v[i+1]}
		}
		return b.invoke(e.at(), v[0], list)
	})
}

// dynamicCall calls a method whose receiver or an argument is dynamic.
func (b *binder) dynamicCall(pos int, g *methodGroup, args []arg) operand {
	var xs []operand
	recv := g.recv
	if g.dynamic != nil {
		recv = g.dynamic
	}
	if recv != nil {
		xs = append(xs, *recv)
	}
	for _, a := range args {
		if a.mode != "" {
			b.fail(pos, "CS1978", "ref and out arguments are not available in a dynamic call")
		}
		xs = append(xs, a.x)
	}
	return b.dynamicOp(pos, xs, func(b *binder, v []operand) operand {
		list := make([]arg, len(args))
		for i := range args {
			list[i] = arg{x: v[len(v)-len(args)+i], name: args[i].name}
		}
		h := *g
		if recv != nil {
			m := b.memberOf(&memberExpr{name: g.name}, v[0])
			if m.group == nil {
				return b.invoke(pos, m, list)
			}
			h = *m.group
			h.typeArgs = g.typeArgs
		}
		return b.callGroup(pos, &h, list)
	})
}
