package policy

import (
	"strings"
	"testing"
	"time"
)

func TestParseExpressionLimits(t *testing.T) {
	t.Parallel()
	f := func(s string, want ExpressionLimits, message string) {
		t.Helper()
		got, err := ParseExpressionLimits(s)
		if message == "" && (err != nil || got != want) {
			t.Errorf("ParseExpressionLimits(%q) = %+v, %v", s, got, err)
		}
		if message != "" && (err == nil || !strings.Contains(err.Error(), message)) {
			t.Errorf("ParseExpressionLimits(%q) gave the error %v, want %q", s, err, message)
		}
	}
	f("", ExpressionLimits{}, "")
	f("steps=5, memory=6,depth=7,regex=20ms,time=3s", ExpressionLimits{Steps: 5, Memory: 6, Depth: 7, RegexTime: 20 * time.Millisecond, Time: 3 * time.Second}, "")
	f("time=0s", ExpressionLimits{}, "not positive")
	f("steps=0", ExpressionLimits{}, "limit steps of expressions: 0 is not between 1")
	f("depth=1000000", ExpressionLimits{}, "between 1 and 2000")
	f("regex=soon", ExpressionLimits{}, "limit regex")
	f("regex=-1s", ExpressionLimits{}, "not positive")
	f("speed=5", ExpressionLimits{}, "\"speed\" is none of steps, memory, depth, regex and time")
}

// limitedHost is a host with tight limits.
type limitedHost struct{ contextHost }

func (limitedHost) ExpressionLimits() ExpressionLimits {
	return ExpressionLimits{Steps: 20_000, Memory: 1 << 20, Depth: 50, RegexTime: 10 * time.Millisecond}
}

// TestRunawayExpressions runs what would take a gateway down without limits, then an expression on the same Exec.
func TestRunawayExpressions(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	var x Exec
	newContextExec(&x)
	x.Host = limitedHost{}
	f := func(source, want string) {
		t.Helper()
		if got := evaluateText(t, c, &x, source); !strings.Contains(got, want) {
			t.Errorf("%s: got %.200s, want %s", source, got, want)
		}
		if got := evaluateText(t, c, &x, `@(1 + 1)`); got != "2" {
			t.Fatalf("after %s: got %s", source, got)
		}
	}
	f(`@{ while (true) { } }`, "limit of steps")
	f(`@{ again: goto again; return 1; }`, "limit of steps")
	f(`@{ for (;;) { try { throw new Exception(); } catch { } } return 1; }`, "limit of steps")
	f(`@(Enumerable.Range(0, int.MaxValue).Count(n => n % 2 == 0))`, "limit of steps")
	f(`@(Enumerable.Range(0, int.MaxValue).ToList().Count)`, "limit of")
	f(`@(Enumerable.Repeat("x", int.MaxValue).ToArray().Length)`, "limit of")
	f(`@{ IEnumerable<int> Forever() { while (true) { yield return 1; } } return Forever().Sum(n => 0); }`, "limit of steps")
	f(`@{ var s = "xxxxxxxx"; while (true) { s += s; } }`, "limit of memory")
	f(`@(new string('x', int.MaxValue))`, "limit of memory")
	f(`@("x".PadLeft(int.MaxValue))`, "limit of memory")
	f(`@($"{1,2000000000}")`, "limit of memory")
	f(`@(string.Format("{0,900000}{0,900000}", 1))`, "limit of memory")
	f(`@(new int[int.MaxValue / 2].Length)`, "limit of memory")
	f(`@{ var l = new List<string>(); while (true) { l.Add(new string('x', 1000)); } }`, "limit of memory")
	f(`@{ var b = new StringBuilder(); while (true) { b.Append("0123456789012345678901234567890123456789"); } }`, "limit of")
	f(`@(new StringBuilder().Append('x', int.MaxValue).Length)`, "limit of memory")
	f(`@("aaaaaaaaaa".Replace("a", new string('x', 300000)))`, "limit of memory")
	f(`@(string.Concat(Enumerable.Repeat(new string('x', 1000), 2000)))`, "limit of memory")
	f(`@(new byte[1 << 30].Length)`, "limit of memory")
	f(`@{ int F(int n) => F(n + 1) + 1; return F(0); }`, "limit of depth")
	f(`@{ Func<int, int> f = null; f = n => f(n + 1) + 1; return f(0); }`, "limit of depth")
	f(`@(Regex.IsMatch("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a+)+$"))`, "limit of regex time")
	f(`@(Regex.Replace(new string('a', 50000) + "!", "(a|aa)+$", "b"))`, "limit of")
	f(`@(JToken.Parse(new string('[', 100000)))`, "JsonReaderException")
	f(`@{ var o = new JArray(); for (var i = 0; i < 5000; i++) { var n = new JArray(); n.Add(o); o = n; } return o.ToString(); }`, "limit of")
	f(`@(XDocument.Parse("<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;'>]><a>&d;</a>").ToString())`, "XmlException")
	f(`@(XDocument.Parse("<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><a>&f;</a>").ToString())`, "XmlException")
	f(`@(XElement.Parse(string.Concat(Enumerable.Repeat("<a>", 10000))))`, "XmlException")
}
