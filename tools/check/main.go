// Check is the project's gate: format, vet, staticcheck, generated files and the whole test suite. `make test` and
// CI run it, after setup.
//
//	go run -C tools ./check [-budget 25m] [-race=false]
//
// It runs every step even when one fails, prints what it ran, and ends with the line
// "N passed, M failed, K skipped". A skipped test fails it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	budget := flag.Duration("budget", 25*time.Minute, "how long everything may take")
	race := flag.Bool("race", true, "run the packages where it pays a second time under the race detector")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, *budget, fmt.Errorf("the budget of %v is used up", *budget))
	defer cancel()
	root, err := filepath.Abs("..")
	if err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
	g := gate{root: root, out: os.Stdout, race: *race, now: time.Now}
	if !g.run(ctx) {
		os.Exit(1)
	}
}

// gate runs the steps and counts.
type gate struct {
	root string
	out  io.Writer
	race bool
	now  func() time.Time

	total tally
}

// A step is one part of the gate; it returns what it counted and what is wrong.
type step struct {
	name string
	run  func(context.Context) (tally, error)
}

// once makes a step of a check that passes or fails as a whole.
func once(name string, run func(context.Context) error) step {
	return step{name, func(ctx context.Context) (tally, error) {
		if err := run(ctx); err != nil {
			return tally{failed: 1}, err
		}
		return tally{passed: 1}, nil
	}}
}

// run runs the gate and reports whether everything passed.
func (g *gate) run(ctx context.Context) bool {
	steps := []step{
		once("gofmt", g.format),
		once("go vet", g.vet),
		once("staticcheck", g.staticcheck),
		once("generated files", g.generated),
		{"tests", g.tests},
		{"tests of the tools", g.toolTests},
		{"tests of what is installed", g.deployTests},
	}
	if g.race {
		steps = append(steps, step{"tests under the race detector", g.raceTests})
	}
	var failed []string
	for _, s := range steps {
		fmt.Fprintf(g.out, "== %s\n", s.name)
		start := g.now()
		counted, err := s.run(ctx)
		if ctx.Err() != nil {
			err = context.Cause(ctx)
			counted.failed = max(counted.failed, 1)
		}
		g.total.add(counted)
		took := g.now().Sub(start).Round(100 * time.Millisecond)
		if err != nil {
			fmt.Fprintf(g.out, "   failed after %v: %v\n", took, err)
			failed = append(failed, s.name)
		} else {
			fmt.Fprintf(g.out, "   ok after %v\n", took)
		}
		if ctx.Err() != nil {
			break
		}
	}
	fmt.Fprintln(g.out)
	for _, name := range g.total.skippedTests {
		fmt.Fprintln(g.out, "skipped:", name)
	}
	for _, name := range g.total.failedTests {
		fmt.Fprintln(g.out, "failed:", name)
	}
	for _, name := range failed {
		fmt.Fprintln(g.out, "failed step:", name)
	}
	fmt.Fprintf(g.out, "%d passed, %d failed, %d skipped\n", g.total.passed, g.total.failed, g.total.skipped)
	return len(failed) == 0 && g.total.failed == 0 && g.total.skipped == 0
}
