package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// total adds up items of one numeric kind.
type total struct {
	n   int
	i   int64
	f   float64
	dec csharp.Decimal
}

func (t *total) add(v any) {
	t.n++
	switch x := v.(type) {
	case int32:
		t.i = addLong(t.i, int64(x))
	case int64:
		t.i = addLong(t.i, x)
	case float64:
		t.f += x
	case float32:
		t.f += float64(x)
	case csharp.Decimal:
		t.dec = t.dec.Add(x)
	}
}

func overflow() {
	csharp.Throw("System.OverflowException", "Arithmetic operation resulted in an overflow.")
}

func addLong(a, b int64) int64 {
	n := a + b
	if (n > a) != (b > 0) && b != 0 {
		overflow()
	}
	return n
}

// each gives the items, or what a selector makes of them, without nulls.
func eachNumber(r run, s any, f delegate, do func(any)) {
	needArg(s, "source")
	csharp.Each(r, s, func(v any) bool {
		if f != nil {
			v = call(r, f, v)
		}
		if v != nil {
			do(v)
		}
		return true
	})
}

// numericKind is a type that Sum, Average, Min and Max have overloads for.
type numericKind struct {
	name, mean string
	sum        func(t *total) any
}

func numericKinds() []numericKind {
	return []numericKind{
		{"int", "double", func(t *total) any {
			if t.i != int64(int32(t.i)) {
				overflow()
			}
			return int32(t.i)
		}},
		{"long", "double", func(t *total) any { return t.i }},
		{"float", "float", func(t *total) any { return float32(t.f) }},
		{"double", "double", func(t *total) any { return t.f }},
		{"decimal", "decimal", func(t *total) any { return t.dec }},
	}
}

func (k numericKind) average(t *total) any {
	n := float64(t.n)
	switch k.name {
	case "int", "long":
		return float64(t.i) / n
	case "float":
		return float32(t.f / n)
	case "double":
		return t.f / n
	}
	return t.dec.Div(csharp.DecimalFromInt64(int64(t.n)))
}

// unboxed wraps a function with a boxed result for a declaration whose result has representation of its own.
func unboxed(f func(r run, s any, d delegate) any) csharp.Func {
	return csharp.Boxed(csharp.F3(f))
}

func declareLinqMath(t *csharp.TypeBuilder) {
	empty := func() { invalidOperation("Sequence contains no elements") }
	for _, k := range numericKinds() {
		for _, null := range []string{"", "?"} {
			typ, mean := k.name+null, k.mean+null
			sum := func(r run, s any, f delegate) any {
				var acc total
				eachNumber(r, s, f, acc.add)
				return k.sum(&acc)
			}
			avg := func(r run, s any, f delegate) any {
				var acc total
				eachNumber(r, s, f, acc.add)
				if acc.n == 0 {
					if null == "" {
						empty()
					}
					return nil
				}
				return k.average(&acc)
			}
			extreme := func(sign int) func(r run, s any, f delegate) any {
				return func(r run, s any, f delegate) any {
					var best any
					eachNumber(r, s, f, func(v any) {
						if best == nil || Compare(v, best)*sign > 0 {
							best = v
						}
					})
					if best == nil && null == "" {
						empty()
					}
					return best
				}
			}
			both := func(name, result string, f func(r run, s any, d delegate) any) {
				t.Ext(result+" "+name+"(this IEnumerable<"+typ+"> source)", csharp.Boxed(csharp.F2(func(r run, s any) any { return f(r, s, nil) })))
				t.Ext(result+" "+name+"<TSource>(this IEnumerable<TSource> source, Func<TSource, "+typ+"> selector)", unboxed(f))
			}
			both("Sum", typ, sum)
			both("Average", mean, avg)
			both("Min", typ, extreme(-1))
			both("Max", typ, extreme(1))
		}
	}
	extreme := func(sign int) func(a typeArgs, r run, s any, f delegate) any {
		return func(a typeArgs, r run, s any, f delegate) any {
			var best any
			eachNumber(r, s, f, func(v any) {
				if best == nil || Compare(v, best)*sign > 0 {
					best = v
				}
			})
			if best == nil && a[len(a)-1].IsValueType() {
				empty()
			}
			return best
		}
	}
	by := func(sign int) func(a typeArgs, r run, s any, f delegate) any {
		return func(a typeArgs, r run, s any, f delegate) any {
			var best, key any
			first := true
			csharp.Each(r, s, func(v any) bool {
				if k := call(r, f, v); first || Compare(k, key)*sign > 0 {
					best, key, first = v, k, false
				}
				return true
			})
			if first && a[0].IsValueType() {
				empty()
			}
			return best
		}
	}
	for name, sign := range map[string]int{"Min": -1, "Max": 1} {
		f := extreme(sign)
		t.Ext("TSource "+name+"<TSource>(this IEnumerable<TSource> source)", csharp.F3(func(a typeArgs, r run, s any) any { return f(a, r, s, nil) }))
		t.Ext("TResult "+name+"<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, TResult> selector)", csharp.F4(f))
		t.Ext("TSource "+name+"By<TSource, TKey>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector)", csharp.F4(by(sign)))
	}
}
