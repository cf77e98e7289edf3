// Package audit writes down who changed what on the management plane, with the documents as they were before and after,
// in the transaction of the change itself; it answers questions about that, as Azure's activity log does and in a form of
// ours, and brings back what was.
//
// Secrets are no part of stored documents and thus of no answer. What a change overwrote of them is kept encrypted, so
// that it can be restored.
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/store"
)

// Limits of one entry. Changes beyond them are counted, not kept.
const (
	maxChanges = 500
	maxBytes   = 4 << 20
)

// Record is the body of an entry.
type Record struct {
	Operation   string   `json:"operation"` // action, such as Microsoft.ApiManagement/service/apis/write
	Method      string   `json:"method"`
	Resource    string   `json:"resource"` // as the caller spelt it
	Caller      string   `json:"caller"`
	AppID       string   `json:"appId,omitempty"`
	Client      string   `json:"client"` // address
	Request     string   `json:"requestId"`
	Correlation string   `json:"correlationId"`
	Status      string   `json:"status"` // Succeeded or Failed
	StatusCode  int      `json:"statusCode,omitempty"`
	Changes     []Change `json:"changes,omitempty"`
	Omitted     int      `json:"omittedChanges,omitempty"` // that did not fit
}

// Change is one document before and after.
type Change struct {
	Resource string          `json:"resource"`
	Before   json.RawMessage `json:"before,omitempty"`
	After    json.RawMessage `json:"after,omitempty"`
}

// Store is a store that audits the changes of callers. Work of the process itself is not audited.
type Store struct {
	store.Store
}

// Update implements store.Store.
func (s Store) Update(ctx context.Context, service string, fn func(store.Tx) error) (int64, error) {
	call := manage.CallOf(ctx)
	if call == nil {
		return s.Store.Update(ctx, service, fn)
	}
	return s.Store.Update(ctx, service, func(inner store.Tx) error {
		t := &tx{Tx: inner, secrets: map[string]map[string]string{}}
		if err := fn(t); err != nil || t.seen == 0 {
			return err
		}
		return t.write(ctx, call)
	})
}

// Refused writes down a request that was answered with an error.
func (s Store) Refused(ctx context.Context, status int) error {
	call := manage.CallOf(ctx)
	if call == nil {
		return nil
	}
	_, err := s.Store.Update(ctx, "", func(tx store.Tx) error {
		r := newRecord(call)
		r.Status, r.StatusCode = "Failed", status
		return put(ctx, tx, call, r, nil)
	})
	return err
}

func newRecord(c *manage.Call) *Record {
	return &Record{
		Operation: c.Action(), Method: c.Method, Resource: strings.TrimSuffix(c.Path, "/"), Caller: c.Name, AppID: c.AppID, Client: c.Client,
		Request: c.Request, Correlation: c.Correlation, Status: "Succeeded",
	}
}

func put(ctx context.Context, tx store.Tx, c *manage.Call, r *Record, secrets map[string]map[string]string) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	e := &store.AuditEntry{ID: arm.NewGUID(), Scope: scopeOf(r.Resource), Principal: strings.ToLower(c.ID), Body: body}
	if len(secrets) > 0 {
		text, err := json.Marshal(secrets)
		if err != nil {
			return err
		}
		e.Secret = string(text)
	}
	return tx.Audit(ctx, e)
}

// scopeOf is the key by which an entry is found. A path that is no ID belongs to nothing.
func scopeOf(path string) string {
	id, err := arm.ParseID(path)
	if err != nil || len(path) > store.MaxIDBytes {
		return ""
	}
	return id.Key()
}

// tx notes what is changed through it.
type tx struct {
	store.Tx
	changes []Change
	secrets map[string]map[string]string // as they were, by document
	seen    int
	bytes   int
}

