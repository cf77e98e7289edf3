package events

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

const (
	// maxQueued deliveries wait for one endpoint; further events are dropped.
	maxQueued = 100_000
	// endpointRequests are under way to one endpoint at once, allRequests to all of them. An endpoint that has failed
	// troubledAfter times in a row gets one at a time.
	endpointRequests = 8
	allRequests      = 64
	troubledAfter    = 10
	// letterAgain is the time between attempts to write a dead letter, letterLife how long there are any.
	letterAgain = 5 * time.Minute
	letterLife  = 4 * time.Hour
)

// retryAfter is how long Event Grid waits after an attempt, the first one first
// (https://learn.microsoft.com/azure/event-grid/delivery-and-retry#retry-schedule).
func retryAfter(attempts int) time.Duration {
	schedule := [...]time.Duration{
		10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
	return schedule[min(max(attempts, 1), len(schedule))-1]
}

// item is a delivery in memory. The event itself stays in the store until it is sent.
type item struct {
	key   string
	next  time.Time
	bytes int
}

// queue is what waits for one endpoint.
type queue struct {
	items  map[string]*item // all, also those under way
	due    dueItems         // those not under way
	busy   int              // requests under way
	failed int              // in a row
}

// dueItems is a heap: the one that is due first is first.
type dueItems []*item

// Len implements heap.Interface, as the others do.
func (d dueItems) Len() int           { return len(d) }
func (d dueItems) Less(i, j int) bool { return d[i].next.Before(d[j].next) }
func (d dueItems) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dueItems) Push(x any)        { *d = append(*d, x.(*item)) }
func (d *dueItems) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// known reports whether a delivery is in memory.
func (b *Broker) known(key string) bool {
	for _, q := range b.queues {
		if q.items[key] != nil {
			return true
		}
	}
	return false
}

// enqueue takes a delivery into memory.
func (b *Broker) enqueue(doc *store.Document) error {
	var d delivery
	if err := json.Unmarshal(doc.Body, &d); err != nil {
		return err
	}
	q := b.queues[d.Subscription]
	if q == nil {
		q = &queue{items: map[string]*item{}}
		b.queues[d.Subscription] = q
	}
	if q.items[doc.ID] == nil {
		i := &item{doc.ID, d.Next, len(doc.Body)}
		q.items[doc.ID] = i
		heap.Push(&q.due, i)
	}
	return nil
}

// batch is what is sent with one request.
type batch struct {
	subscription string
	target       *stored // nil when the subscription is gone
	items        []*item
}

// dispatch starts what is due and returns when something will be. b.mu is held.
func (b *Broker) dispatch(ctx context.Context) time.Duration {
	now, next := b.c.Now(), pollInterval
	total := 0
	for _, q := range b.queues {
		total += q.busy
	}
	for key, q := range b.queues {
		target := b.subs[key]
		limit := endpointRequests
		if q.failed >= troubledAfter {
			limit = 1
		}
		for len(q.due) > 0 && q.busy < limit && total < allRequests && !q.due[0].next.After(now) {
			next := &batch{key, target, q.take(target, now)}
			q.busy++
			total++
			b.busy.Go(func() { b.run(ctx, next) })
		}
		if len(q.due) > 0 && q.busy < limit {
			next = min(next, max(q.due[0].next.Sub(now), 0))
		}
	}
	return next
}

// take removes what fits into one request from those that are due.
func (q *queue) take(target *stored, now time.Time) (items []*item) {
	most, bytes := maxBatch, 0
	limit := maxBatchKB << 10
	if target != nil {
		most, limit = target.Destination.Props.Batch, target.Destination.Props.BatchKB<<10
	}
	for len(q.due) > 0 && len(items) < most && !q.due[0].next.After(now) {
		if bytes += q.due[0].bytes; bytes > limit && len(items) > 0 {
			break
		}
		items = append(items, heap.Pop(&q.due).(*item))
	}
	return items
}

// outcome is how the delivery of an item ended.
type outcome struct {
	batch   *batch
	item    *item
	d       *delivery // nil: it is not in the store any more
	verdict verdict
}

// verdict says what comes of an attempt. The zero value is one that was given up because the program stops.
type verdict struct {
	done    bool          // delivered, or nobody wants it
	outcome string        // in dead letters, such as NotFound
	wait    time.Duration // at least, before the next attempt
	final   string        // why there is none, in dead letters; "" when there may be one
}

