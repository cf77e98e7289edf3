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
	d, err := c.m.Take(ctx, counterLimits(limits), cost)
	return policy.Decision(d), err
}

func (c memoryCounters) Check(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	d, err := c.m.Check(ctx, counterLimits(limits), cost)
	return policy.Decision(d), err
}

func (c memoryCounters) Commit(ctx context.Context, limits []policy.Limit, cost int64) error {
	return c.m.Commit(ctx, counterLimits(limits), cost)
}

func (c memoryCounters) Acquire(ctx context.Context, key string, max int64) (bool, error) {
	return c.m.Acquire(ctx, key, max)
}

func (c memoryCounters) Release(key string) { c.m.Release(key) }

func counterLimits(limits []policy.Limit) []counters.Limit {
	out := make([]counters.Limit, len(limits))
	for i, l := range limits {
		out[i] = counters.Limit{Key: l.Key, Max: l.Max, Period: l.Period, Start: l.Start}
		switch l.Window {
		case policy.FixedWindow:
			out[i].Window = counters.Fixed
		case policy.TokenBucket:
			out[i].Window = counters.Bucket
		}
	}
	return out
}

// Keys lists counters.
func (c memoryCounters) Keys(ctx context.Context, prefix string) ([]string, error) {
	return c.m.Keys(ctx, prefix)
}
