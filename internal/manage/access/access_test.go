package access_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/manage/access"
	"github.com/causeway-apim/causeway/internal/manage/audit"
	"github.com/causeway-apim/causeway/internal/manage/directory"
	"github.com/causeway-apim/causeway/internal/manage/signin"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	rootID       = "00000000-0000-0000-0000-000000000001"
	secret       = "secret of the first principal"
	subscription = "/subscriptions/00000000-0000-0000-0000-000000000000"
	group        = subscription + "/resourceGroups/demo"
	service      = group + "/providers/Microsoft.ApiManagement/service/contoso"
	rights       = "/providers/Microsoft.Authorization/"
	ours         = "/providers/Microsoft.Causeway/"
)

type instance struct {
	Location string `json:"location" rule:"required"`
}

type note struct {
	Text string `json:"text" rule:"required"`
	PIN  string `json:"pin,omitempty" rule:"secret"`
}

type harness struct {
	*manage.Server
	t   *testing.T
	dir *directory.Directory
}

// start makes a plane whose services hold notes, with everything that guards it.
func start(t *testing.T, limit manage.RateLimit) harness {
	t.Helper()
	catalogue, err := resource.NewCatalogue(
		resource.Define(resource.Spec[instance]{Name: "service", Verbs: resource.CRUDL, TopLevel: true}),
		resource.Define(resource.Spec[note]{Name: "notes", Parents: []string{""}, Verbs: resource.CRUDL}),
		resource.Define(resource.Spec[note]{Name: "pages", Parents: []string{"notes"}, Verbs: resource.CRUDL}),
	)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), "sqlite://:memory:", store.Options{Keyring: store.NewKeyring([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	audited := audit.Store{Store: st}
	dir := directory.New(audited, time.Now, rootID)
	if _, err := dir.KeepRoot(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	sign := signin.New(signin.Config{Directory: dir, Store: st, Now: time.Now, TenantID: "00000000-0000-0000-0000-000000000000"})
	control := access.New(dir, time.Now)
	log := &audit.Log{Store: st, Authorizer: control}
	accounts := access.Accounts{Control: control}
	s, err := manage.New(manage.Config{
		Store: audited, Catalogue: catalogue, Now: time.Now, Authenticator: sign, Authorizer: control, Endpoints: []manage.Endpoint{sign},
		Extensions: map[string]manage.Extension{
			"microsoft.authorization": access.Authorization{Control: control}, "microsoft.causeway": accounts, "microsoft.insights": log, "log": log,
		},
		OnDelete: control.Deleted, OnRefusal: audited.Refused, RateLimit: limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	log.Engine = s.Engine
	h := harness{s, t, dir}
	h.must(201, secret, "PUT", group, `{"location":"x"}`)
	h.must(201, secret, "PUT", service, `{"location":"x"}`)
	return h
}

func (h harness) must(status int, token, method, path, body string) map[string]any {
	h.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, "http://plane.test"+path+sep+"api-version=2024-05-01", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != status {
		h.t.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	var answer map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &answer) // some answers are empty
	return answer
}

// principal makes a service principal, gives it a role at a scope and returns its ID and an API token.
func (h harness) principal(n int, role, scope string) (id, token string) {
	h.t.Helper()
	id = fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", n)
	h.must(201, secret, "PUT", ours+"principals/"+id, `{"properties":{"kind":"ServicePrincipal","displayName":"p`+fmt.Sprint(n)+`"}}`)
	if role != "" {
		h.assign(201, secret, n, role, id, scope)
	}
	a := h.must(201, secret, "POST", ours+"apiTokens", `{"displayName":"t","principalId":"`+id+`"}`)
	return id, a["token"].(string)
}

func (h harness) assign(status int, token string, n int, role, principal, scope string) map[string]any {
	h.t.Helper()
	return h.must(status, token, "PUT", scope+rights+fmt.Sprintf("roleAssignments/cccccccc-0000-4000-8000-%012d", n),
		`{"properties":{"principalId":"`+principal+`","roleDefinitionId":"`+subscription+rights+`roleDefinitions/`+role+`"}}`)
}

func code(t *testing.T, answer map[string]any, want string) {
	t.Helper()
	e, _ := answer["error"].(map[string]any)
	if e["code"] != want {
		t.Errorf("the answer is %v, want code %s", answer, want)
	}
}

func TestRolesAtScopes(t *testing.T) {
	t.Parallel()
	h := start(t, manage.RateLimit{})
	_, nobody := h.principal(1, "", "")
	code(t, h.must(403, nobody, "GET", service, ""), "AuthorizationFailed")
	h.must(201, secret, "PUT", service+"/notes/a", `{"properties":{"text":"A"}}`)
	h.must(201, secret, "PUT", service+"/notes/b", `{"properties":{"text":"B"}}`)
	_, reader := h.principal(2, rbac.ReaderRole, service)
	h.must(200, reader, "GET", service+"/notes/a", "")
	h.must(200, reader, "GET", service+"/notes", "")
	h.must(403, reader, "PUT", service+"/notes/a", `{"properties":{"text":"C"}}`)
	h.must(403, reader, "DELETE", service+"/notes/a", "")
	h.must(403, reader, "GET", group, "")
	for path, n := range map[string]int{"/subscriptions": 1, subscription + "/resourceGroups": 1, "/tenants": 1} {
		if a := h.must(200, reader, "GET", path, ""); len(a["value"].([]any)) != n {
			t.Errorf("%s: %v", path, a)
		}
	}
	if a := h.must(200, nobody, "GET", "/subscriptions", ""); len(a["value"].([]any)) != 0 {
		t.Errorf("somebody without rights sees %v", a)
	}
	h.must(403, nobody, "GET", subscription, "")
	contributorID, contributor := h.principal(3, rbac.ContributorRole, service+"/notes/a")
	h.must(200, contributor, "PUT", service+"/notes/a", `{"properties":{"text":"C"}}`)
	h.must(201, contributor, "PUT", service+"/notes/a/pages/1", `{"properties":{"text":"P"}}`)
	h.must(403, contributor, "PUT", service+"/notes/b", `{"properties":{"text":"C"}}`)
	h.assign(403, contributor, 9, rbac.OwnerRole, contributorID, service+"/notes/a")
	h.must(403, contributor, "GET", ours+"principals", "")
	// Rights go with what they were for.
	h.must(200, contributor, "DELETE", service+"/notes/a", "")
	h.must(201, secret, "PUT", service+"/notes/a", `{"properties":{"text":"A"}}`)
	h.must(403, contributor, "GET", service+"/notes/a", "")
}

// Lists of what is in a subscription or a resource group show what the caller may read.
func TestListsAreFiltered(t *testing.T) {
	t.Parallel()
	h := start(t, manage.RateLimit{})
	other := subscription + "/resourceGroups/other"
	h.must(201, secret, "PUT", other, `{"location":"x"}`)
	h.must(201, secret, "PUT", strings.Replace(service, "demo", "other", 1)+"2", `{"location":"x"}`)
	h.must(201, secret, "PUT", service+"/notes/a", `{"properties":{"text":"A"}}`)
	_, all := h.principal(1, rbac.ReaderRole, subscription)
	_, one := h.principal(2, rbac.ReaderRole, service)
	_, narrow := h.principal(3, rbac.ContributorRole, service+"/notes/a")
	_, nobody := h.principal(4, "", "")
	services := "/providers/Microsoft.ApiManagement/service"
	for _, test := range []struct {
		token, path string
		want        int // -1: refused
	}{
		{all, subscription + services, 2}, {one, subscription + services, 1}, {narrow, subscription + services, 0}, {nobody, subscription + services, -1},
		{all, group + services, 1}, {one, group + services, 1}, {narrow, group + services, 0}, {one, other + services, -1}, {nobody, group + services, -1},
		{all, subscription + "/resources", 2}, {one, subscription + "/resources", 1}, {narrow, subscription + "/resources", 0}, {nobody, subscription + "/resources", -1},
		{all, group + "/resources", 1}, {one, group + "/resources", 1}, {one, other + "/resources", -1},
		{all, subscription + "/resourceGroups", 2}, {one, subscription + "/resourceGroups", 1}, {narrow, subscription + "/resourceGroups", 1},
	} {
		if test.want < 0 {
			code(t, h.must(403, test.token, "GET", test.path, ""), "AuthorizationFailed")
			continue
		}
		a := h.must(200, test.token, "GET", test.path, "")
		if got := len(a["value"].([]any)); got != test.want {
			t.Errorf("%s answers %d items, want %d: %v", test.path, got, test.want, a)
		}
		if n, counted := a["count"].(float64); counted && int(n) != test.want {
			t.Errorf("%s counts %v, want %d", test.path, n, test.want)
		}
	}
}

func TestAssignments(t *testing.T) {
	t.Parallel()
	h := start(t, manage.RateLimit{})
	id, token := h.principal(1, rbac.ReaderRole, service)
	code(t, h.assign(409, secret, 2, rbac.ReaderRole, id, service), "RoleAssignmentExists")
	h.assign(200, secret, 1, rbac.ReaderRole, id, service)
	code(t, h.assign(400, secret, 1, rbac.OwnerRole, id, service), "RoleAssignmentUpdateNotPermitted")
	code(t, h.assign(400, secret, 3, "dddddddd-0000-4000-8000-000000000000", id, service), "RoleDefinitionDoesNotExist")
	code(t, h.assign(400, secret, 3, rbac.ReaderRole, "dddddddd-0000-4000-8000-000000000000", service), "PrincipalNotFound")
	count := func(scope, filter string, want int) {
		t.Helper()
		a := h.must(200, secret, "GET", scope+rights+"roleAssignments?$filter="+filter, "")
		if n := len(a["value"].([]any)); n != want {
			t.Errorf("%s %s: %d assignments, want %d", scope, filter, n, want)
		}
	}
	count(service, "", 1)
	count(service+"/notes/x", "atScope()", 1)
	count(subscription, "", 1)
	count(subscription, "atScope()", 0)
	count(service, "principalId%20eq%20'"+id+"'", 1)
	count(service, "assignedTo('"+rootID+"')", 0)
	a := h.must(200, token, "GET", service+rights+"permissions", "")
	if p := a["value"].([]any); len(p) != 1 || p[0].(map[string]any)["actions"].([]any)[0] != "*/read" {
		t.Errorf("permissions: %v", a)
	}
	name := "/roleAssignments/cccccccc-0000-4000-8000-000000000001"
	h.must(404, secret, "GET", group+strings.TrimSuffix(rights, "/")+name, "")
	h.must(200, secret, "DELETE", service+strings.TrimSuffix(rights, "/")+name, "")
	h.must(204, secret, "DELETE", service+strings.TrimSuffix(rights, "/")+name, "")
	h.must(403, token, "GET", service, "")
}

func TestCustomRoles(t *testing.T) {
	t.Parallel()
	h := start(t, manage.RateLimit{})
	const id = "eeeeeeee-0000-4000-8000-000000000001"
	role := `{"properties":{"roleName":"Note writer","assignableScopes":["` + group + `"],"permissions":[{"actions":["Microsoft.ApiManagement/service/notes/*"],
		"notActions":["*/delete"],"dataActions":["Microsoft.ApiManagement/service/gateways/getConfiguration/action"]}]}}`
	h.must(201, secret, "PUT", subscription+rights+"roleDefinitions/"+id, role)
	code(t, h.must(409, secret, "PUT", subscription+rights+"roleDefinitions/"+strings.Replace(id, "1", "2", 1)[:35]+"3", role), "Conflict")
	for _, bad := range []string{
		`{"properties":{"roleName":"x","assignableScopes":[],"permissions":[{}]}}`, `{"properties":{"roleName":"Owner","assignableScopes":["/"],"permissions":[{}]}}`,
		`{"properties":{"roleName":"x","assignableScopes":["here"],"permissions":[{}]}}`, `{"properties":{"roleName":"x","assignableScopes":["/"],"permissions":[{"actions":["a b"]}]}}`,
	} {
		r := h.must(map[bool]int{true: 409, false: 400}[strings.Contains(bad, "Owner")], secret, "PUT", rights+"roleDefinitions/eeeeeeee-0000-4000-8000-000000000009", bad)
		if r["error"] == nil {
			t.Errorf("%s: %v", bad, r)
		}
	}
	code(t, h.must(400, secret, "PUT", rights+"roleDefinitions/"+rbac.OwnerRole, role), "ValidationError")
	who, token := h.principal(1, id, service)
	h.must(201, token, "PUT", service+"/notes/a", `{"properties":{"text":"A"}}`)
	h.must(403, token, "DELETE", service+"/notes/a", "")
	code(t, h.assign(400, secret, 2, id, who, subscription), "RoleDefinitionNotAssignableAtScope")
	code(t, h.must(409, secret, "DELETE", subscription+rights+"roleDefinitions/"+id, ""), "RoleDefinitionHasAssignments")
	a := h.must(200, secret, "GET", group+rights+"roleDefinitions?$filter=type%20eq%20'CustomRole'", "")
	if n := len(a["value"].([]any)); n != 1 {
		t.Errorf("%d custom roles", n)
	}
	h.must(200, secret, "DELETE", service+rights+"roleAssignments/cccccccc-0000-4000-8000-000000000001", "")
	h.must(200, secret, "DELETE", subscription+rights+"roleDefinitions/"+id, "")
	h.must(404, secret, "GET", subscription+rights+"roleDefinitions/"+id, "")
}

func TestLocksHold(t *testing.T) {
	t.Parallel()
	h := start(t, manage.RateLimit{})
	h.must(201, secret, "PUT", service+"/notes/a", `{"properties":{"text":"A"}}`)
	lock := service + "/notes/a" + rights + "locks/keep"
	h.must(400, secret, "PUT", lock, `{"properties":{"level":"Sometimes"}}`)
	h.must(201, secret, "PUT", lock, `{"properties":{"level":"CanNotDelete"}}`)
	code(t, h.must(409, secret, "DELETE", service+"/notes/a", ""), "ScopeLocked")
	code(t, h.must(409, secret, "DELETE", group, ""), "ScopeLocked")
	h.must(200, secret, "PUT", service+"/notes/a", `{"properties":{"text":"B"}}`)
	h.must(200, secret, "PUT", lock, `{"properties":{"level":"ReadOnly","notes":"for the audit"}}`)
	code(t, h.must(409, secret, "PUT", service+"/notes/a", `{"properties":{"text":"C"}}`), "ScopeLocked")
	if a := h.must(200, secret, "GET", group+rights+"locks", ""); len(a["value"].([]any)) != 1 {
		t.Errorf("locks: %v", a)
	}
	h.must(200, secret, "DELETE", lock, "")
	h.must(200, secret, "DELETE", service+"/notes/a", "")
}

func TestAccountsAndTokens(t *testing.T) {
	t.Parallel()
	h := start(t, manage.RateLimit{})
	const ada = "ffffffff-0000-4000-8000-000000000001"
	h.must(400, secret, "PUT", ours+"principals/"+ada, `{"properties":{"kind":"User","userName":"ada","displayName":"Ada","password":"short"}}`)
	h.must(404, secret, "GET", ours+"principals/"+ada, "")
	a := h.must(201, secret, "PUT", ours+"principals/"+ada, `{"properties":{"kind":"User","userName":"ada","displayName":"Ada","password":"long enough"}}`)
	if text := fmt.Sprint(a); strings.Contains(text, "long enough") || strings.Contains(text, "argon2") {
		t.Errorf("the password is answered: %s", text)
	}
	h.must(409, secret, "PUT", ours+"principals/"+strings.Replace(ada, "1", "2", 1), `{"properties":{"kind":"User","userName":"ADA","displayName":"Ada"}}`)
	id, token := h.principal(1, rbac.OwnerRole, "")
	s := h.must(200, token, "POST", ours+"principals/"+id+"/addPassword", `{"displayName":"ci"}`)
	if p, err := h.dir.Client(t.Context(), id, s["secretText"].(string)); err != nil || p == nil {
		t.Error(p, err)
	}
	h.must(204, token, "POST", ours+"principals/"+id+"/removePassword", `{"keyId":"`+s["keyId"].(string)+`"}`)
	if p, _ := h.dir.Client(t.Context(), id, s["secretText"].(string)); p != nil {
		t.Error("a secret that was removed works")
	}
	limited := h.must(201, token, "POST", ours+"apiTokens", `{"displayName":"ro","readOnly":true,"scope":"`+service+`"}`)["token"].(string)
	h.must(200, limited, "GET", service, "")
	h.must(403, limited, "GET", group, "")
	h.must(403, limited, "PUT", service, `{"location":"x"}`)
	h.must(403, limited, "POST", ours+"apiTokens", `{"displayName":"more"}`)
	h.must(400, token, "POST", ours+"apiTokens", `{"displayName":"old","endDateTime":"2020-01-01T00:00:00Z"}`)
	if me := h.must(200, limited, "GET", ours+"me", ""); me["id"] != id || me["readOnly"] != true {
		t.Errorf("me: %v", me)
	}
	h.must(200, secret, "PATCH", ours+"principals/"+id, `{"properties":{"disabled":true}}`)
	h.must(401, token, "GET", service, "")
	h.must(200, secret, "DELETE", ours+"principals/"+id, "")
	h.must(401, limited, "GET", service, "")
	h.must(400, secret, "DELETE", ours+"principals/"+rootID, "")
}

func TestAuditAndRestore(t *testing.T) {
	t.Parallel()
	h := start(t, manage.RateLimit{})
	_, reader := h.principal(1, rbac.ReaderRole, service)
	h.must(201, secret, "PUT", service+"/notes/a", `{"properties":{"text":"first","pin":"pin-one"}}`)
	h.must(201, secret, "PUT", service+"/notes/a/pages/1", `{"properties":{"text":"page"}}`)
	h.must(200, secret, "PUT", service+"/notes/a", `{"properties":{"text":"second","pin":"pin-two"}}`)
	h.must(403, reader, "DELETE", service+"/notes/a", "")
	h.must(200, secret, "DELETE", service+"/notes/a", "")
	log := service + "/providers/log/audit"
	entries := func(filter string) []any {
		t.Helper()
		return h.must(200, reader, "GET", log+"?$filter="+filter, "")["value"].([]any)
	}
	all := entries("")
	if len(all) != 7 { // the service and the role as well
		t.Fatalf("%d entries: %v", len(all), all)
	}
	if failed := entries("status%20eq%20'Failed'"); len(failed) != 1 || failed[0].(map[string]any)["statusCode"] != 403.0 || failed[0].(map[string]any)["caller"] != "p1" {
		t.Errorf("refused: %v", failed)
	}
	if role := all[5].(map[string]any); role["operation"] != "Microsoft.Authorization/roleAssignments/write" {
		t.Errorf("the assignment of the role: %v", role)
	}
	text := fmt.Sprint(all)
	for _, hidden := range []string{"pin-one", "pin-two"} {
		if strings.Contains(text, hidden) {
			t.Errorf("%s is shown: %s", hidden, text)
		}
	}
	deletion, change := all[0].(map[string]any)["id"].(string), all[2].(map[string]any)["id"].(string)
	one := h.must(200, reader, "GET", "/providers/log/audit/"+change, "")
	c := one["changes"].([]any)[0].(map[string]any)
	if c["before"].(map[string]any)["text"] != "first" || c["after"].(map[string]any)["text"] != "second" {
		t.Errorf("the change: %v", one)
	}
	h.must(403, reader, "POST", "/providers/log/audit/"+deletion+"/restore", "")
	if r := h.must(200, secret, "POST", "/providers/log/audit/"+deletion+"/restore", ""); len(r["restored"].([]any)) != 2 {
		t.Errorf("restored: %v", r)
	}
	h.must(200, reader, "GET", service+"/notes/a/pages/1", "")
	h.must(200, secret, "POST", "/providers/log/audit/"+change+"/restore", "")
	if n := h.must(200, reader, "GET", service+"/notes/a", ""); n["properties"].(map[string]any)["text"] != "first" {
		t.Errorf("the note: %v", n)
	}
	page := h.must(200, secret, "GET", subscription+"/providers/Microsoft.Insights/eventtypes/management/values?$top=1&$filter=resourceGroupName%20eq%20'demo'", "")
	event := page["value"].([]any)[0].(map[string]any)
	if page["nextLink"] == nil || event["caller"] != "admin" || event["resourceGroupName"] != "demo" || event["operationName"].(map[string]any)["value"] != "Microsoft.ApiManagement/service/notes/write" {
		t.Errorf("event: %v", page)
	}
	some := h.must(200, secret, "GET", subscription+"/providers/Microsoft.Insights/eventtypes/management/values?$top=1&$select=eventName,%20CALLER", "")
	if event := some["value"].([]any)[0].(map[string]any); len(event) != 2 || event["caller"] != "admin" || event["eventName"] == nil {
		t.Errorf("selected: %v", event)
	}
	h.must(400, secret, "GET", log+"?$filter=nonsense", "")
	h.must(404, secret, "GET", "/providers/log/audit/nothing", "")
	h.must(403, reader, "GET", "/providers/log/audit", "")
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	h := start(t, manage.RateLimit{PerSecond: 0.001, Burst: 4})
	for range 2 { // start has written twice
		h.must(200, secret, "PUT", group, `{"location":"x"}`)
	}
	code(t, h.must(429, secret, "PUT", group, `{"location":"x"}`), "TooManyRequests")
	h.must(200, secret, "GET", group, "")
}
