package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// raisedLife is how long it is known that something was told already.
const raisedLife = 45 * 24 * time.Hour

// Occurrence is something that is no change of a resource.
type Occurrence struct {
	Type    string // one of the Type constants
	Subject string // path below the service
	Data    any    // encoded as JSON
	// Key tells occurrences apart: what has the type, subject and key of an earlier one is the same and is not told again.
	Key string
}

// raised is the document that says that something was told.
type raised struct {
	Until time.Time `json:"until"`
}

// Raise puts an occurrence in a service, given by its ID, into the outbox. Any replica may do it, any number of times.
func (b *Broker) Raise(ctx context.Context, service string, o Occurrence) error {
	if err := b.raise(ctx, strings.ToLower(service), o); err != nil {
		return fmt.Errorf("raise event %s of %s: %w", o.Type, service, err)
	}
	return nil
}

func (b *Broker) raise(ctx context.Context, service string, o Occurrence) error {
	id := stableID(service, o.Type, o.Subject, o.Key)
	e := Event{ID: id, Type: o.Type, Subject: o.Subject, Time: b.c.Now().UTC()}
	known, err := b.describe(ctx, service, &e)
	if known || err != nil {
		return err
	}
	if e.Data, err = json.Marshal(o.Data); err != nil {
		return err
	}
	_, err = b.c.Store.Update(ctx, logName, func(tx store.Tx) error {
		switch _, err := tx.Get(ctx, raisedPrefix+id); {
		case err == nil:
			return nil
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		var items []store.Item
		err := eachSubscription(ctx, tx, func(s *stored) {
			if !s.wants(&e) {
				return
			}
			d := delivery{Subscription: s.key(), Event: e, Published: e.Time, Next: e.Time}
			item, derr := d.document(deliveryID(s.key(), id))
			if derr == nil {
				items = append(items, item)
			}
		})
		if err != nil || len(items) == 0 {
			return err
		}
		if err := tx.PutAll(ctx, items); err != nil {
			return err
		}
		return putJSON(ctx, tx, raisedPrefix+id, typeRaised, raised{e.Time.Add(raisedLife)})
	})
	b.kick()
	return err
}

// describe completes an event with the ID of the service as the service is spelt. known says that the event was told
// already, or that nobody may be told: the service is gone, or there are no subscriptions.
func (b *Broker) describe(ctx context.Context, service string, e *Event) (known bool, err error) {
	err = b.c.Store.View(ctx, func(r store.Reader) error {
		n, err := r.Count(ctx, store.Query{Service: logName, Type: typeSubscription})
		if known = n == 0; known || err != nil {
			return err
		}
		if _, err := r.Get(ctx, raisedPrefix+e.ID); !errors.Is(err, store.ErrNotFound) {
			known = true
			return err
		}
		sd, err := r.Get(ctx, service)
		if errors.Is(err, store.ErrNotFound) {
			known = true
			return nil
		}
		if err == nil {
			e.Topic = sd.Path
		}
		return err
	})
	return known, err
}

func deliveryID(subscription, event string) string {
	return deliveryPrefix + strings.TrimPrefix(subscription, subscriptionPrefix) + "/" + event
}

// TokenEvent tells that the token of an instance of a gateway expires soon or has expired.
func (b *Broker) TokenEvent(ctx context.Context, service, gateway, instance string, expiry time.Time, expired bool) error {
	name, field := TypeTokenNearExpiry, "expiresAtUtc"
	if expired {
		name, field = TypeTokenExpired, "expiredAtUtc"
	}
	return b.Raise(ctx, service, Occurrence{
		Type: name, Subject: "/gateways/" + gateway + "/" + instance, Key: eventTime(expiry),
		Data: map[string]any{
			"gatewayInfo": map[string]string{"gatewayId": gateway, "instanceId": instance},
			"tokenInfo":   map[string]string{field: eventTime(expiry)},
		},
	})
}

// CircuitEvent tells that the circuit breaker of a backend has opened or closed, at a time that tells it from the others.
func (b *Broker) CircuitEvent(ctx context.Context, service, backend, rule string, trip time.Duration, at time.Time, opened bool, by string) error {
	name := TypeCircuitClosed
	if opened {
		name = TypeCircuitOpened
	}
	return b.Raise(ctx, service, Occurrence{
		Type: name, Subject: "/backends/" + backend + "/circuit-breaker/rules/" + rule, Key: by + " " + eventTime(at),
		Data: map[string]any{
			"backendName":    backend,
			"circuitBreaker": map[string]any{"rules": map[string]any{rule: map[string]string{"tripDuration": clockText(trip)}}},
		},
	})
}

// clockText is a duration as hh:mm:ss.
func clockText(d time.Duration) string {
	s := int64(d / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

// certificateWarning is how long before its end a certificate is near it.
const certificateWarning = 30 * 24 * time.Hour

// certificates tells of certificates of a service that are over or nearly so.
func (b *Broker) certificates(ctx context.Context, service string) error {
	type due struct {
		name    string
		subject string
		data    map[string]any
		key     string
	}
	var all []due
	now := b.c.Now()
	err := b.c.Store.View(ctx, func(r store.Reader) error {
		docs, err := r.List(ctx, store.Query{Service: service, Type: "certificates"})
		if err != nil {
			return err
		}
		for d, err := range docs {
			if err != nil {
				return err
			}
			var c struct {
				Subject        string    `json:"subject"`
				Thumbprint     string    `json:"thumbprint"`
				ExpirationDate time.Time `json:"expirationDate"`
			}
			id, err := arm.ParseID(d.Path)
			if err != nil || json.Unmarshal(d.Body, &c) != nil || c.ExpirationDate.IsZero() || now.Add(certificateWarning).Before(c.ExpirationDate) {
				continue
			}
			name, field := TypeCertificateNearExpiry, "expiresAtUtc"
			if !now.Before(c.ExpirationDate) {
				name, field = TypeCertificateExpired, "expiredAtUtc"
			}
			info := map[string]string{"subject": c.Subject, "thumbprint": c.Thumbprint, field: eventTime(c.ExpirationDate)}
			all = append(all, due{name, "/" + id.RelPath(), map[string]any{"resourceUri": d.Path, "certificateInfo": info}, c.Thumbprint + " " + eventTime(c.ExpirationDate)})
		}
		return nil
	})
	for _, d := range all {
		if err == nil {
			err = b.Raise(ctx, service, Occurrence{Type: d.name, Subject: d.subject, Data: d.data, Key: d.key})
		}
	}
	return err
}
