package policies_test

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
)

// TestPlacesAreEquivalent runs the same statements where they stand, out of a fragment, through <base /> and inside of a choose: what comes of
// them is the same.
func TestPlacesAreEquivalent(t *testing.T) {
	t.Parallel()
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	const inlineText = "%" // stands for the statements
	for _, statements := range []string{
		`<set-header name="X-A"><value>1</value></set-header><set-query-parameter name="q"><value>2</value></set-query-parameter>`,
		`<set-variable name="x" value="@(1 + 1)" /><set-header name="X-A"><value>@("" + context.Variables["x"])</value></set-header>`,
		`<set-body>@(context.Request.Method + 1)</set-body><rewrite-uri template="/other" />`,
		`<return-response><set-status code="202" /><set-body>x</set-body></return-response>`,
		`<set-variable name="x" value="@((int)(object)"x")" />`,
	} {
		want := ""
		for i, place := range []struct{ service, api string }{
			{"", inlineText},
			{inlineText, "<base />"},
			{"", `<include-fragment fragment-id="f" />`},
			{"", `<choose><when condition="false" /><otherwise>` + statements + `</otherwise></choose>`},
			{"", `<choose><when condition="@(context.Request != null)">` + statements + `</when></choose>`},
		} {
			fill := func(text string) string {
				if text == inlineText {
					return statements
				}
				return text
			}
			s := newSession(catalogue)
			s.host.fragments["f"] = "<fragment>" + statements + "</fragment>"
			got := s.outcome(
				s.compile(`<policies><inbound>`+fill(place.service)+`</inbound><backend><forward-request /></backend></policies>`, policy.ScopeService),
				s.compile(`<policies><inbound>`+fill(place.api)+`</inbound><backend><base /></backend></policies>`, policy.ScopeAPI))
			if i == 0 {
				want = got
			}
			if got != want {
				t.Errorf("%s\nin place %d: %s\nwant %s", statements, i, got, want)
			}
		}
	}
}

// outcome runs a request and writes down what the backend service and the caller got.
func (s *session) outcome(documents ...*policy.Document) string {
	request, err := parseRequest("GET /echo/op?a=b\nX-A: 0\n\nold")
	if err != nil {
		return err.Error()
	}
	s.config.start(&s.exec, s.host, request)
	s.exec.RequestID = [16]byte{}
	policy.Link(documents...).Run(&s.exec)
	body, err := message.ReadAll(s.exec.Response.Body, policy.MaxBody, -1)
	if err != nil {
		return err.Error()
	}
	text := formatResponse(s.exec.Response, body)
	if c := s.host.lastCall(); c != nil {
		text = c.format() + text
	}
	return text
}
