package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/causeway-apim/causeway/internal/graphql"
)

// TestScripts runs testdata/*.txtar: schema.graphql, resolvers.json (by "Type/field": a value, {"$error": text}, {"$echo": true} for arguments and
// parent, {"$text": text} for a result as it stands), and pairs NAME.request and NAME.answer. A request is a query, or JSON. fallback.json, if it is
// there, is the answer of the service behind; NAME.asked is what it is asked then.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := make(map[string]string)
		for _, f := range a.Files {
			text[f.Name] = strings.TrimSpace(string(f.Data))
		}
		schema, err := graphql.ParseSchema(text["schema.graphql"])
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, f := range a.Files {
			name, ok := strings.CutSuffix(f.Name, ".request")
			if !ok {
				continue
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+name, func(t *testing.T) {
				t.Parallel()
				runScript(t, schema, text, name)
			})
		}
	}
}

func runScript(t *testing.T, schema *graphql.Schema, text map[string]string, name string) {
	source := fakeSource{t: t}
	if err := json.Unmarshal([]byte(text["resolvers.json"]), &source.resolvers); err != nil {
		t.Fatal(err)
	}
	options := graphql.Options{Source: source}
	asked := ""
	if fallback, ok := text["fallback.json"]; ok {
		options.Fallback = func(_ context.Context, r graphql.Request) ([]byte, error) {
			body, err := json.Marshal(r)
			asked = string(body)
			return []byte(fallback), err
		}
	}
	got := answer(schema, text[name+".request"], options)
	if want := text[name+".answer"]; compact(t, got) != compact(t, []byte(want)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if want := text[name+".asked"]; want != "" && compact(t, []byte(asked)) != compact(t, []byte(want)) {
		t.Errorf("asked %s\nwant  %s", asked, want)
	}
}

func answer(schema *graphql.Schema, text string, options graphql.Options) []byte {
	r := graphql.Request{Query: text}
	if strings.HasPrefix(text, "{\"") {
		var err error
		if r, err = graphql.ParseRequest("application/json", []byte(text)); err != nil {
			return graphql.Errors{{Message: err.Error()}}.Body()
		}
	}
	o, err := schema.Prepare(r)
	if err != nil {
		return errors.Join(err).(interface{ Unwrap() []error }).Unwrap()[0].(graphql.Errors).Body()
	}
	return o.Execute(context.Background(), options)
}

func compact(t *testing.T, text []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b.String()
}

// fakeSource answers from a table.
type fakeSource struct {
	t         *testing.T
	resolvers map[string]json.RawMessage
}

func (s fakeSource) Resolves(typ, field string) bool {
	_, ok := s.resolvers[typ+"/"+field]
	return ok
}

func (s fakeSource) Resolve(_ context.Context, f graphql.Field) ([]byte, error) {
	raw := s.resolvers[f.Type+"/"+f.Name]
	var special struct {
		Error string `json:"$error"`
		Text  string `json:"$text"`
		Echo  bool   `json:"$echo"`
	}
	if json.Unmarshal(raw, &special) == nil {
		switch {
		case special.Error != "":
			return nil, errors.New(special.Error)
		case special.Text != "":
			return []byte(special.Text), nil
		case special.Echo:
			return json.Marshal(string(f.Arguments) + " of " + string(f.Parent))
		}
	}
	return raw, nil
}

func TestSchemasThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sdl, want string }{
		{"type Query { a: Missing }", "1:17: Undefined type Missing."},
		{"type Query {", "1:13: Expected Name, found <EOF>"},
		{"type User { a: Int }", "the schema has no query type"},
	} {
		_, err := graphql.ParseSchema(c.sdl)
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: %v, want %s", c.sdl, err, c.want)
		}
	}
}

func TestBuiltInDefinitionsMayStandInASchema(t *testing.T) {
	t.Parallel()
	if _, err := graphql.ParseSchema("scalar String\nscalar ID\ndirective @skip(if: Boolean!) on FIELD\ntype Query { a: ID }"); err != nil {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	schema, err := graphql.ParseSchema("type Query { self: Query leaf: Int tree: Tree } type Tree { next: Tree leaf: Int }")
	if err != nil {
		t.Fatal(err)
	}
	// A small query whose aliases multiply: every level has two of the next.
	var bomb strings.Builder
	bomb.WriteString(`{ tree { ...F0 } } fragment F20 on Tree { leaf }`)
	for i := range 20 {
		fmt.Fprintf(&bomb, " fragment F%d on Tree { a: next { ...F%d } b: next { ...F%d } }", i, i+1, i+1)
	}
	tree := strings.Repeat(`{"next":`, 20) + `{"leaf":1}` + strings.Repeat("}", 20)
	for name, c := range map[string]struct{ query, want string }{
		"depth in the text":    {strings.Repeat("{self", 201) + "{leaf" + strings.Repeat("}", 202), "nested deeper than 200 levels"},
		"depth with fragments": {"{...A} fragment A on Query " + strings.Repeat("{self", 150) + "{...B}" + strings.Repeat("}", 150) + " fragment B on Query " + strings.Repeat("{self", 150) + "{leaf}" + strings.Repeat("}", 150), "depth of 301"},
		"tokens":               {"{" + strings.Repeat("leaf ", 20_000) + "}", "token limit"},
		"values":               {bomb.String(), "more than 250000 values"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := answer(schema, c.query, graphql.Options{Source: fakeSource{resolvers: map[string]json.RawMessage{"Query/tree": json.RawMessage(tree)}}})
			if !strings.Contains(string(got), c.want) {
				t.Errorf("%.300s", got)
			}
		})
	}
}
