package armtemplate

import (
	"context"
	"slices"
	"strings"
)

// budget is the work that one deployment may still do. Nested deployments share that of their parent's template only
// when they are evaluated within it.
type budget struct{ steps, elements, bytes int }

func newBudget() *budget { return &budget{maxSteps, maxRetain, maxUnits} }

// loop is one copy loop in progress.
type loop struct {
	name     string
	at       int64
	resource bool // the loop of a resource or output, which copyIndex() without a name means
}

// frame is where an expression stands: what its names mean.
type frame struct {
	ctx    context.Context
	d      *Deployment
	loops  []loop
	locals *local  // variables of lambdas
	args   *Object // of the user-defined function that is running, nil outside
	// live says that functions that look at the world may be called: reference(), list*().
	live bool
	// parameter says that the expression is a parameter's default, where newGuid() and utcNow() may stand.
	parameter bool
	depth     int
	watch     *watch // notes what is referred to; nil for none
}

type local struct {
	name  string
	v     Value
	outer *local
}

// watch collects what an expression refers to while it is looked through for dependencies.
type watch struct{ refs map[string]bool }

// raise ends the evaluation with an error; [frame.value] returns it.
func raise(e *Error) { panic(e) }

// fail ends the evaluation with InvalidTemplate.
func fail(format string, args ...any) { raise(invalid(format, args...)) }

// guard runs fn and returns the error that it raised.
func guard(fn func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			err = r
		case worldError:
			err = r.err
		default:
			panic(r)
		}
	}()
	fn()
	return nil
}

// worldError carries an error of the World through an evaluation.
type worldError struct{ err error }

// at adds an element's path to an error raised by fn.
func at(path string, fn func()) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(*Error); ok {
				switch {
				case e.Path == "":
					e.Path = path
				case strings.HasPrefix(e.Path, "["):
					e.Path = path + e.Path
				default:
					e.Path = path + "." + e.Path
				}
			}
			panic(r)
		}
	}()
	fn()
}

func (f frame) deeper() frame {
	f.depth++
	if f.depth > maxDepth {
		fail("The expressions call one another deeper than %d levels.", maxDepth)
	}
	return f
}

func (f frame) step() {
	if f.d.work.steps--; f.d.work.steps < 0 {
		fail("The template takes more work than is allowed.")
	}
	if f.d.work.steps%1024 == 0 && f.ctx.Err() != nil {
		panic(worldError{f.ctx.Err()})
	}
}

// holds counts what an evaluation makes.
func (f frame) holds(elements, bytes int) {
	f.d.work.elements -= elements
	f.d.work.bytes -= bytes
	if f.d.work.elements < 0 || f.d.work.bytes < 0 || bytes > maxValues {
		fail("The template makes values that are larger than is allowed.")
	}
}

// value evaluates a value of the template: expressions in strings, copy loops in objects.
func (f frame) value(v Value) Value {
	f.step()
	switch v := v.(type) {
	case string:
		return f.text(v)
	case []Value:
		f = f.deeper()
		out := make([]Value, len(v))
		f.holds(len(v), 0)
		for i, item := range v {
			at(indexPath(i), func() { out[i] = f.value(item) })
		}
		return out
	case *Object:
		return f.object(v)
	}
	return v
}

func (f frame) object(o *Object) Value {
	f = f.deeper()
	f.holds(o.Len(), 0)
	out := &Object{}
	for _, k := range o.Keys() {
		v, _ := o.Get(k)
		if loops, ok := v.([]Value); ok && strings.EqualFold(k, "copy") && isCopy(loops) {
			at("copy", func() { f.copies(loops, out) })
			continue
		}
		name := k
		if IsExpression(k) {
			name = f.wantText(k)
		} else {
			name = unescape(name)
		}
		at(k, func() { out.Set(name, f.value(v)) })
	}
	return out
}

// isCopy reports whether an array under the name copy is a list of loops.
func isCopy(loops []Value) bool {
	return len(loops) > 0 && !slices.ContainsFunc(loops, func(v Value) bool {
		o, ok := v.(*Object)
		_, count := o.Get("count")
		_, input := o.Get("input")
		return !ok || !count || !input
	})
}

// copies runs loops over properties and puts their arrays into out.
func (f frame) copies(loops []Value, out *Object) {
	for _, v := range loops {
		l := v.(*Object)
		name := f.wantText(l.Text("name"))
		if name == "" {
			fail("A copy loop needs a name.")
		}
		count, _ := l.Get("count")
		input, _ := l.Get("input")
		at(name, func() { out.Set(name, f.repeat(name, f.count(count), input)) })
	}
}

