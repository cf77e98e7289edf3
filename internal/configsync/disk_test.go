package configsync

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// diskLog collects what a disk copy reports.
type diskLog struct{ reports []error }

func (l *diskLog) open(dir string) *disk {
	return openDisk(dir, nil, func(err error) { l.reports = append(l.reports, err) })
}

// read loads what is in a folder.
func (l *diskLog) read(dir string) *snapshot.Snapshot {
	d := l.open(dir)
	defer d.close()
	return d.load()
}

// history is a chain of small configurations.
func history(t testing.TB, n int) []*snapshot.Snapshot {
	all := []*snapshot.Snapshot{snapshot.Empty()}
	for i := range n {
		s := all[len(all)-1]
		next, _ := s.Edit(s.Sequence()+1, []snapshot.Part{
			policy(t, fmt.Sprintf("<policies>%d</policies>", i)),
			part(t, snapshot.KindGroup, fmt.Sprintf("groups/%d", i), snapshot.Group{}),
		}, nil)
		all = append(all, next)
	}
	return all
}

func save(t testing.TB, d *disk, all ...*snapshot.Snapshot) {
	t.Helper()
	for _, s := range all {
		if err := d.save(s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDiskKeepsTheNewest(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "here")
	var log diskLog
	all := history(t, 5)
	d := log.open(dir)
	if d.load() != nil {
		t.Fatal("something came out of nothing")
	}
	save(t, d, all[1], all[2])
	d.close() // nothing more than what kill -9 leaves: each save is synced

	d = log.open(dir)
	if s := d.load(); s == nil || s.Digest() != all[2].Digest() || s.Sequence() != 2 {
		t.Fatalf("got %v", s)
	}
	save(t, d, all[3], all[4])
	s := log.read(dir)
	if s == nil || s.Digest() != all[4].Digest() || s.Sequence() != 4 {
		t.Fatalf("got %v", s)
	}
	if len(log.reports) > 0 {
		t.Errorf("trouble: %v", log.reports)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%v, %v: want two bases, a journal and a lock", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// TestDiskFormat1 loads a copy as the first release wrote it. The files must load
// forever: never make them anew.
func TestDiskFormat1(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/format1")); err != nil {
		t.Fatal(err)
	}
	var log diskLog
	s := log.read(dir)
	if s == nil || s.Sequence() != 3 || s.Len() != 4 || len(log.reports) > 0 {
		t.Fatalf("got %v, %v", s, log.reports)
	}
	if s.Digest() != history(t, 3)[3].Digest() {
		t.Error("the same parts have another digest")
	}
}

// twoGenerations writes a copy with a generation before: the state at its end,
// and the newest one with states in base and journal.
func twoGenerations(t testing.TB, dir string) (before, base, newest *snapshot.Snapshot) {
	var log diskLog
	all := history(t, 5)
	d := log.open(dir)
	save(t, d, all[1], all[2])
	if err := d.writeBase(all[3]); err != nil {
		t.Fatal(err)
	}
	save(t, d, all[4], all[5])
	d.close()
	return all[2], all[3], all[5]
}

// TestDiskDamage changes and cuts each file at every byte. What is loaded must
// always be a configuration that was saved, and damage must be reported with
// the file's name.
func TestDiskDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before, base, newest := twoGenerations(t, dir)
	ends := map[[32]byte]bool{base.Digest(): true, newest.Digest(): true}
	ends[history(t, 4)[4].Digest()] = true
	for _, kind := range []string{"base", "journal"} {
		name := (&disk{dir: dir}).name(3, kind)
		good, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, content []byte, mayBeClean bool) {
			t.Helper()
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			var log diskLog
			s := log.read(dir)
			if s == nil {
				t.Fatalf("%s %s: nothing is left", kind, what)
			}
			if kind == "base" && s.Digest() != before.Digest() {
				t.Fatalf("%s %s: sequence %d instead of the generation before", kind, what, s.Sequence())
			}
			if kind == "journal" && !ends[s.Digest()] {
				t.Fatalf("%s %s: sequence %d was never saved", kind, what, s.Sequence())
			}
			if !mayBeClean && (len(log.reports) != 1 || !strings.Contains(log.reports[0].Error(), name)) {
				t.Fatalf("%s %s: reports %v", kind, what, log.reports)
			}
		}
		frames := cleanEnds(t, good)
		for i := range good {
			damaged := bytes.Clone(good)
			damaged[i] ^= 0x10
			check(fmt.Sprint("changed at ", i), damaged, false)
			check(fmt.Sprint("cut at ", i), good[:i], kind == "journal" && frames[i])
		}
		if err := os.WriteFile(name, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// cleanEnds are the lengths at which a journal is whole.
func cleanEnds(t testing.TB, b []byte) map[int]bool {
	ends := map[int]bool{0: true, len(diskHeader): true}
	r := bytes.NewReader(b[len(diskHeader):])
	for {
		if _, err := readFrame(r); err != nil {
			return ends
		}
		ends[len(b)-r.Len()] = true
	}
}

// TestDiskHasTwoGenerationsSoon: the first change already leaves a generation
// to fall back to, however small the journal is.
func TestDiskHasTwoGenerationsSoon(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var log diskLog
	all := history(t, 3)
	d := log.open(dir)
	save(t, d, all[1], all[2], all[3])
	newest := d.name(d.generation, "base")
	d.close()
	if err := os.Truncate(newest, 40); err != nil {
		t.Fatal(err)
	}
	if s := log.read(dir); s == nil || s.Digest() != all[1].Digest() {
		t.Errorf("got %v after damage of %s", s, newest)
	}
}

// TestDiskGoesOnAfterDamage: a damaged copy is replaced by a whole one, and the
// good generation stays until then.
func TestDiskGoesOnAfterDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before, _, newest := twoGenerations(t, dir)
	if err := os.Truncate((&disk{dir: dir}).name(3, "base"), 40); err != nil {
		t.Fatal(err)
	}
	var log diskLog
	d := log.open(dir)
	if s := d.load(); s.Digest() != before.Digest() {
		t.Fatal("not the generation before")
	}
	save(t, d, newest)
	if len(log.reports) != 2 || log.reports[1] != nil {
		t.Errorf("reports %v: want the damage and its end", log.reports)
	}
	if list, err := d.generations(); err != nil || len(list) != 2 || list[0] != 4 || list[1] != 2 {
		t.Errorf("generations %v, %v", list, err)
	}
	if s := log.read(dir); s.Digest() != newest.Digest() {
		t.Error("not the newest")
	}
}

// TestDiskIsShared: one instance of several keeps the copy, all can start from
// it, and another takes over.
func TestDiskIsShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := history(t, 4)
	var one, two diskLog
	first, second := one.open(dir), two.open(dir)
	save(t, first, all[1], all[2])
	if s := second.load(); s == nil || s.Sequence() != 2 {
		t.Fatalf("got %v", s)
	}
	if err := second.save(all[3]); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("got %v", err)
	}
	save(t, first, all[3])
	first.close()
	save(t, second, all[4])
	second.close()
	if s := one.read(dir); s.Sequence() != 4 {
		t.Errorf("sequence %d", s.Sequence())
	}
}

func TestDiskCompacts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var log diskLog
	d := log.open(dir)
	s := snapshot.Empty()
	text := strings.Repeat("x", 100<<10)
	for i := range 30 {
		s, _ = s.Edit(s.Sequence()+1, []snapshot.Part{policy(t, text+fmt.Sprint(i))}, nil)
		save(t, d, s)
	}
	if d.generation < 3 || len(log.reports) > 0 {
		t.Errorf("generation %d, %v", d.generation, log.reports)
	}
	if list, err := d.generations(); err != nil || len(list) != 2 {
		t.Errorf("generations %v, %v", list, err)
	}
	if got := log.read(dir); got.Digest() != s.Digest() {
		t.Error("not the newest")
	}
}

