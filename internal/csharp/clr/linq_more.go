package clr

import (
	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file declares the overloads of Enumerable with comparers and positions, and what .NET 6 and later added.

func declareLinqMore(t *csharp.TypeBuilder) {
	declareLinqPositions(t)
	declareLinqBy(t)
	declareLinqComparers(t)
	declareLinqPairs(t)
}

// declareOrDefault declares FirstOrDefault and its like with a default of the caller's.
func declareOrDefault(t *csharp.TypeBuilder, name string, f func(r run, src any, p delegate, orDefault bool, zero any) any) {
	const src = "OrDefault<TSource>(this IEnumerable<TSource> source"
	t.Ext("TSource "+name+src+", TSource defaultValue)", csharp.F3(func(r run, s, d any) any { return f(r, s, nil, true, d) }))
	t.Ext("TSource "+name+src+", Func<TSource, bool> predicate, TSource defaultValue)", csharp.F4(func(r run, s any, p delegate, d any) any {
		needDelegate(p, "predicate")
		return f(r, s, p, true, d)
	}))
}

func declareLinqPositions(t *csharp.TypeBuilder) {
	for name, takes := range map[string]bool{"TakeWhile": true, "SkipWhile": false} {
		t.Ext("IEnumerable<TSource> "+name+"<TSource>(this IEnumerable<TSource> source, Func<TSource, int, bool> predicate)", csharp.F3(func(t resultType, src any, p delegate) *Seq {
			return lazy(t, src, func(r run, yield func(any) bool) {
				i, hold := int32(-1), true
				csharp.Each(r, src, func(v any) bool {
					i++
					switch hold = hold && test(r, p, v, i); {
					case hold == takes:
						return yield(v)
					default:
						return hold // skipping goes on, taking ends
					}
				})
			})
		}))
	}
	many := func(t resultType, src any, f, res delegate) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			i := int32(-1)
			csharp.Each(r, src, func(v any) bool {
				i++
				more := true
				csharp.Each(r, call(r, f, v, i), func(w any) bool {
					if res != nil {
						w = call(r, res, v, w)
					}
					more = yield(w)
					return more
				})
				return more
			})
		})
	}
	t.Ext("IEnumerable<TResult> SelectMany<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, int, IEnumerable<TResult>> selector)",
		csharp.F3(func(t resultType, src any, f delegate) *Seq { return many(t, src, f, nil) }))
	t.Ext("IEnumerable<TResult> SelectMany<TSource, TCollection, TResult>(this IEnumerable<TSource> source, Func<TSource, int, IEnumerable<TCollection>> collectionSelector, Func<TSource, TCollection, TResult> resultSelector)",
		csharp.F4(many))
	for name, desc := range map[string]bool{"Order": false, "OrderDescending": true} {
		order := func(t resultType, src, c any) *sorted {
			needArg(src, "source")
			return &sorted{t.Type, src, []sortKey{{nil, c, desc}}}
		}
		t.Ext("IOrderedEnumerable<T> "+name+"<T>(this IEnumerable<T> source)", csharp.F2(func(t resultType, src any) *sorted { return order(t, src, nil) }))
		t.Ext("IOrderedEnumerable<T> "+name+"<T>(this IEnumerable<T> source, IComparer<T> comparer)", csharp.F3(order))
	}
}

// declareLinqBy declares the set operations and extremes by a key.
func declareLinqBy(t *csharp.TypeBuilder) {
	by := func(both bool, keep func(seen, second bool) bool, keyed bool) func(t resultType, a, b any, k delegate, c any) *Seq {
		return func(t resultType, a, b any, k delegate, c any) *Seq {
			needArg(b, "second")
			return lazy(t, a, func(r run, yield func(any) bool) {
				key := keyer(c)
				other, seen := map[any]bool{}, map[any]bool{}
				if keyed {
					csharp.Each(r, b, func(v any) bool { r.Alloc(32); other[key(v)] = true; return true })
				}
				more := true
				take := func(v any) bool {
					if h := key(call(r, k, v)); keep(seen[h], other[h]) {
						r.Alloc(32)
						seen[h] = true
						more = yield(v)
					}
					return more
				}
				if csharp.Each(r, a, take); more && both {
					csharp.Each(r, b, take)
				}
			})
		}
	}
	for _, op := range []struct {
		name, second string
		do           func(t resultType, a, b any, k delegate, c any) *Seq
	}{
		{"UnionBy", "TSource", by(true, func(seen, _ bool) bool { return !seen }, false)},
		{"IntersectBy", "TKey", by(false, func(seen, second bool) bool { return !seen && second }, true)},
		{"ExceptBy", "TKey", by(false, func(seen, second bool) bool { return !seen && !second }, true)},
	} {
		decl := "IEnumerable<TSource> " + op.name + "<TSource, TKey>(this IEnumerable<TSource> first, IEnumerable<" + op.second + "> second, Func<TSource, TKey> keySelector"
		t.Ext(decl+")", csharp.F4(func(t resultType, a, b any, k delegate) *Seq { return op.do(t, a, b, k, nil) }))
		t.Ext(decl+", IEqualityComparer<TKey> comparer)", csharp.F5(op.do))
	}
	for name, sign := range map[string]int{"Min": -1, "Max": 1} {
		extreme := func(a typeArgs, r run, s any, k delegate, c any) any {
			needArg(s, "source")
			order := orderOf(r, c)
			var best, key any
			first := true
			csharp.Each(r, s, func(v any) bool {
				x := v
				if k != nil {
					x = call(r, k, v)
				}
				if first || x != nil && (key == nil || order(x, key)*sign > 0) {
					best, key, first = v, x, false
				}
				return true
			})
			if first && a[0].IsValueType() {
				invalidOperation("Sequence contains no elements")
			}
			return best
		}
		t.Ext("TSource "+name+"<TSource>(this IEnumerable<TSource> source, IComparer<TSource> comparer)", csharp.F4(func(a typeArgs, r run, s, c any) any {
			return extreme(a, r, s, nil, c)
		}))
		t.Ext("TSource "+name+"By<TSource, TKey>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector, IComparer<TKey> comparer)", csharp.F5(extreme))
	}
}

