package snapshot

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
