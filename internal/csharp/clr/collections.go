package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A List is List<T>.
type List struct {
	typ     *csharp.Type
	items   []any
	version int
}

// NewList makes a list of that type, which is List<T> for some T, and takes over the items.
func NewList(t *csharp.Type, items []any) *List { return &List{typ: t, items: items} }

// Items gives the boxed items; do not change them.
func (l *List) Items() []any { return l.items }

// ClrType is the exact type.
func (l *List) ClrType() *csharp.Type { return l.typ }

// Each implements csharp.Enumerable.
func (l *List) Each(r run, yield func(any) bool) {
	version := l.version
	for i := 0; ; i++ {
		if l.version != version {
			modified()
		}
		if i >= len(l.items) {
			return
		}
		r.Step()
		if !yield(l.items[i]) {
			return
		}
	}
}

func modified() {
	invalidOperation("Collection was modified; enumeration operation may not execute.")
}

func (l *List) at(i int) int {
	if i < 0 || i >= len(l.items) {
		outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
	}
	return i
}

func (l *List) insert(r run, i int, items ...any) {
	if i < 0 || i > len(l.items) {
		outOfRange("index", "Index must be within the bounds of the List.")
	}
	r.Alloc(16 * len(items))
	l.items = slices.Insert(l.items, i, items...)
	l.version++
}

func (l *List) add(r run, v any) {
	r.Alloc(16)
	l.items = append(l.items, v)
	l.version++
}

func (l *List) index(v any, from int) int {
	for i := from; i < len(l.items); i++ {
		if csharp.Equal(l.items[i], v) {
			return i
		}
	}
	return -1
}

func (l *List) removeRange(i, n int) {
	if i < 0 || n < 0 {
		outOfRange("index", "Non-negative number required.")
	}
	if i+n > len(l.items) {
		csharp.Throw("System.ArgumentException", "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the source collection.")
	}
	l.items = slices.Delete(l.items, i, i+n)
	l.version++
}

// indexable is what has a length and items by position: arrays and lists.
func indexable(v any) []any {
	switch x := v.(type) {
	case *List:
		return x.items
	case array:
		return x.Items
	case []byte:
		out := make([]any, len(x))
		for i, c := range x {
			out[i] = c
		}
		return out
	}
	return nil
}

type counted interface{ Count() int }

// count is the Count of a collection, or the number of items of a sequence.
func count(r run, v any) int {
	switch x := v.(type) {
	case *List:
		return len(x.items)
	case array:
		return len(x.Items)
	case []byte:
		return len(x)
	case string:
		return csharp.Length(x)
	case counted:
		return x.Count()
	}
	n := 0
	csharp.Each(r, v, func(any) bool { n++; return true })
	return n
}

func contains(r run, v, item any) bool {
	if s, ok := v.(interface{ Contains(any) bool }); ok {
		return s.Contains(item)
	}
	found := false
	csharp.Each(r, v, func(x any) bool { found = csharp.Equal(x, item); return !found })
	return found
}

type adder interface{ addItem(r run, v any) }

func (l *List) addItem(r run, v any) { l.add(r, v) }

func declareCollections(b *csharp.Builder) {
	declareComparers(b)
	const ns = "System.Collections.Generic."
	b.Type("interface System.Collections.IEnumerable", csharp.Go[csharp.Enumerable]())
	b.Type("interface "+ns+"IEnumerable<T> : System.Collections.IEnumerable", csharp.Go[csharp.Enumerable]()).
		Method("IEnumerator<T> GetEnumerator()", csharp.F2(func(r run, v any) *Enumerator { return newEnumerator(r, v) }))
	declareEnumerator(b)
	c := b.Type("interface "+ns+"ICollection<T> : IEnumerable<T>", csharp.NoGo())
	c.Prop("int Count", csharp.F2(func(r run, v any) int { return count(r, v) }))
	c.Method("bool Contains(T item)", csharp.F3(contains))
	c.Method("void Add(T item)", csharp.V3(func(r run, v, item any) {
		a, ok := v.(adder)
		if !ok {
			csharp.Throw("System.NotSupportedException", "Collection was of a fixed size.")
		}
		a.addItem(r, item)
	}))
	c.Method("bool Remove(T item)", csharp.F2(func(v, item any) bool {
		x, ok := v.(interface{ remove(any) bool })
		if !ok {
			csharp.Throw("System.NotSupportedException", "Collection was of a fixed size.")
		}
		return x.remove(item)
	}))
	c.Method("void Clear()", csharp.V1(func(v any) {
		if x, ok := v.(interface{ Clear() }); ok {
			x.Clear()
		}
	}))
	ro := b.Type("interface "+ns+"IReadOnlyCollection<T> : IEnumerable<T>", csharp.NoGo())
	ro.Prop("int Count", csharp.F2(func(r run, v any) int { return count(r, v) }))
	il := b.Type("interface "+ns+"IList<T> : ICollection<T>", csharp.NoGo())
	item := csharp.F2(func(v any, i int) any {
		list := indexable(v)
		if i < 0 || i >= len(list) {
			outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
		}
		return list[i]
	})
	il.Index("T this[int index]", item, csharp.V3(func(v any, i int, x any) {
		if l, ok := v.(*List); ok {
			l.items[l.at(i)] = x
			l.version++
			return
		}
		indexable(v)[i] = x
	}))
	il.Method("int IndexOf(T item)", csharp.F2(func(v, x any) int { return (&List{items: indexable(v)}).index(x, 0) }))
	il.Method("void Insert(int index, T item)", csharp.V4(func(r run, v any, i int, x any) { v.(*List).insert(r, i, x) }))
	il.Method("void RemoveAt(int index)", csharp.V2(func(v any, i int) { l := v.(*List); l.removeRange(l.at(i), 1) }))
	b.Type("interface "+ns+"IReadOnlyList<T> : IReadOnlyCollection<T>", csharp.NoGo()).Index("T this[int index]", item)
	declareList(b.Type("class "+ns+"List<T> : IList<T>, IReadOnlyList<T>", csharp.Go[*List]()))
}

