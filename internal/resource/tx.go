package resource

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Meta is what every stored resource has besides its properties.
type Meta struct {
	ID       arm.ID // in the spelling of its creation
	ETag     string // without quotes
	Seq      int64  // number of its last change in the service's log; 0 before the first
	Created  time.Time
	Modified time.Time
}

// Name returns the resource's name.
func (m *Meta) Name() string { return m.ID.Name() }

// Doc is a resource with its properties.
type Doc[T any] struct {
	Meta
	Props T
}

func (d *Doc[T]) meta() *Meta { return &d.Meta }

func (d *Doc[T]) props() reflect.Value { return reflect.ValueOf(&d.Props).Elem() }

// Request is what hooks may know of the request.
type Request struct {
	ID         arm.ID     // the resource, or of a collection the resource that it is in
	Service    arm.ID     // service that it is in; zero above services
	Query      url.Values // query parameters as they were sent
	Path       string     // escaped path as it was sent; "" within the process
	BaseURL    string     // scheme://host under which the caller reached us; "" within the process
	APIVersion string
	Principal  string // who calls, for records such as createdBy
	Action     string // name of the Rewrite action that runs
	List       bool   // a collection is being read
	Now        time.Time
}

// Param returns a query parameter; its name is matched without regard to case.
func (r *Request) Param(name string) string { return arm.Param(r.Query, name) }

// base is what short IDs are relative to: the workspace when the request is in one, the service otherwise.
func (r *Request) base() arm.ID {
	if w := r.ID.Find("workspaces"); w != "" && strings.HasPrefix(r.ID.Rel(), "workspaces/") {
		return r.Service.Child("workspaces", w)
	}
	return r.Service
}

// Reader reads resources on one consistent view of the store. It is valid until the hook that got it returns.
type Reader struct {
	*Request
	ctx   context.Context
	cat   *Catalogue
	store store.Reader
}

// Context returns the request's context.
func (x *Reader) Context() context.Context { return x.ctx }

// Store gives access below the engine, for unusual look-ups.
func (x *Reader) Store() StoreReader { return x.store }

