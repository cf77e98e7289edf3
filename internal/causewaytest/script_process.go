package causewaytest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/causeway-apim/causeway/internal/porttest"
)

// Health paths by listener: when all of a process's listeners answer, it is ready.
const (
	healthPath = "/healthz"
	statusPath = "/status-0123456789abcdef"
	livePath   = "/livez"
)

// causewayStart is `causeway-start NAME [VARIABLE=VALUE…] dev|server|gateway ARG…`.
func causewayStart(s *session, ts *testscript.TestScript, neg bool, args []string) error {
	if neg {
		return errNegated
	}
	c, err := s.command(args)
	if err != nil {
		return err
	}
	if old := s.processes[c.name]; old != nil && old.Running() {
		return fmt.Errorf("%s is running", c.name)
	}
	p, err := start(context.Background(), c)
	if err != nil {
		return err
	}
	s.add(p)
	for listener, url := range p.Listen {
		ts.Setenv(variable(c.name, listener), url)
	}
	if url, ok := p.Listen["management"]; ok {
		ts.Setenv("PLANE", url)
	}
	ts.Setenv(variable(c.name, "data"), s.dataDir(c.name))
	return nil
}

func (s *session) dataDir(name string) string { return filepath.Join(s.work, name+".data") }

// command completes the arguments of a start: data folder, free ports (those of the last run when there was one) and
// credentials, each unless the script gives it.
func (s *session) command(args []string) (command, error) {
	if len(args) < 2 {
		return command{}, errors.New("usage: causeway-start NAME [VARIABLE=VALUE…] dev|server|gateway ARG…")
	}
	c := command{name: args[0], bin: s.bin, dir: s.work, env: slices.Clone(s.base), limit: startLimit}
	args = args[1:]
	for len(args) > 0 && strings.Contains(args[0], "=") {
		c.env = append(c.env, args[0])
		args = args[1:]
	}
	if len(args) == 0 {
		return command{}, errors.New("the command is missing: dev, server or gateway")
	}
	data := s.dataDir(c.name)
	if given := flagValue(args, "--data"); given != "" {
		data = given
	}
	c.args = slices.Clone(args)
	add := func(flag, value string) {
		if flagValue(args, flag) == "" {
			c.args = append(c.args, flag, value)
		}
	}
	var failed error
	listen := func(listener string) {
		if flagValue(args, "--"+listener+"-listen") != "" {
			return
		}
		addr, err := s.address(c.name + " " + listener)
		failed = errors.Join(failed, err)
		add("--"+listener+"-listen", addr)
	}
	switch args[0] {
	case "dev":
		c.ready = map[string]string{"management": healthPath, "gateway": statusPath}
		c.env = append(c.env, "CAUSEWAY_DEV_TOKEN="+s.token)
		add("--data", data)
		listen("management")
		listen("gateway")
		for _, listener := range []string{"management-tls", "gateway-tls", "portal"} {
			add("--"+listener+"-listen", "off")
		}
	case "server":
		c.ready = map[string]string{"management": healthPath, "gateway": statusPath}
		c.env = append(c.env, "CAUSEWAY_ADMIN_SECRET="+s.token)
		add("--data", data)
		add("--database", "sqlite://"+filepath.Join(data, "causeway.db"))
		listen("management")
		add("--management-tls-listen", "off")
		add("--portal-listen", "off")
	case "gateway":
		add("--data", data)
		listen("gateway")
		add("--gateway-tls-listen", "off")
		add("--config-backup", filepath.Join(data, "config"))
		// It has started when it lives; whether it has a configuration is for the script to ask.
		c.ready = map[string]string{"gateway": livePath}
	default:
		return command{}, fmt.Errorf("%s is none of dev, server and gateway", args[0])
	}
	if failed != nil {
		return command{}, failed
	}
	c.listenFile = filepath.Join(data, "listen.json")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return command{}, err
	}
	return c, nil
}

// address returns the address of a process's listener: that of its last run, or a free one that stays its own.
func (s *session) address(listener string) (string, error) {
	if addr, ok := s.ports[listener]; ok {
		return addr, nil
	}
	port, release, err := porttest.Keep()
	if err != nil {
		return "", err
	}
	s.kept = append(s.kept, release)
	s.ports[listener] = porttest.Address(port)
	return s.ports[listener], nil
}

// flagValue returns the value of `--flag value` or `--flag=value` among arguments.
func flagValue(args []string, flag string) string {
	for i, arg := range args {
		if arg == flag && i+1 < len(args) {
			return args[i+1]
		}
		if value, ok := strings.CutPrefix(arg, flag+"="); ok {
			return value
		}
	}
	return ""
}

func (s *session) process(args []string) (*Process, error) {
	if len(args) == 0 {
		return nil, errors.New("the name of the process is missing")
	}
	p := s.processes[args[0]]
	if p == nil {
		return nil, fmt.Errorf("no process is called %s", args[0])
	}
	return p, nil
}

// causewayStop is `causeway-stop NAME [SIGNAL]`: it sends SIGTERM (or SIGINT) and expects exit code 0; negated,
// another one.
func causewayStop(s *session, _ *testscript.TestScript, neg bool, args []string) error {
	p, err := s.process(args)
	if err != nil {
		return err
	}
	sig := syscall.SIGTERM
	if len(args) > 1 {
		if args[1] != "SIGINT" {
			return fmt.Errorf("signal %s: only SIGINT can be named", args[1])
		}
		sig = syscall.SIGINT
	}
	code, err := p.Stop(sig)
	if err != nil {
		return err
	}
	if (code != 0) != neg {
		return fmt.Errorf("%s ended with exit code %d", p.Name, code)
	}
	return nil
}

// causewayKill is `causeway-kill NAME`: kill -9.
func causewayKill(s *session, _ *testscript.TestScript, neg bool, args []string) error {
	p, err := s.process(args)
	if err != nil || neg {
		return errors.Join(err, negated(neg))
	}
	p.Kill()
	return nil
}

// logLimit is how long the log may be behind what has happened.
const logLimit = 30 * time.Second

// causewayLog is `causeway-log NAME REGEXP`: the process prints it within a short time; negated, it has not so far.
func causewayLog(s *session, _ *testscript.TestScript, neg bool, args []string) error {
	p, err := s.process(args)
	if err != nil {
		return err
	}
	if len(args) != 2 {
		return errors.New("usage: causeway-log NAME REGEXP")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	if err != nil {
		return err
	}
	if neg {
		if found := re.FindString(p.Log()); found != "" {
			return fmt.Errorf("the log of %s holds %q", p.Name, found)
		}
		return nil
	}
	for deadline := time.Now().Add(logLimit); !re.MatchString(p.Log()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("the log of %s does not match %q", p.Name, args[1])
		}
	}
	return nil
}

func negated(neg bool) error {
	if neg {
		return errNegated
	}
	return nil
}
