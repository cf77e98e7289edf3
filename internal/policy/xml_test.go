package policy

import (
	"fmt"
	"strings"
	"testing"
)

// dump writes a node on one line: name, attributes, text and children.
func dump(n *node) string {
	var b strings.Builder
	b.WriteString("<" + n.name)
	for _, a := range n.attrs {
		fmt.Fprintf(&b, " %s=%q", a.name, a.value.s)
	}
	b.WriteString(">")
	if t := n.text.trim().s; t != "" {
		fmt.Fprintf(&b, "%q", t)
	}
	for _, child := range n.children {
		b.WriteString(dump(child))
	}
	b.WriteString("</>")
	return b.String()
}

func opaqueBody(name string) bool { return name == "set-body" }

func TestParseXML(t *testing.T) {
	t.Parallel()
	f := func(name, document, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			for _, format := range []string{"", "xml", "rawxml"} {
				root, err := parseXML(document, format, opaqueBody)
				if err != nil {
					t.Errorf("format %q: %v", format, err)
				} else if got := dump(root); got != want {
					t.Errorf("format %q:\ngot  %s\nwant %s", format, got, want)
				}
			}
		})
	}
	f("strict", "\ufeff<?xml version=\"1.0\"?>\n<!-- a --><a b='1' c=\"&lt;&#65;&#x42;\">x<b/>&amp;<![CDATA[<&]]><!-- < --></a>\n",
		`<a b="1" c="<AB">"x&<&"<b></></>`)
	f("raw attribute", `<a c="@(context.Variables["x"] < 2 && y > "a)b")"/>`, `<a c="@(context.Variables[\"x\"] < 2 && y > \"a)b\")"></>`)
	f("escaped attribute", `<a c="@(x[&quot;a)&quot;] &amp;&amp; y &lt; 2)"/>`, `<a c="@(x[\"a)\"] && y < 2)"></>`)
	f("escaped beside raw", `<a c="@(a &amp;&amp; b)" d="@(a && b)"/>`, `<a c="@(a && b)" d="@(a && b)"></>`)
	f("escaped generics in text", `<a><value>@(x.F&lt;int&gt;("y"))</value></a>`, `<a><value>"@(x.F<int>(\"y\"))"</></>`)
	f("raw generics in text", `<a><value>@(x.F<int>("y") + "</value>")</value></a>`, `<a><value>"@(x.F<int>(\"y\") + \"</value>\")"</></>`)
	f("statements over lines", "<a c=\"@{\n  // it's \"raw\"\n  return 1 < 2;\n}\" d='2'/>", `<a c="@{\n  // it's \"raw\"\n  return 1 < 2;\n}" d="2"></>`)
	f("single quotes", `<a c='@(x == "y" &amp;&amp; z)'/>`, `<a c="@(x == \"y\" && z)"></>`)
	f("mixed text", `<a c="Bearer @(x["y"])" d="1"/>`, `<a c="Bearer @(x[\"y\"])" d="1"></>`)
	f("named value in expression", `<a c="@({{a}} < {{b}})"/>`, `<a c="@({{a}} < {{b}})"></>`)
	f("opaque markup", `<set-body><s:E xmlns:s="u">{{x}}</s:E></set-body>`, `<set-body>"<s:E xmlns:s=\"u\">{{x}}</s:E>"</>`)
	f("opaque template", `<set-body>{% if a < b && c %}x{% endif %}</set-body>`, `<set-body>"{% if a < b && c %}x{% endif %}"</>`)
	f("opaque text", `<set-body>&lt;a&gt;</set-body>`, `<set-body>"<a>"</>`)
	f("opaque cdata", `<set-body><![CDATA[<a>&amp;</a>]]></set-body>`, `<set-body>"<a>&amp;</a>"</>`)
	f("opaque expression", `<set-body>@{ return "</set-body>" + (1 < 2 && x); }</set-body>`, `<set-body>"@{ return \"</set-body>\" + (1 < 2 && x); }"</>`)
	f("carriage returns", "<a>x\r\ny\rz</a>", `<a>"x\ny\nz"</>`)
}

