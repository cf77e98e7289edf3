package gateway_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// tracedPolicy does what traces have to tell of.
const tracedPolicy = `<policies>
  <inbound>
    <base />
    <set-variable name="who" value="@(context.Request.Headers.GetValueOrDefault(&quot;X-Who&quot;, &quot;nobody&quot;))" />
    <set-variable name="password" value="@(&quot;pw:&quot; + &quot;{{secret-value}}&quot;)" />
    <choose>
      <when condition="@(context.Tracing)">
        <set-header name="X-Traced" exists-action="override"><value>@((string)context.Variables["who"])</value></set-header>
      </when>
    </choose>
    <set-header name="X-Pass" exists-action="override"><value>@("p" + (string)context.Variables["password"] + "q")</value></set-header>
    <rate-limit-by-key calls="50" renewal-period="60" counter-key="k" />
    <cache-lookup-value key="things" variable-name="things" />
    <trace source="mine" severity="information"><message>here I am</message></trace>
    <send-request mode="new" response-variable-name="r"><set-url>http://other.test/x?code=hush</set-url><set-method>GET</set-method></send-request>
  </inbound>
  <backend><base /></backend>
  <outbound><base /><set-status code="202" reason="Traced" /></outbound>
  <on-error><base /><set-header name="X-Error" exists-action="override"><value>@(context.LastError.Reason)</value></set-header></on-error>
</policies>`

// tracedWorld keeps the traces of its gateway.
type tracedWorld struct {
	*world
	traces map[string][]byte
}

func newTracedWorld(t *testing.T) *tracedWorld {
	w := &tracedWorld{world: newWorld(t), traces: make(map[string][]byte)}
	w.gateway.Close()
	w.gateway = newGateway(t, w.backend, slog.New(slog.DiscardHandler), w.clock.Now, func(o *gateway.Options) {
		o.Trace = func(_, id string, document []byte) { w.traces[id] = document }
	})
	w.snapshot = snapshot.Empty()
	w.put(
		servicePart, policyPart(t, "", defaultPolicy), apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "op", "GET /x"),
		apiPart(snapshot.API{ID: "b", Path: "b"}), operationPart("b", "op", "GET /x"),
		mustPart(snapshot.KindNamedValue, "namedvalues/secret-value", snapshot.NamedValue{Name: "secret-value", Value: "hunter2", Secret: true}),
		policyPart(t, "apis/a", tracedPolicy),
		subscriptionPart("traced", "", "key-of-the-traced", func(s *snapshot.Subscription) { s.Tracing = true }),
		subscriptionPart("plain", "", "key-of-the-plain", nil),
	)
	return w
}

func (w *tracedWorld) token(api string, life time.Duration, epoch int64) string {
	key := auth.DebugKey(hashKey, "managed", epoch)
	return auth.DebugToken{API: api, Gateway: "managed", Expiry: w.clock.Now().Add(life)}.Sign(key)
}

// traceDocument is the shape of listTrace.
type traceDocument struct {
	ServiceName  string `json:"serviceName"`
	TraceID      string `json:"traceId"`
	TraceEntries map[string][]struct {
		Source    string          `json:"source"`
		Timestamp string          `json:"timestamp"`
		Elapsed   string          `json:"elapsed"`
		Data      json.RawMessage `json:"data"`
	} `json:"traceEntries"`
}

func parseTrace(t *testing.T, document []byte) (d traceDocument, sources map[string]string) {
	t.Helper()
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	sources = make(map[string]string)
	for section, entries := range d.TraceEntries {
		for _, e := range entries {
			sources[section] += e.Source + " "
			if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$`).MatchString(e.Timestamp) || !regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{7}$`).MatchString(e.Elapsed) {
				t.Errorf("entry at %s after %s", e.Timestamp, e.Elapsed)
			}
		}
	}
	return d, sources
}

