package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func mustImport(t *testing.T, text string) *Result {
	t.Helper()
	r, err := Import(context.Background(), []byte(text), Options{SchemaID: "types"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestImportReferenceForms(t *testing.T) {
	t.Parallel()
	r := mustImport(t, head+`  /a/{x}:
    get:
      parameters:
      - $ref: '#/paths/~1b~1%7Bx%7D/get/parameters/0'
      responses:
        200:
          description: d
          content:
            a/b: {schema: {$ref: '#/components/schemas/a~1b~0c%20d'}}
            a/c: {schema: {$ref: '#/components/schemas/Alias'}}
            a/d: {schema: {$ref: '#/components/schemas/Alias/properties/deep'}}
            a/e: {schema: {$ref: '#/components/schemas/Alias/properties/deep'}}
  /b/{x}:
    get:
      parameters:
      - {name: x, in: path, required: true, schema: {type: number}}
components:
  schemas:
    a/b~c d: {type: string}
    Alias: {type: object, properties: {deep: {type: string}, $ref: {type: string}}}
`)
	op := r.Operations[0]
	if p := op.TemplateParameters[0]; p.Name != "x" || p.Type != "number" {
		t.Errorf("parameter %+v", p)
	}
	var names []string
	for _, representation := range op.Responses[0].Representations {
		names = append(names, representation.TypeName)
	}
	if got, want := fmt.Sprint(names), "[a/b~c d Alias AXGet200ADResponse AXGet200ADResponse]"; got != want {
		t.Errorf("types %s, want %s", got, want)
	}
	out, err := Export(r, FormatSwaggerJSON)
	if err != nil || !strings.Contains(string(out), `"#/definitions/a~1b~0c d"`) {
		t.Errorf("export %s, %v", out, err)
	}
}

func TestImportParameterTypes(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		`{type: integer, default: 3, enum: [3, 4]}`: `integer "3" [3 4]`,
		`{enum: [1, 2]}`:    `number "" [1 2]`,
		`{enum: [true]}`:    `boolean "" [true]`,
		`{enum: [a, null]}`: `string "" [a]`,
		`{type: [array, 'null'], default: [1, {}]}`:  `array "[1,{}]" []`,
		`{type: string, default: "a\nb"}`:            "string \"a\\nb\" []",
		`{oneOf: [{type: integer}, {type: string}]}`: `string "" []`,
		`{$ref: '#/components/schemas/Flag'}`:        `boolean "true" [] types/Flag`,
	} {
		r := mustImport(t, head+"  /a: {get: {parameters: [{name: p, in: query, schema: "+schema+"}]}}\n"+
			"components: {schemas: {Flag: {type: boolean, default: true}}}")
		p := r.Operations[0].Request.QueryParameters[0]
		got := fmt.Sprintf("%s %q %v", p.Type, p.DefaultValue, p.Values)
		if p.TypeName != "" {
			got += " " + p.SchemaID + "/" + p.TypeName
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
		if out, err := Export(r, FormatOpenAPIJSON); err != nil {
			t.Error(err)
		} else if again := mustImport(t, string(out)).Operations[0].Request.QueryParameters[0]; again.DefaultValue != p.DefaultValue || fmt.Sprint(again.Values) != fmt.Sprint(p.Values) {
			t.Errorf("%s: after export %+v", schema, again)
		}
	}
}

func TestImportSwaggerBodies(t *testing.T) {
	t.Parallel()
	const start = "swagger: '2.0'\ninfo: {title: T}\nconsumes: [a/b]\nproduces: [a/c]\npaths: {/a: {post: "
	for _, c := range []struct{ operation, want string }{
		{`{}`, ""},
		{`{parameters: [{name: f, in: formData, type: string}]}`, "application/x-www-form-urlencoded(f)"},
		{`{parameters: [{name: f, in: formData, type: file}]}`, "multipart/form-data(f)"},
		{`{consumes: [multipart/form-data, x/y], parameters: [{name: f, in: formData, type: string}]}`, "multipart/form-data(f)"},
		{`{parameters: [{name: b, in: body, schema: {type: object}}]}`, "a/b:APostRequest"},
		{`{consumes: [x/y], parameters: [{name: b, in: body}]}`, "x/y"},
		{`{responses: {200: {description: d, examples: {a/c: 1, a/d: {x: y}}}}}`, `> a/c=1 a/d={"x":"y"}`},
		{`{responses: {200: {description: d, schema: {$ref: '#/definitions/T'}}}}`, "> a/c:T"},
	} {
		r := mustImport(t, start+c.operation+"}}\ndefinitions: {T: {type: string}}")
		op := r.Operations[0]
		parts := representations(op.Request.Representations)
		for _, response := range op.Responses {
			parts = append(append(parts, ">"), representations(response.Representations)...)
		}
		if got := strings.Join(parts, " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.operation, got, c.want)
		}
	}
}

func representations(list []Representation) []string {
	var parts []string
	for _, r := range list {
		part := r.ContentType
		if r.TypeName != "" {
			part += ":" + r.TypeName
		}
		for _, p := range r.FormParameters {
			part += "(" + p.Name + ")"
		}
		if e, ok := r.Examples["default"]; ok {
			part += "=" + string(e.Value)
		}
		parts = append(parts, part)
	}
	return parts
}

func TestInlineTypesDoNotHideNamedOnes(t *testing.T) {
	t.Parallel()
	r := mustImport(t, head+`  /a: {post: {requestBody: {content: {a/b: {schema: {type: object}}}}}}
components: {schemas: {APostRequest: {type: string}, APostRequest1: {type: string}}}`)
	if got := r.Operations[0].Request.Representations[0].TypeName; got != "APostRequest2" {
		t.Errorf("the inline type is called %s", got)
	}
}

func TestMergeOfManyMembers(t *testing.T) {
	t.Parallel()
	var base strings.Builder
	for i := range 3 * indexFrom {
		fmt.Fprintf(&base, "k%d: %d, ", i, i)
	}
	n, err := readYAML(context.Background(), []byte("a: &a {"+base.String()+"z: 1}\nb: {<<: [*a, *a], k3: own}"), DefaultMaxDepth)
	if err != nil {
		t.Fatal(err)
	}
	b := n.get("b")
	if len(b.members) != 3*indexFrom+1 || b.get("k3").str() != "own" || b.get("k30").str() != "30" {
		t.Errorf("merged %s", appendJSON(nil, b))
	}
}

func TestErrorsUnwrap(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, err := range []error{&Error{Err: cause}, &FetchError{Err: cause}} {
		if !errors.Is(err, cause) {
			t.Errorf("%T hides its cause", err)
		}
	}
	e := &Error{Line: 3, Column: 5, Reason: "wrong", Advice: "Mend it."}
	if got, want := e.Error(), "line 3, column 5: wrong. Mend it."; got != want {
		t.Errorf("got %s", got)
	}
	f := &FetchError{Code: CodeLinkTimeout, Message: "late"}
	if got, want := f.Error(), "LinkTimeout: late"; got != want {
		t.Errorf("got %s", got)
	}
}
