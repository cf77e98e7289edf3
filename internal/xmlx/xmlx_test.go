package xmlx_test

import (
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`<a/>`, `<a />`},
		{`<?xml version="1.0" encoding="utf-8"?><!-- c --><a b='1' c="&lt;&quot;&#10;"> x <b/><![CDATA[<&]]><?t i?></a>`,
			`<?xml version="1.0" encoding="utf-8"?><!-- c --><a b="1" c="&lt;&quot;&#xA;"> x <b /><![CDATA[<&]]><?t i?></a>`},
		{`<p:a xmlns:p="u" xmlns="d" p:x="1"><b/><p:b xmlns:p="v"/></p:a>`, `<p:a xmlns:p="u" xmlns="d" p:x="1"><b /><p:b xmlns:p="v" /></p:a>`},
		{"\xef\xbb\xbf<a>ä</a>", "<a>ä</a>"},
		{"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe4</a>", `<?xml version="1.0" encoding="ISO-8859-1"?><a>ä</a>`},
		{"\xff\xfe<\x00a\x00/\x00>\x00", "<a />"},
	} {
		d, err := xmlx.Parse([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if got := string(d.Append(nil)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	d, err := xmlx.Parse([]byte(`<p:a xmlns:p="u" xmlns="d"><b x="1" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">t<c>u</c></b></p:a>`))
	if err != nil {
		t.Fatal(err)
	}
	b := d.Root.Elements()[0]
	x, _ := b.Attr("", "x")
	if d.Root.Name.Space != "u" || b.Name.Space != "d" || x != "1" || !b.IsNil() || d.Root.IsNil() || d.Root.Content() != "tu" {
		t.Errorf("got %+v, %+v", d.Root.Name, b)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", "no root"}, {"x", "outside"}, {"<a>", "no end"}, {"<a></b>", "does not match"}, {"<a/><b/>", "more than one"}, {"</a>", "no start"},
		{`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, "document type"}, {"<a>&b;</a>", "entity"}, {"<p:a/>", "not declared"}, {`<a p:b="1"/>`, "not declared"},
		{`<a b="1" b="2"/>`, "twice"}, {`<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, "twice"}, {"<a>\xff</a>", "UTF-8"},
		{` <?xml version="1.0"?><a/>`, "beginning"}, {strings.Repeat("<a>", 300), "nested deeper"},
	} {
		if _, err := xmlx.Parse([]byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: got %v, want %q", c.in, err, c.want)
		}
	}
}

// FuzzParse: what has been read and written is read to the same text again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`<a b="1"><![CDATA[x]]>y<!--z--></a>`, `<p:a xmlns:p="u"/>`, `<?xml version="1.0"?><?p i?><a>&amp;&#13;</a>`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := xmlx.Parse(data)
		if err != nil {
			return
		}
		d.Declaration = nil // it may name another encoding than the one that is written
		once := d.Append(nil)
		again, err := xmlx.Parse(once)
		if err != nil {
			t.Fatalf("%q became %q: %v", data, once, err)
		}
		if twice := again.Append(nil); string(once) != string(twice) {
			t.Errorf("%q became %q and then %q", data, once, twice)
		}
	})
}

func TestEncodeName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a": "a", "first_name": "first_name", "a b": "a_x0020_b", "1a": "_x0031_a", "a:b": "a_x003A_b", "@x": "_x0040_x", "ä-1.x": "ä-1.x", "_x0020_": "_x005F_x0020_",
		"a😀": "a😀", "": "_x0000_",
	} {
		if got := xmlx.EncodeName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
