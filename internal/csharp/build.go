package csharp

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// signature is the C# side of a member or delegate.
type signature struct {
	name       string
	typeParams []*Type
	params     []sigParam
	result     *Type
	variadic   bool // the last parameter is params T[]
}

type sigParam struct {
	name   string
	typ    *Type
	mode   string // "", ref, out
	opt    any
	hasOpt bool
}

func newBuilder() *Builder {
	f := &family{insts: map[string]*Type{}}
	b := &Builder{family: f}
	w := &f.t
	sys := func(p **Type, k kind, name string) *Type {
		*p = f.newType(k, "System", name)
		return *p
	}
	sys(&w.object, kindObject, "Object")
	sys(&w.valueType, kindClass, "ValueType").base = w.object
	sys(&w.enum, kindClass, "Enum").base = w.valueType
	for _, x := range []struct {
		p    **Type
		k    kind
		name string
	}{{&w.bool, kindBool, "Boolean"}, {&w.char, kindChar, "Char"}, {&w.sbyte, kindSByte, "SByte"}, {&w.byte, kindByte, "Byte"},
		{&w.short, kindShort, "Int16"}, {&w.ushort, kindUShort, "UInt16"}, {&w.int, kindInt, "Int32"}, {&w.uint, kindUInt, "UInt32"},
		{&w.long, kindLong, "Int64"}, {&w.ulong, kindULong, "UInt64"}, {&w.float, kindFloat, "Single"}, {&w.double, kindDouble, "Double"},
		{&w.decimal, kindDecimal, "Decimal"}, {&w.void, kindVoid, "Void"}} {
		sys(x.p, x.k, x.name).base = w.valueType
	}
	sys(&w.string, kindString, "String").base = w.object
	sys(&w.array, kindClass, "Array").base = w.object
	sys(&w.delegate, kindClass, "Delegate").base = w.object
	sys(&w.exception, kindClass, "Exception").base = w.object
	sys(&w.typ, kindClass, "Type").base = w.object
	sys(&w.disposable, kindInterface, "IDisposable")
	w.null = f.newType(kindNull, "", "<null>")
	w.dynamic = f.newType(kindDynamic, "System", "Object")
	w.lambda = f.newType(kindLambda, "", "lambda expression")
	w.err = f.newType(kindError, "", "?")
	generic := func(p **Type, k kind, ns, name string) {
		t := f.newType(k, ns, name)
		tp := f.newType(kindTypeParam, "", "T")
		tp.open = true
		t.params = []*Type{tp}
		*p = t
	}
	generic(&w.nullable, kindStruct, "System", "Nullable")
	const coll = "System.Collections.Generic"
	generic(&w.enumerable, kindInterface, coll, "IEnumerable")
	generic(&w.collection, kindInterface, coll, "ICollection")
	generic(&w.ilist, kindInterface, coll, "IList")
	generic(&w.roCollection, kindInterface, coll, "IReadOnlyCollection")
	generic(&w.roList, kindInterface, coll, "IReadOnlyList")
	generic(&w.list, kindClass, coll, "List")
	w.list.base = w.object
	return b
}

// predeclared lists the types that newBuilder made and that a declaration may fill with members.
func (w *wellKnown) predeclared() []*Type {
	return []*Type{w.object, w.valueType, w.enum, w.bool, w.char, w.sbyte, w.byte, w.short, w.ushort, w.int, w.uint, w.long, w.ulong,
		w.float, w.double, w.decimal, w.void, w.string, w.array, w.delegate, w.exception, w.typ, w.disposable, w.nullable,
		w.enumerable, w.collection, w.ilist, w.roCollection, w.roList, w.list}
}

func key(namespace, name string, arity int) string {
	if namespace != "" {
		name = namespace + "." + name
	}
	if arity > 0 {
		name += "`" + strconv.Itoa(arity)
	}
	return name
}

