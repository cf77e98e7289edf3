package resource

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// follow replaces the IDs in a route by the ones under which resources are stored.
func (x *Reader) follow(rt *route) error {
	n, rel := x.cat.root, rt.id.RelPath()
	id := rt.id.Service()
	changed := false
	for rel != "" {
		seg, rest, _ := strings.Cut(rel, "/")
		var name string
		name, rel, _ = strings.Cut(rest, "/")
		n = n.children[strings.ToLower(seg)]
		id = id.Child(n.typ.name, name)
		if !n.typ.has.alias {
			continue
		}
		to, err := n.typ.hooks.alias(x, id)
		if err != nil {
			return err
		}
		changed = changed || !to.Equal(id)
		id = to
	}
	if changed {
		rt.id = id
	}
	if rt.node.parent == nil {
		return nil
	}
	return x.buried(rt.id.Service())
}

// read runs a GET or HEAD of one resource.
func (e *Engine) read(ctx context.Context, rt route, req *Request) (out outcome, err error) {
	out.status = http.StatusOK
	err = e.c.Store.View(ctx, func(r store.Reader) error {
		x := e.reader(ctx, req, r)
		if err := x.follow(&rt); err != nil {
			return err
		}
		if rt.node.typ.has.items {
			if err := x.findItem(&rt); err != nil {
				return err
			}
		}
		sd, d, err := x.fetch(rt.node, rt.id)
		if err != nil {
			return err
		}
		if sd == nil {
			return x.missing(rt)
		}
		out.etag = sd.ETag
		out.body, err = x.render(rt.node, sd, d)
		return err
	})
	return out, err
}

// findItem replaces the route to an item of a collection that Items makes by that of the resource itself.
func (x *Reader) findItem(rt *route) error {
	parent := route{node: rt.node, id: rt.id.Parent(), list: true}
	if err := x.followParent(&parent); err != nil {
		return err
	}
	keys, err := rt.node.typ.hooks.items(x, parent.id)
	if err != nil {
		return err
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if n := x.cat.nodeOf(id); n != nil && strings.EqualFold(id.Name(), rt.id.Name()) {
			rt.node, rt.id = n, id
			return nil
		}
	}
	return arm.NotFound(rt.id)
}

// missing is the error for a resource that is not there: that of the resource group when that is missing already.
func (x *Reader) missing(rt route) error {
	if rt.node.parent == nil {
		if ok, err := x.Exists(rt.id.Parent()); err != nil || !ok {
			if err == nil {
				err = arm.Errorf(arm.CodeGroupNotFound, "Resource group '%s' could not be found.", rt.id.ResourceGroup())
			}
			return err
		}
	}
	return arm.NotFound(rt.id)
}

// fetch reads a stored resource and decodes it only when something needs its properties.
func (x *Reader) fetch(n *node, id arm.ID) (*store.Document, anyDoc, error) {
	if n.decoded() || n.typ.has.initial {
		d, sd, err := x.load(n, id)
		return sd, d, err
	}
	sd, err := x.store.Get(x.ctx, id.Key())
	if err != nil {
		return nil, nil, ignoreNotFound(err)
	}
	return sd, nil, nil
}

// decoded reports whether rendering needs the properties.
func (n *node) decoded() bool { return n.typ.has.view }

// render makes the answer for a stored resource; d is needed for types with a View.
func (x *Reader) render(n *node, sd *store.Document, d anyDoc) ([]byte, error) {
	props := sd.Body
	if n.typ.join != "" {
		return x.renderJoin(n, sd)
	}
	if n.typ.has.view {
		v, err := n.typ.hooks.view(x, d)
		if err != nil {
			return nil, err
		}
		if props, err = marshal(v); err != nil {
			return nil, fmt.Errorf("%s: %w", sd.ID, err)
		}
		if _, ok := v.(Beside); ok {
			return besides(n, sd, props)
		}
	}
	return envelope(n, sd.Path, sd.ETag, props)
}

// Beside marks what a View returns whose members stand beside the properties as well as in them: API Management's own
// answers to exports have them there, its SDKs look for them here.
type Beside interface{ Beside() }

// besides wraps properties and repeats their members beside them.
func besides(n *node, sd *store.Document, props []byte) ([]byte, error) {
	out, err := envelope(n, sd.Path, sd.ETag, props)
	if err != nil || len(props) <= 2 {
		return out, err
	}
	return append(append(out[:len(out)-1], ','), props[1:]...), nil
}

// renderJoin answers the resource that a join links to, under the join's ID.
func (x *Reader) renderJoin(n *node, sd *store.Document) ([]byte, error) {
	id, err := arm.ParseID(sd.Path)
	if err != nil {
		return nil, err
	}
	target := x.cat.node(n.typ.join)
	tsd, d, err := x.fetch(target, n.target(id))
	if err != nil {
		return nil, err
	}
	if tsd == nil {
		return envelope(n, sd.Path, sd.ETag, []byte("{}"))
	}
	props := tsd.Body
	if target.typ.has.view {
		v, err := target.typ.hooks.view(x, d)
		if err != nil {
			return nil, err
		}
		if props, err = marshal(v); err != nil {
			return nil, err
		}
	}
	return envelope(n, sd.Path, sd.ETag, props)
}

// envelope wraps properties: id, type, name and either properties or the members of the whole resource.
func envelope(n *node, path, etag string, props []byte) ([]byte, error) {
	head, err := marshal(struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Name string `json:"name"`
	}{path, n.armType, path[strings.LastIndexByte(path, '/')+1:]})
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(head)+len(props)+64)
	out = append(out, head[:len(head)-1]...)
	if !n.typ.topLevel {
		out = append(out, `,"properties":`...)
		return append(append(out, props...), '}'), nil
	}
	if n.parent == nil { // a service shows its tag
		out = append(append(append(out, `,"etag":"`...), etag...), '"')
	}
	if len(props) > 2 {
		out = append(out, ',')
	}
	return append(out, props[1:]...), nil
}

// followParent finds the resource that a collection is in.
func (x *Reader) followParent(rt *route) error {
	if rt.node.parent == nil {
		if rt.id.ResourceGroup() == "" {
			return nil
		}
		ok, err := x.Exists(rt.id)
		if err == nil && !ok {
			err = arm.Errorf(arm.CodeGroupNotFound, "Resource group '%s' could not be found.", rt.id.ResourceGroup())
		}
		return err
	}
	parent := route{node: rt.node.parent, id: rt.id}
	if err := x.follow(&parent); err != nil {
		return err
	}
	rt.id = parent.id
	sd, _, err := x.fetch(parent.node, rt.id)
	if err == nil && sd == nil {
		err = x.missing(parent)
	}
	return err
}
