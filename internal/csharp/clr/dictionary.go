package clr

import (
	"github.com/causeway-apim/causeway/internal/csharp"
)

// A Map is the Go side of IReadOnlyDictionary<K, V> and the reading half of IDictionary<K, V>: anything with these methods
// can be the value of such a type. Keys and values are boxed.
type Map interface {
	Count() int
	Lookup(key any) (value any, ok bool)
	// EachEntry calls yield in order until it returns false.
	EachEntry(yield func(key, value any) bool)
}

// A Pair is KeyValuePair<K, V>.
type Pair struct {
	typ        *csharp.Type
	Key, Value any
}

// NestedSize implements csharp.Nested.
func (p Pair) NestedSize() int { return csharp.NestedSize([]any{p.Key, p.Value}) }

// keyed is what a KeyValuePair can be: a Pair, or a JProperty where C# enumerates a JObject.
type keyed interface {
	pairKey() any
	pairValue() any
}

func (p Pair) pairKey() any   { return p.Key }
func (p Pair) pairValue() any { return p.Value }

// ClrType is the exact type.
func (p Pair) ClrType() *csharp.Type { return p.typ }

// ToString gives [key, value].
func (p Pair) ToString() string { return "[" + text(p.Key) + ", " + text(p.Value) + "]" }

// Equals compares keys and values.
func (p Pair) Equals(v any) bool {
	q, ok := v.(Pair)
	return ok && csharp.Equal(p.Key, q.Key) && csharp.Equal(p.Value, q.Value)
}

// HashKey is equal for equal pairs.
func (p Pair) HashKey() any { return [2]any{csharp.KeyOf(p.Key), csharp.KeyOf(p.Value)} }

type entry struct {
	key, value any
	live       bool
}

// A Dictionary is Dictionary<K, V>. Like .NET's it enumerates in the order of its slots: a new entry takes the slot that was
// freed last.
type Dictionary struct {
	typ     *csharp.Type
	pair    *csharp.Type
	index   map[any]int
	slots   []entry
	free    []int
	keyOf   func(any) any
	version int
	missing func(key any) any
}

// NewDictionary makes a dictionary of that type, which is Dictionary<K, V> for some K and V. comparer is nil or a value of an
// IEqualityComparer type.
func NewDictionary(lib *csharp.Library, t *csharp.Type, comparer any) *Dictionary {
	pair := lib.MustType("System.Collections.Generic.KeyValuePair<object, object>")
	return &Dictionary{typ: t, pair: pair.Definition().Of(t.Args()...), index: map[any]int{}, keyOf: keyer(comparer)}
}

// SetMissing gives the dictionary a function for the value of a key that is asked for by index and is not there; it is added.
func (d *Dictionary) SetMissing(f func(key any) any) { d.missing = f }

// ClrType is the exact type.
func (d *Dictionary) ClrType() *csharp.Type { return d.typ }

// Count is the number of entries.
func (d *Dictionary) Count() int { return len(d.index) }

// Lookup finds a value.
func (d *Dictionary) Lookup(key any) (any, bool) {
	needArg(key, "key")
	i, ok := d.index[d.keyOf(key)]
	if !ok {
		return nil, false
	}
	return d.slots[i].value, true
}

// Set adds or replaces.
func (d *Dictionary) Set(key, value any) {
	needArg(key, "key")
	d.version++
	k := d.keyOf(key)
	if i, ok := d.index[k]; ok {
		d.slots[i].value = value
		return
	}
	e := entry{key, value, true}
	if n := len(d.free); n > 0 {
		i := d.free[n-1]
		d.free = d.free[:n-1]
		d.slots[i], d.index[k] = e, i
		return
	}
	d.index[k] = len(d.slots)
	d.slots = append(d.slots, e)
}

func (d *Dictionary) add(r run, key, value any) {
	needArg(key, "key")
	if _, ok := d.index[d.keyOf(key)]; ok {
		csharp.Throwf("System.ArgumentException", "An item with the same key has already been added. Key: %s", text(key))
	}
	r.Alloc(64)
	d.Set(key, value)
}

func (d *Dictionary) removeKey(key any) (any, bool) {
	needArg(key, "key")
	k := d.keyOf(key)
	i, ok := d.index[k]
	if !ok {
		return nil, false
	}
	v := d.slots[i].value
	d.slots[i] = entry{}
	d.free = append(d.free, i)
	delete(d.index, k)
	return v, true
}

// Clear empties the dictionary.
func (d *Dictionary) Clear() {
	d.index, d.slots, d.free = map[any]int{}, nil, nil
	d.version++
}

// EachEntry implements Map.
func (d *Dictionary) EachEntry(yield func(key, value any) bool) {
	version := d.version
	for i := 0; ; i++ {
		if d.version != version {
			modified()
		}
		if i >= len(d.slots) {
			return
		}
		if e := d.slots[i]; e.live && !yield(e.key, e.value) {
			return
		}
	}
}

