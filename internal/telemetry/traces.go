package telemetry

import (
	"cmp"
	"strings"
	"sync"
	"time"
)

// Bounds of [Traces] when the options say nothing.
const (
	defaultTraces     = 500
	defaultTraceBytes = 32 << 20
)

// TracesOptions bound a store of traces.
type TracesOptions struct {
	Now  func() time.Time
	Life time.Duration // of a trace
	// Count and Bytes are how many traces are kept, and how large they may be
	// together; the oldest ones go first. 0 means 500 and 32 MB.
	Count, Bytes int
}

// Traces keeps traces of requests in memory for a while. It is safe for
// concurrent use.
type Traces struct {
	o TracesOptions

	mu    sync.Mutex
	byID  map[string]keptTrace
	order []string // oldest first
	bytes int
}

type keptTrace struct {
	document []byte
	at       time.Time
}

// NewTraces returns an empty store.
func NewTraces(o TracesOptions) *Traces {
	o.Count, o.Bytes = cmp.Or(o.Count, defaultTraces), cmp.Or(o.Bytes, defaultTraceBytes)
	return &Traces{o: o, byID: make(map[string]keptTrace)}
}

// Put keeps a trace. The document is not copied.
func (t *Traces) Put(id string, document []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.byID[id]; ok {
		return
	}
	id = strings.Clone(id)
	t.byID[id] = keptTrace{document, t.o.Now()}
	t.order = append(t.order, id)
	t.bytes += len(document)
	for len(t.order) > 1 && (len(t.order) > t.o.Count || t.bytes > t.o.Bytes || t.old(t.order[0])) {
		t.bytes -= len(t.byID[t.order[0]].document)
		delete(t.byID, t.order[0])
		t.order = t.order[1:]
	}
}

// Get returns a trace that is still kept.
func (t *Traces) Get(id string) (document []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, ok := t.byID[id]
	return kept.document, ok && !t.old(id)
}

func (t *Traces) old(id string) bool { return t.o.Now().Sub(t.byID[id].at) >= t.o.Life }
