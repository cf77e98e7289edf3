package csharp

import "strings"

// lvalue is what can be assigned.
type lvalue struct {
	local  *local
	assign func(c code) func(*Frame)
	// spill evaluates the parts of the target once (pre may be nil) for a read followed by a write.
	spill    func() (pre func(*Frame), get code, assign func(c code) func(*Frame))
	readonly string // why it cannot be assigned
}

// found is a member with the closed type that declares it.
type found struct {
	m     *Member
	owner *Type
	depth int // distance from the receiver's type
}

// invocable tells whether the value of a property can be called.
func (f found) invocable() bool {
	k := f.m.sig.result.kind
	return k == kindDelegate || k == kindDynamic || k == kindTypeParam
}

func foundMember(m *Member, t *Type) found { return found{m: m, owner: t} }

// members finds the members of a name in t, its bases and interfaces.
func (b *binder) members(t *Type, name string) []found {
	var out []found
	seen := map[*Type]bool{}
	var visit func(t *Type, depth int)
	visit = func(t *Type, depth int) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		d := t
		if t.def != nil {
			d = t.def
		}
		for _, m := range d.members[name] {
			if !m.ext {
				out = append(out, found{m, t, depth})
			}
		}
		visit(t.Base(), depth+1)
		if t.kind == kindInterface {
			for _, i := range t.interfaces() {
				visit(i, depth+1)
			}
		}
		if t.kind == kindInterface {
			visit(b.t.object, depth+100)
		}
	}
	visit(t, 0)
	return out
}

func (b *binder) name(e *identExpr) operand {
	if x, ok := b.localName(e); ok {
		return x
	}
	for _, g := range b.opts.Globals {
		if g.Name == e.name && len(e.args) == 0 {
			get := g.Get
			if get == nil {
				return operand{t: g.Type, nonNull: true, c: unboxer(func(fr *Frame) any { return fr.run.host }, g.Type)}
			}
			return operand{t: g.Type, c: unboxer(func(fr *Frame) any { return get(fr.run.host) }, g.Type)}
		}
	}
	if t := b.bound[e.name]; t != nil && len(e.args) == 0 {
		return operand{t: b.t.err, typ: t}
	}
	if t := b.lib.lookup("", e.name, len(e.args)); t != nil {
		return operand{t: b.t.err, typ: b.typ(&typeRef{pos: e.at(), parts: []typePart{{e.name, e.args}}})}
	}
	if b.lib.spaces[e.name] {
		return operand{t: b.t.err, space: e.name}
	}
	b.fail(e.at(), "CS0103", "The name '%s' does not exist in the current context%s", e.name, b.suggestName(e.name))
	return operand{}
}

func (b *binder) localName(e *identExpr) (operand, bool) {
	for s := b.scope; s != nil; s = s.outer {
		if v := s.names[e.name]; v != nil {
			return b.localValue(e.at(), v), true
		}
		if s.rng != nil {
			for i, f := range s.rng.t.fields {
				if f.name == e.name {
					return b.field(e.at(), b.localValue(e.at(), s.rng), i), true
				}
			}
		}
		if f := s.funcs[e.name]; f != nil {
			g := &methodGroup{name: e.name, local: f}
			for _, a := range e.args {
				g.typeArgs = append(g.typeArgs, b.typ(a))
			}
			return operand{t: b.t.lambda, group: g}, true
		}
	}
	return operand{}, false
}

func (b *binder) localValue(pos int, v *local) operand {
	if v.konst != nil {
		x := *v.konst
		x.pos = pos
		x.lv = &lvalue{readonly: "CS0131"}
		return x
	}
	if !b.flow.has(v.id) && !b.assigning && v.fn == b.fn {
		b.fail(pos, "CS0165", "Use of unassigned local variable '%s'", v.name)
	}
	x := operand{pos: pos, t: v.t, c: b.load(v)}
	x.lv = &lvalue{local: v, readonly: v.readonly}
	x.lv.assign = func(c code) func(*Frame) { return b.store(v, c) }
	x.lv.spill = func() (func(*Frame), code, func(code) func(*Frame)) { return nil, b.load(v), x.lv.assign }
	return x
}

