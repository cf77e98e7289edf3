package resources_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// document is a policy document with one statement in its inbound section, on the second line from the ninth column on.
func document(statement string) string {
	return "<policies>\r\n\t<inbound>" + statement + "</inbound>\n\t<backend><base /></backend>\n\t<outbound><base /></outbound>\n\t<on-error><base /></on-error>\n</policies>"
}

func putPolicy(t *testing.T, srv *resourcetest.Server, status int, path, text string) resourcetest.Response {
	t.Helper()
	return srv.Must(status, "PUT", path+"/policies/policy", props(t, map[string]any{"format": "rawxml", "value": text}))
}

// details returns the messages of an error and fails when it is not a ValidationError.
func details(t *testing.T, r resourcetest.Response) (messages []string) {
	t.Helper()
	e, _ := r.JSON(t)["error"].(map[string]any)
	if e["code"] != "ValidationError" {
		t.Fatalf("error is %s", r.Body)
	}
	list, _ := e["details"].([]any)
	for _, d := range list {
		messages = append(messages, d.(map[string]any)["message"].(string))
	}
	return messages
}

func TestPolicyErrors(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Must(http.StatusCreated, "PUT", "apis/echo", props(t, map[string]any{"path": "echo"}))
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"unknown policy":      {document("<set-hader/>"), []string{"line 2, column 11"}},
		"unknown fragment":    {document(`<include-fragment fragment-id="none" />`), []string{"line 2, column 11"}},
		"unknown named value": {document(`<set-header name="{{none}}"><value>1</value></set-header>`), []string{"line 2, column 29"}},
		"unknown backend":     {document(`<set-backend-service backend-id="none" />`), []string{"line 2, column 11"}},
		"unknown member":      {document("\n<set-variable name=\"a\"\n value=\"@(context.Nothing)\" />"), []string{"line 4, column "}},
		"wrong expression":    {document(`<set-variable name="a" value="@(1 + )" />`), []string{"line 2, column "}},
		"not XML":             {"<policies>\n<inbound>", []string{"line 2, column 1"}},
		"fragment":            {"<fragment />", []string{"line 1, column 1"}},
		"two":                 {document("<a/>\n<b/>"), []string{"line 2, column 11", "line 3, column 1"}},
		"unknown section":     {strings.Replace(document(""), "<inbound>", "<in>", 1), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			messages := details(t, putPolicy(t, srv, http.StatusBadRequest, "apis/echo", test.text))
			if len(messages) != len(test.want) {
				t.Fatalf("details are %q", messages)
			}
			for i, want := range test.want {
				if !strings.Contains(messages[i], want) {
					t.Errorf("message %q does not say %q", messages[i], want)
				}
			}
		})
	}
	srv.Must(http.StatusNotFound, "GET", "apis/echo/policies/policy", "")
}

// What is written comes back byte for byte in its own format, and means the same in the other one.
func TestPolicyBytes(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Must(http.StatusCreated, "PUT", "products/p", props(t, map[string]any{"displayName": "P"}))
	srv.Must(http.StatusCreated, "PUT", "apis/a", props(t, map[string]any{"path": "a"}))
	srv.Must(http.StatusCreated, "PUT", "apis/a/operations/o", props(t, map[string]any{"displayName": "O", "method": "GET", "urlTemplate": "/"}))
	for _, scope := range []string{"products/p", "apis/a", "apis/a/operations/o"} {
		for format, text := range map[string]string{
			"xml":    "\ufeff" + document("<!-- é -->  <set-header name='a'><value>x &amp; &#x41;</value></set-header>") + "\r\n\r\n",
			"rawxml": document(`<!-- é & -->  <set-header name="@("a" + 1)"><value>@{ return 1 < 2 && true ? "x" : "y"; }</value></set-header>`) + "\n",
		} {
			path := scope + "/policies/policy"
			srv.Do("PUT", path, props(t, map[string]any{"format": format, "value": text}))
			if got := property(t, srv.Must(http.StatusOK, "GET", path+"?format="+format, ""), "value"); got != text {
				t.Errorf("%s of %s: %q", format, scope, got)
			}
			other := map[string]string{"xml": "rawxml", "rawxml": "xml"}[format]
			converted := srv.Must(http.StatusOK, "GET", path+"?format="+other, "")
			srv.Must(http.StatusOK, "PUT", path, props(t, map[string]any{"format": other, "value": property(t, converted, "value")}))
		}
	}
}

