package armtemplate

import (
	"encoding/binary"
	"math/bits"
)

// The constants of MurmurHash3, of which uniqueString() uses a form with two lanes of 32 bits.
const (
	mixA, mixB     = 0x239b961b, 0xab0e9789
	addA, addB     = 0x561ccd1b, 0x0bcaa747
	finalA, finalB = 0x85ebca6b, 0xc2b2ae35
)

// uniqueString is uniqueString(): 64 bits of hash as 13 characters. Microsoft has not written the algorithm down; its
// azapi provider for Terraform shows it (function unique_string).
func uniqueString(text string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	h := murmur([]byte(text))
	out := make([]byte, 13)
	for i := range out {
		out[i] = letters[h>>59]
		h <<= 5
	}
	return string(out)
}

func murmur(data []byte) uint64 {
	var h1, h2 uint32
	n := uint32(len(data)) // bounded by the size of a template
	for ; len(data) >= 8; data = data[8:] {
		h1 ^= bits.RotateLeft32(binary.LittleEndian.Uint32(data)*mixA, 15) * mixB
		h1 = (bits.RotateLeft32(h1, 19)+h2)*5 + addA
		h2 ^= bits.RotateLeft32(binary.LittleEndian.Uint32(data[4:])*mixB, 17) * mixA
		h2 = (bits.RotateLeft32(h2, 13)+h1)*5 + addB
	}
	var tail [8]byte
	copy(tail[:], data)
	if len(data) > 0 {
		h1 ^= bits.RotateLeft32(binary.LittleEndian.Uint32(tail[:])*mixA, 15) * mixB
	}
	if len(data) > 4 {
		h2 ^= bits.RotateLeft32(binary.LittleEndian.Uint32(tail[4:])*mixB, 17) * mixA
	}
	h1 ^= n
	h2 ^= n
	h1 += h2
	h2 += h1
	h1, h2 = avalanche(h1), avalanche(h2)
	h1 += h2
	h2 += h1
	return uint64(h2)<<32 | uint64(h1)
}

func avalanche(h uint32) uint32 {
	h = (h ^ h>>16) * finalA
	h = (h ^ h>>13) * finalB
	return h ^ h>>16
}
