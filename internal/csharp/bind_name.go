package csharp

import (
	"strings"
)

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
	if v.broken {
		panic(bindError{pos: pos})
	}
	if v.konst != nil {
		x := *v.konst
		x.pos = pos
		x.lv = &lvalue{readonly: "CS0131"}
		return x
	}
	if v.alias != nil {
		return b.aliasValue(pos, v)
	}
	if !b.assigning {
		b.needAssigned(pos, v)
	}
	x := operand{pos: pos, t: v.t, c: b.load(v)}
	x.lv = &lvalue{local: v, readonly: v.readonly}
	x.lv.assign = func(c code) func(*Frame) { return b.store(v, c) }
	x.lv.spill = func() (func(*Frame), code, func(code) func(*Frame)) { return nil, b.load(v), x.lv.assign }
	return x
}

func (b *binder) aliasValue(pos int, v *local) operand {
	if v.fn != b.fn {
		b.fail(pos, "CS8175", "Cannot use ref local '%s' inside an anonymous method, lambda expression, or query expression", v.name)
	}
	x := operand{pos: pos, t: v.t, c: v.alias.get}
	x.lv = &lvalue{assign: v.alias.assign}
	x.lv.spill = func() (func(*Frame), code, func(code) func(*Frame)) { return nil, v.alias.get, v.alias.assign }
	return x
}

// needAssigned checks that a local has a value. A local function may read a variable that has none yet where the function
// stands: then every call of it needs the value.
func (b *binder) needAssigned(pos int, v *local) {
	if b.flow.has(v.id) {
		return
	}
	for f := b.fn; f != v.fn && f != nil; f = f.outer {
		if f.inst != nil {
			f.inst.needs = append(f.inst.needs, v)
			return
		}
	}
	if v.out {
		b.fail(pos, "CS0269", "Use of unassigned out parameter '%s'", v.name)
	}
	b.fail(pos, "CS0165", "Use of unassigned local variable '%s'", v.name)
}

// field reads a field of a record. A tuple is a value: assigning a field puts a changed copy in the place of the tuple.
func (b *binder) field(pos int, x operand, i int) operand {
	t := x.t.fields[i].typ
	read := func(o func(*Frame) any) code {
		return unboxer(func(fr *Frame) any { return o(fr).(*Record).Values[i] }, t)
	}
	out := operand{pos: pos, t: t, c: read(x.c.o)}
	switch {
	case !x.t.tuple:
		out.lv = &lvalue{readonly: "CS0200"}
		return out
	case x.lv == nil:
		return out
	case x.lv.prop || x.lv.readonly != "":
		out.lv = &lvalue{readonly: "CS1612"}
		return out
	}
	write := func(get code, assign func(code) func(*Frame)) func(code) func(*Frame) {
		return func(c code) func(*Frame) {
			v, hold := boxer(c, t), b.temp(x.t)
			keep := b.storeBoxed(hold)
			put := assign(b.load(hold))
			return func(fr *Frame) {
				n := v(fr)
				r := get.o(fr).(*Record)
				values := append([]any(nil), r.Values...)
				values[i] = n
				keep(fr, NewRecord(r.Type, values))
				put(fr)
			}
		}
	}
	spill := x.lv.spill
	out.lv = &lvalue{
		assign: func(c code) func(*Frame) {
			pre, get, assign := spill()
			return sequence(compact(pre, write(get, assign)(c)))
		},
		spill: func() (func(*Frame), code, func(code) func(*Frame)) {
			pre, get, assign := spill()
			return pre, read(get.o), write(get, assign)
		},
	}
	return out
}

func compact(list ...func(*Frame)) []func(*Frame) {
	var out []func(*Frame)
	for _, f := range list {
		if f != nil {
			out = append(out, f)
		}
	}
	return out
}

// tupleField tells whether e names a field of a local tuple that has no value as a whole yet.
func (b *binder) tupleField(e expr) (*local, int) {
	m, ok := e.(*memberExpr)
	if !ok {
		return nil, 0
	}
	id, ok := m.x.(*identExpr)
	if !ok {
		return nil, 0
	}
	for s := b.scope; s != nil; s = s.outer {
		v := s.names[id.name]
		if v == nil {
			continue
		}
		if !v.t.tuple || v.fn != b.fn || v.broken || b.flow.has(v.id) {
			return nil, 0
		}
		for i, f := range v.t.fields {
			if f.name == m.name || m.name == "Item"+formatInt(int64(i+1)) {
				return v, i
			}
		}
		return nil, 0
	}
	return nil, 0
}

// setField notes that a field of a tuple has a value; with the last of them the tuple has one.
func (b *binder) setField(v *local, i int) {
	if v.fields == nil {
		for range v.t.fields {
			v.fields = append(v.fields, b.locals)
			b.locals++
		}
	}
	b.flow.set(v.fields[i])
	for _, id := range v.fields {
		if !b.flow.has(id) {
			return
		}
	}
	b.flow.set(v.id)
}

func (b *binder) member(e *memberExpr) operand {
	invoked := b.invoked
	b.invoked = false
	if v, i := b.tupleField(e); v != nil && (b.assigning || v.fields != nil && b.flow.has(v.fields[i])) {
		x := operand{pos: e.at(), t: v.t, c: b.load(v)}
		x.lv = &lvalue{local: v, spill: func() (func(*Frame), code, func(code) func(*Frame)) {
			return nil, b.load(v), func(c code) func(*Frame) { return b.store(v, c) }
		}}
		return b.field(e.at(), x, i)
	}
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
	case x.group != nil:
		b.fail(e.at(), "CS0119", "'%s' is a method, which is not valid in the given context", x.group.name)
	case x.t.kind == kindVoid || x.t.kind == kindNull || x.lambda != nil:
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
	members := b.members(x.t, e.name)
	if x.t.kind == kindNullable && len(members) == 0 {
		if members = b.members(b.t.object, e.name); len(members) > 0 {
			x = b.box(x, b.t.object)
		}
	}
	for _, f := range members {
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
		for _, f := range members {
			if !f.m.static || b.invoked && (f.m.isConst || f.m.prop) {
				b.fail(e.at(), "CS1955", "Non-invocable member '%s.%s' cannot be used like a method", f.owner, e.name)
			}
			b.fail(e.at(), "CS0176", "Member '%s.%s' cannot be accessed with an instance reference; qualify it with a type name instead", f.owner, e.name)
		}
		b.fail(e.at(), "CS1061", "'%s' does not contain a definition for '%s'%s", b.typeText(x.t), e.name, b.suggestMember(x.t, e.name, false))
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
	if inner := b.lib.types[key(t.FullName(), e.name, len(e.args))]; inner != nil {
		return operand{t: b.t.err, typ: inner}
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
		case f.m.prop && b.invoked && !f.invocable():
			b.fail(e.at(), "CS1955", "Non-invocable member '%s.%s' cannot be used like a method", f.owner, e.name)
		case f.m.prop:
			b.fail(e.at(), "CS0120", "An object reference is required for the non-static property '%s.%s'", t, e.name)
		}
		methods = append(methods, f)
	}
	methods = append(methods, b.extsOf(t, e.name)...)
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
	lv.prop = true
	get.lv = lv
	if f.m.set == nil {
		lv.readonly, lv.name = "CS0200", f.owner.String()+"."+f.m.sig.name
		if len(args) > 0 {
			types := make([]string, len(f.m.sig.params))
			for i, p := range f.m.sig.params {
				types[i] = p.typ.String()
			}
			lv.name += "[" + strings.Join(types, ", ") + "]"
		}
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
