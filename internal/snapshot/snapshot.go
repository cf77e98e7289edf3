package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Errors of Snapshot.Apply. The receiver of either needs the whole snapshot.
var (
	// ErrSequence means that a delta does not start where the snapshot is.
	ErrSequence = errors.New("delta does not follow the snapshot")
	// ErrDigest means that a delta led to another content than its maker had.
	ErrDigest = errors.New("digest after the delta differs")
)

// Snapshot is the configuration of one service, or a gateway's view of it, at
// one sequence. It is immutable and safe for concurrent use; snapshots that
// follow each other share all that did not change.
type Snapshot struct {
	sequence int64
	digest   sum
	bytes    int64
	parts    tree[*Part]
	lazy     lazyGraph
}

// Empty returns the snapshot without parts at sequence 0.
func Empty() *Snapshot { return &Snapshot{parts: newTree(comparePart)} }

func comparePart(a, b *Part) int { return a.Key.Compare(b.Key) }

// Sequence is the number of the change that led here.
func (s *Snapshot) Sequence() int64 { return s.sequence }

// Digest identifies the set of parts, whatever the way to it; the sequence is
// not in it. The empty snapshot has the zero digest.
func (s *Snapshot) Digest() [32]byte { return s.digest.bytes() }

// Len is the number of parts.
func (s *Snapshot) Len() int { return s.parts.len() }

// Bytes is the sum of the lengths of IDs and data of all parts.
func (s *Snapshot) Bytes() int64 { return s.bytes }

// Get returns the part of that key.
func (s *Snapshot) Get(k Key) (Part, bool) {
	if p := s.get(k); p != nil {
		return *p, true
	}
	return Part{}, false
}

func (s *Snapshot) get(k Key) *Part {
	p, _ := s.parts.find(func(p *Part) int { return p.Key.Compare(k) })
	return p
}

// All returns the parts in the order of their keys.
func (s *Snapshot) All() iter.Seq[Part] {
	return func(yield func(Part) bool) {
		for p := range s.parts.from(nil) {
			if !yield(*p) {
				return
			}
		}
	}
}

// ByKind returns the parts of a kind in the order of their IDs.
func (s *Snapshot) ByKind(kind Kind) iter.Seq[Part] {
	return func(yield func(Part) bool) {
		for p := range s.parts.from(func(p *Part) int { return p.Key.Compare(Key{Kind: kind}) }) {
			if p.Key.Kind != kind || !yield(*p) {
				return
			}
		}
	}
}

// Edit makes the change that puts and deletes parts: the snapshot after it, at
// sequence to, and the delta that leads there. What is the same already is left
// out of the delta. A key that is in put and in del is put.
func (s *Snapshot) Edit(to int64, put []Part, del []Key) (*Snapshot, Delta) {
	next := s.With(to, put, del)
	return next, Diff(s, next)
}

// With is Edit for those who do not need the delta.
func (s *Snapshot) With(to int64, put []Part, del []Key) *Snapshot {
	e := s.edit()
	for _, k := range del {
		e.delete(k)
	}
	for i := range put {
		p := put[i]
		e.put(&p)
	}
	return e.done(to)
}

// Of returns the snapshot of parts, in any order, at a sequence. Of parts with equal keys the last one counts. It is
// cheaper than putting them into an empty one.
func Of(sequence int64, parts []Part) *Snapshot {
	s := &Snapshot{sequence: sequence}
	order := make([]int32, len(parts))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(parts[a].Key.Compare(parts[b].Key), cmp.Compare(a, b))
	})
	items := make([]*Part, 0, len(parts))
	for n, i := range order {
		if n+1 < len(order) && parts[order[n+1]].Key == parts[i].Key {
			continue
		}
		p := parts[i] // a copy: the slice is not kept for the sake of one part
		items = append(items, &p)
		s.digest = s.digest.add(p.Digest)
		s.bytes += p.size()
	}
	s.parts = treeOf(comparePart, items)
	return s
}

// Apply returns the snapshot after a delta. The error wraps ErrSequence or
// ErrDigest when the delta was made for another snapshot.
func (s *Snapshot) Apply(d Delta) (*Snapshot, error) {
	if d.From != s.sequence {
		return nil, fmt.Errorf("%w: it starts at %d, the snapshot is at %d", ErrSequence, d.From, s.sequence)
	}
	e := s.edit()
	for _, k := range d.Delete {
		e.delete(k)
	}
	for i := range d.Put {
		p := d.Put[i]
		e.put(&p)
	}
	if e.digest.bytes() != d.Digest {
		return nil, fmt.Errorf("%w at sequence %d", ErrDigest, d.To)
	}
	return e.done(d.To), nil
}

// At returns the same configuration at another sequence.
func (s *Snapshot) At(sequence int64) *Snapshot {
	if sequence == s.sequence {
		return s
	}
	return s.edit().done(sequence)
}

// edit collects changes of a snapshot.
type edit struct {
	base   *Snapshot
	digest sum
	bytes  int64
	parts  *treeEdit[*Part]
	log    []change // in the order in which they were made
}

func (s *Snapshot) edit() *edit {
	return &edit{base: s, digest: s.digest, bytes: s.bytes, parts: s.parts.edit()}
}

func (e *edit) get(k Key) *Part {
	p, _ := e.parts.tree.find(func(p *Part) int { return p.Key.Compare(k) })
	return p
}

// put adds or replaces a part unless it is there already.
func (e *edit) put(p *Part) {
	was := e.get(p.Key)
	if was != nil && was.Digest == p.Digest {
		return
	}
	e.parts.put(p)
	e.account(was, p)
}

func (e *edit) delete(k Key) {
	if was := e.get(k); was != nil {
		e.parts.delete(was)
		e.account(was, nil)
	}
}

func (e *edit) account(was, is *Part) {
	if was != nil {
		e.digest = e.digest.sub(was.Digest)
		e.bytes -= was.size()
	}
	if is != nil {
		e.digest = e.digest.add(is.Digest)
		e.bytes += is.size()
	}
	e.log = append(e.log, change{was, is})
}

func (e *edit) done(sequence int64) *Snapshot {
	s := &Snapshot{sequence: sequence, digest: e.digest, bytes: e.bytes, parts: e.parts.done()}
	if g := e.base.lazy.built(); g != nil {
		s.lazy.set(g.apply(slices.Values(e.log)))
	}
	return s
}

func (p *Part) size() int64 { return int64(len(p.Key.ID) + len(p.Data)) }
