package http2

import "sync"

// maxResting is how many goroutines may wait for a request. They keep about a megabyte together.
const maxResting = 64

// workers are the goroutines that serve requests. One that has served a request waits for another for as long as the server lives: its stack is as
// large as requests need it, and growing that of a new one costs more than all else about it.
type workers struct {
	mu      sync.Mutex
	resting []chan *exchange // the one that came last is the next to go
	closed  bool
}

// run serves an exchange in a goroutine of its own.
func (w *workers) run(x *exchange) {
	w.mu.Lock()
	var next chan *exchange
	if last := len(w.resting) - 1; last >= 0 {
		next = w.resting[last]
		w.resting = w.resting[:last]
	}
	w.mu.Unlock()
	if next == nil {
		go w.work(x)
	} else {
		next <- x // has room
	}
}

// work serves exchanges as long as there are some or room to rest.
func (w *workers) work(x *exchange) {
	next := make(chan *exchange, 1)
	for x != nil {
		x.run()
		x = nil // it is garbage while this rests
		if w.rest(next) {
			x = <-next
		}
	}
}

// rest says whether a worker may wait.
func (w *workers) rest(next chan *exchange) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.resting) >= maxResting {
		return false
	}
	w.resting = append(w.resting, next)
	return true
}

// close ends the goroutines that rest, and later those that would.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, next := range w.resting {
		close(next)
	}
	w.resting = nil
}
