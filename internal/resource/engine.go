package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Config is what an [Engine] needs. The functions may be nil, except Now.
type Config struct {
	Store     store.Store
	Catalogue *Catalogue
	Now       func() time.Time
	Log       *slog.Logger
	// Principal names the caller of a request.
	Principal func(ctx context.Context) string
	// Authorize refuses an action such as Microsoft.ApiManagement/service/apis/write on the resource scope.
	Authorize func(ctx context.Context, action string, scope arm.ID) error
	// Sees says of a caller who may not read all services of a resource group or subscription that he may read some: the
	// list shows him those.
	Sees func(ctx context.Context, scope arm.ID) bool
	// Guard refuses a write to a resource for other reasons than rights: it is managed by a file.
	Guard func(ctx context.Context, id arm.ID) error
	// OnWrite is awaited after a write was committed and before it is answered. service is the service's key, seq the
	// number of the write's last change.
	OnWrite func(ctx context.Context, service string, seq int64) error
}

// Engine serves a catalogue. It is safe for concurrent use.
type Engine struct {
	c          Config
	operations *arm.Operations
	background sync.WaitGroup
	turns      turns
}

// NewEngine returns an engine.
func NewEngine(c Config) *Engine {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Principal == nil {
		c.Principal = func(context.Context) string { return "" }
	}
	if c.Authorize == nil {
		c.Authorize = func(context.Context, string, arm.ID) error { return nil }
	}
	if c.Sees == nil {
		c.Sees = func(context.Context, arm.ID) bool { return false }
	}
	if c.Guard == nil {
		c.Guard = func(context.Context, arm.ID) error { return nil }
	}
	if c.OnWrite == nil {
		c.OnWrite = func(context.Context, string, int64) error { return nil }
	}
	return &Engine{c: c, operations: arm.NewOperations(c.Now)}
}

// Wait returns when the asynchronous operations that are running have ended: before the store is closed.
func (e *Engine) Wait() { e.background.Wait() }

// Catalogue returns the catalogue that is served.
func (e *Engine) Catalogue() *Catalogue { return e.c.Catalogue }

func (e *Engine) reader(ctx context.Context, req *Request, r store.Reader) *Reader {
	return &Reader{Request: req, ctx: ctx, cat: e.c.Catalogue, store: r}
}

// Put creates or replaces a resource from within the process, as an HTTP PUT with this JSON body would.
func (e *Engine) Put(ctx context.Context, id arm.ID, body []byte) (created bool, err error) {
	rt, req, err := e.local(ctx, http.MethodPut, id)
	if err != nil {
		return false, err
	}
	out, err := e.write(ctx, rt, req, change{body: body, header: http.Header{}})
	return out.status == http.StatusCreated, err
}

// Remove deletes a resource from within the process, as an HTTP DELETE would; a missing one is no error.
func (e *Engine) Remove(ctx context.Context, id arm.ID) error {
	rt, req, err := e.local(ctx, http.MethodDelete, id)
	if err != nil {
		return err
	}
	_, err = e.delete(ctx, rt, req, http.Header{})
	return err
}

// Rewrite runs a Rewrite action of a resource from within the process.
func (e *Engine) Rewrite(ctx context.Context, id arm.ID, action string) error {
	rt, req, err := e.local(ctx, http.MethodPut, id)
	if err != nil {
		return err
	}
	req.Action = action
	_, err = e.write(ctx, rt, req, change{merge: true, body: []byte("{}"), header: http.Header{}})
	return err
}

func (e *Engine) local(ctx context.Context, method string, id arm.ID) (route, *Request, error) {
	rt, err := e.c.Catalogue.match(method, id)
	if err != nil {
		return rt, nil, err
	}
	if rt.typeVerbs()&rt.verb(method) == 0 {
		err = arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed for %s.", method, rt.node.armType)
	}
	return rt, e.request(ctx, rt, url.Values{}), err
}

func (rt route) typeVerbs() Verbs { return rt.node.typ.verbs }

func (e *Engine) request(ctx context.Context, rt route, q url.Values) *Request {
	return &Request{
		ID: rt.id, Service: rt.id.Service(), Query: q, Principal: e.c.Principal(ctx), List: rt.list, Now: e.c.Now().UTC(),
	}
}

