package auth

import (
	"hash/maphash"
	"strings"
	"sync"
)

const (
	// maxCachedTokens and maxCachedBytes bound each half of a cache; a token with its claims takes some times its length.
	maxCachedTokens = 4096
	maxCachedBytes  = 4 << 20
)

// ValidTokens remembers signed tokens that were valid, so that the next request of the same client costs neither parsing nor a verification of the
// signature. A signature that a key has made stays that key's: nothing else is taken for granted, and [Rules] are checked each time. Tokens that were
// refused are not kept, so that nobody can fill the cache without a valid one. A nil cache remembers nothing. It is safe for concurrent use.
type ValidTokens struct {
	mu    sync.Mutex
	fresh map[uint64]*Token // by hashOf
	stale map[uint64]*Token // what was fresh when fresh was full
	bytes int               // of fresh
}

// Parse is [ParseToken] with what the cache remembers. The token must not be changed.
func (c *ValidTokens) Parse(compact string, decryption []Key) (*Token, error) {
	if c == nil || compact == "" || len(compact) > MaxToken {
		return ParseToken(compact, decryption)
	}
	if t := c.find(hashOf(compact), compact); t != nil {
		return t, nil
	}
	return ParseToken(compact, decryption)
}

// tokenSeed makes the hashes of tokens such as nobody outside knows.
var tokenSeed = maphash.MakeSeed()

// hashOf is what a token is found by. A map by the text itself would tell by the time of a look-up how much of a guess is right; here texts are compared
// only when their hashes are equal, which nobody brings about without the seed.
func hashOf(compact string) uint64 { return maphash.String(tokenSeed, compact) }

func (c *ValidTokens) find(hash uint64, compact string) *Token {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.fresh[hash]; t != nil && t.compact == compact {
		return t
	}
	t := c.stale[hash]
	if t == nil || t.compact != compact {
		return nil
	}
	delete(c.stale, hash)
	c.put(hash, t)
	return t
}

// Keep remembers a token that rules have accepted, if a key has signed it.
func (c *ValidTokens) Keep(t *Token) {
	if c == nil || t.kept || t.verified.Load() == nil {
		return
	}
	t.compact, t.kept = strings.Clone(t.compact), true // it may be a part of the request
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(hashOf(t.compact), t)
}

// put makes a token the freshest. c.mu is held.
func (c *ValidTokens) put(hash uint64, t *Token) {
	if c.fresh == nil || len(c.fresh) >= maxCachedTokens || c.bytes+len(t.compact) > maxCachedBytes {
		c.stale, c.fresh, c.bytes = c.fresh, make(map[uint64]*Token), 0
	}
	c.fresh[hash] = t
	c.bytes += len(t.compact)
}
