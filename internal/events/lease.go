package events

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

// leaseLife is how long a replica that is gone keeps the others from delivering. It is renewed when half of it is over.
const leaseLife = 20 * time.Second

// errTaken says that another replica delivers.
var errTaken = errors.New("another replica delivers events")

// lease is the document that says who delivers.
type lease struct {
	Owner string    `json:"owner"`
	Until time.Time `json:"until"`
}

// lead finds out whether this replica delivers, and becomes the one when there is none. Without others it always is.
func (b *Broker) lead(ctx context.Context) error {
	if b.c.Owner == "" {
		b.leads = true
		return nil
	}
	now := b.c.Now()
	if b.leads && now.Before(b.until.Add(-leaseLife/2)) {
		return nil
	}
	needed := false
	err := b.c.Store.View(ctx, func(r store.Reader) error {
		n, err := r.Count(ctx, store.Query{Service: logName, Type: typeSubscription})
		if err != nil || n == 0 && !b.leads {
			return err
		}
		l, err := readLease(ctx, r)
		needed = err == nil && (l.Owner == b.c.Owner || !now.Before(l.Until))
		return err
	})
	if err != nil {
		return err
	}
	if !needed {
		if b.leads {
			return errTaken
		}
		return nil
	}
	_, err = b.c.Store.Update(ctx, logName, func(tx store.Tx) error {
		l, err := readLease(ctx, tx)
		if err != nil {
			return err
		}
		if l.Owner != b.c.Owner && now.Before(l.Until) {
			return errTaken
		}
		return putJSON(ctx, tx, leaseID, typeLease, lease{b.c.Owner, now.Add(leaseLife)})
	})
	if err != nil {
		return err
	}
	b.leads, b.until = true, now.Add(leaseLife)
	return nil
}

func readLease(ctx context.Context, r store.Reader) (l lease, err error) {
	d, err := r.Get(ctx, leaseID)
	if errors.Is(err, store.ErrNotFound) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(d.Body, &l)
}

// release lets another replica take over at once.
func (b *Broker) release(ctx context.Context) {
	if b.c.Owner == "" || !b.leads {
		return
	}
	_, err := b.c.Store.Update(ctx, logName, func(tx store.Tx) error {
		l, err := readLease(ctx, tx)
		if err != nil || l.Owner != b.c.Owner {
			return err
		}
		return tx.Delete(ctx, leaseID)
	})
	if err != nil {
		b.c.Log.WarnContext(ctx, "Other replicas take a moment to deliver events.", "error", err)
	}
	b.forget()
}

// putJSON writes a document of the package's own.
func putJSON(ctx context.Context, tx store.Tx, id, kind string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return tx.Put(ctx, &store.Document{ID: id, Service: logName, Type: kind, Parent: logName, Name: kind, Body: text}, nil)
}
