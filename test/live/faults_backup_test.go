package live

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// copyFolder copies the files of a folder into another one.
func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// rewrite changes a file.
func rewrite(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	firstBase     = "configuration-0000000001.base"
	secondBase    = "configuration-0000000002.base"
	secondJournal = "configuration-0000000002.journal"
)

// backups has a gateway write two generations, the second with a journal: the first one says 0, the second one 1, its journal 2.
func (w *world) backups(t *testing.T, settings ...string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	w.change(0)
	w.edge = w.startGateway("edge", w.token("primary"), folder, settings...)
	for n, file := range []string{firstBase, secondBase, secondJournal} {
		if n > 0 {
			w.change(n)
		}
		w.waitFor(w.edge, n, faultWait)
		await(t, "the backup has "+file, []*causewaytest.Process{w.edge}, func() bool {
			_, err := os.Stat(filepath.Join(folder, file))
			return err == nil
		})
	}
	if code, err := w.edge.Stop(syscall.SIGTERM); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	return folder
}

// TestBackupIsDamaged: the newest good state is served without a plane, and the log names the file that is damaged.
func TestBackupIsDamaged(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	folder := w.backups(t)
	token := w.token("primary")
	w.plane.Kill()
	flip := func(b []byte) []byte { b[len(b)/2] ^= 0x40; return b }
	half := func(b []byte) []byte { return b[:len(b)/2] }
	less := func(b []byte) []byte { return b[:len(b)-1] }
	for _, c := range []struct {
		name   string
		damage map[string]func([]byte) []byte
		want   int // -1: nothing
		told   string
	}{
		{name: "whole", want: 2},
		{name: "changed journal", damage: map[string]func([]byte) []byte{secondJournal: flip}, want: 1, told: secondJournal + " is damaged after"},
		{name: "half-written journal", damage: map[string]func([]byte) []byte{secondJournal: less}, want: 1, told: secondJournal + " is damaged after"},
		{name: "changed base", damage: map[string]func([]byte) []byte{secondBase: flip}, want: 0, told: secondBase + " is damaged, trying the one before"},
		{name: "half-written base", damage: map[string]func([]byte) []byte{secondBase: half}, want: 0, told: secondBase + " is damaged, trying the one before"},
		{name: "nothing good", damage: map[string]func([]byte) []byte{firstBase: half, secondBase: flip}, want: -1, told: firstBase + " is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			backup := copyFolder(t, folder)
			for file, damage := range c.damage {
				rewrite(t, filepath.Join(backup, file), damage)
			}
			if c.told != "" {
				out, _ := causeway(t, []string{"config.service.endpoint=" + w.plane.Listen["management"]}, "doctor", "--config-backup", backup, "-o", "tsv")
				if verdict := map[bool]string{true: "backup\tok", false: "backup\tfailed"}[c.want >= 0]; !strings.Contains(out, c.told) || !strings.Contains(out, verdict) {
					t.Errorf("the doctor says:\n%s", out)
				}
			}
			g := w.startGateway(strings.ReplaceAll(c.name, " ", "-"), token, backup)
			if c.told != "" {
				awaitLog(t, g, c.told)
			}
			awaitLog(t, g, "The gateway has no connection to the management plane")
			if c.want >= 0 {
				w.waitFor(g, c.want, faultWait)
			} else if status := w.ready(g); status != 503 {
				t.Errorf("readiness answers %d", status)
			}
			if c.told == "" && strings.Contains(g.Log(), "BackupFailed") {
				t.Errorf("the log tells of damage:\n%s", g.Log())
			}
		})
	}
}

// TestBackupIsEncrypted: without the key nobody reads the copy; with it the gateway starts without a plane.
func TestBackupIsEncrypted(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	key := func(b byte) string {
		return "FAULTS_KEY=" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
	}
	const setting = "config.backup.key=env:FAULTS_KEY"
	folder := w.backups(t, key(7), setting)
	for _, file := range []string{firstBase, secondBase, secondJournal} {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil || bytes.Contains(text, []byte("X-Change")) || !bytes.HasPrefix(text, []byte("causeway configuration, encrypted")) {
			t.Errorf("%s is not encrypted (%v)", file, err)
		}
	}
	token := w.token("primary")
	w.plane.Kill()
	w.waitFor(w.startGateway("right", token, copyFolder(t, folder), key(7), setting), 2, faultWait)
	for name, c := range map[string]struct {
		settings []string
		told     string
	}{
		"wrong": {[]string{key(8), setting}, "it was encrypted with another key, or changed"},
		"none":  {nil, "the setting config.backup.key is needed"},
	} {
		g := w.startGateway(name, token, copyFolder(t, folder), c.settings...)
		awaitLog(t, g, c.told)
		if status := w.ready(g); status != 503 {
			t.Errorf("with a %s key readiness answers %d", name, status)
		}
	}
	if out := expect(t, false, []string{"config.service.endpoint=" + w.plane.Listen["management"], "config.service.auth=GatewayKey " + token, setting},
		"doctor", "--config-backup", folder, "-o", "tsv"); !strings.Contains(out, "backup\tfailed\tsetting config.backup.key") {
		t.Errorf("the doctor says without the key:\n%s", out)
	}
}
