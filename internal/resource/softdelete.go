package resource

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

// A deleted service can be brought back for [DeletedServiceLife], as in Azure
// (https://learn.microsoft.com/azure/api-management/soft-delete): only its own document goes, and with it everything
// below becomes invisible. What the document held waits in a document of its own, the tombstone.

// DeletedServiceLife is how long a deleted service can be brought back.
const DeletedServiceLife = 48 * time.Hour

const (
	// tombstoneSegment makes the ID of a tombstone, below the service's.
	tombstoneSegment = "deletedservices"
	// tombstoneType is the store's type of tombstones and their value of rootIndex.
	tombstoneType = "deletedService"
)

// DeletedService is a service that can be brought back.
type DeletedService struct {
	ID       arm.ID // that of the service
	Location string
	Deleted  time.Time
	Purge    time.Time // when it cannot be brought back any more
}

// tombstone is what is kept of a deleted service.
type tombstone struct {
	Service json.RawMessage `json:"service"`
	Created time.Time       `json:"created"`
	Deleted time.Time       `json:"deleted"`
}

func tombstoneKey(service arm.ID) string {
	return service.Key() + "/" + tombstoneSegment + "/" + strings.ToLower(service.Name())
}

// bury replaces the document of a service by its tombstone.
func (x *Tx) bury(id arm.ID) error {
	sd, err := x.tx.Get(x.ctx, id.Key())
	if err != nil {
		return err
	}
	secrets, err := x.tx.GetSecrets(x.ctx, id.Key())
	if err != nil {
		return err
	}
	body, err := json.Marshal(tombstone{Service: sd.Body, Created: sd.Created, Deleted: x.Now})
	if err != nil {
		return err
	}
	grave := &store.Document{
		ID: tombstoneKey(id), Path: sd.Path + "/" + tombstoneSegment + "/" + sd.Name, Service: sd.Service, Type: tombstoneType, Parent: sd.ID, Name: sd.Name,
		Body: body, Secrets: secrets,
	}
	if err := x.tx.Put(x.ctx, grave, []store.Index{{Name: rootIndex, Value: tombstoneType}}); err != nil {
		return err
	}
	return x.tx.Delete(x.ctx, id.Key())
}

// grave returns the tombstone of a service, nil when there is none or its time is up.
func (x *Reader) grave(service arm.ID) (*store.Document, *tombstone, error) {
	sd, err := x.store.Get(x.ctx, tombstoneKey(service))
	if err != nil {
		return nil, nil, ignoreNotFound(err)
	}
	t := new(tombstone)
	if err := json.Unmarshal(sd.Body, t); err != nil {
		return nil, nil, fmt.Errorf("stored document %s: %w", sd.ID, err)
	}
	return sd, t, nil
}

// buried refuses what is below a deleted service. Services that never were are left to others.
func (x *Reader) buried(service arm.ID) error {
	_, err := x.store.Get(x.ctx, service.Key())
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	sd, _, err := x.grave(service)
	if err == nil && sd != nil {
		err = arm.NotFound(service)
	}
	return err
}

// revive handles the PUT of a service that is not there: it is brought back when the body says restore, and cannot be
// made anew before it is purged. Both documents are nil when it was never there.
func (x *Tx) revive(n *node, id arm.ID, body []byte) (old, d anyDoc, err error) {
	sd, t, err := x.grave(id)
	if err != nil || sd == nil {
		return nil, nil, err
	}
	if !x.Now.Before(t.Deleted.Add(DeletedServiceLife)) {
		_, err := x.tx.DeleteTree(x.ctx, id.Key())
		return nil, nil, err
	}
	var in struct {
		Properties struct {
			Restore bool `json:"restore"`
		} `json:"properties"`
	}
	if json.Unmarshal(body, &in) != nil || !in.Properties.Restore {
		return nil, nil, arm.Errorf(arm.CodeConflict, "The service %q was deleted. Bring it back with the property restore, or purge it first.", id.Name()).WithTarget("name")
	}
	secrets, err := x.tx.GetSecrets(x.ctx, sd.ID)
	if err != nil {
		return nil, nil, err
	}
	if err := x.tx.Delete(x.ctx, sd.ID); err != nil {
		return nil, nil, err
	}
	was := &store.Document{
		ID: id.Key(), Path: strings.TrimSuffix(sd.Path, "/"+tombstoneSegment+"/"+sd.Name), Type: n.storeType(), Name: sd.Name,
		Body: t.Service, Secrets: secrets, Created: t.Created,
	}
	if old, err = decodeStored(n, was); err != nil {
		return nil, nil, err
	}
	d, err = decodeStored(n, was)
	return old, d, err
}

