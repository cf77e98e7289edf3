package gateway

import (
	"context"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
)

// serviceCache prefixes keys, so that services on one gateway never share an
// entry.
type serviceCache struct {
	cache  policy.Cache
	prefix string
}

func (c *serviceCache) Get(ctx context.Context, key string) (value []byte, ok bool, err error) {
	return c.cache.Get(ctx, c.prefix+key)
}

func (c *serviceCache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return c.cache.Set(ctx, c.prefix+key, value, ttl)
}

func (c *serviceCache) Remove(ctx context.Context, key string) error {
	return c.cache.Remove(ctx, c.prefix+key)
}

func (c *serviceCache) Claim(ctx context.Context, key string, wait bool) (release func(), ok bool, err error) {
	return c.cache.Claim(ctx, c.prefix+key, wait)
}
