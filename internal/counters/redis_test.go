package counters

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/redis"
	"github.com/causeway-apim/causeway/internal/redis/redistest"
)

func openRedis(tb testing.TB, connection string, now func() time.Time) *Redis {
	tb.Helper()
	target, err := redis.ParseTarget(connection)
	if err != nil {
		tb.Fatal(err)
	}
	c := redis.Open(redis.Options{Target: target, Patience: time.Minute})
	tb.Cleanup(c.Close)
	return NewRedis(c, now)
}

// TestRedisAgreesWithMemory gives both the same calls and wants the same answers.
func TestRedisAgreesWithMemory(t *testing.T) {
	t.Parallel()
	c := newClock()
	server := redistest.Start(t)
	m, r := NewMemory(c.now), openRedis(t, server.Address, c.now)
	start := time.Date(2025, 12, 31, 23, 59, 50, 0, time.UTC)
	// Redis forgets by its own clock, which goes on: the periods are long, so that nothing runs out between two calls.
	limits := []Limit{
		{Key: "s|p|k|sliding", Max: 20, Period: 1000 * time.Second},
		{Key: "s|p|k|short", Max: 3, Period: 10 * time.Second},
		{Key: "s|p|k|fixed", Max: 50, Period: 7000 * time.Second, Window: Fixed, Start: start},
		{Key: "s|p|k|since 1970", Max: 60, Period: 5000 * time.Second, Window: Fixed},
		{Key: "s|p|k|for ever", Max: 2000},
		{Key: "s|p|k|bucket", Max: 16, Period: 2000 * time.Second, Window: Bucket},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		c.advance(time.Duration(random.IntN(60_000)) * time.Millisecond)
		batch := []Limit{limits[random.IntN(len(limits))]}
		if random.IntN(3) == 0 {
			if other := limits[random.IntN(len(limits))]; other.Key != batch[0].Key {
				batch = append(batch, other)
			}
		}
		cost := int64(random.IntN(4))
		var want, got Decision
		var err error
		switch random.IntN(4) {
		case 0:
			want, _ = m.Check(t.Context(), batch, cost)
			got, err = r.Check(t.Context(), batch, cost)
		case 1:
			_ = m.Commit(t.Context(), batch, cost)
			err = r.Commit(t.Context(), batch, cost)
		default:
			want, _ = m.Take(t.Context(), batch, cost)
			got, err = r.Take(t.Context(), batch, cost)
		}
		// Redis counts time in microseconds and rounds a bucket's wait up.
		want.RetryAfter, got.RetryAfter = want.RetryAfter.Round(10*time.Microsecond), got.RetryAfter.Round(10*time.Microsecond)
		if err != nil || got != want {
			t.Fatalf("call %d, %+v, cost %d: Redis says %+v, %v; memory %+v", i, batch, cost, got, err, want)
		}
	}
}

func TestRedisAdmitsExactlyTheLimit(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	gateways := []*Redis{openRedis(t, server.Address, nil), openRedis(t, server.Address, nil)}
	for _, window := range []Window{Sliding, Fixed, Bucket} {
		l := []Limit{{Key: fmt.Sprintf("s|p|k%d", window), Max: 100, Period: time.Hour, Window: window}}
		var admitted atomic.Int64
		var clients sync.WaitGroup
		for i := range 64 {
			clients.Go(func() {
				for range 5 {
					d, err := gateways[i%2].Take(context.Background(), l, 1)
					if err != nil {
						t.Error(err)
					}
					if d.Allowed {
						admitted.Add(1)
					}
				}
			})
		}
		clients.Wait()
		if n := admitted.Load(); n != 100 {
			t.Errorf("window %d: %d of 320 calls were admitted, want 100", window, n)
		}
	}
}

func TestRedisIsAllOrNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := openRedis(t, server.Address, nil)
	wide, tight := Limit{Key: "s|p|k|wide", Max: 10, Period: time.Hour}, Limit{Key: "s|p|k|tight", Max: 1, Period: time.Hour}
	for i, want := range []Decision{{Allowed: true}, {Exceeded: 1}, {Exceeded: 1}} {
		d, err := r.Take(t.Context(), []Limit{wide, tight}, 1)
		d.RetryAfter = 0
		if err != nil || d != want {
			t.Errorf("call %d: %+v, %v", i, d, err)
		}
	}
	if d, err := r.Check(t.Context(), []Limit{wide}, 0); err != nil || d.Remaining != 9 {
		t.Errorf("%+v, %v: a refused call has counted", d, err)
	}
}

func TestRedisForgetsWhatHasRunOut(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := openRedis(t, server.Address, nil)
	if err := r.Commit(t.Context(), []Limit{{Key: "s|p|k", Max: 1, Period: time.Minute}, {Key: "s|p|k|f", Max: 1, Period: time.Minute, Window: Fixed}}, 1); err != nil {
		t.Fatal(err)
	}
	keys := strings.Fields(strings.Trim(server.Do("KEYS", redisPrefix+"*"), "[]"))
	if len(keys) != 2 {
		t.Fatalf("keys %q", keys)
	}
	for _, k := range keys {
		if ttl := server.Do("PTTL", k); strings.HasPrefix(ttl, "-") {
			t.Errorf("%s has no end", k)
		}
	}
}

func TestRedisSaysThatItIsAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := openRedis(t, server.Address, nil)
	l := []Limit{{Key: "k", Max: 1, Period: time.Hour}}
	if _, err := r.Take(t.Context(), l, 1); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if _, err := r.Take(t.Context(), l, 1); !errors.Is(err, redis.ErrAway) {
		t.Errorf("error %v", err)
	}
}

func TestRedisKeysOfOneCallLieTogether(t *testing.T) {
	t.Parallel()
	tag := func(key string) string {
		k := redisKey("s", key)
		return k[strings.IndexByte(k, '{'):strings.IndexByte(k, '}')]
	}
	if tag("s|quota|a|product/p") != tag("s|quota|a|product/p|api") {
		t.Error("limits of one subscription lie in two slots")
	}
	if tag("s|rate-limit-by-key|a") == tag("s|rate-limit-by-key|b") {
		t.Error("all keys lie in one slot")
	}
	if long := redisKey("s", strings.Repeat("x", 10000)+"{}"); len(long) > 100 {
		t.Errorf("a long key has %d characters", len(long))
	}
}

func BenchmarkRedisTake(b *testing.B) {
	server := redistest.Start(b)
	r := openRedis(b, server.Address, nil)
	l := []Limit{{Key: "k", Max: 1 << 40, Period: time.Minute}}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.Take(context.Background(), l, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
