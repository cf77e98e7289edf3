package resourcetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource"
)

// badValue is a value that a field's rules refuse.
type badValue struct {
	what  string
	value any // nil removes the property
}

// testInvalid writes bodies that break one rule each: the answer names the property, and nothing is stored.
func testInvalid(t *testing.T, srv *Server, s *sample) {
	errorCode(t, srv.Must(http.StatusBadRequest, "PUT", s.path(), `{"properties":`), "InvalidRequestContent")
	errorCode(t, srv.Must(http.StatusBadRequest, "PUT", s.path(), strings.Repeat(`{"properties":`, 100)+"1"+strings.Repeat("}", 100)), "InvalidRequestContent")
	s.testFields(t, srv, "PUT")
	for _, body := range s.variants {
		variant := *s
		variant.body = body
		variant.testFields(t, srv, "PUT")
	}
	if !s.info.Initial {
		srv.Must(http.StatusNotFound, "GET", s.path(), "")
	}
	if len(s.info.Names) == 0 && s.info.Path != "" {
		srv.Must(http.StatusBadRequest, "PUT", s.collection()+"/a%3Fb", s.body)
		srv.Must(http.StatusBadRequest, "PUT", s.collection()+"/"+strings.Repeat("n", 257), s.body)
	} else if s.info.Path != "" {
		srv.Must(http.StatusNotFound, "PUT", s.collection()+"/other", s.body)
	}
	// Properties that nobody knows are ignored and not kept.
	r := srv.Must(s.created(), "PUT", s.path(), s.with(t, []string{"unknownProperty"}, map[string]any{"a": 1}))
	if strings.Contains(string(r.Body), "unknownProperty") {
		t.Errorf("an unknown property is kept: %s", r.Body)
	}
	if s.info.Verbs&resource.Update == 0 {
		return
	}
	before := srv.Must(http.StatusOK, "GET", s.path(), "").Body
	s.testFields(t, srv, "PATCH")
	if after := srv.Must(http.StatusOK, "GET", s.path(), "").Body; string(after) != string(before) {
		t.Errorf("a PATCH that was refused has changed the resource:\n%s\n%s", before, after)
	}
}

// testFields writes bodies that break the rules of each property. A PATCH that removes a property says null.
func (s *sample) testFields(t *testing.T, srv *Server, method string) {
	var test func(f resource.FieldInfo, parents []string)
	test = func(f resource.FieldInfo, parents []string) {
		at := append(parents[:len(parents):len(parents)], f.Name)
		if f.ReadOnly {
			return
		}
		for _, bad := range badValues(f) {
			what := fmt.Sprintf("%s %s %s", method, pathOf(at), bad.what)
			r := srv.Do(method, s.path(), s.with(t, at, bad.value))
			if r.Status != http.StatusBadRequest {
				t.Fatalf("%s: status %d, want 400: %s", what, r.Status, r.Body)
			}
			errorCode(t, r, "ValidationError")
			if !names(r.JSON(t), pathOf(at)) {
				t.Errorf("%s: the error does not name the property: %s", what, r.Body)
			}
		}
		if f.Array {
			at = append(at, "0")
		}
		if f.Type == "object" && !f.Map && s.has(t, at) {
			for _, sub := range f.Fields {
				test(sub, at)
			}
		}
	}
	for _, f := range s.info.Fields {
		test(f, nil)
	}
}

// pathOf is how errors write the path of a property: pool.services[0].id.
func pathOf(at []string) string {
	return strings.ReplaceAll(strings.Join(at, "."), ".0", "[0]")
}

// names reports whether an error has a detail for the property or something in it.
func names(body map[string]any, property string) bool {
	e, _ := body["error"].(map[string]any)
	details, _ := e["details"].([]any)
	for _, d := range details {
		target, _ := d.(map[string]any)["target"].(string)
		if strings.HasPrefix(target, property) && d.(map[string]any)["message"] != "" {
			return true
		}
	}
	return false
}