func (t *tx) write(ctx context.Context, call *manage.Call) error {
	r := newRecord(call)
	r.Changes, r.Omitted = t.changes, t.seen-len(t.changes)
	// A restore, and what else writes resources from elsewhere, belongs to the resource that it writes.
	if len(t.changes) > 0 {
		first := t.changes[0].Resource
		if id, err := arm.ParseID(first); err == nil && !id.Service().IsZero() && !rbac.Covers(strings.ToLower(r.Resource), strings.ToLower(first)) {
			r.Resource = first
		}
	}
	return put(ctx, t.Tx, call, r, t.secrets)
}

// note keeps a change, unless there are too many or nothing changed. d is the document as it was, nil for none.
func (t *tx) note(ctx context.Context, path string, d *store.Document, after []byte) error {
	c := Change{Resource: path, After: masked(path, after)}
	if d != nil {
		c.Before = masked(path, d.Body)
	}
	t.seen++
	if t.bytes += len(c.Before) + len(c.After); len(t.changes) >= maxChanges || t.bytes > maxBytes {
		return nil
	}
	t.changes = append(t.changes, c)
	if d == nil || !strings.Contains(d.ID, "/service/") { // credentials of accounts do not come back
		return nil
	}
	secrets, err := t.GetSecrets(ctx, d.ID)
	if err == nil && len(secrets) > 0 {
		t.secrets[d.ID] = secrets
	}
	return err
}

// masked leaves out what of an account's document is no secret but nobody's business.
func masked(path string, body []byte) json.RawMessage {
	if !strings.HasPrefix(path, "/apitokens/") || body == nil {
		return body
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil
	}
	delete(members, "hash")
	clean, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return clean
}

// before returns a document as it was, nil for none.
func (t *tx) before(ctx context.Context, id string) (*store.Document, error) {
	d, err := t.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return d, err
}

func (t *tx) put(ctx context.Context, d *store.Document) error {
	old, err := t.before(ctx, d.ID)
	if err != nil {
		return err
	}
	path := d.Path
	if path == "" {
		path = d.ID
	}
	return t.note(ctx, path, old, d.Body)
}

// Put implements store.Tx.
func (t *tx) Put(ctx context.Context, d *store.Document, indexes []store.Index) error {
	if err := t.put(ctx, d); err != nil {
		return err
	}
	return t.Tx.Put(ctx, d, indexes)
}

// PutAll implements store.Tx.
func (t *tx) PutAll(ctx context.Context, items []store.Item) error {
	for i, item := range items {
		if i >= maxChanges {
			t.seen += len(items) - i
			break
		}
		if err := t.put(ctx, item.Document); err != nil {
			return err
		}
	}
	return t.Tx.PutAll(ctx, items)
}

// Delete implements store.Tx.
func (t *tx) Delete(ctx context.Context, id string) error {
	d, err := t.before(ctx, id)
	if err == nil && d != nil {
		err = t.note(ctx, d.Path, d, nil)
	}
	if err != nil {
		return err
	}
	return t.Tx.Delete(ctx, id)
}

// DeleteTree implements store.Tx.
func (t *tx) DeleteTree(ctx context.Context, id string) ([]string, error) {
	d, err := t.before(ctx, id)
	if err == nil && d != nil {
		err = t.note(ctx, d.Path, d, nil)
	}
	if err != nil {
		return nil, err
	}
	noted := len(t.changes)
	docs, err := t.List(ctx, store.Query{Under: id, Limit: maxChanges})
	if err != nil {
		return nil, err
	}
	for d, err := range docs {
		if err != nil {
			return nil, err
		}
		if err := t.note(ctx, d.Path, d, nil); err != nil {
			return nil, err
		}
	}
	ids, err := t.Tx.DeleteTree(ctx, id)
	t.seen += max(0, len(ids)-1-(len(t.changes)-noted))
	return ids, err
}

// Forget removes entries older than keep, now and every hour, until ctx ends.
func (s Store) Forget(ctx context.Context, now func() time.Time, keep time.Duration) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.ForgetAudit(ctx, now().Add(-keep)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
