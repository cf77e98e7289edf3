package policies_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
)

// knownNames is a configuration for explanations.
type knownNames struct{}

func (knownNames) NamedValue(name string) (value string, secret, ok bool) {
	return "value-of-" + name, strings.HasPrefix(name, "secret"), true
}

func (knownNames) Fragment(string) (text, format string, ok bool) {
	return `<fragment><set-variable name="f" value="{{secret-f}}" /></fragment>`, "rawxml", true
}

func (knownNames) HasBackend(string) bool     { return true }
func (knownNames) HasCertificate(string) bool { return true }

// told is what is known of statements, a line each.
func told(statements []*policy.Statement) string {
	var b strings.Builder
	for _, s := range statements {
		fmt.Fprintf(&b, "%s %s %d:%d", s.Section, s.Path, s.Line, s.Column)
		for _, text := range []string{s.Document, s.Fragment, strings.Join(s.Buffers, "+"), s.Calls, strings.Join(s.NotOn, "+")} {
			if text != "" {
				b.WriteString(" [" + text + "]")
			}
		}
		for _, f := range s.Secrets {
			fmt.Fprintf(&b, " %s>%s", f.Secret, f.To)
			if f.May {
				b.WriteString("?")
			}
			if f.Leaves {
				b.WriteString("!")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestExplain(t *testing.T) {
	t.Parallel()
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	const document = `<policies>
<inbound>
<set-variable name="a" value="@("x" + "{{secret-a}}")" />
<set-variable name="plain" value="{{public}}" />
<include-fragment fragment-id="x" />
<retry condition="@(context.Response == null)" count="2" interval="1">
<set-header name="X-A" exists-action="override"><value>@((string)context.Variables["a"])</value></set-header>
</retry>
<set-variable name="b" value="@(context.Request.Headers.GetValueOrDefault("X-A", ""))" />
<authentication-managed-identity resource="r" />
<trace source="{{secret-t}}"><message>@((string)context.Variables["f"])</message></trace>
<set-body>@(context.Request.Body.As<string>())</set-body>
</inbound>
<backend><forward-request buffer-request-body="true" /></backend>
<outbound>
<set-body template="liquid">{{context.Variables["a"]}}</set-body>
</outbound>
</policies>`
	want := `inbound set-variable[1] 3:1 secret-a>variable a
inbound set-variable[2] 4:1
inbound include-fragment[1] 5:1
inbound include-fragment[1]/set-variable[1] 1:11 [x] secret-f>variable f
inbound retry[1] 6:1 secret-a>attribute "condition" of <retry>?
inbound retry[1]/set-header[1] 7:1 secret-a>set-header X-A of the request to the backend service!
inbound set-variable[3] 9:1 secret-a>variable b?
inbound authentication-managed-identity[1] 10:1 [the token endpoint of the gateway's identity] [workspace]
inbound trace[1] 11:1 secret-t>attribute "source" of <trace>, which is logged! secret-f>the content of <message>, which is logged!
inbound set-body[1] 12:1 [request] secret-a>the content of <set-body> of the request to the backend service?!
backend forward-request[1] 14:10 [request] [the backend service]
outbound set-body[1] 16:1 [request+response] secret-a>the content of <set-body> of the response!
`
	report := catalogue.Check(document, policy.Options{Lookup: knownNames{}, Explain: true})
	if got := told(report.Statements); got != want || !report.OK() {
		t.Errorf("%v\ngot\n%s\nwant\n%s", report.Errors, got, want)
	}
	if report := catalogue.Check(document, policy.Options{Lookup: knownNames{}}); report.Statements != nil {
		t.Error("statements without being asked")
	}
}

func TestEffective(t *testing.T) {
	t.Parallel()
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	scopes := []policy.ScopedText{
		{Scope: policy.ScopeService, Name: "service", Text: "<policies><inbound><set-variable name=\"s\" value=\"@(1 < 2)\"/></inbound><backend><forward-request /></backend></policies>"},
		{Scope: policy.ScopeProduct, Name: "product"},
		{Scope: policy.ScopeAPI, Name: "api", Text: `<policies>
<inbound><choose><when condition="true"><set-method>GET</set-method></when></choose><base /><set-variable name="a" value="1"/></inbound><backend><base/></backend>
<outbound><base /><set-status code="201" /></outbound></policies>`},
		{Scope: policy.ScopeOperation, Name: "operation", Text: `<policies><inbound><base /><!-- mine --></inbound><backend><base /></backend><outbound /></policies>`},
	}
	effective, reports := catalogue.Effective(scopes, policy.Options{})
	if effective == nil {
		t.Fatal(reports)
	}
	want := `inbound choose[1] 2:10 [api]
inbound choose[1]/when[1]/set-method[1] 2:41 [api]
inbound set-variable[1] 1:20 [service]
inbound set-variable[1] 2:93 [api]
backend forward-request[1] 1:80 [service] [the backend service]
`
	if got := told(effective.Statements); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	const inbound = `<inbound><!-- base: begin api scope --><choose><when condition="true"><set-method>GET</set-method></when></choose>` +
		`<!-- base: begin global scope --><set-variable name="s" value="@(1 < 2)"/><!-- base: end global scope --><set-variable name="a" value="1"/>` +
		`<!-- base: end api scope --><!-- mine --></inbound>`
	if !strings.Contains(effective.Value, inbound) || !strings.Contains(effective.Value, "<outbound></outbound>") || !strings.Contains(effective.Value, "<on-error></on-error>") {
		t.Errorf("got %s", effective.Value)
	}
	if report := catalogue.Check(effective.Value, policy.Options{}); !report.OK() {
		t.Errorf("the effective policy does not compile: %v", report.Errors)
	}
	if broken, reports := catalogue.Effective(append(scopes, policy.ScopedText{Text: "<policies><inbound><nothing /></inbound></policies>"}), policy.Options{}); broken != nil || len(reports) != 4 {
		t.Errorf("a broken document: %v, %v", broken, reports)
	}
}