func declareLinqComparers(t *csharp.TypeBuilder) {
	const key = "(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector"
	const element = ", Func<TSource, TElement> elementSelector"
	const comparer = ", IEqualityComparer<TKey> comparer)"
	grouping := func(r run, args ...*csharp.Type) *csharp.Type {
		return r.Library().MustType(linq + "IGrouping<object, object>").Definition().Of(args...)
	}
	t.Ext("IEnumerable<IGrouping<TKey, TElement>> GroupBy<TSource, TKey, TElement>"+key+element+comparer, csharp.F5(func(t resultType, src any, k, e delegate, c any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) { group(r, src, nil, t.Args()[0], k, e, c).Each(r, yield) })
	}))
	results := func(t resultType, item *csharp.Type, a typeArgs, src any, k, e, f delegate, c any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			group(r, src, nil, grouping(r, a[1], item), k, e, c).Each(r, func(g any) bool { return yield(call(r, f, g.(*Grouping).key, g)) })
		})
	}
	t.Ext("IEnumerable<TResult> GroupBy<TSource, TKey, TResult>"+key+", Func<TKey, IEnumerable<TSource>, TResult> resultSelector"+comparer, csharp.F6(func(t resultType, a typeArgs, src any, k, f delegate, c any) *Seq {
		return results(t, a[0], a, src, k, nil, f, c)
	}))
	const four = "IEnumerable<TResult> GroupBy<TSource, TKey, TElement, TResult>" + key + element + ", Func<TKey, IEnumerable<TElement>, TResult> resultSelector"
	t.Ext(four+")", csharp.F6(func(t resultType, a typeArgs, src any, k, e, f delegate) *Seq {
		return results(t, a[2], a, src, k, e, f, nil)
	}))
	t.Ext(four+comparer, csharp.F7(func(t resultType, a typeArgs, src any, k, e, f delegate, c any) *Seq {
		return results(t, a[2], a, src, k, e, f, c)
	}))
	t.Ext("ILookup<TKey, TSource> ToLookup<TSource, TKey>"+key+comparer, csharp.F5(func(t resultType, r run, src any, k delegate, c any) *lookup {
		return group(r, src, t.Type, grouping(r, t.Args()...), k, nil, c)
	}))
	t.Ext("ILookup<TKey, TElement> ToLookup<TSource, TKey, TElement>"+key+element+comparer, csharp.F6(func(t resultType, r run, src any, k, e delegate, c any) *lookup {
		return group(r, src, t.Type, grouping(r, t.Args()...), k, e, c)
	}))
	t.Ext("IEnumerable<TSource> DistinctBy<TSource, TKey>"+key+comparer, csharp.F4(func(t resultType, src any, k delegate, c any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			group(r, src, nil, nil, k, nil, c).Each(r, func(g any) bool { return yield(g.(*Grouping).items[0]) })
		})
	}))
	t.Ext("IEnumerable<TResult> Join<TOuter, TInner, TKey, TResult>(this IEnumerable<TOuter> outer, IEnumerable<TInner> inner, Func<TOuter, TKey> outerKeySelector, Func<TInner, TKey> innerKeySelector, Func<TOuter, TInner, TResult> resultSelector, IEqualityComparer<TKey> comparer)",
		csharp.F7(func(t resultType, a, b any, ak, bk, f delegate, c any) *Seq {
			return lazy(t, a, func(r run, yield func(any) bool) {
				l := joinOn(r, b, nil, bk, c)
				csharp.Each(r, a, func(x any) bool {
					for _, y := range l.find(call(r, ak, x)).items {
						if !yield(call(r, f, x, y)) {
							return false
						}
					}
					return true
				})
			})
		}))
}

func declareLinqPairs(t *csharp.TypeBuilder) {
	dict := func(t resultType, r run, src, c any) *Dictionary {
		needArg(src, "source")
		d := NewDictionary(r.Library(), t.Type, c)
		csharp.Each(r, src, func(v any) bool { d.addItem(r, v); return true })
		return d
	}
	const pairs = "Dictionary<TKey, TValue> ToDictionary<TKey, TValue>(this IEnumerable<KeyValuePair<TKey, TValue>> source"
	t.Ext(pairs+")", csharp.F3(func(t resultType, r run, src any) *Dictionary { return dict(t, r, src, nil) }))
	t.Ext(pairs+", IEqualityComparer<TKey> comparer)", csharp.F4(dict))
	t.Ext("IEnumerable<(TFirst First, TSecond Second)> Zip<TFirst, TSecond>(this IEnumerable<TFirst> first, IEnumerable<TSecond> second)", csharp.F3(func(t resultType, a, b any) *Seq {
		needArg(b, "second")
		return lazy(t, a, func(r run, yield func(any) bool) {
			list := csharp.Items(r, b)
			i := -1
			csharp.Each(r, a, func(v any) bool {
				i++
				return i < len(list) && yield(&csharp.Record{Type: t.Args()[0], Values: []any{v, list[i]}})
			})
		})
	}))
}