func TestRawFormatKeepsEntitiesInLiterals(t *testing.T) {
	t.Parallel()
	root, err := parseXML(`<a><value>@(x.Replace("&amp;", "et"))</value></a>`, "rawxml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dump(root), `<a><value>"@(x.Replace(\"&amp;\", \"et\"))"</></>`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseXMLErrors(t *testing.T) {
	t.Parallel()
	f := func(document, want string) {
		t.Helper()
		_, err := parseXML(document, "", opaqueBody)
		syntax, ok := err.(*syntaxError)
		if !ok {
			t.Errorf("%.60q: got %v", document, err)
			return
		}
		line, column := source(document).position(syntax.pos)
		if got := fmt.Sprintf("%d:%d: %s", line, column, syntax.message); got != want {
			t.Errorf("%.60q:\ngot  %s\nwant %s", document, got, want)
		}
	}
	f("", `1:1: the document has no root element`)
	f("policies", `1:1: the document has no root element`)
	f("<a>\n <b>\n</a>", `3:1: </a> does not match <b> of line 2`)
	f("<a>\n<b x='1' x='2'/></a>", `2:10: attribute "x" stands twice`)
	f("<a x=1/>", `1:6: the value of attribute "x" must stand in quotes`)
	f("<a x/>", `1:5: "=" and a value must follow attribute "x"`)
	f("<a x=\"é\"y=\"2\"/>", `1:9: the value of attribute "x" ends here, but is followed by "y"; an expression in it must be complete, and quotes in other texts are written &quot;`)
	f("<a><b", `1:4: the start tag <b has no end`)
	f("<a>x", `1:1: <a> has no end tag`)
	f("<a/><b/>", `1:5: nothing may follow the root element`)
	f("<!DOCTYPE a><a/>", `1:1: a document type declaration is not allowed`)
	f("<a><!-- x</a>", `1:4: the comment has no end`)
	f("<a>\xff</a>", `1:1: the document is not valid UTF-8`)
	f("<a>< b/></a>", `1:4: a name must follow "<"`)
	f(strings.Repeat("<a>", 101), `1:301: elements are nested deeper than 100`)
	f(strings.Repeat(" ", maxDocument+1), `1:1: the document is larger than 1048576 bytes`)
	f("<a>"+strings.Repeat("<b/>", maxNodes)+"</a>", `1:200000: the document has more than 50000 elements and attributes`)
}

func TestTextKnowsWhereItComesFrom(t *testing.T) {
	t.Parallel()
	document := `<a b="x&lt;y&amp;z"/>`
	root, err := parseXML(document, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	value := root.attrs[0].value
	for i, want := range []int{6, 7, 11, 12, 17} {
		if got := value.source(i); got != want {
			t.Errorf("byte %d of %q: got %d, want %d", i, value.s, got, want)
		}
	}
	if got := value.slice(2, 5).source(2); got != 17 {
		t.Errorf("in a slice: got %d, want 17", got)
	}
}

func FuzzParseXML(f *testing.F) {
	for _, seed := range []string{
		`<policies><inbound><base /><set-variable name="x" value="@(context.Variables["x"] < 2 && y)" /></inbound></policies>`,
		"\ufeff<?xml version=\"1.0\"?><a b='&lt;&#x41;'>&amp;<![CDATA[x]]><!-- c --></a>",
		`<set-body>@{ return "</set-body>"; }</set-body>`, `<a c="@(a &amp;&amp; b)">{{x}}</a>`, `<a b="@(">`, "<A>@{\"<\"}", `<set-body><set-body/></set-body>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		for _, format := range []string{"xml", "rawxml"} {
			root, err := parseXML(document, format, opaqueBody)
			if err != nil {
				if syntax := err.(*syntaxError); syntax.pos < 0 || syntax.pos > len(document) {
					t.Fatalf("error at %d of %d", syntax.pos, len(document))
				}
				continue
			}
			checkPositions(t, document, root)
		}
	})
}

// checkPositions checks that everything in a tree points into the document, at what it came from.
func checkPositions(t *testing.T, document string, n *node) {
	if !strings.HasPrefix(document[n.pos:], "<"+n.name) || n.innerFrom > n.innerTo || n.innerTo > len(document) {
		t.Fatalf("<%s> at %d, content %d to %d of %d", n.name, n.pos, n.innerFrom, n.innerTo, len(document))
	}
	texts := []text{n.text}
	for _, a := range n.attrs {
		if !strings.HasPrefix(document[a.pos:], a.name) {
			t.Fatalf("attribute %q at %d", a.name, a.pos)
		}
		texts = append(texts, a.value)
	}
	for _, x := range texts {
		for i := range len(x.s) {
			if at := x.source(i); at < n.pos || at >= len(document) || document[at] != x.s[i] && document[at] != '&' && document[at] != '\r' {
				t.Fatalf("byte %d of %q comes from %d", i, x.s, at)
			}
		}
	}
	for _, child := range n.children {
		checkPositions(t, document, child)
	}
}
