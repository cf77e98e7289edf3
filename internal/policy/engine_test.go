package policy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// The policies of these tests.

type notePolicy struct {
	Text  Value[string] `attr:"text,required"`
	Count Value[int]    `attr:"count" default:"1" min:"1" max:"3"`
	Mode  string        `attr:"mode" enum:"loud,quiet"`
	Name  string        `attr:"name,const"`
	Items []noteItem    `elem:"item"`
	Body  Value[string] `elem:"body"`
}

type noteItem struct {
	Key  string        `attr:"key,required"`
	Text Value[string] `text:"required"`
}

func (p *notePolicy) Run(x *Exec) error {
	text, err := p.Text.Get(x)
	if err != nil {
		return err
	}
	log, _ := x.Variable("log")
	before, _ := log.(string)
	x.SetVariable("log", before+text+"@"+x.Scope.String()+" ")
	return nil
}

type failPolicy struct {
	Status int    `attr:"status" default:"0"`
	Kind   string `attr:"kind" default:"error" enum:"error,plain,stop,skip,gone"`
}

func (p *failPolicy) Run(x *Exec) error {
	switch p.Kind {
	case "plain":
		return errors.New("plain failure")
	case "stop":
		x.SetResponse(&message.Response{Status: 299})
		return ErrStop
	case "skip":
		x.SetResponse(&message.Response{Status: 203})
		return ErrSkipBackend
	case "gone":
		return message.ErrClientGone
	}
	return &Error{Reason: "Failed", Message: "It failed.", Status: p.Status, Header: message.NewHeader("Retry-After", "7")}
}

type boxPolicy struct {
	Inner []boxInner `elem:"inner"`
	Steps Block      `only:"note,fail,box,text"`
}

type boxInner struct{ Steps Block }

func (p *boxPolicy) Run(x *Exec) error {
	for _, inner := range p.Inner {
		if err := x.Run(inner.Steps); err != nil {
			return err
		}
	}
	return x.Run(p.Steps)
}

type usePolicy struct {
	Backend     string `attr:"backend"`
	Certificate string `attr:"certificate"`
	Fragment    string `attr:"fragment"`
	steps       Block
}

func (p *usePolicy) Compile(c *Compiler) error {
	if p.Backend != "" {
		c.Backend(p.Backend)
	}
	if p.Certificate != "" {
		c.Certificate(p.Certificate)
	}
	if p.Fragment != "" {
		p.steps = c.Fragment(p.Fragment)
	}
	return nil
}

func (p *usePolicy) Run(x *Exec) error { return x.Run(p.steps) }

type textPolicy struct {
	Template string        `attr:"template"`
	Content  Value[string] `text:"exact"`
}

// Preflight answers when the text is "answer".
func (p *textPolicy) Preflight(x *Exec) (bool, error) {
	text, err := p.Content.Get(x)
	if text == "fail" {
		return false, errors.New("no")
	}
	x.SetVariable("log", x.Scope.String())
	return text == "answer", err
}

func (p *textPolicy) Run(x *Exec) error {
	text, err := p.Content.Get(x)
	x.SetVariable("text", text)
	return err
}

