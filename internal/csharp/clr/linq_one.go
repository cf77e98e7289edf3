package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// pick finds the items that First, Last and Single are about: how many match (at most two) and the first and last of them.
func pick(r run, src any, p delegate, all bool) (n int, first, last any) {
	needArg(src, "source")
	csharp.Each(r, src, func(v any) bool {
		if p != nil && !test(r, p, v) {
			return true
		}
		if n == 0 {
			first = v
		}
		last = v
		n++
		return all || n < 2
	})
	return n, first, last
}

func declareLinqOne(t *csharp.TypeBuilder) {
	const src = "<TSource>(this IEnumerable<TSource> source"
	none := func(p delegate) {
		if p != nil {
			invalidOperation("Sequence contains no matching element")
		}
		invalidOperation("Sequence contains no elements")
	}
	many := func(p delegate) {
		if p != nil {
			invalidOperation("Sequence contains more than one matching element")
		}
		invalidOperation("Sequence contains more than one element")
	}
	both := func(name string, f func(r run, src any, p delegate, orDefault bool, zero any) any) {
		for _, orDefault := range []bool{false, true} {
			n := name
			if orDefault {
				n += "OrDefault"
			}
			t.Ext("TSource "+n+src+")", csharp.F3(func(a typeArgs, r run, s any) any { return f(r, s, nil, orDefault, csharp.Zero(a[0])) }))
			t.Ext("TSource "+n+src+", Func<TSource, bool> predicate)", csharp.F4(func(a typeArgs, r run, s any, p delegate) any {
				needDelegate(p, "predicate")
				return f(r, s, p, orDefault, csharp.Zero(a[0]))
			}))
		}
		declareOrDefault(t, name, f)
	}
	both("First", func(r run, s any, p delegate, orDefault bool, zero any) any {
		found := false
		out := zero
		needArg(s, "source")
		csharp.Each(r, s, func(v any) bool {
			if p == nil || test(r, p, v) {
				out, found = v, true
			}
			return !found
		})
		if !found && !orDefault {
			none(p)
		}
		return out
	})
	both("Last", func(r run, s any, p delegate, orDefault bool, zero any) any {
		n, _, last := pick(r, s, p, true)
		switch {
		case n > 0:
			return last
		case !orDefault:
			none(p)
		}
		return zero
	})
	both("Single", func(r run, s any, p delegate, orDefault bool, zero any) any {
		n, first, _ := pick(r, s, p, false)
		switch {
		case n > 1:
			many(p)
		case n == 1:
			return first
		case !orDefault:
			none(p)
		}
		return zero
	})
	at := func(r run, s any, i int) (any, bool) {
		needArg(s, "source")
		var out any
		k, ok := 0, false
		csharp.Each(r, s, func(v any) bool {
			if k == i {
				out, ok = v, true
			}
			k++
			return !ok
		})
		return out, ok
	}
	t.Ext("TSource ElementAt"+src+", int index)", csharp.F3(func(r run, s any, i int) any {
		v, ok := at(r, s, i)
		if !ok {
			outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
		}
		return v
	}))
	t.Ext("TSource ElementAtOrDefault"+src+", int index)", csharp.F4(func(a typeArgs, r run, s any, i int) any {
		v, ok := at(r, s, i)
		if !ok {
			return csharp.Zero(a[0])
		}
		return v
	}))
	t.Ext("TSource Aggregate"+src+", Func<TSource, TSource, TSource> func)", csharp.F3(func(r run, s any, f delegate) any {
		var acc any
		first := true
		csharp.Each(r, s, func(v any) bool {
			if first {
				acc, first = v, false
			} else {
				acc = call(r, f, acc, v)
			}
			return true
		})
		if first {
			none(nil)
		}
		return acc
	}))
	fold := func(r run, s, acc any, f delegate) any {
		needArg(s, "source")
		csharp.Each(r, s, func(v any) bool { acc = call(r, f, acc, v); return true })
		return acc
	}
	t.Ext("TAccumulate Aggregate<TSource, TAccumulate>(this IEnumerable<TSource> source, TAccumulate seed, Func<TAccumulate, TSource, TAccumulate> func)", csharp.F4(fold))
	t.Ext("TResult Aggregate<TSource, TAccumulate, TResult>(this IEnumerable<TSource> source, TAccumulate seed, Func<TAccumulate, TSource, TAccumulate> func, Func<TAccumulate, TResult> resultSelector)", csharp.F5(func(r run, s, acc any, f, g delegate) any {
		return call(r, g, fold(r, s, acc, f))
	}))
}

