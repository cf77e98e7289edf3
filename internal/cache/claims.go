package cache

import (
	"context"
	"strings"
	"sync"
)

// claims say which keys somebody works out the values of. They are of this process.
type claims struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // made at the first claim
}

// Claim makes its caller the only one in this process who works out the value of a key, until release is called. While somebody else has the claim, ok
// is false, or, with wait, Claim waits until that ends or ctx does; then the error is the context's cause.
func (c *claims) Claim(ctx context.Context, key string, wait bool) (release func(), ok bool, err error) {
	for {
		c.mu.Lock()
		taken, busy := c.taken[key]
		if !busy {
			key, done := strings.Clone(key), make(chan struct{})
			if c.taken == nil {
				c.taken = make(map[string]chan struct{})
			}
			c.taken[key] = done
			c.mu.Unlock()
			return func() { c.release(key, done) }, true, nil
		}
		c.mu.Unlock()
		if !wait {
			return nil, false, nil
		}
		select {
		case <-taken:
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
}

func (c *claims) release(key string, done chan struct{}) {
	c.mu.Lock()
	delete(c.taken, key)
	c.mu.Unlock()
	close(done)
}
