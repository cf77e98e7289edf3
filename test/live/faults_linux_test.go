package live

import (
	"os"
	"path/filepath"
	"strings"
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
