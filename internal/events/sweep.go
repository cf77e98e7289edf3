package events

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/causeway-apim/causeway/internal/store"
)

// sweep removes what is over: subscriptions whose time has come, cursors that nobody needs, notes of what was told long
// ago. It looks at certificates, too.
func (b *Broker) sweep(ctx context.Context) error {
	if len(b.subs) == 0 && len(b.cursors) == 0 {
		return nil
	}
	now := b.c.Now()
	var gone []string
	for key, s := range b.subs {
		if s.Expires != nil && !now.Before(*s.Expires) {
			gone = append(gone, key)
		}
	}
	for service := range b.cursors {
		if !b.covered(service) {
			gone = append(gone, cursorPrefix+service)
		}
	}
	err := b.c.Store.View(ctx, func(r store.Reader) error {
		docs, err := r.List(ctx, store.Query{Service: logName, Type: typeRaised})
		if err != nil {
			return err
		}
		for d, err := range docs {
			var told raised
			if err == nil {
				err = json.Unmarshal(d.Body, &told)
			}
			if err != nil {
				return err
			}
			if !now.Before(told.Until) {
				gone = append(gone, d.ID)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		_, err = b.c.Store.Update(ctx, logName, func(tx store.Tx) error {
			for _, id := range gone {
				if err := tx.Delete(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, id := range gone {
		delete(b.cursors, strings.TrimPrefix(id, cursorPrefix))
	}
	return b.lookAtCertificates(ctx)
}

// covered reports whether a subscription is about a service or something in it.
func (b *Broker) covered(service string) bool {
	for _, s := range b.subs {
		if s.covers(service) || strings.HasPrefix(strings.ToLower(s.Scope), service+"/") {
			return true
		}
	}
	return false
}

func (b *Broker) lookAtCertificates(ctx context.Context) error {
	services, err := b.services(ctx)
	for _, service := range services {
		if err == nil && b.covered(service) {
			err = b.certificates(ctx, service)
		}
	}
	return err
}
