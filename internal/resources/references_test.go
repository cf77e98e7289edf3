package resources_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
)

// References that rules of fields do not check are refused with the property's name, too, and nothing is stored.
func TestReferencesOfHooks(t *testing.T) {
	t.Parallel()
	s := resourcetest.NewService(t, catalogue(t))
	s.Must(201, "PUT", "apis/echo", `{"properties":{"displayName":"Echo","path":"echo"}}`)
	s.Must(201, "PUT", "apis/other", `{"properties":{"displayName":"Other","path":"other"}}`)
	elsewhere := strings.Replace(resourcetest.Service, "contoso", "fabrikam", 1)
	for _, c := range []struct{ path, body, target string }{
		{"subscriptions/new", `{"properties":{"displayName":"S","scope":%q}}`, "scope"},
		{"subscriptions/new", `{"properties":{"displayName":"S","scope":"/apis","ownerId":%q}}`, "ownerId"},
		{"apis/echo/releases/new", `{"properties":{"apiId":%q}}`, "apiId"},
		{"apis/new", `{"properties":{"displayName":"N","path":"new","sourceApiId":%q}}`, "sourceApiId"},
		{"apis/new", `{"properties":{"displayName":"N","path":"new","apiVersion":"v","apiVersionSetId":%q}}`, "apiVersionSetId"},
		{"apis/new", `{"properties":{"displayName":"N","path":"new","apiVersion":"v","apiVersionSet":{"id":%q}}}`, "apiVersionSet"},
	} {
		for _, id := range []string{
			"/apis/none", "/products/none", "/users/none", "/apis/echo/operations/none", "/named Values/x", "/loggers/x", "/apis/", "none",
			elsewhere + "/apis/echo", elsewhere, resourcetest.Group + "/providers/Microsoft.Web/sites/x", "/subscriptions/x",
		} {
			r := s.Do("PUT", c.path, fmt.Sprintf(c.body, id))
			if c.target == "scope" && r.Status == 201 && strings.Trim(id, "/") == "apis" {
				s.Must(200, "DELETE", c.path, "") // all APIs
				continue
			}
			if r.Status != 400 || !strings.Contains(string(r.Body), `"target":"`+c.target) {
				t.Errorf("%s with %s: %d %s", c.target, id, r.Status, r.Body)
			}
			s.Must(404, "GET", c.path, "")
		}
	}
	// A revision of another API.
	r := s.Must(400, "PUT", "apis/echo/releases/new", `{"properties":{"apiId":"/apis/other;rev=1"}}`)
	if !strings.Contains(string(r.Body), `"target":"apiId"`) {
		t.Errorf("%s", r.Body)
	}
}