func badValues(f resource.FieldInfo) (bad []badValue) {
	add := func(what string, value any) {
		if f.Array {
			value = []any{value}
		}
		bad = append(bad, badValue{what, value})
	}
	if f.Type != "any" {
		bad = append(bad, badValue{"of a wrong type", wrongType(f)})
	}
	if f.Required {
		bad = append(bad, badValue{"missing", nil})
	}
	if f.Map {
		return bad
	}
	if len(f.Enum) > 0 {
		add("of an unknown value", "no-such-value")
	}
	if f.URL {
		add("no URL", "not a url")
	}
	if f.Email {
		add("no address", "nobody")
	}
	if f.Refs != nil {
		id := "/" + strings.ReplaceAll(f.Refs[0], "/", "/none/") + "/none"
		add("dangling", id)
		add("of a type that does not exist", "/nothing/x")
		add("of another type", "/policies/policy")
		add("no ID", "no ID")
		add("of another service", strings.TrimSuffix(Service, "contoso")+"fabrikam"+id)
		add("of another provider", Group+"/providers/Microsoft.Web/sites/x")
	}
	if f.Max != nil && f.Type == "string" && !f.Array && len(f.Enum) == 0 {
		bad = append(bad, badValue{"too long", strings.Repeat("x", int(*f.Max)+1)})
	}
	if f.Type == "integer" && !f.Array {
		if f.Max != nil {
			bad = append(bad, badValue{"too large", *f.Max + 1})
		}
		if f.Min != nil {
			bad = append(bad, badValue{"too small", *f.Min - 1})
		}
	}
	return bad
}

func wrongType(f resource.FieldInfo) any {
	if !f.Array && !f.Map && (f.Type == "string" || f.Type == "date-time") {
		return 42
	}
	return "text"
}

// with returns the sample with the property at a path replaced, or removed when value is nil. "0" is the first item.
func (s *sample) with(t *testing.T, at []string, value any) string {
	t.Helper()
	body := decode(t, s.body)
	var props any = body
	if !s.info.TopLevel {
		if _, ok := body["properties"].(map[string]any); !ok {
			body["properties"] = map[string]any{}
		}
		props = body["properties"]
	}
	for _, name := range at[:len(at)-1] {
		if name == "0" {
			props = props.([]any)[0]
			continue
		}
		next := props.(map[string]any)[name]
		if next == nil {
			next = map[string]any{}
			props.(map[string]any)[name] = next
		}
		props = next
	}
	props.(map[string]any)[at[len(at)-1]] = value // null is as good as missing, and removes in a PATCH
	out, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// has reports whether the sample has a property.
func (s *sample) has(t *testing.T, at []string) bool {
	t.Helper()
	var v any = decode(t, s.body)
	if !s.info.TopLevel {
		v = v.(map[string]any)["properties"]
	}
	for _, name := range at {
		if items, ok := v.([]any); ok && name == "0" && len(items) > 0 {
			v = items[0]
			continue
		}
		obj, _ := v.(map[string]any)
		if v = obj[name]; v == nil {
			return false
		}
	}
	return true
}

// runSteps runs a sample's script.
func runSteps(t *testing.T, srv *Server, s *sample) {
	steps, err := parseSteps(s.steps)
	if err != nil {
		t.Fatalf("steps: %v", err)
	}
	for _, st := range steps {
		path := st.path
		if strings.HasPrefix(path, "NAME") {
			path = s.path() + strings.TrimPrefix(path, "NAME")
		}
		at := fmt.Sprintf("steps line %d: %s %s", st.line, st.method, st.path)
		r := srv.Do(st.method, path, strings.TrimSpace(st.body), st.headers...)
		if r.Status != st.status {
			t.Fatalf("%s: status %d, want %d: %s", at, r.Status, st.status, r.Body)
		}
		if want := strings.TrimSpace(st.want); want != "" {
			var w, g any
			if err := json.Unmarshal([]byte(want), &w); err != nil {
				t.Fatalf("%s: expected body: %v", at, err)
			}
			if err := json.Unmarshal(r.Body, &g); err != nil {
				t.Fatalf("%s: body: %v", at, err)
			}
			if d := differs(w, g, "body"); d != "" {
				t.Fatalf("%s: %s: %s", at, d, r.Body)
			}
		}
	}
}
