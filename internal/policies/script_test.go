package policies_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
)

// TestScripts runs testdata/*.txtar. The commands are described in testdata/README.md.
func TestScripts(t *testing.T) {
	t.Parallel()
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Values[sessionKey{}] = newSession(catalogue)
			return nil
		},
		Cmds: graphqlCommands(map[string]func(*testscript.TestScript, bool, []string){
			"serve":              command((*session).serve),
			"refuse":             command((*session).refuse),
			"warn":               command((*session).warn),
			"named":              command((*session).named),
			"fragment":           command((*session).fragment),
			"entity":             command((*session).entity),
			"certificate":        command((*session).certificate),
			"configure":          command((*session).configure),
			"backend":            command((*session).backend),
			"operation":          command((*session).operation),
			"schema":             command((*session).schema),
			"send":               command((*session).send),
			"status":             command((*session).status),
			"header":             command((*session).header),
			"body":               command((*session).body),
			"calls":              command((*session).calls),
			"called":             command((*session).called),
			"called-header":      command((*session).calledHeader),
			"called-body":        command((*session).calledBody),
			"var":                command((*session).variable),
			"lasterror":          command((*session).lastError),
			"logged":             command((*session).logged),
			"traced":             command((*session).traced),
			"cache":              command((*session).cache),
			"clock":              command((*session).clock),
			"slept":              command((*session).slept),
			"key":                command((*session).key),
			"token":              command((*session).token),
			"pfx":                command((*session).pfx),
			"client":             command((*session).client),
			"trusted":            command((*session).trusted),
			"expand":             command((*session).expand),
			"identity":           command((*session).identity),
			"called-certificate": command((*session).calledCertificate),
			"called-proxy":       command((*session).calledProxy),
			"dapr":               command((*session).daprSettings),
			"access":             command((*session).access),
			"event":              command((*session).event),
			"events":             command((*session).eventCount),
			"bus":                command((*session).busMessage),
		}),
	})
}

