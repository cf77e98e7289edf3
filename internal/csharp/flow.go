package csharp

// flow is the definite assignment state: the locals that have a value on every way to here.
type flow struct {
	bits []uint64
	dead bool // no way leads here
}

func (f flow) clone() flow {
	return flow{append([]uint64(nil), f.bits...), f.dead}
}

func (f *flow) set(id int) {
	for id/64 >= len(f.bits) {
		f.bits = append(f.bits, 0)
	}
	f.bits[id/64] |= 1 << (id % 64)
}

func (f flow) has(id int) bool {
	return f.dead || id/64 < len(f.bits) && f.bits[id/64]&(1<<(id%64)) != 0
}

// join is the state where two ways meet.
func (f flow) join(g flow) flow {
	switch {
	case f.dead:
		return g.clone()
	case g.dead:
		return f.clone()
	}
	out := f.clone()
	for i := range out.bits {
		if i < len(g.bits) {
			out.bits[i] &= g.bits[i]
		} else {
			out.bits[i] = 0
		}
	}
	return out
}
