//go:build oracle

package clr_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// The comparison with real .NET. It needs a folder with an oracle that reads and writes EvalBatch's lines, in
// CAUSEWAY_ORACLE; CAUSEWAY_ORACLE_SEED and CAUSEWAY_ORACLE_COUNT choose what is made, CAUSEWAY_ORACLE_IN reads expressions
// (one a line, or JSON lines) instead and CAUSEWAY_ORACLE_OUT writes what .NET answered as vectors.
//
//	CAUSEWAY_ORACLE=DIR go test -tags oracle -run TestOracle ./internal/csharp/clr

const oracleVars = `{"i":{"type":"int","value":42},"n":{"type":"int","value":1},"l":{"type":"long","value":"-9876543210"},` +
	`"d":{"type":"double","value":"2.5"},"m":{"type":"decimal","value":"12.340"},"b":{"type":"bool","value":true},` +
	`"s":{"type":"string","value":"Some text"},"z":{"type":"null"},"t":{"type":"DateTime","value":"2024-05-06T07:08:09Z"},` +
	`"j":{"type":"JObject","value":"{\"a\":{\"b\":\"deep\"},\"c\":[1,2,3],\"items\":[{\"id\":7,\"name\":\"x\"}]}"}}`

// grammar maps a kind to its ways, leaves apart.
type grammar struct {
	all, leaves map[string][]string
	hole        *regexp.Regexp
}

func readGrammar(t *testing.T) *grammar {
	t.Helper()
	raw, err := os.ReadFile("testdata/oracle/grammar.txt")
	if err != nil {
		t.Fatal(err)
	}
	g := &grammar{map[string][]string{}, map[string][]string{}, regexp.MustCompile(`#[a-z][a-z0-9]*#`)}
	for _, line := range strings.Split(string(raw), "\n") {
		kind, way, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		g.all[kind] = append(g.all[kind], way)
		if !g.hole.MatchString(way) {
			g.leaves[kind] = append(g.leaves[kind], way)
		}
	}
	return g
}

// make writes one expression of a kind. Numbered holes give names that are used once.
func (g *grammar) make(r *rand.Rand, kind string, depth int, uid *int) string {
	ways := g.all[kind]
	if depth <= 0 && len(g.leaves[kind]) > 0 || depth < -8 {
		ways = g.leaves[kind]
	}
	if len(ways) == 0 {
		panic("no way to write " + kind)
	}
	last := 0
	return g.hole.ReplaceAllStringFunc(ways[r.Intn(len(ways))], func(h string) string {
		switch h {
		case "#uid#":
			*uid++
			last = *uid
			return strconv.Itoa(last)
		case "#uidlast#":
			return strconv.Itoa(last)
		}
		return g.make(r, strings.Trim(h, "#"), depth-1, uid)
	})
}

type oracleLine struct {
	ID   string          `json:"id"`
	Expr string          `json:"expr"`
	Vars json.RawMessage `json:"vars,omitempty"`
}

func oracleInput(t *testing.T) []oracleLine {
	t.Helper()
	var out []oracleLine
	if path := os.Getenv("CAUSEWAY_ORACLE_IN"); path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
			l := oracleLine{ID: fmt.Sprint(i + 1), Expr: s, Vars: json.RawMessage(oracleVars)}
			if strings.HasPrefix(s, "{") {
				if err := json.Unmarshal([]byte(s), &l); err != nil {
					t.Fatal(err)
				}
			}
			out = append(out, l)
		}
		return out
	}
	seed, _ := strconv.ParseInt(os.Getenv("CAUSEWAY_ORACLE_SEED"), 10, 64)
	n, _ := strconv.Atoi(os.Getenv("CAUSEWAY_ORACLE_COUNT"))
	if n == 0 {
		n = 2000
	}
	g, r := readGrammar(t), rand.New(rand.NewSource(seed))
	for i := range n {
		uid := 0
		s := strings.Replace(g.make(r, "top", 1+r.Intn(4), &uid), "return ", "var v = \"var\"; return ", 0)
		if strings.HasPrefix(s, "@{") {
			s = "@{ var v = \"word\"; " + s[3:]
		} else {
			s = regexp.MustCompile(`\bv\b(\.Length)?`).ReplaceAllString(s, `"word"$1`)
		}
		out = append(out, oracleLine{ID: fmt.Sprintf("s%d-%d", seed, i), Expr: s, Vars: json.RawMessage(oracleVars)})
	}
	return out
}

