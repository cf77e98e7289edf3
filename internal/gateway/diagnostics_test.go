package gateway_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// tracker is the Track endpoint of Application Insights in a fake transport.
type tracker struct {
	mu    sync.Mutex
	items []item
	urls  []string
}

// item is what the tests read of an envelope.
type item struct {
	Name       string            `json:"name"`
	SampleRate float64           `json:"sampleRate"`
	Key        string            `json:"iKey"`
	Tags       map[string]string `json:"tags"`
	Data       struct {
		Type string         `json:"baseType"`
		Base map[string]any `json:"baseData"`
	} `json:"data"`
}

// property is a custom dimension.
func (i *item) property(name string) any {
	p, _ := i.Data.Base["properties"].(map[string]any)
	return p[name]
}

// track makes the fake backend take telemetry, with the answers given first.
func track(t *testing.T, w *world, answers ...*message.Response) *tracker {
	t.Helper()
	k := &tracker{}
	w.backend.answer = func(r *message.Request) (*message.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "/track") {
			return textResponse(200, "four", "X-Answer", "yes", "Set-Cookie", "secret"), nil
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.urls = append(k.urls, r.URL.String())
		if len(answers) > 0 {
			next := answers[0]
			answers = answers[1:]
			return next, nil
		}
		for lines := bufio.NewScanner(z); lines.Scan(); {
			var i item
			if err := json.Unmarshal(lines.Bytes(), &i); err != nil {
				t.Errorf("%s: %v", lines.Text(), err)
			}
			k.items = append(k.items, i)
		}
		return textResponse(200, `{"itemsReceived":1,"itemsAccepted":1,"errors":[]}`), nil
	}
	return k
}

// all ends the gateway and returns the items by their kind, in the order of arrival.
func (k *tracker) all(w *world) map[string][]item {
	w.gateway.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	kinds := make(map[string][]item)
	for _, i := range k.items {
		kind := strings.TrimSuffix(i.Data.Type, "Data")
		kinds[kind] = append(kinds[kind], i)
	}
	return kinds
}

// forwarded is the header of the last request that went to the backend service: telemetry may be sent before or after it is asked for.
func (w *world) forwarded() (h message.Header) {
	w.backend.mu.Lock()
	defer w.backend.mu.Unlock()
	for _, r := range w.backend.requests {
		if r.URL.Host == "backend.test" {
			h = r.Header
		}
	}
	return h
}

func diagnosticPart(scope string, d snapshot.Diagnostic) snapshot.Part {
	return mustPart(snapshot.KindDiagnostic, strings.TrimPrefix(scope+"/diagnostics/"+d.Name, "/"), d)
}

func loggerPart(name, kind string, credentials map[string]string) snapshot.Part {
	return mustPart(snapshot.KindLogger, "loggers/"+name, snapshot.Logger{Name: name, Type: kind, Credentials: credentials})
}

const insightsConnection = "InstrumentationKey=00000000-0000-0000-0000-00000000000a;IngestionEndpoint=https://region.in.test/;ApplicationId=app-1"

func insightsParts(d snapshot.Diagnostic) []snapshot.Part {
	d.Name, d.Logger = "applicationinsights", "loggers/insights"
	return []snapshot.Part{
		loggerPart("insights", "applicationInsights", map[string]string{"connectionString": insightsConnection}),
		apiPart(snapshot.API{ID: "echo", Path: "echo"}), operationPart("echo", "post", "POST /items"), diagnosticPart("", d),
	}
}

