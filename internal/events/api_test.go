package events

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

func TestSubscriptionLifecycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = "eventSubscriptions/Hook-1"
	body := `{"properties":{"destination":{"endpointType":"webhook","properties":{"endpointUrl":"https://hook.test/a?code=s3cret",
		"deliveryAttributeMappings":[{"name":"X-Key","type":"Static","properties":{"value":"hush","isSecret":true}}]}},
		"filter":{"subjectBeginsWith":"/apis/"},"labels":["a"],"provisioningState":"Nonsense"}}`
	status, answer := w.do("PUT", path, body)
	if status != 201 {
		t.Fatal(status, answer)
	}
	text := encode(t, answer)
	for _, want := range []string{
		`"id":"` + service + `/providers/Microsoft.EventGrid/eventSubscriptions/Hook-1"`, `"type":"Microsoft.EventGrid/eventSubscriptions"`,
		`"provisioningState":"Succeeded"`, `"endpointBaseUrl":"https://hook.test/a"`, `"maxEventsPerBatch":1`, `"preferredBatchSizeInKilobytes":64`,
		`"endpointType":"WebHook"`, `"eventDeliverySchema":"EventGridSchema"`, `"maxDeliveryAttempts":30`, `"eventTimeToLiveInMinutes":1440`, `"topic":"` + service + `"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	if status, answer = w.do("GET", strings.ToUpper(path), ""); status != 200 || encode(t, answer) != text {
		t.Errorf("GET answers %d %v", status, answer)
	}
	if strings.Contains(text, "s3cret") || strings.Contains(text, "hush") || bytes.Contains(w.dump(), []byte("s3cret")) {
		t.Error("a secret is shown or kept in clear")
	}
	if _, answer = w.do("POST", path+"/getFullUrl", ""); answer["endpointUrl"] != "https://hook.test/a?code=s3cret" {
		t.Errorf("getFullUrl answers %v", answer)
	}
	if _, answer = w.do("POST", path+"/getDeliveryAttributes", ""); !strings.Contains(encode(t, answer), `"hush"`) {
		t.Errorf("getDeliveryAttributes answers %v", answer)
	}
	if status, answer = w.do("PATCH", path, `{"filter":{"subjectEndsWith":"x"},"labels":["b"]}`); status != 201 {
		t.Fatal(status, answer)
	}
	text = encode(t, answer)
	if !strings.Contains(text, `"subjectBeginsWith":"/apis/","subjectEndsWith":"x"`) && !strings.Contains(text, `"subjectEndsWith":"x"`) || !strings.Contains(text, `"labels":["b"]`) || !strings.Contains(text, `/apis/`) {
		t.Errorf("PATCH answers %s", text)
	}
	if _, answer = w.do("POST", path+"/getFullUrl", ""); answer["endpointUrl"] != "https://hook.test/a?code=s3cret" {
		t.Errorf("a PATCH loses the URL: %v", answer)
	}
	for scope, want := range map[string]int{service: 1, group: 1, service + "/apis/x": 0} {
		if _, answer = w.doAt(scope, "GET", "eventSubscriptions", ""); len(answer["value"].([]any)) != want {
			t.Errorf("%s lists %v", scope, answer)
		}
	}
	for _, want := range []int{200, 204} {
		if status, _ = w.do("DELETE", path, ""); status != want {
			t.Errorf("DELETE answers %d, want %d", status, want)
		}
	}
	if status, _ = w.do("GET", path, ""); status != 404 {
		t.Errorf("GET of a deleted one answers %d", status)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dump is everything that is stored in clear.
func (w *world) dump() (all []byte) {
	err := w.store.View(w.t.Context(), func(r store.Reader) error {
		docs, err := r.List(w.t.Context(), store.Query{Service: logName})
		if err != nil {
			return err
		}
		for d, err := range docs {
			if err != nil {
				return err
			}
			all = append(all, d.Body...)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := func(more string) string {
		return `{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://h.test/"}}` + more + `}}`
	}
	for name, c := range map[string]struct{ method, path, body, want string }{
		"no body":         {"PUT", "eventSubscriptions/abc", ``, "InvalidRequestContent"},
		"no properties":   {"PUT", "eventSubscriptions/abc", `{}`, "properties is required"},
		"no destination":  {"PUT", "eventSubscriptions/abc", `{"properties":{}}`, "destination is required"},
		"other type":      {"PUT", "eventSubscriptions/abc", `{"properties":{"destination":{"endpointType":"EventHub"}}}`, "WebHook only"},
		"no URL":          {"PUT", "eventSubscriptions/abc", `{"properties":{"destination":{"endpointType":"WebHook"}}}`, "endpointUrl is required"},
		"bad URL":         {"PUT", "eventSubscriptions/abc", `{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"ftp://x"}}}}`, "absolute https URL"},
		"name":            {"PUT", "eventSubscriptions/a", hook(""), "3 to 64"},
		"schema":          {"PUT", "eventSubscriptions/abc", hook(`,"eventDeliverySchema":"CustomInputSchema"`), "eventDeliverySchema must be"},
		"attempts":        {"PUT", "eventSubscriptions/abc", hook(`,"retryPolicy":{"maxDeliveryAttempts":31}`), "1 to 30"},
		"life":            {"PUT", "eventSubscriptions/abc", hook(`,"retryPolicy":{"eventTimeToLiveInMinutes":-1}`), "1 to 1440"},
		"event type":      {"PUT", "eventSubscriptions/abc", hook(`,"filter":{"includedEventTypes":["Microsoft.Storage.BlobCreated"]}`), "no type of events"},
		"operator":        {"PUT", "eventSubscriptions/abc", hook(`,"filter":{"advancedFilters":[{"operatorType":"NumberNotGreaterThan","key":"data.x","value":1}]}`), "no operatorType"},
		"container":       {"PUT", "eventSubscriptions/abc", hook(`,"deadLetterDestination":{"endpointType":"StorageBlob","properties":{"blobContainerName":"../x"}}`), "blobContainerName"},
		"past":            {"PUT", "eventSubscriptions/abc", hook(`,"expirationTimeUtc":"2020-01-01T00:00:00Z"`), "in the future"},
		"identity":        {"PUT", "eventSubscriptions/abc", hook(`,"deliveryWithResourceIdentity":{}`), "without an identity"},
		"missing":         {"PATCH", "eventSubscriptions/abc", `{}`, "ResourceNotFound"},
		"method":          {"POST", "eventSubscriptions/abc", `{}`, "MethodNotAllowed"},
		"something else":  {"GET", "topics/abc", ``, "InvalidResourceType"},
		"missing for URL": {"POST", "eventSubscriptions/abc/getFullUrl", ``, "ResourceNotFound"},
	} {
		status, answer := w.do(c.method, c.path, c.body)
		if text := encode(t, answer); status < 400 || status > 499 || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d %s, want %q", name, status, text, c.want)
		}
	}
	if status, _ := w.doAt(service+"no", "PUT", "eventSubscriptions/abc", hook("")); status != 404 {
		t.Errorf("a scope that is not there: %d", status)
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema string
		answer func(code string) *http.Response
		status int
		want   string
	}{
		"wrong code":    {schemaEventGrid, func(string) *http.Response { return respond(200, `{"validationResponse":"no"}`) }, 400, "Url validation"},
		"refused":       {schemaEventGrid, func(string) *http.Response { return respond(403, "") }, 400, "response code 403"},
		"redirect":      {schemaEventGrid, func(string) *http.Response { return respond(302, "") }, 400, "response code 302"},
		"later":         {schemaEventGrid, func(string) *http.Response { return respond(200, "thanks") }, 201, stateAwaiting},
		"cloud later":   {schemaCloudEvent, func(string) *http.Response { return respond(200, "") }, 201, stateAwaiting},
		"cloud refused": {schemaCloudEvent, func(string) *http.Response { return respond(405, "") }, 400, "response code 405"},
		"lower case": {schemaEventGrid, func(code string) *http.Response {
			return respond(200, `{"ValidationResponse":"`+strings.ToLower(code)+`"}`)
		}, 201, stateSucceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.answer = func(_ *http.Request, body []byte) *http.Response {
				var q []struct {
					Data struct{ ValidationCode string }
				}
				if err := json.Unmarshal(body, &q); err != nil || len(q) == 0 {
					return c.answer("")
				}
				return c.answer(q[0].Data.ValidationCode)
			}
			body := `{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://h.test/"}},"eventDeliverySchema":"` + c.schema + `"}}`
			status, answer := w.do("PUT", "eventSubscriptions/abc", body)
			if text := encode(t, answer); status != c.status || !strings.Contains(text, c.want) {
				t.Errorf("%d %s, want %d with %s", status, text, c.status, c.want)
			}
		})
	}
}

