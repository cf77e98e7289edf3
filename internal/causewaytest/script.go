package causewaytest

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// DevService is the ARM ID of the service that `causeway dev` starts with.
const DevService = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/causeway/providers/Microsoft.ApiManagement/service/dev"

// apiVersion is sent by the arm command unless a path names another.
const apiVersion = "2024-05-01"

// Scripts builds the binary and runs the scripts of a folder against it; README.md describes their commands.
func Scripts(t *testing.T, dir string) {
	bin, err := Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, Params(dir, bin))
}

// Params returns what testscript needs to run the scripts of a folder against a binary.
func Params(dir, bin string) testscript.Params {
	cmds := map[string]func(ts *testscript.TestScript, neg bool, args []string){}
	for name, cmd := range commands() {
		cmds[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			s, ok := ts.Value(sessionKey{}).(*session)
			if !ok {
				ts.Fatalf("the script runs without a session")
			}
			s.stdout.Reset()
			s.stderr.Reset()
			err := cmd(s, ts, neg, args)
			fmt.Fprint(ts.Stdout(), s.stdout.String())
			fmt.Fprint(ts.Stderr(), s.stderr.String())
			if err != nil {
				ts.Fatalf("%s: %v%s", name, err, s.logs())
			}
		}
	}
	return testscript.Params{
		Dir: dir, Cmds: cmds, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			s := newSession(bin, env.WorkDir)
			env.Values[sessionKey{}] = s
			env.Defer(s.close)
			env.Setenv("PATH", filepath.Dir(bin)+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TOKEN", s.token)
			env.Setenv("SERVICE", DevService)
			env.Setenv("TOMORROW", time.Now().UTC().Add(24*time.Hour).Format(time.RFC3339))
			s.base = slices.Clone(env.Vars)
			return nil
		},
	}
}

// sessionKey is the key of a script's session among its values.
type sessionKey struct{}

// A scriptCommand does a command's work. Its error fails the script; neg says that the line starts with an
// exclamation mark.
type scriptCommand func(s *session, ts *testscript.TestScript, neg bool, args []string) error

// commands is the list of the commands that scripts have besides testscript's own.
func commands() map[string]scriptCommand {
	return map[string]scriptCommand{
		"causeway-start": causewayStart,
		"causeway-stop":  causewayStop,
		"causeway-kill":  causewayKill,
		"causeway-log":   causewayLog,
		"arm":            armCommand,
		"http":           httpCommand,
		"status":         statusCommand,
		"header":         headerCommand,
		"json-get":       jsonGet,
		"json-env":       jsonEnv,
		"header-env":     headerEnv,
		"backend":        backendCommand,
		"wait-for":       waitFor,
		"write-and-kill": writeAndKill,
		"check-writes":   checkWrites,
	}
}

// session is the state of one running script.
type session struct {
	bin, work, token string
	base             []string // environment of the processes

	processes map[string]*Process
	ports     map[string]string // addresses of earlier runs, by name and listener: a restart takes them again
	kept      []func()          // which give them back
	backends  map[string]*Backend
	last      *response
	written   map[string]string // acknowledged values by ARM ID

	// stdout and stderr are what the running command shows; a repeated one starts them anew.
	stdout, stderr strings.Builder
}

// add keeps a started process and its addresses.
func (s *session) add(p *Process) {
	s.processes[p.Name] = p
	for listener, url := range p.Listen {
		_, addr, _ := strings.Cut(url, "://")
		s.ports[p.Name+" "+listener] = addr
	}
}

// logs returns the logs of the processes, for the message of a failure.
func (s *session) logs() string {
	var b strings.Builder
	for name, p := range s.processes {
		fmt.Fprintf(&b, "\n-- log of %s --\n%s", name, p.Log())
	}
	return b.String()
}

func (s *session) close() {
	for _, p := range s.processes {
		p.Kill()
	}
	for _, b := range s.backends {
		b.Close()
	}
	for _, release := range s.kept {
		release()
	}
}

// response is the last answer that a script got.
type response struct {
	status int
	proto  string
	header []Field
	body   string
}

// errNegated is returned by commands that have no negated form.
var errNegated = errors.New("it cannot be negated")

// variable returns the name of an environment variable made of words: "edge-1", "gateway-tls" is EDGE_1_GATEWAY_TLS.
func variable(words ...string) string {
	return strings.ToUpper(strings.ReplaceAll(strings.Join(words, "_"), "-", "_"))
}

// expand replaces ${NAME} by the script's variable of that name, if it has one: policies hold ${…} of their own.
func expand(ts *testscript.TestScript, text string) string {
	return regexp.MustCompile(`\$\{([A-Z][A-Z0-9_]*)\}`).ReplaceAllStringFunc(text, func(ref string) string {
		if value := ts.Getenv(ref[2 : len(ref)-1]); value != "" {
			return value
		}
		return ref
	})
}

// waitFor is `wait-for DURATION COMMAND ARG…`: it runs one of our commands until it succeeds.
func waitFor(s *session, ts *testscript.TestScript, neg bool, args []string) error {
	if neg {
		return errNegated
	}
	if len(args) < 2 {
		return errors.New("usage: wait-for DURATION [!] COMMAND ARG…")
	}
	limit, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	args = args[1:]
	if args[0] == "!" {
		neg, args = true, args[1:]
	}
	if len(args) == 0 {
		return errors.New("the command is missing")
	}
	cmd, ok := commands()[args[0]]
	if !ok {
		return fmt.Errorf("%s is not a command that can be waited for", args[0])
	}
	deadline := time.Now().Add(limit)
	for {
		err := cmd(s, ts, neg, args[1:])
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s fails still after %v: %w", args[0], limit, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
