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
	for _, f := range s.info.Fields {
		s.testField(t, srv, f, nil)
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
}

func (s *sample) testField(t *testing.T, srv *Server, f resource.FieldInfo, parents []string) {
	at := append(parents[:len(parents):len(parents)], f.Name)
	if f.ReadOnly {
		return
	}
	for _, bad := range badValues(f) {
		r := srv.Do("PUT", s.path(), s.with(t, at, bad.value))
		if r.Status != http.StatusBadRequest {
			t.Fatalf("%s %s: status %d, want 400: %s", strings.Join(at, "."), bad.what, r.Status, r.Body)
		}
		if !names(r.JSON(t), strings.Join(at, ".")) {
			t.Errorf("%s %s: the error does not name the property: %s", strings.Join(at, "."), bad.what, r.Body)
		}
	}
	if f.Type == "object" && !f.Array && !f.Map && s.has(t, at) {
		for _, sub := range f.Fields {
			s.testField(t, srv, sub, at)
		}
	}
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
		add("dangling", "/"+f.Refs[0]+"/no-such-resource")
		add("of a wrong type", "/nothing/x")
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

// with returns the sample with the property at a path replaced, or removed when value is nil.
func (s *sample) with(t *testing.T, at []string, value any) string {
	t.Helper()
	body := decode(t, s.body)
	props := body
	if !s.info.TopLevel {
		props, _ = body["properties"].(map[string]any)
		if props == nil {
			props = map[string]any{}
			body["properties"] = props
		}
	}
	for _, name := range at[:len(at)-1] {
		next, _ := props[name].(map[string]any)
		if next == nil {
			next = map[string]any{}
			props[name] = next
		}
		props = next
	}
	if value == nil {
		delete(props, at[len(at)-1])
	} else {
		props[at[len(at)-1]] = value
	}
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
		at = append([]string{"properties"}, at...)
	}
	for _, name := range at {
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
