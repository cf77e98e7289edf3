package importer

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// synthetic writes a description of n operations with the proportions of large
// public ones: several responses, parameters by reference, examples, a type of
// its own for each path.
func synthetic(n int) []byte {
	list := func(item string, times int) string { return strings.TrimSuffix(strings.Repeat(item, times), ",") }
	example := "[" + list(`{"id": 1, "name": "a \"thing\"", "url": "https://api.example/things/1", "tags": ["a", "b"]},`, 20) + "]"
	var properties strings.Builder
	for i := range 40 {
		fmt.Fprintf(&properties, `"p%d":{"type":"string","description":"One of the properties","format":"uri"},`, i)
	}
	properties.WriteString(`"leaf":{"$ref":"#/components/schemas/leaf"}`)

	var b strings.Builder
	b.WriteString(`{"openapi":"3.0.3","info":{"title":"Synthetic","version":"1"},"servers":[{"url":"https://api.example"}],"paths":{`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `
"/things/{owner}/group%d/{item}": {"get": {"operationId": "group%d/get", "summary": "Get from group %d", "tags": ["group%d"],
  "description": %q,
  "parameters": [{"$ref": "#/components/parameters/owner"}, {"$ref": "#/components/parameters/item"},
    {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}}],
  "responses": {
    "200": {"description": "Found", "headers": {"Link": {"schema": {"type": "string"}}}, "content": {"application/json":
      {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/thing%d"}}, "examples": {"default": {"value": %s}}}}},
    "404": {"$ref": "#/components/responses/missing"}}}}`, i, i, i, i%40, strings.Repeat("What it does. ", 30), i, example)
	}
	b.WriteString(`},"components":{"parameters":{
"owner":{"name":"owner","in":"path","required":true,"schema":{"type":"string"}},
"item":{"name":"item","in":"path","required":true,"schema":{"type":"string"}}},
"responses":{"missing":{"description":"Not there"}},"schemas":{"leaf":{"type":"string"}`)
	for i := range n {
		fmt.Fprintf(&b, ",\n\"thing%d\":{\"type\":\"object\",\"properties\":{%s}}", i, properties.String())
	}
	b.WriteString("}}}")
	return []byte(b.String())
}

// BenchmarkImport1000 prints the time for 1,000 operations, 6 MB of JSON.
func BenchmarkImport1000(b *testing.B) {
	data := synthetic(1000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := Import(context.Background(), data, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if len(r.Operations) != 1000 {
			b.Fatalf("%d operations", len(r.Operations))
		}
	}
}

// TestImportAllocations keeps the reader from allocating for each value, of
// which this document has 34,000; it needs 13,000 allocations.
func TestImportAllocations(t *testing.T) {
	data := synthetic(100)
	allocations := testing.AllocsPerRun(3, func() {
		if _, err := Import(context.Background(), data, Options{}); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 20_000 {
		t.Errorf("%.0f allocations for 100 operations", allocations)
	}
}
