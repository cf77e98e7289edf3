package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Value is a field of a policy: a constant of the document or a compiled expression. T is string, bool, int, int64, float64, []byte or any.
// The zero Value is one that the document does not have.
type Value[T any] struct {
	constant T
	expr     *expression
	set      bool
}

// Const returns a constant.
func Const[T any](v T) Value[T] { return Value[T]{constant: v, set: true} }

// IsSet says whether the document has the attribute, element or text, or whether it has a default.
func (v Value[T]) IsSet() bool { return v.set }

// Constant returns the value when it does not depend on the request.
func (v Value[T]) Constant() (constant T, ok bool) { return v.constant, v.set && v.expr == nil }

// Get returns the value for a request. A value that is not set is the zero T. The C# null is "" for strings (csharp.IsNull tells it
// apart) and nil for []byte and any. An exception or a result that cannot become a T is an *Error with ReasonExpression.
func (v Value[T]) Get(x *Exec) (T, error) {
	if v.expr == nil {
		return v.constant, nil
	}
	return evaluate[T](x, v.expr)
}

// load takes the value from the document; t has its named values in place.
func (v *Value[T]) load(c *Compiler, f *field, t text) {
	v.set = true
	if isExpressionStart(t.s) {
		if isExpression(t.s) {
			if f.constant {
				c.noExpression(f, t)
				return
			}
			v.expr = c.k.expression(c.where(f), f, t.trim(), c.k.catalogue.targets.of(&v.constant))
			return
		}
		if n := strings.IndexByte(t.s, '@'); !hasExpressionEnd(t.s[n:]) {
			c.k.errorAt(t.source(n), "InvalidExpression", "the expression has no end: a bracket or a quote is not closed")
			return
		}
	}
	if strings.Contains(t.s, "@(") {
		c.k.warnAt(t.source(0), "MixedExpression", "%s is taken as plain text: an expression must be the whole value", c.where(f))
	}
	if !f.keepSpace {
		t = t.trim()
	}
	if err := parseConstant(t.s, &f.rules, &v.constant); err != nil {
		c.invalid(f, t, err)
	}
}

// leaveOpen makes the value one that is known only when all named values are: set, not constant, an error when a request asks for it.
func (v *Value[T]) leaveOpen(t text) {
	v.set, v.expr = true, &expression{source: t.s}
}

// parseConstant reads a constant of the document into *to.
func parseConstant(s string, r *rules, to any) (err error) {
	trimmed := strings.TrimSpace(s)
	switch to := to.(type) {
	case *string:
		*to, err = r.text(s)
	case *any:
		*to = s
	case *[]byte:
		*to = []byte(s)
	case *bool:
		*to, err = parseBool(trimmed)
	case *int:
		var n int64
		if n, err = parseInt(trimmed); err == nil {
			*to, err = int(n), r.number(float64(n))
		}
	case *int64:
		if *to, err = parseInt(trimmed); err == nil {
			err = r.number(float64(*to))
		}
	case *float64:
		if *to, err = parseFloat(trimmed); err == nil {
			err = r.number(*to)
		}
	default:
		err = fmt.Errorf("type %T cannot be read", to)
	}
	return err
}

var (
	errBool   = errors.New(`must be "true" or "false"`)
	errInt    = errors.New("must be a whole number")
	errNumber = errors.New("must be a number")
)

// parseBool reads a boolean as .NET does: without regard to case.
func parseBool(s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, nil
	case strings.EqualFold(s, "false"):
		return false, nil
	}
	return false, errBool
}

func parseInt(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, errInt
	}
	return n, nil
}

func parseFloat(s string) (float64, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, errNumber
	}
	return n, nil
}

// text checks a text against the enumeration and returns it in the enumeration's own spelling.
func (r *rules) text(s string) (string, error) {
	if len(r.enum) == 0 {
		return s, nil
	}
	for _, e := range r.enum {
		if e == s {
			return e, nil
		}
	}
	trimmed := strings.TrimSpace(s)
	for _, e := range r.enum {
		if strings.EqualFold(e, trimmed) {
			return e, nil
		}
	}
	return "", fmt.Errorf("must be one of %s, not %q", strings.Join(r.enum, ", "), s)
}

// number checks the bounds.
func (r *rules) number(n float64) error {
	switch {
	case r.min != nil && n < *r.min:
		return fmt.Errorf("must be at least %v, not %v", *r.min, n)
	case r.max != nil && n > *r.max:
		return fmt.Errorf("must be at most %v, not %v", *r.max, n)
	}
	return nil
}
