package resource

import (
	"context"
	"errors"
	"net/http"

	"github.com/causeway-apim/causeway/internal/arm"
)

// errPreview takes a previewed write back.
var errPreview = errors.New("resource: only a preview")

// Preview does what a PUT of a JSON body would do and takes it back: it returns the resource as it is answered before
// (nil when there is none) and as it would be afterwards. The error is the one that the PUT would have had.
func (e *Engine) Preview(ctx context.Context, id arm.ID, body []byte) (before, after []byte, err error) {
	rt, req, err := e.local(ctx, http.MethodPut, id)
	if err != nil {
		return nil, nil, err
	}
	c := change{body: body, header: http.Header{}}
	err = e.update(ctx, rt.id.Service(), req, func(x *Tx) error {
		old, d, err := x.decode(&rt, c)
		if err != nil {
			return err
		}
		if rt.node.typ.has.prepare {
			if err := rt.node.typ.hooks.prepare(ctx, req, old, d); err != nil {
				return err
			}
		}
		if old != nil {
			sd, fetched, err := x.fetch(rt.node, rt.id)
			if err == nil && sd != nil {
				before, err = x.render(rt.node, sd, fetched)
			}
			if err != nil {
				return err
			}
		}
		out, err := x.finish(rt, c, old, d)
		if err != nil {
			return err
		}
		after = out.body
		return errPreview
	})
	if errors.Is(err, errPreview) {
		err = nil
	}
	return before, after, err
}