func declareLinqTest(t *csharp.TypeBuilder) {
	const src = "<TSource>(this IEnumerable<TSource> source"
	t.Ext("bool Any"+src+")", csharp.F2(func(r run, s any) bool {
		needArg(s, "source")
		any1 := false
		csharp.Each(r, s, func(any) bool { any1 = true; return false })
		return any1
	}))
	t.Ext("bool Any"+src+", Func<TSource, bool> predicate)", csharp.F3(func(r run, s any, p delegate) bool {
		needArg(s, "source")
		hit := false
		csharp.Each(r, s, func(v any) bool { hit = test(r, p, v); return !hit })
		return hit
	}))
	t.Ext("bool All"+src+", Func<TSource, bool> predicate)", csharp.F3(func(r run, s any, p delegate) bool {
		needArg(s, "source")
		ok := true
		csharp.Each(r, s, func(v any) bool { ok = test(r, p, v); return ok })
		return ok
	}))
	t.Ext("int Count"+src+")", csharp.F2(func(r run, s any) int { needArg(s, "source"); return count(r, s) }))
	matching := func(r run, s any, p delegate) int {
		needArg(s, "source")
		n := 0
		csharp.Each(r, s, func(v any) bool {
			if test(r, p, v) {
				n++
			}
			return true
		})
		return n
	}
	t.Ext("int Count"+src+", Func<TSource, bool> predicate)", csharp.F3(matching))
	t.Ext("long LongCount"+src+")", csharp.F2(func(r run, s any) int { needArg(s, "source"); return count(r, s) }))
	t.Ext("long LongCount"+src+", Func<TSource, bool> predicate)", csharp.F3(matching))
	t.Ext("bool Contains"+src+", TSource value)", csharp.F3(func(r run, s, v any) bool { needArg(s, "source"); return contains(r, s, v) }))
	t.Ext("bool Contains"+src+", TSource value, IEqualityComparer<TSource> comparer)", csharp.F4(func(r run, s, v, c any) bool {
		key := keyer(c)
		want := key(v)
		hit := false
		csharp.Each(r, s, func(x any) bool { hit = key(x) == want; return !hit })
		return hit
	}))
	equal := func(r run, a, b, c any) bool {
		needArg(a, "first")
		needArg(b, "second")
		key := keyer(c)
		x, y := csharp.Items(r, a), csharp.Items(r, b)
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if key(x[i]) != key(y[i]) {
				return false
			}
		}
		return true
	}
	t.Ext("bool SequenceEqual<TSource>(this IEnumerable<TSource> first, IEnumerable<TSource> second)", csharp.F3(func(r run, a, b any) bool { return equal(r, a, b, nil) }))
	t.Ext("bool SequenceEqual<TSource>(this IEnumerable<TSource> first, IEnumerable<TSource> second, IEqualityComparer<TSource> comparer)", csharp.F4(equal))
}

func declareLinqSets(t *csharp.TypeBuilder) {
	// each set operation keeps the items of the first sequence, or of both, that keep accepts given the keys of the second.
	op := func(name string, both bool, keep func(seen, second bool) bool) {
		f := func(t resultType, a, b, c any) *Seq {
			needArg(b, "second")
			return lazy(t, a, func(r run, yield func(any) bool) {
				key := keyer(c)
				other, seen := map[any]bool{}, map[any]bool{}
				if !both {
					csharp.Each(r, b, func(v any) bool { other[key(v)] = true; return true })
				}
				more := true
				take := func(v any) bool {
					k := key(v)
					if keep(seen[k], other[k]) {
						r.Alloc(32)
						seen[k] = true
						more = yield(v)
					}
					return more
				}
				if csharp.Each(r, a, take); more && both {
					csharp.Each(r, b, take)
				}
			})
		}
		decl := "IEnumerable<TSource> " + name + "<TSource>(this IEnumerable<TSource> first, IEnumerable<TSource> second"
		t.Ext(decl+")", csharp.F3(func(t resultType, a, b any) *Seq { return f(t, a, b, nil) }))
		t.Ext(decl+", IEqualityComparer<TSource> comparer)", csharp.F4(f))
	}
	op("Union", true, func(seen, _ bool) bool { return !seen })
	op("Intersect", false, func(seen, second bool) bool { return !seen && second })
	op("Except", false, func(seen, second bool) bool { return !seen && !second })
	distinct := func(t resultType, src any, k delegate, c any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			key := keyer(c)
			seen := map[any]bool{}
			csharp.Each(r, src, func(v any) bool {
				x := v
				if k != nil {
					x = call(r, k, v)
				}
				if h := key(x); !seen[h] {
					r.Alloc(32)
					seen[h] = true
					return yield(v)
				}
				return true
			})
		})
	}
	t.Ext("IEnumerable<TSource> Distinct<TSource>(this IEnumerable<TSource> source)", csharp.F2(func(t resultType, s any) *Seq { return distinct(t, s, nil, nil) }))
	t.Ext("IEnumerable<TSource> Distinct<TSource>(this IEnumerable<TSource> source, IEqualityComparer<TSource> comparer)", csharp.F3(func(t resultType, s, c any) *Seq { return distinct(t, s, nil, c) }))
	t.Ext("IEnumerable<TSource> DistinctBy<TSource, TKey>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector)", csharp.F3(func(t resultType, s any, k delegate) *Seq { return distinct(t, s, k, nil) }))
}