// fullFile takes some bytes and then no more.
type fullFile struct {
	*os.File
	room *int
}

func (f fullFile) Write(b []byte) (int, error) {
	if len(b) > *f.room {
		n, err := f.File.Write(b[:*f.room])
		*f.room -= n
		return n, errors.Join(err, errors.New("no space left on device"))
	}
	*f.room -= len(b)
	return f.File.Write(b)
}

// TestDiskFull fills the disk at every byte; what was saved before stays.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	all := history(t, 4)
	for room := 0; room < 2000; room += 61 {
		dir := t.TempDir()
		var log diskLog
		d := log.open(dir)
		left := room
		create := d.create
		d.create = func(name string, flag int) (diskFile, error) {
			f, err := create(name, flag)
			if err != nil {
				return nil, err
			}
			return fullFile{f.(*os.File), &left}, nil
		}
		saved := int64(0)
		for _, s := range all[1:] {
			if d.save(s) == nil {
				saved = s.Sequence()
			}
		}
		d.close()
		failed := saved != 4
		if failed != (len(log.reports) > 0) {
			t.Fatalf("room %d: saved %d, reports %v", room, saved, log.reports)
		}
		var again diskLog
		got := again.read(dir)
		if (got == nil) != (saved == 0) || (got != nil && got.Sequence() != saved) {
			t.Fatalf("room %d: %d was saved, loaded %v", room, saved, got)
		}
		left = 1 << 20
		save(t, d, all[4])
		if got := again.read(dir); got.Sequence() != 4 || (failed && log.reports[len(log.reports)-1] != nil) {
			t.Fatalf("room %d: does not recover: %v", room, log.reports)
		}
	}
}

