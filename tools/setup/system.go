package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A need is something that the operating system provides.
type need struct {
	name     string
	why      string
	found    func() bool
	packages []string // what it is called in Debian
}

// testNeeds lists what the test suite needs; a new one is a line here.
func testNeeds() []need {
	return []need{
		{
			name: "PostgreSQL server", why: "the store's conformance suite runs against a real one",
			found:    anyFile("initdb", "/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb"),
			packages: []string{"postgresql"},
		},
		{
			name: "Redis server", why: "counters and caches are tested against a real one",
			found:    anyCommand("redis-server"),
			packages: []string{"redis-server"},
		},
		{
			name: "C compiler", why: "Go's race detector links with it",
			found:    anyCommand("gcc", "clang"),
			packages: []string{"gcc", "libc6-dev"},
		},
		{
			name: "Python 3", why: "the runner of the policy behaviour cases is written in it",
			found:    anyCommand("python3"),
			packages: []string{"python3"},
		},
	}
}

func anyCommand(names ...string) func() bool {
	return func() bool {
		return slices.ContainsFunc(names, func(name string) bool {
			_, err := exec.LookPath(name)
			return err == nil
		})
	}
}

// anyFile finds a command in the path or a file by its usual places.
func anyFile(command string, patterns ...string) func() bool {
	return func() bool {
		return anyCommand(command)() || slices.ContainsFunc(patterns, func(pattern string) bool {
			files, err := filepath.Glob(pattern)
			return err == nil && len(files) > 0
		})
	}
}

// A system installs packages.
type system struct {
	canInstall bool
	run        func(ctx context.Context, command ...string) error
	wait       func(ctx context.Context, d time.Duration) error
}

// debian is the system at hand: it can install where there is apt and the user is root.
func debian() system {
	return system{
		canInstall: os.Geteuid() == 0 && anyCommand("apt-get")(),
		run: func(ctx context.Context, command ...string) error {
			return execute(ctx, "", []string{"DEBIAN_FRONTEND=noninteractive"}, command...)
		},
		wait: func(ctx context.Context, d time.Duration) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(d):
				return nil
			}
		},
	}
}

// attempts is how often an installation is tried: mirrors and locks of other installations pass.
const attempts = 5

// install makes sure that every need is met.
func install(ctx context.Context, needs []need, sys system) error {
	var missing []need
	var packages []string
	for _, n := range needs {
		if !n.found() {
			missing = append(missing, n)
			packages = append(packages, n.packages...)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if !sys.canInstall {
		var lines []string
		for _, n := range missing {
			lines = append(lines, fmt.Sprintf("  %s is missing: %s (Debian: apt-get install %s)", n.name, n.why, strings.Join(n.packages, " ")))
		}
		return fmt.Errorf("install what the tests need and run this again, or run it as root on Debian:\n%s", strings.Join(lines, "\n"))
	}
	var err error
	for try := range attempts {
		if try > 0 {
			fmt.Printf("setup: %v; trying again\n", err)
			if err := sys.wait(ctx, time.Duration(try)*5*time.Second); err != nil {
				return err
			}
		}
		if err = installOnce(ctx, packages, sys); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	for _, n := range missing {
		if !n.found() {
			return fmt.Errorf("%s is still missing after the installation of %s", n.name, strings.Join(n.packages, ", "))
		}
	}
	return nil
}

func installOnce(ctx context.Context, packages []string, sys system) error {
	fmt.Println("setup: installing", strings.Join(packages, ", "))
	if err := sys.run(ctx, "apt-get", "-q", "update"); err != nil {
		return fmt.Errorf("reading the lists of packages: %w", err)
	}
	if err := sys.run(ctx, append([]string{"apt-get", "-q", "-y", "--no-install-recommends", "install"}, packages...)...); err != nil {
		return fmt.Errorf("installing %s: %w", strings.Join(packages, ", "), err)
	}
	return nil
}

// execute runs a command whose output the user sees.
func execute(ctx context.Context, dir string, env []string, command ...string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout = os.Stdout
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("%s is not installed", command[0])
		}
		return fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return nil
}
