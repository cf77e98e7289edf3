package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file declares the members of Array that are about a part of an array, take a comparer or are there for all collections.

// arrayPart gives the items of a part of an array.
func arrayPart(a any, i, n int, name string) []any {
	needArg(a, name)
	items := indexable(a)
	if i < 0 {
		outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
	}
	if n < 0 {
		outOfRange("length", "Non-negative number required.")
	}
	if n > len(items)-i {
		csharp.Throw("System.ArgumentException", "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the source collection.")
	}
	return items[i : i+n]
}

// arrayLength is the number of items of an array, which must not be null.
func arrayLength(a any, name string) int {
	needArg(a, name)
	return len(indexable(a))
}

// sortPart sorts a part of an array, and the same part of another one along with it.
func sortPart(r run, keys, items any, i, n int, c any) {
	k := slices.Clone(arrayPart(keys, i, n, "keys"))
	order := orderOf(r, c)
	rows := make([]any, n)
	for j := range rows {
		rows[j] = j
	}
	var v []any
	if items != nil {
		v = slices.Clone(arrayPart(items, i, n, "items"))
	}
	sortItems(r, rows, func(a, b any) int { return order(k[a.(int)], k[b.(int)]) })
	for j, row := range rows {
		setItem(keys, i+j, k[row.(int)])
		if items != nil {
			setItem(items, i+j, v[row.(int)])
		}
	}
}

