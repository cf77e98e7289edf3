package clr_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// evalOn evaluates an expression that takes a text as its variable s and gives the outcome.
func evalOn(t *testing.T, expr, s string) clr.Outcome {
	t.Helper()
	line, err := json.Marshal(map[string]any{"id": "1", "expr": expr, "vars": map[string]any{"s": map[string]string{"type": "string", "value": s}}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := clr.EvalBatch(bytes.NewReader(append(line, '\n')), &out); err != nil {
		t.Fatal(err)
	}
	var o clr.Outcome
	if err := json.Unmarshal(out.Bytes(), &o); err != nil {
		t.Fatal(err)
	}
	if o.CompileError != "" {
		t.Fatalf("%s: %s", o.CompileError, o.Message)
	}
	return o
}

// FuzzXML reads a document, writes it and reads it again: both trees are equal.
func FuzzXML(f *testing.F) {
	for _, s := range []string{"<a/>", "<a x='1'>t<b/>&amp;<![CDATA[c]]></a>", "<p:a xmlns:p='u'><p:b q='&#10;'/></p:a>", "<!DOCTYPE a [x]><a><!--c--><?p d?></a>", "<a"} {
		f.Add(s)
	}
	const expr = `@{ var a = XDocument.Parse((string)context.Variables["s"], LoadOptions.PreserveWhitespace);
		var b = XDocument.Parse(a.ToString(SaveOptions.DisableFormatting), LoadOptions.PreserveWhitespace); return a.ToString() == b.ToString(); }`
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		if o := evalOn(t, expr, s); o.Throws != "System.Xml.XmlException" && (o.Result == nil || *o.Result != "True") {
			t.Errorf("%q: %+v", s, o)
		}
	})
}

// FuzzUri reads a URI; what AbsoluteUri gives is a URI with the same AbsoluteUri.
func FuzzUri(f *testing.F) {
	for _, s := range []string{"http://a/b?c#d", "https://u:p@[::1]:8080/%41/../%zz", "mailto:a@b", "urn:x:y", "/a", "file://h/x", "http://bücher/é"} {
		f.Add(s)
	}
	const expr = `@{ Uri u; if (!Uri.TryCreate((string)context.Variables["s"], UriKind.Absolute, out u)) return true;
		return u.Scheme == "file" || new Uri(u.AbsoluteUri).AbsoluteUri == u.AbsoluteUri; }`
	f.Fuzz(func(t *testing.T, s string) {
		if o := evalOn(t, expr, s); o.Result == nil || *o.Result != "True" {
			t.Errorf("%q: %+v", s, o)
		}
	})
}

// FuzzRegex compiles a pattern and matches with it: it ends with an answer or one of two exceptions.
func FuzzRegex(f *testing.F) {
	for _, s := range []string{`(\w+)\s(?<n>\d{2,3})`, `[a-z-[aeiou]]+$`, `(?<=a)b|\p{IsGreek}`, `(((`, `😀+`, `(?(1)a|b)`} {
		f.Add(s)
	}
	const expr = `@(Regex.Replace("aa 12 b😀", (string)context.Variables["s"], "<$0>", RegexOptions.None, TimeSpan.FromMilliseconds(200)).Length >= 0)`
	f.Fuzz(func(t *testing.T, s string) {
		switch o := evalOn(t, expr, s); o.Throws {
		case "", "System.Text.RegularExpressions.RegexParseException", "System.Text.RegularExpressions.RegexMatchTimeoutException":
		default:
			t.Errorf("%q: %+v", s, o)
		}
	})
}

// TestRegexTime checks that catastrophic backtracking ends with the run's limit, which no catch clause sees.
func TestRegexTime(t *testing.T) {
	t.Parallel()
	lib := clr.Library()
	p, diags := lib.Compile(`@{ try { return Regex.IsMatch("`+strings.Repeat("a", 40)+`b", "^(a+)+$"); } catch { return false; } }`, csharp.Options{})
	if p == nil {
		t.Fatal(diags)
	}
	_, err := p.Run(nil, &csharp.Limits{RegexTime: 20 * time.Millisecond})
	if limit, ok := err.(*csharp.LimitError); !ok || limit.Limit != "regex time" {
		t.Errorf("error is %v", err)
	}
}

// TestXMLDepth checks that neither a deep document nor a deep tree gets far.
func TestXMLDepth(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("<a>", 100_000)
	if o := evalOn(t, `@(XElement.Parse((string)context.Variables["s"]))`, deep); o.Throws != "System.Xml.XmlException" {
		t.Errorf("outcome is %+v", o)
	}
	p, diags := clr.Library().Compile(`@{ var e = new XElement("a"); for (var i = 0; i < 5000; i++) e = new XElement("a", e); return e.ToString(); }`, csharp.Options{})
	if p == nil {
		t.Fatal(diags)
	}
	if _, err := p.Run(nil, nil); err == nil || err.Error() != (&csharp.LimitError{Limit: "depth"}).Error() {
		t.Errorf("error is %v", err)
	}
}