func testCatalogue(t testing.TB) *Catalogue {
	t.Helper()
	c, err := NewCatalogue(
		Define[notePolicy](Spec{Name: "note"}),
		Define[failPolicy](Spec{Name: "fail"}),
		Define[boxPolicy](Spec{Name: "box", OncePerSection: true}),
		Define[usePolicy](Spec{Name: "use", Body: UsesRequestBody}),
		Define[textPolicy](Spec{Name: "text"}),
		Define[failPolicy](Spec{Name: "outer", Sections: Outbound, Scopes: ScopeService | ScopeProduct}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// testHost is a host with a clock and nothing else; every other call is a nil dereference, which is a failed test.
type testHost struct{ Host }

func (testHost) Now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
func (testHost) Random(p []byte) {
	for i := range p {
		p[i] = byte(i)
	}
}

// testLookup is a configuration.
type testLookup map[string]string

func (l testLookup) NamedValue(name string) (value string, secret, ok bool) {
	v, ok := l["value "+strings.ToLower(name)]
	return v, strings.HasPrefix(name, "secret"), ok
}

func (l testLookup) Fragment(name string) (text, format string, ok bool) {
	text, ok = l["fragment "+strings.ToLower(name)]
	return text, "", ok
}
func (l testLookup) HasBackend(name string) bool   { return strings.EqualFold(name, "known") }
func (l testLookup) HasCertificate(id string) bool { return strings.EqualFold(id, "known") }

func compile(t testing.TB, c *Catalogue, scope Scope, text string) *Document {
	t.Helper()
	d, report := c.Compile(text, Options{Scope: scope, Lookup: testLookup{
		"value a-1": "one", "value expr": `@("x")`, "fragment f": `<fragment><note text="fragment" /><fail /></fragment>`,
	}})
	if d == nil {
		t.Fatalf("%s\n%v", text, report.Errors)
	}
	return d
}

func newExec(x *Exec) {
	x.Reset(context.Background(), testHost{})
	x.Request = &message.Request{Method: "GET", URL: message.URL{Scheme: "http", Host: "h", Path: "/"}}
	x.API, x.Service, x.Deployment = &snapshot.API{Name: "echo"}, &snapshot.Service{Name: "s"}, &Deployment{GatewayID: "managed"}
	copy(x.RequestID[:], "0123456789abcdef")
}

// sections writes a document whose four sections have the same content but for the letter of the section.
func sections(inner string) string {
	var b strings.Builder
	b.WriteString("<policies>")
	for _, s := range sectionNames {
		b.WriteString("<" + s + ">" + strings.ReplaceAll(inner, "%", s[:1]) + "</" + s + ">")
	}
	b.WriteString("</policies>")
	return b.String()
}

func TestLinkSplicesScopesAtBase(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	service := compile(t, c, ScopeService, sections(`<note text="%g" />`))
	product := compile(t, c, ScopeProduct, sections(`<note text="%1" /><base /><note text="%2" />`))
	api := compile(t, c, ScopeAPI, sections(`<base /><note text="%a" />`))
	alone := compile(t, c, ScopeOperation, sections(`<note text="%o" />`))
	missing := compile(t, c, ScopeOperation, `<policies><inbound><base /></inbound></policies>`)
	f := func(want string, scopes ...*Document) {
		t.Helper()
		var x Exec
		newExec(&x)
		if err := Link(scopes...).Run(&x); err != nil {
			t.Fatal(err)
		}
		log, _ := x.Variable("log")
		got, _ := log.(string)
		got, _, _ = strings.Cut(got, " b")
		if strings.TrimSpace(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("ig@global", service)
	f("i1@product ig@global i2@product ia@api", service, product, api, nil)
	f("ig@global ia@api", service, nil, api)
	f("io@operation", service, product, api, alone)
	f("i1@product ig@global i2@product ia@api", service, product, api, missing)
	f("", nil)
	f("")

	var x Exec
	newExec(&x)
	Link(service, missing).Run(&x)
	if log, _ := x.Variable("log"); log != "ig@global " {
		t.Errorf("a missing section inherits: %q", log)
	}
}

// flow runs one document and formats what came of it.
func flow(t *testing.T, text string) string {
	t.Helper()
	c := testCatalogue(t)
	var x Exec
	newExec(&x)
	ended := false
	x.AtEnd(func(*Exec) { ended = true })
	failure := Link(compile(t, c, ScopeAPI, text)).Run(&x)
	if !ended {
		t.Error("the functions for the end did not run")
	}
	if (failure != nil) != (x.LastError != nil) {
		t.Errorf("failure %v, last error %v", failure, x.LastError)
	}
	log, _ := x.Variable("log")
	out, _ := log.(string)
	if e := x.LastError; e != nil {
		out += strings.Join([]string{e.Source, e.Reason, e.Message, e.Scope, e.Section, e.Path, e.PolicyID}, "|") + " "
	}
	body, err := x.ReadResponseBody()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out + "-> " + itoa(x.Response.Status) + " " + string(body))
}

func itoa(n int) string { return string(appendErrorBody(nil, n, "", ""))[14:17] }

func TestFlow(t *testing.T) {
	t.Parallel()
	document := func(inbound, backend, outbound, onError string) string {
		return "<policies><inbound>" + inbound + "</inbound><backend>" + backend + "</backend><outbound>" + outbound + "</outbound><on-error>" + onError +
			"</on-error></policies>"
	}
	const n1, n2, n3, n4 = `<note text="i" />`, `<note text="b" />`, `<note text="o" />`, `<note text="e" />`
	f := func(text, want string) {
		t.Helper()
		if got := flow(t, text); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	f(document(n1, n2, n3, n4), `i@api b@api o@api -> 200`)
	f(document(n1+`<fail kind="stop" />`+n1, n2, n3, n4), `i@api -> 299`)
	f(document(n1+`<fail kind="skip" />`+n1, n2, n3, n4), `i@api o@api -> 203`)
	f(document(n1+`<fail status="401" id="me" />`, n2, n3, n4),
		`i@api e@api fail|Failed|It failed.|api|inbound|fail[1]|me -> 401 {"statusCode":401,"message":"It failed."}`)
	f(document("", `<fail />`, n3, ""),
		`fail|Failed|It failed.|api|backend|fail[1]| -> 500 {"statusCode":500,"message":"Internal server error","activityId":"30313233-3435-3637-3839-616263646566"}`)
	f(document(`<box><note text="x" /><box><inner /><inner><note text="y" /><fail kind="plain" /></inner></box></box>`, n2, "", ""),
		`x@api y@api fail||plain failure|api|inbound|box[1]/box[1]/inner[2]/fail[1]| -> 500 `+
			`{"statusCode":500,"message":"Internal server error","activityId":"30313233-3435-3637-3839-616263646566"}`)
	f(document("", "", `<fail status="400" />`, `<fail kind="stop" />`+n4), `fail|Failed|It failed.|api|outbound|fail[1]| -> 299`)
	f(document(`<fail status="400" />`, "", "", n4+`<fail status="418" />`+n4),
		`e@api fail|Failed|It failed.|api|on-error|fail[1]| -> 418 {"statusCode":418,"message":"It failed."}`)
	f(document(`<fail kind="gone" />`, "", "", n4), `e@api fail|ClientConnectionFailure|client has gone|api|inbound|fail[1]| -> 499 {"statusCode":499,"message":"client has gone"}`)
	f(document(`<use fragment="f" />`, "", "", ""),
		`fragment@api fail|Failed|It failed.|api|inbound|use[1]/fail[1]| -> 500 {"statusCode":500,"message":"Internal server error","activityId":"30313233-3435-3637-3839-616263646566"}`)
}

func TestErrorResponseKeepsHeaders(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newExec(&x)
	x.PendingHeader().Add("X-Pending", "1")
	Link(compile(t, c, ScopeAPI, `<policies><inbound><fail status="429" /></inbound></policies>`)).Run(&x)
	for name, want := range map[string]string{"Retry-After": "7", "X-Pending": "1", "Content-Type": "application/json"} {
		if got := x.Response.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestFailRunsOnErrorOnly(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newExec(&x)
	p := Link(compile(t, c, ScopeService, sections(`<note text="%" />`)))
	p.Fail(&x, &Error{Source: "configuration", Reason: ReasonOperationNotFound, Message: "No.", Status: 404, Public: "Resource not found"})
	body, err := x.ReadResponseBody()
	if err != nil {
		t.Fatal(err)
	}
	if log, _ := x.Variable("log"); log != "o@global " || string(body) != `{"statusCode":404,"message":"Resource not found"}` {
		t.Errorf("got %q and %s", log, body)
	}
	if x.LastError.Source != "configuration" || x.LastError.Section != "" {
		t.Errorf("got %+v", x.LastError)
	}
}

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	f := func(scope Scope, text string, want ...string) {
		t.Helper()
		d, report := c.Compile(text, Options{Scope: scope, Lookup: testLookup{
			"value a-1": "one", "value three": "3", "fragment f": "<fragment>\n<note /></fragment>",
		}})
		var got []string
		for _, e := range report.Errors {
			got = append(got, e.String())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") || d != nil && len(want) > 0 {
			t.Errorf("%s\ngot  %s\nwant %s", text, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	in := func(inner string) string { return "<policies>\n<inbound>" + inner + "</inbound></policies>" }
	f(ScopeAPI, "<policies>", `1:1: <policies> has no end tag (MalformedXml)`)
	f(ScopeAPI, "<policy/>", `1:1: the root element <policy> is not <policies> (UnexpectedRoot)`)
	f(ScopeAPI, "<policies a='1'>x<inbound/><inbound/><bound/></policies>",
		`1:11: <policies> has no attribute "a" (UnknownAttribute)`, `1:17: <policies> has no text of its own (UnexpectedText)`,
		`1:28: section <inbound> stands twice (DuplicateSection)`, `1:38: <bound> is not a section: inbound, backend, outbound and on-error are (UnknownSection)`)
	f(ScopeAPI, in(`<nope/>`), `2:10: <nope> is not a policy that this gateway knows (UnknownPolicy)`)
	f(ScopeAPI, in(`<note/>`), `2:10: <note> must have the attribute "text" (MissingAttribute)`)
	f(ScopeAPI, in(`<note text="1" txt="2"/>`), `2:25: <note> has no attribute "txt"; did you mean "text"? (UnknownAttribute)`)
	f(ScopeAPI, in(`<note text="1" count="4"/>`), `2:32: attribute "count" of <note>: must be at most 3, not 4 (InvalidValue)`)
	f(ScopeAPI, in(`<note text="1" count="x"/>`), `2:32: attribute "count" of <note>: must be a whole number (InvalidValue)`)
	f(ScopeAPI, in(`<note text="1" count="{{three}}" mode="Loud"/>`))
	f(ScopeAPI, in(`<note text="1" mode="soft"/>`), `2:31: attribute "mode" of <note>: must be one of loud, quiet, not "soft" (InvalidValue)`)
	f(ScopeAPI, in(`<note text="1" name="@(1)"/>`), `2:31: attribute "name" of <note> cannot be an expression (ExpressionNotAllowed)`)
	f(ScopeAPI, in(`<note text="@(1"/>`), `2:22: the expression has no end: a bracket or a quote is not closed (InvalidExpression)`)
	f(ScopeAPI, in(`<note text="1">x<item/><body/><body/><tail/></note>`),
		`2:26: <item> must have the attribute "key" (MissingAttribute)`, `2:26: <item> must have a content (MissingText)`,
		`2:40: <body> may stand only once in <note> (DuplicateElement)`, `2:47: <note> has no element <tail> (UnknownElement)`,
		`2:25: <note> has no text of its own (UnexpectedText)`)
	f(ScopeAPI, in(`<note text="1"><body a="1"><b/></body></note>`), `2:31: <body> has no attribute "a" (UnknownAttribute)`, `2:37: <body> has no element <b> (UnknownElement)`)
	f(ScopeAPI, in(`<base/><base/><box><base/></box>`), `2:17: <base /> stands twice in <inbound> (DuplicateBase)`,
		`2:29: <base /> may stand only directly in a section (MisplacedBase)`)
	f(ScopeAPI, in(`<outer/>`), `2:10: <outer> may not stand in section inbound (NotAllowedInSection)`)
	f(ScopeAPI, `<policies><outbound><outer/></outbound></policies>`, `1:21: <outer> may not stand in a document of scope api (NotAllowedInScope)`)
	f(ScopeAPI, in(`<box/><box><use/></box>`), `2:16: <box> may stand only once in a section (DuplicatePolicy)`)
	f(ScopeAPI, in(`<box><use/></box>`), `2:15: <use> may not stand in <box>, only note, fail, box, text (NotAllowedInElement)`)
	f(ScopeAPI, in(`<note text="é{{a-1}}{{b}}"/>`), `2:30: there is no named value "b" (UnknownNamedValue)`)
	f(ScopeAPI, in(`<text template="liquid">{{b}} {{ c }}</text>`))
	f(ScopeAPI, in(`<use backend="x" certificate="y"/><use fragment="z"/>`), `2:10: there is no backend "x" (UnknownBackend)`,
		`2:10: there is no certificate "y" (UnknownCertificate)`, `2:44: there is no policy fragment "z" (UnknownFragment)`)
	f(ScopeAPI, in(`<use fragment="F"/>`), `2:10: fragment "F", line 2, column 1: <note> must have the attribute "text" (MissingAttribute)`)
	f(0, `<fragment><use fragment="f"/></fragment>`, `1:11: a fragment cannot include another fragment (NestedFragment)`)
}

func TestUnknownNamesAreWarningsWithoutAService(t *testing.T) {
	t.Parallel()
	report := testCatalogue(t).Check(`<fragment><note text="{{x}}" count="{{y}}" mode="{{z}}"/><note text="a @(1)"/><use backend="b" certificate="c"/></fragment>`, Options{Kind: KindFragment})
	var codes []string
	for _, w := range report.Warnings {
		codes = append(codes, w.Code)
	}
	if got := strings.Join(codes, " "); !report.OK() || got != "UnknownNamedValue UnknownNamedValue UnknownNamedValue MixedExpression UnknownBackend UnknownCertificate" {
		t.Errorf("got %v and %v", got, report.Errors)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	d := compile(t, testCatalogue(t), ScopeAPI, `<policies><inbound><note text="{{A-1}}{{a-1}}" /><use fragment="F" backend="Known" certificate="KNOWN" />
		<text template="Liquid">{{other}}</text></inbound></policies>`)
	r := d.References()
	got := strings.Join([]string{strings.Join(r.NamedValues, ","), strings.Join(r.Fragments, ","), strings.Join(r.Backends, ","), strings.Join(r.Certificates, ",")}, ";")
	if got != "a-1,other;f;known;known" {
		t.Errorf("got %s", got)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	f := func(inner, want string) {
		t.Helper()
		var x Exec
		newExec(&x)
		Link(compile(t, c, ScopeAPI, "<policies><inbound>"+inner+"</inbound></policies>")).Run(&x)
		if got, _ := x.Variable("text"); got != want {
			t.Errorf("%s: got %q, want %q", inner, got, want)
		}
	}
	f(`<text> {{a-1}} &lt; </text>`, " one < ")
	f(`<text><a b="{{a-1}}"/></text>`, `<a b="one"/>`)
	f(`<text template="liquid">{{a-1}} {{body.x}}</text>`, "one {{body.x}}")
	f(`<text />`, "")
}

func TestBodyUse(t *testing.T) {
	t.Parallel()
	f := func(source string, want BodyUse) {
		t.Helper()
		if got := bodyUse(source); got != want {
			t.Errorf("%s: got %d, want %d", source, got, want)
		}
	}
	f(`@(context.Request.Body.As<string>())`, UsesRequestBody)
	f(`@(context.Response?.Body?.As<string>())`, UsesResponseBody)
	f(`@(((IResponse)context.Variables["r"]).Body.As<string>())`, 0)
	f(`@{ var r = context.Request; return r.Body; }`, UsesRequestBody|UsesResponseBody)
	f(`@(context.Request.Headers.GetValueOrDefault("Body"))`, 0)
	d := compile(t, testCatalogue(t), ScopeAPI, `<policies><inbound><use /></inbound></policies>`)
	if got := Link(d).BodyUse(); got != UsesRequestBody {
		t.Errorf("got %d", got)
	}
}

func TestConstantPipelineDoesNotAllocate(t *testing.T) {
	c := testCatalogue(t)
	p := Link(compile(t, c, ScopeAPI, `<policies><inbound><text>a</text><box /><use /></inbound></policies>`))
	var x Exec
	newExec(&x)
	r := &message.Response{Status: 200}
	request := x.Request
	allocs := testing.AllocsPerRun(100, func() {
		x.Reset(context.Background(), testHost{})
		x.Request, x.Response = request, r
		p.Run(&x)
	})
	if allocs > 1 { // the string that becomes a variable
		t.Errorf("%v allocations", allocs)
	}
}