// Each gives pairs.
func (d *Dictionary) Each(r run, yield func(any) bool) {
	d.EachEntry(func(k, v any) bool {
		r.Step()
		return yield(Pair{d.pair, k, v})
	})
}

func (d *Dictionary) addItem(r run, v any) { p := v.(keyed); d.add(r, p.pairKey(), p.pairValue()) }

// EachPair enumerates any Map as pairs of type KeyValuePair<K, V>, for hosts that implement csharp.Enumerable with it.
func EachPair(r run, pair *csharp.Type, m Map, yield func(any) bool) {
	m.EachEntry(func(k, v any) bool {
		r.Step()
		return yield(Pair{pair, k, v})
	})
}

// keysOrValues is the view of a dictionary's keys or values.
type keysOrValues struct {
	typ    *csharp.Type
	m      Map
	values bool
}

func (k *keysOrValues) ClrType() *csharp.Type { return k.typ }
func (k *keysOrValues) Count() int            { return k.m.Count() }
func (k *keysOrValues) Each(r run, yield func(any) bool) {
	k.m.EachEntry(func(key, value any) bool {
		r.Step()
		if k.values {
			return yield(value)
		}
		return yield(key)
	})
}

func missingKey(key any) {
	csharp.Throwf("System.Collections.Generic.KeyNotFoundException", "The given key '%s' was not present in the dictionary.", text(key))
}

func mapItem(m Map, key any) any {
	needArg(key, "key")
	v, ok := m.Lookup(key)
	if ok {
		return v
	}
	d, ok := m.(*Dictionary)
	if !ok || d.missing == nil {
		missingKey(key)
	}
	v = d.missing(key)
	d.Set(key, v)
	return v
}

func tryGet(t typeArgs, m Map, key any, out ref) bool {
	needArg(key, "key")
	v, ok := m.Lookup(key)
	if !ok {
		v = csharp.Zero(t[1])
	}
	out.Value = v
	return ok
}