func TestApplicationInsights(t *testing.T) {
	t.Parallel()
	w := newWorld(t, append(insightsParts(snapshot.Diagnostic{
		Percentage: 100, LogClientIP: true, Correlation: "W3C", Verbosity: "information", Metrics: true,
		FrontendRequest: snapshot.MessageLog{
			Headers: []string{"x-asked", "Authorization", "X-Hidden"}, Bytes: 3,
			MaskedHeaders: map[string]string{"x-hidden": "Hide"}, MaskedQuery: map[string]string{"b": "Mask", "c": "Hide"},
		},
		BackendResponse: snapshot.MessageLog{Headers: []string{"X-Answer"}, Bytes: 100},
	}), policyPart(t, "apis/echo", inbound(`<trace source="mine" severity="information"><message>passing</message><metadata name="k" value="v" /></trace>
		<trace source="mine" severity="verbose"><message>too much</message></trace>
		<emit-metric name="calls" namespace="ours" value="2"><dimension name="API ID" /></emit-metric>`)))...)
	k := track(t, w)
	x := newExchange(t, "POST http://dev.gateway.localhost/echo/items?a=1&b=2&c=3&sig=4", "X-Asked", "why", "Authorization", "Bearer x", "X-Hidden", "h",
		"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "a=b")
	x.req.Body, x.req.ContentLength = message.StringBody("body"), 4
	w.gateway.Serve(x)
	x.end()
	sent := w.forwarded()
	kinds := k.all(w)
	if got := slices.Sorted(maps.Keys(kinds)); !slices.Equal(got, []string{"Message", "Metric", "RemoteDependency", "Request"}) {
		t.Fatalf("got %v", got)
	}
	request, dependency, trace, metric := kinds["Request"][0], kinds["RemoteDependency"][0], kinds["Message"], kinds["Metric"][0]
	check := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, not %v", what, got, want)
		}
	}
	check("endpoint", k.urls[0], "https://region.in.test/v2/track")
	check("name", request.Name, "Microsoft.ApplicationInsights.0000000000000000000000000000000a.Request")
	check("operation", request.Tags["ai.operation.id"], "0af7651916cd43dd8448eb211c80319c")
	check("parent", request.Tags["ai.operation.parentId"], "b7ad6b7169203331")
	check("operation's name", request.Tags["ai.operation.name"], "echo;rev=1 - post")
	check("caller", request.Tags["ai.location.ip"], "192.0.2.7")
	check("status", request.Data.Base["responseCode"], "200")
	check("success", request.Data.Base["success"], true)
	check("duration", request.Data.Base["duration"], "0.00:00:00.0050000")
	check("URL", request.Data.Base["url"], "http://dev.gateway.localhost/echo/items?a=1&b=*****&sig=***")
	check("header", request.property("Request-X-Asked"), "why")
	check("credentials", request.property("Request-Authorization"), "*****")
	check("hidden header", request.property("Request-X-Hidden"), nil)
	check("body", request.property("Request-Body"), "bod")
	check("API", request.property("API Name"), "echo")
	check("dependency's parent", dependency.Tags["ai.operation.parentId"], request.Data.Base["id"])
	check("dependency's header", dependency.property("Response-X-Answer"), "yes")
	check("dependency's body", dependency.property("Response-Body"), "four")
	check("dependency's target", dependency.Data.Base["target"], "backend.test")
	check("traceparent", sent.Get("traceparent"), fmt.Sprintf("00-0af7651916cd43dd8448eb211c80319c-%s-01", dependency.Data.Base["id"]))
	check("tracestate", sent.Get("tracestate"), "a=b")
	check("traces", len(trace), 1)
	check("trace", trace[0].Data.Base["message"], "passing")
	check("trace's metadata", trace[0].property("k"), "v")
	check("metric", metric.Data.Base["metrics"], "[map[count:1 kind:0 name:calls ns:ours value:2]]")
	check("dimension", metric.property("API ID"), "echo")
}

// TestInsightsSampling says what is sent when the sampling leaves a request out.
func TestInsightsSampling(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name       string
		diagnostic snapshot.Diagnostic
		path       string
		want       string
	}{
		{"all", snapshot.Diagnostic{Percentage: 100}, "/echo/items", "RemoteDependency Request"},
		{"none", snapshot.Diagnostic{}, "/echo/items", ""},
		{"none, but errors", snapshot.Diagnostic{ErrorsAlways: true}, "/echo/none", "Exception Request"},
		{"none, no error", snapshot.Diagnostic{ErrorsAlways: true}, "/echo/items", ""},
		{"errors only", snapshot.Diagnostic{Percentage: 100, Verbosity: "error"}, "/echo/items", ""},
		{"an error", snapshot.Diagnostic{Percentage: 100, Verbosity: "error"}, "/echo/none", "Exception Request"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, insightsParts(c.diagnostic)...)
			k := track(t, w)
			w.do("POST http://dev.gateway.localhost" + c.path)
			if got := strings.Join(slices.Sorted(maps.Keys(k.all(w))), " "); got != c.want {
				t.Errorf("got %q, not %q", got, c.want)
			}
		})
	}
}

