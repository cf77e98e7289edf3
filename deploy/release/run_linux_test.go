package main

import (
	"archive/tar"
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// imageFor returns the image for an architecture out of a layout.
func imageFor(t *testing.T, folder string, digest v1.Hash, arch string) v1.Image {
	t.Helper()
	l, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	index, err := l.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest.Manifests {
		if m.Platform.OS == "linux" && m.Platform.Architecture == arch {
			img, err := index.Image(m.Digest)
			if err != nil {
				t.Fatal(err)
			}
			return img
		}
	}
	t.Fatal("no image for " + arch)
	return nil
}

// unpack writes the files of an image into a folder. Nothing in it can be written by those who run it.
func unpack(t *testing.T, img v1.Image, folder string) {
	t.Helper()
	files := mutate.Extract(img)
	defer files.Close()
	entries := tar.NewReader(files)
	var folders []string
	for {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder, h.Name)
		if h.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(name, 0o755); err != nil {
				t.Fatal(err)
			}
			folders = append(folders, name)
			continue
		}
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, h.FileInfo().Mode().Perm()&^0o222)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(f, entries); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range append(folders, folder) {
		if err := os.Chmod(name, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(name, 0o755) }) // so that it can be removed
	}
}

// container is the command of an image's entry point as a user, with the image's files as its whole file system.
func container(t *testing.T, img v1.Image, root string, uid int, args ...string) *exec.Cmd {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	args = append(config.Config.Cmd, args...)
	cmd := exec.CommandContext(t.Context(), config.Config.Entrypoint[0], args...)
	cmd.Dir, cmd.Env = config.Config.WorkingDir, []string{"config.service.endpoint=http://127.0.0.1:1", "config.service.auth=GatewayKey edge&209901010000&" + strings.Repeat("A", 86) + "=="}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
		return cmd
	}
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getgid(), Size: 1}}
	return cmd
}

// TestImageRuns unpacks the image and runs its entry point as its user and as another one, on files that cannot be written and with nothing else:
// it listens, lives, is not ready without a configuration, and ends when it is told to. A machine that lets nobody change the root runs the
// program where it lies.
func TestImageRuns(t *testing.T) {
	t.Parallel()
	built, err := sources{root: "../..", created: created}.build(t.Context(), runtime.GOARCH, "1.2.3", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	digest, err := writeImage(folder, []binary{built}, imageOptions{version: "1.2.3", created: created, tags: []string{"1.2.3"}})
	if err != nil {
		t.Fatal(err)
	}
	img, root := imageFor(t, folder, digest, runtime.GOARCH), filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	unpack(t, img, root)
	for _, above := range []string{filepath.Dir(root), filepath.Dir(filepath.Dir(root))} { // another user goes through them
		if err := os.Chmod(above, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, uid := range []int{user, 48271} {
		cmd := container(t, img, root, uid, "--gateway-listen", "127.0.0.1:0", "--gateway-tls-listen", "127.0.0.1:0")
		said, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var complaints strings.Builder
		cmd.Stderr = &complaints
		if err = cmd.Start(); errors.Is(err, syscall.EPERM) {
			t.Logf("as user %d: %v; running it in place", uid, err)
			cmd.Path, cmd.Dir, cmd.SysProcAttr = filepath.Join(root, cmd.Path), root, nil
			err = cmd.Start()
		}
		if err != nil {
			t.Fatalf("as user %d: %v", uid, err)
		}
		address, lines := "", bufio.NewScanner(said)
		for listens := regexp.MustCompile(`The gateway listens on (127\.0\.0\.1:\d+)\.`); address == "" && lines.Scan(); {
			// Two listeners, in any order; the one for HTTPS answers plain requests with 400.
			if m := listens.FindStringSubmatch(lines.Text()); m != nil && answers(t, "http://"+m[1]+"/livez") == http.StatusOK {
				address = m[1]
			}
		}
		if address == "" {
			t.Fatalf("as user %d it does not listen: %v, %v\n%s", uid, lines.Err(), cmd.Wait(), complaints.String())
		}
		if got := answers(t, "http://"+address+"/readyz"); got != http.StatusServiceUnavailable {
			t.Errorf("as user %d readiness answers %d", uid, got)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			if strings.Contains(lines.Text(), "panic") {
				t.Error(lines.Text())
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("as user %d it ends with %v\n%s", uid, err, complaints.String())
		}
	}
}

// answers is the status of a page, 0 without one.
func answers(t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}
