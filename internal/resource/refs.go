package resource

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// refIndex is the index by which the resources that refer to another are found. Its values are IDs.
const refIndex = "ref"

// storeType is how the store names a type: its path, "service" for the root.
func (n *node) storeType() string {
	if n.path == "" {
		return serviceSegment
	}
	return n.path
}

// nameIndex keeps the names of services unique: host names are made of them.
const nameIndex = "serviceName"

// rootIndexes make the services of a store findable.
func (n *node) rootIndexes(name string) []store.Index {
	if n.parent != nil {
		return nil
	}
	return []store.Index{{Name: rootIndex, Value: serviceSegment}, {Name: nameIndex, Value: strings.ToLower(name), Unique: true}}
}

// target returns the resource that a join links to.
func (n *node) target(id arm.ID) arm.ID {
	base, path := id.Service(), n.typ.join
	if w := id.Find("workspaces"); w != "" && !n.outside && strings.HasPrefix(id.Rel(), "workspaces/") {
		base = base.Child("workspaces", w)
	}
	return base.Child(path, id.Name())
}

// resolveRefs makes the IDs in ref fields full and checks that they exist.
func (x *Tx) resolveRefs(n *node, d anyDoc, p *problems) (err error) {
	n.typ.schema.visitRefs(d.props(), func(f *field, v reflect.Value, path string) {
		if err != nil || v.String() == "" {
			return
		}
		id, e := x.Resolve(v.String())
		if e != nil {
			ae, _ := arm.AsError(e)
			p.add(path, "%s", ae.Message)
			return
		}
		if target := x.cat.nodeOf(id); target == nil || !f.rules.accepts(target.path) {
			p.add(path, "%s must be the ID of one of: %s.", path, strings.Join(f.rules.refs, ", "))
			return
		}
		if base := x.base(); !base.Equal(x.Service) && strings.HasPrefix(id.Rel(), "workspaces/") && !id.IsBelow(base) {
			p.add(path, "%s must not name a resource of another workspace.", path)
			return
		}
		sd, e := x.store.Get(x.ctx, id.Key())
		switch {
		case errors.Is(e, store.ErrNotFound):
			p.add(path, "%s refers to /%s, which does not exist.", path, id.RelPath())
		case e != nil:
			err = e
		default:
			v.SetString(sd.Path)
		}
	})
	return err
}

func (r *rules) accepts(path string) bool {
	path = strings.TrimPrefix(path, "workspaces/")
	return slices.ContainsFunc(r.refs, func(p string) bool { return strings.EqualFold(p, path) })
}

// visitRefs calls fn for every settable string of a ref field.
func (s *schema) visitRefs(v reflect.Value, fn func(f *field, v reflect.Value, path string)) {
	if !s.refs {
		return
	}
	s.visit(v, "", func(f *field, v reflect.Value, path string) {
		if f.rules.refs == nil {
			return
		}
		if v.Kind() == reflect.Slice {
			for i := range v.Len() {
				fn(f, v.Index(i), at(path, i))
			}
			return
		}
		if v = reflect.Indirect(v); v.IsValid() {
			fn(f, v, path)
		}
	})
}

// refIndexes returns the index rows of what a document refers to.
func (x *Tx) refIndexes(n *node, d anyDoc) (rows []store.Index) {
	add := func(key string) {
		row := store.Index{Name: refIndex, Value: key}
		if !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
	}
	if n.typ.join != "" {
		add(n.target(d.meta().ID).Key())
	}
	n.typ.schema.visitRefs(d.props(), func(_ *field, v reflect.Value, _ string) {
		if v.String() != "" {
			add(strings.ToLower(v.String()))
		}
	})
	return rows
}

// remove deletes a resource, what is nested in it and what must go with it.
func (x *Tx) remove(id arm.ID) error {
	n := x.cat.nodeOf(id)
	if n == nil {
		return nil
	}
	// With a service or a workspace everything goes, and nothing outside refers into it.
	if n != x.cat.root && n.path != "workspaces" {
		if err := x.prepareRemoval(id); err != nil {
			return err
		}
	}
	_, err := x.tx.DeleteTree(x.ctx, id.Key())
	return err
}

// prepareRemoval runs the Delete hooks of the tree at id and releases what refers into it from outside.
func (x *Tx) prepareRemoval(id arm.ID) error {
	tree, err := x.tree(id)
	if err != nil {
		return err
	}
	for _, sd := range tree {
		did, err := arm.ParseID(sd.Path)
		if err != nil {
			return err
		}
		if n := x.cat.nodeOf(did); n != nil && n.typ.has.remove {
			d, _, err := x.load(n, did)
			if err != nil || d == nil {
				return err
			}
			if err := n.typ.hooks.remove(x, d); err != nil {
				return err
			}
		}
		if err := x.releaseReferrers(id, sd.ID); err != nil {
			return err
		}
	}
	return nil
}

