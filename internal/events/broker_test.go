package events

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// sortedLines are lines whose order means nothing: requests run side by side.
func sortedLines(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestChangesBecomeEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("/apis/early", "apis")
	w.subscribe("hook", "")
	w.settled(w.broker)
	equal(t, "events before the subscription", w.got(), "")
	for _, c := range []struct{ path, kind string }{
		{"/apis/Pets", "apis"}, {"/apis/Pets/operations/list", "apis/operations"}, {"/apis/Pets/releases/R1", "apis/releases"},
		{"/products/Free", "products"}, {"/users/ada", "users"}, {"/subscriptions/s1", "subscriptions"}, {"/gateways/Edge", "gateways"},
		{"/gateways/Edge/apis/Pets", "gateways/apis"}, {"/gateways/Edge/certificateAuthorities/ca", "gateways/certificateAuthorities"},
		{"/gateways/Edge/hostnameConfigurations/h", "gateways/hostnameConfigurations"}, {"/workspaces/w1/apis/a", "workspaces/apis"},
	} {
		w.put(c.path, c.kind)
		w.put(c.path, c.kind)
	}
	w.remove("/gateways/Edge")
	w.remove("/apis/Pets")
	w.settled(w.broker)
	equal(t, "events", sortedLines(w.got()), sortedLines(`hook: APICreated/apis/Pets
hook: APIUpdated/apis/Pets
hook: APIReleaseCreated/apis/Pets/releases/R1
hook: APIReleaseUpdated/apis/Pets/releases/R1
hook: ProductCreated/products/Free
hook: ProductUpdated/products/Free
hook: UserCreated/users/ada
hook: UserUpdated/users/ada
hook: SubscriptionCreated/subscriptions/s1
hook: SubscriptionUpdated/subscriptions/s1
hook: GatewayCreated/gateways/Edge
hook: GatewayUpdated/gateways/Edge
hook: GatewayAPIAdded/gateways/Edge/apis/Pets
hook: GatewayCertificateAuthorityCreated/gateways/Edge/certificateAuthorities/ca
hook: GatewayCertificateAuthorityUpdated/gateways/Edge/certificateAuthorities/ca
hook: GatewayHostnameConfigurationCreated/gateways/Edge/hostnameConfigurations/h
hook: GatewayHostnameConfigurationUpdated/gateways/Edge/hostnameConfigurations/h
hook: APICreated/workspaces/w1/apis/a
hook: APIUpdated/workspaces/w1/apis/a
hook: GatewayDeleted/gateways/Edge
hook: GatewayAPIRemoved/gateways/Edge/apis/Pets
hook: GatewayCertificateAuthorityDeleted/gateways/Edge/certificateAuthorities/ca
hook: GatewayHostnameConfigurationDeleted/gateways/Edge/hostnameConfigurations/h
hook: APIReleaseDeleted/apis/Pets/releases/R1
hook: APIDeleted/apis/Pets
`))
	w.settled(w.broker)
	equal(t, "events that come twice", w.got(), "")
}

func TestOneTransactionIsOneEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("hook", "")
	api := doc(service+"/apis/Pets", "apis")
	api.Body = []byte(`{"apiRevision":"3"}`)
	_, err := w.store.Update(t.Context(), api.Service, func(tx store.Tx) error {
		for range 3 {
			if err := tx.Put(t.Context(), api, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.settled(w.broker)
	equal(t, "events", w.got(), "hook: APICreated/apis/Pets;Rev=3\n")
}

func TestEnvelopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	headers := `"deliveryAttributeMappings":[{"name":"X-Key","type":"Static","properties":{"value":"open sesame","isSecret":true}},{"name":"X-What","type":"Dynamic","properties":{"sourceField":"data.resourceUri"}}]`
	w.subscribe("cloud", `,"eventDeliverySchema":"CloudEventSchemaV1_0"`)
	body := `{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://hook.test/grid",` + headers + `}}}}`
	if status, answer := w.do("PUT", "eventSubscriptions/grid", body); status != 201 {
		t.Fatal(status, answer)
	}
	w.put("/products/Free", "products")
	w.settled(w.broker)
	calls := w.take()
	slices.SortFunc(calls, func(a, b received) int { return strings.Compare(a.path, b.path) })
	if len(calls) != 2 {
		t.Fatalf("%d calls, want 2", len(calls))
	}
	var cloud struct{ ID string }
	if err := json.Unmarshal([]byte(calls[0].body), &cloud); err != nil {
		t.Fatal(err)
	}
	equal(t, "CloudEvent", calls[0].body, `{"id":"`+cloud.ID+`","source":"`+service+`","subject":"/products/Free","data":{"resourceUri":"`+service+
		`/products/Free"},"type":"Microsoft.ApiManagement.ProductCreated","time":"2026-11-23T10:00:00.0000000Z","specversion":"1.0"}`)
	equal(t, "type", calls[0].header.Get("Content-Type"), "application/cloudevents+json; charset=utf-8")
	equal(t, "Event Grid's", calls[1].body, `[{"id":"`+cloud.ID+`","topic":"`+service+`","subject":"/products/Free","data":{"resourceUri":"`+service+
		`/products/Free"},"eventType":"Microsoft.ApiManagement.ProductCreated","dataVersion":"1","metadataVersion":"1","eventTime":"2026-11-23T10:00:00.0000000Z"}]`)
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Aeg-Event-Type": "Notification", "Aeg-Subscription-Name": "GRID", "Aeg-Delivery-Count": "0",
		"X-Key": "open sesame", "X-What": service + "/products/Free", "Aeg-Output-Event-Id": cloud.ID,
	} {
		equal(t, name, calls[1].header.Get(name), want)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, more := range map[string]string{"grid": "", "cloud": `,"eventDeliverySchema":"CloudEventSchemaV1_0"`} {
		body := `{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://hook.test/` + name + `","maxEventsPerBatch":3}}` + more + `}}`
		if status, answer := w.do("PUT", "eventSubscriptions/"+name, body); status != 201 {
			t.Fatal(status, answer)
		}
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		w.put("/users/"+name, "users")
	}
	w.settled(w.broker)
	sizes := map[string][]int{}
	for _, c := range w.take() {
		sizes[c.path] = append(sizes[c.path], strings.Count(c.body, "UserCreated"))
		if strings.HasSuffix(c.path, "cloud") {
			equal(t, "type", c.header.Get("Content-Type"), "application/cloudevents-batch+json; charset=utf-8")
		}
	}
	for _, path := range []string{"https://hook.test/grid", "https://hook.test/cloud"} {
		slices.Sort(sizes[path])
		if !slices.Equal(sizes[path], []int{1, 3}) {
			t.Errorf("batches to %s: %v", path, sizes[path])
		}
	}
}

// TestRetry follows Event Grid's schedule with a clock that stands still otherwise.
func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("hook", "")
	w.statuses(500, 500, 503, 404, 302)
	w.put("/users/ada", "users")
	for i, want := range []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute} {
		w.settled(w.broker)
		equal(t, "got", w.got(), "")
		d := w.delivery()
		wait := d.Next.Sub(w.time())
		if wait < want || wait > want+want/10 || d.Attempts != i+1 {
			t.Fatalf("after attempt %d (%d counted) it waits %s, want %s", i+1, d.Attempts, wait, want)
		}
		w.advance(wait - time.Millisecond)
		w.settled(w.broker)
		if again := w.delivery(); again.Attempts != i+1 {
			t.Fatalf("it was tried too early")
		}
		w.advance(time.Millisecond)
	}
	w.settled(w.broker)
	calls := w.take()
	if len(calls) != 1 || calls[0].header.Get("Aeg-Delivery-Count") != "5" {
		t.Fatalf("calls %v", calls)
	}
	if w.delivery() != nil {
		t.Error("a delivery that is done is still there")
	}
}

