package snapshot

import "iter"

// Delta is a change of a snapshot: the parts that are new or changed and the
// keys of those that went, each in the order of their keys.
type Delta struct {
	From, To int64 // sequences of the snapshots before and after
	Put      []Part
	Delete   []Key
	// Digest of the snapshot after the change.
	Digest [32]byte
}

// Empty reports whether the delta changes no part.
func (d Delta) Empty() bool { return len(d.Put) == 0 && len(d.Delete) == 0 }

// Diff returns the delta from one snapshot to another. Between snapshots that
// follow each other it costs what the change costs.
func Diff(from, to *Snapshot) Delta {
	d := Delta{From: from.sequence, To: to.sequence, Digest: to.Digest()}
	diff(from.parts, to.parts, func(was, is *Part) {
		switch {
		case is == nil:
			d.Delete = append(d.Delete, was.Key)
		case was == nil || was.Digest != is.Digest:
			d.Put = append(d.Put, *is)
		}
	})
	return d
}

// Split cuts the delta, which starts at base, into deltas of about size bytes
// each. All but the last lead to From again, with the digest of what is there
// so far; applying them in order is the same as applying the whole. A part is
// never cut.
func (d Delta) Split(base *Snapshot, size int) iter.Seq[Delta] {
	puts := func(yield func(Part) bool) {
		for i := range d.Put {
			if !yield(d.Put[i]) {
				return
			}
		}
	}
	return func(yield func(Delta) bool) { d.split(base, puts, size, yield) }
}

// Pieces returns deltas of about size bytes that lead from the empty snapshot
// to this one, like Split of the whole difference, without holding it at once.
func (s *Snapshot) Pieces(size int) iter.Seq[Delta] {
	d := Delta{To: s.sequence, Digest: s.Digest()}
	return func(yield func(Delta) bool) { d.split(Empty(), s.All(), size, yield) }
}

func (d Delta) split(base *Snapshot, puts iter.Seq[Part], size int, yield func(Delta) bool) {
	digest := base.digest
	piece := Delta{From: d.From, To: d.From}
	used := 0
	// room makes room for n bytes; false means that nobody wants more.
	room := func(n int) bool {
		if used > 0 && used+n > size {
			piece.Digest = digest.bytes()
			if !yield(piece) {
				return false
			}
			piece, used = Delta{From: d.From, To: d.From}, 0
		}
		used += n
		return true
	}
	for _, k := range d.Delete {
		if !room(len(k.ID) + keyOverhead) {
			return
		}
		piece.Delete = append(piece.Delete, k)
		if was := base.get(k); was != nil {
			digest = digest.sub(was.Digest)
		}
	}
	for p := range puts {
		if !room(int(p.size()) + keyOverhead) {
			return
		}
		piece.Put = append(piece.Put, p)
		if was := base.get(p.Key); was != nil {
			digest = digest.sub(was.Digest)
		}
		digest = digest.add(p.Digest)
	}
	piece.To, piece.Digest = d.To, d.Digest
	yield(piece)
}

// keyOverhead is about what a key costs in the encoding besides its ID.
const keyOverhead = 24
