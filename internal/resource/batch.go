package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
)

// maxBatch bounds the writes of one batch: they hold the service's lock together.
const maxBatch = 1000

// batchWrite is one write of a batch.
type batchWrite struct {
	Method string `json:"method"` // PUT, PATCH or DELETE
	// Path is the resource: below the service ("apis/echo") or the whole ID.
	Path    string          `json:"path"`
	IfMatch string          `json:"ifMatch,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`

	rt     route
	req    *Request
	header http.Header
}

// batchAnswer is the answer of one write of a batch.
type batchAnswer struct {
	Status int             `json:"status"`
	ETag   string          `json:"etag,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// isBatch reports whether a request is POST {service}/batch, which is ours: Azure has no such operation.
func isBatch(method string, path arm.ID) bool {
	return method == http.MethodPost && !path.Service().IsZero() && path.Rel() == "batch"
}

// batch does many writes to one service in one transaction: all of them, in their order, or none.
func (e *Engine) batch(w http.ResponseWriter, r *http.Request, service arm.ID, version string) (out outcome, err error) {
	body, err := readBody(w, r, maxMaxBody)
	if err != nil {
		return out, err
	}
	if err := arm.CheckJSON(body); err != nil {
		return out, err
	}
	var in struct {
		Requests []batchWrite `json:"requests"`
	}
	if err := json.Unmarshal(body, &in); err != nil || len(in.Requests) == 0 || len(in.Requests) > maxBatch {
		return out, arm.Invalid("requests", "The body must have a list \"requests\" of 1 to %d writes, each with method, path and body.", maxBatch)
	}
	for i := range in.Requests {
		b := &in.Requests[i]
		err := e.admitToBatch(r.Context(), service, b)
		if err != nil {
			return out, atRequest(i, err)
		}
		b.req.BaseURL, b.req.APIVersion = arm.BaseURL(r), version
	}
	answers := make([]batchAnswer, len(in.Requests))
	err = e.update(r.Context(), service, in.Requests[0].req, func(x *Tx) error {
		for i := range in.Requests {
			b := &in.Requests[i]
			done, err := (&Tx{Reader: *e.reader(r.Context(), b.req, x.tx), tx: x.tx}).batched(b)
			if err != nil {
				return atRequest(i, err)
			}
			answers[i] = batchAnswer{done.status, done.etag, done.body}
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	out.status = http.StatusOK
	out.body, err = marshal(map[string]any{"responses": answers})
	return out, err
}

// admitToBatch finds the resource of a write and asks whether the caller may do it.
func (e *Engine) admitToBatch(ctx context.Context, service arm.ID, b *batchWrite) error {
	b.Method = strings.ToUpper(b.Method)
	path := "/" + strings.Trim(b.Path, "/")
	if !strings.Contains(strings.ToLower(path), "/providers/") {
		path = service.String() + path
	}
	id, err := arm.ParseID(path)
	if err != nil {
		return err
	}
	if !id.Service().Equal(service) || id.Rel() == "" {
		return arm.Invalid("path", "%s is not in the service of the batch.", id)
	}
	if b.rt, err = e.c.Catalogue.match(b.Method, id); err != nil {
		return err
	}
	verb := b.rt.verb(b.Method)
	if b.rt.action >= 0 || verb&(Create|Update|Delete) == 0 || b.rt.typeVerbs()&verb == 0 {
		return arm.Errorf(arm.CodeMethodNotAllowed, "A batch holds PUT, PATCH and DELETE of resources that have them; %s %s is none.", b.Method, id)
	}
	if int64(len(b.Body)) > b.rt.node.typ.maxBody {
		return arm.Errorf(arm.CodeTooLarge, "The body is larger than %d bytes.", b.rt.node.typ.maxBody)
	}
	if err := e.c.Authorize(ctx, b.rt.operation(b.Method), b.rt.id); err != nil {
		return err
	}
	b.req, b.header = e.request(ctx, b.rt, nil), http.Header{}
	if b.IfMatch != "" {
		b.header.Set("If-Match", b.IfMatch)
	}
	return e.c.Guard(ctx, b.rt.id)
}

// batched does one write of a batch. What the type prepares happens within the transaction.
func (x *Tx) batched(b *batchWrite) (out outcome, err error) {
	if b.Method == http.MethodDelete {
		return x.deleted(b.rt, b.header)
	}
	c := change{merge: b.Method == http.MethodPatch, body: b.Body, header: b.header}
	old, d, err := x.decode(&b.rt, c)
	if err != nil {
		return out, err
	}
	if b.rt.node.typ.has.prepare {
		if err := b.rt.node.typ.hooks.prepare(x.ctx, x.Request, old, d); err != nil {
			return out, err
		}
	}
	return x.finish(b.rt, c, old, d)
}

// atRequest says which write of a batch an error is about.
func atRequest(i int, err error) error {
	e, known := arm.AsError(err)
	if !known {
		return fmt.Errorf("requests[%d]: %w", i, err)
	}
	at := *e
	at.Target = strings.TrimSuffix(fmt.Sprintf("requests[%d].%s", i, e.Target), ".")
	return &at
}
