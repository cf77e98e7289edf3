package resources_test

import (
	"os"
	"testing"

	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
)

func TestTypes(t *testing.T) {
	t.Parallel()
	c, err := resources.New(resources.Env{})
	if err != nil {
		t.Fatal(err)
	}
	resourcetest.Run(t, c, os.DirFS("testdata"))
}
