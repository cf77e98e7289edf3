package gateway_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// budget fails when f allocates more often than that. Records come back from
// their writer by and by, and a collection empties the pools: only what stays so
// counts.
func budget(t *testing.T, most float64, f func()) {
	t.Helper()
	n := most + 1
	for end := time.Now().Add(20 * time.Second); n > most && time.Now().Before(end); {
		n = testing.AllocsPerRun(500, f)
	}
	if n > most && !raceEnabled {
		t.Errorf("%v allocations, the budget is %v", n, most)
	}
}

// TestServeAllocations keeps the plain path, a proxied call with a subscription
// key, free of allocations.
func TestServeAllocations(t *testing.T) {
	g, x := newPlain(t)
	budget(t, 0, func() { x.serve(g) })
}

// observed switches on what tells of requests: log lines, usage and metrics,
// which OTLP, StatsD and Prometheus read.
func observed(tb testing.TB) (*slog.Logger, func(*gateway.Options)) {
	tb.Helper()
	handler, err := telemetry.NewLogHandler(io.Discard, telemetry.LogOptions{Format: "text"})
	if err != nil {
		tb.Fatal(err)
	}
	return slog.New(handler), func(o *gateway.Options) {
		o.Usage = telemetry.NewUsage()
		o.Metrics = telemetry.NewMetrics(telemetry.MetricsOptions{GatewayID: "g", Location: func() string { return "" }, Buckets: []float64{5, 10, 100}})
		o.Trust = &policy.Trust{Tokens: new(auth.ValidTokens), OpenID: auth.NewOpenID(testIssuer(), time.Now)}
	}
}

// issuer signs tokens and answers with its OpenID configuration.
type issuer struct{ key *rsa.PrivateKey }

// testIssuer is the issuer of all tests.
var testIssuer = sync.OnceValue(func() issuer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return issuer{key}
})

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (i issuer) sign(tb testing.TB, claims string) string {
	tb.Helper()
	text := encode([]byte(`{"alg":"RS256","kid":"k","typ":"JWT"}`)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, i.key, crypto.SHA256, sum[:])
	if err != nil {
		tb.Fatal(err)
	}
	return text + "." + encode(signature)
}

func (i issuer) Do(r *http.Request) (*http.Response, error) {
	text := `{"issuer":"me","jwks_uri":"http://issuer.test/keys"}`
	if r.URL.Path == "/keys" {
		text = fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"k","n":%q,"e":"AQAB"}]}`, encode(i.key.N.Bytes()))
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text))}, nil
}

// newTypical is a gateway with all observation on, an API with the policies that
// many have, and a request for it.
func newTypical(tb testing.TB, policies string) (message.Handler, *plainExchange) {
	tb.Helper()
	log, options := observed(tb)
	g := newGateway(tb, &plainBackend{message.Response{Header: message.NewHeader("Content-Type", "text/plain", "X-Backend", "1")}}, log, time.Now, options)
	tb.Cleanup(g.Close)
	s, delta := snapshot.Empty().Edit(1, []snapshot.Part{
		servicePart, policyPart(tb, "", defaultPolicy), policyPart(tb, "apis/a", inbound(policies)),
		apiPart(snapshot.API{ID: "a", Path: "shop/api", SubscriptionRequired: true, ServiceURL: "http://127.0.0.1:9000"}),
		operationPart("a", "get", "GET /items/{id}"), subscriptionPart("s", "apis/a", "key", nil),
	}, nil)
	if err := g.Apply(tb.Context(), serviceID, nil, s, delta); err != nil {
		tb.Fatal(err)
	}
	token := testIssuer().sign(tb, `{"iss":"me","aud":"api","sub":"00000000-0000-0000-0000-000000000001","scp":"read write","name":"Somebody","exp":4102444800}`)
	x := &plainExchange{fakeExchange: newExchange(tb, "GET "+host+"/shop/api/items/42?q=1", "User-Agent", "bench", "Accept", "*/*",
		"Ocp-Apim-Subscription-Key", "key", "Authorization", "Bearer "+token)}
	x.header, x.url, x.ctx = x.req.Header.Clone(), x.req.URL, context.Background()
	x.serve(g)
	if x.status != 200 {
		tb.Fatalf("status %d", x.status)
	}
	return g, x
}

// TestObservedAllocations: records, log lines, usage and metrics cost a request no
// allocation.
func TestObservedAllocations(t *testing.T) {
	g, x := newTypical(t, "")
	budget(t, 0, func() { x.serve(g) })
}

// typicalPolicies are those that docs/performance.md measures.
const typicalPolicies = `<rate-limit-by-key calls="1000000000" renewal-period="60" counter-key="@(context.Subscription.Id)" />
<validate-jwt header-name="Authorization" require-scheme="Bearer">
	<openid-config url="http://issuer.test/openid" />
	<audiences><audience>api</audience></audiences>
	<issuers><issuer>me</issuer></issuers>
</validate-jwt>
<set-header name="X-Caller" exists-action="override"><value>@(context.Subscription.Id + "/" + context.Request.IpAddress)</value></set-header>
<set-header name="X-Operation" exists-action="override"><value>@($"{context.Api.Id}:{context.Operation.Id}")</value></set-header>
<set-header name="X-Agent" exists-action="override"><value>@(context.Request.Headers.GetValueOrDefault("User-Agent", "none").ToLower())</value></set-header>
<rewrite-uri template="/rewritten/{id}" />`

// TestTypicalAllocations bounds what the typical policy set allocates.
func TestTypicalAllocations(t *testing.T) {
	g, x := newTypical(t, typicalPolicies)
	budget(t, 0, func() { x.serve(g) })
}

func BenchmarkTypical(b *testing.B) {
	g, x := newTypical(b, typicalPolicies)
	b.ReportAllocs()
	for b.Loop() {
		x.serve(g)
	}
}

// commonPolicies are those that documents have most often.
const commonPolicies = `<cors><allowed-origins><origin>https://a.example</origin></allowed-origins></cors>
<check-header name="User-Agent" failed-check-httpcode="400" failed-check-error-message="no" ignore-case="true"><value>other</value><value>BENCH</value></check-header>
<set-variable name="agent" value="@(context.Request.Headers.GetValueOrDefault("User-Agent", ""))" />
<choose>
	<when condition="@((string)context.Variables["agent"] == "x")"><set-header name="X-A"><value>a</value></set-header></when>
	<when condition="@(context.Variables.GetValueOrDefault<string>("agent").StartsWith("be"))">
		<set-header name="X-B"><value>@(context.Variables.GetValueOrDefault<string>("agent"))</value></set-header>
	</when>
</choose>
<set-backend-service base-url="http://127.0.0.1:9001/x" />
<rate-limit calls="1000000000" renewal-period="60" />
<set-query-parameter name="v" exists-action="override"><value>1</value></set-query-parameter>
<set-header name="X-Q"><value>@(context.Request.Url.Query.GetValueOrDefault("q", "1") + context.Request.Headers.Count)</value></set-header>
<set-header name="X-D" exists-action="delete" />`

// TestCommonAllocations bounds what common policies allocate: the value of a variable, the object of a query, and the path at the backend service.
func TestCommonAllocations(t *testing.T) {
	g, x := newTypical(t, commonPolicies)
	budget(t, 3, func() { x.serve(g) })
}

func BenchmarkCommon(b *testing.B) {
	g, x := newTypical(b, commonPolicies)
	b.ReportAllocs()
	for b.Loop() {
		x.serve(g)
	}
}