// tree lists the document and everything below it.
func (x *Tx) tree(id arm.ID) ([]*store.Document, error) {
	sd, err := x.tx.Get(x.ctx, id.Key())
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	docs := []*store.Document{sd}
	seq, err := x.tx.List(x.ctx, store.Query{Under: id.Key()})
	if err != nil {
		return nil, err
	}
	for sd, err := range seq {
		if err != nil {
			return nil, err
		}
		docs = append(docs, sd)
	}
	return docs, nil
}

// releaseReferrers handles the resources outside of root's tree that refer to target.
func (x *Tx) releaseReferrers(root arm.ID, target string) error {
	keys, err := x.tx.Lookup(x.ctx, refIndex, target)
	if err != nil {
		return err
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if id.Equal(root) || id.IsBelow(root) {
			continue
		}
		if err := x.release(id, target); err != nil {
			return err
		}
	}
	return nil
}

// release applies the rules of the fields by which the resource id refers to target.
func (x *Tx) release(id arm.ID, target string) error {
	n := x.cat.nodeOf(id)
	if n == nil {
		return fmt.Errorf("resource: stored document %s is of no declared type", id)
	}
	d, _, err := x.load(n, id)
	if err != nil || d == nil { // removed by an earlier step
		return err
	}
	if n.typ.join != "" {
		return x.remove(id)
	}
	cascade, restrict := false, false
	n.typ.schema.visitRefs(d.props(), func(f *field, v reflect.Value, _ string) {
		if strings.ToLower(v.String()) != target {
			return
		}
		switch {
		case f.rules.cascade:
			cascade = true
		case f.rules.clear:
			v.SetString("")
		default:
			restrict = true
		}
	})
	switch {
	case cascade:
		return x.remove(id)
	case restrict:
		return arm.Errorf(arm.CodeConflict, "The resource cannot be deleted because /%s refers to it.", d.meta().ID.RelPath()).WithTarget(target)
	}
	_, err = x.put(n, d)
	return err
}

// JoinedFrom returns the keys of the resources that are joined with target by joins of the type path, such as the
// products (of products/apis) that hold an API, ascending.
func JoinedFrom(x *Reader, target arm.ID, join string) ([]string, error) {
	keys, err := x.store.Lookup(x.ctx, refIndex, target.Key())
	if err != nil {
		return nil, err
	}
	var parents []string
	segment := "/" + strings.ToLower(join[strings.LastIndexByte(join, '/')+1:]) + "/"
	for _, key := range keys {
		if !strings.Contains(key, segment) { // most of what refers to a user are subscriptions
			continue
		}
		id, err := arm.ParseID(key)
		if err != nil {
			return nil, err
		}
		if n := x.cat.nodeOf(id); n != nil && n.typ.join != "" && strings.EqualFold(strings.TrimPrefix(n.path, "workspaces/"), join) {
			parents = append(parents, id.Parent().Key())
		}
	}
	return parents, nil
}

// Joined returns the names of the resources that are joined to parent by its joins of one segment, such as the groups of
// a product, ascending: none when the catalogue has no such joins.
func Joined(x *Reader, parent arm.ID, segment string) (names []string, err error) {
	if n := x.cat.nodeOf(parent); n == nil || n.children[strings.ToLower(segment)] == nil {
		return nil, nil
	}
	for d, err := range All[struct{}](x, parent, segment) {
		if err != nil {
			return nil, err
		}
		names = append(names, d.Name())
	}
	return names, nil
}

// JoinParents returns the resources below owner, a service or workspace, that have a join of a path below it, such as
// apis/tags, in the order of their IDs.
func JoinParents(x *Reader, owner arm.ID, path string) (parents []arm.ID, err error) {
	q := store.Query{Service: owner.Service().Key(), Type: path}
	if owner.Rel() != "" {
		q.Type = "workspaces/" + path
	}
	docs, err := x.store.List(x.ctx, q)
	if err != nil {
		return nil, err
	}
	for sd, err := range docs {
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(sd.ID, owner.Key()+"/") || len(parents) > 0 && parents[len(parents)-1].Key() == sd.Parent {
			continue
		}
		id, err := arm.ParseID(sd.Path)
		if err != nil {
			return nil, err
		}
		parents = append(parents, id.Parent())
	}
	return parents, nil
}
