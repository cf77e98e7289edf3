package auth

import (
	"crypto/sha256"
	"strings"
	"sync"
	"unsafe"
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
	fresh map[[sha256.Size]byte]*Token // by digest: a look-up by the text would tell by its time how much of it is right
	stale map[[sha256.Size]byte]*Token // what was fresh when fresh was full
	bytes int                          // of fresh
}

// Parse is [ParseToken] with what the cache remembers. The token must not be changed.
func (c *ValidTokens) Parse(compact string, decryption []Key) (*Token, error) {
	if c == nil || compact == "" || len(compact) > MaxToken {
		return ParseToken(compact, decryption)
	}
	if t := c.find(digestOf(compact)); t != nil {
		return t, nil
	}
	return ParseToken(compact, decryption)
}

// digestOf does without a copy of the token, which is not changed.
func digestOf(compact string) [sha256.Size]byte {
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(compact), len(compact)))
}

func (c *ValidTokens) find(digest [sha256.Size]byte) *Token {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.fresh[digest]; t != nil {
		return t
	}
	t := c.stale[digest]
	if t != nil {
		delete(c.stale, digest)
		c.put(digest, t)
	}
	return t
}

// Keep remembers a token that rules have accepted, if a key has signed it.
func (c *ValidTokens) Keep(t *Token) {
	if c == nil || t.kept || t.verified.Load() == nil {
		return
	}
	t.compact, t.kept = strings.Clone(t.compact), true // it may be a part of the request
	digest := digestOf(t.compact)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(digest, t)
}

// put makes a token the freshest. c.mu is held.
func (c *ValidTokens) put(digest [sha256.Size]byte, t *Token) {
	if c.fresh == nil || len(c.fresh) >= maxCachedTokens || c.bytes+len(t.compact) > maxCachedBytes {
		c.stale, c.fresh, c.bytes = c.fresh, make(map[[sha256.Size]byte]*Token), 0
	}
	c.fresh[digest] = t
	c.bytes += len(t.compact)
}
