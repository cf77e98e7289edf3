package gateway

import (
	"crypto/subtle"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"sync/atomic"
)

// seenKeys remembers subscriptions by some of the keys that were accepted of late: a keyed hash takes a third of what a plain request takes here. Whoever
// guesses keys learns nothing from the time that it takes: the place of a key depends on a secret, and keys are compared in constant time.
type seenKeys struct {
	seed  maphash.Seed
	slots [1 << 10]atomic.Pointer[seenKey]
}

type seenKey struct {
	key string
	of  *subscription
}

func newSeenKeys() *seenKeys { return &seenKeys{seed: maphash.MakeSeed()} }

func (s *seenKeys) slot(key string) *atomic.Pointer[seenKey] {
	return &s.slots[maphash.String(s.seed, key)%uint64(len(s.slots))]
}

// find returns the subscription of a key, nil when the key is not remembered.
func (s *seenKeys) find(key string) *subscription {
	if seen := s.slot(key).Load(); seen != nil && subtle.ConstantTimeCompare([]byte(seen.key), []byte(key)) == 1 {
		return seen.of
	}
	return nil
}

// add remembers a key. One in many keys takes the place of another, so that two that are in use do not chase each other away all the time.
func (s *seenKeys) add(key string, of *subscription) {
	const oneIn = 32
	if slot := s.slot(key); slot.Load() == nil || rand.N(oneIn) == 0 {
		slot.Store(&seenKey{strings.Clone(key), of})
	}
}
