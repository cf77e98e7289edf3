package snapshot

import (
	"cmp"
	"iter"
	"sync"
)

// graph says which parts make which others visible to a gateway. There is one
// for all views of a service; it is persistent like the snapshot that it
// belongs to.
type graph struct {
	// members: the parts under a mark.
	members tree[edge]
	// sources: the fragments and backends that point at a fragment or backend,
	// the only links that can form circles.
	sources tree[edge]
}

type edge struct {
	mark mark
	part *Part
}

func compareEdge(a, b edge) int {
	if a.mark != b.mark {
		return compareMark(a.mark, b.mark)
	}
	return a.part.Key.Compare(b.part.Key)
}

func compareMark(a, b mark) int {
	x, y := a.Value(), b.Value()
	if c := cmp.Compare(x.class, y.class); c != 0 {
		return c
	}
	return cmp.Compare(x.name, y.name)
}

// change replaces the part was by is; either may be nil.
type change struct{ was, is *Part }

func newGraph(parts iter.Seq[*Part]) *graph {
	g := &graph{members: newTree(compareEdge), sources: newTree(compareEdge)}
	return g.apply(func(yield func(change) bool) {
		for p := range parts {
			if !yield(change{is: p}) {
				return
			}
		}
	})
}

// apply returns the graph after changes, which are in the order in which they
// were made.
func (g *graph) apply(changes iter.Seq[change]) *graph {
	members, sources := g.members.edit(), g.sources.edit()
	each := func(p *Part, members, sources func(edge)) {
		l := linksOf(p)
		for _, m := range l.under {
			members(edge{m, p})
		}
		for _, m := range l.points {
			if circular(p.Key.Kind) && circularMark(m) {
				sources(edge{m, p})
			}
		}
	}
	for c := range changes {
		if c.was != nil {
			each(c.was, members.delete, sources.delete)
		}
		if c.is != nil {
			each(c.is, members.put, sources.put)
		}
	}
	return &graph{members: members.done(), sources: sources.done()}
}

func circular(k Kind) bool { return k == KindFragment || k == KindBackend }

func circularMark(m mark) bool {
	c := m.Value().class
	return c == classFragment || c == classBackend
}

// under returns the parts under a mark.
func (g *graph) under(m mark) iter.Seq[*Part] { return edgesOf(g.members, m) }

// pointing returns the fragments and backends that point at a mark.
func (g *graph) pointing(m mark) iter.Seq[*Part] { return edgesOf(g.sources, m) }

func edgesOf(t tree[edge], m mark) iter.Seq[*Part] {
	return func(yield func(*Part) bool) {
		// Never 0: the place is before the first edge of the mark.
		at := func(e edge) int {
			if e.mark != m && compareMark(e.mark, m) < 0 {
				return -1
			}
			return 1
		}
		for e := range t.from(at) {
			if e.mark != m || !yield(e.part) {
				return
			}
		}
	}
}

// lazyGraph is built when the first view needs it: gateways never do.
type lazyGraph struct {
	mu sync.Mutex
	g  *graph
}

func (l *lazyGraph) built() *graph {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.g
}

func (l *lazyGraph) set(g *graph) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.g = g
}

func (s *Snapshot) graph() *graph {
	s.lazy.mu.Lock()
	defer s.lazy.mu.Unlock()
	if s.lazy.g == nil {
		s.lazy.g = newGraph(s.parts.from(nil))
	}
	return s.lazy.g
}
