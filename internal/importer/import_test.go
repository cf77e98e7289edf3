package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// head starts a description of OpenAPI 3.0 whose paths follow in line 4.
const head = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths:\n"

func TestImportErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		options    Options
		want       string // place and part of the reason
	}{
		{name: "nothing", text: " \n", want: "1:1 the document is empty"},
		{name: "only a comment", text: "# nothing here", want: "1:1 the document is empty"},
		{name: "not UTF-8", text: "openapi: 3.0.3\ninfo: \xff", want: "2:7 the document is not UTF-8"},
		{name: "text", text: "hello", want: "1:1 the document is a string, not an object"},
		{name: "list", text: "[1, 2]", want: "1:1 the document is an array, not an object"},
		{name: "no version", text: "{\"info\": {}}", want: "1:1 the document names neither an openapi nor a swagger version"},
		{name: "OpenAPI 4", text: "{\n \"openapi\": \"4.0.0\"}", want: `2:13 the OpenAPI version "4.0.0" is not known`},
		{name: "OpenAPI 3.01", text: "openapi: 3.01", want: `1:10 the OpenAPI version "3.01" is not known`},
		{name: "Swagger 1.2", text: "swagger: 1.2", want: `1:10 the Swagger version "1.2" is not known`},
		{name: "other format", text: "swagger: '2.0'", options: Options{Format: FormatOpenAPI}, want: `1:10 the format "openapi" was announced but the document is Swagger 2.0`},
		{name: "YAML where JSON is due", text: "openapi: 3.0.0", options: Options{Format: FormatOpenAPIJSON}, want: "1:1 found 'o' where a value is expected"},
		{name: "no info", text: "openapi: 3.0.0\npaths: {}", want: `1:1 the document has no object "info"`},
		{name: "no title", text: "openapi: 3.0.0\ninfo: {version: 1}\npaths: {}", want: "2:7 the API has no title"},
		{name: "no paths", text: "openapi: 3.0.0\ninfo: {title: T}", want: `1:1 the document has no object "paths"`},
		{name: "paths is a list", text: "openapi: 3.0.0\ninfo: {title: T}\npaths: []", want: `3:8 the document has no object "paths"`},

		{name: "JSON comma", text: "{\"a\": 1,\n}", want: `2:1 found '}' where a member's name in double quotes is expected`},
		{name: "JSON end", text: "{\"a\": [1", want: `1:9 the JSON document ends where "," or "]" is expected`},
		{name: "JSON string end", text: "{\"ä\": \"x", want: "1:7 a string does not end"},
		{name: "JSON escape", text: `{"a": "\q"}`, want: "1:7 a string contains an invalid escape"},
		{name: "JSON line break", text: "{\"a\": \"x\ny\"}", want: "1:9 a string contains a line break"},
		{name: "JSON number", text: `{"a": 01}`, want: `1:7 "01" is not a JSON number`},
		{name: "JSON twice", text: "{\"a\": 1,\n \"a\": 2}", want: `2:2 the member "a" is there twice, first in line 1`},
		{name: "JSON tail", text: "{}\n{}", want: "2:1 there is more text after the end"},
		{name: "YAML indentation", text: "a: 1\n b: 2", want: "the document is not valid YAML"},
		{name: "YAML twice", text: "a: 1\na: 2", want: `2:1 the member "a" is there twice, first in line 1`},
		{name: "YAML key", text: "a:\n  ? [x]\n  : 1", want: "2:5 a name must be a word"},
		{name: "YAML unknown alias", text: "a: *b", want: "the document is not valid YAML"},
		{name: "YAML circle", text: "a: &a\n  b: *a", want: "2:6 the alias *a stands inside of what it refers to"},
		{name: "YAML two documents", text: "a: 1\n---\nb: 2", want: "2:1 there is a second YAML document"},

		{name: "path without slash", text: head + "  pets: {}", want: `4:3 the path "pets" does not start with a slash`},
		{name: "path brace", text: head + "  /pets/{id: {}", want: `4:3 the path "/pets/{id" has a "{" without "}"`},
		{name: "path name twice", text: head + "  /a/{id}/{ID}: {}", want: `names the parameter "ID" twice`},
		{name: "path is text", text: head + "  /pets: none", want: `4:10 the path "/pets" is a string, not an object`},
		{name: "operation is null", text: head + "  /pets:\n    get:", want: "5:9 GET /pets is null, not an object"},
		{
			name: "twins", text: head + "  /a/{x}/b:\n    get: {}\n  /a/{y}/b:\n    get: {}",
			want: "7:5 GET /a/{y}/b matches the same requests as GET /a/{x}/b in line 5",
		},
		{name: "parameters is an object", text: head + "  /a:\n    get:\n      parameters: {}", want: `6:19 "parameters" is an object, not an array`},
		{name: "parameter without in", text: head + "  /a:\n    get:\n      parameters:\n      - name: x", want: `7:9 a parameter lacks "name" or "in"`},
		{name: "status", text: head + "  /a:\n    get:\n      responses:\n        ok: {}", want: `7:9 "ok" is not a status code`},
		{name: "reference nowhere", text: head + "  /a:\n    get:\n      parameters:\n      - $ref: '#/components/parameters/p'", want: `7:15 the reference "#/components/parameters/p" leads nowhere`},
		{name: "reference out", text: head + "  /a:\n    $ref: other.yaml", want: `5:11 the reference "other.yaml" leads out of the document`},
		{
			name: "reference circle", text: head + "  /a: {$ref: '#/x-a'}\nx-a: {$ref: '#/x-b'}\nx-b: {$ref: '#/x-a'}",
			want: `4:7 the reference "#/x-a" leads back to itself`,
		},
		{
			name: "reference in an unused type", text: head + "  /a: {}\ncomponents:\n  schemas:\n    A: {properties: {b: {$ref: '#/components/schemas/B'}}}",
			want: `7:32 the reference "#/components/schemas/B" leads nowhere`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := Import(context.Background(), []byte(c.text), c.options)
			var e *Error
			if !errors.As(err, &e) || r != nil {
				t.Fatalf("result %v, error %v", r, err)
			}
			got := fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Reason)
			if !strings.Contains(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if e.Advice == "" {
				t.Error("the error gives no advice")
			}
			if e.Line < 1 || e.Column < 1 {
				t.Error("the error names no place")
			}
		})
	}
}

