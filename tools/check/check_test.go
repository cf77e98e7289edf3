package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// events are what `go test -json` says, as JSON lines without their braces.
func events(lines ...string) string {
	return "{" + strings.Join(lines, "}\n{") + "}\n"
}

func TestReadTests(t *testing.T) {
	t.Parallel()
	f := func(name, stream string, want tally, contains ...string) {
		t.Helper()
		var out strings.Builder
		got, err := readTests(strings.NewReader(stream), &out)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.passed != want.passed || got.failed != want.failed || got.skipped != want.skipped {
			t.Errorf("%s: counted %+v, want %+v\n%s", name, got, want, out.String())
		}
		for _, text := range contains {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s: %q is missing from\n%s", name, text, out.String())
			}
		}
	}
	f("subtests count, their parent does not", events(
		`"Action":"run","Package":"p","Test":"T"`,
		`"Action":"run","Package":"p","Test":"T/a"`,
		`"Action":"run","Package":"p","Test":"T/b"`,
		`"Action":"output","Package":"p","Test":"T/b","Output":"=== RUN   T/b\n"`,
		`"Action":"output","Package":"p","Test":"T/b","Output":"b is wrong\n"`,
		`"Action":"pass","Package":"p","Test":"T/a"`,
		`"Action":"fail","Package":"p","Test":"T/b","Elapsed":0.7`,
		`"Action":"fail","Package":"p","Test":"T"`,
		`"Action":"fail","Package":"p","Elapsed":1.5`,
	), tally{passed: 1, failed: 1}, "--- FAIL: p T/b\nb is wrong", "FAIL p  1 passed, 1 failed, 0 skipped  1.5s", "slow:    700ms  p T/b")
	f("a skipped test counts, a package without tests does not", events(
		`"Action":"run","Package":"p","Test":"T"`,
		`"Action":"skip","Package":"p","Test":"T"`,
		`"Action":"pass","Package":"p"`,
		`"Action":"skip","Package":"q"`,
	), tally{skipped: 1}, "ok   p  0 passed, 0 failed, 1 skipped")
	f("a package that does not build fails", events(
		`"ImportPath":"p","Action":"build-output","Output":"p.go:1: syntax error\n"`,
		`"ImportPath":"p","Action":"build-fail"`,
		`"Action":"fail","Package":"p","FailedBuild":"p"`,
	), tally{failed: 1}, "p.go:1: syntax error")
	f("a process that ends takes its test along", events(
		`"Action":"run","Package":"p","Test":"T"`,
		`"Action":"output","Package":"p","Test":"T","Output":"panic: too bad\n"`,
		`"Action":"output","Package":"p","Output":"FAIL p 0.1s\n"`,
		`"Action":"fail","Package":"p"`,
	), tally{failed: 1}, "panic: too bad", "did not end")
	f("a crash after a test's end is shown", events(
		`"Action":"run","Package":"p","Test":"T"`,
		`"Action":"pass","Package":"p","Test":"T"`,
		`"Action":"output","Package":"p","Test":"T","Output":"SIGQUIT: quit\n"`,
		`"Action":"fail","Package":"p"`,
	), tally{passed: 1, failed: 1}, "SIGQUIT: quit")
	f("what is not an event is shown", "go: downloading x\n"+events(`"Action":"pass","Package":"p"`), tally{}, "go: downloading x")
}

// fakeGate is a gate over a folder of its own.
func fakeGate(t *testing.T, files map[string]string) (*gate, *strings.Builder) {
	t.Helper()
	out := &strings.Builder{}
	g := &gate{root: t.TempDir(), out: out, now: func() time.Time { return time.Unix(0, 0) }}
	for name, text := range files {
		path := filepath.Join(g.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return g, out
}

func TestFormatNamesTheFile(t *testing.T) {
	t.Parallel()
	g, _ := fakeGate(t, map[string]string{"a.go": "package a\n", "b/b.go": "package  b\n", "testdata/c.go": "package  c\n"})
	err := g.format(t.Context())
	if err == nil || !strings.Contains(err.Error(), "b/b.go") || strings.Contains(err.Error(), "a.go") || strings.Contains(err.Error(), "c.go") {
		t.Errorf("error %v", err)
	}
}

func TestGeneratedNamesStaleFiles(t *testing.T) {
	t.Parallel()
	f := func(written string, stale bool) {
		t.Helper()
		g, _ := fakeGate(t, map[string]string{
			"go.mod": "module m\n\ngo 1.26\n",
			"a.go":   "package a\n\n//go:generate cp from.txt docs/reference/a.md\n", "from.txt": "new\n",
			"docs/reference/a.md": written,
		})
		err := g.generated(t.Context())
		if got := err != nil && strings.Contains(err.Error(), "docs/reference/a.md"); got != stale {
			t.Errorf("written %q: error %v", written, err)
		}
	}
	f("old\n", true)
	f("new\n", false)
}

func TestGoTestFailsOnSkippedTests(t *testing.T) {
	t.Parallel()
	g, out := fakeGate(t, map[string]string{
		"go.mod":    "module m\n\ngo 1.26\n",
		"a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n\nfunc TestB(t *testing.T) { t.SkipNow() }\n",
	})
	counted, err := g.tests(t.Context())
	if err == nil || counted.passed != 1 || counted.skipped != 1 {
		t.Errorf("counted %+v, error %v\n%s", counted, err, out)
	}
}

func TestOnceCountsAsOneTest(t *testing.T) {
	t.Parallel()
	if counted, err := once("x", func(context.Context) error { return nil }).run(t.Context()); err != nil || counted.passed != 1 {
		t.Errorf("counted %+v, error %v", counted, err)
	}
	if counted, err := once("x", func(context.Context) error { return errors.New("no") }).run(t.Context()); err == nil || counted.failed != 1 {
		t.Errorf("counted %+v, error %v", counted, err)
	}
}
