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

// fakeSystem installs by setting a flag, after a number of failures.
type fakeSystem struct {
	failures  int
	installed bool
	commands  []string
	waited    time.Duration
}

func (f *fakeSystem) system(canInstall bool) system {
	return system{
		canInstall: canInstall,
		run: func(_ context.Context, command ...string) error {
			f.commands = append(f.commands, strings.Join(command, " "))
			if f.failures > 0 {
				f.failures--
				return errors.New("the mirror is away")
			}
			f.installed = f.installed || strings.Contains(f.commands[len(f.commands)-1], "install")
			return nil
		},
		wait: func(_ context.Context, d time.Duration) error {
			f.waited += d
			return nil
		},
	}
}

func (f *fakeSystem) needs() []need {
	return []need{{name: "Thing", why: "a test needs it", packages: []string{"thing"}, found: func() bool { return f.installed }}}
}

func TestInstallDoesNothingWhenAllIsThere(t *testing.T) {
	t.Parallel()
	f := &fakeSystem{installed: true}
	if err := install(t.Context(), f.needs(), f.system(true)); err != nil || len(f.commands) != 0 {
		t.Errorf("error %v, commands %q", err, f.commands)
	}
}

func TestInstallSaysWhatToDoWithoutRights(t *testing.T) {
	t.Parallel()
	f := &fakeSystem{}
	err := install(t.Context(), f.needs(), f.system(false))
	if err == nil || !strings.Contains(err.Error(), "Thing is missing: a test needs it (Debian: apt-get install thing)") {
		t.Errorf("error %v", err)
	}
}

func TestInstallTriesAgain(t *testing.T) {
	t.Parallel()
	f := &fakeSystem{failures: 2}
	if err := install(t.Context(), f.needs(), f.system(true)); err != nil {
		t.Fatal(err)
	}
	if want := 15 * time.Second; f.waited != want {
		t.Errorf("waited %v, want %v", f.waited, want)
	}
	if last := f.commands[len(f.commands)-1]; !strings.HasSuffix(last, "install thing") {
		t.Errorf("last command %q", last)
	}
}

func TestInstallGivesUp(t *testing.T) {
	t.Parallel()
	f := &fakeSystem{failures: 100}
	if err := install(t.Context(), f.needs(), f.system(true)); err == nil || !strings.Contains(err.Error(), "the mirror is away") {
		t.Errorf("error %v", err)
	}
}

func TestDigestFollowsTheSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	digest := func() string {
		t.Helper()
		d, err := digestOf(dir)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	write("console/main.tsx", "one")
	first := digest()
	write("dist/main.js", "built")
	write("node_modules/x/index.js", "a module")
	if digest() != first {
		t.Error("what is built or downloaded counts as a source")
	}
	write("console/main.tsx", "two")
	if digest() == first {
		t.Error("a changed source leaves the digest as it was")
	}
}
