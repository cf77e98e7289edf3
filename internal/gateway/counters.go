package gateway

import (
	"context"

	"github.com/causeway-apim/causeway/internal/counters"
	"github.com/causeway-apim/causeway/internal/policy"
)

// MemoryCounters makes counters in process the counters of policies.
func MemoryCounters(m *counters.Memory) policy.Counters { return memoryCounters{m} }

type memoryCounters struct{ m *counters.Memory }

func (c memoryCounters) Take(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	var few [4]counters.Limit
	d, err := c.m.Take(ctx, counterLimits(few[:0], limits), cost)
	return policy.Decision(d), err
}

func (c memoryCounters) Check(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	var few [4]counters.Limit
	d, err := c.m.Check(ctx, counterLimits(few[:0], limits), cost)
	return policy.Decision(d), err
}

func (c memoryCounters) Commit(ctx context.Context, limits []policy.Limit, cost int64) error {
	return c.m.Commit(ctx, counterLimits(nil, limits), cost)
}

func (c memoryCounters) Acquire(ctx context.Context, key string, max int64) (bool, error) {
	return c.m.Acquire(ctx, key, max)
}

func (c memoryCounters) Release(key string) { c.m.Release(key) }

// counterLimits appends limits to out.
func counterLimits(out []counters.Limit, limits []policy.Limit) []counters.Limit {
	for _, l := range limits {
		limit := counters.Limit{Key: l.Key, Max: l.Max, Period: l.Period, Start: l.Start}
		switch l.Window {
		case policy.FixedWindow:
			limit.Window = counters.Fixed
		case policy.TokenBucket:
			limit.Window = counters.Bucket
		}
		out = append(out, limit)
	}
	return out
}

// Keys lists counters.
func (c memoryCounters) Keys(ctx context.Context, prefix string) ([]string, error) {
	return c.m.Keys(ctx, prefix)
}