// header is a parsed type declaration.
type header struct {
	mods   map[string]bool
	kind   string
	name   *typeRef
	bases  []*typeRef
	result *typeRef // of a delegate
	params []param
}

func parseHeader(decl string) (h header, err error) {
	defer caught(&err, decl)
	p := newParser(decl, 0, len(decl))
	h.mods = map[string]bool{}
	for {
		t := p.advance()
		if t.text != "static" && t.text != "abstract" && t.text != "sealed" {
			h.kind = t.text
			break
		}
		h.mods[t.text] = true
	}
	if h.kind == "delegate" {
		h.result = p.typ()
	}
	h.name = p.typeName()
	if h.kind == "delegate" {
		p.expect("(")
		h.params = p.parameters()
	}
	if p.accept(":") {
		for {
			h.bases = append(h.bases, p.typ())
			if !p.accept(",") {
				break
			}
		}
	}
	if p.tok().kind != tokEOF {
		p.unexpected()
	}
	return h, nil
}

func caught(err *error, decl string) {
	if r := recover(); r != nil {
		e, ok := r.(syntaxError)
		if !ok {
			panic(r)
		}
		*err = fmt.Errorf("declaration %q, column %d: %s", decl, e.pos+1, e.msg)
	}
}

// declare makes the type of a declaration; bases and members wait for Build.
func (b *Builder) declare(tb *TypeBuilder, decl string, g GoType) {
	h, err := parseHeader(decl)
	if err != nil {
		b.errs = append(b.errs, err)
		tb.typ = b.family.newType(kindError, "", "?")
		return
	}
	tb.head = h
	var ns []string
	for _, x := range h.name.parts[:len(h.name.parts)-1] {
		ns = append(ns, x.name)
	}
	last := h.name.parts[len(h.name.parts)-1]
	k, ok := map[string]kind{"class": kindClass, "struct": kindStruct, "interface": kindInterface, "enum": kindEnum, "delegate": kindDelegate}[h.kind]
	if !ok {
		b.errs = append(b.errs, fmt.Errorf("declaration %q: %q is no kind of type", decl, h.kind))
	}
	namespace := strings.Join(ns, ".")
	var t *Type
	if b.base == nil {
		for _, x := range b.family.t.predeclared() {
			if x.namespace == namespace && x.name == last.name && len(x.params) == len(last.args) {
				t = x
			}
		}
	}
	if t == nil {
		t = b.family.newType(k, namespace, last.name)
		for _, a := range last.args {
			tp := b.family.newType(kindTypeParam, "", a.parts[0].name)
			tp.open = true
			t.params = append(t.params, tp)
		}
		switch k {
		case kindClass:
			t.base = b.family.t.object
		case kindStruct:
			t.base = b.family.t.valueType
		case kindEnum:
			t.base = b.family.t.enum
		case kindDelegate:
			t.base = b.family.t.delegate
		}
	}
	for i, a := range last.args {
		t.params[i].name = a.parts[0].name
	}
	t.static, t.abstract, t.goType = h.mods["static"], h.mods["abstract"] || k == kindInterface, g
	t.members, t.ops = map[string][]*Member{}, map[string][]*Member{}
	tb.typ = t
}

func (b *Builder) build() (*Library, error) {
	l := &Library{family: b.family, types: map[string]*Type{}, short: map[string][]*Type{}, spaces: map[string]bool{},
		exts: map[string][]*Member{}, hooks: b.hooks}
	if b.base != nil {
		maps.Copy(l.types, b.base.types)
		maps.Copy(l.spaces, b.base.spaces)
		for k, v := range b.base.short {
			l.short[k] = v[:len(v):len(v)]
		}
		for k, v := range b.base.exts {
			l.exts[k] = v[:len(v):len(v)]
		}
	} else {
		for _, t := range b.family.t.predeclared() {
			l.register(t)
		}
	}
	for _, tb := range b.types {
		if tb.typ.kind == kindError {
			continue
		}
		if old := l.types[key(tb.typ.namespace, tb.typ.name, len(tb.typ.params))]; old != nil && old != tb.typ {
			b.errs = append(b.errs, fmt.Errorf("type %s is declared twice", tb.typ.FullName()))
		}
		if l.types[key(tb.typ.namespace, tb.typ.name, len(tb.typ.params))] == nil {
			l.register(tb.typ)
		}
	}
	for _, tb := range b.types {
		if tb.typ.kind != kindError {
			b.resolveType(l, tb)
		}
	}
	for _, tb := range b.types {
		for _, m := range tb.members {
			if err := b.resolveMember(l, tb, m); err != nil {
				b.errs = append(b.errs, fmt.Errorf("%s: %w", tb.typ.FullName(), err))
			}
		}
	}
	return l, errors.Join(b.errs...)
}