func TestTraceTellsWhatPoliciesDid(t *testing.T) {
	t.Parallel()
	w := newTracedWorld(t)
	x := w.do("GET http://dev.gateway.localhost/a/x?subscription-key=key-of-the-plain", "X-Who", "ada", "Authorization", "Bearer opensesame", "Cookie", "sid=crumbs",
		"Apim-Debug-Authorization", w.token("a", time.Hour, 0))
	id := x.header.Get("Apim-Trace-Id")
	if x.status != 202 || len(id) != 32 || w.traces[id] == nil {
		t.Fatalf("%s %v, traces %d", x, x.header, len(w.traces))
	}
	sent := w.backend.sent()
	if sent.Has("Apim-Debug-Authorization") || sent.Get("X-Pass") != "ppw:hunter2q" {
		t.Errorf("sent %v", sent)
	}
	text := string(w.traces[id])
	for _, secret := range []string{"hunter2", "opensesame", "crumbs", "key-of-the-plain", "hush", "sn="} {
		if strings.Contains(text, secret) {
			t.Errorf("the trace tells %q: %s", secret, text)
		}
	}
	d, sources := parseTrace(t, w.traces[id])
	if d.ServiceName != "dev" || d.TraceID != id {
		t.Errorf("trace %s of %s", d.TraceID, d.ServiceName)
	}
	want := map[string]string{
		"inbound": "api-inspector api-inspector set-variable set-variable set-variable set-variable choose choose set-header set-header choose " +
			"set-header set-header counters rate-limit-by-key cache cache-lookup-value mine trace send-request send-request send-request ",
		"backend":  "forward-request forward-request forward-request ",
		"outbound": "set-status transfer-response ",
	}
	for section, list := range want {
		if sources[section] != list {
			t.Errorf("%s: %s\nwant %s", section, sources[section], list)
		}
	}
	for _, part := range []string{ // of entries
		`"expression":"context.Tracing"`, `"variables":{"who":"ada"}`, `"path":"choose[1]/when[1]/set-header[1]"`, `{"after":"ada","name":"X-Traced"}`,
		`"message":"here I am"`, `"expression":"\"pw:\" + \"{{secret-value}}\"","message":"Expression was successfully evaluated.","value":"***"`,
		`"allowed":true`, `"hit":false`, `"url":"http://other.test/x?code=***"`, `"url":"http://backend.test/x?subscription-key=***"`,
		`"status":{"code":202,"reason":"Traced"}`, `"from":"/a"`, `"uriTemplate":"/x"`, `Timeout set to 300 seconds`, `"scope":"api"`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the trace lacks %s: %s", part, text)
		}
	}
}

func TestTraceTellsErrors(t *testing.T) {
	t.Parallel()
	w := newTracedWorld(t)
	w.backend.answer = func(*message.Request) (*message.Response, error) {
		return nil, &message.BackendError{Kind: message.BackendConnect, Err: http.ErrServerClosed}
	}
	x := w.do("GET http://dev.gateway.localhost/a/x", "Apim-Debug-Authorization", w.token("a;rev=1", time.Hour, 0), "Ocp-Apim-Subscription-Key", "key-of-the-plain")
	d, sources := parseTrace(t, w.traces[x.header.Get("Apim-Trace-Id")])
	if x.status != 500 || !strings.HasPrefix(sources["on-error"], "send-request ") || !strings.Contains(string(d.TraceEntries["on-error"][0].Data), `"BackendConnectionFailure"`) {
		t.Errorf("%s: %v", x, sources)
	}
	// Refused before the policies, and no operation.
	x = w.do("GET http://dev.gateway.localhost/a/x", "Apim-Debug-Authorization", w.token("a", time.Hour, 0), "Ocp-Apim-Subscription-Key", "wrong")
	d, sources = parseTrace(t, w.traces[x.header.Get("Apim-Trace-Id")])
	if x.status != 401 || !strings.HasPrefix(sources["on-error"], "authorization ") {
		t.Errorf("%s: %v %v", x, sources, d)
	}
	x = w.do("GET http://dev.gateway.localhost/a/nothing", "Apim-Debug-Authorization", w.token("a", time.Hour, 0))
	if _, sources = parseTrace(t, w.traces[x.header.Get("Apim-Trace-Id")]); x.status != 404 || !strings.HasPrefix(sources["on-error"], "configuration ") {
		t.Errorf("%s: %v", x, sources)
	}
}

