package clr_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

const vectorDir = "../../../test/vectors/expressions"

type vector struct {
	ID, Category, Expr string
	Type, Result       string
	Throws             string
	CompileError       string `json:"compile_error"`
	Message            string
	Doubtful, Exact    bool // Exact: the message or the code of the compile error is .NET's too
}

// TestVectors runs the vectors made with real .NET. testdata/known_failures.txt is a ratchet: a case that is not listed must
// pass, and a listed case that passes must be taken off.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(vectorDir, "*.jsonl"))
	own, _ := filepath.Glob("testdata/*.jsonl") // ours, made with the oracle
	files = append(files, own...)
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	known := knownFailures(t)
	var failed []string
	for _, f := range files {
		total, bad := runVectors(t, f, known, &failed)
		t.Logf("%-24s %3d of %3d", strings.TrimSuffix(filepath.Base(f), ".jsonl"), total-bad, total)
	}
	if path := os.Getenv("CAUSEWAY_VECTORS_FAILED"); path != "" {
		sort.Strings(failed)
		if err := os.WriteFile(path, []byte(strings.Join(failed, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func knownFailures(t *testing.T) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile("testdata/known_failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, id := range strings.Fields(string(raw)) {
		known[id] = true
	}
	return known
}

func runVectors(t *testing.T, file string, known map[string]bool, failed *[]string) (total, bad int) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := clr.EvalBatch(bytes.NewReader(raw), &out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	got := bufio.NewScanner(&out)
	got.Buffer(nil, 16<<20)
	for _, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
		var want vector
		var have clr.Outcome
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if !got.Scan() {
			t.Fatalf("%s: outcome of %s is missing", file, want.ID)
		}
		if err := json.Unmarshal(got.Bytes(), &have); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		total++
		ok := matches(want, have)
		if !ok {
			bad++
			*failed = append(*failed, want.ID)
		}
		switch {
		case !ok && !known[want.ID] && !want.Doubtful:
			t.Errorf("%s: %s\n\thave %s\n\twant %s", want.ID, want.Expr, got.Bytes(), line)
		case ok && known[want.ID]:
			t.Errorf("%s passes now: take it off testdata/known_failures.txt", want.ID)
		}
	}
	return total, bad
}

func matches(want vector, have clr.Outcome) bool {
	switch {
	case want.CompileError != "":
		return have.CompileError != "" && (!want.Exact || have.CompileError == want.CompileError)
	case want.Throws != "":
		return have.Throws == want.Throws && (!want.Exact || have.Message == want.Message)
	}
	return have.Result != nil && *have.Result == want.Result && have.Type == want.Type
}
