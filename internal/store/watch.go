package store

import "sync"

// hub wakes the watchers of one open store.
type hub struct {
	mu    sync.Mutex
	wakes map[chan struct{}]struct{}
}

func (h *hub) watch() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wakes == nil {
		h.wakes = make(map[chan struct{}]struct{})
	}
	h.wakes[ch] = struct{}{}
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.wakes, ch)
	}
}

// wake never waits: a watcher that has a wake-up in its channel already needs no second one.
func (h *hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.wakes {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
