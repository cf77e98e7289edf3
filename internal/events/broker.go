package events

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Where everything of the package is kept.
const (
	logName            = "/eventgrid" // the log, and the parent of what has no other
	subscriptionPrefix = logName + "/subscriptions/"
	cursorPrefix       = logName + "/cursors"
	deliveryPrefix     = logName + "/deliveries/"
	raisedPrefix       = logName + "/raised/"
	leaseID            = logName + "/lease"

	typeSubscription = "eventSubscription"
	typeCursor       = "eventCursor"
	typeDelivery     = "eventDelivery"
	typeRaised       = "eventRaised"
	typeLease        = "eventLease"
)

const (
	// pollInterval is the net below the store's wake-ups.
	pollInterval = 5 * time.Second
	// sweepInterval is how often what is over is removed and certificates are looked at.
	sweepInterval = time.Hour
	// changesPage is how many changes are read at once.
	changesPage = 500
	// keepLog is how much of its own log the package leaves.
	keepLog = 1000
)

// Config is what a [Broker] needs. Store, Now and Check must be set.
type Config struct {
	Store store.Store
	// Writes is the store through which callers write subscriptions, such as one that audits them; nil for Store.
	Writes store.Store
	Now    func() time.Time
	Log    *slog.Logger
	// Check refuses an action of the caller of a request at a scope, such as Microsoft.EventGrid/eventSubscriptions/write.
	Check func(ctx context.Context, action string, scope arm.ID) error
	// Allow refuses addresses that events must not be sent to; nil allows all.
	Allow func(netip.Addr) error
	// AllowHTTP lets endpoints be without TLS.
	AllowHTTP bool
	// Transport carries deliveries; nil for one of the package's own, which keeps Allow's rules. For tests.
	Transport http.RoundTripper
	// DeadLetters is the folder of events that could not be delivered; "" drops them.
	DeadLetters string
	// Owner names this replica when there are others; "" when there are none.
	Owner string
}

// Broker makes events of changes and delivers them. It is safe for concurrent use.
type Broker struct {
	c        Config
	client   *http.Client
	client13 *http.Client // for endpoints that want TLS 1.3
	kinds    []kind
	metrics  metrics
	kicked   chan struct{}
	busy     sync.WaitGroup // deliveries under way

	mu      sync.Mutex
	leads   bool      // this replica reads the logs and delivers
	until   time.Time // end of the lease
	swept   time.Time
	seq     int64 // of the own log, up to which memory is right
	compact int64 // up to which the own log was compacted
	subs    map[string]*stored
	cursors map[string]int64 // by service
	queues  map[string]*queue
	done    []outcome
}

// New returns a broker. [Broker.Run] makes it work.
func New(c Config) *Broker {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Writes == nil {
		c.Writes = c.Store
	}
	b := &Broker{c: c, kinds: kinds(), kicked: make(chan struct{}, 1)}
	b.client, b.client13 = newClient(c, tls.VersionTLS12), newClient(c, tls.VersionTLS13)
	b.forget()
	return b
}

// forget empties the memory: nothing is known of the store.
func (b *Broker) forget() {
	b.leads, b.seq, b.compact = false, -1, 0
	b.subs, b.cursors, b.queues = map[string]*stored{}, map[string]int64{}, map[string]*queue{}
}

// kick makes Run look again.
func (b *Broker) kick() {
	select {
	case b.kicked <- struct{}{}:
	default:
	}
}

// Run reads logs and delivers until ctx ends. Deliveries that are under way then are waited for.
func (b *Broker) Run(ctx context.Context) error {
	wake, stop := b.c.Store.Watch()
	defer stop()
	for {
		next, err := b.step(ctx)
		if err != nil && ctx.Err() == nil {
			b.c.Log.ErrorContext(ctx, "Events cannot be handled now; this is tried again.", "error", err)
		}
		timer := time.NewTimer(next)
		select {
		case <-wake:
		case <-b.kicked:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return b.finish(ctx)
		}
		timer.Stop()
	}
}

// finish waits for deliveries, writes down how they went and lets the lease go.
func (b *Broker) finish(ctx context.Context) error {
	b.busy.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseLife)
	defer cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.settle(last); err != nil {
		b.c.Log.WarnContext(ctx, "How the last events were delivered could not be written down: they may come twice.", "error", err)
	}
	b.release(last)
	return ctx.Err()
}

// step does what there is to do and returns when to come again. Deliveries go on in the background.
func (b *Broker) step(ctx context.Context) (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.advance(ctx)
	if errors.Is(err, errTaken) { // another replica has taken over
		b.forget()
		err = nil
	}
	if !b.leads {
		return pollInterval, err
	}
	if err != nil {
		return time.Second, err
	}
	return b.dispatch(ctx), nil
}

