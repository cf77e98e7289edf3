package configsync

import (
	"fmt"
	"sync"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Feed holds the current snapshot of each service and tells watchers of each
// new one: the Watch half of a Source. The zero value is ready for use.
type Feed struct {
	mu       sync.Mutex
	services map[string]*feedService
}

type feedService struct {
	// publish is held while watchers are called, so that they see the
	// snapshots in order.
	publish  sync.Mutex
	current  *snapshot.Snapshot
	watchers map[*watcher]struct{}
}

type watcher struct{ changed func(*snapshot.Snapshot) }

// Publish makes a snapshot the current one of a service (ARM ID, lower case).
// It returns when every watcher was called, so that a gateway in the same
// process has applied the change. A snapshot older than the current one is an
// error.
func (f *Feed) Publish(service string, s *snapshot.Snapshot) error {
	fs := f.service(service, true)
	fs.publish.Lock()
	defer fs.publish.Unlock()
	if fs.current != nil && s.Sequence() < fs.current.Sequence() {
		return fmt.Errorf("publish %s: sequence %d is before the current %d", service, s.Sequence(), fs.current.Sequence())
	}
	fs.current = s
	for w := range fs.watchers {
		w.changed(s)
	}
	return nil
}

// Current is the current snapshot of a service.
func (f *Feed) Current(service string) (*snapshot.Snapshot, error) {
	s, stop, err := f.Watch(service, func(*snapshot.Snapshot) {})
	if err != nil {
		return nil, err
	}
	stop()
	return s, nil
}

// Remove takes away a service that was deleted. Its watchers see an empty
// snapshot, and go on when a service of that name is published again.
func (f *Feed) Remove(service string) {
	fs := f.service(service, false)
	if fs == nil {
		return
	}
	fs.publish.Lock()
	defer fs.publish.Unlock()
	if fs.current == nil {
		return
	}
	last := snapshot.Empty().At(fs.current.Sequence() + 1)
	fs.current = nil
	for w := range fs.watchers {
		w.changed(last)
	}
}

// Watch is documented at Source.
func (f *Feed) Watch(service string, changed func(*snapshot.Snapshot)) (*snapshot.Snapshot, func(), error) {
	fs := f.service(service, false)
	if fs == nil {
		return nil, nil, ErrNoService
	}
	fs.publish.Lock()
	defer fs.publish.Unlock()
	if fs.current == nil {
		return nil, nil, ErrNoService
	}
	w := &watcher{changed: changed}
	fs.watchers[w] = struct{}{}
	stop := func() {
		fs.publish.Lock()
		defer fs.publish.Unlock()
		delete(fs.watchers, w)
	}
	return fs.current, stop, nil
}

func (f *Feed) service(name string, create bool) *feedService {
	f.mu.Lock()
	defer f.mu.Unlock()
	fs := f.services[name]
	if fs == nil && create {
		if f.services == nil {
			f.services = map[string]*feedService{}
		}
		fs = &feedService{watchers: map[*watcher]struct{}{}}
		f.services[name] = fs
	}
	return fs
}
