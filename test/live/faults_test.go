package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// faultWait is how long an outcome may take that comes within seconds on a machine that has nothing else to do.
const faultWait = 2 * time.Minute

// await waits until something is so. The logs of the processes are told when it never is.
func await(t *testing.T, what string, processes []*causewaytest.Process, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(faultWait); !done(); <-tick.C {
		if time.Now().After(deadline) {
			var logs strings.Builder
			for _, p := range processes {
				fmt.Fprintf(&logs, "\n%s:\n%s", p.Name, p.Log())
			}
			t.Fatalf("not within %v: %s%s", faultWait, what, logs.String())
		}
	}
}

// awaitLog waits until the log of a process holds a text.
func awaitLog(t *testing.T, p *causewaytest.Process, text string) {
	t.Helper()
	await(t, "a line of the log with "+text, []*causewaytest.Process{p}, func() bool { return strings.Contains(p.Log(), text) })
}

// ready is the status of a gateway's readiness.
func (w *world) ready(g *causewaytest.Process) int {
	w.tb.Helper()
	response, err := w.clients.Get(g.Listen["gateway"] + "/readyz")
	if err != nil {
		w.tb.Error(err)
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// instance is what the plane tells of a process of the gateway.
type instance struct {
	ID, Status, Message string
	Drift               int64
}

// awaitInstance waits until the plane tells so of one.
func (w *world) awaitInstance(t *testing.T, what string, processes []*causewaytest.Process, want func(instance) bool) {
	t.Helper()
	await(t, "an instance "+what, append(processes, w.plane), func() bool {
		var list struct{ Value []instance }
		answer := w.system.ARM(w.plane, http.MethodGet, "gateways/edge/instances", "")
		if err := json.Unmarshal([]byte(answer), &list); err != nil {
			t.Fatal(err)
		}
		for _, i := range list.Value {
			if want(i) {
				return true
			}
		}
		return false
	})
}

// awaitReports waits until the reports tell of every request that came to the backend service, each once.
func (w *world) awaitReports(t *testing.T) {
	t.Helper()
	want := fmt.Sprintf(`"callCountTotal":%d,`, len(w.backend.Requests()))
	await(t, "reports with "+want, []*causewaytest.Process{w.plane, w.edge}, func() bool {
		return strings.Contains(w.system.ARM(w.plane, http.MethodGet, "reports/byApi?%24filter=timestamp%20ge%202020-01-01T00:00:00Z", ""), want)
	})
}

// callers call a gateway until they are told to stop; a call that fails fails the test.
type callers struct {
	calls atomic.Int64
	stop  func()
}

func (w *world) callers(t *testing.T, call func() error) *callers {
	t.Helper()
	c := &callers{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			err := call()
			if t.Context().Err() != nil {
				return // the test is over, and the call with it
			}
			if err != nil {
				t.Errorf("after %d calls: %v", c.calls.Load(), err)
				return
			}
			c.calls.Add(1)
		}
	}()
	c.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(c.stop)
	return c
}

// more waits until there were n further calls, or one failed.
func (c *callers) more(t *testing.T, n int64) {
	t.Helper()
	before := c.calls.Load()
	await(t, "calls go on", nil, func() bool { return t.Failed() || c.calls.Load() >= before+n })
}

// tokenUntil makes a token of the primary key as it was made before: it may have expired.
func (w *world) tokenUntil(expiry time.Time) string {
	w.tb.Helper()
	var keys struct{ Primary string }
	if err := json.Unmarshal([]byte(w.system.ARM(w.plane, http.MethodPost, "gateways/edge/listKeys", "")), &keys); err != nil {
		w.tb.Fatal(err)
	}
	token, err := auth.NewGatewayToken("edge", keys.Primary, expiry, expiry.Add(-24*time.Hour))
	if err != nil {
		w.tb.Fatal(err)
	}
	return token
}

// startGateway starts a process of the gateway with a token and a folder for the copy of its configuration.
func (w *world) startGateway(name, token, backup string, settings ...string) *causewaytest.Process {
	w.tb.Helper()
	settings = append(settings, "config.service.endpoint="+w.plane.Listen["management"], "config.service.auth=GatewayKey "+token)
	return w.system.Start(name, append(settings, "gateway", "--config-backup", backup)...)
}

// causeway runs a command of the binary with settings, and returns what it prints and whether it ended well.
func causeway(t *testing.T, settings []string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Getenv("CAUSEWAY_BIN"), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir}, settings...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// expect runs one that must end well, or must not.
func expect(t *testing.T, well bool, settings []string, args ...string) string {
	t.Helper()
	out, ended := causeway(t, settings, args...)
	if ended != well {
		t.Fatalf("causeway %v ended well: %v\n%s", args, ended, out)
	}
	return out
}
