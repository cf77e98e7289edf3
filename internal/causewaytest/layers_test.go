package causewaytest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// everything in a row's list means that the row may import whatever it likes: such a package wires.
const everything = "*"

// layers says who may import whom: docs/ARCHITECTURE.md as data. A key is a folder below the module's root
// ("internal/" left out) and stands for its sub-packages too, unless a longer key names them.
//
// What goes for the code goes for its tests, with two exceptions that [layerRules.testMayImport] states.
var layers = map[string][]string{
	"arm":       {},
	"importer":  {},
	"auth":      {},
	"snapshot":  {},
	"message":   {},
	"telemetry": {},
	"store":     {},
	"redis":     {"porttest"}, // its servers for tests
	"counters":  {"redis"},
	"cache":     {"redis"},
	"graphql":   {},
	"xmlx":      {},
	"mail":      {},
	"gitrepo":   {},
	"csharp":    {},
	"web":       {},
	"porttest":  {},
	"vault":     {"auth"},

	"armtemplate": {"arm"},

	"csharp/clr": {"csharp", "message"},
	"liquid":     {"csharp/clr", "message"},
	"configsync": {"snapshot", "auth", "telemetry"},

	"policy":    {"csharp", "csharp/clr", "liquid", "message", "snapshot", "graphql", "xmlx", "auth", "telemetry"},
	"policies":  {"policy", "csharp", "csharp/clr", "liquid", "message", "snapshot", "graphql", "xmlx", "auth", "telemetry"},
	"sqlsource": {"policy"},
	"gateway":   {"policy", "snapshot", "message", "auth", "telemetry", "redis", "counters", "cache", "graphql", "gateway/http3"},

	"gateway/http3": {"message"}, // a row of its own: nothing else imports quic-go

	"resource":  {"arm", "store", "snapshot"},
	"resources": {"resource", "arm", "importer", "gitrepo", "auth", "snapshot", "policy"},
	"manage":    {"resource", "arm", "armtemplate", "auth", "configsync", "store", "telemetry", "mail", "web"},
	"events":    {"arm", "store", "resource", "telemetry"},
	"portal":    {"resource", "importer", "auth", "mail", "telemetry", "web"},

	"bench":        {"auth", "configsync", "snapshot"},
	"cmd/causeway": {everything},
	"causewaytest": {everything},
	"test":         {everything},
}

// columns keep apart what meets in snapshot only: not even a test of one column reaches into the other.
var columns = map[string][]string{
	"management": {"store", "resource", "resources", "manage", "events", "portal"},
	"data plane": {"csharp", "csharp/clr", "liquid", "policy", "policies", "gateway", "gateway/http3"},
}

// columnArrows are the arrows that cross the columns on purpose.
var columnArrows = map[string]string{
	"resources": "policies", // documents are validated against the real catalogue in the tests, as cmd does it
}

// forbidden says what must not be linked into a package, however far away the import stands.
var forbidden = []struct {
	pkg     string
	imports []string
	reason  string
}{
	{
		pkg: "gateway",
		imports: []string{
			"database/sql", "modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/pressly/goose/v3",
		},
		reason: "the data plane keeps no database: it reads snapshots",
	},
	{
		pkg:     "csharp",
		imports: []string{"net", "os/exec", "plugin"},
		reason:  "expressions have no way to the machine",
	},
}

// unseen says what a package must not import itself, though something below it may.
var unseen = []struct {
	pkg     string
	imports []string
	reason  string
}{
	{"message", []string{"net/http"}, "policies never see an HTTP library: the engines translate"},
	{"policy", []string{"net/http", "encoding/xml"}, "policies never see an HTTP library; policy documents are not strict XML"},
	{"policies", []string{"net/http"}, "policies never see an HTTP library"},
}

// layerRules answers questions about a table of layers.
type layerRules struct {
	module string
	table  map[string][]string
}

