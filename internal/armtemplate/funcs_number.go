package armtemplate

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

func numberFunctions() map[string]function {
	return map[string]function{
		"add": {2, 2, func(a args) Value { return sum(a.int(0), a.int(1)) }},
		"sub": {2, 2, func(a args) Value {
			x, y := a.int(0), a.int(1)
			if y > 0 && x < math.MinInt64+y || y < 0 && x > math.MaxInt64+y {
				overflow()
			}
			return x - y
		}},
		"mul":       {2, 2, func(a args) Value { return product(a.int(0), a.int(1)) }},
		"div":       {2, 2, func(a args) Value { return a.divide(func(x, y int64) int64 { return x / y }) }},
		"mod":       {2, 2, func(a args) Value { return a.divide(func(x, y int64) int64 { return x % y }) }},
		"int":       {1, 1, toInt},
		"float":     {1, 1, toFloat},
		"copyindex": {0, 2, copyIndex},
	}
}

func overflow() { fail("The result is larger than an integer can be.") }

// sum adds two integers.
func sum(x, y int64) Value {
	if y > 0 && x > math.MaxInt64-y || y < 0 && x < math.MinInt64-y {
		overflow()
	}
	return x + y
}

func product(x, y int64) Value {
	if x == 0 || y == 0 {
		return int64(0)
	}
	r := x * y
	if r/y != x || x == -1 && y == math.MinInt64 || y == -1 && x == math.MinInt64 {
		overflow()
	}
	return r
}

func (a args) divide(fn func(x, y int64) int64) Value {
	x, y := a.int(0), a.int(1)
	if y == 0 {
		fail("The template function '%s' cannot divide by zero.", a.name)
	}
	if x == math.MinInt64 && y == -1 {
		overflow()
	}
	return fn(x, y)
}

func toInt(a args) Value {
	switch v := a.v[0].(type) {
	case int64:
		return v
	case json.Number:
		if f, err := v.Float64(); err == nil && math.Abs(f) < 1<<53 {
			return int64(math.RoundToEven(f))
		}
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return n
		}
	}
	fail("The value cannot be converted to an integer.")
	return nil
}

func toFloat(a args) Value {
	s := plain(a.v[0])
	if n, err := strconv.ParseFloat(s, 64); err != nil || math.IsNaN(n) || math.IsInf(n, 0) || strings.ContainsAny(s, "xX_pPiI") {
		fail("The value cannot be converted to a number.")
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	return json.Number(s)
}

// copyIndex is copyIndex(), copyIndex(offset), copyIndex(loop) and copyIndex(loop, offset).
func copyIndex(a args) Value {
	name, offset := "", int64(0)
	for i := range a.v {
		if s, ok := a.v[i].(string); ok && i == 0 {
			name = s
			continue
		}
		offset = a.int(i)
	}
	for i := len(a.loops) - 1; i >= 0; i-- {
		l := a.loops[i]
		if name == "" && (l.resource || i == 0) || name != "" && strings.EqualFold(l.name, name) {
			return sum(l.at, offset)
		}
	}
	fail("The template function 'copyIndex' is not expected at this location: there is no copy loop '%s'.", name)
	return nil
}
