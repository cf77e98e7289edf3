package resource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	// pollInterval is the net below the store's wake-ups.
	pollInterval = time.Second
	// settleAttempts bounds how often a refresh starts again because changes were written meanwhile.
	settleAttempts = 4
	changesPage    = 1000
)

// rootIndex finds the services of a store.
const rootIndex = "type"

// PublisherConfig is what a [Publisher] needs. The functions of configsync's Feed fit.
type PublisherConfig struct {
	Store     store.Store
	Catalogue *Catalogue
	Now       func() time.Time
	Log       *slog.Logger
	// Publish is given every new snapshot of a service (lower-case ARM ID), in order, one call at a time for each
	// service. Whoever waits for a write waits for it.
	Publish func(service string, s *snapshot.Snapshot) error
	// Remove is told that a service was deleted.
	Remove func(service string)
	// Keep is how many changes of a service its log holds at least; 0 means 100,000. Who needs older ones, such as a
	// replica that was away, reads everything again.
	Keep int64
}

// Publisher keeps the snapshot of every service up to date: it builds it once, follows the change log and makes the
// parts of changed documents only. The cost of a change does not depend on the size of the configuration.
type Publisher struct {
	c        PublisherConfig
	mu       sync.Mutex
	services map[string]*published
}

// published is the state of one service. Its mutex is held during a refresh.
type published struct {
	id      string
	mu      sync.Mutex
	current *snapshot.Snapshot // nil before the first load and after the service's deletion
	// made holds the part keys of documents that made others than those named by kinds and the document's own path.
	made map[string][]snapshot.Key
	// kinds are those that documents of a type have made under their own path.
	kinds map[string][]snapshot.Kind
	// failed are the documents whose parts could not be made; they keep their old ones and are tried again with the next
	// change.
	failed map[string]bool
	// compacted is the number up to which the log was compacted here.
	compacted int64
}

// NewPublisher returns a publisher. [Publisher.Run] makes it work.
func NewPublisher(c PublisherConfig) *Publisher {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Keep == 0 {
		c.Keep = 100_000
	}
	return &Publisher{c: c, services: make(map[string]*published)}
}

// Load publishes every service as it is now. Run does so too; calling Load before lets a program start with its
// configuration in place.
func (p *Publisher) Load(ctx context.Context) error { return p.refreshAll(ctx) }

// Run follows the change logs until ctx ends, whose error it returns. Errors of the store are logged and tried again.
func (p *Publisher) Run(ctx context.Context) error {
	wake, stop := p.c.Store.Watch()
	defer stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if err := p.refreshAll(ctx); err != nil && ctx.Err() == nil {
			p.c.Log.LogAttrs(ctx, slog.LevelError, "configuration not published, trying again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-tick.C:
		}
	}
}

// Wait returns when the service's published snapshot holds the change with number seq. It does the work itself instead
// of waiting for Run.
func (p *Publisher) Wait(ctx context.Context, service string, seq int64) error {
	s := p.service(service)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.Sequence() >= seq {
		return nil
	}
	return p.refresh(ctx, s)
}

func (p *Publisher) service(id string) *published {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.services[id]
	if s == nil {
		s = &published{id: id}
		p.services[id] = s
	}
	return s
}

