package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// testClock is a clock that stands until it is moved.
type testClock struct{ nanos atomic.Int64 }

func newTestClock() *testClock {
	c := &testClock{}
	c.nanos.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *testClock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *testClock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// want compares the value of a key; "" means that there is none.
func want(t *testing.T, m *Memory, key, value string) {
	t.Helper()
	got, ok, err := m.Get(t.Context(), key)
	if err != nil || ok != (value != "") || string(got) != value {
		t.Errorf("%s is %q, %v, %v; want %q", key, got, ok, err, value)
	}
}

func set(t *testing.T, m *Memory, key, value string, ttl time.Duration) {
	t.Helper()
	if err := m.Set(t.Context(), key, []byte(value), ttl); err != nil {
		t.Fatal(err)
	}
}

func TestValuesExpire(t *testing.T) {
	t.Parallel()
	c := newTestClock()
	m := NewMemory(Options{Now: c.now})
	want(t, m, "a", "")
	set(t, m, "a", "1", time.Minute)
	set(t, m, "b", "2", 10*time.Second)
	c.advance(9 * time.Second)
	want(t, m, "a", "1")
	want(t, m, "b", "2")
	c.advance(time.Second)
	want(t, m, "b", "")
	set(t, m, "a", "3", time.Minute) // a new value has its own time
	c.advance(59 * time.Second)
	want(t, m, "a", "3")
	c.advance(time.Second)
	want(t, m, "a", "")
}

func TestSetWithoutTimeRemoves(t *testing.T) {
	t.Parallel()
	m := NewMemory(Options{Now: newTestClock().now})
	set(t, m, "a", "1", time.Minute)
	set(t, m, "a", "2", 0)
	want(t, m, "a", "")
	set(t, m, "a", "1", time.Minute)
	if err := m.Remove(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	want(t, m, "a", "")
}

func TestBounds(t *testing.T) {
	t.Parallel()
	f := func(o Options, value int, most int) {
		t.Helper()
		o.Now = newTestClock().now
		m := NewMemory(o)
		for i := range 10 * most {
			set(t, m, fmt.Sprint("key", i), strings.Repeat("v", value), time.Hour)
		}
		m.entries.CleanUp()
		if n := m.entries.EstimatedSize(); n > most || n < most/2 {
			t.Errorf("%+v keeps %d entries of %d bytes, at most %d are allowed", o, n, value, most)
		}
	}
	f(Options{MaxBytes: 1 << 20}, 10000, 104)
	f(Options{MaxBytes: 1 << 20, MaxEntries: 64}, 10, 64)

	m := NewMemory(Options{MaxBytes: 1 << 20, MaxEntry: 100, Now: newTestClock().now})
	set(t, m, "a", "1", time.Hour)
	set(t, m, "a", strings.Repeat("v", 100), time.Hour)
	want(t, m, "a", "")
	set(t, m, "a", strings.Repeat("v", 99), time.Hour)
	want(t, m, "a", strings.Repeat("v", 99))
}

// TestClaim lets many ask for a key at once: one works, the others find what it has made.
func TestClaim(t *testing.T) {
	t.Parallel()
	m := NewMemory(Options{Now: newTestClock().now})
	var worked atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			release, ok, err := m.Claim(t.Context(), "k", true)
			if !ok || err != nil {
				t.Errorf("%v, %v", ok, err)
				return
			}
			defer release()
			if _, found, _ := m.Get(t.Context(), "k"); !found {
				worked.Add(1)
				set(t, m, "k", "v", time.Minute)
			}
		})
	}
	wg.Wait()
	if worked.Load() != 1 {
		t.Errorf("%d worked", worked.Load())
	}
	release, _, _ := m.Claim(t.Context(), "k", true)
	if _, ok, err := m.Claim(t.Context(), "k", false); ok || err != nil {
		t.Errorf("a second claim: %v, %v", ok, err)
	}
	if other, ok, _ := m.Claim(t.Context(), "other", false); !ok {
		t.Error("another key is claimed")
	} else {
		other()
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, ok, err := m.Claim(ctx, "k", true); ok || !errors.Is(err, gone) {
		t.Errorf("a claim without time: %v, %v", ok, err)
	}
	release()
	if len(m.taken) != 0 {
		t.Errorf("claims are left: %v", m.taken)
	}
}

func BenchmarkGet(b *testing.B) {
	m := NewMemory(Options{Now: time.Now})
	if err := m.Set(b.Context(), "key", []byte("value"), time.Hour); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok, _ := m.Get(b.Context(), "key"); !ok {
				b.Error("it is gone")
			}
		}
	})
}
