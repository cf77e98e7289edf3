package snapshot

import (
	"encoding/binary"
	"math/bits"
)

// sum adds part digests modulo 2^256: the digest of a set of parts, which does
// not depend on their order and follows a change in constant time.
type sum [4]uint64 // least significant word first

func (s sum) add(d [32]byte) sum {
	var carry uint64
	for i := range s {
		s[i], carry = bits.Add64(s[i], binary.LittleEndian.Uint64(d[8*i:]), carry)
	}
	return s
}

func (s sum) sub(d [32]byte) sum {
	var borrow uint64
	for i := range s {
		s[i], borrow = bits.Sub64(s[i], binary.LittleEndian.Uint64(d[8*i:]), borrow)
	}
	return s
}

func (s sum) bytes() (d [32]byte) {
	for i, w := range s {
		binary.LittleEndian.PutUint64(d[8*i:], w)
	}
	return d
}
