package policy

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/message"
)

// benchBody is a request body of the size that policies usually edit.
const benchBody = `{"orderId":"A-1047","customer":{"id":42,"name":"Ann Other","email":"ann@example.org"},` +
	`"items":[{"sku":"x-1","quantity":2,"price":12.5},{"sku":"y-9","quantity":1,"price":99.95}],"secret":"do not forward","express":true}`

// benchExpression is an expression of a kind that real policies use often.
type benchExpression struct {
	name, source, target string
	// allocs is the budget of allocations of a small expression; -1 for the others, which are only measured.
	allocs float64
}

var benchExpressions = []benchExpression{
	{"header-default", `@(context.Request.Headers.GetValueOrDefault("X-Tenant", "none"))`, "string", 0},
	{"compare", `@(context.Request.Method == "PUT")`, "bool", 0},
	{"compare-ignore-case", `@(context.Request.Method.Equals("put", StringComparison.OrdinalIgnoreCase))`, "bool", 0},
	{"concat", `@("/tenants/" + context.Api.Id + "/v2")`, "string", 1},
	{"interpolate", `@($"{context.Api.Id}:{context.Operation.Id}")`, "string", 1},
	{"variable-cast", `@((string)context.Variables["tenant"])`, "string", 0},
	{"variable-int", `@((int)context.Variables["tries"] < 3)`, "bool", 0},
	{"variable-default", `@(context.Variables.GetValueOrDefault<string>("tenant", "none"))`, "string", 0},
	{"variable-flag", `@(context.Variables.GetValueOrDefault<bool>("known"))`, "bool", 0},
	{"status", `@(context.Response.StatusCode >= 200 && context.Response.StatusCode < 300)`, "bool", 0},
	{"null-check", `@(context.User != null && context.User.Email.EndsWith("@example.org", StringComparison.Ordinal))`, "bool", 0},
	{"base64", `@("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + (string)context.Variables["tenant"])))`, "string", -1},
	{"split", `@(context.Request.Headers.GetValueOrDefault("Authorization", "").Split(' ').Last())`, "string", -1},
	{"linq", `@(string.Join(";", context.Request.Headers.Where(h => h.Key.StartsWith("X-")).Select(h => h.Key + "=" + string.Join(",", h.Value))))`, "string", -1},
	{"regex", `@(Regex.Match(context.Request.Url.Path, @"^/orders/(?<id>[A-Z]-\d+)").Groups["id"].Value)`, "string", -1},
	{"date", `@(DateTime.UtcNow.AddMinutes(5).ToString("yyyy-MM-ddTHH:mm:ssZ"))`, "string", -1},
	{"query", `@(context.Request.OriginalUrl.Query.GetValueOrDefault("page", "1"))`, "string", -1},
	{"jobject", `@(new JObject(new JProperty("code", context.Response.StatusCode), new JProperty("tenant", (string)context.Variables["tenant"]), new JProperty("tags", new JArray("a", "b"))).ToString())`, "string", -1},
	{"json-edit", `@{
	var body = context.Request.Body.As<JObject>(preserveContent: true);
	body["tenant"] = (string)context.Variables["tenant"];
	body["customer"]["name"] = "hidden";
	body.Remove("secret");
	foreach (var item in (JArray)body["items"]) { item["quantity"] = (int)item["quantity"] + 1; }
	return body.ToString(Newtonsoft.Json.Formatting.None);
}`, "string", -1},
	{"block", `@{
	string tenant = (string)context.Variables["tenant"];
	try {
		var parts = tenant.Split('-');
		if (parts.Length == 2) { return parts[1].ToUpperInvariant(); }
		return int.Parse(tenant).ToString();
	} catch (FormatException) {
		return "unknown";
	}
}`, "string", -1},
}

func newBenchExec(x *Exec) {
	newContextExec(x)
	x.Request.Header.Set("X-Tenant", "contoso-eu")
	x.Request.Header.Set("Authorization", "Bearer abc.def.ghi")
	x.Request.URL.Path = "/orders/A-1047"
	x.Request.Body = message.StringBody(benchBody)
	x.Request.ContentLength = int64(len(benchBody))
	x.Response = &message.Response{Status: 200}
	x.SetVariable("tenant", "contoso-eu")
	x.SetVariable("tries", int32(1))
	x.SetVariable("known", true)
}

func (e benchExpression) compile(tb testing.TB, c *Catalogue) *csharp.Program {
	tb.Helper()
	program, diagnostics := c.library.Compile(e.source, csharp.Options{Globals: c.globals, Target: c.library.MustType(e.target)})
	if program == nil {
		tb.Fatalf("%s: %v", e.name, diagnostics)
	}
	return program
}

func (e benchExpression) run(program *csharp.Program, x *Exec, limits *csharp.Limits) (err error) {
	if e.target == "bool" {
		_, err = program.RunBool(x, limits)
	} else {
		_, _, err = program.RunString(x, limits)
	}
	return err
}

func TestExpressionAllocations(t *testing.T) {
	c := testCatalogue(t)
	for _, e := range benchExpressions {
		var x Exec
		newBenchExec(&x)
		program, limits := e.compile(t, c), x.runLimits()
		got := testing.AllocsPerRun(100, func() {
			if err := e.run(program, &x, limits); err != nil {
				t.Fatalf("%s: %v", e.name, err)
			}
		})
		if e.allocs >= 0 && got > e.allocs {
			t.Errorf("%s: %v allocations, budget %v", e.name, got, e.allocs)
		}
	}
}

func BenchmarkExpression(b *testing.B) {
	c := testCatalogue(b)
	for _, e := range benchExpressions {
		b.Run(e.name, func(b *testing.B) {
			var x Exec
			newBenchExec(&x)
			program, limits := e.compile(b, c), x.runLimits()
			b.ReportAllocs()
			for b.Loop() {
				if err := e.run(program, &x, limits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkExpressionCompile compiles the whole set in each round.
func BenchmarkExpressionCompile(b *testing.B) {
	c := testCatalogue(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range benchExpressions {
			e.compile(b, c)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(benchExpressions)), "µs/expression")
}

// BenchmarkJSONEditByHand is the edit of json-edit as one would write it in Go: a tree of maps, so the order of the members is lost.
func BenchmarkJSONEditByHand(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var body map[string]any
		dec := json.NewDecoder(bytes.NewReader([]byte(benchBody)))
		dec.UseNumber()
		if err := dec.Decode(&body); err != nil {
			b.Fatal(err)
		}
		body["tenant"] = "contoso-eu"
		body["customer"].(map[string]any)["name"] = "hidden"
		delete(body, "secret")
		for _, item := range body["items"].([]any) {
			it := item.(map[string]any)
			n, err := it["quantity"].(json.Number).Int64()
			if err != nil {
				b.Fatal(err)
			}
			it["quantity"] = n + 1
		}
		if _, err := json.Marshal(body); err != nil {
			b.Fatal(err)
		}
	}
}
