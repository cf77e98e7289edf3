package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// What one answer of a filtered list costs at most. Beyond that the list goes on behind its link, with a page that is not
// full, as ARM allows, or without a count.
const (
	// lookAhead is how many documents are looked at behind a full page for the sake of the count.
	lookAhead = 1000
	// maxRead is how many documents are read for a page.
	maxRead = 2000
	// maxPassed is how many documents the store passes for those that are read.
	maxPassed = 5_000
)

func (e *Engine) list(ctx context.Context, rt route, req *Request, path string) (out outcome, err error) {
	page, aerr := arm.ParsePage(req.Query)
	if aerr != nil {
		return out, aerr
	}
	l := lister{n: rt.node, page: page, values: []json.RawMessage{}}
	if rt.partly {
		l.readable = func(id arm.ID) bool { return e.c.Authorize(ctx, rt.operation(http.MethodGet), id) == nil }
	}
	err = e.c.Store.View(ctx, func(r store.Reader) error {
		l.x = e.reader(ctx, req, r)
		if err := l.x.followParent(&rt); err != nil {
			return err
		}
		if s := req.Param("$filter"); s != "" {
			if l.filter, err = arm.ParseFilter(s, l.target().typ.filters); err != nil {
				return err
			}
		}
		return l.run(rt.id)
	})
	if err != nil {
		return out, err
	}
	if l.cut {
		page.Top, l.count = len(l.values), page.Skip+int64(len(l.values))+1
	}
	result := arm.List{Value: l.values, NextLink: page.NextAfter(req.BaseURL, path, req.Query, l.count, l.last)}
	if !l.cut {
		result.Count = &l.count
	}
	out.status = http.StatusOK
	out.body, err = marshal(result)
	return out, err
}

// lister makes one page of a collection.
type lister struct {
	x      *Reader
	n      *node
	page   arm.Page
	filter *arm.Filter
	// readable says which resources the caller may read; nil for all.
	readable func(id arm.ID) bool

	values []json.RawMessage
	count  int64  // what the list holds, as far as it was read
	cut    bool   // it was not read to its end: there may be more
	last   string // where the next page goes on; "" when only its number says so
}

// target is the type whose properties a filter looks at.
func (l *lister) target() *node {
	if l.n.typ.join != "" {
		return l.x.cat.node(l.n.typ.join)
	}
	return l.n
}

func (l *lister) run(parent arm.ID) error {
	switch {
	case l.n.typ.has.items:
		return l.items(parent)
	case l.n.typ.has.initial && len(l.n.typ.names) > 0:
		return l.settings(parent)
	case l.n.parent == nil:
		q := store.Query{Parent: parent.Key(), Type: l.n.storeType()}
		if parent.ResourceGroup() == "" {
			q = store.Query{Under: parent.Key(), Index: rootIndex, Value: serviceSegment}
		}
		l.page.After = ""
		err := l.stored(q)
		l.last = ""
		return err
	}
	prefix := parent.Key() + "/" + strings.ToLower(l.n.typ.name) + "/"
	q := store.Query{Parent: parent.Key(), Type: l.n.storeType()}
	if l.page.After != "" {
		q.After = prefix + strings.ToLower(l.page.After)
	}
	err := l.stored(q)
	l.last = strings.TrimPrefix(l.last, prefix)
	return err
}

// stored lists documents: those of the page only when nothing but their number says which these are.
func (l *lister) stored(q store.Query) (err error) {
	q.Secrets = l.n.decoded() && l.n.typ.schema.hidden
	if l.all(l.n) {
		if l.count, err = l.x.store.Count(l.x.ctx, q); err != nil {
			return err
		}
		q.Limit = l.page.Top
		if q.After == "" {
			q.Offset = int(l.page.Skip)
		}
		return l.each(q, func(sd *store.Document) (bool, error) { return true, l.answer(l.n, sd) })
	}
	if q.After != "" {
		l.count = l.page.Skip
	}
	l.narrow(&q)
	return l.filtered(q)
}

// filtered lists documents of which the filter says whether they are on the page.
func (l *lister) filtered(q store.Query) (err error) {
	read, behind := 0, 0
	for {
		if q.Until, err = l.x.store.Nth(l.x.ctx, q, maxPassed); err != nil {
			return err
		}
		err = l.each(q, func(sd *store.Document) (bool, error) {
			switch {
			case l.full():
				behind++
			case l.mayStop():
				read++
			}
			if l.cut = behind > lookAhead || read > maxRead; l.cut {
				return false, nil
			}
			if err := l.consider(l.n, sd); err != nil {
				return false, err
			}
			if !l.full() {
				l.last = sd.ID
			}
			return true, nil
		})
		switch {
		case err != nil || l.cut || q.Until == "":
			return err
		case l.full():
			l.cut = true
			return nil
		case l.mayStop():
			l.cut, l.last = true, q.Until
			return nil
		}
		q.After = q.Until
	}
}

// full reports whether the page has all that was asked for.
func (l *lister) full() bool { return len(l.values) >= l.page.Top }

// mayStop reports whether a link can say where the list goes on: what is skipped by number has to be counted to its end.
func (l *lister) mayStop() bool { return l.n.parent != nil && l.count >= l.page.Skip }