// ReadFunc runs fn with a reader of one service, outside of any request: for the gateway's tokens, mail or start-up.
func (e *Engine) ReadFunc(ctx context.Context, service arm.ID, fn func(x *Reader) error) error {
	return e.c.Store.View(ctx, func(r store.Reader) error {
		return fn(e.reader(ctx, &Request{ID: service, Service: service, Now: e.c.Now().UTC()}, r))
	})
}

// WriteFunc runs fn in one write transaction of a service, outside of any request, and awaits OnWrite.
func (e *Engine) WriteFunc(ctx context.Context, service arm.ID, fn func(x *Tx) error) error {
	return e.update(ctx, service, &Request{ID: service, Service: service, Now: e.c.Now().UTC()}, fn)
}

// update runs fn in a write transaction and, once it is committed, OnWrite.
func (e *Engine) update(ctx context.Context, service arm.ID, req *Request, fn func(x *Tx) error) error {
	seq, err := e.c.Store.Update(ctx, service.Key(), func(tx store.Tx) error {
		return fn(&Tx{Reader: *e.reader(ctx, req, tx), tx: tx})
	})
	if err != nil || seq == 0 {
		return err
	}
	// The write is durable. A caller that has gone does not keep the gateway from getting it.
	if err := e.c.OnWrite(context.WithoutCancel(ctx), service.Key(), seq); err != nil {
		e.c.Log.LogAttrs(ctx, slog.LevelWarn, "the gateway has not taken a write", slog.String("service", service.String()),
			slog.Int64("sequence", seq), slog.Any("error", err))
	}
	return nil
}

func unmarshalStored(body []byte, props reflect.Value) error {
	return json.Unmarshal(body, props.Addr().Interface())
}

// outcome is a successful answer.
type outcome struct {
	status    int
	etag      string
	body      []byte         // nil for none
	operation *arm.Operation // of a 202
}

// change is a PUT or PATCH.
type change struct {
	merge  bool
	body   []byte
	header http.Header
}

// errMoved says that a resource changed between Prepare and the transaction.
var errMoved = errors.New("resource: changed meanwhile")

// prepareAttempts bounds how often Prepare is repeated because others change the same resource.
const prepareAttempts = 20

// write runs a PUT or PATCH. What the type's Prepare does happens outside of the transaction, on the resource as it was
// then; when somebody changed it meanwhile, everything is done again, in turn with others to whom that happened.
func (e *Engine) write(ctx context.Context, rt route, req *Request, c change) (out outcome, err error) {
	if err := e.c.Guard(ctx, rt.id); err != nil {
		return out, err
	}
	if !rt.node.typ.has.prepare {
		err = e.update(ctx, rt.id.Service(), req, func(x *Tx) error {
			old, d, err := x.decode(&rt, c)
			if err == nil {
				out, err = x.finish(rt, c, old, d)
			}
			return err
		})
		return out, err
	}
	waits := false
	for attempt := range prepareAttempts {
		if key := rt.id.Key(); !waits && (attempt > 0 || e.turns.contended(key)) {
			done, err := e.turns.take(ctx, key)
			defer done()
			if err != nil {
				return out, err
			}
			waits = true
		}
		if out, err = e.writePrepared(ctx, rt, req, c); !errors.Is(err, errMoved) {
			return out, err
		}
	}
	busy := arm.Errorf(arm.CodeConflict, "Others keep changing the resource. Try again.")
	busy.RetryAfter = 1
	return out, busy
}

func (e *Engine) writePrepared(ctx context.Context, rt route, req *Request, c change) (out outcome, err error) {
	var before, d anyDoc
	err = e.c.Store.View(ctx, func(r store.Reader) error {
		x := &Tx{Reader: *e.reader(ctx, req, r)}
		before, d, err = x.decode(&rt, c)
		return err
	})
	if err != nil {
		return out, err
	}
	if err := rt.node.typ.hooks.prepare(ctx, req, before, d); err != nil {
		return out, err
	}
	err = e.update(ctx, rt.id.Service(), req, func(x *Tx) error {
		old, _, err := x.load(rt.node, rt.id)
		if err != nil {
			return err
		}
		if seqOf(old) != seqOf(before) {
			return errMoved
		}
		out, err = x.finish(rt, c, old, d)
		return err
	})
	return out, err
}

