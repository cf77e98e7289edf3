package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file declares members of collections that have to do with capacity, comparers, copies and parts.

// declareCapacity declares what a collection that grows by itself has: nothing is kept in reserve here.
func declareCapacity(t *csharp.TypeBuilder) {
	size := func(v any) int { return count(nil, v) }
	t.Method("int EnsureCapacity(int capacity)", csharp.F2(func(v any, n int) int {
		if n < 0 {
			negative("capacity", n)
		}
		return max(n, size(v))
	}))
	t.Method("void TrimExcess(int capacity)", csharp.V2(func(v any, n int) {
		if n < size(v) {
			outOfRange("capacity", "capacity was less than the current size.")
		}
	}))
	t.Prop("int Capacity", csharp.F1(size))
}

func declareSetMore(t *csharp.TypeBuilder) {
	declareCapacity(t)
	t.Method("void TrimExcess()", csharp.V1(func(*Set) {}))
	t.New("(int capacity, IEqualityComparer<T> comparer)", csharp.F3(func(t resultType, _ int, c any) *Set { return newSet(t.Type, c) }))
	t.Method("bool TryGetValue(T equalValue, out T actualValue)", csharp.F4(func(t typeArgs, s *Set, v any, out ref) bool {
		out.Value = csharp.Zero(t[0])
		i, ok := s.d.index[s.d.keyOf(wrapNull(v))]
		if ok {
			out.Value = unwrapNull(s.d.slots[i].key)
		}
		return ok
	}))
	cp := func(r run, s *Set, a any, at, n int) {
		items := csharp.Items(r, s)
		copyItems(items[:min(n, len(items))], a, at)
	}
	t.Method("void CopyTo(T[] array)", csharp.V3(func(r run, s *Set, a any) { cp(r, s, a, 0, s.Count()) }))
	t.Method("void CopyTo(T[] array, int arrayIndex)", csharp.V4(func(r run, s *Set, a any, at int) { cp(r, s, a, at, s.Count()) }))
	t.Method("void CopyTo(T[] array, int arrayIndex, int count)", csharp.V5(cp))
}

func declareListParts(t *csharp.TypeBuilder) {
	t.Method("int BinarySearch(T item, IComparer<T> comparer)", csharp.F4(func(r run, l *List, v, c any) int {
		order := orderOf(r, c)
		return binarySearchBy(l.items, func(x any) int { return order(x, v) })
	}))
	t.Method("int BinarySearch(int index, int count, T item, IComparer<T> comparer)", csharp.F6(func(r run, l *List, i, n int, v, c any) int {
		checkSpan(i, n, len(l.items))
		order := orderOf(r, c)
		at := binarySearchBy(l.items[i:i+n], func(x any) int { return order(x, v) })
		if at < 0 {
			return at - i
		}
		return at + i
	}))
	t.Method("int FindLastIndex(int startIndex, int count, Predicate<T> match)", csharp.F5(func(r run, l *List, i, n int, p delegate) int {
		if n < 0 || i-n+1 < 0 {
			outOfRange("count", badCount)
		}
		if at := findLast(r, l.items, i, p); at > i-n {
			return at
		}
		return -1
	}))
	t.Method("List<T> Slice(int start, int length)", csharp.F3(func(l *List, i, n int) *List {
		checkSpan(i, n, len(l.items))
		return NewList(l.typ, slices.Clone(l.items[i:i+n]))
	}))
	t.Method("int IndexOf(T item, int index, int count)", csharp.F4(func(l *List, v any, i, n int) int { return indexWithin(l.items, v, i, n) }))
	t.Method("int LastIndexOf(T item, int index)", csharp.F3(func(l *List, v any, i int) int { return lastIndexWithin(l.items, v, i, i+1) }))
	t.Method("int LastIndexOf(T item, int index, int count)", csharp.F4(func(l *List, v any, i, n int) int { return lastIndexWithin(l.items, v, i, n) }))
}

// declareNullable declares the static class beside Nullable<T>.
func declareNullable(b *csharp.Builder) {
	t := b.Type("static class System.Nullable", csharp.NoGo())
	t.Static("int Compare<T>(T? n1, T? n2)", csharp.F2(Compare))
	t.Static("bool Equals<T>(T? n1, T? n2)", csharp.F2(csharp.Equal))
}
