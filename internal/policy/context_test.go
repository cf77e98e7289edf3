package policy

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// contextHost is the configuration of the context's tests.
type contextHost struct{ testHost }

func (contextHost) Group(name string) (*snapshot.Group, bool) {
	return &snapshot.Group{Name: strings.ToLower(name), Display: name}, true
}

func (contextHost) ProductAPIs(string) []*snapshot.API { return []*snapshot.API{{Name: "echo"}} }

func (contextHost) SubscriptionKeys(name string) (snapshot.SubscriptionKeys, bool) {
	return snapshot.SubscriptionKeys{Primary: name + "-1", Secondary: name + "-2"}, true
}

// streamed is a body that comes in parts.
type streamed struct{ io.Reader }

func (streamed) Close() error { return nil }

func newContextExec(x *Exec) {
	newExec(x)
	limit := 5
	x.Host = contextHost{}
	x.Started = testHost{}.Now().Add(-1500 * time.Millisecond)
	x.ClientIP = "192.0.2.1"
	x.OriginalMethod = "POST"
	x.OriginalURL = message.URL{Scheme: "https", Host: "gw.test", Port: 8443, Path: "/echo/a%20b", RawQuery: "q=1&Q=2&x=a%26b"}
	x.Request = &message.Request{
		Method: "PUT", URL: message.URL{Path: "/a", RawQuery: "k=v"}, Header: message.NewHeader("X-One", "1", "x-one", "2", "Accept", "*/*"),
		Body: streamed{io.LimitReader(strings.NewReader("a=1&a=2&b=x%20y"), 100)}, ContentLength: -1,
	}
	x.Base = message.URL{Scheme: "http", Host: "backend.test", Path: "/base"}
	x.Matched = append(x.Matched, Param{"Name", "value"})
	x.API = &snapshot.API{
		Name: "echo", Display: "Echo API", Path: "echo", Protocols: []string{"http", "https"}, ServiceURL: "https://b.test/x",
		Revision: "2", IsCurrent: true, KeyHeader: "X-Key",
	}
	x.Operation = &snapshot.Operation{Name: "op", Display: "Op", Method: "PUT", URLTemplate: "/{name}"}
	x.Product = &snapshot.Product{Name: "p", Display: "P", Published: true, SubscriptionsLimit: &limit, Groups: []string{"Devs"}}
	x.Subscription = &snapshot.Subscription{Name: "s", Display: "S", Created: testHost{}.Now()}
	x.SubscriptionKey = "key"
	x.User = &snapshot.User{Name: "u", Email: "u@x", Groups: []string{"Devs"}, Identities: []snapshot.Identity{{Provider: "Basic", ID: "i"}}}
	x.SetVariable("n", int32(7))
	x.SetVariable("s", "text")
	x.SetVariable("null", nil)
}

// evaluate runs an expression and formats its result; exceptions are "Type: message".
func evaluateText(t *testing.T, c *Catalogue, x *Exec, source string) string {
	t.Helper()
	program, diagnostics := c.library.Compile(source, csharp.Options{Globals: c.globals})
	if program == nil {
		return diagnostics[0].String()
	}
	v, err := program.Run(x, x.runLimits())
	switch {
	case err != nil:
		return err.Error()
	case v == nil:
		return "null"
	}
	return csharp.FormatValue(v)
}

