package message_test

import (
	"context"
	"errors"
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
)

// TestExchangeContext checks who makes a context stay with its exchange, and who is told of the end.
func TestExchangeContext(t *testing.T) {
	t.Parallel()
	told := 0
	first := &message.ExchangeContext{Watched: func() { told++ }}
	w := countingWatcher{new(int)}
	registered, ok := message.Await(first, w)
	if !ok || !first.IsWatched() || !first.Held() || told != 1 || !registered.Cancel() || first.IsWatched() {
		t.Error("a watcher that was removed")
	}
	if _, ok := message.Await(first, w); !ok {
		t.Error("a watcher was refused")
	}
	first.End(message.ErrClientGone)
	first.End(message.ErrFinished)
	if err := first.Err(); !errors.Is(err, message.ErrClientGone) || *w.n != 1 {
		t.Errorf("end %v, told %d times", err, *w.n)
	}
	if _, ok := message.Await(first, w); ok {
		t.Error("a watcher was taken after the end")
	}
	if first.Next() != first || first.Err() != nil {
		t.Error("a context that nobody holds on to did not serve again")
	}
	child, cancel := context.WithCancel(first)
	defer cancel()
	first.End(message.ErrFinished)
	<-child.Done()
	if next := first.Next(); next == first || next.Err() != nil || first.Err() == nil {
		t.Error("a context that somebody holds on to serves again")
	}
}

// countingWatcher counts how often it is told.
type countingWatcher struct{ n *int }

func (w countingWatcher) ContextDone() { *w.n++ }
