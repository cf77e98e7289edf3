package script

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/porttest"
)

// TestTour pastes the tour of README.md into a shell, line by line. A line that starts with "# → " is part of what the
// lines before it print. Only ports, the place of the binary and pauses are changed.
func TestTour(t *testing.T) {
	t.Parallel()
	root, err := causewaytest.ModuleRoot()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	bin, err := causewaytest.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	management, gateway, edge := freeAddr(t), freeAddr(t), freeAddr(t)
	change := strings.NewReplacer(
		"make run\n", fmt.Sprintf("%s dev --data %s --management-listen %s --gateway-listen %s --management-tls-listen off --gateway-tls-listen off "+
			"--portal-listen off > %s 2>&1 &\ncurl -sS -o /dev/null --retry 90 --retry-connrefused --retry-delay 1 http://%s/healthz\n", bin, data, management, gateway, filepath.Join(data, "dev.log"), management),
		"./bin/causeway", bin,
		"127.0.0.1:8880", management, "127.0.0.1:8080", gateway, "127.0.0.1:9080", edge,
		".causeway/edge", filepath.Join(data, "edge"),
		"kill %1\n", "kill $(jobs -p)\n", // here all terminals are one
		// A busy machine takes longer than its user.
		"--retry 20", "--retry 90",
		"sleep 1\n", fmt.Sprintf("for i in {1..90}; do curl -sS http://%s/petstore/pets/1 -H \"Ocp-Apim-Subscription-Key: $KEY\" | grep -q greets && break; sleep 1; done\n", edge),
	)
	sh := startShell(t, root)
	for _, step := range tourSteps(t, string(readme)) {
		printed := ""
		for line := range strings.Lines(change.Replace(step.commands)) {
			out, err := sh.run(line)
			printed += out
			if err != nil {
				t.Fatalf("%s%v\n%s", line, err, printed)
			}
		}
		if !strings.Contains(printed, step.want) {
			t.Fatalf("%sprints no %q:\n%s", step.commands, step.want, printed)
		}
	}
}

// tourStep is some commands and what they print.
type tourStep struct{ commands, want string }

// tourSteps reads the shell lines of the tour.
func tourSteps(t *testing.T, readme string) []tourStep {
	t.Helper()
	_, tour, found := strings.Cut(readme, "\n## A tour of five minutes\n")
	if !found {
		t.Fatal("README.md has no tour")
	}
	tour, _, _ = strings.Cut(tour, "\n## ")
	var steps []tourStep
	var commands strings.Builder
	inside := false
	flush := func(want string) {
		if commands.Len() > 0 {
			steps = append(steps, tourStep{commands.String(), want})
			commands.Reset()
		}
	}
	for line := range strings.Lines(tour) {
		want, output := strings.CutPrefix(line, "# → ")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = strings.TrimSpace(line) == "```bash"
			flush("")
		case inside && output:
			flush(strings.TrimSpace(want))
		case inside:
			commands.WriteString(line)
		}
	}
	if len(steps) < 5 {
		t.Fatalf("the tour has only %d steps", len(steps))
	}
	return steps
}

// shell is a running bash.
type shell struct {
	in    io.Writer
	lines chan string
}

// shellLimit is how long a step may take.
const shellLimit = 2 * time.Minute

func startShell(t *testing.T, dir string) *shell {
	t.Helper()
	cmd := exec.Command("bash", "--norc", "--noprofile")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what the tour starts ends with it
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &shell{in: in, lines: make(chan string, 1000)}
	go func() {
		defer close(s.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the group may have ended
		for range s.lines {
		}
		_ = cmd.Wait()
	})
	return s
}

// run runs a line and returns what it prints.
func (s *shell) run(line string) (string, error) {
	const mark = "@@ended "
	if _, err := fmt.Fprintf(s.in, "%s\ncode=$?; echo; echo \"%s$code\"\n", strings.TrimSpace(line), mark); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), shellLimit)
	defer cancel()
	var out strings.Builder
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				return out.String(), errors.New("the shell ended")
			}
			if code, ended := strings.CutPrefix(line, mark); ended {
				if code != "0" {
					return out.String(), fmt.Errorf("exit code %s", code)
				}
				return out.String(), nil
			}
			out.WriteString(line + "\n")
		case <-ctx.Done():
			return out.String(), fmt.Errorf("it still runs after %v", shellLimit)
		}
	}
}

// freeAddr returns a local address that is the test's until its end.
func freeAddr(t *testing.T) string {
	t.Helper()
	port, release, err := porttest.Keep()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return porttest.Address(port)
}

func TestShell(t *testing.T) {
	t.Parallel()
	sh := startShell(t, t.TempDir())
	if out, err := sh.run("greet() { printf 'hello %s' \"$1\"; }"); err != nil || strings.TrimSpace(out) != "" {
		t.Errorf("output %q, error %v", out, err)
	}
	if out, err := sh.run("greet you"); err != nil || strings.TrimSpace(out) != "hello you" {
		t.Errorf("output %q, error %v", out, err)
	}
	if out, err := sh.run("ls no-such-file"); err == nil || !strings.Contains(out, "no-such-file") {
		t.Errorf("output %q, error %v", out, err)
	}
}
