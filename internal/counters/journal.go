package counters

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	journalName = "counters.journal"
	// journalInterval is how much counting a crash may lose.
	journalInterval = time.Second
	// journalRoom is how far the file may grow beyond twice what is needed.
	journalRoom = 1 << 20
	// longWindow is the length of fixed windows from which a counter is worth keeping: shorter ones are over soon.
	longWindow = time.Minute
)

// Journal keeps counters of quotas over restarts: those of fixed windows of a minute and more, and of those that count for
// ever. It appends what has changed to a file once a second, so that a crash loses a second at most and an orderly end
// nothing. Sliding windows and buckets are short-lived and not kept.
type Journal struct {
	memory *Memory
	path   string

	mu    sync.Mutex
	dirty map[string]bool

	file *os.File // nil while another process keeps the journal
	size int64    // bytes written
	base int64    // bytes that the last rewriting took
}

// journalLine is the state of a counter.
type journalLine struct {
	Key     string `json:"k"`
	Window  int64  `json:"w,omitempty"`
	Used    int64  `json:"u"`
	Expires int64  `json:"e"` // Unix seconds
}

// OpenJournal loads the counters that a folder holds into memory, which must not be in use yet, and watches it. Of several
// processes with one folder, one keeps the journal; when it ends another does.
func OpenJournal(m *Memory, folder string) (*Journal, error) {
	j := &Journal{memory: m, path: filepath.Join(folder, journalName), dirty: make(map[string]bool)}
	if err := j.load(); err != nil {
		return nil, err
	}
	m.watch = append(m.watch, j.note)
	_ = j.acquire() // Run tries again, and tells
	return j, nil
}

// acquire opens the file, unless another process has it: then file stays nil.
func (j *Journal) acquire() error {
	if err := os.MkdirAll(filepath.Dir(j.path), 0o700); err != nil {
		return fmt.Errorf("open the journal of quotas: %w", err)
	}
	file, err := os.OpenFile(j.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the journal of quotas: %w", err)
	}
	if tryLock(file) != nil {
		return file.Close()
	}
	j.file = file
	return nil
}

// load reads the counters. A line that cannot be read, such as a last one that a crash cut off, is left out.
func (j *Journal) load() error {
	f, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the journal of quotas: %w", err)
	}
	defer f.Close()
	now := j.memory.now()
	lines := bufio.NewReaderSize(f, 1<<16)
	for {
		text, err := lines.ReadBytes('\n')
		var l journalLine
		if json.Unmarshal(text, &l) == nil && l.Key != "" && time.Unix(l.Expires, 0).After(now) {
			j.memory.restore(l)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the journal of quotas: %w", err)
		}
	}
}

// restore puts a counter into memory as it was.
func (m *Memory) restore(l journalLine) {
	s := m.shard(l.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := m.entry(l.Key, m.now())
	e.start, e.used, e.expires = l.Window, l.Used, time.Unix(l.Expires, 0)
}

// note takes down that a counter has changed.
func (j *Journal) note(l Limit, _ int64) {
	if l.Period > 0 && (l.Window != Fixed || l.Period < longWindow) {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.dirty[l.Key] {
		j.dirty[strings.Clone(l.Key)] = true
	}
}

// Run writes until ctx ends, then a last time. report is called with the first of a row of failures, and with nil when writing
// works again; what could not be written is written later.
func (j *Journal) Run(ctx context.Context, report func(error)) {
	defer func() {
		if j.file != nil {
			j.file.Close()
		}
	}()
	tick := time.NewTicker(journalInterval)
	defer tick.Stop()
	failing := false
	for {
		done := false
		select {
		case <-ctx.Done():
			done = true
		case <-tick.C:
		}
		if err := j.write(); (err != nil) != failing {
			failing = err != nil
			report(err)
		}
		if done {
			return
		}
	}
}

// write writes what has changed. What cannot be written now is kept for later, but for counters that are over meanwhile.
func (j *Journal) write() error {
	j.mu.Lock()
	dirty := j.dirty
	j.dirty = make(map[string]bool)
	j.mu.Unlock()
	err := j.put(dirty)
	if err == nil && j.file != nil {
		return nil
	}
	maps.DeleteFunc(dirty, func(key string, _ bool) bool {
		_, counts := j.memory.line(key)
		return !counts
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	maps.Copy(j.dirty, dirty)
	return err
}

// put appends counters, or writes the file anew when most of it is out of date. While another process has the file it does
// nothing.
func (j *Journal) put(keys map[string]bool) error {
	if j.file == nil {
		if err := j.acquire(); err != nil || j.file == nil {
			return err
		}
		j.base = -journalRoom // what the other process wrote is of its own counters: the file is written anew
	}
	if len(keys) == 0 {
		return nil
	}
	err := j.append(keys)
	if err == nil && j.size > 2*j.base+journalRoom {
		err = j.rewrite()
	}
	if err != nil {
		return fmt.Errorf("write the journal of quotas: %w", err)
	}
	return nil
}

func (j *Journal) append(keys map[string]bool) error {
	var b []byte
	for key := range keys {
		if l, ok := j.memory.line(key); ok {
			b = appendLine(b, l)
		}
	}
	n, err := j.file.Write(b)
	j.size += int64(n)
	if err != nil && n > 0 { // a line that was cut off must not swallow the next one
		_, _ = j.file.WriteString("\n")
	}
	return err
}

// rewrite keeps only what still counts. The name always leads to a whole file, and the lock goes along.
func (j *Journal) rewrite() (err error) {
	next, err := os.OpenFile(j.path+".new", os.O_CREATE|os.O_RDWR|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, next.Close(), os.Remove(next.Name()))
		}
	}()
	if err := tryLock(next); err != nil {
		return err
	}
	var b []byte
	for _, l := range j.memory.lines() {
		b = appendLine(b, l)
	}
	if _, err := next.Write(b); err != nil {
		return err
	}
	if err := next.Sync(); err != nil {
		return err
	}
	if err := os.Rename(next.Name(), j.path); err != nil {
		return err
	}
	old := j.file
	j.file, j.size, j.base = next, int64(len(b)), int64(len(b))
	return old.Close()
}

func appendLine(b []byte, l journalLine) []byte {
	text, err := json.Marshal(l)
	if err != nil { // strings and numbers always can be
		return b
	}
	return append(append(b, text...), '\n')
}

// line is the state of a counter that still counts.
func (m *Memory) line(key string) (journalLine, bool) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key]
	if e == nil || !e.fixed(m.now()) {
		return journalLine{}, false
	}
	return journalLine{key, e.start, e.used, e.expires.Unix()}, true
}

// lines are the states of all counters that a journal keeps.
func (m *Memory) lines() (list []journalLine) {
	now := m.now()
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for key, e := range s.entries {
			if e.kept(now) {
				list = append(list, journalLine{key, e.start, e.used, e.expires.Unix()})
			}
		}
		s.mu.Unlock()
	}
	return list
}

// fixed reports whether an entry may be of a window that a journal keeps, which still runs: those set nothing but what they have
// used. That may be nothing: somebody has set the counter back.
func (e *entry) fixed(now time.Time) bool {
	return len(e.slots) == 0 && e.level == 0 && e.expires.After(now)
}

// kept reports whether the entry is worth keeping, too.
func (e *entry) kept(now time.Time) bool { return e.used != 0 && e.fixed(now) }
