package csharp_test

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp"
)

type smallCase struct {
	name, src, target string
	allocs            float64
}

// small are typical expressions of policies with their budget of allocations.
var small = []smallCase{
	{"property", `@(context.Name)`, "string", 0},
	{"compare", `@(context.Name == "Ann's")`, "bool", 0},
	{"indexer-default", `@(context["city"] ?? "none")`, "string", 0},
	{"concat", `@(context.Name + "/" + context["city"])`, "string", 1},
	{"interpolate", `@($"{context.Name}-{context["city"]}")`, "string", 1},
	{"length", `@(context.Name.Length > 3 && context.Name.StartsWith("A", StringComparison.Ordinal))`, "bool", 0},
	{"cast", `@((string)(object)context.Name)`, "string", 1},
	{"arithmetic", `@(context.Name.Length * 2 + 1)`, "int", 0},
	{"lookup", `@(context.Tags.GetValueOrDefault("city", "none"))`, "string", 3},
}

func smallProgram(tb testing.TB, c smallCase) (*csharp.Program, *shop) {
	tb.Helper()
	lib := shopLibrary()
	p, diags := lib.Compile(c.src, csharp.Options{
		Globals: []csharp.Global{{Name: "context", Type: lib.MustType("IShop")}}, Target: lib.MustType(c.target),
	})
	if p == nil {
		tb.Fatalf("%s: %v", c.src, diags)
	}
	return p, &shop{name: "Ann's", tags: headers{"city": "Oslo"}}
}

func runSmall(p *csharp.Program, host *shop, target string) error {
	var err error
	switch target {
	case "bool":
		_, err = p.RunBool(host, nil)
	case "int":
		_, err = p.RunInt64(host, nil)
	default:
		_, _, err = p.RunString(host, nil)
	}
	return err
}

func TestAllocations(t *testing.T) {
	for _, c := range small {
		p, host := smallProgram(t, c)
		got := testing.AllocsPerRun(200, func() {
			if err := runSmall(p, host, c.target); err != nil {
				t.Fatal(err)
			}
		})
		if got > c.allocs {
			t.Errorf("%s: %v allocations, budget %v", c.src, got, c.allocs)
		}
	}
}

func BenchmarkSmall(b *testing.B) {
	for _, c := range small {
		b.Run(c.name, func(b *testing.B) {
			p, host := smallProgram(b, c)
			b.ReportAllocs()
			for b.Loop() {
				_ = runSmall(p, host, c.target)
			}
		})
	}
}

// typical are expressions of the sizes that policies have, with the budget of allocations of the compiler.
var typical = []smallCase{
	{"lookup", `@(context.Tags.GetValueOrDefault("city", "none"))`, "", 130},
	{"condition", `@(context.Name.StartsWith("A", StringComparison.OrdinalIgnoreCase) && context["city"] != null)`, "", 130},
	{"json", `@{ var o = JObject.Parse(context["body"]); o["user"] = context.Name; o.Remove("secret"); foreach (var p in o.Properties().ToList()) { if (p.Value.Type == JTokenType.Null) { p.Remove(); } } return o.ToString(Newtonsoft.Json.Formatting.None); }`, "", 620},
	{"linq", `@(string.Join(",", context.Name.Split(' ').Where(s => s.Length > 2).OrderBy(s => s).Select(s => s.ToUpperInvariant() + ":" + s.Length)))`, "", 820},
	{"interpolation", `@($"{context.Name}/{context["city"]}?at={DateTime.UtcNow:yyyy-MM-ddTHH:mm:ssZ}&n={(int.TryParse(context["n"], out var n) ? n : 0)}")`, "", 260},
}

func compileTypical(tb testing.TB, lib *csharp.Library, c smallCase) {
	tb.Helper()
	o := csharp.Options{Globals: []csharp.Global{{Name: "context", Type: lib.MustType("IShop")}}}
	if p, diags := lib.Compile(c.src, o); p == nil {
		tb.Fatal(diags)
	}
}

func TestCompileAllocations(t *testing.T) {
	lib := shopLibrary()
	for _, c := range typical {
		if got := testing.AllocsPerRun(20, func() { compileTypical(t, lib, c) }); got > c.allocs {
			t.Errorf("%s: %v allocations, budget %v", c.name, got, c.allocs)
		}
	}
}

// BenchmarkCompile measures the compiler.
func BenchmarkCompile(b *testing.B) {
	lib := shopLibrary()
	for _, c := range typical {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				compileTypical(b, lib, c)
			}
		})
	}
}
