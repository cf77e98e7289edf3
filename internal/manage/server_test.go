package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	token        = "a token that nobody guesses"
	subscription = "/subscriptions/00000000-0000-0000-0000-000000000000"
	group        = subscription + "/resourceGroups/demo"
	service      = group + "/providers/Microsoft.ApiManagement/service/contoso"
)

type instance struct {
	Location string `json:"location" rule:"required"`
}

type label struct {
	DisplayName string `json:"displayName" rule:"required"`
}

func catalogue(t testing.TB) *resource.Catalogue {
	t.Helper()
	c, err := resource.NewCatalogue(
		resource.Define(resource.Spec[instance]{Name: "service", Verbs: resource.CRUDL, TopLevel: true}),
		resource.Define(resource.Spec[label]{Name: "tags", Parents: []string{""}, Verbs: resource.CRUDL, Check: func(_ *resource.Tx, _, d *resource.Doc[label]) error {
			if d.Props.DisplayName == "panic" {
				panic("a bug")
			}
			return nil
		}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type harness struct {
	*manage.Server
	t   testing.TB
	log *bytes.Buffer
}

func start(t testing.TB, change func(*manage.Config)) harness {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite://:memory:", store.Options{Keyring: store.NewKeyring([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	h := harness{t: t, log: new(bytes.Buffer)}
	c := manage.Config{
		Store: st, Catalogue: catalogue(t), Now: time.Now, Log: slog.New(slog.NewJSONHandler(h.log, nil)),
		Authenticator: manage.NewBearerToken(token, manage.Principal{ID: "1", Name: "admin"}),
		Subscriptions: []string{"00000000-0000-0000-0000-000000000000"},
	}
	if change != nil {
		change(&c)
	}
	if h.Server, err = manage.New(c); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h harness) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	if !strings.Contains(path, "?") {
		path += "?api-version=2022-12-01"
		if strings.Contains(path, "Microsoft.ApiManagement/") {
			path = strings.Replace(path, "2022-12-01", "2024-05-01", 1)
		}
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, "http://plane.test"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (h harness) must(status int, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	w := h.do(method, path, body, headers...)
	if w.Code != status {
		h.t.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	return w
}

func contains(t *testing.T, w *httptest.ResponseRecorder, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(w.Body.String(), p) {
			t.Errorf("no %q in %s", p, w.Body)
		}
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	for _, header := range []string{"", "Basic abc", "Bearer", "Bearer wrong", "Bearer " + token + "x"} {
		w := h.must(401, "GET", subscription, "", "Authorization", header)
		if got := w.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer authorization_uri="http://plane.test/`) {
			t.Errorf("%q: WWW-Authenticate is %q", header, got)
		}
	}
	contains(t, h.must(401, "GET", service, "", "Authorization", ""), `"code":"AuthenticationFailed"`)
	contains(t, h.must(401, "GET", service, "", "Authorization", "Bearer x"), `"code":"InvalidAuthenticationToken"`)
	h.must(200, "GET", subscription, "", "Authorization", "bearer "+token)
	if strings.Contains(h.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestAuthorisation(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	h := start(t, func(c *manage.Config) {
		c.Authorizer = manage.AuthorizerFunc(func(_ context.Context, p manage.Principal, action string, scope arm.ID) error {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, action)
			if strings.HasSuffix(action, "/delete") {
				return manage.Forbidden(p, action, scope)
			}
			return nil
		})
	})
	h.must(201, "PUT", group, `{"location":"westeurope"}`)
	h.must(201, "PUT", service, `{"location":"westeurope"}`)
	contains(t, h.must(403, "DELETE", service+"/tags/x", ""), `"code":"AuthorizationFailed"`, "The client 'admin' does not", "Microsoft.ApiManagement/service/tags/delete", "/tags/x")
	h.must(403, "DELETE", group, "")
	h.must(200, "GET", subscription+"/resourcegroups", "")
	want := "Microsoft.Resources/subscriptions/resourceGroups/write Microsoft.ApiManagement/service/write Microsoft.ApiManagement/service/tags/delete " +
		"Microsoft.Resources/subscriptions/resourceGroups/delete Microsoft.Resources/subscriptions/resourceGroups/read"
	if got := strings.Join(asked, " "); got != want {
		t.Errorf("asked for\n%s, want\n%s", got, want)
	}
	// Work of the process itself is not asked for.
	id, err := arm.ParseID(service)
	if err == nil {
		err = h.Engine().Remove(t.Context(), id)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestSurroundings(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	contains(t, h.must(404, "PUT", service, `{"location":"x"}`), "ResourceGroupNotFound")
	contains(t, h.must(404, "GET", group, ""), "ResourceGroupNotFound")
	contains(t, h.must(201, "PUT", strings.ToLower(group), `{"location":"West Europe","tags":{"a":"1"}}`), `"location":"westeurope"`, `"name":"demo"`, `"provisioningState":"Succeeded"`)
	h.must(200, "PUT", group, `{"location":"westeurope"}`)
	h.must(409, "PUT", group, `{"location":"northeurope"}`)
	h.must(400, "PUT", group+"2", `{}`)
	h.must(400, "PUT", subscription+"/resourceGroups/a%3Fb", `{"location":"x"}`)
	contains(t, h.must(200, "PATCH", group, `{"tags":{"b":"2"}}`), `"b":"2"`)
	h.must(204, "HEAD", group, "")
	h.must(404, "HEAD", group+"2", "")
	contains(t, h.must(200, "GET", subscription+"/resourceGroups", ""), `"id":"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo"`)
	contains(t, h.must(200, "GET", "/subscriptions", ""), `"subscriptionId":"00000000-0000-0000-0000-000000000000"`, `"state":"Enabled"`)
	other := "/subscriptions/11111111-1111-1111-1111-111111111111"
	h.must(201, "PUT", other+"/resourceGroups/x", `{"location":"eastus"}`)
	contains(t, h.must(200, "GET", "/subscriptions", ""), "11111111-1111-1111-1111-111111111111")
	contains(t, h.must(404, "GET", "/subscriptions/nonsense", ""), "SubscriptionNotFound")
	contains(t, h.must(200, "GET", "/tenants", ""), `"tenantId"`)
	contains(t, h.must(200, "GET", subscription+"/locations", ""), "westeurope")
	contains(t, h.must(200, "GET", subscription+"/providers", ""), `"registrationState":"Registered"`)
	contains(t, h.must(200, "GET", subscription+"/providers/microsoft.apimanagement", ""), `"resourceType":"service/tags"`, "2024-05-01")
	h.must(200, "POST", subscription+"/providers/Microsoft.ApiManagement/register?api-version=2021-04-01", "")
	contains(t, h.must(200, "GET", "/providers/Microsoft.ApiManagement/operations", ""), "Microsoft.ApiManagement/service/tags/write")
	contains(t, h.must(400, "GET", "/subscriptions?x=1", ""), "MissingApiVersionParameter")
	contains(t, h.must(404, "GET", "/nowhere", ""), "InvalidResourceType")
	contains(t, h.must(200, "GET", "/metadata/endpoints?api-version=2022-09-01", "", "Authorization", ""), `"resourceManager":"http://plane.test"`, `"loginEndpoint"`, `"tenant":"common"`)
	contains(t, h.must(200, "GET", "/metadata/endpoints?api-version=2019-05-01", "", "Authorization", ""), `[{`)
	contains(t, h.must(200, "GET", "/metrics", "", "Authorization", ""), "causeway_management_request_duration_seconds_count{method=\"GET\",status=\"200\"}")
	contains(t, h.must(200, "GET", "/healthz", "", "Authorization", ""), "healthy")
	h.must(201, "PUT", service, `{"location":"x"}`)
	h.must(201, "PUT", service+"/tags/a", `{"properties":{"displayName":"A"}}`)
	contains(t, h.must(200, "PUT", service+"/tags/a", "\ufeff"+`{"properties":{"displayName":"with a byte order mark"}}`), "with a byte order mark")
	contains(t, h.must(400, "PUT", service+"/tags/a", "\ufeff"), "InvalidRequestContent")
	contains(t, h.must(409, "PUT", strings.Replace(strings.Replace(service, "demo", "x", 1), subscription, other, 1), `{"location":"x"}`), "ServiceAlreadyExists")
	h.must(200, "DELETE", group, "")
	h.must(404, "GET", service+"/tags/a", "")
	h.must(404, "DELETE", group, "")
}

func TestRequestsAreBoundAndLogged(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.must(201, "PUT", group, `{"location":"x"}`)
	h.must(201, "PUT", service, `{"location":"x"}`)
	contains(t, h.must(413, "PUT", service+"/tags/a", strings.Repeat(" ", 5<<20)), "RequestEntityTooLarge")
	contains(t, h.must(500, "PUT", service+"/tags/a", `{"properties":{"displayName":"panic"}}`), "InternalServerError")
	w := h.must(200, "GET", service, "", "x-ms-client-request-id", "me", "x-ms-return-client-request-id", "true")
	if id := w.Header().Get("x-ms-request-id"); w.Header().Get("x-ms-client-request-id") != "me" || !strings.Contains(h.log.String(), id) {
		t.Errorf("request identifiers: %v", w.Header())
	}
	lines := strings.Split(strings.TrimSpace(h.log.String()), "\n")
	var last struct {
		Msg, Method, Path string
		Status            int
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Msg != "management request" || last.Status != 200 || last.Path != service {
		t.Errorf("the log's last line: %+v, %v", last, err)
	}
	if !strings.Contains(h.log.String(), "a bug") {
		t.Error("the panic is not in the log")
	}
}

func TestMounted(t *testing.T) {
	t.Parallel()
	hello := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	h := start(t, func(c *manage.Config) {
		c.Connect = hello("connected")
		c.Handlers = map[string]http.Handler{"/console/": hello("console")}
	})
	contains(t, h.must(200, "GET", "/console/app.js", "", "Authorization", ""), "console")
	contains(t, h.must(200, "GET", "/gateway-configuration/v1/connect", "", "Authorization", ""), "connected")
	contains(t, h.must(200, "GET", service+"/gateway-configuration/v1/connect", "", "Authorization", ""), "connected")
}

// A write is answered after OnWrite, which gets the number of its change.
func TestOnWrite(t *testing.T) {
	t.Parallel()
	var calls []string
	h := start(t, func(c *manage.Config) {
		c.OnWrite = func(_ context.Context, service string, seq int64) error {
			calls = append(calls, fmt.Sprint(service[strings.LastIndex(service, "/")+1:], seq))
			return nil
		}
		c.Guard = func(_ context.Context, id arm.ID) error {
			if id.Name() == "file" {
				return arm.Errorf(arm.CodeManagedByFile, "A file manages it.")
			}
			return nil
		}
	})
	if err := h.PutResourceGroup(t.Context(), "00000000-0000-0000-0000-000000000000", "demo", "westeurope"); err != nil {
		t.Fatal(err)
	}
	h.must(201, "PUT", service, `{"location":"x"}`)
	h.must(201, "PUT", service+"/tags/a", `{"properties":{"displayName":"A"}}`)
	h.must(400, "PUT", service+"/tags/b", `{"properties":{}}`)
	h.must(204, "DELETE", service+"/tags/b", "")
	contains(t, h.must(409, "PUT", service+"/tags/file", `{"properties":{"displayName":"A"}}`), "ManagedByFile")
	h.must(200, "DELETE", service+"/tags/a", "")
	h.must(200, "DELETE", group, "")
	if got := strings.Join(calls, " "); got != "contoso1 contoso2 contoso3 contoso4" {
		t.Errorf("OnWrite was called with %s", got)
	}
}

func TestServeDrains(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	h := start(t, func(c *manage.Config) {
		c.Handlers = map[string]http.Handler{"/slow": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			<-leave
			_, _ = io.WriteString(w, "done")
		})}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, l, time.Minute) }()
	body := make(chan string, 1)
	go func() {
		r, err := http.Get("http://" + l.Addr().String() + "/slow")
		if err != nil {
			body <- err.Error()
			return
		}
		defer func() { _ = r.Body.Close() }()
		text, _ := io.ReadAll(r.Body)
		body <- string(text)
	}()
	<-entered
	stop()
	close(leave)
	if got := <-body; got != "done" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	w := h.must(200, "GET", "/openapi.json", "", "Authorization", "")
	contains(t, w, `"openapi":"3.0.3"`, "/tags/{tagsId}")
}

func BenchmarkPut(b *testing.B) {
	h := start(b, func(c *manage.Config) { c.Log = nil })
	h.must(201, "PUT", group, `{"location":"x"}`)
	h.must(201, "PUT", service, `{"location":"x"}`)
	h.must(201, "PUT", service+"/tags/a", `{"properties":{"displayName":"A"}}`)
	for b.Loop() {
		h.must(200, "PUT", service+"/tags/a", `{"properties":{"displayName":"A"}}`)
	}
}
