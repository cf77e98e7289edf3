package csharp

import (
	"math"
	"math/bits"
)

func compareInt(op string, x, y func(*Frame) int64, unsigned bool) func(*Frame) bool {
	if unsigned && op != "==" && op != "!=" {
		return compareWith(op, func(fr *Frame) int {
			a, c := uint64(x(fr)), uint64(y(fr))
			switch {
			case a < c:
				return -1
			case a > c:
				return 1
			}
			return 0
		})
	}
	switch op {
	case "==":
		return func(fr *Frame) bool { return x(fr) == y(fr) }
	case "!=":
		return func(fr *Frame) bool { return x(fr) != y(fr) }
	case "<":
		return func(fr *Frame) bool { return x(fr) < y(fr) }
	case ">":
		return func(fr *Frame) bool { return x(fr) > y(fr) }
	case "<=":
		return func(fr *Frame) bool { return x(fr) <= y(fr) }
	}
	return func(fr *Frame) bool { return x(fr) >= y(fr) }
}

func compareFloat(op string, x, y func(*Frame) float64) func(*Frame) bool {
	switch op {
	case "==":
		return func(fr *Frame) bool { return x(fr) == y(fr) }
	case "!=":
		return func(fr *Frame) bool { return x(fr) != y(fr) }
	case "<":
		return func(fr *Frame) bool { return x(fr) < y(fr) }
	case ">":
		return func(fr *Frame) bool { return x(fr) > y(fr) }
	case "<=":
		return func(fr *Frame) bool { return x(fr) <= y(fr) }
	}
	return func(fr *Frame) bool { return x(fr) >= y(fr) }
}

func compareWith(op string, cmp func(*Frame) int) func(*Frame) bool {
	switch op {
	case "==":
		return func(fr *Frame) bool { return cmp(fr) == 0 }
	case "!=":
		return func(fr *Frame) bool { return cmp(fr) != 0 }
	case "<":
		return func(fr *Frame) bool { return cmp(fr) < 0 }
	case ">":
		return func(fr *Frame) bool { return cmp(fr) > 0 }
	case "<=":
		return func(fr *Frame) bool { return cmp(fr) <= 0 }
	}
	return func(fr *Frame) bool { return cmp(fr) >= 0 }
}

// intOp gives the code of an integer operator on kind k: int, uint, long or ulong.
func intOp(op string, x, y func(*Frame) int64, k kind, checked bool) func(*Frame) int64 {
	if checked && (op == "+" || op == "-" || op == "*") {
		return checkedOp(op, x, y, k)
	}
	narrow := k == kindInt || k == kindUInt
	switch op {
	case "+":
		if k == kindInt {
			return func(fr *Frame) int64 { return int64(int32(x(fr) + y(fr))) }
		}
		return func(fr *Frame) int64 { return wrap(k, x(fr)+y(fr)) }
	case "-":
		return func(fr *Frame) int64 { return wrap(k, x(fr)-y(fr)) }
	case "*":
		return func(fr *Frame) int64 { return wrap(k, x(fr)*y(fr)) }
	case "&":
		return func(fr *Frame) int64 { return x(fr) & y(fr) }
	case "|":
		return func(fr *Frame) int64 { return x(fr) | y(fr) }
	case "^":
		return func(fr *Frame) int64 { return x(fr) ^ y(fr) }
	case "/":
		switch {
		case k == kindULong:
			return func(fr *Frame) int64 { return int64(uint64(x(fr)) / uint64(y(fr))) }
		case k == kindInt || k == kindLong:
			lo, _ := intRange(k)
			return func(fr *Frame) int64 {
				a, c := x(fr), y(fr)
				if c == -1 && a == lo {
					throwOverflow()
				}
				return a / c
			}
		}
		return func(fr *Frame) int64 { return x(fr) / y(fr) }
	}
	if k == kindULong {
		return func(fr *Frame) int64 { return int64(uint64(x(fr)) % uint64(y(fr))) }
	}
	lo, _ := intRange(k)
	return func(fr *Frame) int64 {
		a, c := x(fr), y(fr)
		if c == -1 && a == lo && (narrow || k == kindLong) && k != kindUInt {
			throwOverflow()
		}
		return a % c
	}
}

func checkedOp(op string, x, y func(*Frame) int64, k kind) func(*Frame) int64 {
	lo, hi := intRange(k)
	return func(fr *Frame) int64 {
		a, c := x(fr), y(fr)
		if k == kindULong {
			return checkedUnsigned(op, uint64(a), uint64(c))
		}
		var n int64
		over := false
		switch op {
		case "+":
			n = a + c
			over = (n > a) != (c > 0)
		case "-":
			n = a - c
			over = (n < a) != (c > 0)
		default:
			n = a * c
			over = a != 0 && (n/a != c || a == -1 && c == math.MinInt64)
		}
		if over || n < lo || n > hi {
			throwOverflow()
		}
		return n
	}
}

func checkedUnsigned(op string, a, c uint64) int64 {
	var n, over uint64
	switch op {
	case "+":
		n, over = bits.Add64(a, c, 0)
	case "-":
		n, over = bits.Sub64(a, c, 0)
	default:
		over, n = bits.Mul64(a, c)
	}
	if over != 0 {
		throwOverflow()
	}
	return int64(n)
}

func floatOp(op string, x, y func(*Frame) float64, single bool) func(*Frame) float64 {
	var f func(*Frame) float64
	switch op {
	case "+":
		f = func(fr *Frame) float64 { return x(fr) + y(fr) }
	case "-":
		f = func(fr *Frame) float64 { return x(fr) - y(fr) }
	case "*":
		f = func(fr *Frame) float64 { return x(fr) * y(fr) }
	case "/":
		f = func(fr *Frame) float64 { return x(fr) / y(fr) }
	default:
		f = func(fr *Frame) float64 { return math.Mod(x(fr), y(fr)) }
	}
	if single {
		return func(fr *Frame) float64 { return float64(float32(f(fr))) }
	}
	return f
}

func decimalOp(op string, x, y func(*Frame) any) func(*Frame) any {
	var f func(a, c Decimal) Decimal
	switch op {
	case "+":
		f = Decimal.Add
	case "-":
		f = Decimal.Sub
	case "*":
		f = Decimal.Mul
	case "/":
		f = Decimal.Div
	default:
		f = Decimal.Rem
	}
	return func(fr *Frame) any { a := x(fr).(Decimal); return f(a, y(fr).(Decimal)) }
}