func TestLegacyCorrelation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, insightsParts(snapshot.Diagnostic{Percentage: 100})...)
	k := track(t, w)
	x := w.do("POST http://dev.gateway.localhost/echo/items", "Request-Id", "|root.1.")
	sent := w.forwarded()
	request := k.all(w)["Request"][0]
	if request.Tags["ai.operation.id"] != "root" || request.Tags["ai.operation.parentId"] != "|root.1." {
		t.Errorf("the request has %v", request.Tags)
	}
	if !strings.HasPrefix(sent.Get("Request-Id"), "|root.") || sent.Get("Request-Id") == "|root.1." || sent.Get("Request-Context") != "appId=cid-v1:app-1" {
		t.Errorf("the backend service gets %v", sent)
	}
	if x.header.Get("Request-Context") != "appId=cid-v1:app-1" || sent.Has("traceparent") {
		t.Errorf("the caller gets %v", x.header)
	}
}

// TestTelemetryIsSentAgain gets a partial success and a redirect.
func TestTelemetryIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, insightsParts(snapshot.Diagnostic{Percentage: 100})...)
	k := track(t, w, textResponse(308, "", "Location", "https://other.in.test/v2/track"),
		textResponse(206, `{"itemsReceived":2,"itemsAccepted":0,"errors":[{"index":0,"statusCode":400},{"index":1,"statusCode":503}]}`))
	w.do("POST http://dev.gateway.localhost/echo/items")
	w.gateway.Close()
	if !slices.Equal(k.urls[:2], []string{"https://region.in.test/v2/track", "https://other.in.test/v2/track"}) {
		t.Errorf("sent to %v", k.urls)
	}
	if !strings.Contains(w.log.String(), "Events of a logger were dropped") {
		t.Error("what was refused is not counted")
	}
}

// TestDiagnosticsByScope lets an API's diagnostic take the place of the service's.
func TestDiagnosticsByScope(t *testing.T) {
	t.Parallel()
	parts := append(insightsParts(snapshot.Diagnostic{Percentage: 100}), diagnosticPart("apis/echo", snapshot.Diagnostic{
		Name: "applicationinsights", Logger: "loggers/insights", Percentage: 0,
	}), apiPart(snapshot.API{ID: "other", Path: "other"}), operationPart("other", "get", "GET /"))
	w := newWorld(t, parts...)
	k := track(t, w)
	w.do("POST http://dev.gateway.localhost/echo/items")
	w.do("GET http://dev.gateway.localhost/other/")
	w.do("GET http://dev.gateway.localhost/nowhere")
	if err := w.change(nil, snapshot.Key{Kind: snapshot.KindDiagnostic, ID: "apis/echo/diagnostics/applicationinsights"}); err != nil {
		t.Fatal(err)
	}
	w.do("POST http://dev.gateway.localhost/echo/items")
	var names []string
	for _, i := range k.all(w)["Request"] {
		names = append(names, i.Tags["ai.operation.name"])
	}
	if want := []string{"other;rev=1 - get", "GET /nowhere", "echo;rev=1 - post"}; !slices.Equal(names, want) {
		t.Errorf("got %q, not %q", names, want)
	}
}

