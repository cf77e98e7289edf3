package csharp_test

import (
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

func seeds(f *testing.F) {
	for _, s := range []string{
		`@(1 + 2 * 3)`, `@("a" + 1.5m + 'c' + null)`, `@($"{1,5:N2}{{x}}")`, `@(@"a""b")`, `@(new[] { 1, 2 }.Select(x => x * 2).Sum())`,
		`@{ var d = new Dictionary<string, int> { ["a"] = 1 }; foreach (var kv in d) return kv.Key; return null; }`,
		`@{ try { throw new Exception("x"); } catch (Exception e) when (e.Message == "x") { return e.Message; } finally { } }`,
		`@(from x in new[] { 1, 2 } let y = x * x where y > 1 orderby y descending select new { x, y })`,
		`@{ int F<T>(T a, params int[] b) => b.Length; return F("a", 1, 2); }`, `@((int?)null ?? 5)`, `@{ goto a; a: return 1; }`,
		`@{ switch ((object)5) { case int i when i > 3: return i; default: return 0; } }`, `@((1, "a").Item2)`, `@(int.TryParse("5", out var n) ? n : 0)`,
	} {
		f.Add(s)
	}
}

// FuzzCompile checks that no text makes the compiler or a compiled program panic or run on.
func FuzzCompile(f *testing.F) {
	seeds(f)
	lib := clr.Library()
	f.Fuzz(func(t *testing.T, src string) {
		p, diags := lib.Compile(src, csharp.Options{})
		if p == nil && len(diags) == 0 {
			t.Fatal("neither a program nor a diagnostic")
		}
		if p == nil {
			return
		}
		start := time.Now()
		_, _ = p.Run(nil, &csharp.Limits{Steps: 10_000, Memory: 1 << 20, Depth: 50, RegexTime: 10 * time.Millisecond}) // any outcome will do
		if d := time.Since(start); d > 20*time.Second {
			t.Fatalf("ran for %v", d)
		}
	})
}

// FuzzEndOfExpression checks that the length stays within the text.
func FuzzEndOfExpression(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		if n, ok := csharp.EndOfExpression(src); ok && (n < 2 || n > len(src)) {
			t.Fatalf("length %d of %d", n, len(src))
		}
	})
}