// TestValidationURL: an endpoint that cannot answer with the code opens the URL, once and in time.
func TestValidationURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var link string
	w.answer = func(r *http.Request, body []byte) *http.Response {
		if r.Header.Get("aeg-event-type") == "Notification" {
			return nil
		}
		var q []struct {
			Data struct{ ValidationURL string }
		}
		if err := json.Unmarshal(body, &q); err == nil {
			link = q[0].Data.ValidationURL
		}
		return respond(200, "")
	}
	w.subscribe("late", "")
	w.advance(validationLife + time.Second)
	if status, text := w.open(link); status != 404 {
		t.Errorf("too late: %d %s", status, text)
	}
	if _, answer := w.do("GET", "eventSubscriptions/late", ""); answer["properties"].(map[string]any)["provisioningState"] != stateFailed {
		t.Errorf("the state is %v", answer)
	}
	w.subscribe("late", "")
	w.put("/users/ada", "users")
	w.settled(w.broker)
	equal(t, "events before the consent", w.got(), "")
	if status, text := w.open(link); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if status, _ := w.open(link); status != 404 {
		t.Errorf("the second time: %d", status)
	}
	w.put("/users/bob", "users")
	w.settled(w.broker)
	equal(t, "events", w.got(), "late: UserCreated/users/bob\n")
}

