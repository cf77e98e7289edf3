package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// DynamicBinary implements csharp.DynamicOperand as JValue does for the type dynamic: comparisons by value, and + - * / of
// numbers, which make another JValue. What is null stays null.
func (v *JValue) DynamicBinary(op string, right any) (any, bool) {
	if x, ok := right.(*JValue); ok && x != nil {
		right = x.v
	}
	switch op {
	case "==":
		return v.CompareTo(right) == 0, true
	case "!=":
		return v.CompareTo(right) != 0, true
	case "<":
		return v.CompareTo(right) < 0, true
	case "<=":
		return v.CompareTo(right) <= 0, true
	case ">":
		return v.CompareTo(right) > 0, true
	case ">=":
		return v.CompareTo(right) >= 0, true
	case "+", "-", "*", "/":
		if n, ok := jsonArithmetic(op, v.v, right); ok {
			r, ok := newJValue(n)
			return r, ok
		}
	}
	return nil, false
}

// jsonArithmetic joins strings, or computes with decimals, doubles or integers, whichever of the operands asks for first.
func jsonArithmetic(op string, a, b any) (any, bool) {
	is := func(test func(any) bool) bool { return test(a) || test(b) }
	switch {
	case is(func(v any) bool { _, ok := v.(string); return ok }):
		return csharp.Concat(text(a), text(b)), op == "+"
	case a == nil || b == nil:
		return nil, is(func(v any) bool { _, ok := jsonNumber(v); return ok })
	case is(func(v any) bool { _, ok := v.(csharp.Decimal); return ok }) || is(func(v any) bool { _, ok := v.(uint64); return ok }):
		x, y := toDecimal(a), toDecimal(b)
		switch op {
		case "+":
			return x.Add(y), true
		case "-":
			return x.Sub(y), true
		case "*":
			return x.Mul(y), true
		}
		return x.Div(y), true
	case is(func(v any) bool { _, ok := jsonFloat64(v); return ok }):
		return arithmetic(op, toDouble(a), toDouble(b)), true
	case is(func(v any) bool { _, ok := csharp.Integer(v); return ok }):
		long := intTypes()[1]
		x, y := long.convert(a).(int64), long.convert(b).(int64)
		if y == 0 && op == "/" {
			csharp.Throw("System.DivideByZeroException", "Attempted to divide by zero.")
		}
		return arithmetic(op, x, y), true
	}
	return nil, false
}

func arithmetic[T int64 | float64](op string, x, y T) T {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	}
	return x / y
}