// TestAzureMonitorDiagnostic chooses log lines and what they hold.
func TestAzureMonitorDiagnostic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, loggerPart("monitor", "azureMonitor", nil), apiPart(snapshot.API{ID: "echo", Path: "echo"}), operationPart("echo", "post", "POST /chat"),
		diagnosticPart("", snapshot.Diagnostic{
			Name: "azuremonitor", Logger: "loggers/monitor", Percentage: 100, Verbosity: "error",
		}),
		diagnosticPart("apis/echo", snapshot.Diagnostic{
			Name: "azuremonitor", Logger: "loggers/monitor", Percentage: 100,
			FrontendRequest: snapshot.MessageLog{Headers: []string{"X-A"}, Bytes: 10}, LanguageModel: &snapshot.ModelExchanges{RequestBytes: 20},
		}))
	w.backend.answer = func(*message.Request) (*message.Response, error) {
		return textResponse(200, `{"id":"c-1","model":"small-1","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`), nil
	}
	x := newExchange(t, "POST http://dev.gateway.localhost/echo/chat?q=1", "X-A", "1")
	asked := `{"model":"small","messages":[{"role":"user"}]}`
	x.req.Body, x.req.ContentLength = message.StringBody(asked), int64(len(asked))
	w.gateway.Serve(x)
	x.end()
	w.do("GET http://dev.gateway.localhost/livez")
	lines := w.records()
	if len(lines) != 1 {
		t.Fatalf("got %q", lines)
	}
	for _, want := range []string{`"requestHeaders":{"X-A":"1"}`, `"requestBody":"{\"model\":\""`, `/echo/chat?q=1"`, `"apiRevision":"1"`, `"backendUrl":"http://backend.test/chat?q=1"`, `"backendMethod":"POST"`, `"clientProtocol":"HTTP/1.1"`, `"totalTime":5`} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("no %s in %s", want, lines[0])
		}
	}
	if strings.Contains(lines[0], "callerIpAddress") {
		t.Error("the caller's address shows")
	}
	for _, want := range []string{`"category":"GatewayLlmLogs"`, `"modelName":"small-1"`, `"promptTokens":3,"completionTokens":4,"totalTokens":7`, `"requestMessages":"{\"model\":\"small\",\"me"`} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("no %s in %s", want, w.log)
		}
	}
}

// TestSpans collects the spans of a request, its call and a request of a policy.
func TestSpans(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, parent string
		ratio        float64
		want         int
		sampled      string // flags that the backend service gets
	}{
		{"begins here", "", 1, 3, "-01"},
		{"begins here, not chosen", "", 0, 0, "-00"},
		{"the caller has chosen", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 0, 3, "-01"},
		{"the caller has not", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 1, 0, "-00"},
		{"nonsense", "00-zzf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 1, 3, "-01"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var spans []*telemetry.Span
			w := newWorldWith(t, func(o *gateway.Options) {
				o.Spans = telemetry.SpanOptions{Add: func(s *telemetry.Span) { spans = append(spans, s) }, Ratio: c.ratio, Verbose: true}
			}, apiPart(snapshot.API{ID: "echo", Path: "echo"}), operationPart("echo", "get", "GET /items/{id}"),
				policyPart(t, "apis/echo", inbound(`<send-request mode="new" response-variable-name="r"><set-url>http://side.test/x?key=1</set-url><set-method>GET</set-method></send-request>
				<trace source="mine" severity="information"><message>passing</message></trace>`)))
			var header []string
			if c.parent != "" {
				header = []string{"traceparent", c.parent}
			}
			w.do("GET http://dev.gateway.localhost/echo/items/7", header...)
			if got := w.forwarded(); !strings.HasSuffix(got.Get("traceparent"), c.sampled) {
				t.Errorf("the backend service gets %q", got.Get("traceparent"))
			}
			if len(spans) != c.want {
				t.Fatalf("%d spans", len(spans))
			}
			if c.want == 0 {
				return
			}
			side, call, server := spans[0], spans[1], spans[2]
			if server.Name != "GET /echo/items/{id}" || !server.Server || call.Parent != server.ID || side.Parent != server.ID || call.Trace != server.Trace {
				t.Errorf("spans are %+v, %+v, %+v", side, call, server)
			}
			text := fmt.Sprint(server.Attrs, server.Events, side.Attrs, call.Attrs)
			for _, want := range []string{"http.response.status_code=200", "apim.api.id=echo", "passing", "url.full=http://side.test/x", "apim.policy=forward-request", "forward-request"} {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in %s", want, text)
				}
			}
			if strings.Contains(text, "key=1") {
				t.Error("a query shows")
			}
		})
	}
}