func seqOf(d anyDoc) int64 {
	if d == nil {
		return 0
	}
	return d.meta().Seq
}

// decode reads the stored resource, nil when there is none, checks the request's conditions and decodes its body onto
// a new document. It follows aliases in rt.
func (x *Tx) decode(rt *route, c change) (old, d anyDoc, err error) {
	if err := x.follow(rt); err != nil {
		return nil, nil, err
	}
	n := rt.node
	old, sd, err := x.load(n, rt.id)
	if err != nil {
		return nil, nil, err
	}
	etag := ""
	if old != nil {
		etag = old.meta().ETag
	}
	if err := arm.CheckIfMatch(c.header, etag, old != nil); err != nil {
		return nil, nil, err
	}
	if old == nil {
		if c.merge {
			return nil, nil, arm.NotFound(rt.id)
		}
		if n.parent == nil {
			if old, d, err := x.revive(n, rt.id, c.body); err != nil || d != nil {
				return old, d, err
			}
		}
		if err := x.admit(rt); err != nil {
			return nil, nil, err
		}
		d = n.typ.hooks.newDoc()
		*d.meta() = Meta{ID: rt.id}
	} else if d, err = decodeStored(n, sd); err != nil {
		return nil, nil, err
	}
	return old, d, x.decodeBody(n, old, d, c)
}

// decodeBody decodes a body onto d, which holds the stored properties.
func (x *Tx) decodeBody(n *node, old, d anyDoc, c change) error {
	if n.typ.join != "" || n.typ.verbs&Read == 0 { // only its name says something
		return nil
	}
	if len(c.body) == 0 && (n.typ.emptyBody || !n.typ.schema.writable()) { // the SDK sends nothing when there is nothing to say
		c.body = []byte("{}")
	}
	body, err := propertiesOf(n.typ, c.body)
	if err != nil {
		return err
	}
	dec := decoder{merge: c.merge}
	if !c.merge {
		d.props().SetZero()
	}
	dec.object(n.typ.schema, d.props(), body, "")
	if err := dec.problems.err(); err != nil {
		return err
	}
	if old == nil {
		return nil
	}
	var p problems
	n.typ.schema.keepReadonly(old.props(), d.props())
	n.typ.schema.checkImmutable(old.props(), d.props(), &p)
	return p.err()
}

// propertiesOf takes the properties out of a resource's JSON.
func propertiesOf(t *Type, body []byte) ([]byte, error) {
	if err := arm.CheckJSON(body); err != nil {
		return nil, err
	}
	if t.topLevel {
		return body, nil
	}
	var envelope struct {
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, arm.Errorf(arm.CodeInvalidJSON, "The request's body must be an object with a member \"properties\".")
	}
	if len(envelope.Properties) == 0 || isNull(envelope.Properties) {
		return []byte("{}"), nil
	}
	return envelope.Properties, nil
}

// admit checks what must hold before a resource can be created: its name and its parent.
func (x *Tx) admit(rt *route) error {
	t := rt.node.typ
	if name := rt.id.Name(); len([]rune(name)) > t.nameMax || !t.namePattern.MatchString(name) {
		return arm.Invalid("name", "The name %q is not valid: it has at most %d characters and the form %s.", name, t.nameMax, t.namePattern)
	}
	parent := rt.id.Parent()
	sd, err := x.store.Get(x.ctx, parent.Key())
	if errors.Is(err, store.ErrNotFound) {
		if rt.node.parent == nil {
			return arm.Errorf(arm.CodeGroupNotFound, "Resource group '%s' could not be found.", rt.id.ResourceGroup()).WithTarget(parent.String())
		}
		if p := rt.node.parent; p.typ.has.initial {
			d, _, err := x.load(p, parent)
			if err != nil || d != nil {
				return err
			}
		}
		return arm.NotFound(parent)
	}
	if err != nil {
		return err
	}
	// The parent's spelling wins over the request's.
	id, err := arm.ParseID(sd.Path)
	if err != nil {
		return fmt.Errorf("stored document %s: %w", sd.ID, err)
	}
	if rt.node.parent != nil {
		rt.id = id.Child(t.name, rt.id.Name())
	}
	if t.join == "" {
		return nil
	}
	target := rt.node.target(rt.id)
	ok, err := x.Exists(target)
	if err == nil && !ok {
		err = arm.NotFound(target)
	}
	return err
}

