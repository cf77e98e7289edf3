package snapshot

import "sync"

// graph says which parts make which others visible to a gateway.
type graph struct{}

func (g *graph) apply(gone, put []*Part) *graph { return g }

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