// TestGatewayStartsFromDisk runs a gateway with a plane, without one, and with
// a plane again that has moved on.
func TestGatewayStartsFromDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := newPlane(t)
	s := serve(t, p)
	token := p.token(time.Now().Add(time.Hour), time.Now())
	trouble := func(err error) { t.Errorf("disk: %v", err) }

	g := newGateway(t, s.url, token, nil)
	g.Dir, g.Disk = dir, trouble
	g.start().until(1)
	p.put(policy(t, "one"))
	g.until(2)
	g.stop()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte(token[len(token)-40:])) {
			t.Errorf("%s holds the token (%v)", f, err)
		}
	}

	h := newGateway(t, "http://127.0.0.1:1", token, nil)
	h.Dir, h.Disk = dir, trouble
	h.start()
	if a := h.next(); a.from != nil || a.to.Sequence() != 2 || a.to.Len() != 4 {
		t.Errorf("from disk: %d with %d parts", a.to.Sequence(), a.to.Len())
	}
	h.state(StateWaiting)
	h.stop()

	p.put(policy(t, "two"))
	i := newGateway(t, s.url, token, nil)
	i.Dir, i.Disk = dir, trouble
	i.start().until(3)
	i.status("serving 3", func(s Status) bool { return s.Serving == 3 })
}

// TestLastConfigurationIsKept: a configuration that comes into service while the gateway ends is in the copy.
func TestLastConfigurationIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := newPlane(t)
	s := serve(t, p)
	token := p.token(time.Now().Add(time.Hour), time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	g := newGateway(t, s.url, token, func(s *snapshot.Snapshot) error {
		if s.Sequence() == 1 {
			p.put(policy(t, "one"))
		} else {
			cancel()
		}
		return nil
	})
	g.Dir, g.Disk = dir, func(err error) { t.Errorf("disk: %v", err) }
	if err := g.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if s := openDisk(dir, nil, g.Disk).load(); s == nil || s.Sequence() != 2 {
		t.Errorf("the copy is %+v", s)
	}
}

// FuzzReadFrames reads files as damage may leave them.
func FuzzReadFrames(f *testing.F) {
	dir := f.TempDir()
	twoGenerations(f, dir)
	for _, kind := range []string{"base", "journal"} {
		b, err := os.ReadFile((&disk{dir: dir}).name(3, kind))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, kind == "base")
	}
	f.Fuzz(func(t *testing.T, b []byte, end bool) {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		good, _, err := readFrames(name, end, nil, func(snapshot.Delta) error { return nil })
		if good > int64(len(b)) || (err == nil && good != int64(len(b))) {
			t.Fatalf("%d of %d bytes are good, %v", good, len(b), err)
		}
	})
}
