package resources_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
)

// newServer returns a server that compiles policies and follows links to this machine.
func newServer(t *testing.T) *resourcetest.Server {
	t.Helper()
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	c, err := resources.New(resources.Env{Policies: catalogue, AllowLoopbackLinks: true})
	if err != nil {
		t.Fatal(err)
	}
	return resourcetest.NewService(t, c)
}

// props is a request's body.
func props(t *testing.T, properties map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"properties": properties})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// property reads a property of an answer.
func property(t *testing.T, r resourcetest.Response, name string) any {
	t.Helper()
	p, ok := r.JSON(t)["properties"].(map[string]any)
	if !ok {
		t.Fatalf("no properties: %s", r.Body)
	}
	return p[name]
}

// itemNames lists a collection.
func itemNames(t *testing.T, srv *resourcetest.Server, collection string) string {
	t.Helper()
	var names []string
	for _, item := range srv.Must(http.StatusOK, "GET", collection, "").JSON(t)["value"].([]any) {
		names = append(names, item.(map[string]any)["name"].(string))
	}
	return strings.Join(names, " ")
}

// The three versions of one description, each with what only it can say.
const (
	petsSwagger = `{
  "swagger": "2.0", "info": {"title": "Pets", "version": "1", "description": "Of all kinds."},
  "host": "pets.example", "basePath": "/v1", "schemes": ["https", "http"],
  "paths": {
    "/pets": {"get": {"operationId": "listPets", "responses": {"200": {"description": "All", "schema": {"$ref": "#/definitions/Pet"}}}}},
    "/pets/{id}": {"get": {"operationId": "getPet", "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}], "responses": {"200": {"description": "One"}}}}
  },
  "definitions": {"Pet": {"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "string"}}}}
}
`
	petsOpenAPI = `openapi: 3.0.3
info: {title: Pets, version: "1", description: Of all kinds.}
servers: [{url: "https://pets.example/v1"}]
paths:
  /pets:
    get:
      operationId: listPets
      responses:
        "200": {description: All, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
  /pets/{id}:
    get:
      operationId: getPet
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: One}}
components: {schemas: {Pet: {type: object}}}   # exact bytes
`
	petsOpenAPI31 = `{"openapi": "3.1.0", "info": {"title": "Pets", "version": "1", "description": "Of all kinds."},
 "servers": [{"url": "https://pets.example/v1"}],
 "paths": {"/pets": {"get": {"operationId": "listPets", "responses": {"200": {"description": "All", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}}}},
  "/pets/{id}": {"get": {"operationId": "getPet", "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": ["string", "null"]}}], "responses": {"200": {"description": "One"}}}}},
 "components": {"schemas": {"Pet": {"type": "object"}}}}`
)

func TestImport(t *testing.T) {
	t.Parallel()
	links := http.NewServeMux()
	srvLinks := httptest.NewServer(links)
	t.Cleanup(srvLinks.Close)
	for path, text := range map[string]string{"/swagger": petsSwagger, "/openapi": petsOpenAPI, "/openapi31": petsOpenAPI31} {
		links.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	}
	tests := []struct{ format, value, export, text string }{
		{"swagger-json", petsSwagger, "swagger-json", petsSwagger},
		{"openapi", petsOpenAPI, "openapi", petsOpenAPI},
		{"openapi+json", petsOpenAPI31, "openapi+json", petsOpenAPI31},
		{"openapi", petsOpenAPI31, "openapi+json", petsOpenAPI31},
		{"swagger-link-json", srvLinks.URL + "/swagger", "swagger-json", petsSwagger},
		{"openapi-link", srvLinks.URL + "/openapi", "openapi", petsOpenAPI},
		{"openapi+json-link", srvLinks.URL + "/openapi31", "openapi+json", petsOpenAPI31},
	}
	for _, test := range tests {
		t.Run(test.format, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			r := srv.Must(http.StatusCreated, "PUT", "apis/pets", props(t, map[string]any{"path": "pets", "format": test.format, "value": test.value}))
			for name, want := range map[string]any{"displayName": "Pets", "description": "Of all kinds.", "serviceUrl": "https://pets.example/v1", "value": nil} {
				if got := property(t, r, name); got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
			if got := itemNames(t, srv, "apis/pets/operations"); got != "getpet listpets" {
				t.Errorf("operations are %q", got)
			}
			if got := len(srv.Must(http.StatusOK, "GET", "apis/pets/schemas", "").JSON(t)["value"].([]any)); got != 1 {
				t.Errorf("%d schemas", got)
			}
			exported := srv.Must(http.StatusOK, "GET", "apis/pets?export=true&format="+strings.ReplaceAll(test.export, "+", "%2B"), "")
			if got := property(t, exported, "value"); got != test.text {
				t.Errorf("export in the format of the import is not the imported text:\n%v", got)
			}
			for _, other := range []string{"openapi", "openapi%2Bjson", "swagger-json"} {
				text, _ := property(t, srv.Must(http.StatusOK, "GET", "apis/pets?export=true&format="+other, ""), "value").(string)
				if !strings.Contains(text, "/pets/{id}") || !strings.Contains(text, "Pet") {
					t.Errorf("export as %s: %s", other, text)
				}
			}
		})
	}
}

