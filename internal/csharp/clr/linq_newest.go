package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// This file declares what .NET 6 to 9 added to Enumerable beside the operations by a key.

func declareLinqNewest(t *csharp.TypeBuilder) {
	declareLinqFolds(t)
	t.Ext("IEnumerable<(int Index, TSource Item)> Index<TSource>(this IEnumerable<TSource> source)", csharp.F2(func(t resultType, src any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			i := int32(-1)
			csharp.Each(r, src, func(v any) bool {
				i++
				return yield(csharp.NewRecord(t.Args()[0], []any{i, v}))
			})
		})
	}))
	t.Ext("IEnumerable<(TFirst First, TSecond Second, TThird Third)> Zip<TFirst, TSecond, TThird>(this IEnumerable<TFirst> first, IEnumerable<TSecond> second, IEnumerable<TThird> third)", csharp.F4(func(t resultType, a, b, c any) *Seq {
		needArg(a, "first")
		needArg(b, "second")
		needArg(c, "third")
		return lazy(t, a, func(r run, yield func(any) bool) {
			second, third := csharp.Items(r, b), csharp.Items(r, c)
			i := -1
			csharp.Each(r, a, func(v any) bool {
				i++
				return i < len(second) && i < len(third) && yield(csharp.NewRecord(t.Args()[0], []any{v, second[i], third[i]}))
			})
		})
	}))
	t.Ext("IEnumerable<TResult> GroupJoin<TOuter, TInner, TKey, TResult>(this IEnumerable<TOuter> outer, IEnumerable<TInner> inner, Func<TOuter, TKey> outerKeySelector, Func<TInner, TKey> innerKeySelector, Func<TOuter, IEnumerable<TInner>, TResult> resultSelector, IEqualityComparer<TKey> comparer)",
		csharp.F8(func(t resultType, ta typeArgs, a, b any, ak, bk, f delegate, c any) *Seq {
			return lazy(t, a, func(r run, yield func(any) bool) {
				gt := r.Library().MustType(linq+"IGrouping<object, object>").Definition().Of(ta[2], ta[1])
				l := joinOn(r, b, gt, bk, c)
				csharp.Each(r, a, func(x any) bool { return yield(call(r, f, x, l.find(call(r, ak, x)))) })
			})
		}))
	t.Ext("bool TryGetNonEnumeratedCount<TSource>(this IEnumerable<TSource> source, out int count)", csharp.F3(func(r run, src any, out ref) bool {
		needArg(src, "source")
		switch src.(type) {
		case *List, array, []byte, counted:
			out.Value = int32(count(r, src))
			return true
		}
		out.Value = int32(0)
		return false
	}))
}

// declareLinqFolds declares CountBy and AggregateBy, which give a value for each key in the order of their first items.
func declareLinqFolds(t *csharp.TypeBuilder) {
	fold := func(t resultType, src any, k delegate, seed func(r run, key any) any, step func(r run, acc, v any) any, c any) *Seq {
		needDelegate(k, "keySelector")
		return lazy(t, src, func(r run, yield func(any) bool) {
			l := group(r, src, nil, nil, k, nil, c)
			pair := t.Args()[0]
			for _, g := range l.groups {
				acc := seed(r, g.key)
				for _, v := range g.items {
					acc = step(r, acc, v)
				}
				if !yield(Pair{pair, g.key, acc}) {
					return
				}
			}
		})
	}
	t.Ext("IEnumerable<KeyValuePair<TKey, int>> CountBy<TSource, TKey>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector, IEqualityComparer<TKey> keyComparer = null)",
		csharp.F4(func(t resultType, src any, k delegate, c any) *Seq {
			return fold(t, src, k, func(run, any) any { return int32(0) }, func(_ run, acc, _ any) any { return acc.(int32) + 1 }, c)
		}))
	const decl = "IEnumerable<KeyValuePair<TKey, TAccumulate>> AggregateBy<TSource, TKey, TAccumulate>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector, "
	const rest = ", Func<TAccumulate, TSource, TAccumulate> func, IEqualityComparer<TKey> keyComparer = null)"
	step := func(f delegate) func(r run, acc, v any) any {
		needDelegate(f, "func")
		return func(r run, acc, v any) any { return call(r, f, acc, v) }
	}
	t.Ext(decl+"TAccumulate seed"+rest, csharp.F6(func(t resultType, src any, k delegate, seed any, f delegate, c any) *Seq {
		return fold(t, src, k, func(run, any) any { return seed }, step(f), c)
	}))
	t.Ext(decl+"Func<TKey, TAccumulate> seedSelector"+rest, csharp.F6(func(t resultType, src any, k, seed, f delegate, c any) *Seq {
		return fold(t, src, k, func(r run, key any) any { return call(r, seed, key) }, step(f), c)
	}))
}
