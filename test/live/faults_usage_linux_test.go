package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestUsageFolderTakesNothing: a gateway whose reports can neither be sent nor written says so and keeps them in memory. It serves on, and
// each request is in the reports once when the plane is back.
func TestUsageFolderTakesNothing(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	folder := t.TempDir()
	// Nobody can make a file there, not even root. To the gateway a full disk is no different, but making one takes the right to mount it.
	if err := os.Symlink("/proc/self", filepath.Join(folder, "usage")); err != nil {
		t.Fatal(err)
	}
	w.edge = w.startGateway("edge", w.token("primary"), folder)
	w.waitFor(w.edge, 0, faultWait)
	calling := w.callers(t, func() error { _, err := w.get(w.edge); return err })
	w.plane.Kill()
	calling.more(t, 20)
	awaitLog(t, w.edge, "[UsageFolderFailed] The folder for reports of usage has a problem; they are kept in memory.")
	calling.more(t, 20)
	calling.stop()
	w.plane = w.system.Start("plane", "dev", "--empty")
	w.awaitReports(t)
	if log := w.edge.Log(); strings.Contains(log, "UsageDropped") {
		t.Errorf("the log says:\n%s", log)
	}
}

// TestUsageBeyondTheBound: what waits for the plane beyond 64 MiB is dropped, the oldest first, and the log tells how much. The rest is
// in the reports.
func TestUsageBeyondTheBound(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	folder, token := t.TempDir(), w.token("primary")
	w.edge = w.startGateway("edge", token, folder)
	w.waitFor(w.edge, 0, faultWait)
	w.plane.Kill()
	for range 7 {
		if _, err := w.get(w.edge); err != nil {
			t.Error(err)
		}
	}
	if code, err := w.edge.Stop(syscall.SIGTERM); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	// Three of an older process, which take no room on the disk.
	older := func(n int) string { return filepath.Join(folder, "usage", fmt.Sprintf("spool-0-%010d.json", n)) }
	for n := 1; n <= 3; n++ {
		if err := os.WriteFile(older(n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(older(n), 64<<20); err != nil {
			t.Fatal(err)
		}
	}
	w.edge = w.startGateway("edge", token, folder)
	w.waitFor(w.edge, 0, faultWait)
	awaitLog(t, w.edge, "[UsageDropped] Reports of usage were dropped., count: 3,")
	for n := 1; n <= 3; n++ {
		if _, err := os.Stat(older(n)); !os.IsNotExist(err) {
			t.Errorf("report %d is still there (%v)", n, err)
		}
	}
	w.plane = w.system.Start("plane", "dev", "--empty")
	w.awaitReports(t)
}
