package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// checkSpan checks a range of a collection.
func checkSpan(i, n, size int) {
	if i < 0 {
		negative("index", i)
	}
	if n < 0 {
		negative("count", n)
	}
	if i > size-n {
		csharp.Throw("System.ArgumentException", "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the source collection.")
	}
}

// findIn searches forwards from i over n items.
func findIn(r run, items []any, i, n int, p delegate) int {
	if i < 0 || i > len(items) {
		outOfRange("startIndex", badStart)
	}
	if n < 0 || i > len(items)-n {
		outOfRange("count", "Count must be positive and count must refer to a location within the string/array/collection.")
	}
	needDelegate(p, "match")
	for k := i; k < i+n; k++ {
		if test(r, p, items[k]) {
			return k
		}
	}
	return -1
}

// findLast searches backwards from i.
func findLast(r run, items []any, i int, p delegate) int {
	needDelegate(p, "match")
	if len(items) == 0 && i != -1 || len(items) > 0 && (i < 0 || i >= len(items)) {
		outOfRange("startIndex", badStart)
	}
	for ; i >= 0; i-- {
		if test(r, p, items[i]) {
			return i
		}
	}
	return -1
}

func declareListMore(t *csharp.TypeBuilder) {
	t.Method("int FindIndex(int startIndex, Predicate<T> match)", csharp.F4(func(r run, l *List, i int, p delegate) int { return findIn(r, l.items, i, len(l.items)-i, p) }))
	t.Method("int FindIndex(int startIndex, int count, Predicate<T> match)", csharp.F5(func(r run, l *List, i, n int, p delegate) int { return findIn(r, l.items, i, n, p) }))
	t.Method("int FindLastIndex(Predicate<T> match)", csharp.F3(func(r run, l *List, p delegate) int { return findLast(r, l.items, len(l.items)-1, p) }))
	t.Method("int FindLastIndex(int startIndex, Predicate<T> match)", csharp.F4(func(r run, l *List, i int, p delegate) int { return findLast(r, l.items, i, p) }))
	t.Method("void Reverse(int index, int count)", csharp.V3(func(l *List, i, n int) {
		checkSpan(i, n, len(l.items))
		slices.Reverse(l.items[i : i+n])
		l.version++
	}))
	t.Method("void Sort(int index, int count, IComparer<T> comparer)", csharp.V5(func(r run, l *List, i, n int, c any) {
		checkSpan(i, n, len(l.items))
		sortItems(r, l.items[i:i+n], orderOf(r, c))
		l.version++
	}))
	t.Method("void CopyTo(int index, T[] array, int arrayIndex, int count)", csharp.V5(func(l *List, i int, a any, at, n int) {
		checkSpan(i, n, len(l.items))
		copyItems(l.items[i:i+n], a, at)
	}))
	t.Method("int EnsureCapacity(int capacity)", csharp.F2(func(l *List, n int) int { return max(n, len(l.items)) }))
	t.Method("void TrimExcess()", csharp.V1(func(*List) {}))
	t.Method("IReadOnlyList<T> AsReadOnly()", csharp.F1(func(l *List) any { return l }))
}

