//go:build linux

package main

import (
	"math/bits"
	"time"
)

// subBits is the resolution of a histogram: buckets are at most 1/64 of their value wide.
const subBits = 6

// histogram counts durations.
type histogram struct {
	counts [(64 - subBits) << subBits]uint32
	total  int
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)))]++
	h.total++
}

// bucket is the place of a number of nanoseconds.
func bucket(n uint64) int {
	shift := max(bits.Len64(n)-1-subBits, 0)
	return shift<<subBits + int(n>>shift)
}

// quantile is the duration that a share q of all does not exceed.
func (h *histogram) quantile(q float64) time.Duration {
	left := int(q * float64(h.total))
	for i, n := range h.counts {
		if left -= int(n); left < 0 {
			if i < 2<<subBits {
				return time.Duration(i)
			}
			shift := i>>subBits - 1
			return time.Duration((i - shift<<subBits) << shift)
		}
	}
	return 0
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
}
