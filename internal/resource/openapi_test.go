package resource_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// The description of the API names every route once, and every reference in it leads somewhere.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := json.Unmarshal(library(t, hooks{}).OpenAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && !resolves(doc, ref) {
				t.Errorf("%s leads nowhere", ref)
			}
			if id, ok := v["operationId"].(string); ok {
				if ids[id] {
					t.Errorf("operation %s is there twice", id)
				}
				ids[id] = true
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(doc)
	for _, id := range []string{"Service_Get", "Books_CreateOrUpdate", "Books_listSecrets", "BooksPages_Update", "ShelvesBooks_GetEntityTag", "BooksShelves_List"} {
		if !ids[id] {
			t.Errorf("operation %s is missing", id)
		}
	}
	if ids["Scrolls_List"] {
		t.Error("a type that is not implemented is described")
	}
	paths, _ := doc["paths"].(map[string]any)
	for path := range paths {
		for name := range strings.SplitSeq(path, "{") {
			if param, _, ok := strings.Cut(name, "}"); ok && strings.Count(path, "{"+param+"}") != 1 {
				t.Errorf("%s: parameter %s is there twice", path, param)
			}
		}
	}
}

func resolves(doc any, ref string) bool {
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		obj, _ := doc.(map[string]any)
		if doc = obj[part]; doc == nil {
			return false
		}
	}
	return true
}

func TestReference(t *testing.T) {
	t.Parallel()
	page := library(t, hooks{}).Reference()
	for _, want := range []string{
		"## books/pages", "| `title` | string | required, *filter* |", "| `copies[].pin` | string | secret |", "| `language` | string | `en`, `de`, default `en` |",
		"Links to `books`.", "| `scrolls` | nobody reads them |", "| `POST listSecrets` |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
}
