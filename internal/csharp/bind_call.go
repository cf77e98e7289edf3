package csharp

// methodGroup is a method name before its call: candidates and the receiver.
type methodGroup struct {
	name     string
	recv     *operand
	typ      *Type // of a static call
	found    []found
	exts     []*Member
	typeArgs []*Type
	local    *localFunction
	dynamic  *operand // receiver whose members are found at run time
}

// arg is a bound argument of a call.
type arg struct {
	name string
	mode string
	x    operand
	decl *declExpr // out var x
}

// candidate is a member that a call may mean, with converted arguments in the order of the parameters.
type candidate struct {
	m        *Member
	owner    *Type
	recv     *operand
	typeArgs []*Type
	args     []operand
	refs     []refArg
	expanded bool
	defaults int
	depth    int
	params   []*Type // type of the parameter that each written argument goes to
	generic  []*Type // the same before type inference
}

// refArg is an out or ref argument that is copied back after the call.
type refArg struct {
	param int
	lv    *lvalue
	t     *Type
	decl  *declExpr
}

func (b *binder) args(list []argument) []arg {
	out := make([]arg, len(list))
	for i, a := range list {
		out[i] = arg{name: a.name, mode: a.mode}
		switch {
		case a.mode == "out":
			if d, ok := a.x.(*declExpr); ok {
				out[i].decl = d
				out[i].x = operand{pos: a.at(), t: b.t.err}
				if d.typ != nil && !d.typ.isVar() {
					out[i].x.t = b.typ(d.typ)
				}
				continue
			}
			lv, t := b.target(a.x)
			out[i].x = operand{pos: a.at(), t: t, lv: lv}
		case a.mode != "":
			out[i].x = b.value(a.x)
			if out[i].x.lv == nil {
				b.fail(a.at(), "CS1510", "A ref or out value must be an assignable variable")
			}
		default:
			out[i].x = b.value(a.x)
			if out[i].x.t.kind == kindVoid && !out[i].x.isThrow {
				b.fail(a.at(), "CS1503", "Argument %d: cannot convert from 'void'", i+1)
			}
		}
	}
	return out
}

func (b *binder) call(e *callExpr) operand {
	if id, ok := e.fn.(*identExpr); ok && id.name == "nameof" && len(e.args) == 1 {
		if _, ok := b.localName(id); !ok {
			return b.nameofCall(e)
		}
	}
	f := b.called(e)
	if f.t.kind == kindDynamic {
		return b.dynamicInvoke(e, f)
	}
	args := b.args(e.args)
	for _, a := range args {
		if a.x.t.kind == kindDynamic && f.group != nil && f.group.local == nil {
			return b.dynamicCall(e.fn.at(), f.group, args)
		}
	}
	switch {
	case f.group != nil && f.group.dynamic != nil:
		return b.dynamicCall(e.fn.at(), f.group, args)
	case f.group != nil && f.group.local != nil:
		return b.callLocal(e.fn.at(), f.group, args)
	case f.group != nil && e.query:
		return b.queryCall(e.fn.at(), f.group, args)
	case f.group != nil:
		return b.callGroup(e.fn.at(), f.group, args)
	case f.t.kind == kindDelegate:
		return b.invoke(e.at(), f, args)
	}
	b.needValue(f)
	if name := nameOf(e.fn); name != "" && f.lv == nil || f.lv != nil && f.lv.prop {
		b.fail(e.fn.at(), "CS1955", "Non-invocable member '%s' cannot be used like a method", nameOf(e.fn))
	}
	b.fail(e.fn.at(), "CS0149", "Method name expected")
	return operand{}
}

// called binds what a call names.
func (b *binder) called(e *callExpr) operand {
	m, member := e.fn.(*memberExpr)
	b.invoked = member
	defer func() { b.invoked = false }()
	if !e.query {
		return b.expr(e.fn)
	}
	x := b.operandValue(m.x)
	f := operand{}
	b.queryPart(m.x.at(), x.t, m.name, func() { f = b.memberOf(m, x) })
	f.pos = m.at()
	return f
}

func (b *binder) queryCall(pos int, g *methodGroup, args []arg) (x operand) {
	b.queryPart(g.recv.pos, g.recv.t, g.name, func() { x = b.callGroup(pos, g, args) })
	return x
}

// queryPart says of a member that is not there that the query needs it.
func (b *binder) queryPart(pos int, source *Type, name string, f func()) {
	err := b.attempt(f)
	switch {
	case err == nil:
	case err.code == "CS1061":
		b.fail(pos, "CS1936", "Could not find an implementation of the query pattern for source type '%s'. '%s' not found.", source, name)
	default:
		panic(*err)
	}
}

func (b *binder) nameofCall(e *callExpr) operand {
	x := e.args[0].x
	name := nameOf(x)
	if t, ok := x.(*typeExpr); ok {
		name = t.typ.parts[0].name
	}
	if name == "" {
		b.fail(e.at(), "CS8081", "Expression does not have a name.")
	}
	b.assigning = true
	defer func() { b.assigning = false }()
	// An instance member may be named through its type here.
	if err := b.attempt(func() { b.expr(x) }); err != nil && err.code != "CS0120" {
		panic(*err)
	}
	return b.constant(e.at(), b.t.string, name)
}

