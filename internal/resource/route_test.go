package resource_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
)

func TestSupports(t *testing.T) {
	t.Parallel()
	f := func(path string, want bool) {
		t.Helper()
		if resource.Supports(path) != want {
			t.Errorf("Supports(%q) is %v", path, !want)
		}
	}
	f(resourcetest.Service, true)
	f(strings.ToUpper(resourcetest.Service)+"/APIS", true)
	f(resourcetest.Group+"/providers/microsoft.apimanagement/service", true)
	f("/subscriptions/s/providers/Microsoft.ApiManagement/service", true)
	f("/subscriptions/s/resourceGroups/providers/providers/Microsoft.ApiManagement/service/x", true)
	f("/subscriptions/s/providers/Microsoft.ApiManagement/locations/global/operationStatuses/x", true)
	f("/subscriptions/s/providers/Microsoft.ApiManagement/service/x", false)
	f("/subscriptions/s/providers/Microsoft.ApiManagement", false)
	f(resourcetest.Group, false)
	f(resourcetest.Group+"/providers/Microsoft.Web/service/x", false)
	f("/", false)
	f("", false)
}

func TestEngineRefusesOtherPaths(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	for _, path := range []string{"/apis/x", resourcetest.Group, resourcetest.Service + "/books", resourcetest.Service + "/nothing/x"} {
		id, err := arm.ParseID(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Engine.Put(t.Context(), id, []byte(`{"properties":{}}`)); err == nil {
			t.Errorf("PUT of %s is accepted", path)
		}
		if err := s.Engine.Remove(t.Context(), id); err == nil {
			t.Errorf("DELETE of %s is accepted", path)
		}
	}
}

// FuzzRequest sends any method, path and body: every answer is a status, and every error has a body that says why.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/books/a", "")
	f.Add("PUT", "/books/a", `{"properties":{"title":"A","copies":[{"number":1}]}}`)
	f.Add("PATCH", "/shelves/s?$filter=x", `{"properties":{"title":null}}`)
	f.Add("POST", "/books/a/burn", "x")
	f.Add("GET", "/books?$filter=title%20eq%20'a'&$top=1", "")
	s := serve(f, hooks{})
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A"}}`)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://h"+resourcetest.Service+path, strings.NewReader(body))
		if err != nil || method == "DELETE" && len(path) < 4 {
			return
		}
		q := r.URL.Query()
		q.Set("api-version", "2024-05-01")
		r.URL.RawQuery = q.Encode()
		w := httptest.NewRecorder()
		s.Engine.ServeHTTP(w, r)
		if w.Code < 200 || w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if w.Code >= 400 && method != http.MethodHead {
			var e struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Error.Code == "" || e.Error.Message == "" {
				t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	})
}
