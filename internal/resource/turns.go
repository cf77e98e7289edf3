package resource

import (
	"context"
	"sync"
)

// turns lets those who were overtaken while they prepared a write to a resource go on one after the other, so that none
// is overtaken for ever. The zero value is ready.
type turns struct {
	mu    sync.Mutex
	byKey map[string]*turn
}

// turn is the right to write to one resource.
type turn struct {
	taken chan struct{} // holds a value while somebody has the turn
	users int           // who have it or wait for it
}

// contended reports whether somebody has the turn for a resource.
func (t *turns) contended(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byKey[key] != nil
}

// take waits for the turn. The caller must call done in any case.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	t.mu.Lock()
	own := t.byKey[key]
	if own == nil {
		own = &turn{taken: make(chan struct{}, 1)}
		if t.byKey == nil {
			t.byKey = make(map[string]*turn)
		}
		t.byKey[key] = own
	}
	own.users++
	t.mu.Unlock()
	select {
	case own.taken <- struct{}{}:
		return func() { <-own.taken; t.leave(key, own) }, nil
	case <-ctx.Done():
		return func() { t.leave(key, own) }, ctx.Err()
	}
}

func (t *turns) leave(key string, own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(t.byKey, key)
	}
}
