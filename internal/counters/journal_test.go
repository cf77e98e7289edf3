package counters

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// journalled opens a memory with a journal in a folder; end lets it write and close.
func journalled(t *testing.T, folder string, now func() time.Time) (m *Memory, end func()) {
	t.Helper()
	m = NewMemory(now)
	j, err := OpenJournal(m, folder)
	if err != nil || j.file == nil {
		t.Fatalf("%+v, %v", j, err)
	}
	return m, func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		j.Run(ctx, func(err error) { t.Error(err) })
	}
}

func TestJournalKeepsQuotas(t *testing.T) {
	t.Parallel()
	folder, clock := t.TempDir(), time.Unix(1_000_000, 0)
	now := func() time.Time { return clock }
	day := Limit{Key: "s|quota|day", Max: 10, Period: 24 * time.Hour, Window: Fixed}
	ever := Limit{Key: "s|quota|ever", Max: 10}
	rate := Limit{Key: "s|rate-limit|a", Max: 10, Period: time.Hour}
	short := Limit{Key: "s|quota|short", Max: 10, Period: 10 * time.Second, Window: Fixed}
	bucket := Limit{Key: "s|llm|b", Max: 10, Period: time.Hour, Window: Bucket}
	m, end := journalled(t, folder, now)
	for _, l := range []Limit{day, ever, rate, short, bucket} {
		if _, err := m.Take(t.Context(), []Limit{l}, 4); err != nil {
			t.Fatal(err)
		}
	}
	end()
	left := func(m *Memory, l Limit) int64 {
		d, err := m.Check(t.Context(), []Limit{l}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return d.Remaining
	}
	m, end = journalled(t, folder, now)
	for l, want := range map[Limit]int64{day: 6, ever: 6, rate: 10, short: 10, bucket: 10} {
		if got := left(m, l); got != want {
			t.Errorf("%s has %d left, want %d", l.Key, got, want)
		}
	}
	if _, err := m.Take(t.Context(), []Limit{day}, 1); err != nil {
		t.Fatal(err)
	}
	end()
	// A crash cut the last line off; and the window of the day is over.
	path := filepath.Join(folder, journalName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, `{"k":"s|quota|ever","u":9`...), 0o600); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(25 * time.Hour)
	m, end = journalled(t, folder, now)
	defer end()
	if left(m, day) != 10 || left(m, ever) != 6 {
		t.Errorf("after a day: %d and %d left", left(m, day), left(m, ever))
	}
}

func TestJournalIsRewritten(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	m := NewMemory(time.Now)
	j, err := OpenJournal(m, folder)
	if err != nil {
		t.Fatal(err)
	}
	padding := strings.Repeat("x", 1000)
	for i := range 40 {
		for k := range 100 {
			if _, err := m.Take(t.Context(), []Limit{{Key: padding + strconv.Itoa(k), Max: 1000, Period: 48 * time.Hour, Window: Fixed}}, 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.write(); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
	info, err := os.Stat(j.path)
	if err != nil || info.Size() > 2*journalRoom || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	again := NewMemory(time.Now)
	next, err := OpenJournal(again, folder)
	if err != nil || next.file != nil {
		t.Fatalf("the journal is open twice: %v", err)
	}
	seventh := []Limit{{Key: padding + "7", Max: 1000, Period: 48 * time.Hour, Window: Fixed}}
	d, err := again.Take(t.Context(), seventh, 1)
	if err != nil || d.Remaining != 959 {
		t.Errorf("%+v, %v", d, err)
	}
	// The one that waits keeps the journal when the first has ended.
	if err := next.write(); err != nil || next.file != nil {
		t.Fatalf("the journal has two writers: %v", err)
	}
	if err := j.file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := next.write(); err != nil || next.file == nil {
		t.Fatalf("nobody keeps the journal: %v", err)
	}
	defer next.file.Close()
	last := NewMemory(time.Now)
	if _, err := OpenJournal(last, folder); err != nil {
		t.Fatal(err)
	}
	if d, err := last.Check(t.Context(), seventh, 0); err != nil || d.Remaining != 959 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestJournalTellsOfFailures(t *testing.T) {
	t.Parallel()
	m := NewMemory(time.Now)
	j, err := OpenJournal(m, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := []Limit{{Key: "k", Max: 10}}
	if _, err := m.Take(t.Context(), l, 1); err != nil {
		t.Fatal(err)
	}
	j.file.Close()
	if err := j.write(); err == nil {
		t.Fatal("writing to a closed file works")
	}
	if !j.dirty["k"] {
		t.Error("what could not be written is forgotten")
	}
}

// TestJournalKeepsWhatWasSetBack: a counter that somebody sets to nothing does not come back with the next process.
func TestJournalKeepsWhatWasSetBack(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	limits := []Limit{{Key: "k", Max: 10}}
	m, end := journalled(t, folder, time.Now)
	if err := m.Commit(t.Context(), limits, 10); err != nil {
		t.Fatal(err)
	}
	end()
	m, end = journalled(t, folder, time.Now)
	if err := m.Commit(t.Context(), limits, -10); err != nil {
		t.Fatal(err)
	}
	end()
	m, end = journalled(t, folder, time.Now)
	defer end()
	if d, err := m.Take(t.Context(), limits, 10); err != nil || !d.Allowed {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestJournalWithoutAFolder: it is told that the folder cannot be used, and what is counted meanwhile is written once it can. What
// is over is not kept waiting.
func TestJournalWithoutAFolder(t *testing.T) {
	t.Parallel()
	folder, clock := filepath.Join(t.TempDir(), "counters"), time.Unix(1_000_000, 0)
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m := NewMemory(func() time.Time { return clock })
	if _, err := OpenJournal(m, folder); err == nil {
		t.Fatal("a file is taken for a folder")
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(folder), "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m = NewMemory(func() time.Time { return clock })
	j, err := OpenJournal(m, folder)
	if err != nil {
		t.Fatal(err)
	}
	j.file.Close()
	j.file, j.path = nil, filepath.Join(filepath.Dir(folder), "other", "counters.journal") // below a file
	for _, l := range []Limit{{Key: "short", Max: 10, Window: Fixed, Period: time.Hour}, {Key: "ever", Max: 10}} {
		if _, err := m.Take(t.Context(), []Limit{l}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.write(); err == nil || len(j.dirty) != 2 {
		t.Errorf("%v, %v wait", err, j.dirty)
	}
	clock = clock.Add(2 * time.Hour)
	if err := j.write(); err == nil || len(j.dirty) != 1 {
		t.Errorf("an hour later: %v, %v wait", err, j.dirty)
	}
	j.path = filepath.Join(folder, "counters.journal")
	if err := j.write(); err != nil || len(j.dirty) != 0 {
		t.Errorf("with a folder: %v, %v wait", err, j.dirty)
	}
	text, err := os.ReadFile(j.path)
	if err != nil || !strings.Contains(string(text), `"k":"ever"`) || strings.Contains(string(text), "short") {
		t.Errorf("%s, %v", text, err)
	}
}