// TestEveryPolicyHasAScript holds the folder, the list and the scripts together.
func TestEveryPolicyHasAScript(t *testing.T) {
	t.Parallel()
	listed := make(map[string]bool)
	for _, d := range policies.All() {
		listed[d.Name] = true
		if d.Doc == "" {
			t.Errorf("policy %s has no documentation", d.Name)
		}
		if _, err := os.Stat(filepath.Join("testdata", d.Name+".txtar")); err != nil {
			t.Errorf("policy %s has no script", d.Name)
		}
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	define := regexp.MustCompile(`policy\.Define\[`)
	for _, file := range sources {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.ReplaceAll(strings.TrimSuffix(file, ".go"), "_", "-")
		if define.Match(text) && !listed[name] {
			t.Errorf("%s is not in list.go, or not called after its policy", file)
		}
	}
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range scripts {
		// engine-*.txtar are about what all policies share.
		if name := strings.TrimSuffix(filepath.Base(file), ".txtar"); !listed[name] && !strings.HasPrefix(name, "engine-") {
			t.Errorf("%s names no policy of the list", file)
		}
	}
}

type sessionKey struct{}

// session is the state of one script: a gateway's part without protocols, around one Exec.
type session struct {
	catalogue *policy.Catalogue
	host      *fakeHost
	documents [4]*policy.Document // service, product, API, operation
	config    config
	exec      policy.Exec
	failure   *policy.Error
	keys      map[string]any // of tokens and certificates, by name
	issued    map[string]*x509.Certificate
}

func newSession(catalogue *policy.Catalogue) *session {
	return &session{catalogue: catalogue, host: newFakeHost(), config: defaultConfig(), keys: make(map[string]any), issued: make(map[string]*x509.Certificate)}
}

// fail is what commands panic with; command turns it into a failed script.
type fail string

func failf(format string, args ...any) { panic(fail(fmt.Sprintf(format, args...))) }

// command makes a script command of a method. With "!" the method must fail.
func command(run func(s *session, ts *testscript.TestScript, args []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		why := attempt(func() { run(ts.Value(sessionKey{}).(*session), ts, args) })
		switch {
		case why != "" && !neg:
			ts.Fatalf("%s", why)
		case why == "" && neg:
			ts.Fatalf("unexpected success")
		}
	}
}

func attempt(run func()) (why fail) {
	defer func() {
		if r := recover(); r != nil {
			var ok bool
			if why, ok = r.(fail); !ok {
				panic(r)
			}
		}
	}()
	run()
	return ""
}

func need(args []string, low, high int) {
	if len(args) < low || len(args) > high {
		failf("wrong number of arguments: %q", args)
	}
}

var scopes = []struct {
	name  string
	scope policy.Scope
}{{"service", policy.ScopeService}, {"product", policy.ScopeProduct}, {"api", policy.ScopeAPI}, {"operation", policy.ScopeOperation}, {"resolver", policy.ScopeResolver}}

// serve compiles documents: serve [SCOPE=]FILE...
func (s *session) serve(ts *testscript.TestScript, args []string) {
	need(args, 1, len(s.documents))
	s.documents = [4]*policy.Document{s.compile(policy.DefaultServicePolicy, policy.ScopeService)}
	for _, arg := range args {
		at, file := scopeArgument(arg)
		s.documents[at] = s.compile(ts.ReadFile(file), scopes[at].scope)
	}
	s.config.product = s.documents[1] != nil || s.config.product
}

// scopeArgument reads "product=FILE"; without a scope it is the API's.
func scopeArgument(arg string) (at int, file string) {
	for i := range scopes {
		if file, ok := strings.CutPrefix(arg, scopes[i].name+"="); ok {
			return i, file
		}
	}
	return 2, arg
}

func (s *session) compile(text string, scope policy.Scope) *policy.Document {
	d, report := s.catalogue.Compile(text, policy.Options{Scope: scope, Lookup: s.host})
	if d == nil {
		failf("the document does not compile: %v", report.Errors)
	}
	return d
}

// refuse wants a document to have an error: refuse [SCOPE=]FILE REGEXP
func (s *session) refuse(ts *testscript.TestScript, args []string) {
	need(args, 2, 2)
	at, file := scopeArgument(args[0])
	report := s.catalogue.Check(ts.ReadFile(file), policy.Options{Scope: scopes[at].scope, Lookup: s.host})
	matchAny(diagnostics(report.Errors), args[1])
}

// warn wants a document to have a warning: warn [SCOPE=]FILE REGEXP
func (s *session) warn(ts *testscript.TestScript, args []string) {
	need(args, 2, 2)
	at, file := scopeArgument(args[0])
	report := s.catalogue.Check(ts.ReadFile(file), policy.Options{Scope: scopes[at].scope})
	if !report.OK() {
		failf("the document has errors: %v", report.Errors)
	}
	matchAny(diagnostics(report.Warnings), args[1])
}

func diagnostics(list []policy.Diagnostic) []string {
	var lines []string
	for _, d := range list {
		lines = append(lines, d.String())
	}
	return lines
}

func matchAny(lines []string, pattern string) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		failf("%v", err)
	}
	for _, line := range lines {
		if re.MatchString(line) {
			return
		}
	}
	failf("nothing matches %q in:\n%s", pattern, strings.Join(lines, "\n"))
}

// send runs a request through the pipeline: send FILE [N]
func (s *session) send(ts *testscript.TestScript, args []string) {
	need(args, 1, 2)
	n := 1
	if len(args) == 2 {
		n = number(args[1])
	}
	for range n {
		s.sendOnce(ts, ts.ReadFile(args[0]))
	}
}

func (s *session) sendOnce(ts *testscript.TestScript, text string) {
	request, err := parseRequest(text)
	if err != nil {
		failf("request: %v", err)
	}
	s.host.calls, s.host.logs, s.host.slept = nil, nil, 0
	s.config.start(&s.exec, s.host, request)
	pipeline := policy.Link(s.documents[:]...)
	if request.Target != "/crossdomain.xml" || !policy.Link(s.documents[0]).Unmatched(&s.exec) {
		s.failure = pipeline.Run(&s.exec)
	}
	body, err := message.ReadAll(s.exec.Response.Body, policy.MaxBody, -1)
	if err != nil {
		failf("body of the response: %v", err)
	}
	s.exec.Response.Body = message.BytesBody(body)
	s.exec.Response.ContentLength = int64(len(body))
	s.exec.Finish(int64(len(text)), int64(len(body)))
	write(ts, "response", formatResponse(s.exec.Response, body))
	write(ts, "response.body", string(body))
	if call := s.host.lastCall(); call != nil {
		write(ts, "called", call.format())
	}
}

func write(ts *testscript.TestScript, name, text string) {
	if err := os.WriteFile(ts.MkAbs(name), []byte(text), 0o600); err != nil {
		failf("%v", err)
	}
}

func (s *session) answered() *message.Response {
	if s.exec.Response == nil {
		failf("no request has been sent")
	}
	return s.exec.Response
}

