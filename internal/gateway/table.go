package gateway

import (
	"cmp"
	"hash/maphash"

	"github.com/benbjohnson/immutable"
)

// table is a persistent map: a copy of it that is changed shares all but a few
// nodes with the original. While an empty one is filled it uses a builder,
// which makes the first load of a large configuration cheap.
type table[K comparable, V any] struct {
	m *immutable.Map[K, V]
	b *immutable.MapBuilder[K, V]
}

// hasher hashes the keys of one table with a seed of its own.
type hasher[K comparable] struct{ seed maphash.Seed }

func (h hasher[K]) Hash(key K) uint32 { return uint32(maphash.Comparable(h.seed, key)) }

func (h hasher[K]) Equal(a, b K) bool { return a == b }

func (t *table[K, V]) Get(key K) (v V, ok bool) {
	switch {
	case t.b != nil:
		return t.b.Get(key)
	case t.m != nil:
		return t.m.Get(key)
	}
	return v, false
}

func (t *table[K, V]) len() int {
	switch {
	case t.b != nil:
		return t.b.Len()
	case t.m != nil:
		return t.m.Len()
	}
	return 0
}

func (t *table[K, V]) set(key K, v V) {
	if t.b == nil && t.len() == 0 {
		t.b = immutable.NewMapBuilder[K, V](hasher[K]{maphash.MakeSeed()})
	}
	if t.b != nil {
		t.b.Set(key, v)
	} else {
		t.m = t.m.Set(key, v)
	}
}

func (t *table[K, V]) delete(key K) {
	switch {
	case t.b != nil:
		t.b.Delete(key)
	case t.m != nil:
		t.m = t.m.Delete(key)
	}
}

// each calls f for every entry, in no particular order, until it returns false.
// The table has to be sealed.
func (t *table[K, V]) each(f func(K, V) bool) {
	if t.m == nil {
		return
	}
	for it := t.m.Iterator(); !it.Done(); {
		if k, v, _ := it.Next(); !f(k, v) {
			return
		}
	}
}

// seal ends the use of a builder.
func (t *table[K, V]) seal() {
	if t.b != nil {
		t.m, t.b = t.b.Map(), nil
	}
}

// relation is a persistent set of pairs of names. Unlike a table of lists it
// stays cheap to change when one name is related to thousands.
type relation struct {
	m *immutable.SortedMap[pair, struct{}]
	b *immutable.SortedMapBuilder[pair, struct{}]
}

type pair struct{ from, to string }

type pairOrder struct{}

func (pairOrder) Compare(a, b pair) int {
	return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
}

func (r *relation) add(from, to string) {
	if r.b == nil && (r.m == nil || r.m.Len() == 0) {
		r.b = immutable.NewSortedMapBuilder[pair, struct{}](pairOrder{})
	}
	if r.b != nil {
		r.b.Set(pair{from, to}, struct{}{})
	} else {
		r.m = r.m.Set(pair{from, to}, struct{}{})
	}
}

func (r *relation) remove(from, to string) {
	switch {
	case r.b != nil:
		r.b.Delete(pair{from, to})
	case r.m != nil:
		r.m = r.m.Delete(pair{from, to})
	}
}

// each yields what a name is related to, in order.
func (r *relation) each(from string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var it *immutable.SortedMapIterator[pair, struct{}]
		switch {
		case r.b != nil:
			it = r.b.Iterator()
		case r.m != nil:
			it = r.m.Iterator()
		default:
			return
		}
		for it.Seek(pair{from: from}); !it.Done(); {
			p, _, _ := it.Next()
			if p.from != from || !yield(p.to) {
				return
			}
		}
	}
}

// first is the first name that a name is related to.
func (r *relation) first(from string) (to string, ok bool) {
	for to := range r.each(from) {
		return to, true
	}
	return "", false
}

func (r *relation) seal() {
	if r.b != nil {
		r.m, r.b = r.b.Map(), nil
	}
}
