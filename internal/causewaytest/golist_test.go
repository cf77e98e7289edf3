package causewaytest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goPackage is the part of `go list -json` that the house rules need.
type goPackage struct {
	Dir          string
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Module       *struct{ Path string }
}

// listPackages returns the module's path and its packages.
func listPackages(t *testing.T) (string, []goPackage) {
	t.Helper()
	out := goCommand(t, "list", "-e", "-json=Dir,ImportPath,Imports,TestImports,XTestImports,Module", "./...")
	var pkgs []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("reading what go list says: %v", err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) == 0 || pkgs[0].Module == nil {
		t.Fatal("go list found no package of a module")
	}
	return pkgs[0].Module.Path, pkgs
}

// listDeps returns the import paths of everything that is linked with the packages.
func listDeps(t *testing.T, paths []string) []string {
	t.Helper()
	return strings.Fields(string(goCommand(t, append([]string{"list", "-e", "-deps"}, paths...)...)))
}

func goCommand(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = moduleRoot(t)
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// moduleRoot returns the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := ModuleRoot()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// readFile reads a file of the project, named relative to its root.
func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(moduleRoot(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// markdownTable returns the cells of the first table in page whose header starts with the given columns, without
// backquotes.
func markdownTable(page string, header ...string) [][]string {
	rows := markdownTableRaw(page, header...)
	for _, cells := range rows {
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(cell, "`", "")
		}
	}
	return rows
}

// markdownTableRaw is markdownTable with the cells as they are written.
func markdownTableRaw(page string, header ...string) [][]string {
	var rows [][]string
	in := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if in {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(cell)
		}
		switch {
		case in && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, cells)
		case !in && len(cells) >= len(header):
			in = true
			for i, want := range header {
				in = in && cells[i] == want
			}
		}
	}
	return rows
}

// splitList splits a list in a table's cell.
func splitList(cell string) []string {
	list := []string{}
	for word := range strings.SplitSeq(cell, ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}
