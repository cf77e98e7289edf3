package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"github.com/causeway-apim/causeway/internal/redis"
)

// Redis is a cache in a Redis that several gateways share. Claims are those of this process only.
type Redis struct {
	claims
	client   *redis.Client
	maxEntry int64
}

const (
	redisPrefix = "causeway:cache:"
	// redisFormat begins every value: what somebody else has put under a key of ours is no value.
	redisFormat = "cw1\n"
	// longestKey is the length up to which a key is written out, for those who look at it.
	longestKey = 512
	// defaultRedisEntry is the size in bytes up to which an entry is sent to Redis.
	defaultRedisEntry = 16 << 20
)

// NewRedis returns a cache in that Redis. Closing the client is up to the caller. An entry larger than maxEntry bytes is not kept; 0 means 16 MiB.
func NewRedis(client *redis.Client, maxEntry int64) *Redis {
	if maxEntry <= 0 {
		maxEntry = defaultRedisEntry
	}
	return &Redis{client: client, maxEntry: maxEntry}
}

// Get returns the value of a key.
func (r *Redis) Get(ctx context.Context, key string) (value []byte, ok bool, err error) {
	err = r.client.Do(ctx, func(ctx context.Context, c rueidis.Client) error {
		value, err = c.Do(ctx, c.B().Get().Key(redisKey(key)).Build()).AsBytes()
		return err
	})
	if rueidis.IsRedisNil(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read from Redis: %w", err)
	}
	value, ok = bytes.CutPrefix(value, []byte(redisFormat))
	return value, ok, nil
}

// Set keeps a value for ttl and replaces the one that the key has. A ttl that is not positive, or an entry that is too large, leaves the key without a
// value.
func (r *Redis) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 || size(key, value) > r.maxEntry {
		return r.Remove(ctx, key)
	}
	data := make([]byte, 0, len(redisFormat)+len(value))
	data = append(append(data, redisFormat...), value...)
	err := r.client.Do(ctx, func(ctx context.Context, c rueidis.Client) error {
		return c.Do(ctx, c.B().Set().Key(redisKey(key)).Value(rueidis.BinaryString(data)).PxMilliseconds(max(ttl.Milliseconds(), 1)).Build()).Error()
	})
	if err != nil {
		return fmt.Errorf("write to Redis: %w", err)
	}
	return nil
}

// Remove removes a key.
func (r *Redis) Remove(ctx context.Context, key string) error {
	err := r.client.Do(ctx, func(ctx context.Context, c rueidis.Client) error {
		return c.Do(ctx, c.B().Del().Key(redisKey(key)).Build()).Error()
	})
	if err != nil {
		return fmt.Errorf("remove from Redis: %w", err)
	}
	return nil
}

// redisKey is the name of an entry in Redis.
func redisKey(key string) string {
	if len(key) > longestKey {
		sum := sha256.Sum256([]byte(key))
		key = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return redisPrefix + key
}
