package auth

import (
	"sync"
	"time"
)

// Limits of a [Throttle].
const (
	throttleFree  = 5 // failures without a wait
	throttleFirst = time.Second
	throttleLast  = 15 * time.Minute
	throttleLife  = time.Hour // after which failures are forgotten
	throttleMax   = 100_000   // names that are remembered
)

// Throttle slows down guessing: after some failures under a name (an account, an address) each one more doubles the time
// in which further attempts are refused without being looked at. A success forgets them. It is safe for concurrent use.
type Throttle struct {
	now func() time.Time

	mu    sync.Mutex
	names map[string]failures
}

type failures struct {
	count int
	last  time.Time
}

// NewThrottle returns an empty throttle.
func NewThrottle(now func() time.Time) *Throttle {
	return &Throttle{now: now, names: make(map[string]failures)}
}

// Wait returns how long attempts under any of the names are refused; zero when one may be made now.
func (t *Throttle) Wait(names ...string) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, name := range names {
		if f, ok := t.names[name]; ok {
			wait = max(wait, f.last.Add(backOff(f.count)).Sub(now))
		}
	}
	return wait
}

func backOff(count int) time.Duration {
	if count < throttleFree {
		return 0
	}
	return min(throttleLast, throttleFirst<<min(count-throttleFree, 20))
}

// Failed notes a failed attempt under each name.
func (t *Throttle) Failed(names ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.names)+len(names) > throttleMax {
		t.forget(now)
	}
	for _, name := range names {
		f := t.names[name]
		if now.Sub(f.last) > throttleLife {
			f.count = 0
		}
		t.names[name] = failures{f.count + 1, now}
	}
}

// forget makes room: old names go, all of them when everything is new.
func (t *Throttle) forget(now time.Time) {
	for name, f := range t.names {
		if now.Sub(f.last) > throttleLife {
			delete(t.names, name)
		}
	}
	if len(t.names) > throttleMax*9/10 {
		clear(t.names)
	}
}

// Succeeded forgets the failures under a name.
func (t *Throttle) Succeeded(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.names, name)
}