func TestNamedValueInUse(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	status := func(want int, value string) resourcetest.Response {
		t.Helper()
		return srv.Do("PUT", "namedValues/calls", props(t, map[string]any{"displayName": "Calls", "value": value, "secret": true}))
	}
	if r := status(http.StatusCreated, "5"); r.Status != http.StatusCreated {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	srv.Must(http.StatusCreated, "PUT", "apis/echo", props(t, map[string]any{"path": "echo"}))
	putPolicy(t, srv, http.StatusCreated, "apis/echo", document(`<rate-limit calls="{{calls}}" renewal-period="60" />`))

	// A value that does not fit is refused and names the document.
	r := status(http.StatusBadRequest, "many")
	if messages := details(t, r); len(messages) != 1 || !strings.Contains(messages[0], "apis/echo/policies/policy") {
		t.Errorf("the error does not name the document: %s", r.Body)
	}
	if r := status(http.StatusOK, "6"); r.Status != http.StatusOK {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
	if messages := details(t, srv.Must(http.StatusBadRequest, "DELETE", "namedValues/calls", "")); !strings.Contains(messages[0], "apis/echo/policies/policy") {
		t.Errorf("the refusal names %q", messages)
	}
	putPolicy(t, srv, http.StatusOK, "apis/echo", document(""))
	srv.Must(http.StatusOK, "DELETE", "namedValues/calls", "")
}

func TestFragmentInUse(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fragment := func(status int, name, inner string) resourcetest.Response {
		t.Helper()
		return srv.Must(status, "PUT", "policyFragments/"+name, props(t, map[string]any{"format": "rawxml", "value": "<fragment>" + inner + "</fragment>"}))
	}
	srv.Must(http.StatusCreated, "PUT", "namedValues/limit", props(t, map[string]any{"displayName": "limit", "value": "5"}))
	fragment(http.StatusCreated, "Guard", `<set-header name="a"><value>1</value></set-header>`)
	details(t, fragment(http.StatusBadRequest, "bad", "<nothing/>"))
	details(t, fragment(http.StatusBadRequest, "nested", `<include-fragment fragment-id="Guard" />`))

	srv.Must(http.StatusCreated, "PUT", "apis/echo", props(t, map[string]any{"path": "echo"}))
	putPolicy(t, srv, http.StatusCreated, "apis/echo", document(`<include-fragment fragment-id="guard" />`))
	references := srv.Must(http.StatusOK, "POST", "policyFragments/guard/listReferences", "").JSON(t)["value"].([]any)
	if len(references) != 1 || !strings.HasSuffix(references[0].(map[string]any)["id"].(string), "/apis/echo/policies/policy") {
		t.Errorf("references are %v", references)
	}

	// The fragment may not hold what its place does not allow.
	messages := details(t, fragment(http.StatusBadRequest, "Guard", `<forward-request />`))
	if len(messages) != 1 || !strings.Contains(messages[0], "apis/echo/policies/policy") {
		t.Errorf("the refusal says %q", messages)
	}

	// What a changed fragment refers to counts at once, for the documents that include it as well.
	fragment(http.StatusOK, "Guard", `<rate-limit calls="{{limit}}" renewal-period="60" />`)
	r := srv.Must(http.StatusBadRequest, "PUT", "namedValues/limit", props(t, map[string]any{"displayName": "limit", "value": "x"}))
	if messages := details(t, r); len(messages) != 2 {
		t.Errorf("the refusal says %q", messages)
	}
	srv.Must(http.StatusBadRequest, "DELETE", "namedValues/limit", "")
	srv.Must(http.StatusBadRequest, "DELETE", "policyFragments/guard", "")

	// And no longer, once it does not.
	fragment(http.StatusOK, "Guard", "")
	srv.Must(http.StatusOK, "DELETE", "namedValues/limit", "")
	putPolicy(t, srv, http.StatusOK, "apis/echo", document(""))
	srv.Must(http.StatusOK, "DELETE", "policyFragments/guard", "")
}

// Gateways run a service's default policy when it has none of its own: from the start of a replica, and once its own is deleted.
func TestServicePolicyDeleted(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	feed := map[string]*snapshot.Snapshot{}
	publisher := func() *resource.Publisher {
		return resource.NewPublisher(resource.PublisherConfig{
			Store: srv.Store, Catalogue: srv.Engine.Catalogue(), Now: srv.Clock, Remove: func(string) {},
			Publish: func(service string, s *snapshot.Snapshot) error { feed[service] = s; return nil },
		})
	}
	want := snapshot.Policy{Format: "xml", Value: policy.DefaultServicePolicy}
	p := publisher()
	if err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.Must(http.StatusOK, "DELETE", "policies/policy", "")
	for range 2 {
		if err := p.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, part[snapshot.Policy](t, feed[srv.ServiceID().Key()], snapshot.KindPolicy, "policies/policy"), want)
		p = publisher() // another replica, which has not seen the deletion
	}
}