// room returns the folder of an import path of ours as the table writes it, without "internal/".
func (r layerRules) room(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, r.module), "/")
	return strings.TrimPrefix(path, "internal/")
}

// row returns the key of the table that stands for a folder: the longest that is a prefix of it.
func (r layerRules) row(room string) (string, bool) {
	for {
		if _, ok := r.table[room]; ok {
			return room, true
		}
		cut := strings.LastIndexByte(room, '/')
		if cut < 0 {
			return "", false
		}
		room = room[:cut]
	}
}

// mayImport reports whether code in from may import to; both are folders.
func (r layerRules) mayImport(from, to string) bool {
	fromRow, ok := r.row(from)
	if !ok {
		return false
	}
	if slices.Contains(r.table[fromRow], everything) {
		return true
	}
	if isHelper(to) && !isHelper(from) {
		return false
	}
	toRow, ok := r.row(to)
	return ok && (fromRow == toRow || slices.Contains(r.table[fromRow], toRow))
}

// testMayImport reports whether the tests of from may import to. Beyond what the package itself may, they use test
// helpers (packages whose name ends in "test"), and an external test (package x_test) wires real packages together
// as cmd does, as long as it stays in its column.
func (r layerRules) testMayImport(from, to string, external bool) bool {
	if r.mayImport(from, to) || isHelper(to) {
		return true
	}
	fromRow, _ := r.row(from)
	toRow, ok := r.row(to)
	if !ok || !external {
		return false
	}
	if columnArrows[fromRow] == toRow {
		return true
	}
	a, b := columnOf(fromRow), columnOf(toRow)
	return a == b || a == "" || b == ""
}

// isHelper reports whether a folder holds help for tests, which no product code may import.
func isHelper(room string) bool {
	return strings.HasSuffix(room, "test") && room != "test"
}

func columnOf(row string) string {
	for name, rows := range columns {
		if slices.Contains(rows, row) {
			return name
		}
	}
	return ""
}

func TestLayers(t *testing.T) {
	t.Parallel()
	module, pkgs := listPackages(t)
	rules := layerRules{module: module, table: layers}
	for _, p := range pkgs {
		from := rules.room(p.ImportPath)
		if _, ok := rules.row(from); !ok {
			t.Errorf("package %s is missing from the table of layers: add it there and to docs/ARCHITECTURE.md, with a reason", from)
			continue
		}
		check := func(imports []string, what string, may func(from, to string) bool) {
			for _, path := range imports {
				if path != module && !strings.HasPrefix(path, module+"/") {
					continue
				}
				if to := rules.room(path); !may(from, to) {
					t.Errorf("%s%s imports %s: the table of layers has no such arrow", from, what, to)
				}
			}
		}
		check(p.Imports, "", rules.mayImport)
		check(p.TestImports, " (its tests)", func(from, to string) bool { return rules.testMayImport(from, to, false) })
		check(p.XTestImports, " (its external tests)", func(from, to string) bool { return rules.testMayImport(from, to, true) })
	}
}

func TestLayerTableIsSound(t *testing.T) {
	t.Parallel()
	for row, imports := range layers {
		for _, to := range imports {
			if _, ok := layers[to]; !ok && to != everything {
				t.Errorf("row %s allows %s, which is no row", row, to)
			}
		}
	}
	// The columns meet in one arrow only.
	for row, imports := range layers {
		for _, to := range imports {
			a, b := columnOf(row), columnOf(to)
			if a != "" && b != "" && a != b && (row != "resources" || to != "policy") {
				t.Errorf("row %s (%s) allows %s (%s)", row, a, to, b)
			}
		}
	}
	// No cycle: what a row may import may not import it.
	var visit func(row string, path []string)
	visit = func(row string, path []string) {
		if slices.Contains(path, row) {
			t.Errorf("the table has a cycle: %s", strings.Join(append(path, row), " → "))
			return
		}
		for _, to := range layers[row] {
			if to != everything {
				visit(to, append(slices.Clone(path), row))
			}
		}
	}
	for _, row := range slices.Sorted(maps.Keys(layers)) {
		visit(row, nil)
	}
}

