package liquid

import (
	"math/big"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// numberFilter finds the filters of numbers.
func numberFilter(name string) filter {
	switch name {
	case "plus":
		return arithmetic('+')
	case "minus":
		return arithmetic('-')
	case "times":
		return arithmetic('*')
	case "dividedby":
		return arithmetic('/')
	case "modulo":
		return arithmetic('%')
	case "abs":
		return numeric(func(d *decimal, _ []any) (*decimal, error) {
			return &decimal{new(big.Int).Abs(d.digits), d.scale}, nil
		})
	case "ceil":
		return numeric(func(d *decimal, _ []any) (*decimal, error) { return d.whole(1), nil })
	case "floor":
		return numeric(func(d *decimal, _ []any) (*decimal, error) { return d.whole(-1), nil })
	case "round":
		return numeric(func(d *decimal, args []any) (*decimal, error) {
			return d.at(int(min(max(countArgument(args, 0, 0), 0), int64(d.scale)))), nil
		})
	case "atleast":
		return bound(1)
	case "atmost":
		return bound(-1)
	case "currency":
		return currency
	}
	return nil
}

// operandOf is the number of a value or of its text, nil for what is none.
func operandOf(v any) *decimal {
	v = plain(v)
	if s, ok := v.(string); ok {
		d, _ := parseDecimal(s)
		return d
	}
	return toDecimal(v)
}

// result is the value of a decimal: whole numbers without a fraction are int64 again.
func result(d *decimal) any {
	if d.scale == 0 && d.digits.IsInt64() {
		return d.digits.Int64()
	}
	return d
}

// arithmetic is a filter of two numbers. Whole numbers give whole ones; null gives null; texts that are added are joined.
func arithmetic(operator byte) filter {
	return func(_ *run, in any, args []any) (any, error) {
		other := argument(args, 0)
		if in == nil || other == nil {
			return nil, nil
		}
		a, b := operandOf(in), operandOf(other)
		if a == nil || b == nil {
			if operator == '+' {
				return Text(in) + Text(other), nil
			}
			return nil, filterError("Input string was not in a correct format.")
		}
		if (operator == '/' || operator == '%') && b.digits.Sign() == 0 {
			return nil, filterError("Attempted to divide by zero.")
		}
		if operator == '/' && a.scale == 0 && b.scale == 0 {
			return result(&decimal{new(big.Int).Quo(a.digits, b.digits), 0}), nil
		}
		c, ok := calculate(operator, a, b)
		if !ok {
			return nil, filterError("Value was either too large or too small for a Decimal.")
		}
		return result(c), nil
	}
}

// numeric is a filter of one number; what is none stays as it is.
func numeric(f func(d *decimal, args []any) (*decimal, error)) filter {
	return func(_ *run, in any, args []any) (any, error) {
		d := operandOf(in)
		if d == nil {
			return in, nil
		}
		out, err := f(d, args)
		if err != nil {
			return nil, err
		}
		return result(out), nil
	}
}

// whole is the next whole number upwards (1) or downwards (-1).
func (d *decimal) whole(direction int) *decimal {
	q, rest := new(big.Int).QuoRem(d.digits, pow10(d.scale), new(big.Int))
	if rest.Sign() == direction {
		q.Add(q, big.NewInt(int64(direction)))
	}
	return &decimal{q, 0}
}

// bound is at least (1) or at most (-1).
func bound(direction int) filter {
	return func(_ *run, in any, args []any) (any, error) {
		a, b := operandOf(in), operandOf(argument(args, 0))
		if a == nil || b == nil {
			return in, nil
		}
		if a.rat().Cmp(b.rat()) == -direction {
			return result(b), nil
		}
		return result(a), nil
	}
}

// currency writes an amount of money. Cultures beyond the invariant one are those whose amounts look the same but for the sign.
func currency(_ *run, in any, args []any) (any, error) {
	d := operandOf(in)
	if d == nil {
		return in, nil
	}
	f, _ := d.rat().Float64()
	text := clr.Format(f, "C2")
	sign := ""
	switch strings.ToLower(textArgument(args, 0, "")) {
	case "en-us", "en-ca", "en-au":
		sign = "$"
	case "en-gb":
		sign = "£"
	default:
		return text, nil
	}
	if strings.HasPrefix(text, "(") {
		text = "-" + strings.Trim(text, "()")
	}
	return strings.Replace(text, "¤", sign, 1), nil
}
