package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// resourceData is the data of events about a resource.
type resourceData struct {
	ResourceURI string `json:"resourceUri"`
}

// translator makes events of changes on one view of the store.
type translator struct {
	kinds   []kind
	service *store.Document
	r       store.Reader
}

// events makes the events of a service's changes, in their order. What one transaction does to a resource is one event.
func (t *translator) events(ctx context.Context, changes []store.Change) (all []Event, err error) {
	type written struct {
		id string
		at int64
	}
	seen := make(map[written]bool)
	paths := make(map[string]string) // of what is deleted later on
	for _, c := range changes {
		if c.Deleted {
			paths[c.ID] = c.Path
		}
	}
	for i := range changes {
		c := &changes[i]
		name := t.typeOf(c)
		if name == "" {
			continue
		}
		if w := (written{c.ID, c.At.UnixMicro()}); !c.Deleted {
			if seen[w] {
				continue
			}
			seen[w] = true
		}
		path, err := t.path(ctx, c, paths[c.ID])
		if err != nil {
			return nil, err
		}
		subject := strings.TrimPrefix(path, t.service.Path)
		data, err := json.Marshal(resourceData{path})
		if err != nil {
			return nil, fmt.Errorf("event of %s: %w", c.ID, err)
		}
		all = append(all, Event{
			ID: stableID(t.service.ID, fmt.Sprint(c.Seq)), Type: typePrefix + name, Topic: t.service.Path, Subject: subject, Time: c.At, Data: data,
		})
	}
	return all, nil
}

// typeOf names the event of a change without its prefix; "" for none.
func (t *translator) typeOf(c *store.Change) string {
	stored := strings.TrimPrefix(c.Type, "workspaces/")
	for _, k := range t.kinds {
		if k.stored != stored {
			continue
		}
		end := k.updated
		switch {
		case c.Deleted:
			end = k.deleted
		case c.Created:
			end = k.created
		}
		if end == "" {
			return ""
		}
		return k.name + end
	}
	return ""
}

// path is the ID of what was changed as its user spelt it, with that of the service as the service is spelt. An API gets
// its revision, as in API Management. later is the path of the resource if it was deleted meanwhile.
func (t *translator) path(ctx context.Context, c *store.Change, later string) (string, error) {
	path, revision := c.Path, ""
	if !c.Deleted {
		d, err := t.r.Get(ctx, c.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			path = later
		case err != nil:
			return "", err
		default:
			path = d.Path
			var api struct{ APIRevision string }
			if err := json.Unmarshal(d.Body, &api); err == nil && strings.TrimPrefix(c.Type, "workspaces/") == "apis" {
				revision = api.APIRevision
			}
		}
	}
	if path == "" {
		path = c.ID
	}
	id, err := arm.ParseID(path)
	if err != nil {
		return "", fmt.Errorf("event of %s: %w", c.ID, err)
	}
	rel := "/" + id.RelPath()
	if _, has := arm.SplitRevision(rel); has == "" && revision != "" {
		rel += ";Rev=" + revision
	}
	return t.service.Path + strings.Replace(rel, ";rev=", ";Rev=", 1), nil
}