func (l *List) remove(v any) bool {
	i := l.index(v, 0)
	if i >= 0 {
		l.removeRange(i, 1)
	}
	return i >= 0
}

// Clear empties the list.
func (l *List) Clear() { l.items = nil; l.version++ }

func declareList(t *csharp.TypeBuilder) {
	declareSteps(t, "T")
	t.New("()", csharp.F1(func(t resultType) *List { return NewList(t.Type, nil) }))
	t.New("(int capacity)", csharp.F2(func(t resultType, n int) *List {
		if n < 0 {
			outOfRange("capacity", "Non-negative number required.")
		}
		return NewList(t.Type, nil)
	}))
	t.New("(IEnumerable<T> collection)", csharp.F3(func(t resultType, r run, src any) *List {
		needArg(src, "collection")
		return NewList(t.Type, slices.Clone(csharp.Items(r, src)))
	}))
	t.Prop("int Count", csharp.F1(func(l *List) int { return len(l.items) }))
	t.Prop("int Capacity", csharp.F1(func(l *List) int { return cap(l.items) }))
	t.Index("T this[int index]", csharp.F2(func(l *List, i int) any { return l.items[l.at(i)] }),
		csharp.V3(func(l *List, i int, v any) { l.items[l.at(i)] = v; l.version++ }))
	t.Method("void Add(T item)", csharp.V3(func(r run, l *List, v any) { l.add(r, v) }))
	t.Method("void AddRange(IEnumerable<T> collection)", csharp.V3(func(r run, l *List, src any) {
		needArg(src, "collection")
		l.insert(r, len(l.items), csharp.Items(r, src)...)
	}))
	t.Method("void Insert(int index, T item)", csharp.V4(func(r run, l *List, i int, v any) { l.insert(r, i, v) }))
	t.Method("void InsertRange(int index, IEnumerable<T> collection)", csharp.V4(func(r run, l *List, i int, src any) {
		l.insert(r, i, csharp.Items(r, src)...)
	}))
	t.Method("bool Remove(T item)", csharp.F2((*List).remove))
	t.Method("void RemoveAt(int index)", csharp.V2(func(l *List, i int) { l.removeRange(l.at(i), 1) }))
	t.Method("void RemoveRange(int index, int count)", csharp.V3((*List).removeRange))
	t.Method("int RemoveAll(Predicate<T> match)", csharp.F3(func(r run, l *List, p delegate) int {
		n := len(l.items)
		l.items = slices.DeleteFunc(l.items, func(v any) bool { return test(r, p, v) })
		l.version++
		return n - len(l.items)
	}))
	t.Method("void Clear()", csharp.V1((*List).Clear))
	t.Method("bool Contains(T item)", csharp.F2(func(l *List, v any) bool { return l.index(v, 0) >= 0 }))
	t.Method("int IndexOf(T item)", csharp.F2(func(l *List, v any) int { return l.index(v, 0) }))
	t.Method("int IndexOf(T item, int index)", csharp.F3((*List).index))
	t.Method("int LastIndexOf(T item)", csharp.F2(func(l *List, v any) int {
		for i := len(l.items) - 1; i >= 0; i-- {
			if csharp.Equal(l.items[i], v) {
				return i
			}
		}
		return -1
	}))
	t.Method("void Reverse()", csharp.V1(func(l *List) { slices.Reverse(l.items); l.version++ }))
	t.Method("void Sort()", csharp.V2(func(r run, l *List) { sortItems(r, l.items, Compare); l.version++ }))
	t.Method("void Sort(Comparison<T> comparison)", csharp.V3(func(r run, l *List, c delegate) {
		sortItems(r, l.items, func(a, b any) int { return int(call(r, c, a, b).(int32)) })
		l.version++
	}))
	t.Method("void Sort(IComparer<T> comparer)", csharp.V3(func(r run, l *List, c any) {
		sortItems(r, l.items, orderOf(r, c))
		l.version++
	}))
	t.Method("T[] ToArray()", csharp.F2(func(t typeArgs, l *List) any { return t[0].MakeArray(slices.Clone(l.items)) }))
	t.Method("List<T> GetRange(int index, int count)", csharp.F3(func(l *List, i, n int) *List {
		if i < 0 || n < 0 {
			outOfRange("index", "Non-negative number required.")
		}
		if i+n > len(l.items) {
			csharp.Throw("System.ArgumentException", "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the source collection.")
		}
		return NewList(l.typ, slices.Clone(l.items[i:i+n]))
	}))
	t.Method("List<TOutput> ConvertAll<TOutput>(Converter<T, TOutput> converter)", csharp.F4(func(t resultType, r run, l *List, f delegate) *List {
		out := make([]any, len(l.items))
		for i, v := range l.items {
			out[i] = call(r, f, v)
		}
		return NewList(t.Type, out)
	}))
	t.Method("void ForEach(Action<T> action)", csharp.V3(func(r run, l *List, f delegate) {
		l.Each(r, func(v any) bool { call(r, f, v); return true })
	}))
	find := func(r run, l *List, p delegate) int {
		return slices.IndexFunc(l.items, func(v any) bool { return test(r, p, v) })
	}
	t.Method("T Find(Predicate<T> match)", csharp.F4(func(t typeArgs, r run, l *List, p delegate) any {
		if i := find(r, l, p); i >= 0 {
			return l.items[i]
		}
		return csharp.Zero(t[0])
	}))
	t.Method("T FindLast(Predicate<T> match)", csharp.F4(func(t typeArgs, r run, l *List, p delegate) any {
		for i := len(l.items) - 1; i >= 0; i-- {
			if test(r, p, l.items[i]) {
				return l.items[i]
			}
		}
		return csharp.Zero(t[0])
	}))
	t.Method("int FindIndex(Predicate<T> match)", csharp.F3(find))
	t.Method("List<T> FindAll(Predicate<T> match)", csharp.F3(func(r run, l *List, p delegate) *List {
		var out []any
		for _, v := range l.items {
			if test(r, p, v) {
				out = append(out, v)
			}
		}
		return NewList(l.typ, out)
	}))
	t.Method("bool Exists(Predicate<T> match)", csharp.F3(func(r run, l *List, p delegate) bool { return find(r, l, p) >= 0 }))
	t.Method("bool TrueForAll(Predicate<T> match)", csharp.F3(func(r run, l *List, p delegate) bool {
		return !slices.ContainsFunc(l.items, func(v any) bool { return !test(r, p, v) })
	}))
	declareListMore(t)
	declareListParts(t)
	t.Method("int BinarySearch(T item)", csharp.F2(func(l *List, v any) int { return binarySearch(l.items, v) }))
	t.Method("void CopyTo(T[] array)", csharp.V2(func(l *List, a any) { copyItems(l.items, a, 0) }))
	t.Method("void CopyTo(T[] array, int arrayIndex)", csharp.V3(func(l *List, a any, i int) { copyItems(l.items, a, i) }))
}

func copyItems(src []any, dst any, at int) {
	needArg(dst, "destinationArray")
	n := len(indexable(dst))
	if at < 0 || at+len(src) > n {
		csharp.ThrowArgument("System.ArgumentException", "Destination array was not long enough. Check the destination index, length, and the array's lower bounds.", "destinationArray")
	}
	for i, v := range src {
		setItem(dst, at+i, v)
	}
}

func setItem(dst any, i int, v any) {
	switch d := dst.(type) {
	case array:
		d.Items[i] = v
	case []byte:
		d[i] = v.(byte)
	}
}

func binarySearch(items []any, v any) int {
	return binarySearchBy(items, func(x any) int { return Compare(x, v) })
}

// orderOf is the comparison of an IComparer, which may be null.
func orderOf(r run, c any) func(a, b any) int {
	if o, ok := c.(ordering); ok {
		return func(a, b any) int { return o.order(r, a, b) }
	}
	return Compare
}

func sortItems(r run, items []any, cmp func(a, b any) int) {
	slices.SortStableFunc(items, func(a, b any) int {
		r.Step()
		return cmp(a, b)
	})
}
