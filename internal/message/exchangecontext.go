package message

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ExchangeContext is the context of exchanges, for engines to use. It may serve one after the other as long as nobody can hold on to it: see
// [ExchangeContext.Next]. The zero value is ready for use.
type ExchangeContext struct {
	// Watched is called when somebody begins to wait for the end, from that goroutine; nil is not called.
	Watched func()

	ended     atomic.Bool // err is set; asking needs no lock while it is not
	mu        sync.Mutex
	err       error
	done      chan struct{}
	functions []*afterFunction
	watchers  []Watcher
	given     bool // somebody has got the channel or registered a function
}

var _ Watchable = (*ExchangeContext)(nil)

// closedChannel is the Done of contexts that ended before anyone asked.
var closedChannel = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Deadline says that there is none.
func (x *ExchangeContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value knows no keys.
func (x *ExchangeContext) Value(any) any { return nil }

// Err is nil, [ErrClientGone] or [ErrFinished].
func (x *ExchangeContext) Err() error {
	if !x.ended.Load() {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

// Done is closed when the client has gone or the exchange has finished.
func (x *ExchangeContext) Done() <-chan struct{} {
	x.mu.Lock()
	x.given = true
	if x.done == nil {
		if x.err != nil {
			x.done = closedChannel
		} else {
			x.done = make(chan struct{})
		}
	}
	done, waiting := x.done, x.err == nil
	x.mu.Unlock()
	if waiting {
		x.tell()
	}
	return done
}

// tell says that somebody waits.
func (x *ExchangeContext) tell() {
	if x.Watched != nil {
		x.Watched()
	}
}

type afterFunction struct{ f func() }

// AfterFunc lets package context derive contexts without a goroutine each.
func (x *ExchangeContext) AfterFunc(f func()) (stop func() bool) {
	x.mu.Lock()
	x.given = true
	if x.err != nil {
		x.mu.Unlock()
		go f()
		return func() bool { return false }
	}
	entry := &afterFunction{f}
	x.functions = append(x.functions, entry)
	x.mu.Unlock()
	x.tell()
	return func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		i := slices.Index(x.functions, entry)
		if i >= 0 {
			x.functions = slices.Delete(x.functions, i, i+1)
		}
		return i >= 0
	}
}

// Watch implements [Watchable].
func (x *ExchangeContext) Watch(w Watcher) bool {
	x.mu.Lock()
	if x.err != nil {
		x.mu.Unlock()
		return false
	}
	x.watchers = append(x.watchers, w)
	x.mu.Unlock()
	x.tell()
	return true
}

// Unwatch implements [Watchable].
func (x *ExchangeContext) Unwatch(w Watcher) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	i := slices.Index(x.watchers, w)
	if i >= 0 {
		x.watchers = slices.Delete(x.watchers, i, i+1)
	}
	return i >= 0
}

// End ends the context with an error and tells everybody who waits. Later calls do nothing.
func (x *ExchangeContext) End(err error) {
	x.mu.Lock()
	if x.err != nil {
		x.mu.Unlock()
		return
	}
	x.err = err
	x.ended.Store(true)
	if x.done != nil {
		close(x.done)
	}
	functions := x.functions
	x.functions = nil
	watchers := x.watchers
	if len(watchers) > 0 {
		x.watchers = nil
	}
	x.mu.Unlock()
	for _, entry := range functions {
		go entry.f()
	}
	for _, w := range watchers {
		w.ContextDone()
	}
}

// Held says whether somebody may hold on to the context after its end.
func (x *ExchangeContext) Held() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.given || len(x.watchers) > 0
}

// Next returns the context for the next exchange: x itself, which has ended, if nobody can hold on to it.
func (x *ExchangeContext) Next() *ExchangeContext {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.given || len(x.watchers) > 0 {
		return &ExchangeContext{Watched: x.Watched}
	}
	x.err = nil
	x.ended.Store(false)
	return x
}

// IsWatched says whether somebody waits for the end.
func (x *ExchangeContext) IsWatched() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.done != nil || len(x.functions) > 0 || len(x.watchers) > 0
}

// Await registers w with ctx, whatever kind it is, and returns what undoes it. It returns false when ctx has ended already.
func Await(ctx context.Context, w Watcher) (Registration, bool) {
	if watchable, ok := ctx.(Watchable); ok {
		return Registration{watchable: watchable, watcher: w}, watchable.Watch(w)
	}
	if ctx.Done() == nil {
		return Registration{}, true
	}
	if ctx.Err() != nil {
		return Registration{}, false
	}
	return Registration{stop: context.AfterFunc(ctx, w.ContextDone)}, true
}

// Registration is a watcher that waits for a context.
type Registration struct {
	watchable Watchable
	watcher   Watcher
	stop      func() bool
}

// Cancel removes the watcher. It returns false when ContextDone is running or has run.
func (r *Registration) Cancel() bool {
	prevented := true
	switch {
	case r.watchable != nil:
		prevented = r.watchable.Unwatch(r.watcher)
	case r.stop != nil:
		prevented = r.stop()
	}
	*r = Registration{}
	return prevented
}
