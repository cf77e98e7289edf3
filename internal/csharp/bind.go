package csharp

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// operand is a bound expression: static type, code and what else the binder knows about it.
type operand struct {
	pos   int
	t     *Type
	c     code
	konst bool
	val   any // boxed value of a constant
	lv    *lvalue
	parts []func(*Frame) string // of a string concatenation, so that a + b + c allocates once

	lambda    *lambdaExpr  // a lambda before its conversion to a delegate
	group     *methodGroup // a method name before its call
	typ       *Type        // the operand is the name of a type
	space     string       // the operand is a namespace
	tuple     []operand    // of a tuple literal
	literal   bool         // a literal as written
	isDefault bool         // the literal default
	nonNull   bool         // a reference that cannot be null
	isThrow   bool
	dyn       *dynamicName
	stmt      func(*Frame) // the effect alone, for an expression statement
}

// bindError is panicked by the binder and caught at the statement or by a speculative attempt.
type bindError struct {
	pos  int
	code string
	msg  string
}

type binder struct {
	lib         *Library
	t           *wellKnown
	src         string
	opts        Options
	errs        []bindError
	warns       []bindError
	fn          *funcState
	scope       *scope
	flow        flow
	locals      int            // definite assignment numbers
	used        map[string]int // deepest function nesting at which a name is used
	checked     bool
	unchecked   bool             // inside unchecked, where constants may overflow too
	bound       map[string]*Type // type parameters of the generic local function being bound
	lambdas     map[lambdaKey]*boundLambda
	jumps       *jumpTarget
	assigning   bool // the operand is about to be assigned, so it need not have a value
	holes       map[*condHole]operand
	invoked     bool // the member is about to be called
	runtime     bool // a dynamic operation is bound while it runs
	labels      *labelScope
	labelIDs    int
	caught      *local     // the exception of the enclosing catch clause
	lambdaError *bindError // why the last lambda did not convert
}

// funcState is the expression, lambda or local function whose body is being bound.
type funcState struct {
	outer    *funcState
	depth    int
	layout   layout
	result   *Type // nil while a lambda's result is inferred
	returns  []operand
	captures []capture
	cells    map[*local]int
	infer    bool       // the result type is not known yet
	inst     *localInst // of a local function
	item     *Type      // of an iterator: the type of what it yields
	outs     []*local   // out parameters, which need a value at every exit
	exits    flow       // join of the states at the exits
}

// capture copies a cell from a slot of the enclosing frame to a slot of the lambda's.
type capture struct{ from, to int }

type scope struct {
	outer *scope
	fn    *funcState
	names map[string]*local
	funcs map[string]*localFunction
	inner map[string]int // names declared in scopes inside this one that are closed, with their position
	rng   *local         // the object whose fields are the range variables of a query
	cells *[]int         // slots of captured variables to make afresh when the block is entered
}

type local struct {
	name     string
	pos      int
	t        *Type
	fn       *funcState
	slot     int
	cell     bool
	id       int
	konst    *operand
	readonly string // why it cannot be assigned, or ""
	broken   bool   // its declaration was refused: what uses it is refused without a word
	out      bool   // an out parameter
	fields   []int  // definite assignment numbers of the fields of a tuple that is assigned field by field
	alias    *alias // of a ref local
}

// alias is the variable that a ref local stands for.
type alias struct {
	get    code
	assign func(code) func(*Frame)
}

func (b *binder) fail(pos int, code, format string, args ...any) {
	panic(bindError{pos, code, fmt.Sprintf(format, args...)})
}

// attempt runs f and gives its error instead of panicking; a failed attempt leaves no trace.
func (b *binder) attempt(f func()) (failed *bindError) {
	flow, scope, fn, warns, jumps, checked, unchecked := b.flow.clone(), b.scope, b.fn, len(b.warns), b.jumps, b.checked, b.unchecked
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(bindError)
			if !ok {
				panic(r)
			}
			failed = &e
			b.flow, b.scope, b.fn, b.warns, b.jumps, b.checked, b.unchecked = flow, scope, fn, b.warns[:warns], jumps, checked, unchecked
		}
	}()
	f()
	return nil
}