// status compares the status of the answer: status CODE [REASON]
func (s *session) status(_ *testscript.TestScript, args []string) {
	need(args, 1, 2)
	r := s.answered()
	if r.Status != number(args[0]) || len(args) == 2 && r.Reason != args[1] {
		failf("the status is %d %q; failure: %v", r.Status, r.Reason, s.failure)
	}
}

// header compares the values of a header of the answer: header NAME [VALUE...]
func (s *session) header(_ *testscript.TestScript, args []string) {
	need(args, 1, 20)
	compareHeader(&s.answered().Header, args)
}

// compareHeader compares the fields of a name; without values there must be a field.
func compareHeader(h *message.Header, args []string) {
	got := h.Values(args[0])
	if len(args) == 1 && len(got) > 0 {
		return
	}
	if want := args[1:]; len(want) == 0 || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		failf("%s is %q", args[0], got)
	}
}

// body compares the body of the answer: body TEXT...; the words are joined by a blank
func (s *session) body(_ *testscript.TestScript, args []string) {
	need(args, 1, 100)
	if got := string(s.answered().Body.(message.Memory).Rest()); got != strings.Join(args, " ") {
		failf("the body is %q", got)
	}
}

// calls compares how many requests went out: calls N
func (s *session) calls(_ *testscript.TestScript, args []string) {
	need(args, 1, 1)
	if got := len(s.host.calls); got != number(args[0]) {
		failf("%d requests went out", got)
	}
}

func (s *session) lastCall() *call {
	c := s.host.lastCall()
	if c == nil {
		failf("no request went out")
	}
	return c
}

// called compares method and URL of the last request that went out: called METHOD URL
func (s *session) called(_ *testscript.TestScript, args []string) {
	need(args, 2, 2)
	c := s.lastCall()
	if got := c.request.URL.String(); c.request.Method != args[0] || got != args[1] {
		failf("the last request was %s %s", c.request.Method, got)
	}
}

// calledHeader compares a header of the last request that went out: called-header NAME [VALUE...]
func (s *session) calledHeader(_ *testscript.TestScript, args []string) {
	need(args, 1, 20)
	compareHeader(&s.lastCall().request.Header, args)
}

// calledBody compares the body of the last request that went out: called-body TEXT
func (s *session) calledBody(_ *testscript.TestScript, args []string) {
	need(args, 1, 100)
	if got := s.lastCall().body; got != strings.Join(args, " ") {
		failf("the body of the last request was %q", got)
	}
}

// variable compares a variable after the request: var NAME [VALUE [TYPE]]
func (s *session) variable(_ *testscript.TestScript, args []string) {
	need(args, 1, 3)
	value, ok := s.exec.Variable(args[0])
	if !ok {
		failf("there is no variable %s", args[0])
	}
	got, typ := csharp.FormatValue(value), csharp.TypeName(value)
	if len(args) > 1 && got != args[1] || len(args) > 2 && typ != args[2] {
		failf("%s is %q of type %s", args[0], got, typ)
	}
}

// lastError compares context.LastError after the request: lasterror PROPERTY=VALUE...
func (s *session) lastError(_ *testscript.TestScript, args []string) {
	e := s.exec.LastError
	if e == nil {
		failf("there was no error")
	}
	properties := map[string]string{
		"source": e.Source, "reason": e.Reason, "message": e.Message, "scope": e.Scope,
		"section": e.Section, "path": e.Path, "policyid": e.PolicyID,
	}
	for _, arg := range args {
		name, want, _ := strings.Cut(arg, "=")
		got, ok := properties[name]
		if !ok {
			failf("%q is not a property of an error", name)
		}
		if got != want {
			failf("%s is %q", name, got)
		}
	}
}

// logged wants a log record: logged REGEXP
func (s *session) logged(_ *testscript.TestScript, args []string) {
	need(args, 1, 1)
	matchAny(s.host.logs, args[0])
}

// traced wants an entry of the debug trace: traced REGEXP
func (s *session) traced(_ *testscript.TestScript, args []string) {
	need(args, 1, 1)
	matchAny([]string{string(s.exec.Tracer.Document("test", "trace"))}, args[0])
}

// cache replaces the cache, or adds an external one: cache broken|external|no-external
func (s *session) cache(_ *testscript.TestScript, args []string) {
	need(args, 1, 1)
	switch args[0] {
	case "broken":
		s.host.cache = brokenCache{}
	case "external":
		s.host.external = newFakeCache(s.host)
	case "no-external":
		s.host.external = nil
	default:
		failf("there is no cache %q", args[0])
	}
}
