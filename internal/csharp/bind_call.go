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
	_, b.invoked = e.fn.(*memberExpr)
	f := b.expr(e.fn)
	b.invoked = false
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
	case f.group != nil:
		return b.callGroup(e.fn.at(), f.group, args)
	case f.t.kind == kindDelegate:
		return b.invoke(e.at(), f, args)
	}
	b.needValue(f)
	b.fail(e.fn.at(), "CS0149", "Method name expected")
	return operand{}
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
		inferred := b.infer(sig.typeParams, c.generic, args)
		if inferred == nil {
			return nil, &bindError{pos, "CS0411", "The type arguments for method '" + sig.name + "' cannot be inferred from the usage. Try specifying the type arguments explicitly."}
		}
		c.typeArgs = inferred
	}
	return c, b.bindArgs(c, args, slots, fixed)
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

// better tells whether c is a better member than d for the arguments.
func (b *binder) better(c, d *candidate, args []arg) bool {
	won := false
	for i, a := range args {
		if a.mode != "" {
			continue
		}
		switch b.betterConversion(a.x, c.params[i], d.params[i]) {
		case 1:
			won = true
		case -1:
			return false
		}
	}
	if won {
		return true
	}
	for i := range args {
		if c.params[i] != d.params[i] {
			return c.depth < d.depth || c.depth == d.depth && c.defaults < d.defaults
		}
	}
	switch {
	case (len(c.m.sig.typeParams) == 0) != (len(d.m.sig.typeParams) == 0):
		return len(c.m.sig.typeParams) == 0
	case c.expanded != d.expanded:
		return !c.expanded
	case c.defaults != d.defaults:
		return c.defaults < d.defaults
	case c.depth != d.depth:
		return c.depth < d.depth
	}
	// Equal after substitution: the more specific declaration wins, as Foo(int) over Foo(T).
	specific := 0
	for i := range args {
		specific += specificity(c.generic[i]) - specificity(d.generic[i])
	}
	if specific != 0 {
		return specific > 0
	}
	return len(c.m.sig.params) > len(d.m.sig.params) && c.expanded
}

func specificity(t *Type) int {
	switch {
	case t.kind == kindTypeParam:
		return 0
	case t.kind == kindArray || t.kind == kindNullable && t.elem != nil:
		return 1 + specificity(t.elem)
	}
	n := 1
	for _, a := range t.args {
		n += specificity(a)
	}
	return n
}

// betterConversion is 1 when converting x to t is better than to u, -1 the other way round, 0 when neither is.
func (b *binder) betterConversion(x operand, t, u *Type) int {
	if t == u {
		return 0
	}
	if x.lambda != nil && t.kind == kindDelegate && u.kind == kindDelegate {
		return b.betterLambda(x, t, u)
	}
	if x.t.kind != kindNull && x.t.kind != kindLambda {
		switch x.t {
		case t:
			return 1
		case u:
			return -1
		}
	}
	return b.betterTarget(t, u)
}

func (b *binder) betterTarget(t, u *Type) int {
	to := func(p, q *Type) bool {
		_, ok := b.implicit(operand{t: p, c: zeroCode(p)}, q)
		return ok
	}
	a, c := to(t, u), to(u, t)
	switch {
	case a && !c:
		return 1
	case c && !a:
		return -1
	}
	signed := func(k kind) bool { return k == kindSByte || k == kindShort || k == kindInt || k == kindLong }
	if t.isIntegral() && u.isIntegral() && signed(t.kind) != signed(u.kind) {
		if signed(t.kind) {
			return 1
		}
		return -1
	}
	return 0
}

func (b *binder) betterLambda(x operand, t, u *Type) int {
	p, q := t.delegate(), u.delegate()
	if len(p.params) != len(q.params) {
		return 0
	}
	for i := range p.params {
		if p.params[i].typ != q.params[i].typ {
			return 0
		}
	}
	switch {
	case p.result == q.result:
		return 0
	case p.result.kind == kindVoid:
		return -1
	case q.result.kind == kindVoid:
		return 1
	}
	bl := b.inferLambda(x.lambda, paramTypes(p))
	if bl == nil || bl.result == nil {
		return 0
	}
	switch bl.result {
	case p.result:
		return 1
	case q.result:
		return -1
	}
	return b.betterTarget(p.result, q.result)
}

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
		x := b.receiver(*c.recv, c.m.owner)
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
			s.args = append(s.args, code{o: boxer(x.c, x.t)})
		} else {
			s.args = append(s.args, x.c)
		}
	}
	return s, sequence(posts)
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

// receiver checks the receiver of an instance member for null.
func (b *binder) receiver(x operand, owner *Type) code {
	if owner.repr() == reprObj && x.t.repr() != reprObj {
		o := boxer(x.c, x.t)
		if x.t.kind == kindString {
			return code{o: nonNull(o)}
		}
		return code{o: o}
	}
	if x.nonNull || x.t.isValue() || owner == b.t.nullable {
		return x.c
	}
	if x.t.kind == kindString {
		s := x.c.s
		return code{s: func(fr *Frame) string {
			v := s(fr)
			if len(v) == 0 && IsNull(v) {
				ThrowNullReference()
			}
			return v
		}}
	}
	return code{o: nonNull(x.c.o)}
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
