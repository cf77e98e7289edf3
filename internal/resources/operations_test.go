package resources

import (
	"strings"
	"testing"
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
