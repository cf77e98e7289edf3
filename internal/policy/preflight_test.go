package policy

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
)

func TestBackendURL(t *testing.T) {
	t.Parallel()
	f := func(base, path, query, want string) {
		t.Helper()
		u, err := message.ParseURL(base)
		if err != nil {
			t.Fatal(err)
		}
		x := Exec{Base: u, Request: &message.Request{URL: message.URL{Path: path, RawQuery: query}}}
		if got := x.BackendURL(); got.String() != want {
			t.Errorf("got %s, want %s", got.String(), want)
		}
	}
	f("http://b", "/x", "", "http://b/x")
	f("http://b/base/", "/x", "a=1", "http://b/base/x?a=1")
	f("https://b:8443/base?k=1", "/x", "a=1", "https://b:8443/base/x?k=1&a=1")
	f("https://b/base?k=1", "/", "", "https://b/base/?k=1")
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	f := func(service, api, want string) {
		t.Helper()
		in := func(inner string) string { return "<policies><inbound>" + inner + "</inbound></policies>" }
		d, report := c.Compile(in(api), Options{Scope: ScopeAPI, Lookup: testLookup{
			"fragment f": "<fragment><note text='1'/><text>answer</text></fragment>",
		}})
		if d == nil {
			t.Fatal(report.Errors)
		}
		var x Exec
		newExec(&x)
		answered, err := Link(compile(t, c, ScopeService, in(service)), d).Preflight(&x)
		got := "none"
		if answered {
			log, _ := x.Variable("log")
			got, _ = log.(string)
		}
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s and %s: got %s, want %s", service, api, got, want)
		}
	}
	f(`<text>answer</text>`, ``, "none")
	f(`<text>answer</text>`, `<text>pass</text><base /><text>answer</text>`, "global")
	f(`<text>pass</text>`, `<base /><text>answer</text>`, "api")
	f(``, `<use fragment="f" />`, "api")
	f(``, `<box><text>answer</text></box>`, "none")
	f(``, `<text>fail</text>`, "text: no")
}
