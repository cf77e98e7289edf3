package resources_test

import (
	"flag"
	"os"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
)

//go:generate go test . -run ^TestReferencePage$ -update

var update = flag.Bool("update", false, "write the reference page anew")

func catalogue(t testing.TB) *resource.Catalogue {
	t.Helper()
	c, err := resources.New(resources.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTypes(t *testing.T) {
	t.Parallel()
	resourcetest.Run(t, catalogue(t), os.DirFS("testdata"))
}

const referencePage = "../../docs/reference/management-api.md"

// The committed reference page is the one that the declarations make.
func TestReferencePage(t *testing.T) {
	t.Parallel()
	want := catalogue(t).Reference()
	if *update {
		if err := os.MkdirAll("../../docs/reference", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(referencePage); err != nil || string(got) != want {
		t.Errorf("the page is not the one of the declarations (%v): go test ./internal/resources -run TestReferencePage -update", err)
	}
}