// field reads a field of a record.
func (b *binder) field(pos int, x operand, i int) operand {
	o := x.c.o
	t := x.t.fields[i].typ
	get := func(o func(*Frame) any) code {
		return unboxer(func(fr *Frame) any { return o(fr).(*Record).Values[i] }, t)
	}
	out := operand{pos: pos, t: t, c: get(o)}
	if x.t.tuple {
		out.lv = &lvalue{
			assign: func(c code) func(*Frame) {
				v := boxer(c, t)
				return func(fr *Frame) { r := o(fr).(*Record); r.Values[i] = v(fr) }
			},
			spill: func() (func(*Frame), code, func(code) func(*Frame)) {
				return nil, out.c, out.lv.assign
			},
		}
	}
	return out
}

func (b *binder) member(e *memberExpr) operand {
	invoked := b.invoked
	b.invoked = false
	x := b.expr(e.x)
	b.invoked = invoked
	defer func() { b.invoked = false }()
	return b.memberOf(e, x)
}

func (b *binder) memberOf(e *memberExpr, x operand) operand {
	switch {
	case x.space != "":
		full := x.space + "." + e.name
		if t := b.lib.types[key(x.space, e.name, len(e.args))]; t != nil {
			ref := &typeRef{pos: e.at()}
			for _, s := range strings.Split(x.space, ".") {
				ref.parts = append(ref.parts, typePart{name: s})
			}
			ref.parts = append(ref.parts, typePart{e.name, e.args})
			return operand{t: b.t.err, typ: b.typ(ref)}
		}
		if b.lib.spaces[full] {
			return operand{t: b.t.err, space: full}
		}
		b.fail(e.at(), "CS0234", "The type or namespace name '%s' does not exist in the namespace '%s'%s", e.name, x.space, b.lib.suggestType(e.name))
	case x.typ != nil:
		return b.staticMember(e, x.typ)
	case x.t.kind == kindDynamic:
		return b.dynamicMember(e.at(), x, e.name)
	case x.t.kind == kindVoid || x.t.kind == kindNull || x.lambda != nil || x.group != nil:
		b.fail(e.at(), "CS0023", "Operator '.' cannot be applied to operand of type '%s'", x.t)
	}
	if x.t.kind == kindRecord {
		for i, f := range x.t.fields {
			if f.name == e.name || x.t.tuple && e.name == "Item"+formatInt(int64(i+1)) {
				return b.field(e.at(), x, i)
			}
		}
	}
	var methods []found
	for _, f := range b.members(x.t, e.name) {
		if f.m.static {
			continue
		}
		if f.m.prop && !(b.invoked && !f.invocable()) {
			b.allow(e.at(), f)
			return b.property(e.at(), x, f, nil)
		}
		if !f.m.prop {
			methods = append(methods, f)
		}
	}
	exts := b.lib.exts[e.name]
	if len(methods) == 0 && len(exts) == 0 {
		if x.t.kind == kindDelegate && e.name == "Invoke" {
			return x
		}
		for _, f := range b.members(x.t, e.name) {
			b.fail(e.at(), "CS0176", "Member '%s.%s' cannot be accessed with an instance reference; qualify it with a type name instead", f.owner, e.name)
		}
		b.fail(e.at(), "CS1061", "'%s' does not contain a definition for '%s'%s", x.t, e.name, b.suggestMember(x.t, e.name, false))
	}
	g := &methodGroup{name: e.name, recv: &x, found: methods, exts: exts}
	for _, a := range e.args {
		g.typeArgs = append(g.typeArgs, b.typ(a))
	}
	return operand{t: b.t.lambda, group: g}
}

