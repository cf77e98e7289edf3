package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// site is what links lead to in these tests.
type site map[string]string

func (s site) fetch(_ context.Context, link string) ([]byte, error) {
	text, ok := s[link]
	if !ok {
		return nil, errors.New("nobody there")
	}
	return []byte(text), nil
}

const bundled = `openapi: 3.0.3
info: {title: Pets, version: '1'}
servers: [{url: https://pets.example/v1}]
paths:
  /pets:
    $ref: paths/pets.yaml
  /pets/{id}:
    parameters:
      - $ref: 'common.json#/components/parameters/Id'
    get:
      operationId: getPet
      responses:
        '200':
          description: A pet.
          content:
            application/json: {schema: {$ref: 'models/pet.yaml'}, examples: {cat: {$ref: 'examples.json#/cat'}}}
        '404': {$ref: 'https://other.example/common.json#/components/responses/Wrong'}
components:
  schemas:
    Owner: {type: object, properties: {value: {$ref: 'models/pet.yaml'}}}
`

func pets() site {
	return site{
		"https://api.example/v1/examples.json": `{"cat": {"value": {"name": "Tom", "$ref": "as it is"}}}`,
		"https://api.example/v1/paths/pets.yaml": `
get:
  operationId: listPets
  parameters: [{$ref: '../common.json#/components/parameters/Limit'}]
  responses:
    '200': {description: All., content: {application/json: {schema: {type: array, items: {$ref: '../models/pet.yaml'}}}}}
post:
  operationId: addPet
  requestBody: {content: {application/json: {schema: {$ref: '../openapi.yaml#/components/schemas/Owner'}}}}
  responses: {'201': {description: Made.}}
`,
		"https://api.example/v1/models/pet.yaml": `
type: object
properties:
  name: {type: string}
  parent: {$ref: 'pet.yaml'}
  kind: {$ref: '#/definitions/Kind'}
  owner: {$ref: '../openapi.yaml#/components/schemas/Owner'}
definitions:
  Kind: {type: string, enum: [cat, dog]}
`,
		"https://api.example/v1/common.json": `{"components": {"parameters": {
  "Id": {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
  "Limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}}}}`,
		"https://other.example/common.json": `{"components": {"responses": {"Wrong": {"description": "No.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/pet"}}}}},
  "schemas": {"pet": {"type": "object", "properties": {"message": {"type": "string"}}}}}}`,
	}
}