func declareArrayMore(t *csharp.TypeBuilder) {
	t.Static("int FindIndex<T>(T[] array, int startIndex, Predicate<T> match)", csharp.F4(func(r run, a any, i int, p delegate) int {
		list := indexable(a)
		return findIn(r, list, i, len(list)-i, p)
	}))
	t.Static("int FindLastIndex<T>(T[] array, Predicate<T> match)", csharp.F3(func(r run, a any, p delegate) int {
		list := indexable(a)
		return findLast(r, list, len(list)-1, p)
	}))
	t.Static("T FindLast<T>(T[] array, Predicate<T> match)", csharp.F4(func(t typeArgs, r run, a any, p delegate) any {
		list := indexable(a)
		if i := findLast(r, list, len(list)-1, p); i >= 0 {
			return list[i]
		}
		return csharp.Zero(t[0])
	}))
	t.Static("void Fill<T>(T[] array, T value)", csharp.V2(func(a, v any) {
		needArg(a, "array")
		for i := range indexable(a) {
			setItem(a, i, v)
		}
	}))
	t.Static("int IndexOf(Array array, object value)", csharp.F2(func(a, v any) int { needArg(a, "array"); return (&List{items: indexable(a)}).index(v, 0) }))
	t.Static("void Clear(Array array)", csharp.V1(func(a any) {
		needArg(a, "array")
		var zero any = byte(0)
		if x, ok := a.(array); ok {
			zero = csharp.Zero(x.Elem)
		}
		for i := range indexable(a) {
			setItem(a, i, zero)
		}
	}))
	t.Static("void Sort(Array array)", csharp.V2(func(r run, a any) { reorder(a, func(list []any) { sortItems(r, list, Compare) }) }))
	t.Static("void Sort<TKey, TValue>(TKey[] keys, TValue[] items)", csharp.V3(func(r run, keys, items any) {
		needArg(keys, "keys")
		k, v := slices.Clone(indexable(keys)), slices.Clone(indexable(items))
		rows := make([]any, len(k))
		for i := range rows {
			rows[i] = i
		}
		sortItems(r, rows, func(a, b any) int { return Compare(k[a.(int)], k[b.(int)]) })
		for i, row := range rows {
			setItem(keys, i, k[row.(int)])
			setItem(items, i, v[row.(int)])
		}
	}))
}

// declareTries declares TryPeek and TryDequeue, or TryPop, and the constructor with a capacity.
func declareTries(t *csharp.TypeBuilder, stack bool) {
	take := "TryDequeue"
	if stack {
		take = "TryPop"
	}
	for name, remove := range map[string]bool{take: true, "TryPeek": false} {
		t.Method("bool "+name+"(out T result)", csharp.F3(func(t typeArgs, q *Queue, out ref) bool {
			out.Value = csharp.Zero(t[0])
			if q.Count() == 0 {
				return false
			}
			out.Value = q.peek(remove)
			return true
		}))
	}
	t.New("(int capacity)", csharp.F2(func(t resultType, n int) *Queue {
		if n < 0 {
			outOfRange("capacity", "Non-negative number required.")
		}
		return &Queue{typ: t.Type, stack: stack}
	}))
	t.Method("void TrimExcess()", csharp.V1(func(*Queue) {}))
	t.Method("void CopyTo(T[] array, int arrayIndex)", csharp.V3(func(q *Queue, a any, i int) { copyItems(q.list(), a, i) }))
}

func declareEnumGeneric(e *csharp.TypeBuilder) {
	name := func(t *csharp.Type, v any) string {
		names, values := t.EnumMembers()
		n, _ := csharp.Integer(v)
		if x, ok := v.(csharp.Enum); ok {
			n = x.Value
		}
		if i := slices.Index(values, n); i >= 0 {
			return names[i]
		}
		return csharp.Null()
	}
	e.Static("string GetName<TEnum>(TEnum value)", csharp.F2(func(a typeArgs, v any) string { return name(a[0], v) }))
	e.Static("string[] GetNames<TEnum>()", csharp.F2(func(r run, a typeArgs) array {
		names, _ := a[0].EnumMembers()
		return newStrings(r, names)
	}))
	e.Static("TEnum[] GetValues<TEnum>()", csharp.F1(func(a typeArgs) array {
		_, values := a[0].EnumMembers()
		out := &csharp.Array{Elem: a[0], Items: make([]any, len(values))}
		for i, v := range values {
			out.Items[i] = csharp.Enum{Type: a[0], Value: v}
		}
		return out
	}))
	e.Static("bool IsDefined<TEnum>(TEnum value)", csharp.F2(func(a typeArgs, v any) bool { return !csharp.IsNull(name(a[0], v)) }))
}
