package configsync

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// diskHeader starts each file of the disk copy; the number is the format.
const diskHeader = "causeway configuration 1\n"

const (
	// minCompaction is the least length (bytes) of a journal that is compacted.
	minCompaction = 1 << 20
	// maxJournalFrame is the greatest change (bytes) that goes into a journal; a
	// greater one makes a new base.
	maxJournalFrame = 8 << 20
)

// disk is a gateway's configuration on disk. A generation is a base file, which
// is written once, and a journal, to which changes are appended:
//
//	configuration-0000000007.base, configuration-0000000007.journal
//
// Both are the header and frames: a length (4 bytes, little-endian) and an
// encoded delta, which has a checksum. A base starts at nothing and ends with a
// frame of length 0. The newest generation and the one before are kept.
type disk struct {
	dir    string
	report func(error)
	seal   cipher.AEAD // encrypts what is written; nil: nothing does
	create func(name string, flag int) (diskFile, error)

	last       *snapshot.Snapshot // what the newest generation holds; nil: write a base
	generation int64              // newest number in use
	good       int64              // generation that was loaded or written last
	paired     bool               // there is another generation to fall back to
	base       int64              // bytes of the base
	journal    diskFile           // nil until the first append
	lock       *os.File           // held while this process keeps the copy
	length     int64              // bytes of the journal
	trouble    string             // reported last; empty for none
}

type diskFile interface {
	io.WriteCloser
	Sync() error
}

func openDisk(dir string, seal cipher.AEAD, report func(error)) *disk {
	return &disk{dir: dir, report: report, seal: seal, create: func(name string, flag int) (diskFile, error) {
		return os.OpenFile(name, flag|os.O_WRONLY|os.O_CREATE, 0o600)
	}}
}

func (d *disk) name(generation int64, kind string) string {
	return filepath.Join(d.dir, fmt.Sprintf("configuration-%010d.%s", generation, kind))
}