// Exists reports whether there is such a resource.
func (x *Reader) Exists(id arm.ID) (bool, error) {
	_, err := x.store.Get(x.ctx, id.Key())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Resolve reads an ID in a body, short ("/products/p", "products/p") or full, relative to the request's workspace or
// service. It does not look whether there is such a resource. Its error is an arm.Error without a target.
func (x *Reader) Resolve(ref string) (arm.ID, error) {
	ref = "/" + strings.Trim(strings.TrimSpace(ref), "/")
	id, err := arm.ParseID(ref)
	if err != nil {
		return arm.ID{}, err
	}
	if s := id.Service(); !s.IsZero() {
		if !s.Equal(x.Service) {
			return arm.ID{}, arm.Errorf(arm.CodeInvalidID, "%s is in another service.", id)
		}
		return arm.Below(x.Service, id.RelPath()), nil
	}
	near, err := arm.ParseID(x.base().String() + ref)
	if strings.HasPrefix(id.Key(), "/workspaces/") || err == nil && x.cat.nodeOf(near) == nil { // a user: workspaces have none
		return arm.ParseID(x.Service.String() + ref)
	}
	return near, err
}

// Lookup returns the keys of the resources of the request's service that have an index row, ascending.
func (x *Reader) Lookup(index, value string) ([]string, error) {
	return x.store.Lookup(x.ctx, index, indexValue(x.Service, value))
}

// GatewaySourceIndex is the name of the index rows of configuration connections, of gateways that are resources of a resource group: their
// values are the lower-case IDs of the workspaces.
const GatewaySourceIndex = "gatewaySource"

// Outside returns the IDs of what has an index row and is in no service, in its own spelling.
func (x *Reader) Outside(index, value string) (ids []arm.ID, err error) {
	docs, err := x.store.List(x.ctx, store.Query{Index: index, Value: value})
	if err != nil {
		return nil, err
	}
	for d, err := range docs {
		if err != nil {
			return nil, err
		}
		ids = append(ids, arm.StoredID(d.Path, d.ID))
	}
	return ids, nil
}

// indexValue makes values of different services different.
func indexValue(service arm.ID, value string) string { return service.Key() + "\n" + value }

// IndexValue is for index rows that are looked up over all services, with [store.Reader]: it returns the value
// under which a type's index row of a service is stored.
func IndexValue(service arm.ID, value string) string { return indexValue(service, value) }

// load reads a resource, with its secrets; nil when there is none.
func (x *Reader) load(n *node, id arm.ID) (anyDoc, *store.Document, error) {
	sd, err := x.store.Get(x.ctx, id.Key())
	if errors.Is(err, store.ErrNotFound) {
		if !n.typ.has.initial {
			return nil, nil, nil
		}
		d, err := n.typ.hooks.initial(x, id)
		if err != nil || d == nil {
			return nil, nil, err
		}
		body, _, err := n.typ.schema.encode(d.props())
		return d, &store.Document{ID: id.Key(), Path: id.String(), ETag: d.meta().ETag, Body: body}, err
	}
	if err != nil {
		return nil, nil, err
	}
	if n.typ.schema.hidden {
		if sd.Secrets, err = x.store.GetSecrets(x.ctx, sd.ID); err != nil {
			return nil, nil, err
		}
	}
	d, err := decodeStored(n, sd)
	return d, sd, err
}

// decodeStored makes a document of a stored one.
func decodeStored(n *node, sd *store.Document) (anyDoc, error) {
	d := n.typ.hooks.newDoc()
	*d.meta() = Meta{ID: arm.StoredID(sd.Path, sd.ID), ETag: sd.ETag, Seq: sd.Seq, Created: sd.Created, Modified: sd.Modified}
	if err := unmarshalStored(sd.Body, d.props()); err != nil {
		return nil, fmt.Errorf("stored document %s: %w", sd.ID, err)
	}
	return d, n.typ.schema.reveal(d.props(), sd.Secrets)
}

// nodeFor finds the type of a resource and checks that its properties are a T.
func nodeFor[T any](x *Reader, id arm.ID) (*node, error) {
	n := x.cat.nodeOf(id)
	if n == nil {
		return nil, arm.NotFound(id)
	}
	return n, checkType[T](n)
}

func checkType[T any](n *node) error {
	if want := reflect.TypeFor[T](); n.typ.schema.typ != want {
		return fmt.Errorf("resource: %s holds %s, not %s", n.path, n.typ.schema.typ, want)
	}
	return nil
}

// Get returns a resource with its secrets. The error of a missing one is [arm.NotFound]'s. T must be the type's.
func Get[T any](x *Reader, id arm.ID) (*Doc[T], error) {
	n, err := nodeFor[T](x, id)
	if err != nil {
		return nil, err
	}
	d, _, err := x.load(n, id)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, arm.NotFound(id)
	}
	return d.(*Doc[T]), nil
}

// All yields the resources of one type that are nested directly in parent, by ID, with their secrets: segment
// "operations" of an API. T must be the type's. An error ends the sequence.
func All[T any](x *Reader, parent arm.ID, segment string) iter.Seq2[*Doc[T], error] {
	return func(yield func(*Doc[T], error) bool) {
		n := x.cat.nodeOf(parent)
		if n != nil {
			n = n.children[strings.ToLower(segment)]
		}
		if n == nil {
			yield(nil, fmt.Errorf("resource: no type %s in %s", segment, parent))
			return
		}
		if err := checkType[T](n); err != nil {
			yield(nil, err)
			return
		}
		q := store.Query{Parent: parent.Key(), Type: n.storeType(), Secrets: n.typ.schema.hidden}
		seq, err := x.store.List(x.ctx, q)
		if err != nil {
			yield(nil, err)
			return
		}
		for sd, err := range seq {
			if err != nil {
				yield(nil, err)
				return
			}
			d, err := decodeStored(n, sd)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(d.(*Doc[T]), nil) {
				return
			}
		}
	}
}

// Tx is one write in progress. It reads its own writes.
type Tx struct {
	Reader
	tx store.Tx
}

