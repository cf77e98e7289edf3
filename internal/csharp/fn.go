package csharp

import "reflect"

// code is compiled code of one operand: the field of its representation is set.
type code struct {
	i func(*Frame) int64
	f func(*Frame) float64
	b func(*Frame) bool
	s func(*Frame) string
	o func(*Frame) any
	v func(*Frame)
}

// run evaluates an operand for what it does.
func (c code) run(fr *Frame) {
	switch {
	case c.i != nil:
		c.i(fr)
	case c.f != nil:
		c.f(fr)
	case c.b != nil:
		c.b(fr)
	case c.s != nil:
		c.s(fr)
	case c.o != nil:
		c.o(fr)
	case c.v != nil:
		c.v(fr)
	}
}

// goSlot is what a Go parameter or result of a Func takes up.
type goSlot uint8

const (
	slotArg    goSlot = iota // a C# argument
	slotRun                  // *Run
	slotTypes                // TypeArgs
	slotResult               // *Type of the result
)

type goParam struct {
	slot goSlot
	repr repr
	name string // of the Go type, for messages
}

// callSite is what a Func needs to become code: argument code in the representation of each parameter.
type callSite struct {
	args   []code
	types  TypeArgs
	result *Type
	next   int
}

// A Func is the Go implementation of a member: a Go function wrapped by F0…F6 or V0…V6.
type Func struct {
	params []goParam
	result repr
	boxed  bool // the result is boxed whatever the declaration says
	// anyResult is set when the Go result is any, which fits every declaration.
	anyResult bool
	emit      func(c *callSite) code
}

// A GoType tells how boxed values of a declared .NET type are recognised.
type GoType struct {
	is   func(any) bool
	zero func(t *Type) any
}

// WithZero sets how the default value of a struct type is made; without it that is the zero value of the Go type.
func (g GoType) WithZero(zero func(t *Type) any) GoType { g.zero = zero; return g }

// Go is the GoType of values that are a T in Go; T may be an interface.
func Go[T any]() GoType {
	return GoType{
		is:   func(v any) bool { _, ok := v.(T); return ok },
		zero: func(*Type) any { return *new(T) },
	}
}

// NoGo is the GoType of a type that has no values of its own, such as a static class.
func NoGo() GoType { return GoType{} }

func paramOf[A any]() goParam {
	t := reflect.TypeFor[A]()
	p := goParam{repr: reprOf(t), name: t.String()}
	switch t {
	case reflect.TypeFor[*Run]():
		p.slot = slotRun
	case reflect.TypeFor[TypeArgs]():
		p.slot = slotTypes
	case reflect.TypeFor[ResultType]():
		p.slot = slotResult
	}
	return p
}

// ResultType as a Go parameter receives the static type of the call's result.
type ResultType struct{ *Type }

func reprOf(t reflect.Type) repr {
	if t.PkgPath() != "" && t != reflect.TypeFor[Char]() {
		return reprObj // a named type such as clr.TimeSpan is a value of its own
	}
	switch t.Kind() {
	case reflect.String:
		return reprStr
	case reflect.Bool:
		return reprBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return reprInt
	case reflect.Float32, reflect.Float64:
		return reprFloat
	}
	return reprObj
}

func intGetter[A any, I int | int8 | int16 | int32 | uint | uint8 | uint16 | uint32 | uint64 | Char](f func(*Frame) int64) func(*Frame) A {
	return any(func(fr *Frame) I { return I(f(fr)) }).(func(*Frame) A)
}

// get makes the code that fetches the next Go parameter of type A.
func get[A any](c *callSite) func(*Frame) A {
	var zero *A
	switch any(zero).(type) {
	case **Run:
		return any(func(fr *Frame) *Run { return fr.run }).(func(*Frame) A)
	case *TypeArgs:
		types := c.types
		return any(func(*Frame) TypeArgs { return types }).(func(*Frame) A)
	case *ResultType:
		t := ResultType{c.result}
		return any(func(*Frame) ResultType { return t }).(func(*Frame) A)
	}
	a := c.args[c.next]
	c.next++
	switch any(zero).(type) {
	case *string:
		return any(a.s).(func(*Frame) A)
	case *bool:
		return any(a.b).(func(*Frame) A)
	case *int64:
		return any(a.i).(func(*Frame) A)
	case *float64:
		return any(a.f).(func(*Frame) A)
	case *any:
		return any(a.o).(func(*Frame) A)
	case *int:
		return intGetter[A, int](a.i)
	case *int32:
		return intGetter[A, int32](a.i)
	case *Char:
		return intGetter[A, Char](a.i)
	case *uint8:
		return intGetter[A, uint8](a.i)
	case *int8:
		return intGetter[A, int8](a.i)
	case *int16:
		return intGetter[A, int16](a.i)
	case *uint16:
		return intGetter[A, uint16](a.i)
	case *uint32:
		return intGetter[A, uint32](a.i)
	case *uint64:
		return intGetter[A, uint64](a.i)
	case *uint:
		return intGetter[A, uint](a.i)
	case *float32:
		f := a.f
		return any(func(fr *Frame) float32 { return float32(f(fr)) }).(func(*Frame) A)
	}
	o := a.o
	return func(fr *Frame) A {
		v := o(fr)
		if v == nil {
			var none A
			return none
		}
		return v.(A)
	}
}

