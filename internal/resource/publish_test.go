package resource_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/store"
)

// feed collects what is published.
type feed struct {
	mu      sync.Mutex
	current map[string]*snapshot.Snapshot
	deltas  []snapshot.Delta
	removed []string
}

func (f *feed) publish(service string, s *snapshot.Snapshot) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if before := f.current[service]; before != nil {
		f.deltas = append(f.deltas, snapshot.Diff(before, s))
	}
	f.current[service] = s
	return nil
}

func (f *feed) remove(service string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.current, service)
	f.removed = append(f.removed, service)
}

// keys lists the parts of the test's service.
func (f *feed) keys() (keys []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.current[serviceKey]; s != nil {
		for p := range s.All() {
			keys = append(keys, p.Key.String())
		}
	}
	return keys
}

var serviceKey = strings.ToLower(resourcetest.Service)

func publisher(t testing.TB, s *resourcetest.Server, c *resource.Catalogue) (*resource.Publisher, *feed) {
	t.Helper()
	f := &feed{current: map[string]*snapshot.Snapshot{}}
	p := resource.NewPublisher(resource.PublisherConfig{Store: s.Store, Catalogue: c, Now: s.Clock, Publish: f.publish, Remove: f.remove})
	return p, f
}

// flush waits for all writes so far.
func flush(t testing.TB, s *resourcetest.Server, p *resource.Publisher) {
	t.Helper()
	seq, err := s.Store.LastSeq(t.Context(), serviceKey)
	if err == nil {
		err = p.Wait(t.Context(), serviceKey, seq)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	c := library(t, hooks{})
	s := resourcetest.NewService(t, c)
	p, f := publisher(t, s, c)
	if err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect := func(want ...string) {
		t.Helper()
		flush(t, s, p)
		if got := f.keys(); !slices.Equal(got, want) {
			t.Fatalf("parts are %q, want %q", got, want)
		}
	}
	lastDelta := func(put, del int) {
		t.Helper()
		d := f.deltas[len(f.deltas)-1]
		if len(d.Put) != put || len(d.Delete) != del {
			t.Errorf("the delta puts %d and deletes %d parts, want %d and %d: %+v", len(d.Put), len(d.Delete), put, del, d)
		}
	}
	expect("service")
	s.Must(201, "PUT", "shelves/S", `{"properties":{"title":"S"}}`)
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A","key":"secret"}}`)
	s.Must(201, "PUT", "books/b", `{"properties":{"title":"B"}}`)
	expect("namedValue books/a", "namedValue books/b", "product shelves/s", "service")
	lastDelta(3, 0)
	nv, err := snapshot.Decode[snapshot.NamedValue](part(t, f, snapshot.KindNamedValue, "books/a"))
	if err != nil || nv.Value != "secret" {
		t.Errorf("a part has no secrets: %+v, %v", nv, err)
	}
	// A join changes the shelf that it affects, and a part with an ID of its own comes and goes.
	s.Must(201, "PUT", "shelves/s/books/a", "")
	expect("namedValue books/a", "namedValue books/b", "product shelves/s", "productApi shelves/s/a", "service")
	lastDelta(2, 0)
	s.Must(200, "DELETE", "books/a", "")
	expect("namedValue books/b", "product shelves/s", "service")
	lastDelta(1, 2)
	// A document that makes no part any more loses it; one that cannot be published keeps it.
	s.Must(200, "PATCH", "shelves/s", `{"properties":{"title":"hidden"}}`)
	expect("namedValue books/b", "service")
	s.Must(200, "PATCH", "shelves/s", `{"properties":{"title":"S"}}`)
	expect("namedValue books/b", "product shelves/s", "service")
	s.Must(200, "PATCH", "shelves/s", `{"properties":{"title":"unpublishable"}}`)
	s.Must(200, "PATCH", "books/b", `{"properties":{"key":"new"}}`)
	expect("namedValue books/b", "product shelves/s", "service")
	lastDelta(1, 0)
	// What another replica builds from scratch is the same, but for the document that cannot be published.
	s.Must(200, "PATCH", "shelves/s", `{"properties":{"title":"T"}}`)
	flush(t, s, p)
	fresh, other := publisher(t, s, c)
	if err := fresh.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, b := f.current[serviceKey], other.current[serviceKey]; a.Digest() != b.Digest() || a.Sequence() != b.Sequence() {
		t.Errorf("replicas differ: %d and %d parts at %d and %d", a.Len(), b.Len(), a.Sequence(), b.Sequence())
	}
	s.Must(200, "DELETE", "", "")
	flush(t, s, p)
	if len(f.current) != 0 || len(f.removed) != 1 {
		t.Errorf("a deleted service stays: %v", f.removed)
	}
}

func part(t *testing.T, f *feed, kind snapshot.Kind, id string) snapshot.Part {
	t.Helper()
	p, ok := f.current[serviceKey].Get(snapshot.Key{Kind: kind, ID: id})
	if !ok {
		t.Fatalf("no part %s %s", kind, id)
	}
	return p
}

// A log that was compacted beyond the publisher's number is no obstacle.
func TestPublishAfterCompaction(t *testing.T) {
	t.Parallel()
	c := library(t, hooks{})
	s := resourcetest.NewService(t, c)
	p, f := publisher(t, s, c)
	if err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A"}}`)
	s.Must(201, "PUT", "books/b", `{"properties":{"title":"B"}}`)
	seq, err := s.Store.LastSeq(t.Context(), serviceKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Store.Compact(t.Context(), serviceKey, seq-1); err != nil {
		t.Fatal(err)
	}
	flush(t, s, p)
	if got := f.keys(); len(got) != 3 {
		t.Errorf("parts are %q", got)
	}
}

// The log does not grow for ever, and what is published does not suffer.
func TestPublisherCompactsTheLog(t *testing.T) {
	t.Parallel()
	c := library(t, hooks{})
	s := resourcetest.NewService(t, c)
	current := map[string]*snapshot.Snapshot{}
	p := resource.NewPublisher(resource.PublisherConfig{
		Store: s.Store, Catalogue: c, Now: s.Clock, Remove: func(string) {}, Keep: 5,
		Publish: func(service string, s *snapshot.Snapshot) error { current[service] = s; return nil },
	})
	if err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		s.Must(201, "PUT", fmt.Sprintf("books/b%d", i), fmt.Sprintf(`{"properties":{"title":"%d"}}`, i))
		flush(t, s, p)
	}
	if got := current[serviceKey].Len(); got != 41 {
		t.Errorf("%d parts are published", got)
	}
	last, err := s.Store.LastSeq(t.Context(), serviceKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.Changes(t.Context(), serviceKey, last-5, 0); err != nil {
		t.Errorf("changes that are to be kept: %v", err)
	}
	if _, err := s.Store.Changes(t.Context(), serviceKey, last-11, 0); !errors.Is(err, store.ErrCompacted) {
		t.Errorf("old changes: %v", err)
	}
}

// Run publishes what others write.
func TestPublisherRuns(t *testing.T) {
	t.Parallel()
	c := library(t, hooks{})
	s := resourcetest.New(t, c)
	published := make(chan *snapshot.Snapshot, 16)
	p := resource.NewPublisher(resource.PublisherConfig{
		Store: s.Store, Catalogue: c, Now: s.Clock, Remove: func(string) {},
		Publish: func(_ string, s *snapshot.Snapshot) error { published <- s; return nil },
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	s.Must(201, "PUT", resourcetest.Service, `{"location":"x"}`)
	if got := <-published; got.Len() != 1 {
		t.Errorf("%d parts", got.Len())
	}
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A"}}`)
	for got := range published {
		if got.Len() == 2 {
			break
		}
	}
	stop()
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
}

// Whoever awaits the publisher finds his write published, in order, whatever others write and Run does meanwhile.
func TestWaitUnderLoad(t *testing.T) {
	t.Parallel()
	c := library(t, hooks{})
	s := resourcetest.NewService(t, c)
	p, f := publisher(t, s, c)
	s.OnWrite = p.Wait
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 10 {
				name := fmt.Sprintf("b%d-%d", w, i)
				if r := s.Do("PUT", "books/"+name, `{"properties":{"title":"`+name+`"}}`); r.Status != 201 {
					t.Errorf("status %d: %s", r.Status, r.Body)
				}
				f.mu.Lock()
				if _, ok := f.current[serviceKey].Get(snapshot.Key{Kind: snapshot.KindNamedValue, ID: "books/" + name}); !ok {
					t.Errorf("%s is answered but not published", name)
				}
				f.mu.Unlock()
			}
		})
	}
	wg.Wait()
	stop()
	<-done
	for i, d := range f.deltas {
		if d.To <= d.From || i > 0 && d.From != f.deltas[i-1].To {
			t.Errorf("delta %d leads from %d to %d", i, d.From, d.To)
		}
	}
	if n := f.current[serviceKey].Len(); n != 41 {
		t.Errorf("%d parts", n)
	}
}

// BenchmarkPublish measures one change in services of different sizes.
func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{100, 10_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := library(b, hooks{})
			s := resourcetest.NewService(b, c)
			fill(b, s, size)
			p, _ := publisher(b, s, c)
			if err := p.Load(b.Context()); err != nil {
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				s.Must(200, "PATCH", "books/b1", fmt.Sprintf(`{"properties":{"key":"k%d"}}`, i))
				b.StartTimer()
				flush(b, s, p)
			}
		})
	}
}

func fill(b *testing.B, s *resourcetest.Server, size int) {
	b.Helper()
	err := s.Engine.WriteFunc(b.Context(), s.ServiceID(), func(x *resource.Tx) error {
		docs := make([]*resource.Doc[book], size)
		for i := range docs {
			name := fmt.Sprintf("b%d", i)
			docs[i] = &resource.Doc[book]{Meta: resource.Meta{ID: x.Service.Child("books", name)}, Props: book{Title: name}}
		}
		return resource.SaveAll(x, docs)
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkPut measures a PUT through the handler, store included.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{100, 10_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := resourcetest.NewService(b, library(b, hooks{}))
			fill(b, s, size)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.Must(200, "PUT", "books/b1", fmt.Sprintf(`{"properties":{"title":"b1","key":"k%d"}}`, i))
			}
		})
	}
}