func (b *binder) staticMember(e *memberExpr, t *Type) operand {
	if t.kind == kindEnum {
		for i, n := range t.enum.names {
			if n == e.name {
				return b.constant(e.at(), t, Enum{t, t.enum.values[i]})
			}
		}
	}
	var methods []found
	for _, f := range b.members(t, e.name) {
		switch {
		case f.m.isConst:
			b.allow(e.at(), f)
			return b.constant(e.at(), f.m.sig.result, f.m.value)
		case f.m.prop && f.m.static:
			b.allow(e.at(), f)
			return b.emit(e.at(), candidate{m: f.m, owner: f.owner})
		case f.m.prop:
			b.fail(e.at(), "CS0120", "An object reference is required for the non-static property '%s.%s'", t, e.name)
		}
		methods = append(methods, f)
	}
	for _, f := range b.extsOf(t, e.name) {
		methods = append(methods, f)
	}
	if len(methods) == 0 {
		b.fail(e.at(), "CS0117", "'%s' does not contain a definition for '%s'%s", t, e.name, b.suggestMember(t, e.name, true))
	}
	g := &methodGroup{name: e.name, typ: t, found: methods}
	for _, a := range e.args {
		g.typeArgs = append(g.typeArgs, b.typ(a))
	}
	return operand{t: b.t.lambda, group: g}
}

// extsOf gives the extension methods that t declares, for a call in static form.
func (b *binder) extsOf(t *Type, name string) []found {
	var out []found
	for _, m := range b.lib.exts[name] {
		if m.owner == t {
			out = append(out, found{m: m, owner: t})
		}
	}
	return out
}

// allow reports the use of a member outside the published list.
func (b *binder) allow(pos int, f found) {
	if f.m.outside || f.owner.outside {
		b.warn(pos, "'%s.%s' is outside the published list of members for policy expressions", f.owner, f.m.sig.name)
	}
}

// property makes the operand of an instance property or indexer.
func (b *binder) property(pos int, recv operand, f found, args []operand) operand {
	get := b.emit(pos, candidate{m: f.m, owner: f.owner, recv: &recv, args: args})
	lv := &lvalue{}
	get.lv = lv
	if f.m.set == nil {
		lv.readonly = "CS0200"
		return get
	}
	setter := func(recv operand, args []operand) func(c code) func(*Frame) {
		return func(c code) func(*Frame) {
			return b.emitSet(candidate{m: f.m, owner: f.owner, recv: &recv, args: args}, operand{t: get.t, c: c})
		}
	}
	lv.assign = setter(recv, args)
	lv.spill = func() (func(*Frame), code, func(code) func(*Frame)) {
		var pre []func(*Frame)
		hold := func(x operand) operand {
			if x.konst {
				return x
			}
			v := b.temp(x.t)
			pre = append(pre, b.store(v, x.c))
			return operand{pos: x.pos, t: x.t, c: b.load(v), nonNull: x.nonNull}
		}
		r := hold(recv)
		held := make([]operand, len(args))
		for i, a := range args {
			held[i] = hold(a)
		}
		g := b.emit(pos, candidate{m: f.m, owner: f.owner, recv: &r, args: held})
		return sequence(pre), g.c, setter(r, held)
	}
	return get
}

func sequence(list []func(*Frame)) func(*Frame) {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return func(fr *Frame) {
		for _, f := range list {
			f(fr)
		}
	}
}

func (b *binder) index(e *indexExpr) operand {
	x := b.value(e.x)
	return b.indexOf(e, x)
}

func (b *binder) indexOf(e *indexExpr, x operand) operand {
	switch {
	case x.t.kind == kindArray:
		return b.element(e, x)
	case x.t.kind == kindDynamic:
		return b.dynamicIndex(e, x)
	case x.t.kind == kindVoid || x.lambda != nil || x.group != nil:
		b.fail(e.at(), "CS0021", "Cannot apply indexing with [] to an expression of type '%s'", x.t)
	}
	args := b.args(e.args)
	var list []found
	seen := map[*Type]bool{}
	var visit func(t *Type, depth int)
	visit = func(t *Type, depth int) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		d := t
		if t.def != nil {
			d = t.def
		}
		for _, m := range d.indexers {
			list = append(list, found{m, t, depth})
		}
		visit(t.Base(), depth+1)
		if t.kind == kindInterface {
			for _, i := range t.interfaces() {
				visit(i, depth+1)
			}
		}
	}
	visit(x.t, 0)
	if len(list) == 0 {
		b.fail(e.at(), "CS0021", "Cannot apply indexing with [] to an expression of type '%s'", x.t)
	}
	best, err := b.choose(e.at(), "this", list, args, nil, &x)
	if best == nil {
		panic(*err)
	}
	b.allow(e.at(), found{m: best.m, owner: best.owner})
	return b.property(e.at(), x, found{m: best.m, owner: best.owner}, best.args)
}