func (b *Broker) advance(ctx context.Context) error {
	if err := b.lead(ctx); err != nil || !b.leads {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	if err := b.follow(ctx); err != nil {
		return err
	}
	if now := b.c.Now(); now.Sub(b.swept) >= sweepInterval {
		if err := b.sweep(ctx); err != nil {
			return err
		}
		b.swept = now
		if err := b.follow(ctx); err != nil { // what it has told is delivered now
			return err
		}
	}
	return b.fanOut(ctx)
}

// follow brings the memory up to the own log.
func (b *Broker) follow(ctx context.Context) error {
	if b.seq < 0 {
		return b.reload(ctx)
	}
	for {
		changes, err := b.c.Store.Changes(ctx, logName, b.seq, changesPage)
		if errors.Is(err, store.ErrCompacted) {
			return b.reload(ctx)
		}
		if err != nil {
			return err
		}
		if err := b.c.Store.View(ctx, func(r store.Reader) error { return b.apply(ctx, r, changes) }); err != nil {
			return err
		}
		if len(changes) > 0 {
			b.seq = changes[len(changes)-1].Seq
		}
		if len(changes) < changesPage {
			return b.compactLog(ctx)
		}
	}
}

// compactLog drops what nobody reads any more.
func (b *Broker) compactLog(ctx context.Context) error {
	if b.seq-b.compact < 2*keepLog {
		return nil
	}
	if err := b.c.Store.Compact(ctx, logName, b.seq-keepLog); err != nil {
		return err
	}
	b.compact = b.seq - keepLog
	return nil
}

// reload reads everything.
func (b *Broker) reload(ctx context.Context) error {
	return b.c.Store.View(ctx, func(r store.Reader) error {
		seq, err := r.LastSeq(ctx, logName)
		if err != nil {
			return err
		}
		b.subs, b.cursors, b.queues = map[string]*stored{}, map[string]int64{}, map[string]*queue{}
		for _, kind := range []string{typeSubscription, typeCursor, typeDelivery} {
			docs, err := r.List(ctx, store.Query{Service: logName, Type: kind, Secrets: kind == typeSubscription})
			if err != nil {
				return err
			}
			for d, err := range docs {
				if err != nil {
					return err
				}
				b.load(ctx, d)
			}
		}
		b.seq = seq
		return nil
	})
}

// apply takes changes of the own log into memory.
func (b *Broker) apply(ctx context.Context, r store.Reader, changes []store.Change) error {
	for _, c := range changes {
		switch {
		case c.Type == typeSubscription:
			delete(b.subs, c.ID)
		case c.Type == typeDelivery && !c.Deleted && b.known(c.ID), c.Type != typeDelivery && c.Type != typeCursor, c.Deleted:
			continue // what is deleted was deleted here
		}
		d, err := r.Get(ctx, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err == nil && c.Type == typeSubscription {
			d.Secrets, err = r.GetSecrets(ctx, c.ID)
		}
		if err != nil {
			return err
		}
		b.load(ctx, d)
	}
	return nil
}

// load takes a document into memory. One that cannot be read is a bug or damaged: the rest goes on without it.
func (b *Broker) load(ctx context.Context, d *store.Document) {
	var err error
	switch d.Type {
	case typeSubscription:
		var s *stored
		if s, err = subscriptionOf(d); err == nil {
			b.subs[d.ID] = s
		}
	case typeCursor:
		var c cursor
		if c, err = cursorOf(d); err == nil {
			b.cursors[c.Service] = c.Seq
		}
	case typeDelivery:
		err = b.enqueue(d)
	}
	if err != nil {
		b.c.Log.ErrorContext(ctx, "What was kept of events cannot be read.", "document", d.ID, "error", err)
	}
}

// Deleted removes the subscriptions in a scope that was deleted. It fits the management server's hook.
func (b *Broker) Deleted(ctx context.Context, scope arm.ID) error {
	var gone []string
	err := b.c.Store.View(ctx, func(r store.Reader) error {
		return eachSubscription(ctx, r, func(s *stored) {
			if at := strings.ToLower(s.Scope); at == scope.Key() || strings.HasPrefix(at, scope.Key()+"/") {
				gone = append(gone, s.key())
			}
		})
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	defer b.kick()
	_, err = b.c.Writes.Update(ctx, logName, func(tx store.Tx) error {
		for _, key := range gone {
			if err := tx.Delete(ctx, key); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove the event subscriptions of %s: %w", scope, err)
	}
	return nil
}

// eachSubscription reads all subscriptions, in no order that means anything.
func eachSubscription(ctx context.Context, r store.Reader, fn func(*stored)) error {
	docs, err := r.List(ctx, store.Query{Service: logName, Type: typeSubscription, Secrets: true})
	if err != nil {
		return err
	}
	for d, err := range docs {
		if err != nil {
			return err
		}
		s, err := subscriptionOf(d)
		if err != nil {
			return err
		}
		fn(s)
	}
	return nil
}
