package configsync

import (
	"context"
	"sync"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// follower is the state of Follow.
type follower struct {
	ctx      context.Context
	apply    ApplyFunc
	rejected func(int64, error)

	mu      sync.Mutex // also keeps changed waiting while Follow sets up
	master  *snapshot.Snapshot
	view    *snapshot.View
	serving *snapshot.Snapshot
}

func (f *follower) changed(s *snapshot.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.view.Apply(snapshot.Diff(f.master, s), s)
	f.master = s
	f.run()
}

// run applies the view unless it serves already.
func (f *follower) run() {
	if next, err := applyNext(f.ctx, f.apply, f.serving, f.view.Snapshot()); err != nil {
		f.rejected(f.view.Snapshot().Sequence(), err)
	} else {
		f.serving = next
	}
}

// applyNext brings a configuration into service unless nothing changed.
func applyNext(ctx context.Context, apply ApplyFunc, serving, next *snapshot.Snapshot) (*snapshot.Snapshot, error) {
	base := serving
	if base == nil {
		base = snapshot.Empty()
	}
	d := snapshot.Diff(base, next)
	if serving != nil && d.Empty() {
		return next, nil
	}
	return next, apply(ctx, serving, next, d)
}