func declareArrayRanges(t *csharp.TypeBuilder) {
	declareArraySorts(t)
	declareArraySearch(t)
	for _, of := range []string{"(Array array", "<T>(T[] array"} {
		t.Static("void Reverse"+of+", int index, int length)", csharp.V3(func(a any, i, n int) {
			part := slices.Clone(arrayPart(a, i, n, "array"))
			slices.Reverse(part)
			for j, v := range part {
				setItem(a, i+j, v)
			}
		}))
	}
	t.Static("void Fill<T>(T[] array, T value, int startIndex, int count)", csharp.V4(func(a, v any, i, n int) {
		size := arrayLength(a, "array")
		if i < 0 || i > size {
			outOfRange("startIndex", badStart)
		}
		if n < 0 || n > size-i {
			outOfRange("count", badCount)
		}
		for j := range n {
			setItem(a, i+j, v)
		}
	}))
	t.Static("void ConstrainedCopy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)", csharp.V5(func(src any, i int, dst any, at, n int) {
		copyItems(slices.Clone(arrayPart(src, i, n, "sourceArray")), dst, at)
	}))
	t.Static("IReadOnlyList<T> AsReadOnly<T>(T[] array)", csharp.F1(func(a any) any { needArg(a, "array"); return a }))
	t.Method("long GetLongLength(int dimension)", csharp.F2(func(a any, d int) int64 {
		if x, ok := a.(array); ok && x.Dims != nil && d >= 0 && d < len(x.Dims) {
			return int64(x.Dims[d])
		}
		if d != 0 {
			csharp.Throw("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
		}
		return int64(count(nil, a))
	}))
	t.Method("object GetValue(long index)", csharp.F2(func(a any, i int64) any { return indexable(a)[i] }))
	t.Method("void SetValue(object value, long index)", csharp.V3(func(a, v any, i int) { setItem(a, i, v) }))
	t.Method("void CopyTo(Array array, long index)", csharp.V3(func(a, dst any, i int) { copyItems(indexable(a), dst, i) }))
	t.Method("void Initialize()", csharp.V1(func(any) {}))
	t.Prop("object SyncRoot", csharp.F1(func(a any) any { return a }))
	for name, v := range map[string]bool{"IsReadOnly": false, "IsFixedSize": true, "IsSynchronized": false} {
		t.Prop("bool "+name, csharp.F1(func(any) bool { return v }))
	}
	t.StaticProp("int MaxLength", csharp.F0(func() int { return 0x7FFFFFC7 }))
}

const badCount = "Count must be positive and count must refer to a location within the string/array/collection."

func declareArraySorts(t *csharp.TypeBuilder) {
	for _, kind := range []struct{ one, keys string }{
		{"Sort(Array array", "Sort(Array keys, Array items"}, {"Sort<T>(T[] array", "Sort<TKey, TValue>(TKey[] keys, TValue[] items"},
	} {
		t.Static("void "+kind.one+", int index, int length)", csharp.V4(func(r run, a any, i, n int) { sortPart(r, a, nil, i, n, nil) }))
		t.Static("void "+kind.keys+", int index, int length)", csharp.V5(func(r run, k, v any, i, n int) { sortPart(r, k, v, i, n, nil) }))
	}
	t.Static("void Sort(Array keys, Array items)", csharp.V3(func(r run, k, v any) { sortPart(r, k, v, 0, arrayLength(k, "keys"), nil) }))
	t.Static("void Sort<T>(T[] array, int index, int length, IComparer<T> comparer)", csharp.V5(func(r run, a any, i, n int, c any) { sortPart(r, a, nil, i, n, c) }))
	t.Static("void Sort<TKey, TValue>(TKey[] keys, TValue[] items, IComparer<TKey> comparer)", csharp.V4(func(r run, k, v, c any) {
		sortPart(r, k, v, 0, arrayLength(k, "keys"), c)
	}))
	t.Static("void Sort<TKey, TValue>(TKey[] keys, TValue[] items, int index, int length, IComparer<TKey> comparer)", csharp.V6(func(r run, k, v any, i, n int, c any) {
		sortPart(r, k, v, i, n, c)
	}))
}

func declareArraySearch(t *csharp.TypeBuilder) {
	search := func(r run, a any, i, n int, v, c any) int {
		order := orderOf(r, c)
		at := binarySearchBy(arrayPart(a, i, n, "array"), func(x any) int { return order(x, v) })
		if at < 0 {
			return at - i
		}
		return at + i
	}
	t.Static("int BinarySearch(Array array, object value)", csharp.F3(func(r run, a, v any) int { return search(r, a, 0, arrayLength(a, "array"), v, nil) }))
	t.Static("int BinarySearch(Array array, int index, int length, object value)", csharp.F5(func(r run, a any, i, n int, v any) int { return search(r, a, i, n, v, nil) }))
	t.Static("int BinarySearch<T>(T[] array, T value, IComparer<T> comparer)", csharp.F4(func(r run, a, v, c any) int { return search(r, a, 0, arrayLength(a, "array"), v, c) }))
	t.Static("int BinarySearch<T>(T[] array, int index, int length, T value)", csharp.F5(func(r run, a any, i, n int, v any) int { return search(r, a, i, n, v, nil) }))
	t.Static("int BinarySearch<T>(T[] array, int index, int length, T value, IComparer<T> comparer)", csharp.F6(search))
	t.Static("int FindIndex<T>(T[] array, int startIndex, int count, Predicate<T> match)", csharp.F5(func(r run, a any, i, n int, p delegate) int {
		needArg(a, "array")
		return findIn(r, indexable(a), i, n, p)
	}))
	last := func(r run, a any, i, n int, p delegate) int {
		items := indexable(a)
		if n < 0 || i-n+1 < 0 {
			outOfRange("count", badCount)
		}
		if at := findLast(r, items, i, p); at > i-n {
			return at
		}
		return -1
	}
	t.Static("int FindLastIndex<T>(T[] array, int startIndex, Predicate<T> match)", csharp.F4(func(r run, a any, i int, p delegate) int {
		needArg(a, "array")
		return findLast(r, indexable(a), i, p)
	}))
	t.Static("int FindLastIndex<T>(T[] array, int startIndex, int count, Predicate<T> match)", csharp.F5(last))
	index := func(a, v any, i, n int) int { return indexWithin(indexable(a), v, i, n) }
	for _, kind := range []string{"IndexOf(Array array, object value", "IndexOf<T>(T[] array, T value"} {
		t.Static("int "+kind+", int startIndex, int count)", csharp.F4(index))
		t.Static("int Last"+kind+", int startIndex)", csharp.F3(func(a, v any, i int) int { return lastIndexWithin(indexable(a), v, i, i+1) }))
		t.Static("int Last"+kind+", int startIndex, int count)", csharp.F4(func(a, v any, i, n int) int { return lastIndexWithin(indexable(a), v, i, n) }))
	}
	t.Static("int IndexOf(Array array, object value, int startIndex)", csharp.F3(func(a, v any, i int) int { return index(a, v, i, len(indexable(a))-i) }))
	t.Static("int LastIndexOf(Array array, object value)", csharp.F2(func(a, v any) int {
		n := len(indexable(a))
		return lastIndexWithin(indexable(a), v, n-1, n)
	}))
}

// indexWithin looks for a value in n items from i.
func indexWithin(items []any, v any, i, n int) int {
	if i < 0 || i > len(items) {
		outOfRange("startIndex", badStart)
	}
	if n < 0 || n > len(items)-i {
		outOfRange("count", badCount)
	}
	for j := i; j < i+n; j++ {
		if csharp.Equal(items[j], v) {
			return j
		}
	}
	return -1
}

// lastIndexWithin looks for a value backwards in n items from i.
func lastIndexWithin(items []any, v any, i, n int) int {
	if len(items) == 0 {
		return -1
	}
	if i < 0 || i >= len(items) {
		outOfRange("startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.")
	}
	if n < 0 || i-n+1 < 0 {
		outOfRange("count", badCount)
	}
	for j := i; j > i-n; j-- {
		if csharp.Equal(items[j], v) {
			return j
		}
	}
	return -1
}

// binarySearchBy looks for the item that compares as 0; the middles are those that .NET takes, which shows when items are not sorted.
func binarySearchBy(items []any, compare func(item any) int) int {
	lo, hi := 0, len(items)-1
	for lo <= hi {
		i := lo + (hi-lo)/2
		switch n := compare(items[i]); {
		case n == 0:
			return i
		case n < 0:
			lo = i + 1
		default:
			hi = i - 1
		}
	}
	return ^lo
}
