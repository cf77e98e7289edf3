package resource

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Undo is the error of a Write action that answers something although nothing it wrote is to stay: its transaction is
// rolled back, and the caller gets Answer. When the action is asynchronous, its operation ends with Cause, nil for
// success.
type Undo struct {
	Answer any
	Cause  *arm.Error
}

// Error implements error.
func (u *Undo) Error() string {
	if u.Cause != nil {
		return u.Cause.Error()
	}
	return "nothing is to stay"
}

// Apply creates or changes a resource within a transaction, with all hooks of its type: as a PATCH with body would when
// merge is set, otherwise as a PUT, but that secrets which body leaves out stay. Its Prepare runs in the transaction, which holds others up: bodies must not make it fetch
// anything. After an arm.Error the transaction can be used on: nothing of the resource was stored.
func (x *Tx) Apply(id arm.ID, body []byte, merge bool) error {
	rt, err := x.cat.match(http.MethodPut, id)
	if err != nil {
		return err
	}
	c := change{merge: merge, body: body, header: http.Header{}}
	own := x.as(rt.id, url.Values{})
	old, d, err := own.decode(&rt, c)
	if err == nil && old != nil && !merge {
		rt.node.typ.schema.keepSecrets(old.props(), d.props())
	}
	if err == nil && rt.node.typ.has.prepare {
		err = rt.node.typ.hooks.prepare(x.ctx, own.Request, old, d)
	}
	if err == nil {
		_, err = own.finish(rt, c, old, d)
	}
	return err
}

// Discard deletes a resource within a transaction, as a DELETE with these query parameters would. A missing one is no
// error.
func (x *Tx) Discard(id arm.ID, query url.Values) error {
	return x.as(id, query).remove(id)
}

// as is the transaction as the hooks of one resource see it.
func (x *Tx) as(id arm.ID, query url.Values) *Tx {
	req := &Request{ID: id, Service: x.Service, Query: query, Principal: x.Principal, Now: x.Now}
	return &Tx{Reader: Reader{Request: req, ctx: x.ctx, cat: x.cat, store: x.store}, tx: x.tx}
}

// Writable returns those properties of a resource that can be written again, without its secrets, and when they were
// changed last; nil when there is none.
func Writable(x *Reader, id arm.ID) (props map[string]any, modified time.Time, err error) {
	n := x.cat.nodeOf(id)
	if n == nil {
		return nil, modified, arm.NotFound(id)
	}
	_, sd, err := x.load(n, id)
	if err != nil || sd == nil {
		return nil, modified, err
	}
	if err := json.Unmarshal(sd.Body, &props); err != nil {
		return nil, modified, err
	}
	for _, f := range n.typ.schema.fields {
		if f.rules.readonly {
			delete(props, f.name)
		}
	}
	return props, sd.Modified, nil
}

// Children returns the IDs of the resources of one type that are nested directly in parent and stored, ascending.
func Children(x *Reader, parent arm.ID, segment string) (ids []arm.ID, err error) {
	n := x.cat.nodeOf(parent.Child(segment, "x"))
	if n == nil {
		return nil, arm.NotFound(parent)
	}
	docs, err := x.store.List(x.ctx, store.Query{Parent: parent.Key(), Type: n.storeType()})
	if err != nil {
		return nil, err
	}
	for sd, err := range docs {
		if err != nil {
			return nil, err
		}
		id, err := arm.ParseID(sd.Path)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// undone takes the answer and the cause out of an Undo.
func undone(err error) (answer any, cause error, ok bool) {
	u, ok := errors.AsType[*Undo](err)
	if !ok {
		return nil, nil, false
	}
	if u.Cause != nil {
		cause = u.Cause
	}
	return u.Answer, cause, true
}
