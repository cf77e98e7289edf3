package live

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskIsFull: the log tells that the copy of the configuration cannot be written, and the gateway serves on; the next copy is
// written as soon as there is room.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	folder := t.TempDir()
	// Whoever writes to this device is told that there is no room; the gateway removes what it could not write.
	if err := os.Symlink("/dev/full", filepath.Join(folder, firstBase+".tmp")); err != nil {
		t.Fatal(err)
	}
	w.edge = w.startGateway("edge", w.token("primary"), folder)
	w.waitFor(w.edge, 0, faultWait)
	awaitLog(t, w.edge, "no space left on device")
	if log := w.edge.Log(); !strings.Contains(log, "[BackupFailed] The copy of the configuration has a problem.") {
		t.Errorf("the log says:\n%s", log)
	}
	calling := w.callers(t, func() error { _, err := w.get(w.edge); return err })
	w.change(1)
	w.waitFor(w.edge, 1, faultWait)
	awaitLog(t, w.edge, "[BackupRestored]")
	calling.more(t, 20)
	if _, err := os.Stat(filepath.Join(folder, firstBase)); err != nil {
		t.Error(err)
	}
}

// TestUsageIsCountedOnce: the plane stands still while a gateway reports and ends. Whether it takes the report later, of which nobody
// hears, or not: the next process of the gateway reports the same again, and it counts once.
func TestUsageIsCountedOnce(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	folder, token := t.TempDir(), w.token("primary")
	w.edge = w.startGateway("edge", token, folder)
	w.waitFor(w.edge, 0, faultWait)
	awaitLog(t, w.edge, "The gateway is connected to the management plane.")
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(w.plane.PID(), s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	for range 7 {
		if _, err := w.get(w.edge); err != nil {
			t.Error(err)
		}
	}
	if code, err := w.edge.Stop(syscall.SIGTERM); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	signal(syscall.SIGCONT)
	w.edge = w.startGateway("edge", token, folder)
	w.waitFor(w.edge, 0, faultWait)
	w.awaitReports(t)
}
