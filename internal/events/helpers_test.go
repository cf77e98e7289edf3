package events

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	group   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/Shop"
	service = group + "/providers/Microsoft.ApiManagement/service/Shop"
)

// world is a broker with a store, a clock and an endpoint that answers as the test says.
type world struct {
	t      *testing.T
	store  store.Store
	broker *Broker
	dead   string

	mu     sync.Mutex
	now    time.Time
	answer func(r *http.Request, body []byte) *http.Response // nil: takes everything
	calls  []received
}

// received is a request to an endpoint.
type received struct {
	header http.Header
	path   string
	body   string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), dead: t.TempDir()}
	st, err := store.Open(t.Context(), "sqlite://:memory:", store.Options{Now: w.time, Keyring: store.NewKeyring([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w.store = st
	w.broker = w.newBroker("")
	w.putDocs(doc(group, "resourceGroups"), doc(service, "service"))
	return w
}

func (w *world) newBroker(owner string) *Broker {
	return New(Config{
		Store: w.store, Now: w.time, AllowHTTP: true, DeadLetters: w.dead, Transport: w, Owner: owner,
		Check: func(context.Context, string, arm.ID) error { return nil },
	})
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// RoundTrip implements http.RoundTripper: the endpoints. Questions of validation are answered with consent.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	var question []struct {
		Data struct{ ValidationCode string }
	}
	_ = json.Unmarshal(body, &question)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case w.answer != nil:
		if resp := w.answer(r, body); resp != nil {
			return resp, nil
		}
	case r.Method == http.MethodOptions:
		resp := respond(200, "")
		resp.Header.Set("WebHook-Allowed-Origin", "eventgrid.azure.net")
		return resp, nil
	case r.Header.Get("aeg-event-type") == "SubscriptionValidation":
		return respond(200, `{"validationResponse":"`+question[0].Data.ValidationCode+`"}`), nil
	}
	w.calls = append(w.calls, received{r.Header, r.URL.String(), string(body)})
	return respond(200, ""), nil
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// statuses makes the endpoint answer with these, one after the other, and then take everything.
func (w *world) statuses(all ...int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = func(r *http.Request, _ []byte) *http.Response {
		if r.Header.Get("aeg-event-type") != "Notification" || len(all) == 0 {
			return nil
		}
		s := all[0]
		all = all[1:]
		return respond(s, "")
	}
}

// doc is a document as the resource engine would store it.
func doc(path, kind string) *store.Document {
	d := &store.Document{ID: strings.ToLower(path), Path: path, Type: kind, Body: []byte("{}")}
	d.Name = path[strings.LastIndexByte(path, '/')+1:]
	if id, err := arm.ParseID(path); err == nil {
		d.Service = id.Service().Key()
	}
	return d
}

func (w *world) putDocs(docs ...*store.Document) {
	w.t.Helper()
	for _, d := range docs {
		var rows []store.Index
		if d.Type == "service" {
			rows = []store.Index{{Name: serviceIndex, Value: serviceValue}}
		}
		if _, err := w.store.Update(w.t.Context(), d.Service, func(tx store.Tx) error { return tx.Put(w.t.Context(), d, rows) }); err != nil {
			w.t.Fatal(err)
		}
	}
}

// put writes a document of the service. Transactions have different times.
func (w *world) put(rel, kind string) {
	w.t.Helper()
	w.putDocs(doc(service+rel, kind))
	w.advance(time.Microsecond)
}

func (w *world) remove(rel string) {
	w.t.Helper()
	_, err := w.store.Update(w.t.Context(), strings.ToLower(service), func(tx store.Tx) error {
		_, err := tx.DeleteTree(w.t.Context(), strings.ToLower(service+rel))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// do sends a request to the provider of a broker at the scope of the service.
func (w *world) do(method, path, body string) (int, map[string]any) {
	w.t.Helper()
	return w.doAt(service, method, path, body)
}

func (w *world) doAt(at, method, path, body string) (int, map[string]any) {
	w.t.Helper()
	scope, err := arm.ParseID(at)
	if err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequest(method, at+"/providers/Microsoft.EventGrid/"+path+"?api-version=2022-06-15", strings.NewReader(body))
	rec := httptest.NewRecorder()
	rest := strings.Split(path, "/")
	w.broker.ServeExtension(rec, r, scope, rest)
	var answer map[string]any
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
			w.t.Fatalf("%s %s: %s", method, path, rec.Body)
		}
	}
	return rec.Code, answer
}

// subscribe makes an event subscription with further properties.
func (w *world) subscribe(name, more string) {
	w.t.Helper()
	body := `{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://hook.test/` + name + `?code=key"}}` + more + `}}`
	if status, answer := w.do("PUT", "eventSubscriptions/"+name, body); status != 201 {
		w.t.Fatalf("PUT %s: %d %v", name, status, answer)
	}
}

// settled runs a broker until nothing is under way and nothing is due.
func (w *world) settled(b *Broker) time.Duration {
	w.t.Helper()
	for range 100 {
		next, err := b.step(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		b.busy.Wait()
		b.mu.Lock()
		idle := len(b.done) == 0
		b.mu.Unlock()
		if idle && next > 0 {
			return next
		}
	}
	w.t.Fatal("the broker does not come to rest")
	return 0
}

// got returns what the endpoints have got since the last time, a line for each event: path, type, subject.
func (w *world) got() string {
	w.t.Helper()
	var out bytes.Buffer
	for _, c := range w.take() {
		text := c.body
		if strings.HasPrefix(text, "{") {
			text = "[" + text + "]"
		}
		var events []struct{ Type, EventType, Subject string }
		if err := json.Unmarshal([]byte(text), &events); err != nil {
			w.t.Fatalf("the endpoint got %s", c.body)
		}
		fmt.Fprint(&out, strings.TrimSuffix(strings.TrimPrefix(c.path, "https://hook.test/"), "?code=key"), ":")
		for _, e := range events {
			fmt.Fprint(&out, " ", strings.TrimPrefix(e.Type+e.EventType, typePrefix), e.Subject)
		}
		fmt.Fprintln(&out)
	}
	return out.String()
}

func (w *world) take() []received {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = nil
	return calls
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}
