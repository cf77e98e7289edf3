package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// SpoolEntry is something that waits to be sent. Origin and Sequence identify it, also when it is sent twice.
type SpoolEntry struct {
	Origin   string
	Sequence int64
	Body     []byte
}

// SpoolOptions say where a spool keeps its entries.
type SpoolOptions struct {
	// Dir is a folder for files that outlive the process; empty for memory only. Other processes may use it, too: what one leaves behind is
	// sent by all that find it, and the receiver knows it by its number.
	Dir string
	// Origin numbers the entries of this process; no other has the same.
	Origin string
	// Bytes are the most that may wait; the oldest entries go first.
	Bytes int64
	// Report is told of entries that were lost and of trouble with the folder; not nil. It is called under a lock and must not block.
	Report func(lost int64, err error)
}

// Spool keeps entries in order until they are sent. It is safe for concurrent use.
type Spool struct {
	o SpoolOptions

	mu      sync.Mutex
	last    int64
	waiting []spooled
	bytes   int64
}

type spooled struct {
	origin   string
	sequence int64
	size     int64
	body     []byte // nil: in a file
}

const (
	spoolPrefix = "spool-"
	spoolSuffix = ".json"
	// maxSpoolFiles are looked at when a spool is opened.
	maxSpoolFiles = 100_000
)

// OpenSpool finds what earlier processes have left behind. Without a usable folder entries are kept in memory, which Report is told.
func OpenSpool(o SpoolOptions) *Spool {
	s := &Spool{o: o}
	if o.Dir == "" {
		return s
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		o.Report(0, err)
		s.o.Dir = ""
		return s
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		o.Report(0, err)
	}
	for _, e := range entries[:min(len(entries), maxSpoolFiles)] {
		origin, sequence, ok := parseSpoolName(e.Name())
		info, err := e.Info()
		if !ok || err != nil || !info.Mode().IsRegular() {
			continue
		}
		s.waiting = append(s.waiting, spooled{origin: origin, sequence: sequence, size: info.Size()})
		s.bytes += info.Size()
	}
	slices.SortFunc(s.waiting, func(a, b spooled) int {
		if c := strings.Compare(a.origin, b.origin); c != 0 {
			return c
		}
		return int(a.sequence - b.sequence)
	})
	s.makeRoom()
	return s
}

func spoolName(origin string, sequence int64) string {
	return fmt.Sprintf("%s%s-%010d%s", spoolPrefix, origin, sequence, spoolSuffix)
}

func parseSpoolName(name string) (origin string, sequence int64, ok bool) {
	middle, prefixed := strings.CutPrefix(name, spoolPrefix)
	middle, suffixed := strings.CutSuffix(middle, spoolSuffix)
	dash := strings.LastIndexByte(middle, '-')
	if !prefixed || !suffixed || dash <= 0 {
		return "", 0, false
	}
	sequence, err := strconv.ParseInt(middle[dash+1:], 10, 64)
	return middle[:dash], sequence, err == nil && sequence > 0
}

// Add appends an entry of this process.
func (s *Spool) Add(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	e := spooled{origin: s.o.Origin, sequence: s.last, size: int64(len(body)), body: body}
	if s.o.Dir != "" {
		if err := s.write(e); err != nil {
			s.o.Report(0, err) // it waits in memory
		} else {
			e.body = nil
		}
	}
	s.waiting = append(s.waiting, e)
	s.bytes += e.size
	s.makeRoom()
}

// write makes the file of an entry, whole or not at all.
func (s *Spool) write(e spooled) error {
	f, err := os.CreateTemp(s.o.Dir, ".spool-*")
	if err != nil {
		return err
	}
	_, err = f.Write(e.body)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.o.Dir, spoolName(e.origin, e.sequence)))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// makeRoom drops the oldest entries beyond the bound.
func (s *Spool) makeRoom() {
	lost := int64(0)
	for s.bytes > s.o.Bytes && len(s.waiting) > 0 {
		s.remove(0)
		lost++
	}
	if lost > 0 {
		s.o.Report(lost, nil)
	}
}

func (s *Spool) remove(i int) {
	e := s.waiting[i]
	s.bytes -= e.size
	s.waiting = slices.Delete(s.waiting, i, i+1)
	if e.body != nil {
		return
	}
	if err := os.Remove(filepath.Join(s.o.Dir, spoolName(e.origin, e.sequence))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.o.Report(0, err)
	}
}

// Next returns the oldest entry.
func (s *Spool) Next() (SpoolEntry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > 0 {
		e := s.waiting[0]
		if e.body != nil {
			return SpoolEntry{e.origin, e.sequence, e.body}, true
		}
		body, err := os.ReadFile(filepath.Join(s.o.Dir, spoolName(e.origin, e.sequence)))
		if err == nil {
			return SpoolEntry{e.origin, e.sequence, body}, true
		}
		if !errors.Is(err, fs.ErrNotExist) { // another process has sent it
			s.o.Report(1, err)
		}
		s.remove(0)
	}
	return SpoolEntry{}, false
}

// Done drops an entry that was sent.
func (s *Spool) Done(e SpoolEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.waiting, func(w spooled) bool { return w.origin == e.Origin && w.sequence == e.Sequence })
	if i >= 0 {
		s.remove(i)
	}
}

// Waiting is how many entries wait.
func (s *Spool) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}