func intPutter[R int | int8 | int16 | int32 | uint | uint8 | uint16 | uint32 | uint64 | Char](f any) code {
	g := f.(func(*Frame) R)
	return code{i: func(fr *Frame) int64 { return int64(g(fr)) }}
}

// put makes code of a Go function's result.
func put[R any](f func(*Frame) R) code {
	switch g := any(f).(type) {
	case func(*Frame) string:
		return code{s: g}
	case func(*Frame) bool:
		return code{b: g}
	case func(*Frame) int64:
		return code{i: g}
	case func(*Frame) float64:
		return code{f: g}
	case func(*Frame) any:
		return code{o: g}
	case func(*Frame) []byte:
		return code{o: func(fr *Frame) any {
			if v := g(fr); v != nil {
				return v
			}
			return nil
		}}
	case func(*Frame) float32:
		return code{f: func(fr *Frame) float64 { return float64(g(fr)) }}
	case func(*Frame) int:
		return intPutter[int](f)
	case func(*Frame) int32:
		return intPutter[int32](f)
	case func(*Frame) Char:
		return intPutter[Char](f)
	case func(*Frame) uint8:
		return intPutter[uint8](f)
	case func(*Frame) int8:
		return intPutter[int8](f)
	case func(*Frame) int16:
		return intPutter[int16](f)
	case func(*Frame) uint16:
		return intPutter[uint16](f)
	case func(*Frame) uint32:
		return intPutter[uint32](f)
	case func(*Frame) uint64:
		return intPutter[uint64](f)
	case func(*Frame) uint:
		return intPutter[uint](f)
	}
	if reflect.TypeFor[R]().Kind() == reflect.Pointer {
		none := any(*new(R))
		return code{o: func(fr *Frame) any {
			v := any(f(fr))
			if v == none {
				return nil
			}
			return v
		}}
	}
	return code{o: func(fr *Frame) any { return f(fr) }}
}

// F0 wraps a Go function without parameters; F1 to F7 those with one to seven.
func F0[R any](f func() R) Func {
	return Func{params: nil, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(*callSite) code {
		return put(func(*Frame) R { return f() })
	}}
}

// F1 wraps a Go function of one parameter.
func F1[A, R any](f func(A) R) Func {
	return Func{params: []goParam{paramOf[A]()}, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a := get[A](c)
		return put(func(fr *Frame) R { return f(a(fr)) })
	}}
}

// F2 wraps a Go function of two parameters.
func F2[A, B, R any](f func(A, B) R) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B]()}, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a, b := get[A](c), get[B](c)
		return put(func(fr *Frame) R { return f(a(fr), b(fr)) })
	}}
}

// F3 wraps a Go function of three parameters.
func F3[A, B, C, R any](f func(A, B, C) R) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C]()}, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a, b, d := get[A](c), get[B](c), get[C](c)
		return put(func(fr *Frame) R { return f(a(fr), b(fr), d(fr)) })
	}}
}

// F4 wraps a Go function of four parameters.
func F4[A, B, C, D, R any](f func(A, B, C, D) R) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D]()}, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a, b, d, e := get[A](c), get[B](c), get[C](c), get[D](c)
		return put(func(fr *Frame) R { return f(a(fr), b(fr), d(fr), e(fr)) })
	}}
}

// F5 wraps a Go function of five parameters.
func F5[A, B, C, D, E, R any](f func(A, B, C, D, E) R) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D](), paramOf[E]()}, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a, b, d, e, g := get[A](c), get[B](c), get[C](c), get[D](c), get[E](c)
		return put(func(fr *Frame) R { return f(a(fr), b(fr), d(fr), e(fr), g(fr)) })
	}}
}

// F6 wraps a Go function of six parameters.
func F6[A, B, C, D, E, G, R any](f func(A, B, C, D, E, G) R) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D](), paramOf[E](), paramOf[G]()}, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a, b, d, e, g, h := get[A](c), get[B](c), get[C](c), get[D](c), get[E](c), get[G](c)
		return put(func(fr *Frame) R { return f(a(fr), b(fr), d(fr), e(fr), g(fr), h(fr)) })
	}}
}

