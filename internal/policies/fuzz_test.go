package policies_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
)

// FuzzCompile compiles documents, beginning with those of the scripts: whatever stands in one, there is a report whose positions exist.
func FuzzCompile(f *testing.F) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		f.Fatal(err)
	}
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range scripts {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, a := range archive.Files {
			if strings.HasSuffix(a.Name, ".xml") {
				f.Add(string(a.Data))
			}
		}
	}
	h := newFakeHost()
	h.namedValues["a"], h.fragments["f"] = `@("x")`, `<fragment><trace source="x"><message>y</message></trace></fragment>`
	f.Fuzz(func(t *testing.T, text string) {
		report := catalogue.Check(text, policy.Options{Lookup: h})
		lines := strings.Count(text, "\n") + 1
		for _, d := range append(report.Errors, report.Warnings...) {
			if d.Line < 1 || d.Line > lines || d.Column < 1 || d.Code == "" || d.Code == policy.CodeInternal || d.Message == "" {
				t.Errorf("a document of %d lines has the diagnostic %+v", lines, d)
			}
		}
	})
}