func (b *binder) slot(r repr) int {
	l := &b.fn.layout
	var p *int
	switch r {
	case reprInt, reprBool:
		p = &l.ints
	case reprFloat:
		p = &l.floats
	case reprStr:
		p = &l.strs
	default:
		p = &l.objs
	}
	*p++
	return *p - 1
}

func (b *binder) push() *scope {
	b.scope = &scope{outer: b.scope, fn: b.fn}
	return b.scope
}

func (b *binder) pop() {
	b.scope.close()
	b.scope = b.scope.outer
}

// close tells the scope around s which names s declared: they cannot be declared there any more.
func (s *scope) close() {
	if len(s.names)+len(s.inner) == 0 || s.outer == nil {
		return
	}
	if s.outer.inner == nil {
		s.outer.inner = map[string]int{}
	}
	for n, v := range s.names {
		s.outer.inner[n] = v.pos
	}
	for n, at := range s.inner {
		s.outer.inner[n] = at
	}
}

func (s *scope) add(v *local) {
	if s.names == nil {
		s.names = map[string]*local{}
	}
	s.names[v.name] = v
}

// declare brings a local variable into the current scope.
func (b *binder) declare(pos int, name string, t *Type) *local {
	if t.kind == kindVoid {
		b.fail(pos, "CS1547", "Keyword 'void' cannot be used in this context")
	}
	for s := b.scope; s != nil && name != "_"; s = s.outer {
		if s.names[name] != nil || s.funcs[name] != nil {
			code, msg := "CS0136", "A local or parameter named '%s' cannot be declared in this scope because that name is used in an enclosing local scope"
			if s == b.scope {
				code, msg = "CS0128", "A local variable or function named '%s' is already defined in this scope"
			}
			b.fail(pos, code, msg, name)
		}
	}
	if at, ok := b.scope.inner[name]; ok && name != "_" {
		b.fail(at, "CS0136", "A local or parameter named '%s' cannot be declared in this scope because that name is used in an enclosing local scope", name)
	}
	v := &local{name: name, pos: pos, t: t, fn: b.fn, id: b.locals, cell: b.used[name] > b.fn.depth}
	b.locals++
	if v.cell {
		v.slot = b.slot(reprObj)
		for s := b.scope; s != nil && s.fn == b.fn; s = s.outer {
			if s.cells != nil {
				*s.cells = append(*s.cells, v.slot)
				break
			}
		}
	} else {
		v.slot = b.slot(t.repr())
	}
	b.scope.add(v)
	return v
}

// temp is a nameless local of the current frame.
func (b *binder) temp(t *Type) *local {
	v := &local{t: t, fn: b.fn, slot: b.slot(t.repr()), id: b.locals}
	b.locals++
	b.flow.set(v.id)
	return v
}

// cell holds a captured variable.
type cell struct {
	i int64
	f float64
	s string
	o any
}

// cellSlot gives the slot of the current frame that holds the cell of v.
func (b *binder) cellSlot(v *local) int { return b.fn.cellSlot(v) }

func (f *funcState) cellSlot(v *local) int {
	if v.fn == f {
		return v.slot
	}
	if s, ok := f.cells[v]; ok {
		return s
	}
	from := f.outer.cellSlot(v)
	to := f.layout.objs
	f.layout.objs++
	f.captures = append(f.captures, capture{from, to})
	if f.cells == nil {
		f.cells = map[*local]int{}
	}
	f.cells[v] = to
	return to
}

