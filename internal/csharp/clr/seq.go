package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// A Seq is a lazy IEnumerable<T>: it runs each time it is enumerated.
type Seq struct {
	typ  *csharp.Type
	each func(r run, yield func(any) bool)
}

// ClrType is the IEnumerable<T> that the sequence was made as.
func (s *Seq) ClrType() *csharp.Type { return s.typ }

// Each implements csharp.Enumerable.
func (s *Seq) Each(r run, yield func(any) bool) {
	r.Enter()
	s.each(r, func(v any) bool { r.Step(); return yield(v) })
	r.Leave()
}

// A Grouping is IGrouping<K, T>.
type Grouping struct {
	typ   *csharp.Type
	key   any
	items []any
}

// ClrType is the exact type.
func (g *Grouping) ClrType() *csharp.Type { return g.typ }

// Each implements csharp.Enumerable.
func (g *Grouping) Each(r run, yield func(any) bool) {
	for _, v := range g.items {
		r.Step()
		if !yield(v) {
			return
		}
	}
}

// Count is the number of items.
func (g *Grouping) Count() int { return len(g.items) }

// sorted is IOrderedEnumerable<T>: a source and its sort keys, the first the most significant.
type sorted struct {
	typ  *csharp.Type
	src  any
	keys []sortKey
}

type sortKey struct {
	get  delegate // nil: the item itself
	cmp  any
	desc bool
}

func (s *sorted) ClrType() *csharp.Type { return s.typ }

func (s *sorted) Each(r run, yield func(any) bool) {
	type row struct {
		v    any
		keys []any
	}
	var rows []any
	csharp.Each(r, s.src, func(v any) bool {
		w := row{v, make([]any, len(s.keys))}
		for i, k := range s.keys {
			if w.keys[i] = v; k.get != nil {
				w.keys[i] = call(r, k.get, v)
			}
		}
		r.Alloc(32 + 16*len(s.keys))
		rows = append(rows, w)
		return true
	})
	orders := make([]func(a, b any) int, len(s.keys))
	for i, k := range s.keys {
		orders[i] = orderOf(r, k.cmp)
	}
	sortItems(r, rows, func(a, b any) int {
		for i, k := range s.keys {
			n := orders[i](a.(row).keys[i], b.(row).keys[i])
			if k.desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	for _, w := range rows {
		r.Step()
		if !yield(w.(row).v) {
			return
		}
	}
}

// lookup is ILookup<K, T>.
type lookup struct {
	typ, group *csharp.Type
	groups     []*Grouping
	index      map[any]*Grouping
	keyOf      func(any) any
}

func (l *lookup) ClrType() *csharp.Type { return l.typ }
func (l *lookup) Count() int            { return len(l.groups) }
func (l *lookup) Each(r run, yield func(any) bool) {
	for _, g := range l.groups {
		r.Step()
		if !yield(g) {
			return
		}
	}
}

func (l *lookup) hash(key any) any {
	if key == nil {
		return nullItem{}
	}
	return l.keyOf(key)
}

func (l *lookup) find(key any) *Grouping {
	if g := l.index[l.hash(key)]; g != nil {
		return g
	}
	return &Grouping{typ: l.group, key: key}
}

// joinOn builds the groups that Join and GroupJoin look in, where a null key matches nothing.
func joinOn(r run, src any, typ *csharp.Type, key delegate, comparer any) *lookup {
	l := group(r, src, nil, typ, key, nil, comparer)
	for h, g := range l.index {
		if g.key == nil {
			delete(l.index, h)
		}
	}
	return l
}

// group builds the groups of a source in the order of their first items. group is the IGrouping type.
func group(r run, src any, typ, group *csharp.Type, key, item delegate, comparer any) *lookup {
	needArg(src, "source")
	l := &lookup{typ: typ, group: group, index: map[any]*Grouping{}, keyOf: keyer(comparer)}
	csharp.Each(r, src, func(v any) bool {
		k := call(r, key, v)
		if item != nil {
			v = call(r, item, v)
		}
		h := l.hash(k)
		g := l.index[h]
		if g == nil {
			g = &Grouping{typ: group, key: k}
			l.index[h] = g
			l.groups = append(l.groups, g)
			r.Alloc(96)
		}
		r.Alloc(16)
		g.items = append(g.items, v)
		return true
	})
	return l
}
