package gateway_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

const host = "http://dev.gateway.localhost"

func TestMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "echo", Path: "Echo", ServiceURL: "http://echo.test"}), operationPart("echo", "get", "GET /items/{id}"), operationPart("echo", "rest", "GET /files/*"),
		apiPart(snapshot.API{ID: "echo;rev=2", Path: "Echo", ServiceURL: "http://echo-rev2.test", Revision: "2"}), operationPart("echo;rev=2", "get", "GET /items/{id}"),
		apiPart(snapshot.API{ID: "deep", Path: "echo/deep/er", ServiceURL: "http://deep.test/base/"}), operationPart("deep", "get", "GET /"),
		apiPart(snapshot.API{ID: "root", Path: "", ServiceURL: "http://root.test"}), operationPart("root", "get", "GET /about"),
		apiPart(snapshot.API{ID: "tls", Path: "tls", Protocols: []string{"https"}}), operationPart("tls", "get", "GET /"),
		mustPart(snapshot.KindVersionSet, "apiversionsets/seg", snapshot.VersionSet{Name: "seg", Scheme: "Segment"}),
		apiPart(snapshot.API{ID: "seg", Path: "seg", VersionSet: "seg", ServiceURL: "http://seg.test"}), operationPart("seg", "get", "GET /x"),
		apiPart(snapshot.API{ID: "seg-v1", Path: "seg", VersionSet: "seg", Version: "v1", ServiceURL: "http://seg1.test"}), operationPart("seg-v1", "get", "GET /x"),
		apiPart(snapshot.API{ID: "seg-v1;rev=2", Path: "seg", VersionSet: "seg", Version: "v1", Revision: "2", ServiceURL: "http://seg1-rev2.test"}), operationPart("seg-v1;rev=2", "get", "GET /x"),
		mustPart(snapshot.KindVersionSet, "apiversionsets/hdr", snapshot.VersionSet{Name: "hdr", Scheme: "Header", HeaderName: "X-Version"}),
		apiPart(snapshot.API{ID: "hdr", Path: "hdr", VersionSet: "hdr", ServiceURL: "http://hdr.test"}), operationPart("hdr", "get", "GET /x"),
		apiPart(snapshot.API{ID: "hdr-v1", Path: "hdr", VersionSet: "hdr", Version: "v1", ServiceURL: "http://hdr1.test"}), operationPart("hdr-v1", "get", "GET /x"),
		mustPart(snapshot.KindVersionSet, "apiversionsets/qry", snapshot.VersionSet{Name: "qry", Scheme: "Query", QueryName: "api-version"}),
		apiPart(snapshot.API{ID: "qry-v1", Path: "qry", VersionSet: "qry", Version: "v1", ServiceURL: "http://qry1.test"}), operationPart("qry-v1", "get", "GET /x"),
	)
	f := func(request, want string, header ...string) {
		t.Helper()
		if want != "" {
			want = "200 GET " + want
		} else {
			want = `404 {"statusCode":404,"message":"Resource not found"}`
		}
		if got := w.do(request, header...).String(); got != want {
			t.Errorf("%s: got %s, want %s", request, got, want)
		}
	}
	f("GET "+host+"/echo/items/7", "http://echo.test/items/7")
	f("GET "+host+"/ECHO/Items/A%20b?q=1", "http://echo.test/Items/A%20b?q=1")
	f("GET "+host+"//echo/items/7", "http://echo.test/items/7")
	f("GET "+host+"/echo", "")
	f("POST "+host+"/echo/items/7", "")
	f("GET "+host+"/echoes/items/7", "")
	f("GET "+host+"/echo;rev=2/items/7", "http://echo-rev2.test/items/7")
	f("GET "+host+"/echo;rev=1/items/7", "http://echo.test/items/7")
	f("GET "+host+"/echo;rev=3/items/7", "")
	f("GET "+host+"/echo/items/7;rev=2", "http://echo.test/items/7;rev=2")
	f("GET "+host+"/echo/files/a;rev=2/b", "http://echo.test/files/a;rev=2/b")
	f("GET "+host+"/echo/deep/er", "http://deep.test/base/")
	f("GET "+host+"/echo/deep/ER/", "http://deep.test/base/")
	f("GET "+host+"/about", "http://root.test/about")
	f("GET "+host+"/;rev=1/about", "http://root.test/about")
	f("GET "+host+"/tls", "")
	f("GET https://dev.gateway.localhost/tls", "http://backend.test/")
	f("GET "+host+"/seg/x", "http://seg.test/x")
	f("GET "+host+"/seg/V1/x", "http://seg1.test/x")
	f("GET "+host+"/seg/v1;rev=2/x", "http://seg1-rev2.test/x")
	f("GET "+host+"/seg/v2/x", "")
	f("GET "+host+"/hdr/x", "http://hdr.test/x")
	f("GET "+host+"/hdr/x", "http://hdr1.test/x", "x-version", "V1")
	f("GET "+host+"/hdr/x", "", "X-Version", "v2")
	f("GET "+host+"/qry/x?api-version=v1", "http://qry1.test/x?api-version=v1")
	f("GET "+host+"/qry/x", "")
	f("GET "+host+"/nothing/"+strings.Repeat("a/", 3000), "")
	f("GET "+host+"/seg/../echo/./items/7", "http://echo.test/items/7")
	f("GET "+host+"/echo/files/%2e%2E/%2e./tls", "")
	f("GET "+host+"/echo/files/.../x", "http://echo.test/files/.../x")
}

func TestNotConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.do("GET " + host + "/status-0123456789abcdef").status; got != 200 || !w.gateway.Ready() {
		t.Errorf("with a configuration: %d", got)
	}
	w.gateway.Remove(serviceID)
	for _, path := range []string{"/status-0123456789abcdef", "/internal-status-0123456789abcdef", "/readyz", "/echo"} {
		if x := w.do("GET " + host + path); x.status != 503 || x.header.Get("Retry-After") == "" {
			t.Errorf("%s without a configuration: %s", path, x)
		}
	}
	if got := w.do("GET " + host + "/livez").status; got != 200 {
		t.Errorf("/livez: %d", got)
	}
}

func TestServicesByHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: "http://dev.test"}), operationPart("a", "get", "GET /"))
	other, delta := snapshot.Empty().Edit(1, []snapshot.Part{
		mustPart(snapshot.KindService, "", snapshot.Service{Name: "Other", KeyHashKey: hashKey, Hostnames: []string{"api.example.com"}}), policyPart(t, "", defaultPolicy),
		apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: "http://other.test"}), operationPart("a", "get", "GET /"),
	}, nil)
	if err := w.gateway.Apply(t.Context(), "/other", nil, other, delta); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"dev.gateway.localhost": "dev", "OTHER.gateway.localhost": "other", "api.example.com": "other", "unknown": "dev", "127.0.0.1:8080": "dev",
	} {
		if got, want := w.do("GET http://"+host+"/a").String(), "200 GET http://"+want+".test/"; got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
}

const defaultPolicy = "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>"

const corsPolicy = `<cors><allowed-origins><origin>https://page.test</origin></allowed-origins><allowed-methods><method>PUT</method></allowed-methods></cors>`

