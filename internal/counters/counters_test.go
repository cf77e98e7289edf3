package counters

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a clock that stands until it is moved.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time            { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration)   { c.nanos.Add(int64(d)) }
func take(m *Memory, ls ...Limit) Decision { d, _ := m.Take(context.Background(), ls, 1); return d }

func TestSlidingWindow(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(c.now)
	l := Limit{Key: "k", Max: 2, Period: 10 * time.Second}
	for i, want := range []int64{1, 0} {
		if d := take(m, l); !d.Allowed || d.Remaining != want {
			t.Fatalf("call %d: %+v", i, d)
		}
		c.advance(4 * time.Second)
	}
	d := take(m, l)
	if d.Allowed || d.RetryAfter != 2*time.Second {
		t.Fatalf("third call: %+v", d)
	}
	c.advance(d.RetryAfter)
	if d := take(m, l); !d.Allowed {
		t.Fatalf("after the wait: %+v", d)
	}
	if d := take(m, l); d.Allowed {
		t.Fatalf("window full again: %+v", d)
	}
}

func TestSlidingWindowNeverAdmitsMore(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(c.now)
	l := Limit{Key: "k", Max: 7, Period: time.Second}
	var admitted []time.Time
	for range 3000 {
		c.advance(7 * time.Millisecond)
		if take(m, l).Allowed {
			admitted = append(admitted, c.now())
		}
	}
	for i := 7; i < len(admitted); i++ {
		if gap := admitted[i].Sub(admitted[i-7]); gap < time.Second {
			t.Fatalf("8 calls within %v", gap)
		}
	}
	if len(admitted) < 7*19 {
		t.Errorf("only %d calls admitted in 21 s", len(admitted))
	}
}

func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	wide, tight := Limit{Key: "wide", Max: 10, Period: time.Minute}, Limit{Key: "tight", Max: 1, Period: time.Minute}
	if d := take(m, wide, tight); !d.Allowed || d.Remaining != 0 {
		t.Fatalf("first: %+v", d)
	}
	if d := take(m, wide, tight); d.Allowed || d.Exceeded != 1 {
		t.Fatalf("second: %+v", d)
	}
	if d := take(m, wide); d.Remaining != 8 {
		t.Errorf("the refused call was counted: %+v", d)
	}
}

func TestFixedWindowAndBucket(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(c.now)
	fixed := Limit{Key: "f", Max: 1, Period: time.Minute, Window: Fixed, Start: c.now()}
	c.advance(50 * time.Second)
	if d := take(m, fixed); !d.Allowed {
		t.Fatalf("%+v", d)
	}
	if d := take(m, fixed); d.Allowed || d.RetryAfter != 10*time.Second {
		t.Fatalf("%+v", d)
	}
	c.advance(10 * time.Second)
	if d := take(m, fixed); !d.Allowed {
		t.Fatalf("next window: %+v", d)
	}
	bucket := Limit{Key: "b", Max: 4, Period: 4 * time.Second, Window: Bucket}
	for range 4 {
		take(m, bucket)
	}
	if d := take(m, bucket); d.Allowed || d.RetryAfter != time.Second {
		t.Fatalf("bucket: %+v", d)
	}
	c.advance(time.Second)
	if d := take(m, bucket); !d.Allowed {
		t.Fatalf("refilled bucket: %+v", d)
	}
}

func TestCheckAndCommit(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	ctx := context.Background()
	l := []Limit{{Key: "k", Max: 1, Period: time.Minute}}
	for range 3 {
		if d, _ := m.Check(ctx, l, 1); !d.Allowed {
			t.Fatal("a check counted")
		}
	}
	if err := m.Commit(ctx, l, 5); err != nil {
		t.Fatal(err)
	}
	if d, _ := m.Check(ctx, l, 1); d.Allowed || d.Remaining != 0 {
		t.Errorf("%+v", d)
	}
}

func TestSlots(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	ctx := context.Background()
	for i, want := range []bool{true, true, false} {
		if got, _ := m.Acquire(ctx, "k", 2); got != want {
			t.Errorf("slot %d: %v", i, got)
		}
	}
	m.Release("k")
	if got, _ := m.Acquire(ctx, "k", 2); !got {
		t.Error("no slot after Release")
	}
}

// TestClockGoesBack sets the clock back in the middle of a window: nothing is
// forgotten, and nothing lasts longer than a period after it was counted.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	for _, window := range []Window{Sliding, Bucket} {
		c := newClock()
		m := NewMemory(c.now)
		l := Limit{Key: "k", Max: 2, Period: 10 * time.Second, Window: window}
		take(m, l)
		c.advance(-3 * time.Second)
		take(m, l)
		if d := take(m, l); d.Allowed {
			t.Errorf("window %d: a third call is allowed: %+v", window, d)
		}
		c.advance(14 * time.Second)
		if d := take(m, l); !d.Allowed {
			t.Errorf("window %d: after the period: %+v", window, d)
		}
	}
}

func TestFixedWindowBeforeItsStart(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(c.now)
	l := Limit{Key: "k", Max: 1, Period: 10 * time.Second, Window: Fixed, Start: c.now().Add(25 * time.Second)}
	for i := range 6 { // windows end at 5, 15, 25, … s
		if d := take(m, l); !d.Allowed {
			t.Errorf("window %d: %+v", i, d)
		}
		want := 10 * time.Second
		if i == 0 {
			want = 5 * time.Second
		}
		d := take(m, l)
		if d.Allowed || d.RetryAfter != want {
			t.Errorf("window %d, second call: %+v", i, d)
		}
		c.advance(d.RetryAfter)
	}
}

func TestMoreThanABucketHolds(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	for _, limit := range []int64{0, 5} {
		d, err := m.Take(t.Context(), []Limit{{Key: "k", Max: limit, Period: time.Second, Window: Bucket}}, 6)
		if err != nil || d.Allowed || d.RetryAfter < time.Hour {
			t.Errorf("6 of %d: %+v, %v", limit, d, err)
		}
	}
}

func TestConcurrentCallersAreCountedExactly(t *testing.T) {
	t.Parallel()
	m := NewMemory(newClock().now)
	l := Limit{Key: "k", Max: 100, Period: time.Minute}
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 10 {
				if take(m, l).Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 100 {
		t.Errorf("admitted %d of 640, want 100", allowed.Load())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(c.now)
	m.maxKeys = 1024
	for i := range 100_000 {
		take(m, Limit{Key: fmt.Sprint(i), Max: 1, Period: time.Hour})
	}
	total := 0
	for i := range m.shards {
		total += len(m.shards[i].entries)
	}
	if total > 1024*shardCount {
		t.Errorf("%d keys are kept", total)
	}
}

func BenchmarkTake(b *testing.B) {
	m := NewMemory(time.Now)
	limits := []Limit{{Key: "k", Max: 1 << 40, Period: time.Minute}}
	b.ReportAllocs()
	for b.Loop() {
		m.Take(context.Background(), limits, 1)
	}
}
