package arm

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var testFields = Fields{"name": FieldString, "count": FieldNumber, "isCurrent": FieldBool, "created": FieldTime, "tags": FieldList, "contract/path": FieldString}

func testGet(field string) any {
	return map[string]any{
		"name": "Echo API", "count": 3.0, "isCurrent": true, "created": time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC), "tags": []string{"red", "Blue"},
	}[field]
}

func TestFilter(t *testing.T) {
	t.Parallel()
	f := func(expr string, want bool) {
		t.Helper()
		p, err := ParseFilter(expr, testFields)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if got := p.Match(testGet); got != want {
			t.Errorf("%s is %v", expr, got)
		}
	}
	f("name eq 'echo api'", true)
	f("NAME EQ 'Echo API'", true)
	f("'echo api' eq name", true)
	f("name ne 'x'", true)
	f("name gt 'a' and name lt 'f'", true)
	f("properties/name eq 'echo api'", true)
	f("count ge 3", true)
	f("count gt 3", false)
	f("3 lt count", false)
	f("4 gt count", true)
	f("count le -1.5e1", false)
	f("isCurrent", true)
	f("isCurrent eq false", false)
	f("isCurrent ne false", true)
	f("not isCurrent or count eq 3", true)
	f("not (isCurrent or count eq 3)", false)
	f("name eq 'x' or name eq 'y' and isCurrent", false)
	f("isCurrent or name eq 'x' and name eq 'y'", true)
	f("(isCurrent eq true)", true)
	f("contains(name,'API')", true)
	f("substringof('cho', name)", true)
	f("startswith(name,'api')", false)
	f("endswith(name, 'api') eq true", true)
	f("endswith(name, 'api') ne true", false)
	f("created ge 2024-05-01", true)
	f("created lt 2024-05-01T12:00:00Z", false)
	f("created eq datetime'2024-05-01T12:00:00'", true)
	f("created le '2024-05-01T12:00:00Z'", true)
	f("tags eq 'blue'", true)
	f("tags ne 'blue'", false)
	f("contains(tags, 'lu')", true)
	f("contract/path eq null", true)
	f("contract.path ne null", false)
	f("name eq null", false)
	f("contains(contract/path, '')", false)
	f("name eq 'it''s'", false)
}

func TestFilterErrors(t *testing.T) {
	t.Parallel()
	f := func(expr, want string) {
		t.Helper()
		_, err := ParseFilter(expr, testFields)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Code != CodeInvalidFilter || e.Status != 400 || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
	f("", "position 1: expected a field")
	f("name eq 'a\x00'", "null characters")
	f("name eq '\xff'", "UTF-8")
	f("title eq 'x'", `position 1: "title" cannot be filtered by`)
	f("name", "expected one of eq")
	f("name eq", "position 8: expected a field or a value")
	f("name eq 'x", "position 9: unexpected")
	f("name eq 3", "position 9: name is a string")
	f("count eq 'x'", "count is a number")
	f("isCurrent gt true", "only eq and ne")
	f("name eq name", "compared with a value")
	f("1 eq 1", "compared with a value")
	f("name eq 'x' name", "position 13: unexpected")
	f("(name eq 'x'", `position 13: expected ")"`)
	f("length(name) eq 3", `expected ","`)
	f("upper(name,'x')", "unknown function")
	f("contains(count,'x')", "takes a string field")
	f("contains(name,'x') eq 'x'", "compared with true or false")
	f("name eq 'x' & true", "unexpected")
	f("created eq 2024-13-01", "unexpected")
	f(strings.Repeat("not ", 100)+"isCurrent", "nested more than")
	f(strings.Repeat("(", 100), "nested more than")
	f(strings.Repeat("x", 5000), "at most")
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"name eq 'x' and not (count gt 3)", "substringof('a',name) eq true", "created ge datetime'2024-05-01'", "((((", "name eq 'é''"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseFilter(s, testFields)
		if err != nil {
			return
		}
		p.Match(testGet)
		p.Match(func(string) any { return nil })
	})
}

// Hints are conditions that hold wherever the filter does.
func TestHints(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string][]Hint{
		"name eq 'Echo'":                            {{"name", "Echo", true}},
		"'Echo' eq name and count gt 1":             {{"name", "Echo", true}},
		"contains(name,'a') and tags eq 'b'":        {{"name", "a", false}, {"tags", "b", true}},
		"(isCurrent and startswith(name,'a'))":      {{"name", "a", false}},
		"contains(name,'a') eq true":                {{"name", "a", false}},
		"contains(name,'a') eq false":               nil,
		"name eq 'a' or name eq 'b'":                nil,
		"not (name eq 'a')":                         nil,
		"name ne 'a'":                               nil,
		"name gt 'a'":                               nil,
		"created eq 2024-05-01 and name eq null":    nil,
		"(name eq 'a' or isCurrent) and count eq 1": nil,
	} {
		f, err := ParseFilter(expr, testFields)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if !slices.Equal(f.Hints(), want) {
			t.Errorf("%s: hints %v, want %v", expr, f.Hints(), want)
		}
	}
}
