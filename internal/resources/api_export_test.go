package resources_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/resources"
)

func TestExportLink(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Must(http.StatusCreated, "PUT", "apis/pets", props(t, map[string]any{"path": "pets", "format": "openapi", "value": petsOpenAPI}))
	exports := resources.NewExports(srv.Engine)
	get := func(link string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		exports.ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
		return w
	}
	export := func(format string) (answered, link string) {
		t.Helper()
		r := srv.Must(http.StatusOK, "GET", "apis/pets?export=true&format="+format, "")
		value, _ := property(t, r, "value").(map[string]any)
		link, _ = value["link"].(string)
		if !strings.HasPrefix(link, "http://manage.test"+resources.ExportPath+"?") {
			t.Fatalf("no link: %s", r.Body)
		}
		return property(t, r, "format").(string), link
	}
	format, link := export("openapi-link")
	if w := get(link); format != "openapi-link" || w.Code != http.StatusOK || w.Body.String() != petsOpenAPI {
		t.Errorf("%s: %d %s", format, w.Code, w.Body)
	}
	if format, link := export("swagger-link"); format != "swagger-link-json" || !strings.Contains(get(link).Body.String(), `"swagger": "2.0"`) {
		t.Errorf("%s: %s", format, get(link).Body)
	}
	for what, broken := range map[string]string{
		"another API":    strings.Replace(link, "pets", "dogs", 1),
		"another format": strings.Replace(link, "format=openapi", "format=swagger-json", 1),
		"longer":         strings.Replace(link, "expires=", "expires=9", 1),
		"no signature":   link[:strings.Index(link, "&signature=")],
		"no service":     "http://manage.test" + resources.ExportPath + "?api=/x",
	} {
		if w := get(broken); w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d: %s", what, w.Code, w.Body)
		}
	}
	srv.Now = srv.Now.Add(6 * time.Minute)
	if w := get(link); w.Code != http.StatusForbidden {
		t.Errorf("an old link: status %d", w.Code)
	}
	srv.Must(http.StatusBadRequest, "GET", "apis/pets?export=true&format=wsdl", "")
	srv.Must(http.StatusBadRequest, "GET", "apis/pets?export=true&format=raml-link", "")
}

// TestExportFollowsChanges writes and deletes operations after an import: the export says what the API is now.
func TestExportFollowsChanges(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	exports := resources.NewExports(srv.Engine)
	export := func() string {
		t.Helper()
		r := srv.Must(http.StatusOK, "GET", "apis/pets?export=true&format=openapi-link", "")
		value, _ := property(t, r, "value").(map[string]any)
		link, _ := value["link"].(string)
		w := httptest.NewRecorder()
		exports.ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
		return w.Body.String()
	}
	importIt := func(status int) {
		t.Helper()
		srv.Must(status, "PUT", "apis/pets", props(t, map[string]any{"path": "pets", "format": "openapi", "value": petsOpenAPI}))
	}
	importIt(http.StatusCreated)
	srv.Must(http.StatusCreated, "PUT", "apis/pets/operations/extra", `{"properties":{"displayName":"Extra","method":"GET","urlTemplate":"/extra"}}`)
	if got := export(); !strings.Contains(got, "/extra") {
		t.Errorf("the export does not have the new operation:\n%s", got)
	}
	importIt(http.StatusOK)
	if got := export(); got != petsOpenAPI {
		t.Errorf("after the import the export is not its text:\n%s", got)
	}
	srv.Must(http.StatusCreated, "PUT", "apis/pets/operations/extra", `{"properties":{"displayName":"Extra","method":"GET","urlTemplate":"/extra"}}`)
	srv.Must(http.StatusOK, "DELETE", "apis/pets/operations/extra", "")
	if got := export(); strings.Contains(got, "/extra") {
		t.Errorf("the export still has the operation:\n%s", got)
	}
	srv.Must(http.StatusNoContent, "DELETE", "apis/pets", "")
}
