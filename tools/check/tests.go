package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// slowest is how many of the slowest tests are named.
const slowest = 8

// slow is the time from which a test is worth naming.
const slow = 500 * time.Millisecond

// tally counts tests; one with subtests counts as its subtests.
type tally struct {
	passed, failed, skipped   int
	failedTests, skippedTests []string
}

func (t *tally) add(o tally) {
	t.passed += o.passed
	t.failed += o.failed
	t.skipped += o.skipped
	t.failedTests = append(t.failedTests, o.failedTests...)
	t.skippedTests = append(t.skippedTests, o.skippedTests...)
}

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build events
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string
}

// testRun follows one run of go test.
type testRun struct {
	out      io.Writer
	total    tally
	packages map[string]*packageRun
	times    []testTime
}

type packageRun struct {
	counted tally
	outputs map[string][]string // by test; "" is the package's own
	parents map[string]bool     // tests that have subtests
	ended   []event             // passed, failed and skipped tests
}

type testTime struct {
	name string
	took time.Duration
}

// readTests reads the events of a run, prints a line for each package as it ends, the output of what failed, and the
// slowest tests.
func readTests(r io.Reader, out io.Writer) (tally, error) {
	run := testRun{out: out, packages: map[string]*packageRun{}}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				run.handle(e)
			} else {
				fmt.Fprintf(out, "%s", line)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return run.total, err
		}
	}
	run.printSlowest()
	return run.total, nil
}

func (r *testRun) handle(e event) {
	if e.Action == "build-output" {
		fmt.Fprint(r.out, e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &packageRun{outputs: map[string][]string{}, parents: map[string]bool{}}
		r.packages[e.Package] = p
	}
	switch e.Action {
	case "run":
		if cut := strings.LastIndexByte(e.Test, '/'); cut > 0 {
			p.parents[e.Test[:cut]] = true
		}
	case "output":
		if strings.HasPrefix(e.Output, "=== ") { // that a test runs, waits or goes on
			return
		}
		p.outputs[e.Test] = append(p.outputs[e.Test], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(p, e)
			delete(r.packages, e.Package)
			return
		}
		p.ended = append(p.ended, e)
		if e.Action == "pass" {
			delete(p.outputs, e.Test)
		}
	}
}

// endPackage counts a package's tests and prints its line, and what failed in full.
func (r *testRun) endPackage(p *packageRun, e event) {
	for _, t := range p.ended {
		name := e.Package + " " + t.Test
		if t.Action == "fail" {
			fmt.Fprintf(r.out, "--- FAIL: %s\n%s", name, strings.Join(p.outputs[t.Test], ""))
		}
		if p.parents[t.Test] {
			continue
		}
		switch t.Action {
		case "pass":
			p.counted.passed++
		case "fail":
			p.counted.failed++
			p.counted.failedTests = append(p.counted.failedTests, name)
		case "skip":
			p.counted.skipped++
			p.counted.skippedTests = append(p.counted.skippedTests, name)
		}
		r.times = append(r.times, testTime{name, seconds(t.Elapsed)})
	}
	if e.Action == "fail" {
		r.explain(p, e)
	}
	if e.Action != "skip" || len(p.ended) > 0 { // a package without tests is not worth a line
		fmt.Fprintf(r.out, "%-4s %s  %d passed, %d failed, %d skipped  %v\n", map[string]string{"pass": "ok", "fail": "FAIL", "skip": "ok"}[e.Action],
			e.Package, p.counted.passed, p.counted.failed, p.counted.skipped, seconds(e.Elapsed))
	}
	r.total.add(p.counted)
}

// explain prints why a package failed when no test's own output says so: it did not build, panicked, ran out of time,
// or its process ended.
func (r *testRun) explain(p *packageRun, e event) {
	ended := map[string]string{"": "package"}
	for _, t := range p.ended {
		ended[t.Test] = t.Action
	}
	for name, output := range p.outputs {
		switch ended[name] {
		case "pass": // a crash of the process is said to be the output of whatever test wrote last
			fmt.Fprint(r.out, strings.Join(output, ""))
		case "": // was running when the process ended
			fmt.Fprintf(r.out, "--- FAIL: %s %s (did not end)\n%s", e.Package, name, strings.Join(output, ""))
			p.counted.failed++
			p.counted.failedTests = append(p.counted.failedTests, e.Package+" "+name)
		}
	}
	fmt.Fprint(r.out, strings.Join(p.outputs[""], ""))
	if p.counted.failed == 0 {
		p.counted.failed++
		name := e.Package
		if e.FailedBuild != "" {
			name += " (does not build)"
		}
		p.counted.failedTests = append(p.counted.failedTests, name)
	}
}

func (r *testRun) printSlowest() {
	slices.SortFunc(r.times, func(a, b testTime) int { return cmp.Compare(b.took, a.took) })
	for i, t := range r.times {
		if i == slowest || t.took < slow {
			break
		}
		fmt.Fprintf(r.out, "slow: %8v  %s\n", t.took, t.name)
	}
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond)
}
