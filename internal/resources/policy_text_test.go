package resources

import "testing"

func TestConvertPolicy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ raw, xml string }{
		"attribute": {`<a b="@(x < 1 && y == "q")" />`, `<a b="@(x &lt; 1 &amp;&amp; y == &quot;q&quot;)" />`},
		"text":      {`<a>@{ if (1 < 2) { return "<b>"; } return ""; }</a>`, `<a>@{ if (1 &lt; 2) { return "&lt;b&gt;"; } return ""; }</a>`},
		"generic":   {`<a b="@(v.Get<int>("n"))" c="1" />`, `<a b="@(v.Get&lt;int&gt;(&quot;n&quot;))" c="1" />`},
		"literals":  {`<a b='@("\")" + @"c:\" + $@"d""" + ')' + "&")' />`, `<a b='@("\")" + @"c:\" + $@"d""" + &apos;)&apos; + "&amp;")' />`},
		"comments":  {"<a>@{ // it's )\n /* \" ( */ return 1 & 2; }</a>", "<a>@{ // it's )\n /* \" ( */ return 1 &amp; 2; }</a>"},
		"second":    {`<a b="@(1 > 0)" c="@("x")"></a><!-- a < b && c --><d e="f" />`, `<a b="@(1 &gt; 0)" c="@(&quot;x&quot;)"></a><!-- a < b && c --><d e="f" />`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := convertPolicy(test.raw, formatRawXML, formatXML); got != test.xml {
				t.Errorf("to xml: %s\nwant    %s", got, test.xml)
			}
			if got := convertPolicy(test.xml, formatXML, formatRawXML); got != test.raw {
				t.Errorf("to raw: %s\nwant    %s", got, test.raw)
			}
		})
	}
}

func TestConvertPolicyKeeps(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, from, to string }{
		"the same format":          {`<a b="@("x")">`, formatRawXML, formatRawXML},
		"text that is well-formed": {`<a b="x &amp; y">1 &lt; 2 <![CDATA[ a && b ]]></a>`, formatXML, formatRawXML},
		"raw that is well-formed":  {`<a b='@("x")'>y</a>`, formatRawXML, formatXML},
		"what is not XML at all":   {`<a b=1 <c`, formatRawXML, formatXML},
		"xml that is raw":          {`<a b="@("x")" />`, formatXML, formatRawXML},
	} {
		if got := convertPolicy(test.text, test.from, test.to); got != test.text {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := convertPolicy(`<a b="x & y &amp; z">@("q")</a><c d="@("x &amp;&amp; y")" />`, formatRawXML, formatXML); got != `<a b="x &amp; y &amp; z">@("q")</a><c d="@(&quot;x &amp;amp;&amp;amp; y&quot;)" />` {
		t.Errorf("stray ampersands: %s", got)
	}
}

// A conversion to XML is well-formed or leaves the text alone, and going there and back changes nothing any more.
func FuzzConvertPolicy(f *testing.F) {
	for _, seed := range []string{
		`<a b="@(x < 1 && y == "q")" />`, `<a>@{ return "<b>"; }</a>`, `<a b='@("\")")'>&amp; & </a>`, "<a", "@(", `<a b="`, `<!--`, `<a b="@($@"{x}""")">`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		escaped := convertPolicy(text, formatRawXML, formatXML)
		if escaped != text && !isWellFormed(escaped) {
			t.Fatalf("not well-formed: %q of %q", escaped, text)
		}
		raw := convertPolicy(escaped, formatXML, formatRawXML)
		if again := convertPolicy(raw, formatRawXML, formatXML); isWellFormed(again) != isWellFormed(escaped) {
			t.Fatalf("%q, then %q, then %q", escaped, raw, again)
		}
	})
}