// element binds array[i, …].
func (b *binder) element(e *indexExpr, x operand) operand {
	if len(e.args) != x.t.rank {
		b.fail(e.at(), "CS0022", "Wrong number of indices inside []; expected %d", x.t.rank)
	}
	idx := make([]operand, len(e.args))
	for i, a := range e.args {
		y := b.operandValue(a.x)
		z, ok := b.implicit(y, b.t.int)
		if !ok {
			z = b.convert(y, b.t.long, "")
		}
		idx[i] = z
	}
	make1 := func(x operand, idx []operand) (code, func(code) func(*Frame)) {
		if x.t.elem.kind == kindByte && x.t.rank == 1 {
			return byteElement(x, idx[0])
		}
		at := arrayOffset(x, idx)
		t := x.t.elem
		get := unboxer(func(fr *Frame) any { a, i := at(fr); return a.Items[i] }, t)
		return get, func(c code) func(*Frame) {
			v := boxer(c, t)
			return func(fr *Frame) {
				a, i := at(fr)
				val := v(fr)
				a.Items[i] = val
			}
		}
	}
	get, assign := make1(x, idx)
	out := operand{t: x.t.elem, c: get}
	out.lv = &lvalue{assign: assign, spill: func() (func(*Frame), code, func(code) func(*Frame)) {
		var pre []func(*Frame)
		hold := func(x operand) operand {
			v := b.temp(x.t)
			pre = append(pre, b.store(v, x.c))
			return operand{t: x.t, c: b.load(v)}
		}
		a := hold(x)
		held := make([]operand, len(idx))
		for i := range idx {
			held[i] = hold(idx[i])
		}
		get, assign := make1(a, held)
		return sequence(pre), get, assign
	}}
	return out
}

func byteElement(x, i operand) (code, func(code) func(*Frame)) {
	o, n := x.c.o, i.c.i
	at := func(fr *Frame) ([]byte, int64) {
		v := o(fr)
		if v == nil {
			ThrowNullReference()
		}
		return v.([]byte), n(fr)
	}
	return code{i: func(fr *Frame) int64 { a, i := at(fr); return int64(a[i]) }}, func(c code) func(*Frame) {
		return func(fr *Frame) { a, i := at(fr); v := c.i(fr); a[i] = byte(v) }
	}
}

