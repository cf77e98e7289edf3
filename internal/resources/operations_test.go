package resources

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// Whatever stands in a template, its names are taken from braces, each once, or the template is refused with a reason.
func FuzzTemplateNames(f *testing.F) {
	for _, seed := range []string{"/", "/a/{b}", "/{a}/{*rest}?q={q}", "/{", "/}", "/{}", "/{a}{a}", "/{a/b}", "/{{a}}", "/{é}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, template string) {
		names, problem := templateNames(template)
		if problem != "" {
			return
		}
		if n := strings.Count(template, "{"); n != len(names) || n != strings.Count(template, "}") {
			t.Fatalf("%d names of %q", len(names), template)
		}
		seen := make(map[string]bool)
		for _, name := range names {
			if seen[name] || name == "" || !strings.Contains(template, name+"}") {
				t.Fatalf("name %q of %q", name, template)
			}
			seen[name] = true
		}
	})
}

// Long templates are told apart by more than what is indexed, and what is indexed stays valid text.
func TestRouteOfLongTemplates(t *testing.T) {
	t.Parallel()
	var d resource.Doc[Operation]
	d.ID = arm.Path("subscriptions", "s", "resourceGroups", "g", "providers", arm.Provider, "service", "x", "apis", "a", "operations", "o")
	for n := range 4 {
		d.Props.URLTemplate = "/" + strings.Repeat("x", n) + strings.Repeat("€", 300)
		if route := routeOf(&d); !utf8.ValidString(route) || len(route) > 400 {
			t.Errorf("route %q", route)
		}
	}
}
