package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// reorder applies f to the items of an array in place.
func reorder(a any, f func(items []any)) {
	needArg(a, "array")
	items := indexable(a)
	f(items)
	if b, ok := a.([]byte); ok {
		for i, v := range items {
			b[i] = v.(byte)
		}
	}
}

func declareArray(b *csharp.Builder) {
	t := b.Type("abstract class System.Array : System.Collections.IEnumerable", csharp.Go[csharp.Enumerable]())
	t.Prop("int Length", csharp.F1(func(a any) int { return count(nil, a) }))
	t.Prop("long LongLength", csharp.F1(func(a any) int { return count(nil, a) }))
	t.Prop("int Rank", csharp.F1(func(a any) int {
		if x, ok := a.(array); ok {
			return max(1, len(x.Dims))
		}
		return 1
	}))
	length := func(a any, d int) int {
		dims := []int{count(nil, a)}
		if x, ok := a.(array); ok && x.Dims != nil {
			dims = x.Dims
		}
		if d < 0 || d >= len(dims) {
			csharp.Throw("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
		}
		return dims[d]
	}
	t.Method("int GetLength(int dimension)", csharp.F2(length))
	t.Method("int GetUpperBound(int dimension)", csharp.F2(func(a any, d int) int { return length(a, d) - 1 }))
	t.Method("int GetLowerBound(int dimension)", csharp.F2(func(any, int) int { return 0 }))
	t.Method("object GetValue(int index)", csharp.F2(func(a any, i int) any { return indexable(a)[i] }))
	t.Method("void SetValue(object value, int index)", csharp.V3(func(a, v any, i int) { setItem(a, i, v) }))
	t.Method("object Clone()", csharp.F1(func(a any) any {
		if x, ok := a.(array); ok {
			return &csharp.Array{Elem: x.Elem, Items: slices.Clone(x.Items), Dims: x.Dims}
		}
		return slices.Clone(a.([]byte))
	}))
	t.Method("void CopyTo(Array array, int index)", csharp.V3(func(a, dst any, i int) { copyItems(indexable(a), dst, i) }))
	declareArrayStatic(t)
	declareArrayMore(t)
	declareArrayRanges(t)
}

func declareArrayStatic(t *csharp.TypeBuilder) {
	t.Static("T[] Empty<T>()", csharp.F1(func(a typeArgs) any { return a[0].MakeArray(nil) }))
	t.Static("void Sort<T>(T[] array)", csharp.V2(func(r run, a any) {
		reorder(a, func(list []any) { sortItems(r, list, Compare) })
	}))
	t.Static("void Sort<T>(T[] array, Comparison<T> comparison)", csharp.V3(func(r run, a any, c delegate) {
		reorder(a, func(list []any) { sortItems(r, list, func(x, y any) int { return int(call(r, c, x, y).(int32)) }) })
	}))
	t.Static("void Sort<T>(T[] array, IComparer<T> comparer)", csharp.V3(func(r run, a, c any) {
		reorder(a, func(list []any) { sortItems(r, list, orderOf(r, c)) })
	}))
	t.Static("void Reverse(Array array)", csharp.V1(func(a any) { reorder(a, slices.Reverse[[]any]) }))
	t.Static("void Reverse<T>(T[] array)", csharp.V1(func(a any) { reorder(a, slices.Reverse[[]any]) }))
	t.Static("void Clear(Array array, int index, int length)", csharp.V3(func(a any, i, n int) {
		list := indexable(a)
		if i < 0 || n < 0 || i+n > len(list) {
			csharp.Throw("System.IndexOutOfRangeException", "Index was outside the bounds of the array.")
		}
		var zero any = byte(0)
		if x, ok := a.(array); ok {
			zero = csharp.Zero(x.Elem)
		}
		for k := i; k < i+n; k++ {
			setItem(a, k, zero)
		}
	}))
	cp := func(src any, si int, dst any, di, n int) {
		needArg(src, "sourceArray")
		list := indexable(src)
		if n < 0 || si < 0 {
			outOfRange("length", "Non-negative number required.")
		}
		if si+n > len(list) {
			csharp.ThrowArgument("System.ArgumentException", "Source array was not long enough. Check the source index, length, and the array's lower bounds.", "sourceArray")
		}
		copyItems(slices.Clone(list[si:si+n]), dst, di)
	}
	t.Static("void Copy(Array sourceArray, Array destinationArray, int length)", csharp.V3(func(s, d any, n int) { cp(s, 0, d, 0, n) }))
	t.Static("void Copy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)", csharp.V6(func(_ run, s any, si int, d any, di, n int) { cp(s, si, d, di, n) }))
	find := func(r run, a any, p delegate) int {
		return slices.IndexFunc(indexable(a), func(v any) bool { return test(r, p, v) })
	}
	t.Static("int IndexOf<T>(T[] array, T value)", csharp.F2(func(a, v any) int { needArg(a, "array"); return (&List{items: indexable(a)}).index(v, 0) }))
	t.Static("int IndexOf<T>(T[] array, T value, int startIndex)", csharp.F3(func(a, v any, i int) int { return (&List{items: indexable(a)}).index(v, i) }))
	t.Static("int LastIndexOf<T>(T[] array, T value)", csharp.F2(func(a, v any) int {
		list := indexable(a)
		for i := len(list) - 1; i >= 0; i-- {
			if csharp.Equal(list[i], v) {
				return i
			}
		}
		return -1
	}))
	t.Static("int FindIndex<T>(T[] array, Predicate<T> match)", csharp.F3(find))
	t.Static("bool Exists<T>(T[] array, Predicate<T> match)", csharp.F3(func(r run, a any, p delegate) bool { return find(r, a, p) >= 0 }))
	t.Static("bool TrueForAll<T>(T[] array, Predicate<T> match)", csharp.F3(func(r run, a any, p delegate) bool {
		return !slices.ContainsFunc(indexable(a), func(v any) bool { return !test(r, p, v) })
	}))
	t.Static("T Find<T>(T[] array, Predicate<T> match)", csharp.F4(func(t typeArgs, r run, a any, p delegate) any {
		if i := find(r, a, p); i >= 0 {
			return indexable(a)[i]
		}
		return csharp.Zero(t[0])
	}))
	t.Static("T[] FindAll<T>(T[] array, Predicate<T> match)", csharp.F4(func(t typeArgs, r run, a any, p delegate) any {
		var out []any
		for _, v := range indexable(a) {
			if test(r, p, v) {
				out = append(out, v)
			}
		}
		return t[0].MakeArray(out)
	}))
	t.Static("TOutput[] ConvertAll<TInput, TOutput>(TInput[] array, Converter<TInput, TOutput> converter)", csharp.F4(func(t resultType, r run, a any, f delegate) any {
		list := indexable(a)
		out := make([]any, len(list))
		for i, v := range list {
			out[i] = call(r, f, v)
		}
		return t.Elem().MakeArray(out)
	}))
	t.Static("void ForEach<T>(T[] array, Action<T> action)", csharp.V3(func(r run, a any, f delegate) {
		for _, v := range indexable(a) {
			call(r, f, v)
		}
	}))
	t.Static("int BinarySearch<T>(T[] array, T value)", csharp.F2(func(a, v any) int { return binarySearch(indexable(a), v) }))
	t.Static("void Resize<T>(ref T[] array, int newSize)", csharp.V4(func(t typeArgs, r run, a ref, n int) {
		if n < 0 {
			outOfRange("newSize", "Non-negative number required.")
		}
		r.Alloc(16 * n)
		items := make([]any, n)
		for i := copy(items, indexable(a.Value)); i < n; i++ {
			items[i] = csharp.Zero(t[0])
		}
		a.Value = t[0].MakeArray(items)
	}))
}
