package policies_test

//go:generate go test . -run ^TestReferencePages$ -update

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
)

var updatePages = flag.Bool("update", false, "write the reference pages")

const referenceFolder = "../../docs/reference/policies"

// TestReferencePages holds a page for each policy, and their index, against the declarations and scripts.
func TestReferencePages(t *testing.T) {
	t.Parallel()
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	index := "# Policies\n\n<!-- Generated: go test ./internal/policies -run TestReferencePages -update -->\n\nThe policies in the order of the policy reference of API Management.\n\n" +
		"| policy | sections | |\n| --- | --- | --- |\n"
	for _, info := range catalogue.Describe() {
		example, reasons := fromScript(t, info.Name)
		pages[info.Name+".md"] = policy.ReferencePage(info, example, reasons)
		index += fmt.Sprintf("| [%s](%s.md) | %s | %s |\n", info.Name, info.Name, sectionList(info.Sections), info.Doc)
	}
	pages["README.md"] = index
	for name, want := range pages {
		file := filepath.Join(referenceFolder, name)
		if *updatePages {
			writePage(t, file, want)
			continue
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s is not the page of the declaration (%v): go test ./internal/policies -run TestReferencePages -update", name, err)
		}
	}
	files, err := filepath.Glob(referenceFolder + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := pages[filepath.Base(file)]; !ok {
			t.Errorf("%s belongs to no policy", file)
		}
	}
}

func writePage(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sectionList(set policy.Section) string {
	var names []string
	for s := policy.Inbound; s <= policy.OnError; s <<= 1 {
		if set&s != 0 {
			names = append(names, s.String())
		}
	}
	return strings.Join(names, ", ")
}

var reasonInScript = regexp.MustCompile(`lasterror .*\breason='?([A-Za-z]+)`)

// fromScript takes the first document of a policy's script that uses it, and the reasons that the script wants.
func fromScript(t *testing.T, name string) (example string, reasons []string) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/" + name + ".txtar")
	if err != nil {
		t.Fatalf("a policy without a script: %v", err)
	}
	for _, f := range archive.Files {
		if example == "" && strings.HasSuffix(f.Name, ".xml") && bytes.Contains(f.Data, []byte("<"+name)) {
			example = string(f.Data)
		}
	}
	for _, m := range reasonInScript.FindAllStringSubmatch(string(archive.Comment), -1) {
		if !slices.Contains(reasons, m[1]) {
			reasons = append(reasons, m[1])
		}
	}
	slices.Sort(reasons)
	return example, reasons
}