func TestPreflight(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "a", Path: "a", SubscriptionRequired: true}), operationPart("a", "put", "PUT /x"), operationPart("a", "own", "OPTIONS /own"),
		policyPart(t, "apis/a", inbound(`<set-header name="X"><value>never</value></set-header>`+corsPolicy)),
		policyPart(t, "apis/a/operations/put", inbound("")),
		apiPart(snapshot.API{ID: "none", Path: "none"}), operationPart("none", "put", "PUT /x"),
		apiPart(snapshot.API{ID: "tls", Path: "tls", Protocols: []string{"https"}}), policyPart(t, "apis/tls", inbound(corsPolicy)),
		apiPart(snapshot.API{ID: "lone", Path: "lone"}), policyPart(t, "apis/lone", inbound(strings.Replace(corsPolicy, "<cors>", `<cors terminate-unmatched-request="false">`, 1))),
		apiPart(snapshot.API{ID: "graph", Path: "graph", Type: "graphql", SubscriptionRequired: true}), policyPart(t, "apis/graph", inbound(corsPolicy)),
	)
	f := func(path string, wantStatus int, wantOrigin string, header ...string) {
		t.Helper()
		x := w.do("OPTIONS "+host+path, header...)
		if x.status != wantStatus || x.header.Get("Access-Control-Allow-Origin") != wantOrigin {
			t.Errorf("%s: got %s %v", path, x, x.header)
		}
	}
	asks := []string{"Origin", "https://page.test", "Access-Control-Request-Method", "PUT"}
	f("/a/x", 200, "https://page.test", asks...)
	f("/a/unknown", 200, "https://page.test", asks...)
	f("/a/x", 200, "", "Origin", "https://evil.test", "Access-Control-Request-Method", "PUT")
	f("/a/x", 404, "", "Origin", "https://page.test")
	f("/a/own", 401, "", asks...) // the API has OPTIONS itself
	f("/none/x", 404, "", asks...)
	f("/tls/x", 404, "", asks...)
	f("/lone/x", 200, "", "Origin", "https://evil.test", "Access-Control-Request-Method", "PUT")
	f("/nowhere", 404, "", asks...)
	f("/graph", 200, "https://page.test", asks...)
	f("/graph/", 200, "https://page.test", asks...)
	f("/graph", 404, "", "Origin", "https://page.test")
	if len(w.backend.requests) != 0 {
		t.Error("a preflight reached the backend service")
	}
}

// A key in the query, which browsers do send in a preflight request, brings the policies of its product; so does a product that needs none.
func TestPreflightInProducts(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "a", Path: "a", SubscriptionRequired: true}), operationPart("a", "put", "PUT /x"),
		mustPart(snapshot.KindProduct, "products/p", snapshot.Product{Name: "p", SubscriptionRequired: true}),
		mustPart(snapshot.KindProductAPI, "products/p/apis/a", snapshot.ProductAPI{Product: "p", API: "a"}),
		policyPart(t, "products/p", inbound(corsPolicy)), subscriptionPart("s", "products/p", "key", nil),
		apiPart(snapshot.API{ID: "b", Path: "b", SubscriptionRequired: true}), operationPart("b", "put", "PUT /x"),
		mustPart(snapshot.KindProduct, "products/open", snapshot.Product{Name: "open"}),
		mustPart(snapshot.KindProductAPI, "products/open/apis/b", snapshot.ProductAPI{Product: "open", API: "b"}),
		policyPart(t, "products/open", inbound(corsPolicy)),
	)
	f := func(path string, wantStatus int, wantOrigin string) {
		t.Helper()
		x := w.do("OPTIONS "+host+path, "Origin", "https://page.test", "Access-Control-Request-Method", "PUT")
		if x.status != wantStatus || x.header.Get("Access-Control-Allow-Origin") != wantOrigin {
			t.Errorf("%s: got %s %v", path, x, x.header)
		}
	}
	f("/a/x?subscription-key=key", 200, "https://page.test")
	f("/a/x?subscription-key=other", 404, "")
	f("/a/x", 404, "")
	f("/b/x", 200, "https://page.test")
}

