package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A Set is HashSet<T>; it keeps the order of insertion like .NET's as long as nothing is removed.
type Set struct{ d Dictionary }

func newSet(t *csharp.Type, comparer any) *Set {
	return &Set{Dictionary{typ: t, index: map[any]int{}, keyOf: setKey(comparer)}}
}

// setKey lets null be an item of a set, which it cannot be as a key.
func setKey(comparer any) func(any) any {
	k := keyer(comparer)
	return func(v any) any {
		if _, null := v.(nullItem); null {
			return v
		}
		return k(v)
	}
}

type nullItem struct{}

func wrapNull(v any) any {
	if v == nil {
		return nullItem{}
	}
	return v
}

func unwrapNull(v any) any {
	if _, ok := v.(nullItem); ok {
		return nil
	}
	return v
}

// ClrType is the exact type.
func (s *Set) ClrType() *csharp.Type { return s.d.typ }

// Count is the number of items.
func (s *Set) Count() int { return s.d.Count() }

// Contains looks an item up.
func (s *Set) Contains(v any) bool { _, ok := s.d.Lookup(wrapNull(v)); return ok }

// Clear empties the set.
func (s *Set) Clear() { s.d.Clear() }

// Each implements csharp.Enumerable.
func (s *Set) Each(r run, yield func(any) bool) {
	s.d.EachEntry(func(k, _ any) bool {
		r.Step()
		return yield(unwrapNull(k))
	})
}

// Add adds an item and tells whether it was new.
func (s *Set) Add(r run, v any) bool {
	if s.Contains(v) {
		return false
	}
	r.Alloc(48)
	s.d.Set(wrapNull(v), nil)
	return true
}

func (s *Set) addItem(r run, v any) { s.Add(r, v) }
func (s *Set) remove(v any) bool    { _, ok := s.d.removeKey(wrapNull(v)); return ok }

func (s *Set) of(r run, src any) *Set {
	needArg(src, "other")
	out := &Set{Dictionary{typ: s.d.typ, index: map[any]int{}, keyOf: s.d.keyOf}}
	csharp.Each(r, src, func(v any) bool { out.Add(r, v); return true })
	return out
}

// within tells whether all items of s are in t.
func (s *Set) within(r run, t *Set) bool {
	ok := true
	s.Each(r, func(v any) bool { ok = t.Contains(v); return ok })
	return ok
}

func (s *Set) removeIf(r run, drop func(any) bool) {
	for _, v := range csharp.Items(r, s) {
		if drop(v) {
			s.remove(v)
		}
	}
}

func declareSets(b *csharp.Builder) {
	const ns = "System.Collections.Generic."
	i := b.Type("interface "+ns+"ISet<T> : ICollection<T>", csharp.Go[*Set]())
	h := b.Type("class "+ns+"HashSet<T> : ISet<T>, IReadOnlyCollection<T>", csharp.Go[*Set]())
	h.New("()", csharp.F1(func(t resultType) *Set { return newSet(t.Type, nil) }))
	h.New("(int capacity)", csharp.F2(func(t resultType, _ int) *Set { return newSet(t.Type, nil) }))
	h.New("(IEqualityComparer<T> comparer)", csharp.F2(func(t resultType, c any) *Set { return newSet(t.Type, c) }))
	h.New("(IEnumerable<T> collection)", csharp.F3(func(t resultType, r run, src any) *Set { return newSet(t.Type, nil).of(r, src) }))
	h.New("(IEnumerable<T> collection, IEqualityComparer<T> comparer)", csharp.F4(func(t resultType, r run, src, c any) *Set {
		return newSet(t.Type, c).of(r, src)
	}))
	for _, t := range []*csharp.TypeBuilder{i, h} {
		declareSet(t)
	}
	h.Method("int RemoveWhere(Predicate<T> match)", csharp.F3(func(r run, s *Set, p delegate) int {
		n := s.Count()
		s.removeIf(r, func(v any) bool { return test(r, p, v) })
		return n - s.Count()
	}))
	declareSteps(h, "T")
	declareSetMore(h)
	declareQueue(b.Type("class "+ns+"Queue<T> : IReadOnlyCollection<T>", csharp.Go[*Queue]()))
	declareStack(b.Type("class "+ns+"Stack<T> : IReadOnlyCollection<T>", csharp.Go[*Queue]()))
}

