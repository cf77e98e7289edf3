// Package vectors runs the sample vectors of this folder: behaviour that people rely on, described from outside.
package vectors

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

const (
	runner    = "policies/run.py"
	knownFile = "policies-known.txt"
)

// TestPolicies runs the cases of policies/ against `causeway dev`. The list of known failures is a ratchet.
func TestPolicies(t *testing.T) {
	t.Parallel()
	known := readKnown(t, knownFile)
	bin, err := causewaytest.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	serverLog := filepath.Join(t.TempDir(), "server.log")
	// The runner's exit code says that a case failed; which one may is decided here.
	out, runErr := python(t, runner, "--bin", bin, "--keep-log", serverLog, "policies")
	cases := 0
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		id, why, failed := readResult(line)
		if id == "" {
			continue
		}
		cases++
		t.Run(id, func(t *testing.T) {
			reason, listed := known[id]
			switch {
			case failed && !listed:
				t.Error(why)
			case !failed && listed:
				t.Errorf("it passes: take it off %s (%s)", knownFile, reason)
			}
		})
		delete(known, id)
	}
	for id := range known {
		t.Errorf("%s lists %s, which is no case", knownFile, id)
	}
	if cases == 0 {
		t.Fatalf("no case ran: %v\n%s", runErr, out)
	}
	if t.Failed() {
		if log, err := os.ReadFile(serverLog); err == nil {
			t.Logf("the server's log:\n%s", log)
		}
	}
}

// TestRunner makes sure that the runner itself and the cases are sound.
func TestRunner(t *testing.T) {
	t.Parallel()
	if out, err := python(t, runner, "--selftest"); err != nil {
		t.Errorf("self-test: %v\n%s", err, out)
	}
	if out, err := python(t, runner, "--lint", "policies"); err != nil {
		t.Errorf("lint: %v\n%s", err, out)
	}
}

// readResult reads a line of the runner: "ok ID" or "FAIL ID: why".
func readResult(line string) (id, why string, failed bool) {
	if id, ok := strings.CutPrefix(line, "ok "); ok {
		return id, "", false
	}
	rest, ok := strings.CutPrefix(line, "FAIL ")
	if !ok {
		return "", "", false
	}
	id, why, _ = strings.Cut(rest, ": ")
	return id, why, true
}

// readKnown reads a list of known failures: a case and the reason a line, comments after #.
func readKnown(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known, err := parseKnown(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return known
}

func parseKnown(data []byte) (map[string]string, error) {
	known := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, fmt.Errorf("case %s has no reason", id)
		}
		if _, twice := known[id]; twice {
			return nil, fmt.Errorf("case %s is listed twice", id)
		}
		known[id] = reason
	}
	return known, lines.Err()
}

// python runs a Python program and returns what it prints on both streams.
func python(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "python3", args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	// The runner ends its server when it is asked to, not when it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestReadKnown(t *testing.T) {
	t.Parallel()
	known, err := parseKnown([]byte("# comment\n\nsome-case   not there yet # really\n"))
	if err != nil || known["some-case"] != "not there yet" || len(known) != 1 {
		t.Errorf("known %v, error %v", known, err)
	}
	for _, bad := range []string{"some-case\n", "a x\na y\n"} {
		if _, err := parseKnown([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if id, why, failed := readResult("FAIL x-y: status: expected 200, got 503"); id != "x-y" || why != "status: expected 200, got 503" || !failed {
		t.Errorf("result %q %q %v", id, why, failed)
	}
}