// load makes code that reads a local.
func (b *binder) load(v *local) code {
	if v.cell {
		n := b.cellSlot(v)
		switch v.t.repr() {
		case reprInt:
			return code{i: func(fr *Frame) int64 { return fr.objs[n].(*cell).i }}
		case reprBool:
			return code{b: func(fr *Frame) bool { return fr.objs[n].(*cell).i != 0 }}
		case reprFloat:
			return code{f: func(fr *Frame) float64 { return fr.objs[n].(*cell).f }}
		case reprStr:
			return code{s: func(fr *Frame) string { return fr.objs[n].(*cell).s }}
		}
		return code{o: func(fr *Frame) any { return fr.objs[n].(*cell).o }}
	}
	n := v.slot
	switch v.t.repr() {
	case reprInt:
		return code{i: func(fr *Frame) int64 { return fr.ints[n] }}
	case reprBool:
		return code{b: func(fr *Frame) bool { return fr.ints[n] != 0 }}
	case reprFloat:
		return code{f: func(fr *Frame) float64 { return fr.floats[n] }}
	case reprStr:
		return code{s: func(fr *Frame) string { return fr.strs[n] }}
	}
	return code{o: func(fr *Frame) any { return fr.objs[n] }}
}

func bit(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// store makes code that writes a local.
func (b *binder) store(v *local, c code) func(*Frame) {
	if v.cell {
		n := b.cellSlot(v)
		switch v.t.repr() {
		case reprInt:
			return func(fr *Frame) { x := c.i(fr); fr.objs[n].(*cell).i = x }
		case reprBool:
			return func(fr *Frame) { x := c.b(fr); fr.objs[n].(*cell).i = bit(x) }
		case reprFloat:
			return func(fr *Frame) { x := c.f(fr); fr.objs[n].(*cell).f = x }
		case reprStr:
			return func(fr *Frame) { x := c.s(fr); fr.objs[n].(*cell).s = x }
		}
		return func(fr *Frame) { x := c.o(fr); fr.objs[n].(*cell).o = x }
	}
	n := v.slot
	switch v.t.repr() {
	case reprInt:
		return func(fr *Frame) { fr.ints[n] = c.i(fr) }
	case reprBool:
		return func(fr *Frame) { fr.ints[n] = bit(c.b(fr)) }
	case reprFloat:
		return func(fr *Frame) { fr.floats[n] = c.f(fr) }
	case reprStr:
		return func(fr *Frame) { fr.strs[n] = c.s(fr) }
	}
	return func(fr *Frame) { fr.objs[n] = c.o(fr) }
}

// storeBoxed makes a setter from boxed values.
func (b *binder) storeBoxed(v *local) func(*Frame, any) {
	n := v.slot
	if v.cell {
		n = b.cellSlot(v)
		r := v.t.repr()
		return func(fr *Frame, x any) {
			c := fr.objs[n].(*cell)
			switch r {
			case reprInt:
				c.i, _ = Integer(x)
			case reprBool:
				t, _ := x.(bool)
				c.i = bit(t)
			case reprFloat:
				c.f = unboxFloat(x)
			case reprStr:
				c.s = UnboxString(x)
			default:
				c.o = x
			}
		}
	}
	switch v.t.repr() {
	case reprInt:
		return func(fr *Frame, x any) { fr.ints[n], _ = Integer(x) }
	case reprBool:
		return func(fr *Frame, x any) { t, _ := x.(bool); fr.ints[n] = bit(t) }
	case reprFloat:
		return func(fr *Frame, x any) { fr.floats[n] = unboxFloat(x) }
	case reprStr:
		return func(fr *Frame, x any) { fr.strs[n] = UnboxString(x) }
	}
	return func(fr *Frame, x any) { fr.objs[n] = x }
}

// typ resolves a written type or reports it.
func (b *binder) typ(ref *typeRef) *Type {
	if ref.unbound() {
		b.fail(ref.pos, "CS7003", "Unexpected use of an unbound generic name")
	}
	return b.openTyp(ref)
}

// openTyp is typ for typeof, where List<> has a meaning.
func (b *binder) openTyp(ref *typeRef) *Type {
	t, err := typeScope{lib: b.lib, bound: b.bound}.resolve(ref)
	if err == nil {
		b.allowType(ref.pos, t)
		return t
	}
	if nf, ok := err.(*typeNotFound); ok {
		b.wrongArity(ref)
		b.fail(ref.pos, "CS0246", "%s%s", nf.Error(), b.lib.suggestType(nf.name))
	}
	if n := len(ref.suffix); n > 0 && ref.suffix[n-1] == 0 {
		tooNew(ref.pos, "nullable reference types", "8.0")
	}
	b.fail(ref.pos, "CS0453", "%s", err.Error())
	return nil
}

func (b *binder) allowType(pos int, t *Type) {
	if t.outside {
		b.warn(pos, "The type '%s' is outside the published list of types for policy expressions", t)
	}
	for _, a := range t.args {
		b.allowType(pos, a)
	}
}

func (b *binder) warn(pos int, format string, args ...any) {
	b.warns = append(b.warns, bindError{pos, OutsideAllowList, fmt.Sprintf(format, args...)})
}

// position turns a byte offset into line and column of the document.
func (o Options) position(src string, at int) (line, column int) {
	line, column = max(o.Line, 1), max(o.Column, 1)
	if at > len(src) {
		at = len(src)
	}
	if n := strings.Count(src[:at], "\n"); n > 0 {
		return line + n, utf8.RuneCountInString(src[strings.LastIndexByte(src[:at], '\n')+1:at]) + 1
	}
	return line, column + utf8.RuneCountInString(src[:at])
}

func (l *Library) compile(src string, o Options) (prog *Program, diags []Diagnostic) {
	b := &binder{lib: l, t: &l.family.t, src: src, opts: o, lambdas: map[lambdaKey]*boundLambda{}}
	report := func(e bindError, warning bool) {
		line, col := o.position(src, e.pos)
		diags = append(diags, Diagnostic{line, col, e.code, e.msg, warning})
	}
	defer func() {
		if r := recover(); r != nil {
			switch e := r.(type) {
			case syntaxError:
				report(bindError(e), false)
			case bindError:
				if e.code == "" { // it follows from one that was found before
					e = b.errs[0]
				}
				report(e, false)
			default:
				panic(r)
			}
			prog = nil
		}
	}()
	start, end, body := wrapper(src)
	target := o.Target
	if target == nil {
		target = b.t.object
	}
	b.fn = &funcState{result: target}
	b.push()
	p := newParser(src, start, end)
	p.used = map[string]int{}
	b.used = p.used
	var c code
	if body {
		tree := p.body(start, end)
		c = b.function(tree, target)
	} else {
		tree := p.whole(start)
		c = b.whole(b.value(tree), target).c
	}
	for _, w := range b.warns {
		report(w, !o.Strict)
	}
	for _, e := range b.errs {
		report(e, false)
	}
	if len(b.errs) > 0 || o.Strict && len(b.warns) > 0 {
		return nil, diags
	}
	p2 := &Program{lib: l, typ: target, code: c}
	p2.boxed = boxer(c, target)
	lay := b.fn.layout
	p2.plain = lay == layout{}
	p2.pool.New = func() any { return lay.newFrame() }
	return p2, diags
}

// wrapper finds the text inside @( ) or @{ }.
func wrapper(src string) (start, end int, body bool) {
	i := len(src) - len(strings.TrimLeft(src, " \t\r\n"))
	trimmed := strings.TrimSpace(src)
	if len(trimmed) >= 3 && trimmed[0] == '@' && (trimmed[1] == '(' && strings.HasSuffix(trimmed, ")") || trimmed[1] == '{' && strings.HasSuffix(trimmed, "}")) {
		return i + 2, i + len(trimmed) - 1, trimmed[1] == '{'
	}
	return 0, len(src), false
}