// F7 wraps a Go function of seven parameters.
func F7[A, B, C, D, E, G, H, R any](f func(A, B, C, D, E, G, H) R) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D](), paramOf[E](), paramOf[G](), paramOf[H]()}, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a, b, d, e, g, h, i := get[A](c), get[B](c), get[C](c), get[D](c), get[E](c), get[G](c), get[H](c)
		return put(func(fr *Frame) R { return f(a(fr), b(fr), d(fr), e(fr), g(fr), h(fr), i(fr)) })
	}}
}

// F8 wraps a Go function of eight parameters.
func F8[A, B, C, D, E, G, H, I, R any](f func(A, B, C, D, E, G, H, I) R) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D](), paramOf[E](), paramOf[G](), paramOf[H](), paramOf[I]()}, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a, b, d, e, g, h, i, j := get[A](c), get[B](c), get[C](c), get[D](c), get[E](c), get[G](c), get[H](c), get[I](c)
		return put(func(fr *Frame) R { return f(a(fr), b(fr), d(fr), e(fr), g(fr), h(fr), i(fr), j(fr)) })
	}}
}

// F11 wraps a Go function of eleven parameters: new Guid has so many.
func F11[A, B, C, D, E, G, H, I, J, K, L, R any](f func(A, B, C, D, E, G, H, I, J, K, L) R) Func {
	params := []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D](), paramOf[E](), paramOf[G](), paramOf[H](), paramOf[I](), paramOf[J](), paramOf[K](), paramOf[L]()}
	return Func{params: params, result: reprOf(reflect.TypeFor[R]()), anyResult: isAny[R](), emit: func(c *callSite) code {
		a, b, d, e, g, h, i, j := get[A](c), get[B](c), get[C](c), get[D](c), get[E](c), get[G](c), get[H](c), get[I](c)
		k, l, m := get[J](c), get[K](c), get[L](c)
		return put(func(fr *Frame) R {
			return f(a(fr), b(fr), d(fr), e(fr), g(fr), h(fr), i(fr), j(fr), k(fr), l(fr), m(fr))
		})
	}}
}

// V1 wraps a Go function of one parameter without result: a void member or a setter.
func V1[A any](f func(A)) Func {
	return Func{params: []goParam{paramOf[A]()}, result: reprVoid, emit: func(c *callSite) code {
		a := get[A](c)
		return code{v: func(fr *Frame) { f(a(fr)) }}
	}}
}

// V2 wraps a Go function of two parameters without result.
func V2[A, B any](f func(A, B)) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B]()}, result: reprVoid, emit: func(c *callSite) code {
		a, b := get[A](c), get[B](c)
		return code{v: func(fr *Frame) { f(a(fr), b(fr)) }}
	}}
}

// V3 wraps a Go function of three parameters without result.
func V3[A, B, C any](f func(A, B, C)) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C]()}, result: reprVoid, emit: func(c *callSite) code {
		a, b, d := get[A](c), get[B](c), get[C](c)
		return code{v: func(fr *Frame) { f(a(fr), b(fr), d(fr)) }}
	}}
}

// V4 wraps a Go function of four parameters without result.
func V4[A, B, C, D any](f func(A, B, C, D)) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D]()}, result: reprVoid, emit: func(c *callSite) code {
		a, b, d, e := get[A](c), get[B](c), get[C](c), get[D](c)
		return code{v: func(fr *Frame) { f(a(fr), b(fr), d(fr), e(fr)) }}
	}}
}

// V5 wraps a Go function of five parameters without result.
func V5[A, B, C, D, E any](f func(A, B, C, D, E)) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D](), paramOf[E]()}, result: reprVoid, emit: func(c *callSite) code {
		a, b, d, e, g := get[A](c), get[B](c), get[C](c), get[D](c), get[E](c)
		return code{v: func(fr *Frame) { f(a(fr), b(fr), d(fr), e(fr), g(fr)) }}
	}}
}

// V6 wraps a Go function of six parameters without result.
func V6[A, B, C, D, E, G any](f func(A, B, C, D, E, G)) Func {
	return Func{params: []goParam{paramOf[A](), paramOf[B](), paramOf[C](), paramOf[D](), paramOf[E](), paramOf[G]()}, result: reprVoid, emit: func(c *callSite) code {
		a, b, d, e, g, h := get[A](c), get[B](c), get[C](c), get[D](c), get[E](c), get[G](c)
		return code{v: func(fr *Frame) { f(a(fr), b(fr), d(fr), e(fr), g(fr), h(fr)) }}
	}}
}

// isAny tells whether a Go type is any.
func isAny[R any]() bool { return reflect.TypeFor[R]() == reflect.TypeFor[any]() }

// takesAny tells for each C# argument whether the Go parameter is boxed.
func (f Func) takesAny() []bool {
	var out []bool
	for _, p := range f.params {
		if p.slot == slotArg {
			out = append(out, p.repr == reprObj)
		}
	}
	return out
}

// Boxed lets a function that gives a boxed value implement a member whose result is a number, bool or string.
func Boxed(f Func) Func {
	f.boxed = true
	return f
}