func TestDebugCredentials(t *testing.T) {
	t.Parallel()
	w := newTracedWorld(t)
	for name, c := range map[string]struct{ token, header, value string }{
		"expired":       {w.token("a", -time.Second, 0), "Apim-Debug-Authorization-Expired", "2026-01-02T03:04:04Z"},
		"wrong API":     {w.token("b", time.Hour, 0), "Apim-Debug-Authorization-WrongAPI", "b"},
		"other rev":     {w.token("a;rev=2", time.Hour, 0), "Apim-Debug-Authorization-WrongAPI", "a;rev=2"},
		"invalidated":   {w.token("a", time.Hour, 1), "", ""},
		"forged":        {"aid=a&gid=managed&p=tracing&ex=9999999999&sn=AAAA", "", ""},
		"not even like": {"true", "", ""},
	} {
		x := w.do("GET http://dev.gateway.localhost/a/x", "Apim-Debug-Authorization", c.token, "Ocp-Apim-Subscription-Key", "key-of-the-plain")
		sent := w.backend.sent()
		if x.status != 202 || x.header.Has("Apim-Trace-Id") || sent.Has("Apim-Debug-Authorization") {
			t.Errorf("%s: %s %v", name, x, x.header)
		}
		if got := x.header.Get(c.header); c.header != "" && !strings.Contains(got, c.value) {
			t.Errorf("%s: %s is %q", name, c.header, got)
		}
	}
	if len(w.traces) != 0 {
		t.Errorf("%d traces", len(w.traces))
	}
	// Invalidation makes what was good before void.
	w.put(mustPart(snapshot.KindService, "", snapshot.Service{ID: serviceID, Name: "dev", KeyHashKey: hashKey, DebugEpoch: 1}))
	if x := w.do("GET http://dev.gateway.localhost/a/x", "Apim-Debug-Authorization", w.token("a", time.Hour, 0)); x.header.Has("Apim-Trace-Id") {
		t.Errorf("after the invalidation: %v", x.header)
	}
	if x := w.do("GET http://dev.gateway.localhost/a/x", "Apim-Debug-Authorization", w.token("a", time.Hour, 1)); !x.header.Has("Apim-Trace-Id") {
		t.Errorf("new credentials after the invalidation: %v", x.header)
	}
}

func TestOlderWayOfTracing(t *testing.T) {
	t.Parallel()
	w := newTracedWorld(t)
	for _, key := range []string{"", "key-of-the-plain"} {
		if x := w.do("GET http://dev.gateway.localhost/a/x", "Ocp-Apim-Trace", "true", "Ocp-Apim-Subscription-Key", key); x.header.Has("Ocp-Apim-Trace-Location") {
			t.Errorf("key %q: %v", key, x.header)
		}
	}
	x := w.do("GET http://dev.gateway.localhost/a/x", "Ocp-Apim-Trace", "true", "Ocp-Apim-Subscription-Key", "key-of-the-traced")
	location := x.header.Get("Ocp-Apim-Trace-Location")
	if !strings.HasPrefix(location, "http://dev.gateway.localhost/") || len(w.traces) != 0 {
		t.Fatalf("%v, %d traces", x.header, len(w.traces))
	}
	document := w.do("GET " + location)
	if d, _ := parseTrace(t, []byte(document.body)); document.status != 200 || document.header.Get("Cache-Control") != "no-store" || !strings.HasSuffix(location, d.TraceID) {
		t.Errorf("%s %v", document, document.header)
	}
	if other := w.do("GET " + strings.Replace(location, location[len(location)-4:], "0000", 1)); other.status != 404 {
		t.Errorf("a guess: %s", other)
	}
	w.clock.Advance(time.Hour)
	if late := w.do("GET " + location); late.status != 404 {
		t.Errorf("after an hour: %s", late)
	}
}