func TestBundle(t *testing.T) {
	t.Parallel()
	r, err := Import(t.Context(), []byte(bundled), Options{Format: FormatOpenAPI, SourceURL: "https://api.example/v1/openapi.yaml", Fetch: pets().fetch})
	if err != nil {
		t.Fatal(err)
	}
	if string(r.Original) != bundled {
		t.Error("the text is not the one that was read")
	}
	var ids []string
	for _, o := range r.Operations {
		ids = append(ids, o.ID)
	}
	if !slices.Equal(ids, []string{"listpets", "addpet", "getpet"}) {
		t.Fatalf("operations %v", ids)
	}
	list, get := r.Operations[0], r.Operations[2]
	if q := list.Request.QueryParameters; len(q) != 1 || q[0].Name != "limit" || q[0].Type != "integer" {
		t.Errorf("query parameters %+v", q)
	}
	if p := get.TemplateParameters; len(p) != 1 || p[0].Type != "integer" {
		t.Errorf("template parameters %+v", p)
	}
	if name := get.Responses[0].Representations[0].TypeName; name != "pet" {
		t.Errorf("the type is %q", name)
	}
	if e := get.Responses[0].Representations[0].Examples["cat"]; !strings.Contains(string(e.Value), `"$ref":"as it is"`) {
		t.Errorf("the example is %s", e.Value)
	}
	if name := get.Responses[1].Representations[0].TypeName; name != "pet2" {
		t.Errorf("the type of the other document is %q", name)
	}
	if len(r.Schemas) != 1 {
		t.Fatalf("schemas %v", r.Schemas)
	}
	text := string(r.Schemas[0].Document)
	if !json.Valid(r.Schemas[0].Document) || strings.Contains(text, ".yaml") || strings.Contains(text, ".json") {
		t.Errorf("references lead out of %s", text)
	}
	for _, part := range []string{
		`"Owner":{"type":"object","properties":{"value":{"$ref":"#/components/schemas/pet"}}}`, `"parent":{"$ref":"#/components/schemas/pet"}`,
		`"kind":{"$ref":"#/components/schemas/Kind"}`, `"Kind":{"type":"string"`, `"owner":{"$ref":"#/components/schemas/Owner"}`, `"pet2":{"type":"object","properties":{"message"`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
}

func TestBundleSwagger(t *testing.T) {
	t.Parallel()
	const text = `{"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": {"/a": {"post": {
  "parameters": [{"name": "b", "in": "body", "schema": {"$ref": "https://x.example/types.json#/definitions/A~1B"}}], "responses": {"200": {"description": "OK"}}}}}}`
	r, err := Import(t.Context(), []byte(text), Options{Format: FormatSwaggerJSON, Fetch: site{"https://x.example/types.json": `{"definitions": {"A/B": {"type": "object"}}}`}.fetch})
	if err != nil {
		t.Fatal(err)
	}
	if name := r.Operations[0].Request.Representations[0].TypeName; name != "A_B" {
		t.Errorf("the type is %q in %s", name, r.Schemas)
	}
}

func TestBundleErrors(t *testing.T) {
	t.Parallel()
	const source = "https://x.example/api.yaml"
	at := func(ref string) string { return head + "  /a:\n    $ref: '" + ref + "'" }
	// Every part of the chain uses the next one twice.
	laughs := make([]string, 60)
	for i := range laughs {
		laughs[i] = fmt.Sprintf("p%d: {x-a: 1, get: {callbacks: {a: {$ref: '#/p%d'}, b: {$ref: '#/p%d'}}}}", i, i+1, i+1)
	}
	many := site{}
	for i := range 60 {
		many[fmt.Sprintf("https://x.example/%d.yaml", i)] = fmt.Sprintf("$ref: '%d.yaml'", i+1)
	}
	for _, c := range []struct {
		name, ref string
		site      site
		source    string
		want      string
	}{
		{"nobody there", "b.yaml", nil, source, `5:11 "https://x.example/b.yaml" cannot be read: nobody there`},
		{"relative in a text", "b.yaml", nil, "", `5:11 the reference "b.yaml" leads out of the document`},
		{"nowhere", "b.yaml#/none", site{"https://x.example/b.yaml": "a: 1"}, source, `5:11 the reference "b.yaml#/none" leads nowhere`},
		{"nowhere further on", "b.yaml", site{"https://x.example/b.yaml": "get: {responses: {'200': {$ref: '#/r'}}}"}, source, `5:11 in https://x.example/b.yaml: the reference "#/r" leads nowhere`},
		{"broken", "b.yaml", site{"https://x.example/b.yaml": "{"}, source, `5:11 in https://x.example/b.yaml, line 1, column 2: the JSON`},
		{"itself", "b.yaml", site{"https://x.example/b.yaml": "$ref: 'b.yaml'"}, source, `leads back to itself`},
		{"in itself", "b.yaml#/a/b", site{"https://x.example/b.yaml": "a: {b: {get: {callbacks: {x: {$ref: '#/a'}}}}}"}, source, `the references of the document expand to too much`},
		{"too much", "b.yaml#/p0", site{"https://x.example/b.yaml": strings.Join(laughs, "\n") + "\np60: {}"}, source, `the references of the document expand to too much`},
		{"too many documents", "0.yaml", many, source, `more than 50 documents`},
		{"too large", "b.yaml", site{"https://x.example/b.yaml": "a: " + strings.Repeat("x", 2000)}, source, "the document has"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limit := int64(1 << 20)
			if c.name == "too large" {
				limit = 1000
			}
			_, err := Import(t.Context(), []byte(at(c.ref)), Options{SourceURL: c.source, Fetch: c.site.fetch, MaxBytes: limit})
			e, ok := errors.AsType[*Error](err)
			if !ok || !strings.Contains(fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Reason), c.want) {
				t.Errorf("the error is %v, want %s", err, c.want)
			}
		})
	}
}

func TestImportWithoutPaths(t *testing.T) {
	t.Parallel()
	r, err := Import(t.Context(), []byte("openapi: 3.1.0\ninfo: {title: T, version: '1'}\nwebhooks: {a: {post: {}}}"), Options{})
	if err != nil || len(r.Operations) != 0 || len(r.Warnings) != 1 {
		t.Errorf("result %+v, error %v", r, err)
	}
}

func TestWellKnownSchemas(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(readFile(t, "orders.wsdl")), "<xs:schema ", `<xs:schema><xs:import namespace="http://schemas.xmlsoap.org/soap/encoding/" schemaLocation="http://schemas.xmlsoap.org/soap/encoding/"/></xs:schema><xs:schema `, 1)
	if _, err := Import(t.Context(), []byte(text), Options{Format: FormatWSDL, Fetch: site{}.fetch}); err != nil {
		t.Error(err)
	}
}
