package clr_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

//go:generate go test . -run ^TestReferencePage$ -update

var update = flag.Bool("update", false, "write the reference page anew")

const referencePage = "../../../docs/reference/expressions.md"

// The committed reference page is the one that the declarations make.
func TestReferencePage(t *testing.T) {
	t.Parallel()
	want := reference(clr.Library())
	if *update {
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(referencePage); err != nil || string(got) != want {
		t.Errorf("the page is not the one of the declarations (%v): go test ./internal/csharp/clr -run TestReferencePage -update", err)
	}
}

const referenceHead = `# Types and members of policy expressions

Generated from the declarations in internal/csharp/clr; do not edit. These are the .NET types that an expression can name and the
members that they have, as C# declares them. The members of ` + "`context`" + ` are described with the policies. A member marked
` + "`// outside`" + ` is not in the list of types that Azure publishes: it compiles with the warning ` + "`outside-allow-list`" + `, or not at
all where the service's setting ` + "`strictExpressions`" + ` is on. Every type has ` + "`ToString`, `Equals`, `GetHashCode` and `GetType`" + ` besides.
What differs from .NET stands in [the list of differences](../differences.md).
`

// reference writes the page.
func reference(lib *csharp.Library) string {
	var b strings.Builder
	b.WriteString(referenceHead)
	types := lib.Describe()
	members := 0
	for _, t := range types {
		members += len(t.Members)
	}
	fmt.Fprintf(&b, "\n%d types, %d members.\n", len(types), members)
	namespace := ""
	for _, t := range types {
		if t.Namespace != namespace {
			namespace = t.Namespace
			fmt.Fprintf(&b, "\n## %s\n", namespace)
		}
		fmt.Fprintf(&b, "\n### %s\n\n```csharp\n%s %s%s\n", t.Name, t.Kind, t.Name, outsideMark(t.Outside))
		for _, m := range t.Members {
			b.WriteString("    ")
			if m.Static && m.Group != "value" && m.Group != "operator" && m.Group != "conversion" {
				b.WriteString("static ")
			}
			b.WriteString(m.Decl + outsideMark(m.Outside && !t.Outside) + "\n")
		}
		b.WriteString("```\n")
	}
	return b.String()
}

func outsideMark(outside bool) string {
	if outside {
		return " // outside"
	}
	return ""
}
