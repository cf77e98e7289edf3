package armtemplate

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// library are the functions of the language by their names in lower case.
type library struct {
	functions map[string]function
	// lazy ones get their arguments unevaluated.
	lazy map[string]func(f frame, args []expr) Value
}

// function is one function with the number of arguments that it takes; max below 0 is any number.
type function struct {
	min, max int
	run      func(a args) Value
}

func (fn function) wants() string {
	switch {
	case fn.max < 0:
		return fmt.Sprintf("needs at least %d", fn.min)
	case fn.min == fn.max:
		return fmt.Sprintf("needs %d", fn.min)
	}
	return fmt.Sprintf("needs %d to %d", fn.min, fn.max)
}

func newLibrary() *library {
	l := &library{functions: map[string]function{}}
	for _, part := range []map[string]function{
		stringFunctions(), encodingFunctions(), arrayFunctions(), objectFunctions(), numberFunctions(), dateFunctions(),
		deploymentFunctions(), resourceFunctions(), cidrFunctions(), recentFunctions(),
	} {
		for name, fn := range part {
			l.functions[name] = fn
		}
	}
	l.lazy = lazyFunctions()
	return l
}

// check refuses calls of functions that do not exist, wherever they stand in an expression.
func (l *library) check(e expr) {
	switch e := e.(type) {
	case call:
		name := strings.ToLower(e.name)
		_, known := l.functions[name]
		if e.space == "" && !known && l.lazy[name] == nil && (!strings.HasPrefix(name, "list") || name == "list") {
			fail("The template function '%s' is not valid.", e.name)
		}
		for _, a := range e.args {
			l.check(a)
		}
	case member:
		l.check(e.of)
	case index:
		l.check(e.of)
		l.check(e.at)
	}
}

// args are the arguments of a call with the frame that it stands in.
type args struct {
	frame
	name string
	v    []Value
}

// wrong raises an error about an argument.
func (a args) wrong(i int, want string) {
	fail("The template function '%s' expects its argument %d to be %s. It is of the type %s.", a.name, i+1, want, kindOf(a.v[i]))
}

func (a args) has(i int) bool { return i < len(a.v) }

func (a args) str(i int) string {
	s, ok := a.v[i].(string)
	if !ok {
		a.wrong(i, "a string")
	}
	return s
}

// optional returns a string argument, or def when there is none.
func (a args) optional(i int, def string) string {
	if !a.has(i) || a.v[i] == nil {
		return def
	}
	return a.str(i)
}

func (a args) int(i int) int64 {
	n, ok := a.v[i].(int64)
	if !ok {
		a.wrong(i, "an integer")
	}
	return n
}

func (a args) bool(i int) bool {
	b, ok := a.v[i].(bool)
	if !ok {
		a.wrong(i, "a boolean")
	}
	return b
}

func (a args) array(i int) []Value {
	l, ok := a.v[i].([]Value)
	if !ok {
		a.wrong(i, "an array")
	}
	return l
}

func (a args) object(i int) *Object {
	o, ok := a.v[i].(*Object)
	if !ok {
		a.wrong(i, "an object")
	}
	return o
}

func (a args) lambda(i int) lambda {
	l, ok := a.v[i].(lambda)
	if !ok {
		a.wrong(i, "a lambda expression")
	}
	return l
}

// array makes a new array, counted.
func (a args) made(l []Value) Value {
	a.holds(len(l), 0)
	return l
}

// text makes a new string, counted.
func (a args) text(s string) Value {
	a.holds(0, len(s))
	return s
}

// lambda is a function as an argument.
type lambda struct {
	names []string
	body  expr
	at    frame
}

// run calls the lambda.
func (l lambda) run(v ...Value) Value {
	f := l.at.deeper()
	for i, name := range l.names {
		if i < len(v) {
			f.locals = &local{name, v[i], f.locals}
		}
	}
	return f.eval(l.body)
}

// takes raises an error unless the lambda has min to max parameters.
func (a args) takes(i, min, max int) lambda {
	l := a.lambda(i)
	if len(l.names) < min || len(l.names) > max {
		fail("The lambda expression of '%s' has %d parameters; it must have %d to %d.", a.name, len(l.names), min, max)
	}
	return l
}

// world runs a question to the World; its error ends the evaluation.
func ask[T any](f frame, what string, fn func(ctx context.Context, w World) (T, error)) T {
	if !f.live || f.d.world == nil {
		fail("The template function '%s' is not expected at this location: it needs resources that are deployed.", what)
	}
	v, err := fn(f.ctx, f.d.world)
	if err != nil {
		panic(worldError{err})
	}
	return v
}

// plain renders a value as string() and concat() do.
func plain(v Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case json.Number:
		return v.String()
	case lambda:
		fail("A lambda expression is no value.")
	}
	return compact(v)
}

// compact renders a value as JSON.
func compact(v Value) string {
	o := NewObject("", v)
	b, err := o.MarshalJSON()
	if err != nil {
		fail("The value cannot be written as JSON.")
	}
	return string(b[4 : len(b)-1])
}