// run delivers a batch and notes how that went.
func (b *Broker) run(ctx context.Context, w *batch) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	// What is under way when the program stops gets a moment more.
	stop := context.AfterFunc(ctx, func() {
		grace := time.NewTimer(stopGrace)
		defer grace.Stop()
		select {
		case <-grace.C:
			cancel()
		case <-sending.Done():
		}
	})
	defer stop()
	outcomes, err := b.attempt(sending, w)
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[w.subscription]; q != nil {
		q.busy = max(q.busy-1, 0)
		if err != nil { // the store does not answer: later
			for _, i := range w.items {
				i.next = b.c.Now().Add(pollInterval)
				heap.Push(&q.due, i)
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		b.c.Log.WarnContext(ctx, "Events cannot be read from the store now.", "error", err)
	}
	b.done = append(b.done, outcomes...)
	b.kick()
}

// attempt reads the events of a batch and sends those that may be sent. All of them have one fate, but for those whose
// time is over.
func (b *Broker) attempt(ctx context.Context, w *batch) ([]outcome, error) {
	outcomes := make([]outcome, len(w.items))
	var sent []*delivery
	now := b.c.Now()
	err := b.c.Store.View(ctx, func(r store.Reader) error {
		for i, it := range w.items {
			outcomes[i] = outcome{batch: w, item: it, verdict: verdict{done: true}}
			doc, err := r.Get(ctx, it.key)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			d := new(delivery)
			if err == nil {
				err = json.Unmarshal(doc.Body, d)
			}
			if err != nil {
				return err
			}
			outcomes[i].d = d
			switch {
			case w.target == nil: // nobody wants it any more
			case !now.Before(d.Published.Add(w.target.life())):
				outcomes[i].verdict = verdict{final: "TimeToLiveExceeded"}
			case d.Attempts >= w.target.Retry.Attempts:
				outcomes[i].verdict = verdict{final: "MaxDeliveryAttemptsExceeded"}
			default:
				outcomes[i].verdict = verdict{}
				sent = append(sent, d)
			}
		}
		return nil
	})
	if err != nil || len(sent) == 0 {
		return outcomes, err
	}
	v := b.send(ctx, w.target, sent)
	for i := range outcomes {
		o := &outcomes[i]
		if o.d != nil && !o.verdict.done && o.verdict.final == "" {
			o.verdict = v
			if v != (verdict{}) {
				o.d.Attempts++
				o.d.LastAttempt, o.d.LastOutcome = now, v.outcome
			}
		}
	}
	return outcomes, nil
}

// settle writes down how deliveries ended. b.mu is held.
func (b *Broker) settle(ctx context.Context) error {
	if len(b.done) == 0 {
		return nil
	}
	now := b.c.Now()
	var puts []store.Item
	var gone []string
	again := make(map[*item]time.Time)
	for i := range b.done {
		o := &b.done[i]
		next, over := b.judge(ctx, o, now)
		if over {
			if o.d != nil {
				gone = append(gone, o.item.key)
			}
			continue
		}
		again[o.item] = next
		if o.verdict == (verdict{}) {
			continue // as it was
		}
		o.d.Next = next
		it, err := o.d.document(o.item.key)
		if err != nil {
			return err
		}
		puts = append(puts, it)
	}
	if len(puts)+len(gone) > 0 {
		_, err := b.c.Store.Update(ctx, logName, func(tx store.Tx) error {
			for _, key := range gone {
				if err := tx.Delete(ctx, key); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			return tx.PutAll(ctx, puts)
		})
		if err != nil {
			return err
		}
	}
	for i := range b.done {
		b.conclude(&b.done[i], again)
	}
	b.done = nil
	return nil
}

// judge decides whether a delivery is over, and otherwise when it is tried again. Dead letters are written here: once more
// when the store fails afterwards, under the same name.
func (b *Broker) judge(ctx context.Context, o *outcome, now time.Time) (next time.Time, over bool) {
	v := &o.verdict
	switch {
	case v.done:
		return next, true
	case *v == (verdict{}):
		return now, false
	}
	life := o.batch.target.life()
	end := o.d.Published.Add(life)
	if v.final == "" && o.d.Attempts >= o.batch.target.Retry.Attempts {
		v.final = "MaxDeliveryAttemptsExceeded"
	}
	if v.final == "" {
		wait := max(retryAfter(o.d.Attempts), v.wait)
		next = now.Add(wait + rand.N(wait/20+1)) // a little spread, as Event Grid has it
		if next.After(end) {
			next = end
		}
		return next, false
	}
	if err := b.bury(o); err != nil {
		b.c.Log.ErrorContext(ctx, "A dead letter cannot be written.", "subscription", o.batch.target.id(), "event", o.d.Event.ID, "error", err)
		if now.Before(end.Add(letterLife)) {
			return now.Add(letterAgain), false
		}
	}
	return next, true
}

// conclude brings memory and metrics up to an outcome that is in the store.
func (b *Broker) conclude(o *outcome, again map[*item]time.Time) {
	q := b.queues[o.batch.subscription]
	switch {
	case o.d == nil || o.batch.target == nil || o.verdict == (verdict{}):
	case o.verdict.done:
		b.metrics.delivered.Add(1)
	default:
		if o.verdict.outcome != "" {
			b.metrics.failed.Add(1)
		}
		if _, goesOn := again[o.item]; !goesOn && o.batch.target.DeadLetter != nil && b.c.DeadLetters != "" {
			b.metrics.dead.Add(1)
		} else if !goesOn {
			b.metrics.dropped.Add(1)
		}
	}
	if q == nil || q.items[o.item.key] != o.item {
		return // the memory was read anew
	}
	if o.verdict.outcome != "" {
		q.failed++
	} else if o.verdict.done {
		q.failed = 0
	}
	next, goesOn := again[o.item]
	if !goesOn {
		delete(q.items, o.item.key)
		if len(q.items) == 0 && q.busy == 0 {
			delete(b.queues, o.batch.subscription)
		}
		return
	}
	o.item.next = next
	heap.Push(&q.due, o.item)
}
