package importer

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
)

// FuzzImport looks for documents that crash the importer or give a result that
// contradicts itself. Whatever is imported must also be exported and read again.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"shelf-2.0.yaml", "shelf-2.0.json", "shelf-3.0.yaml", "shelf-3.0.json", "shelf-3.1.yaml", "shelf-3.1.json"} {
		f.Add(readFile(f, name))
	}
	for _, text := range []string{
		"a: &a [*a]", "a: &a {<<: *a}", "{\"a\": [1e5, -0, \"\\ud800\"]}", "? [a]\n: b", "openapi: 3.0.0\n--- x",
		head + "  /{a}/{b}: {$ref: '#/paths/~1{a}~1{b}'}", head + "  /a: {get: {requestBody: {$ref: '#'}}}",
		"swagger: 2.0\ninfo: {title: T}\npaths: {/a?b={b}: {get: {parameters: [{in: path, name: b, type: file}]}}}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Import(context.Background(), data, Options{MaxBytes: 1 << 16})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Reason == "" || r != nil {
				t.Fatalf("result %v with error %#v", r, err)
			}
			return
		}
		checkResult(t, r)
		for _, format := range []Format{FormatOpenAPI, FormatOpenAPIJSON, FormatSwaggerJSON} {
			out, err := Export(r, format)
			if err != nil {
				t.Fatalf("export as %s: %v", format, err)
			}
			if _, err := read(context.Background(), out, Options{MaxBytes: 1 << 30, MaxDepth: 1000}); err != nil {
				t.Fatalf("export as %s cannot be read: %v\n%s", format, err, out)
			}
		}
	})
}

func checkResult(t *testing.T, r *Result) {
	t.Helper()
	ids := map[string]bool{}
	for _, op := range r.Operations {
		if op.ID == "" || len(op.ID) > 80 || ids[op.ID] {
			t.Fatalf("operation ID %q is empty, too long or not unique", op.ID)
		}
		ids[op.ID] = true
		if _, err := json.Marshal(op); err != nil {
			t.Fatalf("operation %s: %v", op.ID, err)
		}
	}
	for _, schema := range r.Schemas {
		if !json.Valid(schema.Document) {
			t.Fatalf("schema document is not JSON: %s", schema.Document)
		}
	}
}

// FuzzBundle imports a description whose links all lead to one other document.
func FuzzBundle(f *testing.F) {
	f.Add([]byte(bundled), []byte(pets()["https://api.example/v1/models/pet.yaml"]))
	f.Add([]byte(head+"  /a: {$ref: 'b#/x'}"), []byte("x: {get: {callbacks: {y: {$ref: '#/x'}}, responses: {'200': {$ref: 'c#/x/get/callbacks'}}}}"))
	f.Add([]byte(head+"  /a: {$ref: 'b#/x'}"), []byte("x: &x {get: {responses: {'200': {content: {a/b: {schema: {$ref: '#/x'}}}}}}}"))
	f.Fuzz(func(t *testing.T, data, other []byte) {
		o := Options{MaxBytes: 1 << 16, SourceURL: "https://x.example/a", Fetch: func(context.Context, string) ([]byte, error) { return other, nil }}
		if r, err := Import(context.Background(), data, o); err == nil {
			checkResult(t, r)
		}
	})
}
