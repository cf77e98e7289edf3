package causewaytest

import (
	"slices"
	"strings"
	"testing"
)

const dependenciesPage = "docs/decisions/0002-dependencies.md"

// TestDependencies holds the imports of other people's modules against the table of the decision note: every one has
// a row that says why, product code imports it only from the packages named there, and no row outlives its imports.
func TestDependencies(t *testing.T) {
	t.Parallel()
	table := map[string][]string{}
	for _, cells := range markdownTable(readFile(t, dependenciesPage), "module", "imported by") {
		table[cells[0]] = splitList(cells[1])
	}
	if len(table) == 0 {
		t.Fatalf("%s has no table of modules", dependenciesPage)
	}
	module, pkgs := listPackages(t)
	rules := layerRules{module: module, table: layers}
	used := map[string]bool{}
	for _, p := range pkgs {
		from := rules.room(p.ImportPath)
		row, _ := rules.row(from)
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") || strings.HasPrefix(path, module) {
				continue
			}
			mod, ok := moduleOf(table, path)
			if !ok {
				t.Errorf("%s imports %s, which no row of %s allows", from, path, dependenciesPage)
				continue
			}
			used[mod] = true
			if slices.Contains(p.Imports, path) && !isHelper(from) && !slices.Contains(table[mod], row) {
				t.Errorf("%s imports %s: %s allows it in %s only", from, path, dependenciesPage, strings.Join(table[mod], ", "))
			}
		}
	}
	for mod := range table {
		if !used[mod] {
			t.Errorf("%s: nothing imports %s any more: delete its row", dependenciesPage, mod)
		}
	}
}

// moduleOf returns the longest module of the table that holds an import path.
func moduleOf(table map[string][]string, path string) (string, bool) {
	best := ""
	for mod := range table {
		if (path == mod || strings.HasPrefix(path, mod+"/")) && len(mod) > len(best) {
			best = mod
		}
	}
	return best, best != ""
}
