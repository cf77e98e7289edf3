package liquid_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/liquid"
)

const document = `{"name":"Ann Lee","n":7,"f":2.5,"yes":true,"no":false,"nothing":null,"empty":"","when":"2012-03-21T05:40Z",
"old":"/Date(1198908717056)/","list":[3,1,2],"words":["b","a","b"],"people":[{"name":"Ann","age":30},{"name":"Bob","age":20}],
"deep":{"a":{"b-c":"x"}},"html":"<p>a & \"b\"</p>","lines":"a\r\nb\nc","big":12345678901234567890}`

func render(t *testing.T, source string, limits liquid.Limits) (string, error) {
	t.Helper()
	template, err := liquid.Parse(source)
	if err != nil {
		return "", err
	}
	body, err := liquid.FromJSON([]byte(document), true)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	return template.Render(t.Context(), liquid.Env{Globals: map[string]any{"body": body}, Now: now, Limits: limits})
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ template, want string }{
		// Values.
		{`{{body.name}} {{body.n}} {{body.f}} {{body.yes}} {{body.nothing}}|{{body.none.of.these}}`, "Ann Lee 7 2.5 true |"},
		{`{{ body["deep"].a['b-c'] }} {{body.deep.a.b-c}}`, "x x"},
		{`{{body.list}} {{body.list[1]}} {{body.list.size}} {{body.list.first}} {{body.list.last}} {{body.name.size}}`, "312 1 3 3 2 7"},
		{`{{body.when}} {{body.old}}`, "03/21/2012 05:40:00 12/29/2007 06:11:57"},
		{`{{'a'}}{{"b"}}{{1}}{{ -2 }}{{1.50}}{{true}}{{nil}}`, "ab1-21.50true"},
		{`{"a":{"b":"{{body.n}}"}}{ % {`, `{"a":{"b":"7"}}{ % {`},
		{`{{}}a{{ }}`, "a"},
		// White space control, raw, comment.
		{"a {%- if true -%} b {%- endif -%} c {{- 1 -}} d", "abc1d"},
		{`{% raw %}{{ a }}{% b %}{% endraw %}.`, "{{ a }}{% b %}."},
		{`a{% comment %}{{ x | }}{% comment %}{% endcomment %}{% if %}{% endcomment %}b`, "ab"},
		// Conditions.
		{`{% if body.n == 7 and body.yes %}a{% endif %}{% if body.no or body.none %}b{% elsif body.n > 6.5 %}c{% else %}d{% endif %}`, "ac"},
		{`{% unless body.no %}a{% else %}b{% endunless %}`, "a"},
		{`{% if body.empty %}a{% endif %}{% if body.empty == empty %}b{% endif %}{% if body.nothing == null %}c{% endif %}{% if body.none != blank %}d{% endif %}`, "abc"},
		{`{% if body.name contains 'Lee' %}a{% endif %}{% if body.words contains "a" %}b{% endif %}{% if body.name startsWith 'Ann' %}c{% endif %}{% if body.name endswith 'x' %}d{% endif %}`, "abc"},
		{`{% if body.deep hasKey 'a' %}a{% endif %}{% if 'b' <= 'a' %}b{% endif %}{% if 1 <> 2 %}c{% endif %}{% if body.f >= 2.5 %}d{% endif %}`, "acd"},
		{`{% if true or false and false %}a{% endif %}`, "a"},
		{`{% case body.n %} {% when 1, 2 %}a{% when 6 or 7 %}b{% else %}c{% endcase %}{% case 'x' %}{% when 'y' %}a{% else %}d{% endcase %}`, "bd"},
		// Variables.
		{`{% assign x = body.n | Plus: 1 %}{{x}}{% capture y %}[{{x}}]{% endcapture %}{{y}}`, "8[8]"},
		{`{% increment i %}{% increment i %}{% decrement j %}{% decrement j %}`, "01-1-2"},
		// Loops.
		{`{% for p in body.people %}{{forloop.index}}:{{p.name}}{% unless forloop.last %},{% endunless %}{% endfor %}`, "1:Ann,2:Bob"},
		{`{% for i in (1..5) reversed limit:2 offset:1 %}{{i}}{% endfor %}`, "32"},
		{`{% for i in body.none %}x{% else %}none{% endfor %}{% for i in (1..3) %}{% if i == 2 %}{% continue %}{% endif %}{{i}}{% endfor %}`, "none13"},
		{`{% for i in (1..9) %}{% if i == 3 %}{% break %}{% endif %}{{i}}{% endfor %}`, "12"},
		{`{% for m in body.deep.a %}{{m[0]}}={{m[1]}}{{m.Key}}{{m.Value}}{% endfor %}`, "b-c=xb-cx"},
		{`[{% JSONArrayFor p in body.people %}"{{p.name}}"{% endJSONArrayFor %}]`, `["Ann","Bob"]`},
		{`[{% JSONArrayFor i in (1..4) -%} {% if i == 1 or i == 4 %}{% continue %}{% endif %}{{i}}{%- endJSONArrayFor %}]`, `[2,3]`},
		{`{% for i in (1..3) %}{% cycle 'a', 'b' %}{% endfor %}{% for i in body.words %}{% ifchanged %}{{i}}{% endifchanged %}{% endfor %}`, "ababab"},
		{`{% tablerow i in (1..3) cols:2 %}{{i}}{% endtablerow %}`, "<tr class=\"row1\">\n<td class=\"col1\">1</td><td class=\"col2\">2</td></tr>\n<tr class=\"row2\"><td class=\"col1\">3</td></tr>\n"},
		// Filters of numbers.
		{`{{7 | Plus: 2}} {{7 | Minus: 2}} {{7 | Times: 2}} {{7 | DividedBy: 2}} {{7 | Modulo: 4}}`, "9 5 14 3 3"},
		{`{{0.1 | Plus: 10 | Minus: 10}} {{7.0 | DividedBy: 2}} {{body.f | Times: 2}} {{'3' | Plus: 4}} {{'a' | Plus: 'b'}}`, "0.1 3.5 5.0 7 ab"},
		{`{{1 | DividedBy: 0}}`, "Liquid error: Attempted to divide by zero."},
		{`{{ -3 | Abs}} {{1.2345 | Round: 2}} {{2.5 | Round}} {{4 | AtLeast: 5}} {{4 | AtMost: 3}} {{1.2 | Ceil}} {{ -1.2 | Floor}}`, "3 1.23 2 5 3 2 -2"},
		{`{{1234.5 | Currency}} {{1234.5 | Currency: 'en-US'}}`, "¤1,234.50 $1,234.50"},
		// Filters of texts.
		{`{{'ann lee' | Capitalize}} {{'aB' | Upcase}} {{'aB' | Downcase}} {{'b' | Append: 'c' | Prepend: 'a'}}`, "Ann Lee AB ab abc"},
		{`{{body.html | Escape}}|{{body.html | H}}|{{body.html | StripHtml}}`, `&lt;p&gt;a &amp; &quot;b&quot;&lt;/p&gt;|&lt;p&gt;a &amp; &quot;b&quot;&lt;/p&gt;|a & "b"`},
		{`{{body.lines | NewlineToBr}}|{{body.lines | StripNewlines}}`, "a<br />\r\nb<br />\nc|abc"},
		{`{{' a ' | Strip}}|{{' a ' | Lstrip}}|{{' a ' | Rstrip}}`, "a|a | a"},
		{`{{'a b&c/ä' | UrlEncode}} {{'a+b%26' | UrlDecode}}`, "a+b%26c%2F%C3%A4 a b&"},
		{`{{'abcabc' | Remove: 'b'}} {{'abcabc' | RemoveFirst: 'b'}} {{'a1b2' | Replace: '[0-9]', '<$0>'}} {{'a1b2' | ReplaceFirst: '\d', '$0'}}`, "acac acabc a<1>b<2> a$0b2"},
		{`{{'abcdef' | Slice: 1, 2}} {{'abcdef' | Slice: -2, 5}} {{'abcdef' | Truncate: 5}} {{'a b c' | TruncateWords: 2}}`, "bc ef ab... a b..."},
		{`{{body.name | Size}} {{body.list | Size}} {{5 | Size}}`, "7 3 0"},
		{`{{body.none | Default: 'd'}} {{body.empty | Default: 1}} {{body.no | Default: 'n'}} {{body.n | Default: 1}}`, "d 1 n 7"},
		{`{{body.nothing | Upcase | Append: 'x'}}.`, "."},
		// Filters of lists.
		{`{{body.list | Sort | Join: ','}} {{body.words | Uniq | Join}} {{body.people | Map: 'name' | Join: '/'}} {{body.people | Sort: 'age' | Map: 'name' | First}}`, "1,2,3 b a Ann/Bob Bob"},
		{`{{'a,,b' | Split: ',' | Join: '+'}} {{'abc' | First}}{{'abc' | Last}} {{body.list | First}}{{body.list | Last}} {{body.people | Map: 'x' | Compact | Size}}`, "a+b ac 32 0"},
		// Dates.
		{`{{body.when | Date: "yyyyMMddTHH:mm:ssZ"}} {{'2020-02-03' | Date: 'dd.MM.yyyy'}} {{'now' | Date: 'yyyy'}} {{'no date' | Date: 'yyyy'}}`, "20120321T05:40:00Z 03.02.2020 2026 no date"},
		// The names of Ruby are understood as well; unknown filters are an error in the output.
		{`{{'a b' | url_encode | upcase}} {{'a' | Nonsense: 1}}`, "A+B Liquid error: Error - Filter 'Nonsense' could not be found."},
	} {
		got, err := render(t, c.template, liquid.Limits{})
		if err != nil || got != c.want {
			t.Errorf("%s\n got %q, %v\nwant %q", c.template, got, err, c.want)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ template, want string }{
		{"a\n {{ body.", "line 2, column 2"}, {"{{ a | }}", "name of a filter"}, {"{% if a %}", `"if" has no "endif"`}, {"{% endif %}", "no tag"},
		{"{% for a of b %}{% endfor %}", `expected "in"`}, {"{{ 'a }}", "no closing quote"}, {"{% nonsense %}", `no tag "nonsense"`},
		{"{{ a b }}", "expected the end"}, {"{% break %}", "outside of a loop"}, {"{% raw %}x", "endraw"}, {"{% comment %}x", "endcomment"},
		{"{% case %}{% endcase %}", "expected a value"}, {"{{ a[ }}", "expected a value"}, {"{{ a & b }}", "unexpected"},
		{"{% if a %}{% else %}{% elsif b %}{% endif %}", "cannot follow"}, {strings.Repeat("{% if a %}", 200), "nested deeper"},
		{"{{ " + strings.Repeat("a[", 200) + " }}", "too deeply"}, {"{% assign 1 = 2 %}", "name of a variable"}, {"{% assign a : 2 %}", `expected "="`},
	} {
		_, err := liquid.Parse(c.template)
		var syntax *liquid.SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: got %v, want %q", c.template, err, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, template := range map[string]string{
		"steps":  `{% for i in (1..1000000) %}{% for j in (1..1000000) %}{% endfor %}{% endfor %}`,
		"output": `{% for i in (1..100000) %}0123456789{% endfor %}`,
		"memory": `{% assign s = 'x' %}{% for i in (1..40) %}{% assign s = s | Append: s %}{% endfor %}`,
		"regex":  `{{'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' | Replace: '(a+)+$', ''}}`,
	} {
		if _, err := render(t, template, liquid.Limits{Steps: 100_000, Output: 100_000, Memory: 1 << 20}); !errors.Is(err, liquid.ErrLimit) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	template, err := liquid.Parse(`{% for i in (1..1000000) %}{% endfor %}`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := template.Render(ctx, liquid.Env{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	template, err := liquid.Parse("a\n{{ x | Nonsense }}")
	if err != nil || len(template.Warnings()) != 1 || !strings.Contains(template.Warnings()[0], `line 2, column 8 of the template: there is no filter "Nonsense"`) {
		t.Errorf("got %v, %v", template.Warnings(), err)
	}
}

func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		`{{body.list | Sort | Join: ', '}}`, `{% for a in (1..3) reversed %}{{ forloop.rindex }}{% else %}x{% endfor %}`, `{% if a == 'b' and 1.5 < 2 %}{% endif %}`,
		`{%- capture a -%}{% cycle 'x': 1, 2 %}{% endcapture %}{{ a | Slice: -1 }}`, `{% raw %}{{{% endraw %}`, `{{ "x" | Replace: '(a|b)+', '$1' | Date: 'yyyy' }}`,
		`{{ 1.5 | DividedBy: 3 | Round: 2 | Currency }}`, `{% tablerow a in body cols:0 %}{{a}}{% endtablerow %}`, `{% JSONArrayFor a in body where "b" %}{% endJSONArrayFor %}`,
	} {
		f.Add(seed)
	}
	body, err := liquid.FromJSON([]byte(document), true)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, source string) {
		template, err := liquid.Parse(source)
		if err != nil {
			return
		}
		env := liquid.Env{Globals: map[string]any{"body": body}, Limits: liquid.Limits{Steps: 2000, Output: 1 << 16, Memory: 1 << 16}}
		out, err := template.Render(t.Context(), env)
		if err == nil && len(out) > 1<<16 {
			t.Errorf("the output has %d bytes", len(out))
		}
	})
}

func TestFromJSON(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "{", `{"a"}`, "[1,]", "1 2", strings.Repeat("[", 300)} {
		if v, err := liquid.FromJSON([]byte(bad), true); err == nil {
			t.Errorf("%.20s: got %v", bad, v)
		}
	}
	v, err := liquid.FromJSON([]byte(`["2012-03-21T05:40Z","/Date(1)/","2012"]`), false)
	if err != nil || liquid.Text(v) != "2012-03-21T05:40Z/Date(1)/2012" {
		t.Errorf("got %q, %v", liquid.Text(v), err)
	}
}
