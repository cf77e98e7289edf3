//go:build interop

package interop

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
)

// A corpus is a public repository with policies; folders restrict what is looked at in the large ones.
type corpus struct {
	repository string
	folders    []string
}

func corpora() []corpus {
	return []corpus{
		{"Azure/api-management-policy-snippets", nil},
		{"Azure-Samples/Apim-Samples", nil},
		{"Azure/apiops", nil},
		{"Azure/azure-api-management-policy-toolkit", nil},
		{"Azure/azure-api-management-devops-resource-kit", nil},
		{"hashicorp/terraform-provider-azurerm", []string{"internal/services/apimanagement", "website/docs/r"}},
		{"MicrosoftDocs/azure-docs", []string{"articles/api-management"}},
	}
}

// corpusResult is what became of a corpus.
type corpusResult struct {
	documents, expressions, ok, refused int
}

// TestInteropCorpora compiles every expression in the policies of public repositories. CAUSEWAY_CORPORA names a folder that
// has a subfolder for each of them, under the repository's name; those that it lacks are not looked at. Without it they
// are cloned. testdata/corpora_refused.txt lists the expressions that are no valid C#: each must be refused with its code.
func TestInteropCorpora(t *testing.T) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	refused := readRefused(t)
	seen := map[string]bool{}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "repository\tdocuments\texpressions\tcompile\tno valid C#")
	total := 0
	for _, c := range corpora() {
		dir := corpusFolder(t, c)
		if dir == "" {
			fmt.Fprintf(w, "%s\tnot in the folder\n", c.repository)
			continue
		}
		var r corpusResult
		for _, doc := range documentsOf(t, dir) {
			r.documents++
			for _, source := range expressionsOf(doc.text) {
				r.expressions++
				id := expressionID(source)
				code, message := compileExpression(catalogue, source)
				switch want, known := refused[id]; {
				case known && code == want:
					r.refused++
					seen[id] = true
				case code == "" && !known:
					r.ok++
				default:
					t.Errorf("%s: %s: got %q %s, want %q, for\n%s", doc.file, id, code, message, want, source)
				}
			}
			for _, d := range catalogue.Check(doc.text, policy.Options{}).Errors {
				if strings.HasPrefix(d.Code, "CS") && !refusedIn(refused, doc.text) {
					t.Errorf("%s: the document %.60q…: %s", doc.file, doc.text, d)
				}
			}
		}
		total += r.expressions
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", c.repository, r.documents, r.expressions, r.ok, r.refused)
	}
	w.Flush()
	t.Logf("expressions of public policies\n%s", table.String())
	if total == 0 {
		t.Error("no expression was found")
	}
}

// refusedIn tells whether a document has an expression that is known not to be valid.
func refusedIn(refused map[string]string, text string) bool {
	return slices.ContainsFunc(expressionsOf(text), func(source string) bool { return refused[expressionID(source)] != "" })
}

// readRefused reads the list of expressions that are no valid C#: the identity, the compiler's code and the reason.
func readRefused(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("testdata/corpora_refused.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) > 2 && fields[0] != "#" {
			out[fields[0]] = fields[1]
		}
	}
	return out
}

// expressionID names an expression without quoting it.
func expressionID(source string) string {
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(source), " ")))
	return hex.EncodeToString(sum[:6])
}

// compileExpression gives the first error of an expression.
func compileExpression(c *policy.Catalogue, source string) (code, message string) {
	report := c.Check(`<fragment><set-variable name="x" value="`+source+`" /></fragment>`, policy.Options{Format: "rawxml"})
	if len(report.Errors) == 0 {
		return "", ""
	}
	return report.Errors[0].Code, report.Errors[0].Message
}

// corpusFolder gives the folder of a repository's files, "" where the folder of the environment lacks it.
func corpusFolder(t *testing.T, c corpus) string {
	t.Helper()
	if dir := os.Getenv("CAUSEWAY_CORPORA"); dir != "" {
		dir = filepath.Join(dir, path.Base(c.repository))
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return ""
		}
		return dir
	}
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	git("clone", "--quiet", "--depth", "1", "--filter=blob:none", "--sparse", "https://github.com/"+c.repository, dir)
	if len(c.folders) == 0 {
		git("-C", dir, "sparse-checkout", "disable")
	} else {
		git(append([]string{"-C", dir, "sparse-checkout", "set"}, c.folders...)...)
	}
	return dir
}