// An origin that a policy does not know and does not end with is left to those of outer scopes, and gets an empty answer in the end.
func TestPreflightOfSeveralScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "put", "PUT /x"),
		policyPart(t, "", `<policies><inbound><cors><allowed-origins><origin>https://outer.test</origin></allowed-origins></cors></inbound><backend /><outbound /><on-error /></policies>`),
		policyPart(t, "apis/a", `<policies><inbound>`+strings.Replace(corsPolicy, "<cors>", `<cors terminate-unmatched-request="false">`, 1)+
			`<base /></inbound><backend /><outbound /><on-error /></policies>`),
	)
	for origin, want := range map[string]string{"https://page.test": "https://page.test", "https://outer.test": "https://outer.test", "https://evil.test": ""} {
		x := w.do("OPTIONS "+host+"/a/x", "Origin", origin, "Access-Control-Request-Method", "PUT")
		if x.status != 200 || x.body != "" || x.header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("%s: got %s %v", origin, x, x.header)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"),
		apiPart(snapshot.API{ID: "nowhere", Path: "nowhere", ServiceURL: "none"}), operationPart("nowhere", "get", "GET /"),
		policyPart(t, "", `<policies><inbound /><backend><forward-request /></backend><outbound /><on-error>
			<set-header name="Why"><value>@(context.LastError.Source + "/" + context.LastError.Reason)</value></set-header></on-error></policies>`),
	)
	fail := func(kind message.BackendErrorKind, err error) {
		w.backend.answer = func(*message.Request) (*message.Response, error) {
			return nil, &message.BackendError{Kind: kind, Err: err}
		}
	}
	f := func(path, wantWhy string, wantStatus int) {
		t.Helper()
		x := w.do("GET " + host + path)
		if got := x.header.Get("Why"); got != wantWhy || x.status != wantStatus {
			t.Errorf("%s: got %s %s", path, x, got)
		}
		if wantStatus == 500 && !strings.Contains(x.body, `"message":"Internal server error","activityId":"`) {
			t.Errorf("%s: body %s", path, x.body)
		}
	}
	f("/unknown", "configuration/OperationNotFound", 404)
	f("/nowhere", "forward-request/BackendConnectionFailure", 500)
	fail(message.BackendConnect, errors.New("refused"))
	f("/a", "forward-request/BackendConnectionFailure", 500)
	fail(message.BackendTimeout, errors.New("late"))
	f("/a", "forward-request/Timeout", 500)
	fail(message.BackendCanceled, message.ErrClientGone)
	f("/a", "forward-request/ClientConnectionFailure", 499)
	fail(message.RequestBodyFailed, fmt.Errorf("chunk: %w", message.ErrMalformed))
	f("/a", "forward-request/ClientConnectionFailure", 400)
	fail(message.RequestBodyFailed, fmt.Errorf("fixed: %w", message.ErrTooSlow))
	f("/a", "forward-request/ClientConnectionFailure", 408)
	fail(message.RequestBodyFailed, message.ErrTruncated)
	f("/a", "forward-request/ClientConnectionFailure", 499)
	fail(message.BackendProtocol, errors.New("nonsense"))
	f("/a", "forward-request/BackendConnectionFailure", 500)
}

// brokenBody is a request body that cannot be read to its end.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }
func (b brokenBody) Close() error             { return nil }

// The caller learns what is wrong with the body of its request, whoever reads it.
func TestBrokenRequestBody(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"set-body":         inbound(`<set-body>@(context.Request.Body.As<string>() + "!")</set-body>`),
		"validate-content": inbound(`<validate-content unspecified-content-type-action="prevent" max-size="1024" size-exceeded-action="prevent" />`),
		"forward-request":  `<policies><inbound /><backend><forward-request buffer-request-body="true" /></backend><outbound /><on-error /></policies>`,
	} {
		w := newWorld(t, apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "put", "PUT /"), policyPart(t, "apis/a", document))
		for err, want := range map[error]int{message.ErrMalformed: 400, message.ErrTooSlow: 408, message.ErrClientGone: 499} {
			x := newExchange(t, "PUT "+host+"/a", "Content-Type", "text/plain")
			x.req.Body, x.req.ContentLength = brokenBody{fmt.Errorf("chunk: %w", err)}, -1
			w.gateway.Serve(x)
			x.end()
			if x.status != want {
				t.Errorf("%s, %v: got %s", name, err, x)
			}
		}
	}
}

func TestUnsendableAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"))
	f := func(err error, wantStatus int, wantReason string) {
		t.Helper()
		x := newExchange(t, "GET "+host+"/a")
		x.failing = err
		w.gateway.Serve(x)
		x.end()
		if x.status != wantStatus {
			t.Errorf("%v: got %s", err, x)
		}
	}
	f(&message.InvalidFieldError{Name: "X"}, 500, "ResponseInvalid")
	f(&message.BackendError{Kind: message.BackendAborted, Err: message.ErrTruncated}, 500, "BackendConnectionFailure")
	f(message.ErrClientGone, 0, "ClientConnectionFailure")
	got := strings.Join(w.records(), "")
	for _, want := range []string{"ResponseInvalid", "BackendConnectionFailure", "ClientConnectionFailure"} {
		if !strings.Contains(got, want) {
			t.Errorf("no record with %s in %s", want, got)
		}
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "a", Path: "a", SubscriptionRequired: true}), operationPart("a", "get", "GET /x"),
		subscriptionPart("sub", "", "secret-key", nil),
	)
	w.do("GET "+host+"/a/x?subscription-key=secret-key", "User-Agent", "test")
	w.do("GET "+host+"/a/x", "Ocp-Apim-Subscription-Key", "wrong-key")
	w.do("BREW " + host + "/unknown?token=secret-token")
	lines := w.records()
	if len(lines) != 3 {
		t.Fatalf("got %d records: %s", len(lines), lines)
	}
	for i, want := range [][]string{
		{`"responseCode":200`, `"url":"http://dev.gateway.localhost/a/x"`, `"apiId":"a"`, `"operationId":"get"`, `"apimSubscriptionId":"sub"`, `"callerIpAddress":"192.0.2.7"`, `"backendResponseCode":200`, `"totalTime":5`},
		{`"responseCode":401`, `"lastErrorReason":"SubscriptionKeyInvalid"`, `"lastErrorSource":"authorization"`},
		{`"responseCode":404`, `"method":"BREW"`, `"lastErrorReason":"OperationNotFound"`},
	} {
		for _, s := range want {
			if !strings.Contains(lines[i], s) {
				t.Errorf("record %d has no %s: %s", i, s, lines[i])
			}
		}
	}
	if all := w.log.String(); strings.Contains(all, "secret") || strings.Contains(all, "wrong-key") {
		t.Errorf("a secret is in the log: %s", all)
	}
}

func TestWithoutDots(t *testing.T) {
	t.Parallel()
	f := func(path, want string) {
		t.Helper()
		if got := gateway.WithoutDots(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	f("/a/b", "/a/b")
	f("/a/./b", "/a/b")
	f("/a/../b", "/b")
	f("/a/b/..", "/a/")
	f("/a/.", "/a/")
	f("/../../a", "/a")
	f("/..", "/")
	f("/a//../b", "/a/b")
	f("/%2E%2e/a/%2e", "/a/")
	f("/a/..b/.c/...", "/a/..b/.c/...")
	f("/a/%2f..", "/a/%2f..")
	f("*", "*")
}

func FuzzWithoutDots(f *testing.F) {
	for _, s := range []string{"/a/../b", "/%2e%2e/", "/./..//.", "/a/.%2E", "*", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := gateway.WithoutDots(path)
		if again := gateway.WithoutDots(got); again != got {
			t.Errorf("%q: %q, then %q", path, got, again)
		}
		if !strings.HasPrefix(path, "/") {
			return
		}
		for seg := range strings.SplitSeq(strings.ToLower(got), "/") {
			if s := strings.ReplaceAll(seg, "%2e", "."); s == "." || s == ".." || got[0] != '/' {
				t.Errorf("%q: %q", path, got)
			}
		}
	})
}