func (l *Library) register(t *Type) {
	l.types[key(t.namespace, t.name, len(t.params))] = t
	if t.nested = l.types[t.namespace] != nil; t.nested {
		return // it has no name without that of the outer type
	}
	s := key("", t.name, len(t.params))
	l.short[s] = append(l.short[s], t)
	for ns := t.namespace; ns != ""; {
		l.spaces[ns] = true
		i := strings.LastIndexByte(ns, '.')
		ns = ns[:max(i, 0)]
	}
}

func (b *Builder) resolveType(l *Library, tb *TypeBuilder) {
	r := typeScope{lib: l, params: tb.typ.params}
	for _, ref := range tb.head.bases {
		t, err := r.resolve(ref)
		switch {
		case err != nil:
			b.errs = append(b.errs, fmt.Errorf("declaration %q: %w", tb.decl, err))
		case t.kind == kindInterface:
			tb.typ.ifaces = append(tb.typ.ifaces, t)
		default:
			tb.typ.base = t
		}
	}
	if tb.head.result == nil {
		return
	}
	sig, err := r.signature("Invoke", tb.head.result, nil, tb.head.params)
	if err != nil {
		b.errs = append(b.errs, fmt.Errorf("declaration %q: %w", tb.decl, err))
		return
	}
	tb.typ.invoke = sig
}

// signature resolves a parameter list.
func (r typeScope) signature(name string, result *typeRef, typeParams []*Type, params []param) (*signature, error) {
	r.params = append(r.params[:len(r.params):len(r.params)], typeParams...)
	s := &signature{name: name, typeParams: typeParams}
	var err error
	if s.result, err = r.resolve(result); err != nil {
		return nil, err
	}
	for i, q := range params {
		t, err := r.resolve(q.typ)
		if err != nil {
			return nil, err
		}
		sp := sigParam{name: q.name, typ: t, mode: q.mode, hasOpt: q.hasOpt}
		switch {
		case q.mode == "params":
			s.variadic = i == len(params)-1
			sp.mode = ""
		case q.mode == "this" || q.mode == "in":
			sp.mode = ""
		}
		if q.hasOpt {
			switch x := q.opt.(type) {
			case *litExpr:
				sp.opt = x.val
			case *defaultExpr:
				sp.opt = nil
			case *memberExpr:
				e := t.enum
				for i := range e.names {
					if e.names[i] == x.name {
						sp.opt = Enum{t, e.values[i]}
					}
				}
			default:
				return nil, fmt.Errorf("parameter %s: the default is no constant", q.name)
			}
		}
		s.params = append(s.params, sp)
	}
	return s, nil
}