func (l *lister) each(q store.Query, fn func(sd *store.Document) (more bool, err error)) error {
	docs, err := l.x.store.List(l.x.ctx, q)
	if err != nil {
		return err
	}
	for sd, err := range docs {
		if err != nil {
			return err
		}
		if more, err := fn(sd); err != nil || !more {
			return err
		}
	}
	return nil
}

// narrow lets the store leave out documents that the filter cannot select.
func (l *lister) narrow(q *store.Query) {
	if l.filter == nil || l.n.typ.join != "" {
		return
	}
	for _, h := range l.filter.Hints() {
		if h.Equal && q.Index == "" {
			if index, value := l.n.typ.hooks.narrow(h.Field, h.Text); index != "" {
				q.Index, q.Value = index, indexValue(l.x.Service, value)
				continue
			}
		}
		if h.Field != "name" || l.n.typ.schema.byName["name"] != nil { // the resource's name is not in its body
			if text := store.SearchText(h.Text); len(text) > len(q.Text) {
				q.Text = text
			}
		}
	}
}

// settings lists resources that are there from the start, written or not.
func (l *lister) settings(parent arm.ID) error {
	for _, name := range l.n.typ.names {
		d, sd, err := l.x.load(l.n, parent.Child(l.n.typ.name, name))
		if err != nil {
			return err
		}
		if d == nil {
			continue
		}
		if err := l.consider(l.n, sd); err != nil {
			return err
		}
	}
	l.last = ""
	return nil
}

// items lists resources of other types, which a type's Items names.
func (l *lister) items(parent arm.ID) error {
	keys, err := l.n.typ.hooks.items(l.x, parent)
	if err != nil {
		return err
	}
	if l.all(l.n) {
		l.count = int64(len(keys))
		keys = keys[min(l.page.Skip, l.count):min(l.page.Skip+int64(l.page.Top), l.count)]
	}
	for _, key := range keys {
		n, sd, err := l.item(key)
		if err != nil {
			return fmt.Errorf("resource: items of %s: %s: %w", l.n.path, key, err)
		}
		if l.all(n) {
			err = l.answer(n, sd)
		} else {
			err = l.consider(n, sd)
		}
		if err != nil {
			return err
		}
	}
	l.last = ""
	return nil
}

func (l *lister) item(key string) (*node, *store.Document, error) {
	id, err := arm.ParseID(key)
	if err != nil {
		return nil, nil, err
	}
	n := l.x.cat.nodeOf(id)
	if n == nil {
		return nil, nil, errors.New("there is no such type")
	}
	sd, err := l.x.store.Get(l.x.ctx, key)
	if err == nil && n.decoded() && n.typ.schema.hidden {
		sd.Secrets, err = l.x.store.GetSecrets(l.x.ctx, key)
	}
	return n, sd, err
}

// consider counts a document that passes the filter, and answers it when it is on the page.
func (l *lister) consider(n *node, sd *store.Document) error {
	ok, err := l.passes(n, sd)
	if err != nil || !ok {
		return err
	}
	l.count++
	if l.count <= l.page.Skip || len(l.values) >= l.page.Top {
		return nil
	}
	return l.answer(n, sd)
}

// keeps reports whether the request has a parameter for which the type leaves documents out.
func (l *lister) keeps(n *node) bool {
	return slices.ContainsFunc(n.typ.has.keep, func(param string) bool { return l.x.Param(param) != "" })
}

// all reports whether nothing is left out of the list.
func (l *lister) all(n *node) bool { return l.filter == nil && l.readable == nil && !l.keeps(n) }

func (l *lister) passes(n *node, sd *store.Document) (bool, error) {
	if l.all(n) {
		return true, nil
	}
	if l.readable != nil {
		if id, err := arm.ParseID(sd.Path); err != nil || !l.readable(id) {
			return false, err
		}
	}
	fn, fsd := n, sd
	if n.typ.join != "" {
		id, err := arm.ParseID(sd.Path)
		if err != nil {
			return false, err
		}
		fn = l.target()
		if fsd, err = l.x.store.Get(l.x.ctx, n.target(id).Key()); err != nil {
			return false, ignoreNotFound(err)
		}
	}
	d, err := decodeStored(fn, fsd)
	if err != nil {
		return false, err
	}
	if l.filter != nil && !l.filter.Match(func(name string) any { return fn.value(d, name) }) {
		return false, nil
	}
	if !l.keeps(n) {
		return true, nil
	}
	return n.typ.hooks.keep(l.x, d)
}

// value returns a field for $filter.
func (n *node) value(d anyDoc, field string) any {
	if f := n.typ.schema.byName[field]; field == "name" && (f == nil || !f.filter) {
		return d.meta().Name()
	}
	return n.typ.schema.get(d.props(), field)
}

func (l *lister) answer(n *node, sd *store.Document) error {
	var d anyDoc
	if n.decoded() {
		var err error
		if d, err = decodeStored(n, sd); err != nil {
			return err
		}
	}
	body, err := l.x.render(n, sd, d)
	l.values, l.last = append(l.values, body), sd.ID
	return err
}