func TestContextMembers(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	f := func(source, want string) {
		t.Helper()
		var x Exec
		newContextExec(&x)
		x.Response = &message.Response{Status: 404, Header: message.NewHeader("X-R", "r"), Body: message.StringBody("body"), ContentLength: 4}
		x.LastError = &LastError{Source: "src", Message: "msg", Scope: "api", Section: "inbound", Path: "a[1]", Status: 401}
		if got := evaluateText(t, c, &x, source); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
	f(`context.Api.Id + "|" + context.Api.Name + "|" + context.Api.Path + "|" + context.Api.Revision + "|" + context.Api.IsCurrentRevision`, "echo|Echo API|echo|2|True")
	f(`context.Api.Version`, "null")
	f(`context.Api.ServiceUrl.Host + context.Api.ServiceUrl.Path + context.Api.ServiceUrl.Port`, "b.test/x443")
	f(`context.Api.SubscriptionKeyParameterNames.Header + "|" + context.Api.SubscriptionKeyParameterNames.Query`, "X-Key|subscription-key")
	f(`context.Operation.Id + context.Operation.Name + context.Operation.Method + context.Operation.UrlTemplate`, "opOpPUT/{name}")
	f(`context.Product.Id + context.Product.Name + context.Product.SubscriptionLimit + context.Product.State`, "pP5Published")
	f(`context.Subscription.Id + context.Subscription.Name + context.Subscription.Key + context.Subscription.PrimaryKey + context.Subscription.SecondaryKey`, "sSkeys-1s-2")
	f(`context.User.Id + context.User.Email`, "uu@x")
	f(`context.User.Note`, "null")
	f(`context.Deployment.GatewayId + context.Deployment.Gateway.IsManaged + context.Deployment.ServiceName`, "managedTrues")
	f(`context.LastError.Source + context.LastError.Message + context.LastError.Scope + context.LastError.Section + context.LastError.Path + context.LastError.HttpErrorCode`, "srcmsgapiinbounda[1]401")
	f(`context.LastError.Reason`, "null")
	f(`context.Tracing`, "False")
	f(`context.Elapsed.TotalMilliseconds`, "1500")
	f(`context.Timestamp.ToString("o")`, "2026-01-02T03:04:03.5000000Z")
	f(`context.RequestId`, "30313233-3435-3637-3839-616263646566")
	f(`context.Subscription.CreatedDate.Year + "|" + context.Subscription.EndDate`, "2026|")
	f(`string.Join(",", context.User.Groups.Select(g => g.Id + g.Name)) + context.User.Identities.First().Provider`, "devsDevsBasic")
	f(`string.Join(",", context.Product.Apis.Select(a => a.Id)) + context.Product.Groups.Count()`, "echo1")
	f(`context.Api.Protocols.Contains("https")`, "True")
	f(`string.Join(";", context.Request.Headers.Select(h => h.Key + "=" + string.Join("+", h.Value)))`, "X-One=1+2;Accept=*/*")
	f(`string.Join(",", context.Request.OriginalUrl.Query.Keys)`, "q,x")
	f(`context.Request.OriginalUrl.Query.Any(p => p.Value.Contains("a&b"))`, "True")
	f(`context.Request.MatchedParameters.First().Key`, "Name")
	f(`context.Variables.Count`, "3")
	f(`string.Join(",", context.Variables.Where(v => v.Value is int).Select(v => v.Key))`, "n")

	f(`context.Request.Method + context.Request.OriginalMethod + context.Request.IpAddress`, "PUTPOST192.0.2.1")
	f(`context.Request.Headers.GetValueOrDefault("x-ONE")`, "1,2")
	f(`context.Request.Headers.GetValueOrDefault("none")`, "null")
	f(`context.Request.Headers.GetValueOrDefault("none", "d")`, "d")
	f(`context.Request.Headers["X-One"][1]`, "2")
	f(`context.Request.Headers.ContainsKey("accept")`, "True")
	f(`context.Request.Headers["none"]`, "System.Collections.Generic.KeyNotFoundException: The given key 'none' was not present in the dictionary.")
	f(`context.Request.MatchedParameters["Name"] + context.Request.MatchedParameters.GetValueOrDefault("other", "d")`, "valued")
	f(`context.Request.OriginalUrl.Scheme + context.Request.OriginalUrl.Host + context.Request.OriginalUrl.Port + context.Request.OriginalUrl.Path`, "httpsgw.test8443/echo/a%20b")
	f(`context.Request.OriginalUrl.QueryString`, "?q=1&Q=2&x=a%26b")
	f(`context.Request.OriginalUrl.Query.GetValueOrDefault("q")`, "1,2")
	f(`context.Request.OriginalUrl.Query["x"][0]`, "a&b")
	f(`context.Request.OriginalUrl.ToString()`, "https://gw.test:8443/echo/a%20b?q=1&Q=2&x=a%26b")
	f(`context.Request.Url.Host + context.Request.Url.Path + context.Request.Url.QueryString`, "backend.test/a?k=v")
	f(`context.Request.Url.ToString()`, "http://backend.test/base/a?k=v")

	f(`context.Response.StatusCode + context.Response.StatusReason + context.Response.Headers.GetValueOrDefault("x-r")`, "404Not Foundr")
	f(`context.Response.Body.As<string>()`, "body")

	f(`context.Variables["none"]`, "null")
	f(`(int)context.Variables["n"] + 1`, "8")
	f(`context.Variables.ContainsKey("n")`, "True")
	f(`context.Variables.GetValueOrDefault<int>("n")`, "7")
	f(`context.Variables.GetValueOrDefault<int>("none")`, "0")
	f(`context.Variables.GetValueOrDefault("none", "d")`, "d")
	f(`context.Variables.GetValueOrDefault<string>("null", "d")`, "d")
	f(`context.Variables.GetValueOrDefault("s")`, "text")
	f(`context.Variables.GetValueOrDefault<int>("s", 1)`, "System.InvalidCastException: Unable to cast object of type 'System.String' to type 'System.Int32'.")
	f(`context.Variables.GetValueOrDefault<string>("n")`, "System.InvalidCastException: Unable to cast object of type 'System.Int32' to type 'System.String'.")
}

func TestContextIsNullWhereTheRequestHasNothing(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newExec(&x)
	for _, member := range []string{"Operation", "Product", "Subscription", "User", "LastError", "Response", "Request.Body", "Request.IpAddress"} {
		if got := evaluateText(t, c, &x, "context."+member+" == null"); got != "True" {
			t.Errorf("%s: got %s", member, got)
		}
	}
}

func TestBodiesAreConsumed(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newContextExec(&x)
	f := func(source, want string) {
		t.Helper()
		if got := evaluateText(t, c, &x, source); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
	const again = "System.InvalidOperationException: The message body has been read already; read it with preserveContent: true to keep it."
	f(`context.Request.Body.As<string>(preserveContent: true)`, "a=1&a=2&b=x%20y")
	f(`context.Request.Body.AsFormUrlEncodedContent(true)["a"][1]`, "2")
	f(`context.Request.Body.AsFormUrlEncodedContent(true).ToQueryString()`, "?a=1&a=2&b=x+y")
	f(`@{ var f = context.Request.Body.AsFormUrlEncodedContent(true); f["b"].Add("z"); f["new"].Add("v w"); return f.ToFormUrlEncodedContent(); }`, "a=1&a=2&b=x+y&b=z&new=v+w")
	f(`@{ var f = context.Request.Body.AsFormUrlEncodedContent(true); f.Remove("a"); f.Add("c", new List<string> { "3" }); f["b"] = new[] { "4" }; return f.ToFormUrlEncodedContent(); }`, "c=3&b=4")
	f(`context.Request.Body.AsFormUrlEncodedContent(true).ContainsKey("new")`, "False")
	f(`JsonConvert.SerializeObject(context.Request.Body.AsFormUrlEncodedContent(true))`, `{"a":["1","2"],"b":["x y"]}`)
	f(`context.Request.Body.AsFormUrlEncodedContent(true).Select(p => p.Key + p.Value.Count).Last()`, "b1")
	f(`new Dictionary<string, IList<string>> { { "a b", new List<string> { "1", "&" } } }.ToFormUrlEncodedContent()`, "a+b=1&a+b=%26")
	f(`new Dictionary<string, IList<string>>().ToQueryString()`, "null")
	if x.Request.ContentLength != 15 {
		t.Errorf("the body that was read has the length %d", x.Request.ContentLength)
	}
	f(`context.Request.Body.As<byte[]>().Length`, "15")
	f(`context.Request.Body.As<string>()`, again)
	if x.Request.Body != nil {
		t.Error("a consumed body would be sent")
	}
	x.Section = Inbound
	x.SetBody([]byte("new"))
	f(`context.Request.Body.As<string>()`, "new")
	x.SetBody([]byte("\ufeff{\"a\": {\"b\": [1, 2]}}"))
	f(`(string)context.Request.Body.As<JObject>(true)["a"]["b"][1]`, "2")
	f(`context.Request.Body.As<JToken>(true).SelectToken("a.b[0]").ToString()`, "1")
	f(`context.Request.Body.As<JArray>(true)`, "Newtonsoft.Json.JsonReaderException: Error reading JArray from JsonReader. Current JsonReader item is not an array: StartObject. Path '', line 1, position 1.")
	f(`context.Request.Body.As<Guid>(true)`, "System.NotSupportedException: A message body cannot be read as System.Guid.")
	x.Reset(x.ctx, contextHost{})
	newContextExec(&x)
	f(`context.Request.Body.As<string>()`, "a=1&a=2&b=x%20y")
}

func TestFailedReadIsTheError(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newContextExec(&x)
	x.Request.Body = streamed{io.MultiReader(bytes.NewReader([]byte("x")), failingReader{})}
	p := Link(compile(t, c, ScopeAPI, `<policies><inbound><text>@(context.Request.Body.As<string>())</text></inbound></policies>`))
	if failure := p.Run(&x); failure == nil || failure.Reason != ReasonClientConnection {
		t.Errorf("got %+v", failure)
	}
}

// closeCounter counts how often a body is closed.
type closeCounter struct {
	message.Memory
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return c.Memory.Close() }

func TestStoredResponses(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newContextExec(&x)
	body, answer := &closeCounter{Memory: message.StringBody("x")}, &closeCounter{Memory: message.StringBody("y")}
	x.SetVariable("r", NewResponseValue(&x, &message.Response{Status: 201, Body: body, ContentLength: 1}))
	chosen := NewResponseValue(&x, &message.Response{Status: 202, Body: answer, ContentLength: 1})
	x.SetResponse(&message.Response{Status: 204})
	x.SetVariable("old", x.responseValue())
	x.SetResponse(chosen.Message())
	for source, want := range map[string]string{
		`((IResponse)context.Variables["r"]).StatusCode`: "201", `((IResponse)context.Variables["old"]).StatusCode`: "204", `context.Response.StatusCode`: "202",
	} {
		if got := evaluateText(t, c, &x, source); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
	Link().Run(&x)
	if body.closed != 1 || answer.closed != 0 {
		t.Errorf("the body of a variable was closed %d times, that of the answer %d times", body.closed, answer.closed)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, message.ErrClientGone }

func TestBasicAndJWT(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newContextExec(&x)
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	x.SetVariable("jwt", "Bearer "+encode(`{"alg":"HS256","typ":"JWT"}`)+"."+encode(`{"sub":"me","aud":["a","b"],"n":1.50,"ok":true,"none":null,"exp":1700000000}`)+".x")
	x.SetVariable("basic", "Basic "+base64.StdEncoding.EncodeToString([]byte("us:er:p\xe9")))
	f := func(source, want string) {
		t.Helper()
		if got := evaluateText(t, c, &x, source); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
	f(`((string)context.Variables["jwt"]).AsJwt().Algorithm + ((string)context.Variables["jwt"]).AsJwt().Subject`, "HS256me")
	f(`((string)context.Variables["jwt"]).AsJwt().Claims["AUD"][1]`, "b")
	f(`((string)context.Variables["jwt"]).AsJwt().Claims.GetValueOrDefault("aud")`, "a,b")
	f(`((string)context.Variables["jwt"]).AsJwt().Claims.GetValueOrDefault("n") + ((string)context.Variables["jwt"]).AsJwt().Claims.GetValueOrDefault("ok")`, "1.50true")
	f(`((string)context.Variables["jwt"]).AsJwt().Claims["missing"].Length`, "0")
	f(`((string)context.Variables["jwt"]).AsJwt().Id`, "null")
	f(`"x".AsJwt() == null`, "True")
	f(`"a.b".AsJwt() == null`, "True")
	f(`((string)context.Variables["basic"]).AsBasic().UserId + "|" + ((string)context.Variables["basic"]).AsBasic().Password`, "us:er|pé")
	f(`"Bearer x".AsBasic() == null`, "True")
	f(`"Basic !".TryParseBasic(out var b)`, "False")

	x.SetVariable("authorization", &Authorization{AccessToken: "token", Claims: map[string]any{"name": "n"}})
	f(`((Authorization)context.Variables["authorization"]).AccessToken`, "token")
	f(`((Authorization)context.Variables["authorization"]).Claims["name"]`, "n")
	f(`((Authorization)context.Variables["authorization"]).Claims["other"]`,
		"System.Collections.Generic.KeyNotFoundException: The given key 'other' was not present in the dictionary.")
}

func TestExpressionErrors(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	f := func(inner, want string) {
		t.Helper()
		var x Exec
		newContextExec(&x)
		failure := Link(compile(t, c, ScopeAPI, "<policies><inbound>"+inner+"</inbound></policies>")).Run(&x)
		got := "none"
		if failure != nil {
			got = x.LastError.Source + "|" + x.LastError.Reason + "|" + x.LastError.Message
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", inner, got, want)
		}
	}
	f(`<text>@((int)context.Variables["s"])</text>`, `text|ExpressionValueEvaluationFailure|Expression evaluation failed. Unable to cast object of type 'System.String' to type 'System.Int32'.`)
	f(`<note text="x" count="@(4)" />`, "none")
	f(`<note text="@(context.Product.Id)" />`, "none")
	f(`<text>@(context.LastError.Source)</text>`, `text|ExpressionValueEvaluationFailure|Expression evaluation failed. Object reference not set to an instance of an object.`)
}

func TestExpressionDiagnosticsPointIntoTheDocument(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	f := func(text, want string) {
		t.Helper()
		_, report := c.Compile(text, Options{Lookup: testLookup{"value long": "1 + 2 + 3"}})
		if len(report.Errors) == 0 {
			t.Fatalf("%s: no error", text)
		}
		got := report.Errors[0]
		if s := got.String(); !strings.HasPrefix(s, want) {
			t.Errorf("%s\ngot  %s\nwant %s", text, s, want)
		}
	}
	f("<policies><inbound>\n<text>@(nope)</text></inbound></policies>", `2:9: `)
	f("<policies><inbound>\n<text>@{\n  return\n nope;\n}</text></inbound></policies>", `4:2: `)
	f(`<policies><inbound><text template="@(1 &lt; 2 &amp;&amp; nope)" /></inbound></policies>`, `1:36: attribute "template" of <text> cannot be an expression`)
	f(`<policies><inbound><note text="@(1 &lt; 2 &amp;&amp; nope)" /></inbound></policies>`, `1:54: `)
	f(`<policies><inbound><note text="@({{long}} + nope)" /></inbound></policies>`, `1:45: `)
}

func TestCrypto(t *testing.T) {
	t.Parallel()
	key, iv := bytes.Repeat([]byte("k"), 16), bytes.Repeat([]byte("i"), 16)
	// Made with: openssl enc -aes-128-cbc -K 6b…6b -iv 69…69
	const want = "J1BVW8oP4qi2wUscDXyJyVA3cj5h8YkIdzPoBG0MBN8="
	got := base64.StdEncoding.EncodeToString(encrypt([]byte("attack at dawn, or a bit later"), "Aes", key, iv))
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, algorithm := range []string{"aes", "TripleDES"} {
		iv := iv[:blockCipherSize(algorithm)]
		for n := range 40 {
			text := bytes.Repeat([]byte("x"), n)
			if got := decrypt(encrypt(text, algorithm, key, iv), algorithm, key, iv); !bytes.Equal(got, text) {
				t.Errorf("%s of %d bytes: got %q", algorithm, n, got)
			}
		}
	}
	c := testCatalogue(t)
	var x Exec
	newContextExec(&x)
	x.SetVariable("key", key)
	x.SetVariable("iv", iv)
	for source, want := range map[string]string{
		`((byte[])context.Variables["key"]).Encrypt("Aes", (byte[])context.Variables["key"], (byte[])context.Variables["iv"]).Decrypt("Aes", (byte[])context.Variables["key"], (byte[])context.Variables["iv"]).Length`: "16",
		`((byte[])context.Variables["key"]).Encrypt("Rot13", null, null)`:                                                      "System.Security.Cryptography.CryptographicException: 'Rot13' is not a known symmetric algorithm.",
		`((byte[])context.Variables["key"]).Decrypt("Aes", (byte[])context.Variables["key"], (byte[])context.Variables["iv"])`: "System.Security.Cryptography.CryptographicException: Padding is invalid and cannot be removed.",
		`((byte[])context.Variables["key"]).Encrypt("Aes", (byte[])context.Variables["key"], new byte[] { 1 })`:                "System.Security.Cryptography.CryptographicException: Specified initialization vector (IV) does not match the block size for this algorithm.",
	} {
		if got := evaluateText(t, c, &x, source); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
}

func blockCipherSize(algorithm string) int {
	if algorithm == "aes" {
		return 16
	}
	return 8
}
