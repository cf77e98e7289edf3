package resource_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
)

// fillShelves writes n shelves: "Odd 1", "Even 2" and so on, named so that their order is that of the numbers.
func fillShelves(t *testing.T, s *resourcetest.Server, n int) {
	t.Helper()
	err := s.Engine.WriteFunc(t.Context(), s.ServiceID(), func(x *resource.Tx) error {
		docs := make([]*resource.Doc[shelf], n)
		for i := range docs {
			docs[i] = &resource.Doc[shelf]{Meta: resource.Meta{ID: s.ServiceID().Child("shelves", fmt.Sprintf("S%05d", i))}}
			docs[i].Props.Title = fmt.Sprintf("%s %d", []string{"Even", "Odd"}[i%2], i)
		}
		return resource.SaveAll(x, docs)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// walk follows the links of a list and returns the names that it answers and the count of its first page, nil for none.
func walk(t *testing.T, s *resourcetest.Server, path string) (names []string, count any) {
	t.Helper()
	for pages := 0; path != ""; pages++ {
		page := s.Must(200, "GET", path, "").JSON(t)
		if pages == 0 {
			count = page["count"]
		}
		for _, v := range page["value"].([]any) {
			names = append(names, v.(map[string]any)["name"].(string))
		}
		next, _ := page["nextLink"].(string)
		_, path, _ = strings.Cut(next, "/service/")
		_, path, _ = strings.Cut(path, "/")
	}
	return names, count
}

// A list of many pages holds everything once and in order, whether its pages are found by number, by the last item or by
// a filter, also one that selects less than a page of what is looked at for it. The count of a filtered list that is not
// read to its end is left out.
func TestLongList(t *testing.T) {
	t.Parallel()
	s := serve(t, hooks{})
	const n = 10_400
	fillShelves(t, s, n)
	for _, test := range []struct {
		query string
		first string
		want  int
		count any
	}{
		{"$top=1000", "S00000", n, float64(n)},
		{"$top=1000&$skip=3500", "S03500", n - 3500, float64(n)},
		{"$top=500&$skip=7000&$filter=" + url.QueryEscape("startswith(title,'odd') or startswith(title,'even')"), "S07000", n - 7000, nil},
		{"$top=1000&$filter=" + url.QueryEscape("startswith(title,'odd')"), "S00001", n / 2, nil},
		{"$top=1000&$filter=" + url.QueryEscape("not startswith(title,'odd')"), "S00000", n / 2, nil},
		{"$filter=" + url.QueryEscape("not (startswith(title,'odd') or startswith(title,'even 1') or startswith(title,'even 2'))"), "S00000", n/2 - 755 - 556, nil},
		{"$filter=" + url.QueryEscape("title eq 'even 4444'"), "S04444", 1, nil},
		{"$filter=" + url.QueryEscape("title eq 'odd 10399'"), "S10399", 1, nil},
		{"$filter=" + url.QueryEscape("contains(title,'ven 444')"), "S00444", 6, nil},
		{"$skip=5&$filter=" + url.QueryEscape("contains(title,'ven 444')"), "S04448", 1, nil},
		{"$filter=" + url.QueryEscape("endswith(title,' 5999') and not contains(title,'Even')"), "S05999", 1, nil},
		{"$filter=" + url.QueryEscape("name eq 's00007' or title eq 'Odd 9'"), "S00007", 2, nil},
		{"$filter=" + url.QueryEscape("title eq 'nobody'"), "", 0, nil},
	} {
		names, count := walk(t, s, "shelves?"+test.query)
		if len(names) != test.want || count != test.count || test.want > 0 && names[0] != test.first {
			t.Errorf("%s: %d items (%v …), count %v; want %d, count %v", test.query, len(names), names[:min(3, len(names))], count, test.want, test.count)
		}
		for i := 1; i < len(names); i++ {
			if names[i] <= names[i-1] {
				t.Errorf("%s: %s after %s", test.query, names[i], names[i-1])
				break
			}
		}
	}
	s.Must(400, "GET", "shelves?$skiptoken=%00", "")
	s.Must(400, "GET", "shelves?$skiptoken="+strings.Repeat("x", 600), "")
}