// finish completes, checks and stores a decoded document and renders the answer.
func (x *Tx) finish(rt route, c change, old, d anyDoc) (out outcome, err error) {
	h := rt.node.typ.hooks
	if err := h.fill(x, old, d); err != nil {
		return out, err
	}
	if err := x.validate(rt.node, d); err != nil {
		return out, err
	}
	if err := h.check(x, old, d); err != nil {
		return out, err
	}
	sd, err := x.put(rt.node, d)
	if err != nil {
		return out, err
	}
	if err := h.after(x, old, d); err != nil {
		return out, err
	}
	out.status, out.etag = http.StatusOK, sd.ETag
	if old == nil && !rt.node.typ.putOK {
		out.status = http.StatusCreated
	}
	if c.merge && rt.node.typ.patchEmpty {
		out.status = http.StatusNoContent
		return out, nil
	}
	out.body, err = x.render(rt.node, sd, d)
	return out, err
}

// delete runs a DELETE.
func (e *Engine) delete(ctx context.Context, rt route, req *Request, h http.Header) (out outcome, err error) {
	if err := e.c.Guard(ctx, rt.id); err != nil {
		return out, err
	}
	err = e.update(ctx, rt.id.Service(), req, func(x *Tx) error {
		out, err = x.deleted(rt, h)
		return err
	})
	return out, err
}

// deleted does a DELETE in a transaction.
func (x *Tx) deleted(rt route, h http.Header) (out outcome, err error) {
	out.status = http.StatusOK
	if rt.node.typ.deleteEmpty {
		out.status = http.StatusNoContent
	}
	if err := x.follow(&rt); err != nil {
		return out, err
	}
	sd, err := x.tx.Get(x.ctx, rt.id.Key())
	if errors.Is(err, store.ErrNotFound) {
		out.status = http.StatusNoContent // whatever If-Match says
		return out, nil
	}
	if err != nil {
		return out, err
	}
	if err := arm.CheckIfMatch(h, sd.ETag, true); err != nil {
		return out, err
	}
	if rt.node.parent == nil {
		return out, x.bury(rt.id)
	}
	return out, x.remove(rt.id)
}

// act runs an action, or begins it when it is asynchronous.
func (e *Engine) act(ctx context.Context, rt route, req *Request, body []byte) (out outcome, err error) {
	a := rt.node.typ.actions[rt.action]
	if len(body) == 0 {
		body = nil
	} else if err := arm.CheckJSON(body); err != nil {
		return out, err
	}
	if a.valid != nil {
		if err := a.valid(body); err != nil {
			return out, err
		}
	}
	if a.rewrite {
		req.Action = a.name
		rt.action = -1
		return e.write(ctx, rt, req, change{merge: true, body: []byte("{}"), header: http.Header{}})
	}
	if a.write {
		if err := e.c.Guard(ctx, rt.id); err != nil {
			return out, err
		}
	}
	if !a.async {
		return e.runAction(ctx, rt, req, body)
	}
	op, err := e.operations.Start("/subscriptions/" + rt.id.Subscription() + "/providers/" + arm.Provider + "/locations/global")
	if err != nil {
		return out, err
	}
	e.background.Go(func() {
		done, err := e.runAction(context.WithoutCancel(ctx), rt, req, body)
		if _, known := arm.AsError(err); err != nil && !known {
			e.c.Log.LogAttrs(ctx, slog.LevelError, "asynchronous operation failed", slog.String("resource", rt.id.String()), slog.Any("error", err))
		}
		e.operations.Finish(op.Name, done.body, err)
	})
	return outcome{status: http.StatusAccepted, operation: &op}, nil
}
