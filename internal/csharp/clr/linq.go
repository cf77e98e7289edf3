package clr

import (
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

const linq = "System.Linq."

func declareLinq(b *csharp.Builder) {
	g := b.Type("interface "+linq+"IGrouping<TKey, TElement> : IEnumerable<TElement>", csharp.Go[*Grouping]())
	g.Prop("TKey Key", csharp.F1(func(g *Grouping) any { return g.key }))
	b.Type("interface "+linq+"IOrderedEnumerable<TElement> : IEnumerable<TElement>", csharp.Go[*sorted]())
	l := b.Type("interface "+linq+"ILookup<TKey, TElement> : IEnumerable<IGrouping<TKey, TElement>>", csharp.Go[*lookup]())
	l.Prop("int Count", csharp.F1((*lookup).Count))
	l.Index("IEnumerable<TElement> this[TKey key]", csharp.F2(func(l *lookup, k any) *Grouping { return l.find(k) }))
	l.Method("bool Contains(TKey key)", csharp.F2(func(l *lookup, k any) bool { return l.index[l.hash(k)] != nil }))

	t := b.Type("static class "+linq+"Enumerable", csharp.NoGo())
	declareLinqLazy(t)
	declareLinqOrder(t)
	declareLinqGroup(t)
	declareLinqOne(t)
	declareLinqTest(t)
	declareLinqSets(t)
	declareLinqTo(t)
	declareLinqMath(t)
	declareLinqMore(t)
	declareLinqNewest(t)
}

// lazy makes a Seq after checking the source.
func lazy(t resultType, src any, each func(r run, yield func(any) bool)) *Seq {
	needArg(src, "source")
	return &Seq{t.Type, each}
}

func needDelegate(d delegate, name string) {
	if d == nil {
		csharp.ThrowArgumentNull(name)
	}
}

func declareLinqLazy(t *csharp.TypeBuilder) {
	t.Ext("IEnumerable<TSource> Where<TSource>(this IEnumerable<TSource> source, Func<TSource, bool> predicate)", csharp.F3(func(t resultType, src any, p delegate) *Seq {
		needDelegate(p, "predicate")
		return lazy(t, src, func(r run, yield func(any) bool) {
			csharp.Each(r, src, func(v any) bool { return !test(r, p, v) || yield(v) })
		})
	}))
	t.Ext("IEnumerable<TSource> Where<TSource>(this IEnumerable<TSource> source, Func<TSource, int, bool> predicate)", csharp.F3(func(t resultType, src any, p delegate) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			i := int32(-1)
			csharp.Each(r, src, func(v any) bool { i++; return !test(r, p, v, i) || yield(v) })
		})
	}))
	t.Ext("IEnumerable<TResult> Select<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, TResult> selector)", csharp.F3(func(t resultType, src any, f delegate) *Seq {
		needDelegate(f, "selector")
		return lazy(t, src, func(r run, yield func(any) bool) {
			csharp.Each(r, src, func(v any) bool { return yield(call(r, f, v)) })
		})
	}))
	t.Ext("IEnumerable<TResult> Select<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, int, TResult> selector)", csharp.F3(func(t resultType, src any, f delegate) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			i := int32(-1)
			csharp.Each(r, src, func(v any) bool { i++; return yield(call(r, f, v, i)) })
		})
	}))
	many := func(t resultType, src any, f, res delegate) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			csharp.Each(r, src, func(v any) bool {
				more := true
				csharp.Each(r, call(r, f, v), func(w any) bool {
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
	t.Ext("IEnumerable<TResult> SelectMany<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, IEnumerable<TResult>> selector)",
		csharp.F3(func(t resultType, src any, f delegate) *Seq { return many(t, src, f, nil) }))
	t.Ext("IEnumerable<TResult> SelectMany<TSource, TCollection, TResult>(this IEnumerable<TSource> source, Func<TSource, IEnumerable<TCollection>> collectionSelector, Func<TSource, TCollection, TResult> resultSelector)", csharp.F4(many))
	t.Ext("IEnumerable<TSource> Take<TSource>(this IEnumerable<TSource> source, int count)", csharp.F3(func(t resultType, src any, n int) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			i := 0
			if n > 0 {
				csharp.Each(r, src, func(v any) bool { i++; return yield(v) && i < n })
			}
		})
	}))
	t.Ext("IEnumerable<TSource> Skip<TSource>(this IEnumerable<TSource> source, int count)", csharp.F3(func(t resultType, src any, n int) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			i := 0
			csharp.Each(r, src, func(v any) bool { i++; return i <= n || yield(v) })
		})
	}))
	t.Ext("IEnumerable<TSource> TakeLast<TSource>(this IEnumerable<TSource> source, int count)", csharp.F3(func(t resultType, src any, n int) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			list := csharp.Items(r, src)
			yieldAll(list[max(0, len(list)-max(n, 0)):], yield)
		})
	}))
	t.Ext("IEnumerable<TSource> SkipLast<TSource>(this IEnumerable<TSource> source, int count)", csharp.F3(func(t resultType, src any, n int) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			list := csharp.Items(r, src)
			yieldAll(list[:max(0, len(list)-max(n, 0))], yield)
		})
	}))
	t.Ext("IEnumerable<TSource> TakeWhile<TSource>(this IEnumerable<TSource> source, Func<TSource, bool> predicate)", csharp.F3(func(t resultType, src any, p delegate) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			csharp.Each(r, src, func(v any) bool { return test(r, p, v) && yield(v) })
		})
	}))
	t.Ext("IEnumerable<TSource> SkipWhile<TSource>(this IEnumerable<TSource> source, Func<TSource, bool> predicate)", csharp.F3(func(t resultType, src any, p delegate) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			skip := true
			csharp.Each(r, src, func(v any) bool {
				skip = skip && test(r, p, v)
				return skip || yield(v)
			})
		})
	}))
	t.Ext("IEnumerable<TSource> Concat<TSource>(this IEnumerable<TSource> first, IEnumerable<TSource> second)", csharp.F3(func(t resultType, a, c any) *Seq {
		needArg(c, "second")
		return lazy(t, a, func(r run, yield func(any) bool) {
			more := true
			keep := func(v any) bool { more = yield(v); return more }
			if csharp.Each(r, a, keep); more {
				csharp.Each(r, c, keep)
			}
		})
	}))
	t.Ext("IEnumerable<TSource> Append<TSource>(this IEnumerable<TSource> source, TSource element)", csharp.F3(func(t resultType, src, v any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			more := true
			if csharp.Each(r, src, func(v any) bool { more = yield(v); return more }); more {
				yield(v)
			}
		})
	}))
	t.Ext("IEnumerable<TSource> Prepend<TSource>(this IEnumerable<TSource> source, TSource element)", csharp.F3(func(t resultType, src, v any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			if yield(v) {
				csharp.Each(r, src, yield)
			}
		})
	}))
	t.Ext("IEnumerable<TSource> Reverse<TSource>(this IEnumerable<TSource> source)", csharp.F2(func(t resultType, src any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			list := slices.Clone(csharp.Items(r, src))
			slices.Reverse(list)
			yieldAll(list, yield)
		})
	}))
	t.Ext("IEnumerable<TResult> Cast<TResult>(this System.Collections.IEnumerable source)", csharp.F3(func(t resultType, a typeArgs, src any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			csharp.Each(r, src, func(v any) bool { return yield(r.Library().Cast(v, a[0])) })
		})
	}))
	t.Ext("IEnumerable<TResult> OfType<TResult>(this System.Collections.IEnumerable source)", csharp.F3(func(t resultType, a typeArgs, src any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			csharp.Each(r, src, func(v any) bool { return !r.Library().InstanceOf(v, a[0]) || yield(v) })
		})
	}))
	t.Ext("IEnumerable<TSource> AsEnumerable<TSource>(this IEnumerable<TSource> source)", csharp.F1(func(src any) any { return src }))
	def := func(t resultType, src, v any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			empty := true
			if csharp.Each(r, src, func(v any) bool { empty = false; return yield(v) }); empty {
				yield(v)
			}
		})
	}
	t.Ext("IEnumerable<TSource> DefaultIfEmpty<TSource>(this IEnumerable<TSource> source)", csharp.F3(func(t resultType, a typeArgs, src any) *Seq { return def(t, src, csharp.Zero(a[0])) }))
	t.Ext("IEnumerable<TSource> DefaultIfEmpty<TSource>(this IEnumerable<TSource> source, TSource defaultValue)", csharp.F3(def))
	zip := func(t resultType, a, c any, f func(r run, x, y any) any) *Seq {
		needArg(c, "second")
		return lazy(t, a, func(r run, yield func(any) bool) {
			list := csharp.Items(r, c)
			i := 0
			csharp.Each(r, a, func(v any) bool {
				if i >= len(list) {
					return false
				}
				i++
				return yield(f(r, v, list[i-1]))
			})
		})
	}
	t.Ext("IEnumerable<TResult> Zip<TFirst, TSecond, TResult>(this IEnumerable<TFirst> first, IEnumerable<TSecond> second, Func<TFirst, TSecond, TResult> resultSelector)", csharp.F4(func(t resultType, a, c any, f delegate) *Seq {
		return zip(t, a, c, func(r run, x, y any) any { return call(r, f, x, y) })
	}))
	t.Static("IEnumerable<int> Range(int start, int count)", csharp.F3(func(t resultType, start, n int) *Seq {
		if n < 0 {
			outOfRange("count", "Specified argument was out of the range of valid values.")
		}
		return &Seq{t.Type, func(_ run, yield func(any) bool) {
			for i := 0; i < n && yield(int32(start+i)); i++ {
			}
		}}
	}))
	t.Static("IEnumerable<TResult> Repeat<TResult>(TResult element, int count)", csharp.F3(func(t resultType, v any, n int) *Seq {
		if n < 0 {
			outOfRange("count", "Specified argument was out of the range of valid values.")
		}
		return &Seq{t.Type, func(_ run, yield func(any) bool) {
			for i := 0; i < n && yield(v); i++ {
			}
		}}
	}))
	t.Static("IEnumerable<TResult> Empty<TResult>()", csharp.F1(func(a typeArgs) any { return a[0].MakeArray(nil) }))
	t.Ext("IEnumerable<TSource[]> Chunk<TSource>(this IEnumerable<TSource> source, int size)", csharp.F4(func(t resultType, a typeArgs, src any, n int) *Seq {
		if n < 1 {
			outOfRange("size", "Specified argument was out of the range of valid values.")
		}
		return lazy(t, src, func(r run, yield func(any) bool) {
			for c := range slices.Chunk(csharp.Items(r, src), n) {
				if !yield(a[0].MakeArray(slices.Clone(c))) {
					return
				}
			}
		})
	}))
}