// DeletedServices lists the services of a subscription that can be brought back; of all when it is empty.
func (e *Engine) DeletedServices(ctx context.Context, subscription string) (list []DeletedService, err error) {
	err = e.c.Store.View(ctx, func(r store.Reader) error {
		x := e.reader(ctx, &Request{Now: e.c.Now().UTC()}, r)
		keys, err := r.Lookup(ctx, rootIndex, tombstoneType)
		if err != nil {
			return err
		}
		for _, key := range keys {
			id, err := arm.ParseID(key)
			if err != nil {
				return err
			}
			service := id.Service()
			if subscription != "" && !strings.EqualFold(service.Subscription(), subscription) {
				continue
			}
			sd, t, err := x.grave(service)
			if err != nil {
				return err
			}
			purge := t.Deleted.Add(DeletedServiceLife)
			if !x.Now.Before(purge) {
				continue
			}
			var was struct {
				Location string `json:"location"`
			}
			if err := json.Unmarshal(t.Service, &was); err != nil {
				return err
			}
			if service, err = arm.ParseID(strings.TrimSuffix(sd.Path, "/"+tombstoneSegment+"/"+sd.Name)); err != nil {
				return err
			}
			list = append(list, DeletedService{ID: service, Location: was.Location, Deleted: t.Deleted, Purge: purge})
		}
		return nil
	})
	return list, err
}

// PurgeService removes what is left of a deleted service. A service that was not deleted is an error.
func (e *Engine) PurgeService(ctx context.Context, service arm.ID) error {
	return e.WriteFunc(ctx, service, func(x *Tx) error {
		sd, _, err := x.grave(service)
		if err == nil && sd == nil {
			err = arm.NotFound(service)
		}
		if err != nil {
			return err
		}
		_, err = x.tx.DeleteTree(x.ctx, service.Key())
		return err
	})
}

// ServiceNameFree reports whether no service of the store has a name.
func (e *Engine) ServiceNameFree(ctx context.Context, name string) (free bool, err error) {
	err = e.c.Store.View(ctx, func(r store.Reader) error {
		keys, err := r.Lookup(ctx, nameIndex, strings.ToLower(name))
		free = len(keys) == 0
		return err
	})
	return free, err
}

// ServiceNamed returns the service of a name.
func (e *Engine) ServiceNamed(ctx context.Context, name string) (id arm.ID, err error) {
	err = e.c.Store.View(ctx, func(r store.Reader) error {
		keys, err := r.Lookup(ctx, nameIndex, strings.ToLower(name))
		if err == nil && len(keys) == 0 {
			err = arm.Errorf(arm.CodeResourceNotFound, "There is no service %q.", name)
		}
		if err != nil {
			return err
		}
		sd, err := r.Get(ctx, keys[0])
		if err == nil {
			id, err = arm.ParseID(sd.Path)
		}
		return err
	})
	return id, err
}

// ValidServiceName reports whether a service may have a name.
func (c *Catalogue) ValidServiceName(name string) bool {
	return len([]rune(name)) <= c.root.typ.nameMax && c.root.typ.namePattern.MatchString(name)
}
