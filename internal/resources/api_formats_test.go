package resources_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// description reads a description of the importer's tests.
func description(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "importer", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestImportFormats imports each format and gets the same text back.
func TestImportFormats(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	for _, c := range []struct{ format, file, apiType, wantType, operation, template string }{
		{"wsdl", "orders.wsdl", "soap", "soap", "placeorder", "/?soapAction=urn:orders/PlaceOrder"},
		{"wsdl", "orders.wsdl", "http", "http", "placeorder", "/PlaceOrder"},
		{"wsdl", "orders.wsdl", "", "http", "placeorder", "/PlaceOrder"},
		{"wadl-xml", "library.wadl", "", "http", "listbooks", "/books"},
		{"odata", "people.csdl", "", "odata", "get-people", "/People"},
		{"grpc", "greeter.proto", "", "grpc", "greeter-sayhello", "/demo.v1.Greeter/SayHello"},
		{"graphql", "users.graphql", "", "graphql", "", ""},
	} {
		text := description(t, c.file)
		properties := map[string]any{"path": "p", "format": c.format, "value": text}
		if c.apiType != "" {
			properties["apiType"] = c.apiType
		}
		r := srv.Must(http.StatusCreated, "PUT", "apis/a", props(t, properties))
		if got := property(t, r, "type"); got != c.wantType {
			t.Errorf("%s %s: type %v, want %s", c.format, c.apiType, got, c.wantType)
		}
		if c.operation != "" {
			r = srv.Must(http.StatusOK, "GET", "apis/a/operations/"+c.operation, "")
			if got := property(t, r, "urlTemplate"); got != c.template {
				t.Errorf("%s: template %v, want %s", c.format, got, c.template)
			}
		}
		r = srv.Must(http.StatusOK, "GET", "apis/a?export=true&format="+c.format, "")
		if got := property(t, r, "value"); got != text {
			t.Errorf("%s: exported\n%v", c.format, got)
		}
		srv.Must(http.StatusNoContent, "DELETE", "apis/a", "")
	}
}

// TestReimportSOAP imports a SOAP service again: policies that somebody has changed stay, the others are made anew.
func TestReimportSOAP(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	importIt := func(status int, text string) {
		t.Helper()
		srv.Must(status, "PUT", "apis/a", props(t, map[string]any{"path": "p", "format": "wsdl", "value": text}))
	}
	policyOf := func(operation string) string {
		t.Helper()
		r := srv.Must(http.StatusOK, "GET", "apis/a/operations/"+operation+"/policies/policy?format=rawxml", "")
		return property(t, r, "value").(string)
	}
	text := description(t, "orders.wsdl")
	importIt(http.StatusCreated, text)
	const own = `<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`
	srv.Must(http.StatusOK, "PUT", "apis/a/operations/ping/policies/policy", props(t, map[string]any{"format": "rawxml", "value": own}))
	importIt(http.StatusOK, strings.ReplaceAll(text, "service.asmx", "moved.asmx"))
	if got := policyOf("placeorder"); !strings.Contains(got, "/moved.asmx") {
		t.Errorf("the policy is not made anew:\n%s", got)
	}
	if got := policyOf("ping"); strings.Contains(got, "asmx") {
		t.Errorf("the changed policy is not kept:\n%s", got)
	}
}

// TestRenamedOperation imports an operation under another name: it takes over the policy of the one with its method and template.
func TestRenamedOperation(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	const text = `{"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": {"/a/{b}": {"get": {"operationId": "old",
		"parameters": [{"name": "b", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": ""}}}}}}`
	importIt := func(status int, text string) {
		t.Helper()
		srv.Must(status, "PUT", "apis/a", props(t, map[string]any{"path": "p", "format": "openapi+json", "value": text}))
	}
	importIt(http.StatusCreated, text)
	const own = `<policies><inbound><base /><set-query-parameter name="mine"><value>1</value></set-query-parameter></inbound></policies>`
	srv.Must(http.StatusCreated, "PUT", "apis/a/operations/old/policies/policy", props(t, map[string]any{"format": "rawxml", "value": own}))
	importIt(http.StatusOK, strings.Replace(text, `"old"`, `"new"`, 1))
	srv.Must(http.StatusNotFound, "GET", "apis/a/operations/old", "")
	r := srv.Must(http.StatusOK, "GET", "apis/a/operations/new/policies/policy?format=rawxml", "")
	if got := property(t, r, "value"); !strings.Contains(got.(string), `name="mine"`) {
		t.Errorf("policy %v", got)
	}
}

// TestImportGraphQLLink introspects a service and reads a file.
func TestImportGraphQLLink(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/graphql" && r.Header.Get("Content-Type") == "application/json":
			_, _ = w.Write([]byte(`{"data": {"__schema": {"queryType": {"name": "Query"}, "types": [
				{"kind": "OBJECT", "name": "Query", "fields": [{"name": "a", "args": [{"name": "b", "type": {"kind": "LIST", "ofType": {"kind": "SCALAR", "name": "Int"}}, "defaultValue": "[1]"}],
				 "type": {"kind": "NON_NULL", "ofType": {"kind": "ENUM", "name": "E"}}, "isDeprecated": true, "deprecationReason": "old"}], "interfaces": []},
				{"kind": "ENUM", "name": "E", "enumValues": [{"name": "X"}]}, {"kind": "SCALAR", "name": "Int"}], "directives": []}}}`))
		case r.Method == http.MethodGet && r.URL.Path == "/schema":
			_, _ = w.Write([]byte("type Query { file: Int }"))
		default:
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}))
	t.Cleanup(backend.Close)
	srv := newServer(t)
	for link, want := range map[string]string{"/graphql": `a(b: [Int] = [1]): E! @deprecated(reason: "old")`, "/schema": "file: Int"} {
		srv.Must(http.StatusCreated, "PUT", "apis/g", props(t, map[string]any{"path": "g", "format": "graphql-link", "value": backend.URL + link}))
		r := srv.Must(http.StatusOK, "GET", "apis/g/schemas/graphql", "")
		document, _ := property(t, r, "document").(map[string]any)
		if sdl, _ := document["value"].(string); !strings.Contains(sdl, want) {
			t.Errorf("%s: schema\n%s", link, sdl)
		}
		srv.Must(http.StatusNoContent, "DELETE", "apis/g", "")
	}
}