func declareSet(t *csharp.TypeBuilder) {
	t.Prop("int Count", csharp.F1((*Set).Count))
	t.Method("bool Add(T item)", csharp.F3(func(r run, s *Set, v any) bool { return s.Add(r, v) }))
	t.Method("bool Remove(T item)", csharp.F2((*Set).remove))
	t.Method("bool Contains(T item)", csharp.F2((*Set).Contains))
	t.Method("void Clear()", csharp.V1((*Set).Clear))
	t.Method("void UnionWith(IEnumerable<T> other)", csharp.V3(func(r run, s *Set, o any) {
		needArg(o, "other")
		for _, v := range csharp.Items(r, o) {
			s.Add(r, v)
		}
	}))
	t.Method("void IntersectWith(IEnumerable<T> other)", csharp.V3(func(r run, s *Set, o any) {
		other := s.of(r, o)
		s.removeIf(r, func(v any) bool { return !other.Contains(v) })
	}))
	t.Method("void ExceptWith(IEnumerable<T> other)", csharp.V3(func(r run, s *Set, o any) {
		other := s.of(r, o)
		s.removeIf(r, other.Contains)
	}))
	t.Method("void SymmetricExceptWith(IEnumerable<T> other)", csharp.V3(func(r run, s *Set, o any) {
		for _, v := range csharp.Items(r, s.of(r, o)) {
			if !s.remove(v) {
				s.Add(r, v)
			}
		}
	}))
	relation := func(name string, f func(r run, s, o *Set) bool) {
		t.Method("bool "+name+"(IEnumerable<T> other)", csharp.F3(func(r run, s *Set, o any) bool { return f(r, s, s.of(r, o)) }))
	}
	relation("IsSubsetOf", func(r run, s, o *Set) bool { return s.within(r, o) })
	relation("IsSupersetOf", func(r run, s, o *Set) bool { return o.within(r, s) })
	relation("IsProperSubsetOf", func(r run, s, o *Set) bool { return s.within(r, o) && s.Count() < o.Count() })
	relation("IsProperSupersetOf", func(r run, s, o *Set) bool { return o.within(r, s) && s.Count() > o.Count() })
	relation("SetEquals", func(r run, s, o *Set) bool { return s.within(r, o) && s.Count() == o.Count() })
	relation("Overlaps", func(r run, s, o *Set) bool {
		hit := false
		o.Each(r, func(v any) bool { hit = s.Contains(v); return !hit })
		return hit
	})
}

// A Queue is Queue<T> or, taken from the end, Stack<T>.
type Queue struct {
	typ   *csharp.Type
	items []any
	stack bool
}

// ClrType is the exact type.
func (q *Queue) ClrType() *csharp.Type { return q.typ }

// Count is the number of items.
func (q *Queue) Count() int { return len(q.items) }

// Each gives a queue's items from the first, a stack's from the last.
func (q *Queue) Each(r run, yield func(any) bool) {
	for _, v := range q.list() {
		r.Step()
		if !yield(v) {
			return
		}
	}
}

func (q *Queue) list() []any {
	out := slices.Clone(q.items)
	if q.stack {
		slices.Reverse(out)
	}
	return out
}

func (q *Queue) peek(remove bool) any {
	n := len(q.items)
	switch {
	case n == 0 && q.stack:
		invalidOperation("Stack empty.")
	case n == 0:
		invalidOperation("Queue empty.")
	case q.stack:
		v := q.items[n-1]
		if remove {
			q.items = q.items[:n-1]
		}
		return v
	}
	v := q.items[0]
	if remove {
		q.items = q.items[1:]
	}
	return v
}

func (q *Queue) push(r run, v any) { r.Alloc(16); q.items = append(q.items, v) }

func declareQueue(t *csharp.TypeBuilder) {
	declareSteps(t, "T")
	declareQueueBase(t, false)
	t.Method("void Enqueue(T item)", csharp.V3(func(r run, q *Queue, v any) { q.push(r, v) }))
	t.Method("T Dequeue()", csharp.F1(func(q *Queue) any { return q.peek(true) }))
}

func declareStack(t *csharp.TypeBuilder) {
	declareSteps(t, "T")
	declareQueueBase(t, true)
	t.Method("void Push(T item)", csharp.V3(func(r run, q *Queue, v any) { q.push(r, v) }))
	t.Method("T Pop()", csharp.F1(func(q *Queue) any { return q.peek(true) }))
}

func declareQueueBase(t *csharp.TypeBuilder, stack bool) {
	t.New("()", csharp.F1(func(t resultType) *Queue { return &Queue{typ: t.Type, stack: stack} }))
	t.New("(IEnumerable<T> collection)", csharp.F3(func(t resultType, r run, src any) *Queue {
		needArg(src, "collection")
		return &Queue{typ: t.Type, stack: stack, items: slices.Clone(csharp.Items(r, src))}
	}))
	declareTries(t, stack)
	declareCapacity(t)
	t.Prop("int Count", csharp.F1((*Queue).Count))
	t.Method("T Peek()", csharp.F1(func(q *Queue) any { return q.peek(false) }))
	t.Method("void Clear()", csharp.V1(func(q *Queue) { q.items = nil }))
	t.Method("bool Contains(T item)", csharp.F2(func(q *Queue, v any) bool {
		return slices.ContainsFunc(q.items, func(x any) bool { return csharp.Equal(x, v) })
	}))
	t.Method("T[] ToArray()", csharp.F2(func(t typeArgs, q *Queue) any { return t[0].MakeArray(q.list()) }))
}
