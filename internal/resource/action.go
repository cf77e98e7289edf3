package resource

import (
	"context"
	"net/http"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// runAction runs an action of a resource in a transaction of its own kind.
func (e *Engine) runAction(ctx context.Context, rt route, req *Request, body []byte) (out outcome, err error) {
	var answer any
	h, a := rt.node.typ.hooks, rt.node.typ.actions[rt.action]
	run := func(x *Reader, call func(d anyDoc) (any, error)) error {
		if err := x.follow(&rt); err != nil {
			return err
		}
		d, _, err := x.load(rt.node, rt.id)
		if err == nil && d == nil {
			d, err = h.acts(x, rt.id)
		}
		if err == nil && d == nil {
			err = arm.NotFound(rt.id)
		}
		if err == nil {
			answer, err = call(d)
		}
		if err == nil && a.showsTag() {
			out.etag = d.meta().ETag
		}
		return err
	}
	if a.write {
		err = e.update(ctx, rt.id.Service(), req, func(x *Tx) error {
			return run(&x.Reader, func(d anyDoc) (any, error) { return h.write(rt.action, x, d, body) })
		})
	} else {
		err = e.c.Store.View(ctx, func(r store.Reader) error {
			x := e.reader(ctx, req, r)
			return run(x, func(d anyDoc) (any, error) { return h.read(rt.action, x, d, body) })
		})
	}
	var cause error
	if undo, why, ok := undone(err); ok {
		answer, cause, err = undo, why, nil
	}
	if err != nil || answer == nil {
		out.status = http.StatusNoContent
		return out, err
	}
	out.status = http.StatusOK
	if out.body, err = marshal(answer); err == nil && a.async {
		err = cause
	}
	return out, err
}