func (b *binder) callGroup(pos int, g *methodGroup, args []arg) operand {
	best, err := b.chooseGroup(pos, g, args)
	if best == nil {
		panic(*err)
	}
	b.allow(pos, found{m: best.m, owner: best.owner})
	return b.emit(pos, *best)
}

// chooseGroup resolves a call of a method group: instance methods first, then extension methods.
func (b *binder) chooseGroup(pos int, g *methodGroup, args []arg) (*candidate, *bindError) {
	var err *bindError
	if len(g.found) > 0 {
		var best *candidate
		if best, err = b.choose(pos, g.name, g.found, args, g.typeArgs, g.recv); best != nil {
			if !best.m.static && best.recv == nil {
				return nil, &bindError{pos, "CS0120", "An object reference is required for the non-static method '" + best.owner.String() + "." + g.name + "'"}
			}
			return best, nil
		}
	}
	if g.recv == nil || len(g.exts) == 0 {
		return nil, err
	}
	list := make([]found, len(g.exts))
	for i, m := range g.exts {
		list[i] = found{m: m, owner: m.owner}
	}
	best, extErr := b.choose(pos, g.name, list, append([]arg{{x: *g.recv}}, args...), g.typeArgs, nil)
	if best != nil {
		return best, nil
	}
	if err == nil {
		err = extErr
		// An extension whose receiver does not fit is no candidate: then the member is unknown.
		fits := false
		for _, m := range g.exts {
			if b.attempt(func() { b.fitsReceiver(*g.recv, m) }) == nil {
				fits = true
			}
		}
		if !fits {
			return nil, &bindError{pos, "CS1061", "'" + g.recv.t.String() + "' does not contain a definition for '" + g.name + "'" + b.suggestMember(g.recv.t, g.name, false)}
		}
	}
	return nil, err
}

func (b *binder) fitsReceiver(x operand, m *Member) {
	t := m.sig.params[0].typ
	inf := newInference(m.sig.typeParams)
	inf.lower(b, t, x.t)
	b.convert(x, t.subst(m.sig.typeParams, inf.fixedOrObject(b)), "")
}

// choose does overload resolution. Without an applicable member it gives the error to report.
func (b *binder) choose(pos int, name string, list []found, args []arg, typeArgs []*Type, recv *operand) (*candidate, *bindError) {
	var fit []*candidate
	var why *bindError
	counts := false
	for _, f := range list {
		for _, expanded := range []bool{false, true} {
			if expanded && !f.m.sig.variadic {
				continue
			}
			c, err := b.applicable(pos, f, args, typeArgs, expanded)
			if err == nil {
				c.depth = f.depth
				if !f.m.static {
					c.recv = recv
				}
				fit = append(fit, c)
				break
			}
			if why == nil || !counts && err.code != "CS1501" {
				why = err
				counts = err.code != "CS1501"
			}
		}
	}
	if len(fit) == 0 {
		if why != nil && why.code == "CS1501" {
			why.msg = "No overload for method '" + name + "' takes " + formatInt(int64(len(args))) + " arguments"
			if len(list) == 1 {
				missingArgument(why, name, list[0].m.sig, args)
			}
		}
		if why == nil {
			why = &bindError{pos, "CS1061", "No member '" + name + "' fits"}
		}
		return nil, why
	}
	// A method of a derived type hides those of its bases as soon as it is applicable.
	least := fit[0].depth
	for _, c := range fit {
		least = min(least, c.depth)
	}
	var near []*candidate
	for _, c := range fit {
		if c.depth == least || least >= 0 && c.owner.kind == kindInterface && c.depth < 100 {
			near = append(near, c)
		}
	}
	best := near[0]
	for _, c := range near[1:] {
		if b.better(c, best, args) {
			best = c
		}
	}
	for _, c := range near {
		if c != best && !b.better(best, c, args) && c.owner == best.owner {
			return nil, &bindError{pos, "CS0121", "The call is ambiguous between '" + best.m.decl + "' and '" + c.m.decl + "'"}
		}
	}
	return best, nil
}

// missingArgument says which parameter of the only candidate has no argument.
func missingArgument(e *bindError, name string, sig *signature, args []arg) {
	for i, p := range sig.params {
		given := i < len(args) && args[i].name == ""
		for _, a := range args {
			given = given || a.name == p.name
		}
		if !given && !p.hasOpt && p.mode != "params" {
			e.code = "CS7036"
			e.msg = "There is no argument given that corresponds to the required parameter '" + p.name + "' of '" + name + "'"
			return
		}
	}
}

