package resource

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Doc is a resource with its properties.
type Doc[T any] struct {
	ID       arm.ID // in the spelling of its creation
	Props    T
	ETag     string // without quotes
	Seq      int64  // number of its last change
	Created  time.Time
	Modified time.Time
}

// Name returns the resource's name.
func (d *Doc[T]) Name() string { return d.ID.Name() }

// Request is what hooks may know of the request.
type Request struct {
	ID         arm.ID     // resource or collection parent that is addressed
	Service    arm.ID     // service that it is in; zero above services
	Query      url.Values // query parameters as they were sent
	BaseURL    string     // scheme://host under which the caller reached us
	APIVersion string
	Principal  string // who calls, for records such as createdBy
	List       bool   // a collection is being read
	Now        time.Time
}

// Param returns a query parameter; its name is matched without regard to case.
func (r *Request) Param(name string) string { return param(r.Query, name) }

// Reader reads resources on one consistent view of the store.
type Reader struct {
	*Request
	ctx    context.Context
	engine *Engine
	store  store.Reader
}

// Context returns the request's context.
func (x *Reader) Context() context.Context { return x.ctx }

// Store gives access below the engine, for blobs and unusual look-ups.
func (x *Reader) Store() store.Reader { return x.store }

// Exists reports whether there is such a resource.
func (x *Reader) Exists(id arm.ID) (bool, error) { return false, nil }

// Resolve reads an ID in a body, short ("/products/p", "products/p") or full, relative to the request's service.
func (x *Reader) Resolve(ref string) (arm.ID, error) { return arm.ID{}, nil }

// Lookup returns the IDs (keys) of the resources of the request's service with an index row, ascending.
func (x *Reader) Lookup(index, value string) ([]string, error) { return nil, nil }

// Get returns a resource with its secrets. The error of a missing one is arm.NotFound's. T must be the type's.
func Get[T any](x *Reader, id arm.ID) (*Doc[T], error) { return nil, nil }

// All yields the resources of one type (such as apis or apis/operations) that are nested directly in parent, by ID,
// without their secrets.
func All[T any](x *Reader, parent arm.ID, segment string) iter.Seq2[*Doc[T], error] { return nil }

// Tx is one write in progress. It reads its own writes.
type Tx struct {
	Reader
	tx store.Tx
}

// StoreTx gives access below the engine, for blobs.
func (x *Tx) StoreTx() store.Tx { return x.tx }

// Save stores a resource with its secrets and index rows, new or changed, without running its hooks. Rules are checked.
func Save[T any](x *Tx, d *Doc[T]) error { return nil }

// SaveAll does what Save does for many resources of one type in few statements, such as the operations of an import.
func SaveAll[T any](x *Tx, docs []*Doc[T]) error { return nil }

// Remove deletes a resource with everything nested in it and everything that refers to it, running Delete hooks.
// A missing one is no error.
func Remove(x *Tx, id arm.ID) error { return nil }
