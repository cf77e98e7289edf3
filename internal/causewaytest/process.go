package causewaytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startLimit is how long a process may take to be ready, stopLimit how long to end after a signal. They are generous:
// the promises about both are tested on their own, on machines that do nothing else.
const (
	startLimit = 90 * time.Second
	stopLimit  = 90 * time.Second
)

// Build builds the binary under test into dir and returns its path. CAUSEWAY_BIN names one that is used instead.
func Build(ctx context.Context, dir string) (string, error) {
	if bin := os.Getenv("CAUSEWAY_BIN"); bin != "" {
		return bin, nil
	}
	root, err := ModuleRoot()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "causeway")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/causeway")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the binary: %w\n%s", err, out)
	}
	return bin, nil
}

// Process is a running causeway.
type Process struct {
	Name string
	// Listen holds the base URLs of its listeners: management, management-tls, gateway, gateway-tls, portal.
	Listen map[string]string

	cmd  *exec.Cmd
	log  lockedBuffer
	done chan struct{}
	err  error // of the end; valid once done is closed
}

// command is what a process is started from.
type command struct {
	name string
	bin  string
	args []string
	env  []string
	dir  string // current folder
	// listenFile is where the process writes its addresses.
	listenFile string
	// ready are the paths that answer 200 when it is ready, by listener.
	ready map[string]string
	// limit is how long it may take to be ready.
	limit time.Duration
}

// start starts a process and waits until it is ready.
func start(ctx context.Context, c command) (*Process, error) {
	if err := os.Remove(c.listenFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing the addresses of an earlier run: %w", err)
	}
	p := &Process{Name: c.name, done: make(chan struct{})}
	p.cmd = exec.Command(c.bin, c.args...)
	p.cmd.Dir, p.cmd.Env = c.dir, c.env
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	if err := p.waitReady(ctx, c); err != nil {
		p.Kill()
		return nil, fmt.Errorf("starting %s: %w; its log:\n%s", c.name, err, p.Log())
	}
	return p, nil
}

// waitReady looks every few milliseconds whether the process has said its addresses and answers.
func (p *Process) waitReady(ctx context.Context, c command) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		if last = p.ready(ctx, c); last == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("it ended: %s", p.exit())
		case <-ctx.Done():
			return fmt.Errorf("it is not ready after %v: %w", c.limit, last)
		}
	}
}

func (p *Process) ready(ctx context.Context, c command) error {
	listen, err := readListen(c.listenFile)
	if err != nil {
		return err
	}
	p.Listen = listen
	for listener, path := range c.ready {
		base, ok := p.Listen[listener]
		if !ok {
			continue
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := httpClient().Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %d", req.URL, resp.StatusCode)
		}
	}
	return nil
}

// readListen reads a listen.json, an object of listeners ("management", "management-tls", …) and their host:port, and
// returns their base URLs.
func readListen(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var addrs map[string]string
	if err := json.Unmarshal(data, &addrs); err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Base(file), err)
	}
	listen := map[string]string{}
	for name, addr := range addrs {
		scheme := "http://"
		if strings.HasSuffix(name, "-tls") {
			scheme = "https://"
		}
		listen[name] = scheme + addr
	}
	if len(listen) == 0 {
		return nil, fmt.Errorf("%s names no listener", filepath.Base(file))
	}
	return listen, nil
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log returns what the process has printed so far, both streams together; of very much the end.
func (p *Process) Log() string { return p.log.String() }

// Kill ends the process as the kernel would, at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.done
}

// Stop asks the process to end, waits until it has and returns its exit code.
func (p *Process) Stop(sig syscall.Signal) (int, error) {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return 0, fmt.Errorf("stopping %s: %w; it %s", p.Name, err, p.exit())
	}
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(stopLimit):
		p.Kill()
		return 0, fmt.Errorf("stopping %s: it still ran after %v; its log:\n%s", p.Name, stopLimit, p.Log())
	}
}

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// exit says how the process ended; it waits for the end.
func (p *Process) exit() string {
	<-p.done
	if p.err == nil {
		return "ended with exit code 0"
	}
	return "ended: " + p.err.Error()
}

// maxLog is how much of a process's log is kept at least, in bytes: those of long runs would fill the memory.
const maxLog = 8 << 20

// lockedBuffer is a buffer that a process writes and tests read.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

var _ io.Writer = (*lockedBuffer)(nil)

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if excess := b.buf.Len() - maxLog; excess > maxLog {
		b.buf.Next(excess)
	}
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