func TestArchitecturePageShowsTheTable(t *testing.T) {
	t.Parallel()
	page := readFile(t, "docs/ARCHITECTURE.md")
	shown := map[string][]string{}
	for _, cells := range markdownTable(page, "package", "may import") {
		imports := splitList(cells[1])
		switch cells[1] {
		case "nothing of ours":
			imports = []string{}
		case "everything":
			imports = []string{everything}
		}
		for _, row := range splitList(cells[0]) {
			shown[row] = imports
		}
	}
	for _, row := range slices.Sorted(maps.Keys(layers)) {
		got, ok := shown[row]
		if !ok {
			t.Errorf("docs/ARCHITECTURE.md: the layer table lacks a row for %s", row)
			continue
		}
		if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(layers[row]))) {
			t.Errorf("docs/ARCHITECTURE.md: row %s says %v, the test says %v", row, got, layers[row])
		}
		delete(shown, row)
	}
	for row := range shown {
		t.Errorf("docs/ARCHITECTURE.md: row %s is not in the test's table", row)
	}
}

func TestLinkedPackages(t *testing.T) {
	t.Parallel()
	module, pkgs := listPackages(t)
	rules := layerRules{module: module, table: layers}
	for _, f := range forbidden {
		var paths []string
		for _, p := range pkgs {
			if row, _ := rules.row(rules.room(p.ImportPath)); row == f.pkg && !isHelper(rules.room(p.ImportPath)) {
				paths = append(paths, p.ImportPath)
			}
		}
		if len(paths) == 0 {
			continue
		}
		for _, dep := range listDeps(t, paths) {
			for _, bad := range f.imports {
				if dep == bad || strings.Contains(bad, ".") && strings.HasPrefix(dep, bad+"/") {
					t.Errorf("%s links %s: %s", f.pkg, dep, f.reason)
				}
			}
		}
	}
	for _, u := range unseen {
		for _, p := range pkgs {
			if row, _ := rules.row(rules.room(p.ImportPath)); row != u.pkg || isHelper(rules.room(p.ImportPath)) {
				continue
			}
			for _, bad := range u.imports {
				if slices.Contains(p.Imports, bad) {
					t.Errorf("%s imports %s: %s", rules.room(p.ImportPath), bad, u.reason)
				}
			}
		}
	}
}

func TestLayerRules(t *testing.T) {
	t.Parallel()
	rules := layerRules{module: "example.org/m", table: layers}
	may := func(from, to string, want bool) {
		t.Helper()
		if got := rules.mayImport(from, to); got != want {
			t.Errorf("mayImport(%s, %s) = %v, want %v", from, to, got, want)
		}
	}
	may("gateway/http1", "message", true)
	may("gateway/http1", "gateway", true)
	may("gateway", "store", false)
	may("gateway", "message/messagetest", false)
	may("csharp", "csharp/clr", false)
	may("csharp/clr", "csharp", true)
	may("csharp/clr/sub", "csharp", true)
	may("cmd/causeway", "portal", true)
	may("manage", "resources", false)
	may("unknown", "arm", false)

	test := func(from, to string, external, want bool) {
		t.Helper()
		if got := rules.testMayImport(from, to, external); got != want {
			t.Errorf("testMayImport(%s, %s, external %v) = %v, want %v", from, to, external, got, want)
		}
	}
	test("gateway", "message/messagetest", false, true)
	test("gateway", "policies", true, true)
	test("gateway", "policies", false, false)
	test("gateway", "resource", true, false)
	test("resources", "policies", true, true)
	test("manage", "resources", true, true)

	if got := rules.room("example.org/m/internal/csharp/clr"); got != "csharp/clr" {
		t.Errorf("room = %q", got)
	}
	if got, ok := rules.row("gateway/http1/parse"); got != "gateway" || !ok {
		t.Errorf("row = %q, %v", got, ok)
	}
}
