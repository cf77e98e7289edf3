package gateway

import (
	"slices"
	"testing"
)

func TestPatternMatch(t *testing.T) {
	t.Parallel()
	f := func(template, seg string, want ...string) {
		t.Helper()
		var values []string
		ok := parsePattern(template).match(seg, &values)
		if !ok {
			values = nil
		}
		if !slices.Equal(values, want) || ok != (want != nil) {
			t.Errorf("%s on %s: got %v %q, want %q", template, seg, ok, values, want)
		}
	}
	f("{id}.json", "a.json", "a")
	f("{id}.json", "a.b.json", "a.b")
	f("{id}.json", ".json")
	f("{id}.json", "a.xml")
	f("v{major}.{minor}", "v1.2", "1", "2")
	f("v{major}.{minor}", "V1.2.3", "1", "2.3")
	f("users('{id}')", "users('7')", "7")
	f("{a}{b}", "xyz", "x", "yz")
	f("{a}{b}", "x")
	f("{base}...{head}", "main...topic", "main", "topic")
}
