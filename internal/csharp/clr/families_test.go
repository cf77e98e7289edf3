package clr_test

import (
	"path/filepath"
	"testing"
)

// TestFamilies runs further cases with outcomes of real .NET, recorded with the oracle: regular expressions, URIs, encodings,
// cryptography, network and XML.
func TestFamilies(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/families/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			t.Parallel()
			var failed []string
			runVectors(t, f, nil, &failed)
		})
	}
}