func (w *world) open(link string) (int, string) {
	rec := httptest.NewRecorder()
	w.broker.ServeValidation(rec, httptest.NewRequest(http.MethodGet, link, nil))
	return rec.Code, rec.Body.String()
}

func TestTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, answer := w.do("GET", "topicTypes/Microsoft.ApiManagement.Service/eventTypes", "")
	if n := len(answer["value"].([]any)); n != 32 { // 30 of Azure's and ours
		t.Errorf("%d types of events", n)
	}
}

func FuzzSubscription(f *testing.F) {
	f.Add([]byte(`{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://h.test/?a=b"}},"filter":{"advancedFilters":[{"operatorType":"StringNotIn","key":"data.a.b","values":["x"]}]}}`))
	f.Add([]byte(`{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://h.test/"}},"filter":{"advancedFilters":[{"operatorType":"NumberInRange","key":"data","values":[[1,2]]}],"enableAdvancedFilteringOnArrays":true}}`))
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	e := &Event{ID: "1", Type: TypeTokenExpired, Topic: service, Subject: "/gateways/a/b", Time: now, Data: []byte(`{"a":{"b":[1,"x",null]}}`)}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &stored{Scope: service, Name: "abc", Created: now}
		if json.Unmarshal(text, &s.Subscription) != nil || s.complete(now, false) != nil {
			return
		}
		s.State = stateSucceeded
		want := s.wants(e)
		d, err := s.document()
		if err != nil {
			t.Fatal(err)
		}
		again, err := subscriptionOf(d)
		if err != nil {
			t.Fatalf("what was stored cannot be read: %v", err)
		}
		if again.Destination.Props.URL != s.Destination.Props.URL || again.wants(e) != want {
			t.Errorf("it comes back changed: %s", d.Body)
		}
		if _, err := arm.ParseID(s.id()); err != nil {
			t.Error(err)
		}
	})
}
