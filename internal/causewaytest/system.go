package causewaytest

import (
	"context"
	"crypto/rand"
	"os"
	"testing"
	"time"
)

// System runs processes of the real binary for tests and benchmarks in Go, with the same defaults as the scripts'
// causeway-start.
type System struct {
	tb testing.TB
	s  *session
}

// NewSystem builds the binary and returns a system without processes. What it starts ends with the test.
func NewSystem(tb testing.TB) *System {
	tb.Helper()
	bin, err := Build(tb.Context(), tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	s := newSession(bin, tb.TempDir())
	s.base = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.work} // settings of the machine stay outside
	tb.Cleanup(s.close)
	return &System{tb: tb, s: s}
}

// Start starts a process and waits until it is ready. The arguments are those of causeway-start:
// [VARIABLE=VALUE…] dev|server|gateway ARG….
func (y *System) Start(name string, args ...string) *Process {
	y.tb.Helper()
	return y.StartWithin(startLimit, name, args...)
}

// StartWithin does what Start does for a process that has much to read before it is ready.
func (y *System) StartWithin(limit time.Duration, name string, args ...string) *Process {
	y.tb.Helper()
	c, err := y.s.command(append([]string{name}, args...))
	if err != nil {
		y.tb.Fatal(err)
	}
	c.limit = limit
	p, err := start(y.tb.Context(), c)
	if err != nil {
		y.tb.Fatal(err)
	}
	y.s.add(p)
	return p
}

// ARM calls the management API of a process and returns the answer's body; an answer of an error fails the test. The
// path is below [DevService] unless it starts with /subscriptions or /providers.
func (y *System) ARM(plane *Process, method, path, body string) string {
	y.tb.Helper()
	status, answer, err := y.TryARM(plane, method, path, body)
	if err != nil {
		y.tb.Fatal(err)
	}
	if status >= 400 {
		y.tb.Fatalf("%s %s answers %d: %s%s", method, path, status, answer, y.s.logs())
	}
	return answer
}

// TryARM does what ARM does for calls that may fail. It may be called from any goroutine.
func (y *System) TryARM(plane *Process, method, path, body string) (status int, answer string, err error) {
	req := request{method: method, url: plane.Listen["management"] + armPath(DevService, path), body: body, header: []Field{
		{"Authorization", "Bearer " + y.s.token}, {"Content-Type", "application/json"},
	}}
	resp, err := req.send(context.Background())
	if err != nil {
		return 0, "", err
	}
	return resp.status, resp.body, nil
}

// newSession returns the state of a script or a system in a work folder.
func newSession(bin, work string) *session {
	return &session{
		bin: bin, work: work, token: "test-" + rand.Text(),
		processes: map[string]*Process{}, ports: map[string]string{}, backends: map[string]*Backend{},
	}
}
