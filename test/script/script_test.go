// Package script runs the end-to-end scripts of this folder against the real binary.
package script

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	causewaytest.Scripts(t, ".")
}