func (f frame) repeat(name string, count int64, input Value) []Value {
	out := make([]Value, count)
	for i := range count {
		inner := f
		inner.loops = append(slices.Clip(f.loops), loop{name: name, at: i})
		out[i] = inner.value(input)
	}
	return out
}

// count evaluates the number of a loop.
func (f frame) count(v Value) int64 {
	n, ok := f.value(v).(int64)
	if !ok || n < 0 || n > MaxCopies {
		fail("The count of a copy loop must be a whole number from 0 to %d.", MaxCopies)
	}
	return n
}

// text evaluates a string: an expression, or what it says.
func (f frame) text(s string) Value {
	if !IsExpression(s) {
		return unescape(s)
	}
	v := f.eval(f.d.template.parsed(s))
	if _, ok := v.(lambda); ok {
		fail("A lambda expression is no value: it can only be an argument of a function.")
	}
	return v
}

// wantText evaluates a string that must be one afterwards.
func (f frame) wantText(s string) string {
	v, ok := f.text(s).(string)
	if !ok {
		fail("The value of '%s' must be a string.", shorten(s))
	}
	return v
}

func (f frame) eval(e expr) Value {
	f.step()
	switch e := e.(type) {
	case literal:
		return e.v
	case call:
		return f.deeper().call(e)
	case member:
		v, ok := f.eval(e.of), false
		if v == nil && e.safe {
			return nil
		}
		if v, ok = f.pick(v, e.name); !ok && !e.safe {
			fail("The expression property '%s' doesn't exist, available properties are '%s'.", e.name, namesOf(f.eval(e.of)))
		}
		return v
	case index:
		of, key := f.eval(e.of), f.eval(e.at)
		v, ok := f.pick(of, key)
		if !ok && !e.safe {
			if a, is := of.([]Value); is {
				fail("The language expression property array index '%v' is out of bounds: the array has %d elements.", key, len(a))
			}
			fail("The expression property '%v' doesn't exist, available properties are '%s'.", key, namesOf(of))
		}
		return v
	}
	return nil
}

// pick returns a member of an object or an element of an array.
func (f frame) pick(of, key Value) (Value, bool) {
	switch of := of.(type) {
	case *Object:
		if name, ok := key.(string); ok {
			return of.Get(name)
		}
	case []Value:
		if i, ok := key.(int64); ok {
			if i < 0 || i >= int64(len(of)) {
				return nil, false
			}
			return of[i], true
		}
		fail("The index of an array must be a whole number, not %s.", kindOf(key))
	}
	if of == nil {
		return nil, false
	}
	fail("A property of a value of type %s cannot be selected with %s.", kindOf(of), kindOf(key))
	return nil, false
}

func namesOf(v Value) string {
	o, _ := v.(*Object)
	return shorten(strings.Join(o.Keys(), ", "))
}

// call runs a function.
func (f frame) call(c call) Value {
	if c.space != "" {
		return f.userFunction(c)
	}
	name := strings.ToLower(c.name)
	if lazy := f.d.template.library.lazy[name]; lazy != nil {
		return lazy(f, c.args)
	}
	fn, known := f.d.template.library.functions[name]
	if !known { // the template was read, so it is one of the list* functions
		fn = function{1, 3, func(a args) Value { return a.list(c.name) }}
	}
	if len(c.args) < fn.min || fn.max >= 0 && len(c.args) > fn.max {
		fail("The template function '%s' is called with %d arguments; it %s.", c.name, len(c.args), fn.wants())
	}
	a := args{frame: f, name: c.name, v: make([]Value, len(c.args))}
	for i, e := range c.args {
		a.v[i] = f.eval(e)
	}
	return fn.run(a)
}

// userFunction runs a function of the template's own. It sees its parameters and nothing else.
func (f frame) userFunction(c call) Value {
	def := f.d.template.function(c.space, c.name)
	if def == nil {
		fail("The template function '%s.%s' is not valid.", c.space, c.name)
	}
	params, _ := def.Get("parameters")
	list, _ := params.([]Value)
	if len(list) != len(c.args) {
		fail("The function '%s.%s' has %d parameters and is called with %d.", c.space, c.name, len(list), len(c.args))
	}
	inner := frame{ctx: f.ctx, d: f.d, args: &Object{}, depth: f.depth, watch: f.watch}
	for i, v := range list {
		p, _ := v.(*Object)
		arg := f.eval(c.args[i])
		at(c.space+"."+c.name, func() { f.d.checkType(p, p.Text("name"), arg, 0) })
		inner.args.Set(p.Text("name"), arg)
	}
	out := def.Object("output")
	v, _ := out.Get("value")
	var result Value
	at(c.space+"."+c.name, func() { result = inner.deeper().value(v) })
	return result
}