// refreshAll looks after every service that there is or was.
func (p *Publisher) refreshAll(ctx context.Context) error {
	var ids []string
	err := p.c.Store.View(ctx, func(r store.Reader) (err error) {
		ids, err = r.Lookup(ctx, rootIndex, serviceSegment)
		return err
	})
	if err != nil {
		return fmt.Errorf("list services: %w", err)
	}
	p.mu.Lock()
	for id := range p.services {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	p.mu.Unlock()
	var errs []error
	for _, id := range ids {
		s := p.service(id)
		s.mu.Lock()
		errs = append(errs, p.refresh(ctx, s))
		s.mu.Unlock()
	}
	return errors.Join(errs...)
}

// refresh brings a service's snapshot to the end of the log. s.mu is held.
func (p *Publisher) refresh(ctx context.Context, s *published) error {
	if s.current == nil {
		return p.reload(ctx, s)
	}
	changes, err := p.changes(ctx, s)
	if errors.Is(err, store.ErrCompacted) {
		s.current = nil
		return p.reload(ctx, s)
	}
	if err != nil || len(changes) == 0 {
		return err
	}
	return p.advance(ctx, s, changes)
}

func (p *Publisher) changes(ctx context.Context, s *published) (all []store.Change, err error) {
	after := s.current.Sequence()
	for {
		page, err := p.c.Store.Changes(ctx, s.id, after, changesPage)
		if err != nil {
			return nil, fmt.Errorf("changes of %s: %w", s.id, err)
		}
		all = append(all, page...)
		if len(page) < changesPage {
			return all, nil
		}
		after = page[len(page)-1].Seq
	}
}

// advance makes the parts of changed documents. Documents are read as of one moment; when that moment is later than
// the last change that was read, the changes in between are read as well, so that replicas make equal snapshots of
// equal numbers.
func (p *Publisher) advance(ctx context.Context, s *published, changes []store.Change) error {
	var b *build
	for range settleAttempts {
		last := changes[len(changes)-1].Seq
		var head int64
		err := p.c.Store.View(ctx, func(r store.Reader) (err error) {
			if head, err = r.LastSeq(ctx, s.id); err != nil {
				return err
			}
			b, err = p.newBuild(ctx, s, r)
			if err == nil {
				err = b.documents(changes)
			}
			return err
		})
		if errors.Is(err, store.ErrNotFound) {
			p.gone(s)
			return nil
		}
		if err != nil {
			return fmt.Errorf("publish %s: %w", s.id, err)
		}
		if head <= last {
			break
		}
		if changes, err = p.changes(ctx, s); err != nil {
			return err
		}
	}
	next := s.current.With(changes[len(changes)-1].Seq, b.put, b.del)
	b.remember()
	s.current = next
	p.compact(ctx, s)
	return p.c.Publish(s.id, next)
}

// compact bounds the log, now and then, so that each cut is a short one.
func (p *Publisher) compact(ctx context.Context, s *published) {
	last := s.current.Sequence()
	if last-s.compacted < p.c.Keep+min(p.c.Keep, changesPage) {
		return
	}
	if err := p.c.Store.Compact(ctx, s.id, last-p.c.Keep); err != nil { // tried again with the next change
		p.c.Log.LogAttrs(ctx, slog.LevelWarn, "change log not compacted", slog.String("service", s.id), slog.Any("error", err))
		return
	}
	s.compacted = last - p.c.Keep
}

// reload builds a service's snapshot from all its documents.
func (p *Publisher) reload(ctx context.Context, s *published) error {
	s.made, s.kinds, s.failed = make(map[string][]snapshot.Key), make(map[string][]snapshot.Kind), nil
	var next *snapshot.Snapshot
	err := p.c.Store.View(ctx, func(r store.Reader) error {
		head, err := r.LastSeq(ctx, s.id)
		if err != nil {
			return err
		}
		shared := &oneAtATime{Reader: r}
		b, err := p.newBuild(ctx, s, shared)
		if err != nil {
			return err
		}
		docs, err := shared.List(ctx, store.Query{Service: s.id, Secrets: true})
		if err != nil {
			return err
		}
		for sd, err := range ahead(docs) {
			if err != nil {
				return err
			}
			if _, err := b.document(sd); err != nil {
				return err
			}
		}
		if err := b.initials(); err != nil {
			return err
		}
		next = snapshot.Of(head, b.put)
		b.remember()
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		p.gone(s)
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", s.id, err)
	}
	s.current = next
	return p.c.Publish(s.id, next)
}

// gone takes a deleted service back. It may be made again, so its entry stays.
func (p *Publisher) gone(s *published) {
	if s.current != nil {
		s.current = nil
		p.c.Remove(s.id)
	}
}

// build makes parts of documents on one view of the store.
type build struct {
	p    *Publisher
	s    *published
	x    *Reader
	put  []snapshot.Part
	del  []snapshot.Key
	made map[string][]snapshot.Key // by document
	kind map[string][]snapshot.Kind
	// failed is what published.failed becomes.
	failed map[string]bool
}

// newBuild fails with store.ErrNotFound when the service is gone.
func (p *Publisher) newBuild(ctx context.Context, s *published, r store.Reader) (*build, error) {
	sd, err := r.Get(ctx, s.id)
	if err != nil {
		return nil, err
	}
	id, err := arm.ParseID(sd.Path)
	if err != nil {
		return nil, err
	}
	x := &Reader{Request: &Request{ID: id, Service: id, Now: p.c.Now().UTC()}, ctx: ctx, cat: p.c.Catalogue, store: r}
	return &build{p: p, s: s, x: x, made: make(map[string][]snapshot.Key), kind: make(map[string][]snapshot.Kind), failed: make(map[string]bool)}, nil
}

// documents makes the parts of changed documents and of those that they affect.
func (b *build) documents(changes []store.Change) error {
	done := make(map[string]bool, len(changes))
	for key := range b.s.failed {
		done[key] = true
		if err := b.changed(key); err != nil {
			return err
		}
	}
	for _, c := range changes {
		keys := []string{c.ID}
		id, err := arm.ParseID(c.ID)
		if err != nil {
			return err
		}
		if n := b.x.cat.nodeOf(id); n != nil && n.typ.has.affects {
			for _, other := range n.typ.hooks.affects(id) {
				keys = append(keys, other.Key())
			}
		}
		for _, key := range keys {
			if done[key] {
				continue
			}
			done[key] = true
			if err := b.changed(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// changed makes the parts of a document anew and drops those that it no longer makes.
func (b *build) changed(key string) error {
	id, err := arm.ParseID(key)
	if err != nil {
		return err
	}
	n := b.x.cat.nodeOf(id)
	if n == nil || !n.typ.has.publish {
		return nil
	}
	sd, err := b.x.store.Get(b.x.ctx, key)
	if err = ignoreNotFound(err); err != nil {
		return err
	}
	if sd != nil && n.typ.schema.hidden {
		if sd.Secrets, err = b.x.store.GetSecrets(b.x.ctx, key); err != nil {
			return err
		}
	}
	first := len(b.put)
	b.made[key] = nil
	made := true
	switch {
	case sd != nil:
		made, err = b.document(sd)
	case n.typ.has.initial:
		made, err = b.initial(n, id)
	}
	if err != nil || !made {
		delete(b.made, key)
		return err
	}
	b.dropOthers(n, id, b.put[first:])
	return nil
}

// dropOthers deletes the parts that a document made before and does not make now.
func (b *build) dropOthers(n *node, id arm.ID, now []snapshot.Part) {
	before := slices.Clone(b.s.made[id.Key()])
	for _, kind := range b.s.kinds[n.storeType()] {
		before = append(before, snapshot.Key{Kind: kind, ID: id.Rel()})
	}
	for _, k := range before {
		if !slices.ContainsFunc(now, func(p snapshot.Part) bool { return p.Key == k }) {
			b.del = append(b.del, k)
		}
	}
}

// document makes the parts of a stored document. One whose parts cannot be made is a bug or damaged: it is logged, and
// the rest goes on without it.
func (b *build) document(sd *store.Document) (ok bool, err error) {
	id := arm.StoredID(sd.Path, sd.ID)
	n := b.x.cat.nodeOf(id)
	if n == nil || !n.typ.has.publish {
		return true, nil
	}
	d, err := decodeStored(n, sd)
	return b.parts(n, id, d, err)
}

// initials makes the parts of the service's resources that are there without having been written.
func (b *build) initials() error {
	for _, n := range b.x.cat.root.children {
		if !n.typ.has.initial || !n.typ.has.publish {
			continue
		}
		for _, name := range n.typ.names {
			id := b.x.Service.Child(n.typ.name, name)
			stored, err := b.x.Exists(id)
			if err == nil && !stored {
				_, err = b.initial(n, id)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// initial makes the parts of a resource as it is before it is written, and again once it was deleted.
func (b *build) initial(n *node, id arm.ID) (ok bool, err error) {
	d, err := n.typ.hooks.initial(b.x, id)
	if err == nil && d == nil {
		return true, nil
	}
	return b.parts(n, id, d, err)
}

// parts makes the parts of d, or notes that there are none because of err.
func (b *build) parts(n *node, id arm.ID, d anyDoc, err error) (ok bool, _ error) {
	pub := &Pub{Reader: b.x, rel: strings.Clone(id.Rel())}
	if err == nil {
		err = n.typ.hooks.publish(pub, d)
	}
	if err != nil {
		b.failed[id.Key()] = true
		b.p.c.Log.LogAttrs(b.x.ctx, slog.LevelError, "resource cannot be published", slog.String("resource", id.String()), slog.Any("error", err))
		return false, b.x.ctx.Err()
	}
	b.put = append(b.put, pub.parts...)
	var others []snapshot.Key
	for _, part := range pub.parts {
		if part.Key.ID != id.Rel() {
			others = append(others, part.Key)
		} else if kinds := b.kind[n.storeType()]; !slices.Contains(kinds, part.Key.Kind) {
			b.kind[n.storeType()] = append(kinds, part.Key.Kind)
		}
	}
	if len(others) > 0 {
		b.made[id.Key()] = others
	}
	return true, nil
}

// remember keeps what the next refresh has to know, once the parts are in the snapshot.
func (b *build) remember() {
	b.s.failed = b.failed
	for key, others := range b.made {
		if len(others) == 0 {
			delete(b.s.made, key)
		} else {
			b.s.made[key] = others
		}
	}
	for typ, kinds := range b.kind {
		for _, k := range kinds {
			if !slices.Contains(b.s.kinds[typ], k) {
				b.s.kinds[typ] = append(b.s.kinds[typ], k)
			}
		}
	}
}
