package counters

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/rueidis"
)

// maxListedKeys bounds a list of keys.
const maxListedKeys = 10_000

// Keys lists keys that begin with a prefix and still count, in no order. It looks at all counters: it is for people, not for requests.
func (m *Memory) Keys(_ context.Context, prefix string) (keys []string, err error) {
	now := m.now()
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for key, e := range s.entries {
			if strings.HasPrefix(key, prefix) && e.expires.After(now) && len(keys) < maxListedKeys {
				keys = append(keys, key)
			}
		}
		s.mu.Unlock()
	}
	return keys, nil
}

// Keys lists keys of fixed windows that begin with a prefix and still count, in no order; those of more than 256 bytes are not found. It looks
// at all keys of the server: it is for people, not for requests.
func (r *Redis) Keys(ctx context.Context, prefix string) (keys []string, err error) {
	begin := redisKey("f", prefix+"|||") // the words that choose the group are the prefix's
	begin = strings.TrimSuffix(begin, "|||")
	pattern := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(begin) + "*"
	at := strings.Index(begin, "}:") + len("}:")
	err = r.client.Do(ctx, func(ctx context.Context, c rueidis.Client) error {
		for _, node := range c.Nodes() {
			for cursor, more := uint64(0), true; more && len(keys) < maxListedKeys; more = cursor != 0 {
				found, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(pattern).Count(1000).Build()).AsScanEntry()
				if err != nil {
					return err
				}
				for _, key := range found.Elements {
					keys = append(keys, key[at:])
				}
				cursor = found.Cursor
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list counters in Redis: %w", err)
	}
	return keys, nil
}
