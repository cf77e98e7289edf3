package telemetry_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/telemetry"
)

func TestSpool(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"memory": "", "disk": filepath.Join(t.TempDir(), "usage")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lost int64
			s := openSpool(t, dir, "one", 10, &lost)
			s.Add([]byte("aaaa"))
			s.Add([]byte("bbbb"))
			wantNext(t, s, "one 1 aaaa")
			wantNext(t, s, "one 1 aaaa") // until it is done
			s.Add([]byte("cccc"))        // no room for the oldest
			wantNext(t, s, "one 2 bbbb")
			if lost != 1 {
				t.Errorf("%d entries were reported as lost", lost)
			}
			done(s)
			wantNext(t, s, "one 3 cccc")
			done(s)
			wantNext(t, s, "")
		})
	}
}

func TestSpoolOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir, lost := t.TempDir(), int64(0)
	first := openSpool(t, dir, "host-1", 100, &lost)
	for i := range 3 {
		first.Add(fmt.Append(nil, i))
	}
	if err := os.WriteFile(filepath.Join(dir, "spool-bad.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second := openSpool(t, dir, "host-2", 100, &lost)
	second.Add([]byte("new"))
	third := openSpool(t, dir, "host-3", 4, &lost) // with less room
	wantNext(t, third, "host-1 3 2")
	for _, want := range []string{"host-1 3 2", "host-2 1 new", ""} {
		wantNext(t, second, want)
		done(second)
	}
	if third.Waiting() == 0 {
		t.Error("the third has nothing that the second has sent")
	}
	wantNext(t, third, "")
}

func TestSpoolWithoutAUsableFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var reported []string
	s := telemetry.OpenSpool(telemetry.SpoolOptions{Dir: file, Origin: "o", Bytes: 10, Report: func(_ int64, err error) { reported = append(reported, err.Error()) }})
	s.Add([]byte("a"))
	wantNext(t, s, "o 1 a")
	if len(reported) != 1 || !strings.Contains(reported[0], "file") {
		t.Errorf("reported: %q", reported)
	}
}

func openSpool(t *testing.T, dir, origin string, bytes int64, lost *int64) *telemetry.Spool {
	t.Helper()
	return telemetry.OpenSpool(telemetry.SpoolOptions{Dir: dir, Origin: origin, Bytes: bytes, Report: func(n int64, err error) {
		*lost += n
		if err != nil {
			t.Error(err)
		}
	}})
}

func wantNext(t *testing.T, s *telemetry.Spool, want string) {
	t.Helper()
	got := ""
	if e, ok := s.Next(); ok {
		got = fmt.Sprintf("%s %d %s", e.Origin, e.Sequence, e.Body)
	}
	if got != want {
		t.Errorf("next is %q, not %q", got, want)
	}
}

func done(s *telemetry.Spool) {
	if e, ok := s.Next(); ok {
		s.Done(e)
	}
}
