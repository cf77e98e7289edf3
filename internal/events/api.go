package events

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	maxBody = 256 << 10
	// validationLife is how long the validation URL may be opened.
	validationLife = 10 * time.Minute
)

// call is a request to the provider.
type call struct {
	*http.Request
	w     http.ResponseWriter
	scope arm.ID
	rest  []string
}

// reply is a status with the value of a JSON body, nil for none.
type reply struct {
	status int
	body   any
}

// ServeExtension serves {scope}/providers/Microsoft.EventGrid for the management server: event subscriptions, and the types
// of events. rest is what follows in the path.
func (b *Broker) ServeExtension(w http.ResponseWriter, r *http.Request, scope arm.ID, rest []string) {
	c := &call{r, w, scope, rest}
	a, err := b.serve(c)
	switch {
	case err != nil:
		e, known := arm.AsError(err)
		if !known && !errors.Is(err, r.Context().Err()) {
			b.c.Log.ErrorContext(r.Context(), "A request about event subscriptions failed.", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		arm.WriteError(w, e)
	case a.body == nil:
		w.WriteHeader(a.status)
	default:
		arm.WriteJSON(w, a.status, a.body)
	}
}

func (b *Broker) serve(c *call) (reply, error) {
	if _, err := arm.AnyAPIVersion(c.URL.Query()); err != nil {
		return reply{}, err
	}
	at := func(i int, name string) bool { return i < len(c.rest) && strings.EqualFold(c.rest[i], name) }
	switch {
	case at(0, "eventSubscriptions") && len(c.rest) == 1:
		return b.list(c)
	case at(0, "eventSubscriptions") && len(c.rest) == 2:
		return b.one(c, c.rest[1])
	case at(0, "eventSubscriptions") && len(c.rest) == 3 && (at(2, "getFullUrl") || at(2, "getDeliveryAttributes")):
		return b.secrets(c, c.rest[1], at(2, "getFullUrl"))
	case at(0, "topicTypes"), at(0, "eventTypes") && len(c.rest) == 1:
		return b.types(c)
	case at(0, "locations") && at(2, "eventSubscriptions") && len(c.rest) == 3: // those of one region
		return b.list(c)
	}
	return reply{}, arm.Errorf(arm.CodeTypeNotFound, "There is nothing at %s.", c.URL.Path)
}

// may refuses what the caller may not do at the scope.
func (b *Broker) may(c *call, action string) error {
	return b.c.Check(c.Context(), provider+"/eventSubscriptions/"+action, c.scope)
}

func methodNotAllowed(c *call) error {
	return arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed here.", c.Method)
}

// list answers the subscriptions of a scope; those of a group or an Azure subscription with all below it.
func (b *Broker) list(c *call) (reply, error) {
	if c.Method != http.MethodGet {
		return reply{}, methodNotAllowed(c)
	}
	if err := b.may(c, "read"); err != nil {
		return reply{}, err
	}
	page, perr := arm.ParsePage(c.URL.Query())
	if perr != nil {
		return reply{}, perr
	}
	wide := c.scope.Service().IsZero()
	var found []*stored
	err := b.c.Store.View(c.Context(), func(r store.Reader) error {
		return eachSubscription(c.Context(), r, func(s *stored) {
			at := strings.ToLower(s.Scope)
			if at == c.scope.Key() || wide && strings.HasPrefix(at, c.scope.Key()+"/") {
				found = append(found, s)
			}
		})
	})
	if err != nil {
		return reply{}, err
	}
	slices.SortFunc(found, func(x, y *stored) int { return strings.Compare(strings.ToLower(x.id()), strings.ToLower(y.id())) })
	values, total := []any{}, len(found)
	found = found[min(int(page.Skip), total):]
	for _, s := range found[:min(int(page.Top), len(found))] {
		values = append(values, s.body(b.c.Now()))
	}
	answer := map[string]any{"value": values}
	if next := page.Next(arm.BaseURL(c.Request), c.URL.EscapedPath(), c.URL.Query(), int64(total)); next != "" {
		answer["nextLink"] = next
	}
	return reply{http.StatusOK, answer}, nil
}

// find reads a subscription, nil when there is none.
func (b *Broker) find(ctx context.Context, id string) (s *stored, err error) {
	err = b.c.Store.View(ctx, func(r store.Reader) error {
		s, err = read(ctx, r, id)
		return err
	})
	return s, err
}

func read(ctx context.Context, r store.Reader, id string) (*stored, error) {
	d, err := r.Get(ctx, keyOf(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err == nil {
		d.Secrets, err = r.GetSecrets(ctx, d.ID)
	}
	if err != nil {
		return nil, err
	}
	return subscriptionOf(d)
}

// one serves a single subscription.
func (b *Broker) one(c *call, name string) (reply, error) {
	id := c.scope.ChildOf(provider, "eventSubscriptions", name)
	action := map[string]string{http.MethodGet: "read", http.MethodPut: "write", http.MethodPatch: "write", http.MethodDelete: "delete"}[c.Method]
	if action == "" {
		return reply{}, methodNotAllowed(c)
	}
	if err := b.may(c, action); err != nil {
		return reply{}, err
	}
	old, err := b.find(c.Context(), id.String())
	if err != nil {
		return reply{}, err
	}
	switch {
	case c.Method == http.MethodDelete:
		return b.remove(c, old)
	case c.Method == http.MethodPut:
		return b.write(c, name, old)
	case old == nil:
		return reply{}, arm.NotFound(id)
	case c.Method == http.MethodPatch:
		return b.write(c, old.Name, old)
	}
	return reply{http.StatusOK, old.body(b.c.Now())}, nil
}

func (b *Broker) remove(c *call, old *stored) (reply, error) {
	if old == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	_, err := b.c.Writes.Update(c.Context(), logName, func(tx store.Tx) error {
		err := tx.Delete(c.Context(), old.key())
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return err
	})
	b.kick()
	return reply{status: http.StatusOK}, err
}

// readBody decodes the body of a write: properties of a PUT, the members themselves of a PATCH, which has no envelope in
// Event Grid's API. Members that a PATCH leaves out stay as they are in old.
func readBody(c *call, old *stored) (s Subscription, err error) {
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.Body, maxBody))
	if err != nil {
		return s, arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", maxBody)
	}
	if err := arm.CheckJSON(text); err != nil {
		return s, err
	}
	var envelope struct {
		Properties json.RawMessage `json:"properties"`
	}
	err = json.Unmarshal(text, &envelope)
	if err == nil && len(envelope.Properties) > 0 {
		text = envelope.Properties
	} else if err == nil && c.Method == http.MethodPut {
		return s, arm.Invalid("properties", "properties is required.")
	}
	if err == nil && c.Method == http.MethodPatch {
		var before []byte
		if before, err = json.Marshal(old.Subscription); err == nil { // with its secrets: it is not shown
			text, err = arm.MergePatch(before, text)
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, arm.Errorf(arm.CodeInvalidJSON, "The request's body does not have the expected form: %s.", err)
	}
	s.Topic, s.State = "", ""
	return s, nil
}

// validName is Event Grid's rule for names of event subscriptions.
func validName(name string) bool { return regexp.MustCompile(`^[A-Za-z0-9-]{3,64}$`).MatchString(name) }

// write makes or changes a subscription: it proves that the endpoint wants events, and stores it.
func (b *Broker) write(c *call, name string, old *stored) (reply, error) {
	now := b.c.Now().UTC()
	next := &stored{Scope: c.scope.String(), Name: name, Created: now}
	if !validName(name) {
		return reply{}, arm.Invalid("name", "The name of an event subscription has 3 to 64 letters, digits and hyphens.")
	}
	if old != nil {
		next.Scope, next.Name, next.Created = old.Scope, old.Name, old.Created
	}
	var err error
	if next.Subscription, err = readBody(c, old); err != nil {
		return reply{}, err
	}
	if err := next.complete(now, b.c.AllowHTTP); err != nil {
		return reply{}, err
	}
	if err := b.checkScope(c); err != nil {
		return reply{}, err
	}
	if proven := old != nil && old.State == stateSucceeded && old.Schema == next.Schema && old.Destination.Props.URL == next.Destination.Props.URL; proven {
		next.State = stateSucceeded
	} else if err := b.prove(c, next); err != nil {
		return reply{}, err
	}
	starts, err := startCursors(c.Context(), b.c.Store, c.scope)
	if err != nil {
		return reply{}, err
	}
	_, err = b.c.Writes.Update(c.Context(), logName, func(tx store.Tx) error { return b.put(c.Context(), tx, next, starts) })
	if err != nil {
		return reply{}, err
	}
	b.kick()
	return reply{http.StatusCreated, next.body(now)}, nil
}

// put stores a subscription and begins to read the logs that it is about.
func (b *Broker) put(ctx context.Context, tx store.Tx, s *stored, starts []cursor) error {
	n := 0
	docs, err := tx.List(ctx, store.Query{Service: logName, Type: typeSubscription})
	if err != nil {
		return err
	}
	for d, err := range docs {
		if err != nil {
			return err
		}
		if d.ID != s.key() && strings.HasPrefix(strings.ToLower(d.Path), strings.ToLower(s.Scope)+"/providers/"+strings.ToLower(provider)+"/") {
			n++
		}
	}
	if n >= maxSubscriptions {
		return arm.Errorf(arm.CodeConflict, "The scope has %d event subscriptions, which is the limit.", n)
	}
	d, err := s.document()
	if err != nil {
		return err
	}
	var rows []store.Index
	if s.State == stateAwaiting {
		rows = append(rows, store.Index{Name: codeIndex, Value: s.code})
	}
	if err := tx.Put(ctx, d, rows); err != nil {
		return err
	}
	return putStarts(ctx, tx, starts)
}

// checkScope refuses a scope that is not there.
func (b *Broker) checkScope(c *call) error {
	segments := c.scope.Segments()
	if len(segments) < 2 || !strings.EqualFold(segments[0], "subscriptions") {
		return arm.Errorf(arm.CodeInvalidID, "An event subscription is of an Azure subscription, a resource group, a service or something in one.")
	}
	if len(segments) == 2 {
		return nil
	}
	return b.c.Store.View(c.Context(), func(r store.Reader) error {
		_, err := r.Get(c.Context(), c.scope.Key())
		if errors.Is(err, store.ErrNotFound) {
			return arm.NotFound(c.scope)
		}
		return err
	})
}

// secrets answers the URL of the endpoint or the headers, secret values included.
func (b *Broker) secrets(c *call, name string, fullURL bool) (reply, error) {
	if c.Method != http.MethodPost {
		return reply{}, methodNotAllowed(c)
	}
	action := "getDeliveryAttributes/action"
	if fullURL {
		action = "getFullUrl/action"
	}
	if err := b.may(c, action); err != nil {
		return reply{}, err
	}
	id := c.scope.ChildOf(provider, "eventSubscriptions", name)
	s, err := b.find(c.Context(), id.String())
	if err != nil {
		return reply{}, err
	}
	if s == nil {
		return reply{}, arm.NotFound(id)
	}
	if fullURL {
		return reply{http.StatusOK, map[string]string{"endpointUrl": s.Destination.Props.URL}}, nil
	}
	return reply{http.StatusOK, map[string]any{"value": append([]DeliveryHeader{}, s.Destination.Props.Headers...)}}, nil
}

// topicType is what API Management is called among the sources of events.
const topicType = "Microsoft.ApiManagement.Service"

// types answers what sources and types of events there are:
//
//	topicTypes, topicTypes/NAME, topicTypes/NAME/eventTypes, topicTypes/NAME/eventSubscriptions, eventTypes of a service
func (b *Broker) types(c *call) (reply, error) {
	if c.Method != http.MethodGet {
		return reply{}, methodNotAllowed(c)
	}
	topic := map[string]any{
		"id": "providers/" + provider + "/topicTypes/" + topicType, "name": topicType, "type": provider + "/topicTypes",
		"properties": map[string]any{
			"provider": "Microsoft.ApiManagement", "displayName": "API Management", "description": "What happens to API Management services.",
			"resourceRegionType": "RegionalResource", "provisioningState": stateSucceeded,
		},
	}
	if strings.EqualFold(c.rest[0], "eventTypes") {
		return reply{http.StatusOK, map[string]any{"value": typeBodies()}}, nil
	}
	switch {
	case len(c.rest) == 1:
		return reply{http.StatusOK, map[string]any{"value": []any{topic}}}, nil
	case !strings.EqualFold(c.rest[1], topicType):
	case len(c.rest) == 2:
		return reply{http.StatusOK, topic}, nil
	case len(c.rest) == 3 && strings.EqualFold(c.rest[2], "eventTypes"):
		return reply{http.StatusOK, map[string]any{"value": typeBodies()}}, nil
	case len(c.rest) == 3 && strings.EqualFold(c.rest[2], "eventSubscriptions"):
		return b.list(c)
	}
	return reply{}, arm.Errorf(arm.CodeResourceNotFound, "There is no such type of topics.")
}

func typeBodies() (values []any) {
	for _, t := range eventTypes() {
		values = append(values, map[string]any{
			"id": "providers/" + provider + "/topicTypes/" + topicType + "/eventTypes/" + t.name, "name": t.name, "type": provider + "/topicTypes/eventTypes",
			"properties": map[string]any{"displayName": t.name[strings.LastIndexByte(t.name, '.')+1:], "description": t.description, "isInDefaultSet": true},
		})
	}
	return values
}
