package configsync

import (
	"context"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// ApplyFunc puts a configuration into service. From is the configuration that
// serves now (nil at first), to is the new one and d leads from one to the
// other. An error means that the old one goes on serving; the next call then
// starts from it again.
type ApplyFunc func(ctx context.Context, from, to *snapshot.Snapshot, d snapshot.Delta) error

// Follow feeds a gateway in the same process (of `causeway dev`, or the managed
// one of `causeway server`) straight from the source: apply is called for the
// current configuration before Follow returns, and for each later one before
// the publisher goes on. Errors of apply go to rejected with the sequence; the
// error of Follow is the source's. Call stop to end it.
func Follow(ctx context.Context, src Source, service, gateway string, apply ApplyFunc, rejected func(sequence int64, err error)) (stop func(), err error) {
	f := &follower{ctx: ctx, apply: apply, rejected: rejected, serving: nil}
	f.mu.Lock()
	defer f.mu.Unlock()
	current, stop, err := src.Watch(service, f.changed)
	if err != nil {
		return nil, err
	}
	f.master = current
	f.view = snapshot.NewView(current, gateway)
	f.run()
	return stop, nil
}