func yieldAll(list []any, yield func(any) bool) {
	for _, v := range list {
		if !yield(v) {
			return
		}
	}
}

func declareLinqOrder(t *csharp.TypeBuilder) {
	for _, d := range []struct {
		name string
		desc bool
	}{{"OrderBy", false}, {"OrderByDescending", true}} {
		sort := func(t resultType, src any, k delegate, c any) *sorted {
			needArg(src, "source")
			return &sorted{t.Type, src, []sortKey{{k, c, d.desc}}}
		}
		decl := "IOrderedEnumerable<TSource> " + d.name + "<TSource, TKey>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector"
		t.Ext(decl+")", csharp.F3(func(t resultType, src any, k delegate) *sorted { return sort(t, src, k, nil) }))
		t.Ext(decl+", IComparer<TKey> comparer)", csharp.F4(sort))
		then := func(s *sorted, k delegate, c any) *sorted {
			return &sorted{s.typ, s.src, append(slices.Clone(s.keys), sortKey{k, c, d.desc})}
		}
		decl = "IOrderedEnumerable<TSource> " + strings.Replace(d.name, "OrderBy", "ThenBy", 1) + "<TSource, TKey>(this IOrderedEnumerable<TSource> source, Func<TSource, TKey> keySelector"
		t.Ext(decl+")", csharp.F2(func(s *sorted, k delegate) *sorted { return then(s, k, nil) }))
		t.Ext(decl+", IComparer<TKey> comparer)", csharp.F3(then))
	}
}

