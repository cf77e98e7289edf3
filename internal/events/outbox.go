package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Services are found by this row, which package resource writes.
const (
	serviceIndex = "type"
	serviceValue = "service"
)

// cursor is the document that says up to where the log of a service has been read.
type cursor struct {
	Service string `json:"service"`
	Seq     int64  `json:"seq"`
}

func cursorOf(d *store.Document) (c cursor, err error) { return c, json.Unmarshal(d.Body, &c) }

func putCursor(ctx context.Context, tx store.Tx, c cursor) error {
	return putJSON(ctx, tx, cursorPrefix+c.Service, typeCursor, c)
}

// delivery is the document of an event on its way to one endpoint.
type delivery struct {
	Subscription string    `json:"subscription"` // its key
	Event        Event     `json:"event"`
	Published    time.Time `json:"published"`
	Attempts     int       `json:"attempts,omitempty"`
	Next         time.Time `json:"next"`
	LastAttempt  time.Time `json:"lastAttempt,omitzero"`
	LastOutcome  string    `json:"lastOutcome,omitempty"`
}

func (d *delivery) document(key string) (store.Item, error) {
	body, err := json.Marshal(d)
	return store.Item{Document: &store.Document{ID: key, Service: logName, Type: typeDelivery, Parent: logName, Name: typeDelivery, Body: body}}, err
}

// fanOut reads the logs of the services that somebody wants to hear of.
func (b *Broker) fanOut(ctx context.Context) error {
	if len(b.subs) == 0 {
		return nil
	}
	services, err := b.services(ctx)
	if err != nil {
		return err
	}
	for _, service := range services {
		if !b.covered(service) {
			continue
		}
		if err := b.readLog(ctx, service); err != nil {
			return fmt.Errorf("events of %s: %w", service, err)
		}
	}
	return nil
}

// services lists the IDs of all services.
func (b *Broker) services(ctx context.Context) (ids []string, err error) {
	err = b.c.Store.View(ctx, func(r store.Reader) error {
		ids, err = r.Lookup(ctx, serviceIndex, serviceValue)
		return err
	})
	return ids, err
}

// readLog makes events of the changes of a service that have not been read yet. A service without a cursor is newer than
// the subscriptions that cover it: it is read from its beginning.
func (b *Broker) readLog(ctx context.Context, service string) error {
	for {
		from := b.cursors[service]
		changes, err := b.c.Store.Changes(ctx, service, from, changesPage)
		if errors.Is(err, store.ErrCompacted) {
			err = b.skip(ctx, service)
		}
		if err != nil || len(changes) == 0 {
			return err
		}
		events, err := b.translate(ctx, service, changes)
		if err != nil {
			return err
		}
		to := changes[len(changes)-1].Seq
		if err := b.publish(ctx, events, &cursor{service, from}, to); err != nil {
			return err
		}
		if len(changes) < changesPage {
			return nil
		}
	}
}

func (b *Broker) translate(ctx context.Context, service string, changes []store.Change) (events []Event, err error) {
	err = b.c.Store.View(ctx, func(r store.Reader) error {
		sd, err := r.Get(ctx, service)
		if errors.Is(err, store.ErrNotFound) { // deleted: who wanted to know is gone with it
			return nil
		}
		if err != nil {
			return err
		}
		events, err = (&translator{b.kinds, sd, r}).events(ctx, changes)
		return err
	})
	return events, err
}

// skip goes to the end of a log whose beginning is gone: the events in between are lost, which is said.
func (b *Broker) skip(ctx context.Context, service string) error {
	last, err := b.c.Store.LastSeq(ctx, service)
	if err != nil {
		return err
	}
	b.c.Log.ErrorContext(ctx, "Events were lost: the change log does not reach back to where it was read.", "service", service, "from", b.cursors[service], "to", last)
	b.metrics.lost.Add(1)
	_, err = b.c.Store.Update(ctx, logName, func(tx store.Tx) error { return putCursor(ctx, tx, cursor{service, last}) })
	if err == nil {
		b.cursors[service] = last
	}
	return err
}

// publish puts the deliveries of events into the store and, unless from is nil, moves a cursor from there to a number.
func (b *Broker) publish(ctx context.Context, events []Event, from *cursor, to int64) error {
	var items []store.Item
	now := b.c.Now()
	for i := range events {
		for _, key := range b.wanting(&events[i]) {
			d := delivery{Subscription: key, Event: events[i], Published: now, Next: now}
			item, err := d.document(deliveryID(key, events[i].ID))
			if err != nil {
				return err
			}
			items = append(items, item)
		}
	}
	_, err := b.c.Store.Update(ctx, logName, func(tx store.Tx) error {
		if from != nil {
			if err := moveCursor(ctx, tx, *from, to); err != nil {
				return err
			}
		}
		return tx.PutAll(ctx, items)
	})
	if err != nil {
		return err
	}
	if from != nil {
		b.cursors[from.Service] = to
	}
	for _, item := range items {
		if err := b.enqueue(item.Document); err != nil {
			return err
		}
	}
	return nil
}

// moveCursor fails with errTaken when somebody else has moved it.
func moveCursor(ctx context.Context, tx store.Tx, from cursor, to int64) error {
	d, err := tx.Get(ctx, cursorPrefix+from.Service)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if from.Seq != 0 {
			return errTaken
		}
	case err != nil:
		return err
	default:
		have, err := cursorOf(d)
		if err != nil {
			return err
		}
		if have.Seq != from.Seq {
			return errTaken
		}
	}
	return putCursor(ctx, tx, cursor{from.Service, to})
}

// wanting returns the keys of the subscriptions that want an event, in order. A full queue takes no more.
func (b *Broker) wanting(e *Event) (keys []string) {
	for key, s := range b.subs {
		if !s.wants(e) {
			continue
		}
		if q := b.queues[key]; q != nil && len(q.items) >= maxQueued {
			b.metrics.dropped.Add(1)
			b.c.Log.Error("An event was dropped: too many wait for the endpoint.", "subscription", s.id(), "event", e.ID)
			continue
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// startCursors makes the cursors of the services in a scope that have none, at the end of their logs: a subscription is
// told of what happens from now on.
func startCursors(ctx context.Context, st store.Store, scope arm.ID) (starts []cursor, err error) {
	var services []string
	err = st.View(ctx, func(r store.Reader) error {
		all, err := r.Lookup(ctx, serviceIndex, serviceValue)
		for _, service := range all {
			if service == scope.Key() || strings.HasPrefix(service, scope.Key()+"/") || strings.HasPrefix(scope.Key(), service+"/") {
				services = append(services, service)
			}
		}
		return err
	})
	for _, service := range services {
		last, lerr := st.LastSeq(ctx, service)
		if lerr != nil {
			return nil, lerr
		}
		starts = append(starts, cursor{service, last})
	}
	return starts, err
}

// putStarts writes the cursors that are not there.
func putStarts(ctx context.Context, tx store.Tx, starts []cursor) error {
	for _, c := range starts {
		_, err := tx.Get(ctx, cursorPrefix+c.Service)
		if errors.Is(err, store.ErrNotFound) {
			err = putCursor(ctx, tx, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