func TestImportTags(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Must(http.StatusCreated, "PUT", "tags/small-pets", props(t, map[string]any{"displayName": "Mine"}))
	text := strings.NewReplacer("operationId: listPets", "operationId: listPets\n      tags: [Small pets, Größe, Small pets]", "operationId: getPet", "operationId: getPet\n      tags: [Other]").Replace(petsOpenAPI)
	srv.Must(http.StatusCreated, "PUT", "apis/pets", props(t, map[string]any{"path": "pets", "format": "openapi", "value": text}))
	if got := itemNames(t, srv, "tags"); got != "gr-e other small-pets" {
		t.Errorf("tags are %q", got)
	}
	if got := itemNames(t, srv, "apis/pets/operations/listpets/tags"); got != "gr-e small-pets" {
		t.Errorf("tags of the operation are %q", got)
	}
	if got := property(t, srv.Must(http.StatusOK, "GET", "tags/small-pets", ""), "displayName"); got != "Mine" {
		t.Errorf("the import renames a tag to %v", got)
	}
}

func TestImportKeepsWhatTheCallerSays(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	r := srv.Must(http.StatusCreated, "PUT", "apis/pets", props(t, map[string]any{
		"path": "pets", "format": "openapi", "value": petsOpenAPI, "displayName": "Mine", "serviceUrl": "http://other.example", "protocols": []string{"http"},
	}))
	if property(t, r, "displayName") != "Mine" || property(t, r, "serviceUrl") != "http://other.example" {
		t.Errorf("the description wins over the request: %s", r.Body)
	}
	// Operations can be changed and added by hand; a write without a description leaves them alone.
	srv.Must(http.StatusCreated, "PUT", "apis/pets/operations/own", props(t, map[string]any{"displayName": "Own", "method": "GET", "urlTemplate": "/own"}))
	srv.Must(http.StatusOK, "PUT", "apis/pets", props(t, map[string]any{"path": "pets"}))
	if got := itemNames(t, srv, "apis/pets/operations"); got != "getpet listpets own" {
		t.Errorf("operations are %q", got)
	}
}

func TestBrokenImportCreatesNothing(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	for name, text := range map[string]string{
		"not YAML":  "openapi: 3.0.3\ninfo: {title: x\n",
		"reference": "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /a:\n    get:\n      responses: {'200': {$ref: '#/components/responses/None'}}\n",
	} {
		r := srv.Must(http.StatusBadRequest, "PUT", "apis/broken", props(t, map[string]any{"path": "broken", "format": "openapi", "value": text}))
		e := r.JSON(t)["error"].(map[string]any)
		details, _ := e["details"].([]any)
		if e["code"] != "ValidationError" || len(details) != 1 {
			t.Fatalf("%s: %s", name, r.Body)
		}
		detail := details[0].(map[string]any)
		for what, message := range map[string]any{"message": e["message"], "detail": detail["message"]} {
			if s := message.(string); !strings.Contains(s, "line ") || !strings.Contains(s, "column ") {
				t.Errorf("%s: the %s does not say where: %s", name, what, s)
			}
		}
		if detail["target"] != "value" {
			t.Errorf("%s: target is %v", name, detail["target"])
		}
	}
	srv.Must(http.StatusNotFound, "GET", "apis/broken", "")

	// An API that exists stays as it is.
	srv.Must(http.StatusCreated, "PUT", "apis/pets", props(t, map[string]any{"path": "pets", "format": "openapi", "value": petsOpenAPI}))
	before := srv.Must(http.StatusOK, "GET", "apis/pets", "").Body
	srv.Must(http.StatusBadRequest, "PUT", "apis/pets", props(t, map[string]any{"path": "pets", "format": "openapi", "value": "openapi: 3.0.3"}))
	if after := srv.Must(http.StatusOK, "GET", "apis/pets", "").Body; string(after) != string(before) {
		t.Errorf("a broken import has changed the API: %s", after)
	}
	if got := itemNames(t, srv, "apis/pets/operations"); got != "getpet listpets" {
		t.Errorf("operations are %q", got)
	}
}

func TestLinkThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	srv := newServer(t)
	for link, code := range map[string]string{
		gone.URL:            "LinkUnreachable",
		"http://10.0.0.1/x": "LinkNotAllowed",
		"http://169.254.169.254/latest/meta-data": "LinkNotAllowed",
		"ftp://files.example/x":                   "LinkNotAllowed",
	} {
		for path, body := range map[string]string{
			"apis/x":          props(t, map[string]any{"path": "x", "format": "openapi-link", "value": link}),
			"policies/policy": props(t, map[string]any{"format": "xml-link", "value": link}),
		} {
			r := srv.Must(http.StatusBadRequest, "PUT", path, body)
			if got := r.JSON(t)["error"].(map[string]any)["code"]; got != code {
				t.Errorf("%s with %s: code %v, want %s", path, link, got, code)
			}
		}
	}
}

func TestReimport(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	put := func(status int, text string) {
		t.Helper()
		srv.Must(status, "PUT", "apis/pets", props(t, map[string]any{"path": "pets", "format": "openapi", "value": text}))
	}
	put(http.StatusCreated, petsOpenAPI)
	const document = "<policies>\r\n  <inbound><base /><set-header name=\"a\"><value>b</value></set-header></inbound>\n</policies>"
	for _, op := range []string{"getpet", "listpets"} {
		srv.Must(http.StatusCreated, "PUT", "apis/pets/operations/"+op+"/policies/policy", props(t, map[string]any{"value": document}))
	}
	put(http.StatusOK, strings.NewReplacer("operationId: listPets", "operationId: allPets", "description: One", "description: Exactly one", "Pet: {type: object}", "Pet: {type: string}").Replace(petsOpenAPI))
	if got := itemNames(t, srv, "apis/pets/operations"); got != "allpets getpet" {
		t.Errorf("operations are %q", got)
	}
	stays := srv.Must(http.StatusOK, "GET", "apis/pets/operations/getpet/policies/policy", "")
	if got := property(t, stays, "value"); got != document {
		t.Errorf("the policy of an operation that stays is %q", got)
	}
	srv.Must(http.StatusNotFound, "GET", "apis/pets/operations/listpets/policies/policy", "")
	changed := srv.Must(http.StatusOK, "GET", "apis/pets/operations/getpet", "")
	if !strings.Contains(string(changed.Body), "Exactly one") {
		t.Errorf("the operation is not renewed: %s", changed.Body)
	}
	schemas := srv.Must(http.StatusOK, "GET", "apis/pets/schemas", "")
	if n := len(schemas.JSON(t)["value"].([]any)); n != 1 || !strings.Contains(string(schemas.Body), `"type":"string"`) {
		t.Errorf("the old schema stays: %s", schemas.Body)
	}
}

func TestSetServiceURL(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	service, err := arm.ParseID(resourcetest.Service)
	if err != nil {
		t.Fatal(err)
	}
	set := func(api, url string) {
		t.Helper()
		if err := resources.SetServiceURL(t.Context(), srv.Engine, arm.Below(service, "apis/"+api), url); err != nil {
			t.Fatal(err)
		}
	}
	set("none", "http://127.0.0.1:1")
	srv.Must(http.StatusNotFound, "GET", "apis/none", "")
	srv.Must(http.StatusCreated, "PUT", "apis/echo", props(t, map[string]any{"path": "echo", "serviceUrl": "http://127.0.0.1:1"}))
	set("echo", "http://127.0.0.1:2")
	changed := srv.Must(http.StatusOK, "GET", "apis/echo", "")
	if got := property(t, changed, "serviceUrl"); got != "http://127.0.0.1:2" {
		t.Errorf("serviceUrl is %v", got)
	}
	set("echo", "http://127.0.0.1:2")
	if again := srv.Must(http.StatusOK, "GET", "apis/echo", ""); again.Header.Get("ETag") != changed.Header.Get("ETag") {
		t.Error("setting the same URL writes the API again")
	}
}
