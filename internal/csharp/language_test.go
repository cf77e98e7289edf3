package csharp_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// recorded is an expression with what real .NET (Roslyn at C# 7.3) makes of it.
type recorded struct {
	ID, Expr, Type, Result, Throws string
	CompileError                   string `json:"compile_error"`
	// Ours is the code that we report instead of Roslyn's for a text that neither accepts: Roslyn may report another one of
	// several mistakes first, or names a version of C# that we do not speak of.
	Ours string
}

// TestLanguage runs the recorded expressions: every construct of C# 7 in several variations and the usual mistakes with
// the compiler's code. The lines were made with the oracle test of package clr.
func TestLanguage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/language.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := clr.EvalBatch(bytes.NewReader(raw), &out); err != nil {
		t.Fatal(err)
	}
	have := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	for i, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
		var want recorded
		var got clr.Outcome
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(have[i], &got); err != nil {
			t.Fatal(err)
		}
		if want.Ours != "" {
			want.CompileError = want.Ours
		}
		same := got.CompileError == want.CompileError && got.Throws == want.Throws
		if want.CompileError == "" && want.Throws == "" {
			same = same && got.Result != nil && *got.Result == want.Result && got.Type == want.Type
		}
		if !same {
			t.Errorf("%s\n\thave %s\n\twant %s", want.Expr, have[i], line)
		}
		if got.CompileError != "" && (got.Line < 1 || got.Column < 1 || got.Message == "") {
			t.Errorf("%s: the error has no position or message: %s", want.Expr, have[i])
		}
	}
}