func declareDictionary(b *csharp.Builder) {
	const ns = "System.Collections.Generic."
	p := b.Type("struct "+ns+"KeyValuePair<TKey, TValue>", csharp.Go[keyed]().WithZero(func(t *csharp.Type) any {
		return Pair{t, csharp.Zero(t.Args()[0]), csharp.Zero(t.Args()[1])}
	}))
	p.New("(TKey key, TValue value)", csharp.F3(func(t resultType, k, v any) Pair {
		p := Pair{t.Type, k, v}
		csharp.NestedSize([]any{p})
		return p
	}))
	p.Prop("TKey Key", csharp.F1(keyed.pairKey))
	p.Prop("TValue Value", csharp.F1(keyed.pairValue))
	p.Method("void Deconstruct(out TKey key, out TValue value)", csharp.V3(func(p keyed, k, v ref) { k.Value, v.Value = p.pairKey(), p.pairValue() }))

	ro := b.Type("interface "+ns+"IReadOnlyDictionary<TKey, TValue> : IReadOnlyCollection<KeyValuePair<TKey, TValue>>", csharp.Go[Map]())
	declareMap(ro)
	ro.Index("TValue this[TKey key]", csharp.F2(mapItem))
	id := b.Type("interface "+ns+"IDictionary<TKey, TValue> : ICollection<KeyValuePair<TKey, TValue>>", csharp.Go[Map]())
	declareMap(id)
	set := csharp.V4(func(r run, d *Dictionary, k, v any) { r.Alloc(64); d.Set(k, v) })
	writable := csharp.V4(func(r run, m Map, k, v any) {
		r.Alloc(64)
		s, ok := m.(interface{ Set(key, value any) })
		if !ok {
			csharp.Throw("System.NotSupportedException", "Collection is read-only.")
		}
		s.Set(k, v)
	})
	id.Index("TValue this[TKey key]", csharp.F2(mapItem), writable)
	id.Method("void Add(TKey key, TValue value)", csharp.V4(func(r run, m Map, k, v any) {
		if d, ok := m.(*Dictionary); ok {
			d.add(r, k, v)
			return
		}
		m.(interface{ Set(key, value any) }).Set(k, v)
	}))
	id.Method("bool Remove(TKey key)", csharp.F2(func(m Map, k any) bool {
		d, ok := m.(interface{ removeKey(any) (any, bool) })
		if !ok {
			csharp.Throw("System.NotSupportedException", "Collection is read-only.")
		}
		_, gone := d.removeKey(k)
		return gone
	}))

	d := b.Type("class "+ns+"Dictionary<TKey, TValue> : IDictionary<TKey, TValue>, IReadOnlyDictionary<TKey, TValue>", csharp.Go[*Dictionary]())
	d.New("()", csharp.F2(func(t resultType, r run) *Dictionary { return NewDictionary(r.Library(), t.Type, nil) }))
	d.New("(int capacity)", csharp.F3(func(t resultType, r run, _ int) *Dictionary { return NewDictionary(r.Library(), t.Type, nil) }))
	d.New("(IEqualityComparer<TKey> comparer)", csharp.F3(func(t resultType, r run, c any) *Dictionary { return NewDictionary(r.Library(), t.Type, c) }))
	from := func(t resultType, r run, m Map, c any) *Dictionary {
		needArg(m, "dictionary")
		out := NewDictionary(r.Library(), t.Type, c)
		m.EachEntry(func(k, v any) bool { out.add(r, k, v); return true })
		return out
	}
	d.New("(IDictionary<TKey, TValue> dictionary)", csharp.F3(func(t resultType, r run, m Map) *Dictionary { return from(t, r, m, nil) }))
	d.New("(IDictionary<TKey, TValue> dictionary, IEqualityComparer<TKey> comparer)", csharp.F4(from))
	d.New("(int capacity, IEqualityComparer<TKey> comparer)", csharp.F4(func(t resultType, r run, _ int, c any) *Dictionary {
		return NewDictionary(r.Library(), t.Type, c)
	}))
	d.New("(IEnumerable<KeyValuePair<TKey, TValue>> collection, IEqualityComparer<TKey> comparer)", csharp.F4(func(t resultType, r run, src, c any) *Dictionary {
		out := NewDictionary(r.Library(), t.Type, c)
		csharp.Each(r, src, func(x any) bool { out.addItem(r, x); return true })
		return out
	}))
	d.New("(IEnumerable<KeyValuePair<TKey, TValue>> collection)", csharp.F3(func(t resultType, r run, src any) *Dictionary {
		out := NewDictionary(r.Library(), t.Type, nil)
		csharp.Each(r, src, func(x any) bool { out.addItem(r, x); return true })
		return out
	}))
	declareSteps(d, "KeyValuePair<TKey, TValue>")
	declareMap(d)
	d.Index("TValue this[TKey key]", csharp.F2(func(d *Dictionary, k any) any { return mapItem(d, k) }), set)
	d.Method("void Add(TKey key, TValue value)", csharp.V4(func(r run, d *Dictionary, k, v any) { d.add(r, k, v) }))
	d.Method("bool TryAdd(TKey key, TValue value)", csharp.F4(func(r run, d *Dictionary, k, v any) bool {
		if _, ok := d.Lookup(k); ok {
			return false
		}
		d.add(r, k, v)
		return true
	}))
	d.Method("bool Remove(TKey key)", csharp.F2(func(d *Dictionary, k any) bool { _, ok := d.removeKey(k); return ok }))
	d.Method("bool Remove(TKey key, out TValue value)", csharp.F4(func(t typeArgs, d *Dictionary, k any, out ref) bool {
		v, ok := d.removeKey(k)
		if !ok {
			v = csharp.Zero(t[1])
		}
		out.Value = v
		return ok
	}))
	d.Method("void Clear()", csharp.V1((*Dictionary).Clear))
	declareCapacity(d)
	d.Method("void TrimExcess()", csharp.V1(func(*Dictionary) {}))
	d.Method("bool ContainsValue(TValue value)", csharp.F2(func(d *Dictionary, v any) bool {
		found := false
		d.EachEntry(func(_, x any) bool { found = csharp.Equal(x, v); return !found })
		return found
	}))
	e := b.Type("static class "+ns+"CollectionExtensions", csharp.NoGo())
	e.Ext("TValue GetValueOrDefault<TKey, TValue>(this IReadOnlyDictionary<TKey, TValue> dictionary, TKey key)", csharp.F3(func(t typeArgs, m Map, k any) any {
		return valueOr(m, k, csharp.Zero(t[1]))
	}))
	e.Ext("TValue GetValueOrDefault<TKey, TValue>(this IReadOnlyDictionary<TKey, TValue> dictionary, TKey key, TValue defaultValue)", csharp.F3(valueOr))
}

func valueOr(m Map, k, d any) any {
	if m == nil {
		csharp.ThrowArgumentNull("dictionary")
	}
	needArg(k, "key")
	if v, ok := m.Lookup(k); ok {
		return v
	}
	return d
}

// declareMap declares what all kinds of dictionary share.
func declareMap(t *csharp.TypeBuilder) {
	t.Prop("int Count", csharp.F1(Map.Count))
	t.Method("bool ContainsKey(TKey key)", csharp.F2(func(m Map, k any) bool {
		needArg(k, "key")
		_, ok := m.Lookup(k)
		return ok
	}))
	t.Method("bool TryGetValue(TKey key, out TValue value)", csharp.F4(tryGet))
	t.Prop("ICollection<TKey> Keys", csharp.F2(func(t resultType, m Map) *keysOrValues { return &keysOrValues{t.Type, m, false} }))
	t.Prop("ICollection<TValue> Values", csharp.F2(func(t resultType, m Map) *keysOrValues { return &keysOrValues{t.Type, m, true} }))
}
