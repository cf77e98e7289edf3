package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/redis"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// AwayChoice is what a limit does while Redis is away.
type AwayChoice uint8

// The choices.
const (
	// AwayOpen lets requests through and counts nothing.
	AwayOpen AwayChoice = iota
	// AwayLocal counts in this process, from nothing.
	AwayLocal
	// AwayClosed answers 503.
	AwayClosed
)

func (c AwayChoice) String() string { return [...]string{"open", "local", "closed"}[c] }

// CountersAway are the choices of all policies. Its zero value is AwayOpen for each.
type CountersAway struct {
	normal   AwayChoice
	byPolicy map[string]AwayChoice
}

// ParseCountersAway reads a choice, and others for policies by their element names: "open,quota=closed,rate-limit-by-key=local".
func ParseCountersAway(s string) (a CountersAway, err error) {
	a.byPolicy = make(map[string]AwayChoice)
	for item := range strings.SplitSeq(s, ",") {
		name, word, named := strings.Cut(strings.TrimSpace(item), "=")
		if !named {
			name, word = "", name
		}
		choice := slices.IndexFunc([]AwayChoice{AwayOpen, AwayLocal, AwayClosed}, func(c AwayChoice) bool {
			return strings.EqualFold(c.String(), strings.TrimSpace(word))
		})
		switch {
		case choice < 0:
			return a, fmt.Errorf("%q is none of open, local, closed", word)
		case named:
			a.byPolicy[strings.TrimSpace(name)] = AwayChoice(choice)
		default:
			a.normal = AwayChoice(choice)
		}
	}
	return a, nil
}

// String is the form that ParseCountersAway reads.
func (a CountersAway) String() string {
	text := a.normal.String()
	for _, name := range slices.Sorted(maps.Keys(a.byPolicy)) {
		text += "," + name + "=" + a.byPolicy[name].String()
	}
	return text
}

// of is the choice for limits: their keys have the policy's name as the second word, after the service.
func (a CountersAway) of(limits []policy.Limit) AwayChoice {
	if len(limits) > 0 {
		_, rest, _ := strings.Cut(limits[0].Key, "|")
		name, _, _ := strings.Cut(rest, "|")
		if c, ok := a.byPolicy[name]; ok {
			return c
		}
	}
	return a.normal
}

// sharedCounters are counters in Redis, and what stands in for them while it is away. Slots are those of this process.
type sharedCounters struct {
	server *redisServer
	local  policy.Counters
	away   CountersAway
	log    *slog.Logger
	now    func() time.Time
}

func (c *sharedCounters) Take(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	d, err := c.server.counters.Take(ctx, counterLimits(nil, limits), cost)
	if err == nil {
		return policy.Decision(d), nil
	}
	return c.without(ctx, limits, cost, err, c.local.Take)
}

func (c *sharedCounters) Check(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	d, err := c.server.counters.Check(ctx, counterLimits(nil, limits), cost)
	if err == nil {
		return policy.Decision(d), nil
	}
	return c.without(ctx, limits, cost, err, c.local.Check)
}

func (c *sharedCounters) Commit(ctx context.Context, limits []policy.Limit, cost int64) error {
	err := c.server.counters.Commit(ctx, counterLimits(nil, limits), cost)
	if err == nil {
		return nil
	}
	_, err = c.without(ctx, limits, cost, err, func(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
		return policy.Decision{}, c.local.Commit(ctx, limits, cost)
	})
	return err
}

func (c *sharedCounters) Acquire(ctx context.Context, key string, max int64) (bool, error) {
	return c.local.Acquire(ctx, key, max)
}

func (c *sharedCounters) Release(key string) { c.local.Release(key) }

// without decides after Redis has failed.
func (c *sharedCounters) without(ctx context.Context, limits []policy.Limit, cost int64, cause error,
	local func(context.Context, []policy.Limit, int64) (policy.Decision, error)) (policy.Decision, error) {
	if ctx.Err() != nil && !errors.Is(cause, redis.ErrAway) {
		return policy.Decision{}, context.Cause(ctx)
	}
	c.server.unkept.Add(1)
	if !errors.Is(cause, redis.ErrAway) { // the server is there but refuses the command
		c.tell(cause)
	}
	switch c.away.of(limits) {
	case AwayLocal:
		return local(ctx, limits, cost)
	case AwayClosed:
		return policy.Decision{}, &policy.Error{
			Reason: "CountersUnavailable", Status: 503, Message: "The counters of limits cannot be reached: " + cause.Error() + ".",
			Public: "The service is temporarily unavailable.", Header: message.NewHeader("Retry-After", "1"), Err: cause,
		}
	}
	d := policy.Decision{Allowed: true, Remaining: math.MaxInt64}
	for _, l := range limits {
		d.Remaining = min(d.Remaining, max(l.Max-cost, 0))
	}
	return d, nil
}

// tell writes to the log, not more than every ten seconds.
func (c *sharedCounters) tell(err error) {
	const pause = 10 * time.Second
	now, last := c.now().UnixNano(), c.server.told.Load()
	if now-last >= int64(pause) && c.server.told.CompareAndSwap(last, now) {
		c.log.Error("Redis could not count.", telemetry.EventKey, "RedisFailed", "error", err)
	}
}

// Keys lists counters.
func (c *sharedCounters) Keys(ctx context.Context, prefix string) ([]string, error) {
	return c.server.counters.Keys(ctx, prefix)
}