func arrayOffset(x operand, idx []operand) func(*Frame) (*Array, int64) {
	o := x.c.o
	array := func(fr *Frame) *Array {
		v := o(fr)
		if v == nil {
			ThrowNullReference()
		}
		return v.(*Array)
	}
	if len(idx) == 1 {
		n := idx[0].c.i
		return func(fr *Frame) (*Array, int64) {
			a := array(fr)
			i := n(fr)
			if uint64(i) >= uint64(len(a.Items)) {
				Throw("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
			}
			return a, i
		}
	}
	return func(fr *Frame) (*Array, int64) {
		a := array(fr)
		at := int64(0)
		for k, d := range a.Dims {
			i := idx[k].c.i(fr)
			if i < 0 || i >= int64(d) {
				Throw("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
			}
			at = at*int64(d) + i
		}
		return a, at
	}
}

// conditionalAccess binds x?.rest.
func (b *binder) conditionalAccess(e *condAccess) operand {
	x := b.operandValue(e.x)
	if x.t.isValue() || x.t.kind == kindNull || x.lambda != nil || x.group != nil || x.t.kind == kindVoid {
		b.fail(e.at(), "CS0023", "Operator '?' cannot be applied to operand of type '%s'", x.t)
	}
	v := b.temp(b.t.object)
	set, src := b.storeBoxed(v), boxer(x.c, x.t)
	inner := x.t.underlying()
	if b.holes == nil {
		b.holes = map[*condHole]operand{}
	}
	b.holes[e.hole] = operand{t: inner, c: unboxer(b.load(v).o, inner), nonNull: true}
	start := b.flow.clone()
	r := b.expr(e.rest)
	b.flow = start.join(b.flow)
	if r.group != nil {
		b.fail(r.pos, "CS0023", "Operator '?' cannot be applied to a method group")
	}
	test := func(fr *Frame) bool {
		val := src(fr)
		set(fr, val)
		return val != nil
	}
	switch {
	case r.t.kind == kindVoid:
		do := r.c.v
		return operand{t: b.t.void, c: code{v: func(fr *Frame) {
			if test(fr) {
				do(fr)
			}
		}}}
	case r.t.kind == kindString:
		return operand{t: r.t, c: chooser(test, r.c, code{s: func(*Frame) string { return Null() }}, r.t)}
	case r.t.isValue():
		o := boxer(r.c, r.t)
		return operand{t: r.t.nullableOf(), c: chooser(test, code{o: o}, code{o: func(*Frame) any { return nil }}, b.t.object)}
	}
	return operand{t: r.t, c: chooser(test, r.c, code{o: func(*Frame) any { return nil }}, r.t)}
}

func (b *binder) hole(e *condHole) operand { return b.holes[e] }

func (b *binder) assignment(e *assignExpr) operand {
	if e.op != "=" {
		return b.compound(e)
	}
	switch l := e.l.(type) {
	case *callExpr:
		if id, ok := l.fn.(*identExpr); ok && id.name == "var" {
			return b.deconstructVar(e, l)
		}
	case *tupleExpr:
		return b.deconstructTuple(e, l)
	case *identExpr:
		if l.name == "_" {
			if _, ok := b.localName(l); !ok {
				x := b.operandValue(e.r)
				x.lv = nil
				return x
			}
		}
	}
	lv, t := b.target(e.l)
	x := b.operandValue(e.r)
	x = b.convert(x, t, "")
	if lv.local != nil {
		b.flow.set(lv.local.id)
	}
	v := b.temp(t)
	keep, put := b.store(v, x.c), lv.assign(b.load(v))
	direct := lv.assign(x.c)
	return operand{t: t, stmt: direct, c: before(b.load(v), t, func(fr *Frame) { keep(fr); put(fr) })}
}

// target binds the left side of an assignment without reading it.
func (b *binder) target(e expr) (*lvalue, *Type) {
	_, ident := e.(*identExpr)
	b.assigning = ident
	x := func() operand {
		defer func() { b.assigning = false }()
		return b.expr(e)
	}()
	if x.typ != nil || x.space != "" || x.group != nil {
		b.fail(e.at(), "CS1656", "Cannot assign to this expression because it is not a variable")
	}
	b.assignable(e, x)
	return x.lv, x.t
}

func (b *binder) assignable(e expr, x operand) {
	switch {
	case x.lv == nil:
		b.fail(e.at(), "CS0131", "The left-hand side of an assignment must be a variable, property or indexer")
	case x.lv.readonly == "CS0200":
		b.fail(e.at(), "CS0200", "Property or indexer '%s' cannot be assigned to -- it is read only", nameOf(e))
	case x.lv.readonly != "":
		b.fail(e.at(), x.lv.readonly, "Cannot assign to '%s' because it is read only", nameOf(e))
	}
}

func (b *binder) compound(e *assignExpr) operand {
	x := b.value(e.l)
	b.assignable(e.l, x)
	op := e.op[:len(e.op)-1]
	pre, get, assign := x.lv.spill()
	cur := operand{pos: x.pos, t: x.t, c: get}
	y := b.operandValue(e.r)
	r := b.binary(e.at(), op, cur, y)
	out, ok := b.implicit(r, x.t)
	if !ok {
		// x op= y casts the result when y itself would fit, so that a byte can be added to a byte.
		_, fits := b.implicit(y, x.t)
		if !fits && op != "<<" && op != ">>" || !x.t.underlying().isNumeric() && x.t.kind != kindEnum {
			b.noConversion(r, x.t)
		}
		out = b.explicit(r, x.t)
	}
	v := b.temp(x.t)
	keep, put := b.store(v, out.c), assign(b.load(v))
	do := func(fr *Frame) {
		if pre != nil {
			pre(fr)
		}
		keep(fr)
		put(fr)
	}
	return operand{t: x.t, stmt: do, c: before(b.load(v), x.t, do)}
}

func (b *binder) deconstructVar(e *assignExpr, l *callExpr) operand {
	items := make([]expr, len(l.args))
	for i, a := range l.args {
		id, ok := a.x.(*identExpr)
		if !ok {
			b.fail(a.at(), "CS1001", "Identifier expected")
		}
		items[i] = &declExpr{pos(a.at()), &typeRef{pos: a.at(), parts: []typePart{{name: "var"}}}, id.name}
	}
	return b.deconstructTuple(e, &tupleExpr{pos: pos(l.at()), items: items})
}

// deconstructTuple binds (a, b) = x for tuples and types with Item1, Item2 …
func (b *binder) deconstructTuple(e *assignExpr, l *tupleExpr) operand {
	x := b.operandValue(e.r)
	parts, setup := b.pieces(e, x, len(l.items))
	var list []func(*Frame)
	list = append(list, setup)
	var moves []func(*Frame)
	for i, it := range l.items {
		var lv *lvalue
		var t *Type
		switch d := it.(type) {
		case *declExpr:
			if d.name == "_" {
				continue
			}
			t = parts[i].t
			if !d.typ.isVar() {
				t = b.typ(d.typ)
			}
			v := b.declare(d.at(), d.name, t)
			lv = b.localTarget(v)
		case *identExpr:
			if _, ok := b.localName2(d); !ok && d.name == "_" {
				continue
			}
			lv, t = b.target(it)
		default:
			lv, t = b.target(it)
		}
		y := b.convert(parts[i], t, "")
		v := b.temp(t)
		list = append(list, b.store(v, y.c))
		moves = append(moves, lv.assign(b.load(v)))
		if lv.local != nil {
			b.flow.set(lv.local.id)
		}
	}
	do := sequence(append(list, moves...))
	return operand{t: b.t.void, stmt: do, c: code{v: do}}
}

func (b *binder) localName2(e *identExpr) (operand, bool) {
	b.assigning = true
	defer func() { b.assigning = false }()
	return b.localName(e)
}

func (b *binder) localTarget(v *local) *lvalue {
	return &lvalue{local: v, assign: func(c code) func(*Frame) { return b.store(v, c) }}
}

// pieces takes a tuple, or an object with Item1 or Key and Value, apart.
func (b *binder) pieces(e expr, x operand, n int) ([]operand, func(*Frame)) {
	if x.tuple != nil && x.t.kind == kindLambda {
		b.fail(e.at(), "CS8131", "Deconstruct assignment requires an expression with a type on the right-hand-side.")
	}
	v := b.temp(x.t)
	hold := operand{pos: x.pos, t: x.t, c: b.load(v)}
	out := make([]operand, n)
	for i := range out {
		name := "Item" + formatInt(int64(i+1))
		if x.t.kind == kindStruct && n == 2 && len(b.members(x.t, "Key")) > 0 {
			name = []string{"Key", "Value"}[i]
		}
		if len(b.members(x.t, name)) == 0 && !(x.t.kind == kindRecord && len(x.t.fields) == n) {
			b.fail(e.at(), "CS8129", "No suitable 'Deconstruct' instance or extension method was found for type '%s', with %d out parameters and a void return type.", x.t, n)
		}
		out[i] = b.memberOf(&memberExpr{pos: pos(e.at()), name: name}, hold)
	}
	return out, b.store(v, x.c)
}