// TestImportWSDLLink reads a service whose types stand in files of their own, and refuses links that are not allowed.
func TestImportWSDLLink(t *testing.T) {
	t.Parallel()
	whole := description(t, "orders.wsdl")
	start, end := strings.Index(whole, "<xs:schema "), strings.Index(whole, "</xs:schema>")+len("</xs:schema>")
	types := strings.Replace(whole[start:end], "<xs:schema ", `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:tns="urn:orders" `, 1)
	split := whole[:start] + `<xs:schema><xs:import namespace="urn:orders" schemaLocation="xsd/Types.xsd" /></xs:schema>` + whole[end:]
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a/service.wsdl":
			_, _ = w.Write([]byte(split))
		case "/a/xsd/Types.xsd":
			_, _ = w.Write([]byte(types))
		case "/bad.wsdl":
			_, _ = w.Write([]byte(strings.Replace(split, "xsd/Types.xsd", "http://169.254.169.254/x", 1)))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(backend.Close)
	srv := newServer(t)
	put := func(path string) map[string]any {
		return map[string]any{"path": "p", "format": "wsdl-link", "value": backend.URL + path, "apiType": "soap"}
	}
	srv.Must(http.StatusCreated, "PUT", "apis/a", props(t, put("/a/service.wsdl")))
	r := srv.Must(http.StatusOK, "GET", "apis/a/schemas/types", "")
	if !strings.Contains(string(r.Body), "PlaceOrder") {
		t.Errorf("schema: %s", r.Body)
	}
	r = srv.Must(http.StatusBadRequest, "PUT", "apis/b", props(t, put("/bad.wsdl")))
	if !strings.Contains(string(r.Body), "line 5, column 16") || !strings.Contains(string(r.Body), "link-local") {
		t.Errorf("answer: %s", r.Body)
	}
}

// TestImportOpenAPILink reads a description in several files; an export gives back the text of the first one.
func TestImportOpenAPILink(t *testing.T) {
	t.Parallel()
	const text = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths:\n  /a: {$ref: 'parts/a.yaml'}\n"
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/api.yaml":
			_, _ = w.Write([]byte(text))
		case "/v1/parts/a.yaml":
			_, _ = w.Write([]byte("get: {operationId: readA, responses: {'200': {description: OK, content: {a/b: {schema: {$ref: '../types.json#/A'}}}}}}"))
		case "/v1/types.json":
			_, _ = w.Write([]byte(`{"A": {"type": "object", "properties": {"a": {"$ref": "#/A"}}}}`))
		case "/bad.yaml":
			_, _ = w.Write([]byte(strings.Replace(text, "parts/a.yaml", "http://169.254.169.254/a", 1)))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(backend.Close)
	srv := newServer(t)
	put := func(path string) string {
		return props(t, map[string]any{"path": "p", "format": "openapi-link", "value": backend.URL + path})
	}
	srv.Must(http.StatusCreated, "PUT", "apis/a", put("/v1/api.yaml"))
	if r := srv.Must(http.StatusOK, "GET", "apis/a/operations/reada", ""); !strings.Contains(string(r.Body), `"typeName":"A"`) {
		t.Errorf("operation: %s", r.Body)
	}
	if r := srv.Must(http.StatusOK, "GET", "apis/a/schemas", ""); !strings.Contains(string(r.Body), `"a":{"$ref":"#/components/schemas/A"}`) {
		t.Errorf("schema: %s", r.Body)
	}
	if r := srv.Must(http.StatusOK, "GET", "apis/a?format=openapi&export=true", ""); !strings.Contains(string(r.Body), "parts/a.yaml") {
		t.Errorf("export: %s", r.Body)
	}
	if r := srv.Must(http.StatusBadRequest, "PUT", "apis/b", put("/bad.yaml")); !strings.Contains(string(r.Body), "line 4, column 14") || !strings.Contains(string(r.Body), "link-local") {
		t.Errorf("answer: %s", r.Body)
	}
}
