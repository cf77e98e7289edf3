package csharp

// inference is type inference for the type parameters of one generic member.
type inference struct {
	params []*Type
	exact  [][]*Type
	bounds [][]*Type
	fixed  []*Type
}

func newInference(params []*Type) *inference {
	n := len(params)
	return &inference{params, make([][]*Type, n), make([][]*Type, n), make([]*Type, n)}
}

func (in *inference) index(t *Type) int {
	for i, p := range in.params {
		if p == t {
			return i
		}
	}
	return -1
}

// lower learns that a value of type from goes to a parameter of type t.
func (in *inference) lower(b *binder, t, from *Type) {
	if !t.open || from.kind == kindNull || from.kind == kindLambda || from.kind == kindError || from.kind == kindVoid {
		return
	}
	if i := in.index(t); i >= 0 {
		in.bounds[i] = append(in.bounds[i], from)
		return
	}
	switch {
	case t.kind == kindNullable && t.elem != nil:
		in.lower(b, t.elem, from.underlying())
	case t.kind == kindArray:
		if from.kind == kindArray && from.rank == t.rank {
			in.lower(b, t.elem, from.elem)
		}
	case t.kind == kindRecord && from.kind == kindRecord && len(t.fields) == len(from.fields):
		for i := range t.fields {
			in.equal(t.fields[i].typ, from.fields[i].typ)
		}
	case t.def != nil:
		same := instancesOf(from, t.def)
		if len(same) != 1 {
			return
		}
		for i, a := range t.args {
			if k := in.index(a); k >= 0 && t.kind == kindInterface && (t.name == "IEnumerable" || t.name == "IReadOnlyList" || t.name == "IGrouping") {
				in.bounds[k] = append(in.bounds[k], same[0].args[i])
			} else {
				in.equal(a, same[0].args[i])
			}
		}
	}
}

// equal learns that t must become exactly from.
func (in *inference) equal(t, from *Type) {
	if !t.open {
		return
	}
	if i := in.index(t); i >= 0 {
		in.exact[i] = append(in.exact[i], from)
		return
	}
	switch {
	case (t.kind == kindArray || t.kind == kindNullable) && from.kind == t.kind && t.elem != nil && from.elem != nil:
		in.equal(t.elem, from.elem)
	case t.def != nil && t.def == from.def:
		for i := range t.args {
			in.equal(t.args[i], from.args[i])
		}
	}
}

// instancesOf finds the instances of a generic definition among t, its bases and interfaces.
func instancesOf(t, def *Type) []*Type {
	var out []*Type
	seen := map[*Type]bool{}
	var visit func(t *Type)
	visit = func(t *Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		if t.def == def {
			out = append(out, t)
			return
		}
		for _, i := range t.interfaces() {
			visit(i)
		}
		visit(t.Base())
	}
	visit(t)
	return out
}

// fix decides one type parameter from its bounds.
func (in *inference) fix(b *binder, i int) bool {
	if in.fixed[i] != nil {
		return true
	}
	list := append(append([]*Type(nil), in.exact[i]...), in.bounds[i]...)
	if len(in.exact[i]) > 0 {
		in.fixed[i] = in.exact[i][0]
		return true
	}
	in.fixed[i] = b.bestType(list)
	return in.fixed[i] != nil
}

// bestType is the type in the list to which all others convert.
func (b *binder) bestType(list []*Type) *Type {
	for _, t := range list {
		all := true
		for _, u := range list {
			if u != t {
				if _, ok := b.implicit(operand{t: u, c: zeroCode(u)}, t); !ok {
					all = false
					break
				}
			}
		}
		if all {
			return t
		}
	}
	return nil
}

func (in *inference) fixedOrObject(b *binder) []*Type {
	out := make([]*Type, len(in.params))
	for i := range out {
		if in.fix(b, i); in.fixed[i] != nil {
			out[i] = in.fixed[i]
		} else {
			out[i] = b.t.object
		}
	}
	return out
}

// infer finds the type arguments of a call, nil when they do not follow from the arguments. params are the parameter types by
// argument.
func (b *binder) infer(typeParams, params []*Type, args []arg) []*Type {
	in := newInference(typeParams)
	for i, a := range args {
		switch {
		case a.x.lambda != nil:
			if d := params[i].delegate(); d != nil && a.x.lambda.typed && len(d.params) == len(a.x.lambda.params) {
				for k, p := range a.x.lambda.params {
					in.equal(d.params[k].typ, b.typ(p.typ))
				}
			}
		case a.x.group != nil:
		case a.mode != "":
			in.equal(params[i], a.x.t)
		default:
			in.lower(b, params[i], a.x.t)
		}
	}
	done := make([]bool, len(args))
	for progress := true; progress; {
		progress = false
		for i, a := range args {
			if done[i] || a.x.lambda == nil && a.x.group == nil {
				continue
			}
			d := params[i].delegate()
			if d == nil || !in.fixInputs(b, d) {
				continue
			}
			done[i], progress = true, true
			inputs := make([]*Type, len(d.params))
			for k, p := range d.params {
				inputs[k] = p.typ.subst(in.params, in.fixed)
			}
			if t := b.resultOf(a.x, inputs); t != nil {
				in.lower(b, d.result, t)
			}
		}
	}
	for i := range typeParams {
		if !in.fix(b, i) {
			return nil
		}
	}
	return in.fixed
}

// fixInputs fixes the type parameters that the parameters of a delegate mention.
func (in *inference) fixInputs(b *binder, d *signature) bool {
	for _, p := range d.params {
		for i, tp := range in.params {
			if mentions(p.typ, tp) && !in.fix(b, i) {
				return false
			}
		}
	}
	return true
}

func mentions(t, param *Type) bool {
	switch {
	case t == param:
		return true
	case !t.open:
		return false
	case t.kind == kindArray:
		return mentions(t.elem, param)
	}
	for _, a := range t.args {
		if mentions(a, param) {
			return true
		}
	}
	return false
}

// resultOf is the type that a lambda or method group gives for those inputs, nil when it has none.
func (b *binder) resultOf(x operand, inputs []*Type) *Type {
	if x.lambda != nil {
		if len(x.lambda.params) != len(inputs) && !x.lambda.any {
			return nil
		}
		bl := b.inferLambda(x.lambda, inputs)
		if bl.err != nil {
			b.lambdaError = bl.err
			return nil
		}
		return bl.result
	}
	args := make([]arg, len(inputs))
	for i, t := range inputs {
		args[i] = arg{x: operand{t: t, c: zeroCode(t)}}
	}
	if x.group.local != nil {
		return b.localResult(x.group, args)
	}
	best, _ := b.chooseGroup(x.pos, x.group, args)
	if best == nil {
		return nil
	}
	return b.closed(*best, best.m.sig.result)
}

// delegate is the closed signature of a delegate type, nil for other types.
func (t *Type) delegate() *signature {
	if t.kind != kindDelegate {
		return nil
	}
	if t.def == nil {
		return t.invoke
	}
	s := t.def.invoke
	if s == nil {
		return nil
	}
	out := *s
	out.result = s.result.subst(t.def.params, t.args)
	out.params = make([]sigParam, len(s.params))
	for i, p := range s.params {
		p.typ = p.typ.subst(t.def.params, t.args)
		out.params[i] = p
	}
	return &out
}

func paramTypes(s *signature) []*Type {
	out := make([]*Type, len(s.params))
	for i, p := range s.params {
		out[i] = p.typ
	}
	return out
}