func encodeLines(t *testing.T, lines []oracleLine) []byte {
	t.Helper()
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	return in.Bytes()
}

// askOracle gives .NET's outcomes of lines.
func askOracle(t *testing.T, lines []byte) []byte {
	t.Helper()
	dir := os.Getenv("CAUSEWAY_ORACLE")
	if dir == "" {
		t.Fatal("CAUSEWAY_ORACLE is not set")
	}
	cmd := exec.Command(filepath.Join(dir, "host"), "net9", "ext13", "Oracle.dll", "eval", "net9", "ext13", "Support.cs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(lines), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOracle(t *testing.T) {
	lines := oracleInput(t)
	in := encodeLines(t, lines)
	theirs := askOracle(t, in)
	var ours bytes.Buffer
	if err := clr.EvalBatch(bytes.NewReader(in), &ours); err != nil {
		t.Fatal(err)
	}
	want, have := outcomes(t, theirs), outcomes(t, ours.Bytes())
	var vectors bytes.Buffer
	kinds := map[string]int{}
	var report []string
	for _, l := range lines {
		w, h := want[l.ID], have[l.ID]
		kind := difference(w, h)
		kinds[kind]++
		if kind != "same" && kind != "both refuse" {
			report = append(report, fmt.Sprintf("%s\t%s\n\thave %s\n\twant %s", kind, l.Expr, show(h), show(w)))
		}
		v := map[string]any{"id": l.ID, "expr": l.Expr}
		if len(l.Vars) > 0 {
			v["vars"] = l.Vars
		}
		switch {
		case w.CompileError != "":
			v["compile_error"] = w.CompileError
		case w.Throws != "":
			v["throws"], v["message"] = w.Throws, w.Message
		default:
			v["type"], v["result"] = w.Type, *w.Result
		}
		e := json.NewEncoder(&vectors)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	if path := os.Getenv("CAUSEWAY_ORACLE_OUT"); path != "" {
		if err := os.WriteFile(path, vectors.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sort.Strings(report)
	for _, r := range report {
		t.Log(r)
	}
	t.Logf("%d expressions: %v", len(lines), kinds)
}

func outcomes(t *testing.T, raw []byte) map[string]clr.Outcome {
	t.Helper()
	out := map[string]clr.Outcome{}
	for _, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
		var o clr.Outcome
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out[strings.Trim(string(o.ID), `"`)] = o
	}
	return out
}

func difference(want, have clr.Outcome) string {
	switch {
	case want.CompileError != "" && have.CompileError != "":
		if want.CompileError != have.CompileError {
			return "code"
		}
		return "both refuse"
	case have.CompileError != "":
		return "REFUSED"
	case want.CompileError != "":
		return "ACCEPTED"
	case want.Throws != have.Throws:
		return "THROWS"
	case want.Throws != "" && want.Message != have.Message:
		return "message"
	case want.Throws != "":
		return "same"
	case want.Type != have.Type:
		return "TYPE"
	case *want.Result != *have.Result:
		return "VALUE"
	}
	return "same"
}

func show(o clr.Outcome) string {
	switch {
	case o.CompileError != "":
		return fmt.Sprintf("refused %s %s", o.CompileError, o.Message)
	case o.Throws != "":
		return fmt.Sprintf("throws %s: %s", o.Throws, o.Message)
	case o.Result == nil:
		return "nothing"
	}
	return fmt.Sprintf("%s %q", o.Type, *o.Result)
}
