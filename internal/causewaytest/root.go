package causewaytest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ModuleRoot returns the folder of the project's go.mod, found upwards from the current folder; a test's is the
// folder of its package.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("looking for the project's root: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("looking for the project's root: there is no go.mod above the current folder")
		}
		dir = parent
	}
}
