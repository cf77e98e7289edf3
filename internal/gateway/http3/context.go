package http3

import (
	"context"
	"sync"

	"github.com/causeway-apim/causeway/internal/message"
)

// exchangeContext is the context of one exchange.
type exchangeContext struct {
	context.Context // canceled with one of the errors of package message
	mu              sync.Mutex
	watchers        map[message.Watcher]func() bool
}

var _ message.Watchable = (*exchangeContext)(nil)

// Err is nil, [message.ErrClientGone] or [message.ErrFinished].
func (x *exchangeContext) Err() error { return context.Cause(x.Context) }

// Watch implements [message.Watchable].
func (x *exchangeContext) Watch(w message.Watcher) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.Context.Err() != nil {
		return false
	}
	if x.watchers == nil {
		x.watchers = map[message.Watcher]func() bool{}
	}
	x.watchers[w] = context.AfterFunc(x.Context, w.ContextDone)
	return true
}

// Unwatch implements [message.Watchable].
func (x *exchangeContext) Unwatch(w message.Watcher) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	stop := x.watchers[w]
	delete(x.watchers, w)
	return stop != nil && stop()
}
