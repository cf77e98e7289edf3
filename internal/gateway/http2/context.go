package http2

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// exchangeContext is the context of one exchange.
type exchangeContext struct {
	mu        sync.Mutex
	err       error
	done      chan struct{}
	functions []*afterFunction
	watchers  []message.Watcher
	given     bool // somebody has got the channel or registered a function
}

// isGiven says whether somebody may hold on to the context.
func (x *exchangeContext) isGiven() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.given || len(x.watchers) > 0
}

var _ message.Watchable = (*exchangeContext)(nil)

// closedChannel is the Done of contexts that ended before anyone asked.
var closedChannel = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Deadline says that there is none.
func (x *exchangeContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value knows no keys.
func (x *exchangeContext) Value(any) any { return nil }

// Err is nil, [message.ErrClientGone] or [message.ErrFinished].
func (x *exchangeContext) Err() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

// Done is closed when the client has gone or the exchange has finished.
func (x *exchangeContext) Done() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.given = true
	if x.done == nil {
		if x.err != nil {
			x.done = closedChannel
		} else {
			x.done = make(chan struct{})
		}
	}
	return x.done
}

type afterFunction struct{ f func() }

// AfterFunc lets package context derive contexts without a goroutine each.
func (x *exchangeContext) AfterFunc(f func()) (stop func() bool) {
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

// Watch implements [message.Watchable].
func (x *exchangeContext) Watch(w message.Watcher) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return false
	}
	x.watchers = append(x.watchers, w)
	return true
}

// Unwatch implements [message.Watchable].
func (x *exchangeContext) Unwatch(w message.Watcher) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	i := slices.Index(x.watchers, w)
	if i >= 0 {
		x.watchers = slices.Delete(x.watchers, i, i+1)
	}
	return i >= 0
}

// end tells everybody, the first time.
func (x *exchangeContext) end(err error) {
	x.mu.Lock()
	if x.err != nil {
		x.mu.Unlock()
		return
	}
	x.err = err
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

// await registers w with ctx, whatever kind it is, and returns what undoes it: a function that says whether ContextDone was prevented. ok is false
// when ctx has ended already.
func await(ctx context.Context, w message.Watcher) (registration, bool) {
	if watchable, ok := ctx.(message.Watchable); ok {
		return registration{watchable: watchable, watcher: w}, watchable.Watch(w)
	}
	if ctx.Done() == nil {
		return registration{}, true
	}
	if ctx.Err() != nil {
		return registration{}, false
	}
	return registration{stop: context.AfterFunc(ctx, w.ContextDone)}, true
}

// registration is a watcher that waits for a context.
type registration struct {
	watchable message.Watchable
	watcher   message.Watcher
	stop      func() bool
}

// cancel removes the watcher. It returns false when ContextDone is running or has run.
func (r *registration) cancel() bool {
	prevented := true
	switch {
	case r.watchable != nil:
		prevented = r.watchable.Unwatch(r.watcher)
	case r.stop != nil:
		prevented = r.stop()
	}
	*r = registration{}
	return prevented
}