func declareLinqGroup(t *csharp.TypeBuilder) {
	groups := func(t resultType, src any, key, item delegate, c any) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			group(r, src, nil, t.Args()[0], key, item, c).Each(r, yield)
		})
	}
	const decl = "<TSource, TKey>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector"
	const decl2 = "<TSource, TKey, TElement>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector, Func<TSource, TElement> elementSelector"
	t.Ext("IEnumerable<IGrouping<TKey, TSource>> GroupBy"+decl+")", csharp.F3(func(t resultType, src any, k delegate) *Seq { return groups(t, src, k, nil, nil) }))
	t.Ext("IEnumerable<IGrouping<TKey, TSource>> GroupBy"+decl+", IEqualityComparer<TKey> comparer)", csharp.F4(func(t resultType, src any, k delegate, c any) *Seq { return groups(t, src, k, nil, c) }))
	t.Ext("IEnumerable<IGrouping<TKey, TElement>> GroupBy"+decl2+")", csharp.F4(func(t resultType, src any, k, e delegate) *Seq { return groups(t, src, k, e, nil) }))
	t.Ext("IEnumerable<TResult> GroupBy<TSource, TKey, TResult>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector, Func<TKey, IEnumerable<TSource>, TResult> resultSelector)", csharp.F5(func(t resultType, a typeArgs, src any, k, f delegate) *Seq {
		return lazy(t, src, func(r run, yield func(any) bool) {
			gt := r.Library().MustType(linq+"IGrouping<object, object>").Definition().Of(a[1], a[0])
			group(r, src, nil, gt, k, nil, nil).Each(r, func(g any) bool { return yield(call(r, f, g.(*Grouping).key, g)) })
		})
	}))
	toLookup := func(t resultType, r run, src any, k, e delegate, c any) *lookup {
		gt := r.Library().MustType(linq + "IGrouping<object, object>").Definition().Of(t.Args()...)
		return group(r, src, t.Type, gt, k, e, c)
	}
	t.Ext("ILookup<TKey, TSource> ToLookup"+decl+")", csharp.F4(func(t resultType, r run, src any, k delegate) *lookup { return toLookup(t, r, src, k, nil, nil) }))
	t.Ext("ILookup<TKey, TElement> ToLookup"+decl2+")", csharp.F5(func(t resultType, r run, src any, k, e delegate) *lookup { return toLookup(t, r, src, k, e, nil) }))
	t.Ext("IEnumerable<TResult> Join<TOuter, TInner, TKey, TResult>(this IEnumerable<TOuter> outer, IEnumerable<TInner> inner, Func<TOuter, TKey> outerKeySelector, Func<TInner, TKey> innerKeySelector, Func<TOuter, TInner, TResult> resultSelector)", csharp.F6(func(t resultType, a, c any, ak, ck, f delegate) *Seq {
		return lazy(t, a, func(r run, yield func(any) bool) {
			l := joinOn(r, c, nil, ck, nil)
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
	t.Ext("IEnumerable<TResult> GroupJoin<TOuter, TInner, TKey, TResult>(this IEnumerable<TOuter> outer, IEnumerable<TInner> inner, Func<TOuter, TKey> outerKeySelector, Func<TInner, TKey> innerKeySelector, Func<TOuter, IEnumerable<TInner>, TResult> resultSelector)", csharp.F7(func(t resultType, ta typeArgs, a, c any, ak, ck, f delegate) *Seq {
		return lazy(t, a, func(r run, yield func(any) bool) {
			gt := r.Library().MustType(linq+"IGrouping<object, object>").Definition().Of(ta[2], ta[1])
			l := joinOn(r, c, gt, ck, nil)
			csharp.Each(r, a, func(x any) bool { return yield(call(r, f, x, l.find(call(r, ak, x)))) })
		})
	}))
}

func declareLinqTo(t *csharp.TypeBuilder) {
	t.Ext("List<TSource> ToList<TSource>(this IEnumerable<TSource> source)", csharp.F3(func(t resultType, r run, src any) *List {
		needArg(src, "source")
		return NewList(t.Type, slices.Clone(csharp.Items(r, src)))
	}))
	t.Ext("TSource[] ToArray<TSource>(this IEnumerable<TSource> source)", csharp.F3(func(t resultType, r run, src any) any {
		needArg(src, "source")
		return t.Elem().MakeArray(slices.Clone(csharp.Items(r, src)))
	}))
	t.Ext("HashSet<TSource> ToHashSet<TSource>(this IEnumerable<TSource> source)", csharp.F3(func(t resultType, r run, src any) *Set { return newSet(t.Type, nil).of(r, src) }))
	t.Ext("HashSet<TSource> ToHashSet<TSource>(this IEnumerable<TSource> source, IEqualityComparer<TSource> comparer)", csharp.F4(func(t resultType, r run, src, c any) *Set { return newSet(t.Type, c).of(r, src) }))
	dict := func(t resultType, r run, src any, k, e delegate, c any) *Dictionary {
		needArg(src, "source")
		d := NewDictionary(r.Library(), t.Type, c)
		csharp.Each(r, src, func(v any) bool {
			key := call(r, k, v)
			if e != nil {
				v = call(r, e, v)
			}
			d.add(r, key, v)
			return true
		})
		return d
	}
	const decl = "Dictionary<TKey, TSource> ToDictionary<TSource, TKey>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector"
	const decl2 = "Dictionary<TKey, TElement> ToDictionary<TSource, TKey, TElement>(this IEnumerable<TSource> source, Func<TSource, TKey> keySelector, Func<TSource, TElement> elementSelector"
	t.Ext(decl+")", csharp.F4(func(t resultType, r run, src any, k delegate) *Dictionary { return dict(t, r, src, k, nil, nil) }))
	t.Ext(decl+", IEqualityComparer<TKey> comparer)", csharp.F5(func(t resultType, r run, src any, k delegate, c any) *Dictionary { return dict(t, r, src, k, nil, c) }))
	t.Ext(decl2+")", csharp.F5(func(t resultType, r run, src any, k, e delegate) *Dictionary { return dict(t, r, src, k, e, nil) }))
	t.Ext(decl2+", IEqualityComparer<TKey> comparer)", csharp.F6(dict))
}
