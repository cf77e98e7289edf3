// Package cache keeps values for a while: responses and what policies store.
package cache

import (
	"context"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
)

// Options bound a cache. A zero field means the default.
type Options struct {
	// MaxBytes bounds keys, values and what an entry costs beside them; default 256 MiB.
	MaxBytes int64
	// MaxEntries bounds the number of entries; default 1 million.
	MaxEntries int64
	// MaxEntry is the size in bytes of key and value up to which an entry is kept; default a 16th of MaxBytes.
	MaxEntry int64
	// Now is the clock. Required.
	Now func() time.Time
}

const (
	defaultMaxBytes   = 256 << 20
	defaultMaxEntries = 1 << 20
	entryOverhead     = 128 // bytes that an entry costs beside key and value, measured
)

// Memory is a cache in process. What has been used seldom and long ago goes first when it is full. It is safe for concurrent use.
type Memory struct {
	claims
	entries  *otter.Cache[string, entry]
	maxEntry int64
}

type entry struct {
	value []byte
	ttl   time.Duration
}

// clock is a time source of otter. Without ticks there is no goroutine that cleans up: what has expired goes when something is written.
type clock func() time.Time

func (c clock) NowNano() int64                      { return c().UnixNano() }
func (c clock) Tick(time.Duration) <-chan time.Time { return nil }

// NewMemory returns an empty cache.
func NewMemory(o Options) *Memory {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = defaultMaxEntries
	}
	if o.MaxEntry <= 0 {
		o.MaxEntry = o.MaxBytes / 16
	}
	// An entry weighs at least its share of the memory, so that one bound holds for both.
	share := max(o.MaxBytes/o.MaxEntries, 1)
	options := &otter.Options[string, entry]{
		MaximumWeight: uint64(o.MaxBytes),
		Weigher: func(key string, e entry) uint32 {
			return uint32(min(max(size(key, e.value)+entryOverhead, share), 1<<32-1))
		},
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, entry]) time.Duration { return e.Value.ttl }),
		Clock:            clock(o.Now),
	}
	// Must panics only for options that contradict each other.
	return &Memory{entries: otter.Must(options), maxEntry: o.MaxEntry}
}

func size(key string, value []byte) int64 { return int64(len(key)) + int64(len(value)) }

// Get returns the value of a key, which the caller does not change. An entry that has expired is none.
func (m *Memory) Get(_ context.Context, key string) (value []byte, ok bool, err error) {
	e, ok := m.entries.GetIfPresent(key)
	return e.value, ok, nil
}

// Set keeps a value for ttl and replaces the one that the key has. The key is copied; the value is not, nobody changes it any more. A ttl that is not
// positive, or an entry that is too large, leaves the key without a value.
func (m *Memory) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 || size(key, value) > m.maxEntry {
		m.entries.Invalidate(key)
		return nil
	}
	m.entries.Set(strings.Clone(key), entry{value, ttl})
	return nil
}

// Remove removes a key.
func (m *Memory) Remove(_ context.Context, key string) error {
	m.entries.Invalidate(key)
	return nil
}