// applicable tries one member in normal or expanded form.
func (b *binder) applicable(pos int, f found, args []arg, typeArgs []*Type, expanded bool) (*candidate, *bindError) {
	sig := f.m.sig
	fixed := len(sig.params)
	if expanded {
		fixed--
	}
	wrongCount := &bindError{pos: pos, code: "CS1501"}
	if len(args) > fixed && !expanded || len(typeArgs) > 0 && len(typeArgs) != len(sig.typeParams) {
		return nil, wrongCount
	}
	if err := outOfPosition(sig, args); err != nil {
		return nil, err
	}
	slots := make([]int, len(args)) // parameter of each argument
	filled := make([]bool, len(sig.params))
	for i, a := range args {
		at := i
		if a.name != "" {
			at = -1
			for j, p := range sig.params {
				if p.name == a.name {
					at = j
				}
			}
			if at < 0 || filled[at] {
				return nil, &bindError{a.x.pos, "CS1739", "The best overload for '" + sig.name + "' does not have a parameter named '" + a.name + "'"}
			}
		} else if i >= fixed {
			at = fixed
		}
		slots[i] = at
		filled[at] = true
	}
	for j, p := range sig.params {
		if !filled[j] && !p.hasOpt && !(expanded && j == fixed) {
			return nil, wrongCount
		}
	}
	paramType := func(i int) *Type {
		t := sig.params[slots[i]].typ
		if f.owner.def != nil {
			t = t.subst(f.owner.def.params, f.owner.args)
		}
		if expanded && slots[i] == fixed {
			return t.elem
		}
		return t
	}
	c := &candidate{m: f.m, owner: f.owner, expanded: expanded, typeArgs: typeArgs}
	for i := range args {
		c.generic = append(c.generic, paramType(i))
	}
	if len(sig.typeParams) > 0 && len(typeArgs) == 0 {
		b.lambdaError = nil
		inferred := b.infer(sig.typeParams, c.generic, args)
		if inferred == nil && b.lambdaError != nil {
			e := *b.lambdaError
			return nil, &e
		}
		if inferred == nil {
			return nil, &bindError{pos, "CS0411", "The type arguments for method '" + sig.name + "' cannot be inferred from the usage. Try specifying the type arguments explicitly."}
		}
		c.typeArgs = inferred
	}
	return c, b.bindArgs(c, args, slots, fixed)
}

// outOfPosition refuses a named argument in another place than its parameter's when one without a name follows.
func outOfPosition(sig *signature, args []arg) *bindError {
	for i, a := range args {
		if a.name == "" || i < len(sig.params) && sig.params[i].name == a.name {
			continue
		}
		for _, later := range args[i+1:] {
			if later.name == "" {
				return &bindError{a.x.pos, "CS8323", "Named argument '" + a.name + "' is used out-of-position but is followed by an unnamed argument"}
			}
		}
	}
	return nil
}

// bindArgs converts the arguments or gives the error of the first that does not fit.
func (b *binder) bindArgs(c *candidate, args []arg, slots []int, fixed int) *bindError {
	sig := c.m.sig
	out := make([]operand, len(sig.params))
	var rest []operand
	for i, a := range args {
		t := c.generic[i].subst(sig.typeParams, c.typeArgs)
		c.params = append(c.params, t)
		mode := sig.params[slots[i]].mode
		if mode != a.mode && !(a.mode == "in" && mode == "") {
			if mode == "" {
				return &bindError{a.x.pos, "CS1615", "Argument " + formatInt(int64(i+1)) + " may not be passed with the '" + a.mode + "' keyword"}
			}
			return &bindError{a.x.pos, "CS1620", "Argument " + formatInt(int64(i+1)) + " must be passed with the '" + mode + "' keyword"}
		}
		if mode != "" {
			if a.x.t.kind != kindError && a.x.t != t {
				return b.badArgument(i, a, t)
			}
			c.refs = append(c.refs, refArg{slots[i], a.x.lv, t, a.decl})
			out[slots[i]] = operand{pos: a.x.pos, t: t, c: a.x.c}
			continue
		}
		y, ok := b.implicit(a.x, t)
		if !ok {
			return b.badArgument(i, a, t)
		}
		if c.expanded && slots[i] == fixed {
			rest = append(rest, y)
		} else {
			out[slots[i]] = y
		}
	}
	for j, p := range sig.params {
		t := p.typ
		if c.owner.def != nil {
			t = t.subst(c.owner.def.params, c.owner.args)
		}
		t = t.subst(sig.typeParams, c.typeArgs)
		if c.expanded && j == fixed {
			out[j] = b.arrayOf(t, rest)
		} else if out[j].t == nil {
			v := p.opt
			if v == nil {
				v = Zero(t)
			}
			out[j] = b.optional(t, v)
			c.defaults++
		}
	}
	c.args = out
	return nil
}

func (b *binder) optional(t *Type, v any) operand {
	if k, ok := kindOf(v); ok && t.isNumeric() {
		x, _ := b.implicit(b.constant(0, b.lib.types[kindNames[k]], v), t)
		return x
	}
	return b.constant(0, t, v)
}

func (b *binder) badArgument(i int, a arg, t *Type) *bindError {
	from := a.x.t.String()
	if a.x.group != nil {
		from = "method group"
	}
	if a.x.lambda != nil && b.lambdaError != nil {
		e := *b.lambdaError
		return &e
	}
	return &bindError{a.x.pos, "CS1503", "Argument " + formatInt(int64(i+1)) + ": cannot convert from '" + from + "' to '" + t.String() + "'"}
}
