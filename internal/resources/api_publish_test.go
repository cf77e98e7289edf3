package resources_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("have %+v\nwant %+v", got, want)
	}
}

func TestPublishedAPI(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Must(http.StatusCreated, "PUT", "apiVersionSets/Set", props(t, map[string]any{"displayName": "Set", "versioningScheme": "Query", "versionQueryName": "v"}))
	srv.Must(http.StatusCreated, "PUT", "apis/Echo", props(t, map[string]any{
		"displayName": "Echo API", "path": "/echo", "serviceUrl": "http://x.example", "protocols": []string{"http"}, "subscriptionRequired": false,
		"subscriptionKeyParameterNames": map[string]any{"header": "K"}, "apiVersion": "v1", "apiVersionSetId": "/apiVersionSets/set",
	}))
	srv.Must(http.StatusCreated, "PUT", "apis/Echo/operations/Get", props(t, map[string]any{
		"displayName": "Get it", "method": "get", "urlTemplate": "/{id}",
		"templateParameters": []any{map[string]any{"name": "id", "type": "string", "required": true}},
		"responses": []any{map[string]any{"statusCode": 200, "representations": []any{map[string]any{
			"contentType": "text/plain", "examples": map[string]any{"b": map[string]any{"value": map[string]any{"n": 1}}, "a": map[string]any{"value": "text"}},
		}}}},
	}))
	srv.Must(http.StatusCreated, "PUT", "apis/Echo;rev=2", props(t, map[string]any{"path": "echo", "sourceApiId": "/apis/echo", "serviceUrl": "http://y.example"}))
	text := document("<!-- raw & exact -->")
	putPolicy(t, srv, http.StatusCreated, "apis/Echo;rev=2/operations/Get", text)
	srv.Must(http.StatusCreated, "PUT", "policyFragments/Frag", props(t, map[string]any{"value": "<fragment />"}))

	s := publish(t, srv)
	want := snapshot.API{
		ID: "echo", Name: "Echo", Display: "Echo API", Type: "http", Path: "echo", Protocols: []string{"http"}, ServiceURL: "http://x.example",
		Revision: "1", IsCurrent: true, Version: "v1", VersionSet: "set", KeyHeader: "K", KeyQuery: "subscription-key",
	}
	same(t, part[snapshot.API](t, s, snapshot.KindAPI, "apis/echo"), want)
	second := part[snapshot.API](t, s, snapshot.KindAPI, "apis/echo;rev=2")
	if second.ID != "echo;rev=2" || second.Name != "Echo" || second.IsCurrent || second.Revision != "2" || second.ServiceURL != "http://y.example" || second.VersionSet != "set" {
		t.Errorf("the second revision is %+v", second)
	}
	op := part[snapshot.Operation](t, s, snapshot.KindOperation, "apis/echo;rev=2/operations/get")
	if op.API != "echo;rev=2" || op.Name != "Get" || op.Display != "Get it" || op.Method != "GET" || op.URLTemplate != "/{id}" || !op.Parameters[0].Required {
		t.Errorf("the operation is %+v", op)
	}
	same(t, op.Responses[0].Representations[0].Examples, []string{"text", `{"n":1}`})
	same(t, part[snapshot.VersionSet](t, s, snapshot.KindVersionSet, "apiversionsets/set"), snapshot.VersionSet{Name: "Set", Display: "Set", Scheme: "Query", QueryName: "v"})
	same(t, part[snapshot.Policy](t, s, snapshot.KindPolicy, "apis/echo;rev=2/operations/get/policies/policy"),
		snapshot.Policy{Scope: "apis/echo;rev=2/operations/get", Format: "rawxml", Value: text})
	same(t, part[snapshot.Fragment](t, s, snapshot.KindFragment, "policyfragments/frag"), snapshot.Fragment{Name: "Frag", Format: "xml", Value: "<fragment />"})
	srv.Must(http.StatusCreated, "PUT", "apis/Echo/releases/r", props(t, map[string]any{"apiId": "/apis/echo;rev=2"}))
	s = publish(t, srv)
	if current := part[snapshot.API](t, s, snapshot.KindAPI, "apis/echo"); current.Revision != "2" || !current.IsCurrent || current.ServiceURL != "http://y.example" {
		t.Errorf("after the release: %+v", current)
	}
	if p := part[snapshot.Policy](t, s, snapshot.KindPolicy, "apis/echo/operations/get/policies/policy"); p.Value != text {
		t.Errorf("after the release the policy is %+v", p)
	}
}
