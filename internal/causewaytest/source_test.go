package causewaytest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is the length above which a Go file has become two.
const maxLines = 500

// longFiles are the files that may be longer, each with the reason.
var longFiles = map[string]string{}

// skippingFiles are the test files that may skip, each with the reason.
var skippingFiles = map[string]string{
	"tools/check/check_test.go": "holds a test that skips as text, to see that the gate notices",
}

// sourceFile is a Go file of the project.
type sourceFile struct {
	path string // below the root, with slashes
	data []byte
}

// sourceFiles reads the project's Go files, generated ones and the tools' too.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	root := moduleRoot(t)
	var files []sourceFile
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files = append(files, sourceFile{path: filepath.ToSlash(rel), data: data})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func isGenerated(data []byte) bool {
	return regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`).Match(data)
}

func TestFileLength(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		lines := bytes.Count(f.data, []byte("\n"))
		if lines <= maxLines || isGenerated(f.data) {
			continue
		}
		if _, ok := longFiles[f.path]; !ok {
			t.Errorf("%s has %d lines; above %d it is to be split (or listed in longFiles with a reason)", f.path, lines, maxLines)
		}
	}
	for path := range longFiles {
		if lines := strings.Count(readFile(t, path), "\n"); lines <= maxLines {
			t.Errorf("%s has %d lines again: take it off longFiles", path, lines)
		}
	}
}

func TestGeneratedFilesAreMarked(t *testing.T) {
	t.Parallel()
	for _, f := range sourceFiles(t) {
		if named, marked := strings.HasSuffix(f.path, "_gen.go"), isGenerated(f.data); named != marked {
			t.Errorf("%s: named as generated %v, marked as generated %v: a generated file is called x_gen.go and says "+
				"\"Code generated … DO NOT EDIT.\"", f.path, named, marked)
		}
	}
}

func TestNothingIsSkipped(t *testing.T) {
	t.Parallel()
	skip := regexp.MustCompile(`\b(t|b|f|tb|ts)\.(Skip|Skipf|SkipNow)\(`)
	for _, f := range sourceFiles(t) {
		if _, ok := skippingFiles[f.path]; !ok && strings.HasSuffix(f.path, "_test.go") && skip.Match(f.data) {
			t.Errorf("%s skips: a test either runs or is not there", f.path)
		}
	}
}

// TestNoMachinePaths looks at every file of the project for the paths of somebody's machine.
func TestNoMachinePaths(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	// Folders that only development machines have; paths of requests begin with other words.
	machine := regexp.MustCompile(`(^|[^a-zA-Z0-9._}-])/(` + strings.Join([]string{"work/", "farm/", "root/go", "root/[.]", "Users/"}, "|") + `)[a-z.]`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if path != root && (name == ".git" || name == "node_modules" || name == "bin" || name == "dist" || name == ".causeway") {
				return filepath.SkipDir
			}
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.IndexByte(data, 0) >= 0 {
			return nil // not a text
		}
		for i, line := range bytes.Split(data, []byte("\n")) {
			if m := machine.Find(line); m != nil {
				t.Errorf("%s:%d holds a machine's path: %s…", path[len(root)+1:], i+1, m)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoInitAndNoMutableVariables watches over rule 9: nothing happens at import, and package variables are constants
// that Go cannot declare as such (errors, compiled regular expressions, tables).
func TestNoInitAndNoMutableVariables(t *testing.T) {
	t.Parallel()
	byFolder := map[string][]sourceFile{}
	for _, f := range sourceFiles(t) {
		if !strings.HasSuffix(f.path, "_test.go") && !isGenerated(f.data) {
			folder := filepath.Dir(f.path)
			byFolder[folder] = append(byFolder[folder], f)
		}
	}
	for _, files := range byFolder {
		for _, complaint := range checkPackage(t, files) {
			t.Error(complaint)
		}
	}
}

// checkPackage returns what breaks the rule in the files of one package.
func checkPackage(t *testing.T, files []sourceFile) []string {
	t.Helper()
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, f := range files {
		file, err := parser.ParseFile(fset, f.path, f.data, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("reading %s: %v", f.path, err)
			return nil
		}
		parsed = append(parsed, file)
	}
	var complaints []string
	complain := func(pos token.Pos, format string, args ...any) {
		complaints = append(complaints, fmt.Sprintf("%s: %s", fset.Position(pos), fmt.Sprintf(format, args...)))
	}
	// Imports are not resolved: whose variable an identifier is can be told without them.
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Error: func(error) {}, Importer: noImporter{}}
	pkg, _ := conf.Check(filepath.Dir(files[0].path), fset, parsed, info)

	for _, file := range parsed {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil && decl.Name.Name == "init" {
					complain(decl.Pos(), "init functions are not used here: cmd wires")
				}
			case *ast.GenDecl:
				if decl.Tok == token.VAR {
					checkVariables(decl, complain)
				}
			}
		}
	}
	isPackageVar := func(e ast.Expr) (*ast.Ident, bool) {
		id := rootOf(e)
		if id == nil {
			return nil, false
		}
		v, ok := info.Uses[id].(*types.Var)
		return id, ok && v.Parent() == pkg.Scope()
	}
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			for _, e := range changedBy(n) {
				if id, ok := isPackageVar(e); ok {
					complain(e.Pos(), "package variable %s is changed here", id.Name)
				}
			}
			return true
		})
	}
	return complaints
}

// checkVariables complains about package variables whose very type holds state.
func checkVariables(decl *ast.GenDecl, complain func(token.Pos, string, ...any)) {
	for _, spec := range decl.Specs {
		spec, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		exprs := slices.Clone(spec.Values)
		if spec.Type != nil {
			exprs = append(exprs, spec.Type)
		}
		for _, e := range exprs {
			if what := stateIn(e); what != "" {
				complain(spec.Pos(), "package variable %s holds state (%s)", spec.Names[0].Name, what)
			}
		}
	}
}

// stateIn names the stateful thing that a package variable's type or value is: a lock, an atomic, a channel. A
// sync.Pool is none, since nobody can tell whether it is empty; neither are the sync.OnceValue functions.
func stateIn(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ChanType:
		return "a channel"
	case *ast.StarExpr:
		return stateIn(e.X)
	case *ast.UnaryExpr:
		return stateIn(e.X)
	case *ast.CompositeLit:
		return stateIn(e.Type)
	case *ast.StructType:
		for _, f := range e.Fields.List {
			if what := stateIn(f.Type); what != "" {
				return what
			}
		}
	case *ast.IndexExpr:
		return stateIn(e.X)
	case *ast.CallExpr:
		if id, ok := e.Fun.(*ast.Ident); ok && (id.Name == "make" || id.Name == "new") && len(e.Args) > 0 {
			return stateIn(e.Args[0])
		}
	case *ast.SelectorExpr:
		id, ok := e.X.(*ast.Ident)
		if !ok {
			return ""
		}
		name := id.Name + "." + e.Sel.Name
		if id.Name == "atomic" || slices.Contains([]string{"sync.Mutex", "sync.RWMutex", "sync.Map", "sync.Once", "sync.WaitGroup", "sync.Cond"}, name) {
			return name
		}
	}
	return ""
}

// changedBy returns the expressions that a node writes to.
func changedBy(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && slices.Contains([]string{"delete", "clear", "copy"}, id.Name) {
			return n.Args[:1]
		}
	}
	return nil
}

// rootOf returns the variable behind x, x.f, x[i], *x and (x).
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

type noImporter struct{}

func (noImporter) Import(path string) (*types.Package, error) {
	return nil, fmt.Errorf("imports are not resolved: %s", path)
}

func TestSourceRules(t *testing.T) {
	t.Parallel()
	f := func(src string, want ...string) {
		t.Helper()
		got := checkPackage(t, []sourceFile{{path: "p/p.go", data: []byte("package p\n" + src)}})
		if len(got) != len(want) {
			t.Errorf("%s\ncomplaints %q, want %q", src, got, want)
			return
		}
		for i := range got {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("%s\ncomplaint %q, want %q", src, got[i], want[i])
			}
		}
	}
	f(`func init() {}`, "init functions")
	f(`type t struct{}; func (t) init() {}`)
	f(`import "errors"; var ErrX = errors.New("x")`)
	f(`var n int; func f() { n++ }`, "n is changed")
	f(`var n int; func f() { n := 1; n++; _ = n }`)
	f(`var m = map[string]int{}; func f() { m["a"] = 1 }`, "m is changed")
	f(`var m = map[string]int{}; func f() { delete(m, "a") }`, "m is changed")
	f(`var m = map[string]int{"a": 1}; func f() int { return m["a"] }`)
	f(`import "sync"; var mu sync.Mutex`, "sync.Mutex")
	f(`import "sync"; var p = sync.Pool{New: func() any { return nil }}`)
	f(`import "sync/atomic"; var n atomic.Int64`, "atomic.Int64")
	f(`var c = make(chan int)`, "a channel")
}