// generations lists the numbers of the base files, newest first.
func (d *disk) generations() ([]int64, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var list []int64
	for _, e := range entries {
		var n int64
		if _, err := fmt.Sscanf(e.Name(), "configuration-%d.base", &n); err == nil && e.Name() == filepath.Base(d.name(n, "base")) {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	slices.Reverse(list)
	return list, nil
}

// ReadCopy reads the configuration copy in a folder as a gateway does that starts, and tells what is damaged. Nothing is written.
// The snapshot is nil when there is no copy, or none that is good.
func ReadCopy(dir string, key []byte) (s *snapshot.Snapshot, damage []error, err error) {
	seal, err := newSealing(key)
	if err != nil {
		return nil, nil, err
	}
	d := openDisk(dir, seal, func(err error) { damage = append(damage, err) })
	return d.read(), damage, nil
}

// load reads the newest good copy; nil when there is none. Damage is reported.
func (d *disk) load() *snapshot.Snapshot {
	// Without the lock (or the folder) the copy can be read all the same; the
	// first save says what is wrong.
	_ = d.acquire()
	return d.read()
}

func (d *disk) read() *snapshot.Snapshot {
	list, err := d.generations()
	if err != nil {
		d.fail(fmt.Errorf("read the configuration copy: %w", err))
		return nil
	}
	if len(list) > 0 {
		d.generation, d.paired = list[0], len(list) > 1
	}
	for _, n := range list {
		s, base, sealed, err := d.loadBase(n)
		if err != nil {
			d.fail(fmt.Errorf("configuration copy %s is damaged, trying the one before: %w", d.name(n, "base"), err))
			continue
		}
		s, length, err := d.loadJournal(n, s)
		d.good = n
		if err != nil {
			d.fail(fmt.Errorf("configuration copy %s is damaged after %d bytes, using sequence %d: %w",
				d.name(n, "journal"), length, s.Sequence(), err))
			return s
		}
		// A copy that is not encrypted as it should be is written anew.
		if n == d.generation && d.lock != nil && sealed == (d.seal != nil) {
			d.last, d.base, d.length = s, base, length
		}
		return s
	}
	return nil
}

func (d *disk) loadBase(n int64) (s *snapshot.Snapshot, length int64, sealed bool, err error) {
	s = snapshot.Empty()
	length, sealed, err = readFrames(d.name(n, "base"), true, d.seal, func(delta snapshot.Delta) error {
		next, err := s.Apply(delta)
		if err == nil {
			s = next
		}
		return err
	})
	return s, length, sealed, err
}

// loadJournal applies the journal as far as it is good.
func (d *disk) loadJournal(n int64, s *snapshot.Snapshot) (*snapshot.Snapshot, int64, error) {
	length, _, err := readFrames(d.name(n, "journal"), false, d.seal, func(delta snapshot.Delta) error {
		next, err := s.Apply(delta)
		if err == nil {
			s = next
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return s, length, err
}

// save brings the copy up to s. Trouble is reported, and again when it is over.
func (d *disk) save(s *snapshot.Snapshot) error {
	err := d.write(s)
	if err != nil {
		// What the journal holds now is not known.
		d.closeJournal()
		d.last = nil
		d.fail(fmt.Errorf("write the configuration copy: %w", err))
		return err
	}
	if d.trouble != "" {
		d.trouble = ""
		d.report(nil)
	}
	return nil
}

// fail reports trouble, but not the same again at each attempt.
func (d *disk) fail(err error) {
	if d.trouble != err.Error() {
		d.trouble = err.Error()
		d.report(err)
	}
}

func (d *disk) write(s *snapshot.Snapshot) error {
	if err := d.acquire(); err != nil {
		return err
	}
	if d.last == nil || d.length > max(minCompaction, d.base) {
		return d.writeBase(s)
	}
	change := snapshot.Diff(d.last, s)
	if change.Empty() {
		return nil // another sequence alone is not worth a write
	}
	if !d.paired { // a damaged base must not be the end of the copy
		return d.writeBase(s)
	}
	frame, err := appendFrame(nil, change, d.seal)
	if err != nil {
		return err
	}
	if len(frame) > maxJournalFrame {
		return d.writeBase(s)
	}
	return d.append(frame, s)
}

// append adds a change to the journal in one frame, so that it is there as a
// whole or not at all.
func (d *disk) append(frame []byte, s *snapshot.Snapshot) error {
	if d.journal == nil {
		f, err := d.create(d.name(d.generation, "journal"), os.O_APPEND)
		if err != nil {
			return err
		}
		d.journal = f
		if d.length == 0 {
			frame = append([]byte(fileHeader(d.seal)), frame...)
		}
	}
	n, err := d.journal.Write(frame)
	d.length += int64(n)
	if err != nil {
		return err
	}
	d.last = s
	return d.journal.Sync()
}

// writeBase starts a new generation and lets go of those before the last.
func (d *disk) writeBase(s *snapshot.Snapshot) error {
	next := d.generation + 1
	name := d.name(next, "base")
	length, err := d.writeFile(name+".tmp", s)
	if err != nil {
		return errors.Join(err, removeIfThere(name+".tmp"))
	}
	if err := os.Rename(name+".tmp", name); err != nil {
		return err
	}
	if err := syncDir(d.dir); err != nil {
		return err
	}
	d.closeJournal()
	keep := d.good
	d.generation, d.good, d.last, d.base, d.length = next, next, s, length, 0
	d.paired = keep != 0
	return d.prune(next, keep)
}

func (d *disk) writeFile(name string, s *snapshot.Snapshot) (length int64, err error) {
	f, err := d.create(name, os.O_TRUNC)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := []byte(fileHeader(d.seal))
	for piece := range s.Pieces(pieceSize) {
		if b, err = appendFrame(b, piece, d.seal); err != nil {
			return 0, err
		}
		if _, err := f.Write(b); err != nil {
			return 0, err
		}
		length += int64(len(b))
		b = b[:0]
	}
	if _, err := f.Write(make([]byte, 4)); err != nil {
		return 0, err
	}
	return length + 4, f.Sync()
}

// prune removes the files of all generations but two.
func (d *disk) prune(keep ...int64) error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		ours := strings.HasPrefix(e.Name(), "configuration-")
		for _, n := range keep {
			ours = ours && !strings.HasPrefix(e.Name(), fmt.Sprintf("configuration-%010d.", n))
		}
		if ours {
			err = errors.Join(err, removeIfThere(filepath.Join(d.dir, e.Name())))
		}
	}
	return err
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncDir(dir string) (err error) {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

// acquire makes this process the one that keeps the copy: instances of a
// gateway may share a volume. The lock ends with the process.
func (d *disk) acquire() error {
	if d.lock != nil {
		return nil
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(d.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := tryLock(f); err != nil {
		return errors.Join(fmt.Errorf("another process keeps the copy in %s: %w", d.dir, err), f.Close())
	}
	d.lock = f
	// The other process may have written since this one loaded.
	list, err := d.generations()
	if len(list) > 0 {
		d.generation = list[0]
	}
	return err
}

func (d *disk) close() {
	d.closeJournal()
	if d.lock != nil {
		_ = d.lock.Close()
		d.lock = nil
	}
}

// closeJournal forgets the journal; what was promised is synced already.
func (d *disk) closeJournal() {
	if d.journal != nil {
		_ = d.journal.Close()
		d.journal = nil
	}
}
