package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// racing are the folders whose tests run a second time under the race detector: where goroutines share memory. The
// detector makes code about ten times slower and its build takes minutes for the embedded database, so packages that
// leave sharing to others are left out, and so are allocation budgets, which do not hold under it: their tests have
// "Alloc" in their names.
var racing = []string{
	"internal/cache", "internal/configsync", "internal/counters", "internal/gateway", "internal/message",
	"internal/policy", "internal/snapshot", "internal/telemetry",
}

// format complains about Go files that gofmt would change.
func (g *gate) format(ctx context.Context) error {
	files, err := g.goFiles()
	if err != nil {
		return err
	}
	out, err := g.output(ctx, "gofmt", append([]string{"-l"}, files...)...)
	if err != nil {
		return err
	}
	if len(out) > 0 {
		return fmt.Errorf("`make fmt` would change:\n%s", out)
	}
	return nil
}

func (g *gate) vet(ctx context.Context) error {
	if err := g.command(ctx, g.root, "go", "vet", "./..."); err != nil {
		return err
	}
	for _, module := range []string{"tools", "deploy"} {
		if err := g.command(ctx, filepath.Join(g.root, module), "go", "vet", "./..."); err != nil {
			return err
		}
	}
	return nil
}

// staticcheck leaves deploy out: it would read all of Kubernetes' client and Helm for a few hundred lines.
func (g *gate) staticcheck(ctx context.Context) error {
	if err := g.command(ctx, g.root, "go", "tool", "-modfile=tools/go.mod", "staticcheck", "./..."); err != nil {
		return err
	}
	return g.command(ctx, filepath.Join(g.root, "tools"), "go", "tool", "staticcheck", "./...")
}

// generated runs the generators and complains when what is in the tree was not what they make.
func (g *gate) generated(ctx context.Context) error {
	before, err := g.generatedFiles()
	if err != nil {
		return err
	}
	if err := g.command(ctx, g.root, "go", "generate", "./..."); err != nil {
		return err
	}
	after, err := g.generatedFiles()
	if err != nil {
		return err
	}
	var stale []string
	for name := range after {
		if before[name] != after[name] {
			stale = append(stale, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			stale = append(stale, name)
		}
	}
	if len(stale) > 0 {
		slices.Sort(stale)
		return fmt.Errorf("not current (they are now: commit them): %s", strings.Join(stale, ", "))
	}
	return nil
}

// generatedFiles returns the digests of the files that generators write: the reference pages and x_gen files.
func (g *gate) generatedFiles() (map[string][32]byte, error) {
	sums := map[string][32]byte{}
	err := g.walk(func(rel string) error {
		name := filepath.Base(rel)
		stem := strings.TrimSuffix(name, filepath.Ext(name))
		if !strings.HasPrefix(rel, "docs/reference/") && !strings.HasSuffix(stem, "_gen") {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(g.root, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		sums[rel] = sha256.Sum256(data)
		return nil
	})
	return sums, err
}

func (g *gate) goFiles() ([]string, error) {
	var files []string
	err := g.walk(func(rel string) error {
		if strings.HasSuffix(rel, ".go") {
			files = append(files, rel)
		}
		return nil
	})
	return files, err
}

// walk visits the project's files, by their slashed paths below the root.
func (g *gate) walk(visit func(rel string) error) error {
	return filepath.WalkDir(g.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != g.root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(g.root, path)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(rel))
	})
}

func (g *gate) tests(ctx context.Context) (tally, error) {
	return g.goTest(ctx, g.root, "./...")
}

func (g *gate) toolTests(ctx context.Context) (tally, error) {
	return g.goTest(ctx, filepath.Join(g.root, "tools"), "./...")
}

func (g *gate) deployTests(ctx context.Context) (tally, error) {
	return g.goTest(ctx, filepath.Join(g.root, "deploy"), "./...")
}

func (g *gate) raceTests(ctx context.Context) (tally, error) {
	out, err := g.output(ctx, "go", "list", "-f", "{{.Module.Path}} {{.ImportPath}}", "./...")
	if err != nil {
		return tally{}, err
	}
	pkgs := map[string]bool{}
	for line := range strings.Lines(out) {
		module, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		rel := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
		for _, folder := range racing {
			if rel == folder || strings.HasPrefix(rel, folder+"/") {
				pkgs[path] = true
			}
		}
	}
	if len(pkgs) == 0 {
		return tally{}, errors.New("none of the packages to race is there")
	}
	return g.goTest(ctx, g.root, append([]string{"-race", "-skip", "Alloc"}, slices.Sorted(maps.Keys(pkgs))...)...)
}

// goTest runs go test and counts.
func (g *gate) goTest(ctx context.Context, dir string, args ...string) (tally, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json", "-timeout", "8m"}, args...)...)
	cmd.Dir = dir
	// Go's own end goes to the tests as well, so that servers which they started do not stay behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return tally{}, fmt.Errorf("starting go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return tally{}, fmt.Errorf("starting go test: %w", err)
	}
	counted, readErr := readTests(stdout, g.out)
	err = cmd.Wait()
	if stderr.Len() > 0 {
		fmt.Fprint(g.out, stderr.String())
	}
	switch {
	case readErr != nil:
		counted.failed++
		return counted, fmt.Errorf("reading what go test says: %w", readErr)
	case counted.failed > 0:
		return counted, fmt.Errorf("%d tests failed", counted.failed)
	case err != nil:
		counted.failed++
		return counted, fmt.Errorf("go test: %w", err)
	case counted.skipped > 0:
		return counted, fmt.Errorf("%d tests were skipped: a test either runs or is not there", counted.skipped)
	}
	return counted, nil
}

// command runs a command and shows what it prints.
func (g *gate) command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Stdout = g.out
	cmd.Stderr = g.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// output runs a command at the root and returns what it prints.
func (g *gate) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = g.root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, stderr.String())
	}
	return string(out), nil
}
