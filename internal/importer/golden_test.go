package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// described is a result in the form of the golden files.
type described struct {
	Result
	Operations []describedOperation
	Schemas    []Schema
	Original   struct{}
}

type describedOperation struct {
	ID         string
	Properties Operation
	Tags       []string `json:",omitempty"`
	Deprecated bool     `json:",omitempty"`
}

func describe(t *testing.T, r *Result) []byte {
	t.Helper()
	d := described{Result: *r, Schemas: r.Schemas}
	for _, op := range r.Operations {
		d.Operations = append(d.Operations, describedOperation{op.ID, op, op.Tags, op.Deprecated})
	}
	out, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkGolden compares with a file of testdata; with UPDATE_GOLDEN=1 in the
// environment it writes the file instead.
func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(filepath.Join("testdata", name), got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := readFile(t, name); !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", name, got)
	}
}

func TestImportGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"shelf-2.0", "shelf-3.0", "shelf-3.1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{SchemaID: "types"}
			data := readFile(t, name+".yaml")
			fromYAML, err := Import(context.Background(), data, o)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(fromYAML.Original, data) {
				t.Error("the original bytes are not kept")
			}
			checkGolden(t, name+".golden", describe(t, fromYAML))

			fromJSON, err := Import(context.Background(), readFile(t, name+".json"), o)
			if err != nil {
				t.Fatal(err)
			}
			if fromJSON.Syntax != SyntaxJSON {
				t.Errorf("syntax is %q", fromJSON.Syntax)
			}
			// Apart from syntax and places, both say the same.
			fromJSON.Syntax, fromJSON.Kind = fromYAML.Syntax, fromYAML.Kind
			for i := range fromJSON.Warnings {
				fromJSON.Warnings[i].Line, fromJSON.Warnings[i].Column = fromYAML.Warnings[i].Line, fromYAML.Warnings[i].Column
			}
			if got, want := describe(t, fromJSON), describe(t, fromYAML); !bytes.Equal(got, want) {
				t.Errorf("JSON and YAML differ; JSON gives:\n%s", got)
			}
		})
	}
}

func TestExportGolden(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"shelf-2.0", "shelf-3.0"} {
		r, err := Import(context.Background(), readFile(t, source+".yaml"), Options{SchemaID: "types"})
		if err != nil {
			t.Fatal(err)
		}
		for format, ending := range map[Format]string{
			FormatOpenAPI: ".export.yaml", FormatOpenAPIJSON: ".export.json", FormatSwaggerJSON: ".export-swagger.json",
		} {
			t.Run(source+ending, func(t *testing.T) {
				t.Parallel()
				out, err := Export(r, format)
				if err != nil {
					t.Fatal(err)
				}
				checkGolden(t, source+ending, out)
				again, err := Import(context.Background(), out, Options{Format: format, SchemaID: "types"})
				if err != nil {
					t.Fatalf("the export cannot be imported: %v", err)
				}
				if got, want := operationKeys(again), operationKeys(r); got != want {
					t.Errorf("operations after export and import:\n%s\nwant:\n%s", got, want)
				}
			})
		}
	}
}

// operationKeys lists what an export must keep. A query in the template comes
// back as required query parameters.
func operationKeys(r *Result) string {
	var keys []string
	for _, op := range r.Operations {
		path, _, _ := strings.Cut(op.URLTemplate, "?")
		keys = append(keys, op.ID+" "+op.Method+" "+path+" "+op.DisplayName)
	}
	slices.Sort(keys)
	return strings.Join(keys, "\n")
}
