package csharp_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

func TestEndOfExpression(t *testing.T) {
	t.Parallel()
	f := func(src, want string) {
		t.Helper()
		n, ok := csharp.EndOfExpression(src)
		if want == "" && ok {
			t.Errorf("EndOfExpression(%q) = %d, want none", src, n)
		}
		if want != "" && (!ok || src[:n] != want) {
			t.Errorf("EndOfExpression(%q) = %q, %v; want %q", src, src[:n], ok, want)
		}
	}
	f(`@(1) tail)`, `@(1)`)
	f(`@{ return ")"; } }`, `@{ return ")"; }`)
	f(`@("\")" + ')' + @"a"")" /* ) */ + $"{(")")}") x`, `@("\")" + ')' + @"a"")" /* ) */ + $"{(")")}")`)
	f("@{ // }\n return 1; }", "@{ // }\n return 1; }")
	f(`@($@"{d["x"]:yyyy)}""}")`, `@($@"{d["x"]:yyyy)}""}")`)
	f(`@(1`, "")
	f(`@(1]`, "")
	f(`(1)`, "")
	f(`@`, "")
}

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	f := func(src, want string) {
		t.Helper()
		p, diags := clr.Library().Compile(src, csharp.Options{Line: 10, Column: 5})
		if p != nil || len(diags) == 0 || diags[0].String() != want {
			t.Errorf("Compile(%q) = %v, want %s", src, diags, want)
		}
	}
	f(`@(Math.Sqtr(2))`, "10:12: CS0117: 'Math' does not contain a definition for 'Sqtr'. Did you mean 'Sqrt'?")
	f(`@{ string s = "a"; s[0] = 'b'; return s; }`, "10:25: CS0200: Property or indexer 'string.this[int]' cannot be assigned to -- it is read only")
	f("@{\n  int x;\n  return x;\n}", "12:10: CS0165: Use of unassigned local variable 'x'")
	f(`@(1 + )`, "10:11: CS1733: Expected expression")
	f(`@(1 + true)`, "10:7: CS0019: Operator '+' cannot be applied to operands of type 'int' and 'bool'")
	f("@{ if (true) { } }", "10:21: CS0161: Not all code paths return a value")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	f := func(src, limit string) {
		t.Helper()
		p, diags := clr.Library().Compile(src, csharp.Options{})
		if p == nil {
			t.Fatalf("Compile(%q): %v", src, diags)
		}
		_, err := p.Run(nil, &csharp.Limits{Steps: 10_000, Memory: 1 << 20, Depth: 50})
		var e *csharp.LimitError
		if !errors.As(err, &e) || e.Limit != limit {
			t.Errorf("Run(%q) = %v, want the limit of %s", src, err, limit)
		}
	}
	f("@{ while (true) { } }", "steps")
	f("@{ try { while (true) { } } catch { return 1; } finally { } }", "steps")
	f("@{ int F(int n) => F(n + 1); try { return F(0); } catch (Exception) { return 1; } }", "depth")
	f(`@{ var s = "aaaaaaaa"; while (true) { s = s + s; } }`, "memory")
	f("@(Enumerable.Range(0, 100000).Sum())", "steps")
	f("@(new int[100000000].Length)", "memory")
	f(`@(new string('a', 2000000000).Length)`, "memory")
	f(`@("a".PadLeft(2000000000).Length)`, "memory")
}

// TestGrowth runs what doubles or nests without a new string or array in sight: Go cannot recover from an exhausted stack.
func TestGrowth(t *testing.T) {
	t.Parallel()
	f := func(src, limit string) {
		t.Helper()
		p, diags := clr.Library().Compile(src, csharp.Options{})
		if p == nil {
			t.Fatalf("Compile(%q): %v", src, diags)
		}
		_, err := p.Run(nil, &csharp.Limits{Memory: 1 << 20})
		var e *csharp.LimitError
		if !errors.As(err, &e) || e.Limit != limit {
			t.Errorf("Run(%q) = %v, want the limit of %s", src, err, limit)
		}
	}
	f(`@{ var o = new JObject(); for (var i = 0; ; i++) { o["a" + i] = o.DeepClone(); } }`, "memory")
	f(`@{ var o = new JArray(1); for (;;) { o.Add(o); } }`, "memory")
	f(`@{ var e = new XElement("a", "x"); for (;;) { e.Add(new XElement(e)); } }`, "memory")
	f(`@{ var o = new JArray(); for (var i = 0; i < 20000; i++) { var n = new JArray(); n.Add(o); o = n; } return o.ToString(); }`, "depth")
	f(`@{ object t = 1; for (var i = 0; i < 30; i++) { t = Tuple.Create(t, t); } return t.ToString(); }`, "depth")
	f(`@{ object t = 1; for (;;) { t = new { t }; } }`, "depth")
	f(`@{ object t = 1; for (;;) { t = (t, 1); } }`, "depth")
	f(`@{ object t = 1; for (;;) { t = new KeyValuePair<object, object>(t, t); } }`, "depth")
	f(`@{ IEnumerable<int> e = new[] { 1 }; for (var i = 0; i < 1000; i++) { e = e.Select(x => x + 1); } return e.First(); }`, "depth")
	f(`@{ var s = new string('x', 500000); Exception e = null; for (var i = 0; i < 1000; i++) { e = new Exception(s, e); } return e.ToString(); }`, "memory")
	f(`@(5.ToString(new string('0', 500000)))`, "memory")
}

func TestDeepNestingIsRefused(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"@(" + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000) + ")",
		"@(" + strings.Repeat("-", 5000) + "a)",
		"@{" + strings.Repeat("{", 5000) + strings.Repeat("}", 5000) + "}",
		"@(" + strings.Repeat("a?.", 5000) + "a)",
	} {
		if p, _ := clr.Library().Compile(src, csharp.Options{}); p != nil {
			t.Errorf("compiled %.20q…", src)
		}
	}
}

// A run ends with its time however many steps it has left, and no catch clause sees that.
func TestTimeIsLimited(t *testing.T) {
	t.Parallel()
	p, diags := clr.Library().Compile(`@{ try { while (true) { } } catch { return 1; } }`, csharp.Options{})
	if p == nil {
		t.Fatal(diags)
	}
	now, looks := time.Unix(0, 0), 0
	clock := func() time.Time { looks++; now = now.Add(time.Millisecond); return now }
	_, err := p.Run(nil, &csharp.Limits{Time: 50 * time.Millisecond, Now: clock})
	if limit, ok := err.(*csharp.LimitError); !ok || limit.Limit != "time" {
		t.Errorf("error is %v", err)
	}
	if looks < 50 || looks > 60 {
		t.Errorf("the clock was looked at %d times", looks)
	}
}

// What a global has is proposed with the global.
func TestSuggestsMemberOfGlobal(t *testing.T) {
	t.Parallel()
	lib := shopLibrary()
	_, diags := lib.Compile(`@(name.Length)`, csharp.Options{Globals: []csharp.Global{{Name: "context", Type: lib.MustType("IShop")}}})
	if len(diags) == 0 || !strings.Contains(diags[0].String(), "Did you mean 'context.Name'?") {
		t.Errorf("have %v", diags)
	}
}