// Save stores a resource with its secrets and index rows, new or changed, without running its hooks. Rules are
// checked. It sets d's tag and number.
func Save[T any](x *Tx, d *Doc[T]) error {
	n, err := nodeFor[T](&x.Reader, d.ID)
	if err != nil {
		return err
	}
	if err := x.validate(n, d); err != nil {
		return err
	}
	_, err = x.put(n, d)
	return err
}

// SaveAll does what Save does for many resources in few statements, such as the operations of an import. Their IDs may
// be of any types whose properties are a T.
func SaveAll[T any](x *Tx, docs []*Doc[T]) error {
	items := make([]store.Item, 0, len(docs))
	for _, d := range docs {
		n, err := nodeFor[T](&x.Reader, d.ID)
		if err != nil {
			return err
		}
		if err := x.validate(n, d); err != nil {
			return err
		}
		item, err := x.item(n, d)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	if err := x.tx.PutAll(x.ctx, items); err != nil {
		return refused(err)
	}
	for i, d := range docs {
		d.stored(items[i].Document)
	}
	return nil
}

func (m *Meta) stored(sd *store.Document) {
	m.ETag, m.Seq, m.Created, m.Modified = sd.ETag, sd.Seq, sd.Created, sd.Modified
}

func (x *Tx) put(n *node, d anyDoc) (*store.Document, error) {
	item, err := x.item(n, d)
	if err != nil {
		return nil, err
	}
	if err := x.tx.Put(x.ctx, item.Document, item.Indexes); err != nil {
		return nil, refused(err)
	}
	d.meta().stored(item.Document)
	return item.Document, nil
}

// item makes the stored form of a document.
func (x *Tx) item(n *node, d anyDoc) (store.Item, error) {
	id := d.meta().ID
	body, secrets, err := n.typ.schema.encode(d.props())
	if err != nil {
		return store.Item{}, fmt.Errorf("%s: %w", id, err)
	}
	indexes := slices.Clone(n.typ.hooks.indexes(d))
	for i := range indexes {
		indexes[i].Value = indexValue(x.Service, indexes[i].Value)
	}
	return store.Item{
		Document: &store.Document{
			ID: id.Key(), Path: id.String(), Service: id.Service().Key(), Type: n.storeType(), Parent: id.Parent().Key(), Name: id.Name(),
			Body: body, Secrets: secrets, Created: d.meta().Created,
		},
		Indexes: append(append(indexes, n.rootIndexes(id.Name())...), x.refIndexes(n, d)...),
	}, nil
}

// refused renders the store's refusal of a second resource with a unique value, and of what is larger than it takes.
func refused(err error) error {
	if de, ok := errors.AsType[*store.DuplicateError](err); ok {
		if de.Index == nameIndex {
			return arm.Errorf(arm.CodeServiceAlreadyExists, "The name of the service is already used in another resource group.").WithTarget("name")
		}
		holder, _ := arm.ParseID(de.Holder)
		return arm.Errorf(arm.CodeConflict, "%s is already used by /%s.", de.Index, holder.Rel()).WithTarget(de.Index)
	}
	if errors.Is(err, store.ErrInvalid) {
		why := err
		if inner := errors.Unwrap(err); errors.Is(inner, store.ErrInvalid) && inner != store.ErrInvalid { // without what the store was doing
			why = inner
		}
		return arm.Errorf(arm.CodeValidation, "The resource is too large or its ID too long to be stored: %v.", why)
	}
	return err
}

// validate checks the rules of a document and resolves its references.
func (x *Tx) validate(n *node, d anyDoc) error {
	var p problems
	n.typ.schema.validate(d.props(), &p)
	if n.typ.schema.refs && len(p) == 0 {
		if err := x.resolveRefs(n, d, &p); err != nil {
			return err
		}
	}
	return p.err()
}

// Remove deletes a resource with everything nested in it, runs the Delete hooks of all of them and deals with what
// refers to them by the rules of the referring fields. A missing one is no error.
func Remove(x *Tx, id arm.ID) error { return x.remove(id) }
