package causewaytest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitecturePageNamesWhatExists looks up the types and files that the architecture page names as holding a
// decision, so that a renaming takes the page along.
func TestArchitecturePageNamesWhatExists(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	rows := markdownTableRaw(readFile(t, "docs/ARCHITECTURE.md"), "#", "decision", "held by")
	if len(rows) < 10 {
		t.Fatalf("the table of decisions has only %d rows", len(rows))
	}
	// Words such as net/http, message and policies are neither symbols nor files of ours.
	quoted := regexp.MustCompile("`([^`]+)`")
	for _, cells := range rows {
		names := quoted.FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 {
			t.Errorf("decision %s is held by nothing", cells[0])
		}
		for _, m := range names {
			name := m[1]
			pkg, symbol, isSymbol := strings.Cut(name, ".")
			switch {
			case strings.HasPrefix(name, "internal/"):
				if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
					t.Errorf("decision %s: %v", cells[0], err)
				}
			case isSymbol && !declares(t, filepath.Join(root, "internal", pkg), symbol):
				t.Errorf("decision %s: package %s declares no %s", cells[0], pkg, symbol)
			}
		}
	}
}

// declares reports whether the Go files of a folder declare a package-level name.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, path := range files {
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("reading %s: %v", path, err)
			continue
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil && decl.Name.Name == name {
					return true
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						if spec.Name.Name == name {
							return true
						}
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							if id.Name == name {
								return true
							}
						}
					}
				}
			}
		}
	}
	return false
}