func (b *Builder) resolveMember(l *Library, tb *TypeBuilder, m *pending) (err error) {
	defer caught(&err, m.decl)
	p := newParser(m.decl, 0, len(m.decl))
	r := typeScope{lib: l, params: tb.typ.params}
	if m.what == declConv {
		return b.conversion(r, tb, m, p)
	}
	result := p.typ()
	if m.what == declOp {
		if !p.tok().isWord("operator") && !p.at("operator") {
			p.unexpected()
		}
		p.advance()
		op := p.advance().text
		if p.at(">") {
			op += p.advance().text
		}
		p.expect("(")
		if m.sig, err = r.signature(op, result, nil, p.parameters()); err != nil {
			return fmt.Errorf("%q: %w", m.decl, err)
		}
		k := "op" + strconv.Itoa(len(m.sig.params)) + op
		tb.typ.ops[k] = append(tb.typ.ops[k], m.Member)
		return m.check()
	}
	if m.what == declIndex {
		p.expect("this")
		p.expect("[")
		var params []param
		for !p.at("]") {
			q := param{typ: p.typ(), name: p.ident().text}
			params = append(params, q)
			p.accept(",")
		}
		if m.sig, err = r.signature("this", result, nil, params); err != nil {
			return fmt.Errorf("%q: %w", m.decl, err)
		}
		tb.typ.indexers = append(tb.typ.indexers, m.Member)
		return m.check()
	}
	name := p.ident().text
	var typeParams []*Type
	if p.accept("<") {
		for !p.accept(">") {
			tp := b.family.newType(kindTypeParam, "", p.ident().text)
			tp.open = true
			typeParams = append(typeParams, tp)
			p.accept(",")
		}
	}
	var params []param
	if m.what == declMethod || m.what == declCtor {
		p.expect("(")
		params = p.parameters()
	}
	if p.tok().kind != tokEOF {
		p.unexpected()
	}
	if m.sig, err = r.signature(name, result, typeParams, params); err != nil {
		return fmt.Errorf("%q: %w", m.decl, err)
	}
	if m.what == declCtor {
		m.sig.result = tb.typ
		if len(tb.typ.params) > 0 {
			m.sig.result = tb.typ.Of(tb.typ.params...)
		}
		tb.typ.ctors = append(tb.typ.ctors, m.Member)
		return m.check()
	}
	if err := m.check(); err != nil {
		return err
	}
	m.prop = m.what == declProp || m.what == declConst
	tb.typ.members[name] = append(tb.typ.members[name], m.Member)
	if m.ext {
		l.exts[name] = append(l.exts[name], m.Member)
	}
	return nil
}

func (b *Builder) conversion(r typeScope, tb *TypeBuilder, m *pending, p *parser) error {
	what := p.advance().text
	p.advance()
	result := p.typ()
	p.expect("(")
	var err error
	if m.sig, err = r.signature(what, result, nil, p.parameters()); err != nil {
		return fmt.Errorf("%q: %w", m.decl, err)
	}
	tb.typ.ops[what] = append(tb.typ.ops[what], m.Member)
	return m.check()
}

// check compares the Go function with the declaration.
func (m *Member) check() error {
	if m.isConst {
		return nil
	}
	want := make([]repr, 0, 4)
	if !m.static {
		want = append(want, m.owner.repr())
	}
	for _, p := range m.sig.params {
		if p.mode != "" {
			want = append(want, reprObj)
		} else {
			want = append(want, p.typ.repr())
		}
	}
	if err := m.checkFunc(m.fn, want, m.sig.result.repr()); err != nil {
		return err
	}
	if m.set != nil {
		return m.checkFunc(*m.set, append(want, m.sig.result.repr()), reprVoid)
	}
	return nil
}

func (m *Member) checkFunc(f Func, want []repr, result repr) error {
	var have []goParam
	for _, p := range f.params {
		if p.slot == slotArg {
			have = append(have, p)
		}
	}
	if len(have) != len(want) {
		return fmt.Errorf("%q: the Go function takes %d arguments, the declaration %d", m.decl, len(have), len(want))
	}
	for i, p := range have {
		if p.repr != want[i] && p.name != "interface {}" {
			return fmt.Errorf("%q: Go parameter %d of type %s does not fit the declaration", m.decl, i+1, p.name)
		}
	}
	if f.result != result && !f.boxed && !(f.anyResult && result != reprVoid) {
		return fmt.Errorf("%q: the Go result does not fit the declaration", m.decl)
	}
	return nil
}
