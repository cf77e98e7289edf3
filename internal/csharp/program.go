package csharp

import "sync"

// A Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	lib   *Library
	typ   *Type
	code  code
	boxed func(*Frame) any
	plain bool // needs a frame without slots, which any run can give back
	pool  sync.Pool
}

// Compile takes the text of an expression with or without its `@( )` or `@{ }` wrapper; without one it is an expression.
// The program is nil when a diagnostic is an error.
func (l *Library) Compile(src string, o Options) (*Program, []Diagnostic) { return l.compile(src, o) }

// Type is the static type of the result: Options.Target if that was set.
func (p *Program) Type() *Type { return p.typ }

// EndOfExpression finds the length of the expression that begins at src[0] == '@' with `@(` or `@{`. It skips strings,
// verbatim and interpolated strings, character literals, comments and nested brackets. It is false for a text that is no
// expression or has no end.
func EndOfExpression(src string) (n int, ok bool) { return endOfExpression(src) }

func (p *Program) frame(host any, l *Limits) *Frame {
	var fr *Frame
	if p.plain && l != nil {
		fr = l.Scratch.takeFrame()
	}
	if fr == nil {
		fr = p.pool.Get().(*Frame)
	}
	fr.run = &fr.own
	fr.own.reset(p.lib, host, l)
	return fr
}

// finish is deferred around every run: it is the one boundary at which exceptions become errors.
func (p *Program) finish(fr *Frame, err *error) {
	if x := recover(); x != nil {
		if e, limit := recovered(p.lib, x); limit != nil {
			*err = limit
		} else {
			*err = e
		}
	}
	l := fr.own.limits
	fr.clear()
	if !p.plain || l == nil || !l.Scratch.giveFrame(fr) {
		p.pool.Put(fr)
	}
}

// Run evaluates the program and gives the result in its boxed Go form. The error is *Exception or *LimitError.
func (p *Program) Run(host any, l *Limits) (v any, err error) {
	fr := p.frame(host, l)
	defer p.finish(fr, &err)
	return p.boxed(fr), nil
}

// RunString gives the result as Convert.ToString(value, InvariantCulture) does; null tells a null result from "".
func (p *Program) RunString(host any, l *Limits) (s string, null bool, err error) {
	fr := p.frame(host, l)
	defer p.finish(fr, &err)
	if p.code.s != nil {
		if s = p.code.s(fr); IsNull(s) {
			return "", true, nil
		}
		return s, false, nil
	}
	v := p.boxed(fr)
	return FormatValue(v), v == nil, nil
}

// RunBool evaluates a program whose type is bool; for another type it is an InvalidCastException unless the boxed value
// is a bool.
func (p *Program) RunBool(host any, l *Limits) (v bool, err error) {
	fr := p.frame(host, l)
	defer p.finish(fr, &err)
	if p.code.b != nil {
		return p.code.b(fr), nil
	}
	return p.boxed(fr).(bool), nil
}

// RunInt64 evaluates a program whose type is an integer type, char or an enum, or whose boxed value is one.
func (p *Program) RunInt64(host any, l *Limits) (v int64, err error) {
	fr := p.frame(host, l)
	defer p.finish(fr, &err)
	if p.code.i != nil {
		return p.code.i(fr), nil
	}
	n, ok := Integer(p.boxed(fr))
	if !ok {
		Throw("System.InvalidCastException", "Unable to cast the result to an integer.")
	}
	return n, nil
}

// RunFloat64 evaluates a program whose type is float or double, or whose boxed value is a number.
func (p *Program) RunFloat64(host any, l *Limits) (v float64, err error) {
	fr := p.frame(host, l)
	defer p.finish(fr, &err)
	if p.code.f != nil {
		return p.code.f(fr), nil
	}
	switch x := p.boxed(fr).(type) {
	case float64:
		return x, nil
	case float32:
		return float64(x), nil
	case Decimal:
		return x.Float64(), nil
	default:
		n, ok := Integer(x)
		if !ok {
			Throw("System.InvalidCastException", "Unable to cast the result to a number.")
		}
		return float64(n), nil
	}
}