// delivery is the only one in the store, nil for none.
func (w *world) delivery() (d *delivery) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(r store.Reader) error {
		docs, err := r.List(w.t.Context(), store.Query{Service: logName, Type: typeDelivery})
		if err != nil {
			return err
		}
		for sd, err := range docs {
			if err != nil {
				return err
			}
			d = new(delivery)
			if err := json.Unmarshal(sd.Body, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status         int
		policy, schema string
		wait           time.Duration
		reason, last   string
		attempts       string
	}{
		"refused":      {400, `{}`, schemaEventGrid, 0, "UndeliverableDueToClientError", "BadRequest", "1"},
		"cloud":        {413, `{}`, schemaCloudEvent, 0, "UndeliverableDueToClientError", "PayloadTooLarge", "1"},
		"attempts":     {500, `{"maxDeliveryAttempts":2}`, schemaEventGrid, time.Minute, "MaxDeliveryAttemptsExceeded", "GenericError", "2"},
		"time to live": {500, `{"eventTimeToLiveInMinutes":1}`, schemaEventGrid, 2 * time.Minute, "TimeToLiveExceeded", "GenericError", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.subscribe("hook", `,"retryPolicy":`+c.policy+`,"eventDeliverySchema":"`+c.schema+`","deadLetterDestination":{"endpointType":"StorageBlob","properties":{"resourceId":"/r","blobContainerName":"letters"}}`)
			w.statuses(slices.Repeat([]int{c.status}, 50)...)
			w.put("/users/ada", "users")
			w.settled(w.broker)
			w.advance(c.wait)
			w.settled(w.broker)
			files, err := filepath.Glob(w.dead + "/letters/SHOP/HOOK/2026/11/23/10/*.json")
			if err != nil || len(files) != 1 {
				t.Fatalf("files %v, %v", files, err)
			}
			text, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			var letters []map[string]any
			if err := json.Unmarshal(text, &letters); err != nil || len(letters) != 1 {
				t.Fatalf("%s: %v", text, err)
			}
			lower := make(map[string]string)
			for k, v := range letters[0] {
				s, _ := json.Marshal(v)
				lower[strings.ToLower(k)] = strings.Trim(string(s), `"`)
			}
			equal(t, "reason", lower["deadletterreason"], c.reason)
			equal(t, "outcome", lower["lastdeliveryoutcome"], c.last)
			equal(t, "attempts", lower["deliveryattempts"], c.attempts)
			equal(t, "subject", lower["subject"], "/users/ada")
			if w.delivery() != nil {
				t.Error("the delivery is still there")
			}
		})
	}
}

// TestRestart: a broker that begins anew goes on where the one before stopped, with what it had not delivered.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("hook", "")
	w.statuses(503)
	w.put("/users/ada", "users")
	w.settled(w.broker)
	w.put("/users/bob", "users") // while nobody looks
	w.broker = w.newBroker("")
	w.advance(time.Minute)
	w.settled(w.broker)
	equal(t, "events", sortedLines(w.got()), "hook: UserCreated/users/ada\nhook: UserCreated/users/bob")
}

// TestReplicas: one delivers; another takes over when its lease is over or was let go.
func TestReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("hook", "")
	one, two := w.newBroker("one"), w.newBroker("two")
	w.settled(one)
	w.put("/users/ada", "users")
	if w.settled(two); two.leads {
		t.Fatal("both deliver")
	}
	equal(t, "events of the second", w.got(), "")
	w.settled(one)
	equal(t, "events of the first", w.got(), "hook: UserCreated/users/ada\n")
	w.put("/users/bob", "users")
	w.advance(leaseLife + time.Second)
	w.settled(two)
	equal(t, "events of the second", w.got(), "hook: UserCreated/users/bob\n")
	if w.settled(one); one.leads {
		t.Fatal("the first has not noticed")
	}
	_ = two.finish(t.Context())
	w.put("/users/cid", "users")
	w.settled(one)
	equal(t, "events of the first", w.got(), "hook: UserCreated/users/cid\n")
}

func TestScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := strings.Replace(service, "service/Shop", "service/Other", 1)
	w.put("/products/Free", "products")
	for name, scope := range map[string]string{"all": group, "one": service, "free": service + "/products/Free"} {
		body := `{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://hook.test/` + name + `"}}}}`
		if status, answer := w.doAt(scope, "PUT", "eventSubscriptions/"+name, body); status != 201 {
			t.Fatal(status, answer)
		}
	}
	w.settled(w.broker)
	w.putDocs(doc(other, "service"), doc(other+"/users/ada", "users"), doc(service+"/products/Free", "products"), doc(service+"/products/Freezer", "products"))
	w.settled(w.broker)
	equal(t, "events", sortedLines(w.got()), sortedLines(`all: ProductCreated/products/Freezer
all: ProductUpdated/products/Free
all: UserCreated/users/ada
free: ProductUpdated/products/Free
one: ProductCreated/products/Freezer
one: ProductUpdated/products/Free`))
	id, err := arm.ParseID(service)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.broker.Deleted(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	_, list := w.doAt(group, http.MethodGet, "eventSubscriptions", "")
	if n := len(list["value"].([]any)); n != 1 {
		t.Errorf("%d subscriptions are left, want that of the group", n)
	}
}

func TestGap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("hook", "")
	w.put("/users/ada", "users")
	w.put("/users/bob", "users")
	if err := w.store.Compact(t.Context(), strings.ToLower(service), 2); err != nil {
		t.Fatal(err)
	}
	w.settled(w.broker)
	w.put("/users/cid", "users")
	w.settled(w.broker)
	equal(t, "events", w.got(), "hook: UserCreated/users/cid\n")
	if n := w.broker.metrics.lost.Load(); n != 1 {
		t.Errorf("%d gaps were counted", n)
	}
}