// A corpusDocument is a policy document, or a piece of one, in a file.
type corpusDocument struct{ file, text string }

var (
	wholePolicies = regexp.MustCompile(`(?s)<policies>.*?</policies>`)
	wholeFragment = regexp.MustCompile(`(?s)<fragment>.*?</fragment>`)
	markdownFence = regexp.MustCompile("(?s)```[ ]*(?i:xml|razor|cshtml)[^\n]*\n(.*?)```")
)

// documentsOf finds the policies in a folder: whole files, fences in Markdown, strings in code and JSON.
func documentsOf(t *testing.T, dir string) []corpusDocument {
	t.Helper()
	var out []corpusDocument
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > 4<<20 || !info.Mode().IsRegular() {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, file)
		for _, text := range policiesIn(filepath.Ext(file), string(data)) {
			out = append(out, corpusDocument{name, text})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// policiesIn gives the policies in the text of a file.
func policiesIn(extension, text string) []string {
	switch extension {
	case ".xml":
		if wholePolicies.MatchString(text) || wholeFragment.MatchString(text) {
			return []string{text}
		}
		return nil
	case ".md", ".markdown":
		var out []string
		for _, m := range markdownFence.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], "<policies>") && !strings.Contains(m[1], "<fragment>") {
				m[1] = "<fragment>" + m[1] + "</fragment>"
			}
			out = append(out, m[1])
		}
		return out
	case ".json", ".ipynb":
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return nil
		}
		text = strings.Join(stringsIn(value), "\n\n")
	case ".cs", ".go", ".py", ".ps1", ".sh", ".tf", ".bicep", ".yaml", ".yml", ".example":
	default:
		return nil
	}
	out := append(wholePolicies.FindAllString(text, -1), wholeFragment.FindAllString(text, -1)...)
	for i, s := range out {
		if unquoted, err := strconv.Unquote(`"` + s + `"`); err == nil { // a string of code on one line
			out[i] = unquoted
		}
	}
	return out
}

// stringsIn gives the strings in a JSON value; lists of strings are lines of one.
func stringsIn(value any) []string {
	var out []string
	switch v := value.(type) {
	case string:
		return []string{v}
	case map[string]any:
		for _, x := range v {
			out = append(out, stringsIn(x)...)
		}
	case []any:
		for _, x := range v {
			out = append(out, stringsIn(x)...)
		}
		if len(out) == len(v) {
			return []string{strings.Join(out, "")}
		}
	}
	return out
}

// expressionsOf gives the expressions in a document: the values that begin with one. A document that is no well-formed XML has
// them as they are, others with entities.
func expressionsOf(text string) []string {
	if out, ok := expressionsOfXML(text); ok {
		return out
	}
	var out []string
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "<!--") {
			n := strings.Index(text[i:], "-->")
			if n < 0 {
				break
			}
			i += n
			continue
		}
		if !beginsExpression(text[i:]) || !strings.HasSuffix(strings.TrimRight(text[:i], " \t\r\n"), ">") && !strings.HasSuffix(text[:i], `="`) && !strings.HasSuffix(text[:i], `='`) {
			continue
		}
		if n, ok := csharp.EndOfExpression(text[i:]); ok {
			out = append(out, text[i:i+n])
			i += n - 1
		}
	}
	return out
}

func beginsExpression(s string) bool { return strings.HasPrefix(s, "@(") || strings.HasPrefix(s, "@{") }

func expressionsOfXML(text string) (out []string, ok bool) {
	add := func(s string) {
		if s = strings.TrimSpace(s); beginsExpression(s) {
			out = append(out, s)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		switch x := token.(type) {
		case xml.StartElement:
			for _, a := range x.Attr {
				add(a.Value)
			}
		case xml.CharData:
			add(string(x))
		}
		if err != nil {
			return out, errors.Is(err, io.EOF)
		}
	}
}