func TestImportLimits(t *testing.T) {
	t.Parallel()
	deep := func(open, end string, n int) string {
		return head + "  /a: {}\nx-deep: " + strings.Repeat(open, n) + strings.Repeat(end, n)
	}
	bomb := head + "  /a: {}\nx0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
	for i := 1; i < 10; i++ {
		bomb += fmt.Sprintf("x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i-1), 10), ","))
	}
	var shared strings.Builder // an operation that thousands of paths refer to
	shared.WriteString(`{"openapi": "3.0.0", "info": {"title": "T"}, "x-item": {"get": {"parameters": [`)
	for i := range 500 {
		fmt.Fprintf(&shared, `{"name": "p%d", "in": "query"},`, i)
	}
	shared.WriteString(`{"name": "last", "in": "query"}]}}, "paths": {"/": {}`)
	for i := range 2000 {
		fmt.Fprintf(&shared, `, "/%d": {"$ref": "#/x-item"}`, i)
	}
	shared.WriteString("}}")
	for _, c := range []struct {
		name, text string
		options    Options
		want       string
	}{
		{"references", shared.String(), Options{}, "the references of the document expand to too much"},
		{"path", head + "  /" + strings.Repeat("a", 1000) + ": {}", Options{}, "has more than 1000 characters"},
		{"bytes", head, Options{MaxBytes: 20}, "more than the limit of 20"},
		{"depth YAML", deep("[", "]", 20), Options{MaxDepth: 10}, "10 levels"},
		{"depth YAML reader", deep("[", "]", 100_000), Options{}, "exceeded max depth"},
		{"depth JSON", `{"a":` + strings.Repeat("[", 100_000), Options{}, "nested more than 200 levels deep"},
		{"depth by aliases", "a: &a [[[1]]]\nb: &b [[[*a]]]\nc: [[[*b]]]", Options{MaxDepth: 9}, "nested more than 9 levels deep"},
		{"aliases", bomb, Options{}, "the aliases of the document expand to too much"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Import(context.Background(), []byte(c.text), c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
		})
	}
}

func TestImportStops(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"shelf-3.0.json", "shelf-3.0.yaml"} {
		ctx, cancel := context.WithCancel(context.Background())
		progress := func(done, total int) { cancel() }
		if _, err := Import(ctx, readFile(t, name), Options{Progress: progress}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestImportProgress(t *testing.T) {
	t.Parallel()
	var got []string
	progress := func(done, total int) { got = append(got, fmt.Sprint(done, "/", total)) }
	for _, name := range []string{"shelf-3.0.yaml", "shelf-3.1.yaml"} {
		if _, err := Import(context.Background(), readFile(t, name), Options{Progress: progress}); err != nil {
			t.Fatal(err)
		}
	}
	if want := "1/4 2/4 3/4 4/4 1/2 2/2"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestImportYAML(t *testing.T) {
	t.Parallel()
	r, err := Import(context.Background(), []byte(`
openapi: 3.0.0
info: &info {title: 2024-05-01, version: 1.0}
x-base: &base
  summary: Shared
  deprecated: true
paths:
  /a:
    get:
      <<: *base
      summary: Own
      parameters:
      - {name: n, in: query, schema: {type: integer, default: 0x1F, enum: [1_000, .inf]}}
`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	op := r.Operations[0]
	if r.Title != "2024-05-01" || r.Version != "1.0" {
		t.Errorf("title %q, version %q", r.Title, r.Version)
	}
	if op.DisplayName != "Own" || !op.Deprecated {
		t.Errorf("merged operation %+v", op)
	}
	if p := op.Request.QueryParameters[0]; p.DefaultValue != "31" || strings.Join(p.Values, " ") != "1000 .inf" {
		t.Errorf("parameter %+v", p)
	}
}

func TestImportServers(t *testing.T) {
	t.Parallel()
	const openapi, swagger = head + "  /a: {}\n", "swagger: '2.0'\ninfo: {title: T}\npaths: {}\n"
	for _, c := range []struct{ text, source, url, protocols, path string }{
		{openapi, "", "", "", ""},
		{openapi + "servers: [{url: 'http://a/x'}]", "", "http://a/x", "http", "x"},
		{openapi + "servers: [{url: 'http://a'}, {url: 'https://b/'}, {url: 'https://c'}]", "", "https://b", "http https", ""},
		{openapi + "servers: [{url: ../api}]", "https://a/docs/v1/openapi.yaml", "https://a/docs/api", "https", "docs/api"},
		{openapi + "servers: [{url: 'wss://a/s'}]", "", "wss://a/s", "wss", "s"},
		{openapi + "servers: [{url: 'https://{x}.a', variables: {x: {default: '{x}'}}}]", "", "", "", ""},
		{openapi + "servers: [{url: 'ftp://a'}, {url: 'https://{x}/'}, {url: ':'}]", "", "", "", ""},
		{swagger, "", "", "", ""},
		{swagger + "host: a\nx-servers: [{url: 'https://{h}/v2', variables: {h: {default: b}}}]", "", "https://b/v2", "https", "v2"},
		{swagger, "http://a/doc.json", "http://a", "http", ""},
		{swagger + "host: a:81\nbasePath: /v1", "", "https://a:81/v1", "https", "v1"},
		{swagger + "host: a\nschemes: [http, https]", "", "https://a", "http https", ""},
	} {
		r, err := Import(context.Background(), []byte(c.text), Options{SourceURL: c.source})
		if err != nil {
			t.Fatal(err)
		}
		if r.ServiceURL != c.url || strings.Join(r.Protocols, " ") != c.protocols || r.Path != c.path {
			t.Errorf("%s: got %q %v %q", c.text, r.ServiceURL, r.Protocols, r.Path)
		}
	}
}

func TestImportRequiredQuery(t *testing.T) {
	t.Parallel()
	text := head + `  /a/{x}:
    get:
      parameters:
      - {name: x, in: path, required: true, schema: {type: string}}
      - {name: X, in: query, required: true, schema: {type: string}}
      - {name: p, in: query, required: true, schema: {type: string}}
      - {name: q, in: query, required: true, schema: {type: string}}
      - {name: r, in: query, schema: {type: string}}
`
	for mode, want := range map[RequiredQuery]string{
		"":                      "/a/{x} X p q r",
		RequiredQueryAsQuery:    "/a/{x} X p q r",
		RequiredQueryAsTemplate: "/a/{x}?p={p}&q={q} X r",
	} {
		r, err := Import(context.Background(), []byte(text), Options{RequiredQuery: mode})
		if err != nil {
			t.Fatal(err)
		}
		got := r.Operations[0].URLTemplate
		for _, p := range r.Operations[0].Request.QueryParameters {
			got += " " + p.Name
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", mode, got, want)
		}
	}
}

func TestOperationIDs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"listPets":                          "listpets",
		"GET/pets/{petId}":                  "get-pets-petid",
		"GET-/foo/{bar}?buzz={quix}":        "get-foo-bar-buzz-quix",
		"__a  b__":                          "a-b",
		"Größe":                             "gr-e",
		"日本":                                "",
		strings.Repeat("a", 90):             strings.Repeat("a", 76),
		strings.Repeat("a", 75) + "-" + "b": strings.Repeat("a", 75),
	} {
		if got := normalID(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	u := unique{}
	var got []string
	for _, name := range []string{"a", "a", "a-1", "a", "b", "a-1"} {
		got = append(got, u.name(name))
	}
	if want := "a a-1 a-1-1 a-2 b a-1-2"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestImportManyContentTypes(t *testing.T) {
	t.Parallel()
	text := "swagger: '2.0'\ninfo: {title: T}\nproduces: [" + strings.Repeat("a/b, ", 100) + "a/c]\n" +
		"paths: {/a: {get: {responses: {200: {description: x, schema: {type: string}}}}}}"
	r, err := Import(context.Background(), []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Operations[0].Responses[0].Representations); n != 64 {
		t.Errorf("%d representations", n)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Message, "only 64 content types") {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestWarningsAreCounted(t *testing.T) {
	t.Parallel()
	text := head
	for i := range 150 {
		text += fmt.Sprintf("  /a%d/{x%d}: {get: {callbacks: {}}}\n", i, i)
	}
	r, err := Import(context.Background(), []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != maxWarnings+1 {
		t.Fatalf("%d warnings", len(r.Warnings))
	}
	if got, want := fmt.Sprint(r.Warnings[1]), "{4 31 callbacks of an operation are not imported (150 times)}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExportErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		result Result
		format Format
		want   string
	}{
		{Result{}, FormatAuto, `the format "" cannot be written`},
		{Result{}, "raml", `the format "raml" cannot be written`},
		{Result{}, FormatWSDL, `the API has no SOAP operation`},
		{Result{}, FormatGRPC, `the API has no schema that could be written as "grpc"`},
		{Result{Schemas: []Schema{{ID: "s", Document: []byte("{")}}}, FormatOpenAPI, `the schema "s" is not valid`},
	} {
		out, err := Export(&c.result, c.format)
		if err == nil || out != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func TestImportByteOrderMark(t *testing.T) {
	t.Parallel()
	for _, text := range []string{head + "  /a: {}", `{"openapi": "3.0.0", "info": {"title": "T"}, "paths": {}}`} {
		data := []byte("\ufeff" + text)
		r, err := Import(context.Background(), data, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if string(r.Original) != string(data) {
			t.Error("the mark is not part of the original")
		}
	}
}

// TestYAMLKeepsStrings makes sure that text which looks like something else in
// YAML is still text after an export.
func TestYAMLKeepsStrings(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "~", "null", "true", "yes", "on", "1", "0x1f", "1e3", "1_000", ".inf", "2024-05-01", "<<", "=", "*a", "&a", "!a", "%a", "@a", "`a",
		"- a", "a: b", "a #b", "#a", "? a", "{a", "[a", "'a", "\"a", "|", ">", "a\nb", "a\n\nb\n\n", "\na", " a\n  b", "a\tb", "\ta", "a\r\nb",
		"\u0000", "\u0085", "\u2028", "\ufeff", "\U0001f600", "\u007f", "a \nb ", "---", "...",
	} {
		tree := newObject().set(text, newArray(always(text)))
		out, err := yaml.Dump(yamlNode(tree))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		back, fail := readYAML(context.Background(), out, DefaultMaxDepth)
		if fail != nil {
			t.Errorf("%q: written as %q, read: %v", text, out, fail)
			continue
		}
		if got, want := string(appendJSON(nil, back)), string(appendJSON(nil, tree)); got != want {
			t.Errorf("got %s, want %s, from %q", got, want, out)
		}
	}
}
