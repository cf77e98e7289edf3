// Package counters counts calls for limits: rate limits, quotas and slots of
// concurrency.
package counters

import (
	"context"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Window says how a limit counts over time.
type Window uint8

// The windows.
const (
	// Sliding counts what happened within the last period.
	Sliding Window = iota
	// Fixed counts from multiples of the period after Limit.Start.
	Fixed
	// Bucket refills evenly over the period and holds Max at most.
	Bucket
)

// Limit is one counter and how much of it is allowed.
type Limit struct {
	Key    string
	Max    int64
	Period time.Duration // 0: for ever
	Window Window
	Start  time.Time // aligns fixed windows
}

// Decision is the answer of a counter.
type Decision struct {
	Allowed    bool
	Exceeded   int   // position of the first limit without room
	Remaining  int64 // of the tightest limit, afterwards
	RetryAfter time.Duration
}

// Memory counts in process and is exact: it never admits more than a limit
// within any period. It holds a bounded number of keys.
type Memory struct {
	now     func() time.Time
	seed    maphash.Seed
	shards  [shardCount]shard
	maxKeys int // of a shard

	// watch is told of all that is counted here, with the shard of the key locked. It must not keep the key.
	watch []func(l Limit, cost int64)

	slotsMu sync.Mutex
	slots   map[string]int64
}

const (
	shardCount     = 64
	defaultMaxKeys = 1 << 20
)

type shard struct {
	mu      sync.Mutex
	entries map[string]*entry
	sweepAt int
}

// entry is the state of one key. Which fields are used depends on the window.
type entry struct {
	slots   []slot  // sliding: non-empty slices of the period, oldest first
	inSlots int64   // sliding: the sum of their counts
	used    int64   // fixed
	start   int64   // fixed: number of the window
	level   float64 // bucket: tokens left
	at      time.Time
	expires time.Time // when forgetting the key changes nothing
}

// slot is calls that came close together; they count until a period after the
// last of them.
type slot struct{ number, last, count int64 }

// slotsPerPeriod is the resolution of sliding windows: calls within a hundredth
// of the period share a slot, so that a call is forgotten at most that much late
// and never early.
const slotsPerPeriod = 100

// NewMemory returns an empty counter. now is the clock.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{now: now, seed: maphash.MakeSeed(), maxKeys: defaultMaxKeys / shardCount, slots: make(map[string]int64)}
	for i := range m.shards {
		m.shards[i].entries = make(map[string]*entry)
		m.shards[i].sweepAt = 1024
	}
	return m
}

// Take adds cost to every limit if each has room for it, and to none otherwise.
func (m *Memory) Take(_ context.Context, limits []Limit, cost int64) (Decision, error) {
	return m.decide(limits, cost, true), nil
}

// Check says what Take would, and adds nothing.
func (m *Memory) Check(_ context.Context, limits []Limit, cost int64) (Decision, error) {
	return m.decide(limits, cost, false), nil
}

// Commit adds cost to every limit, whether it has room or not.
func (m *Memory) Commit(_ context.Context, limits []Limit, cost int64) error {
	held := m.lock(limits)
	defer held.unlock()
	now := m.now()
	for i := range limits {
		l := &limits[i]
		m.add(m.entry(l.Key, now), l, cost, now)
	}
	return nil
}

// add counts in one counter, whose shard is locked, and tells those who watch.
func (m *Memory) add(e *entry, l *Limit, cost int64, now time.Time) {
	e.add(l, cost, now)
	for _, tell := range m.watch {
		tell(*l, cost)
	}
}

// addElsewhere counts what was counted elsewhere, and tells nobody.
func (m *Memory) addElsewhere(l Limit, cost int64) {
	s := m.shard(l.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	s.entry(l.Key, now, m.maxKeys).add(&l, cost, now)
}

// Acquire takes one of max slots and says whether there was one.
func (m *Memory) Acquire(_ context.Context, key string, max int64) (bool, error) {
	m.slotsMu.Lock()
	defer m.slotsMu.Unlock()
	n := m.slots[key]
	switch {
	case n >= max:
		return false, nil
	case n == 0:
		key = strings.Clone(key)
	}
	m.slots[key] = n + 1
	return true, nil
}

// Release gives a slot back.
func (m *Memory) Release(key string) {
	m.slotsMu.Lock()
	defer m.slotsMu.Unlock()
	if n := m.slots[key]; n > 1 {
		m.slots[key] = n - 1
	} else {
		delete(m.slots, key)
	}
}

func (m *Memory) decide(limits []Limit, cost int64, take bool) Decision {
	if len(limits) == 1 {
		return m.decideOne(&limits[0], cost, take)
	}
	held := m.lock(limits)
	defer held.unlock()
	now := m.now()
	d := Decision{Allowed: true, Remaining: math.MaxInt64}
	for i := range limits {
		l := &limits[i]
		room, wait := m.entry(l.Key, now).room(l, cost, now)
		if room < cost && d.Allowed {
			d.Allowed, d.Exceeded = false, i
		}
		if room < cost {
			d.RetryAfter = max(d.RetryAfter, wait, 1)
		}
		d.Remaining = min(d.Remaining, max(room, 0))
	}
	if d.Allowed {
		if take {
			for i := range limits { // looked up again: the entry of another limit may have swept one away
				l := &limits[i]
				m.add(m.entry(l.Key, now), l, cost, now)
			}
		}
		d.Remaining = max(d.Remaining-cost, 0)
	}
	return d
}

// decideOne is decide for one limit, which is what most requests have: its counter is looked up once.
func (m *Memory) decideOne(l *Limit, cost int64, take bool) Decision {
	s := m.shard(l.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := m.now()
	e := s.entry(l.Key, now, m.maxKeys)
	room, wait := e.room(l, cost, now)
	if room < cost {
		return Decision{Remaining: max(room, 0), RetryAfter: max(wait, 1)}
	}
	if take {
		m.add(e, l, cost, now)
	}
	return Decision{Allowed: true, Remaining: max(max(room, 0)-cost, 0)}
}

// locked is what lock has locked.
type locked struct {
	m  *Memory
	at []uint64
}

// lock locks the shards of the limits' keys, in order.
func (m *Memory) lock(limits []Limit) locked {
	at := make([]uint64, len(limits))
	for i := range limits {
		at[i] = m.index(limits[i].Key)
	}
	slices.Sort(at)
	at = slices.Compact(at)
	for _, i := range at {
		m.shards[i].mu.Lock()
	}
	return locked{m, at}
}

func (l *locked) unlock() {
	for _, i := range l.at {
		l.m.shards[i].mu.Unlock()
	}
}

func (m *Memory) index(key string) uint64 { return maphash.String(m.seed, key) % shardCount }

func (m *Memory) shard(key string) *shard { return &m.shards[m.index(key)] }

// entry returns the state of a key, whose shard is locked. The key is copied
// when it is kept.
func (m *Memory) entry(key string, now time.Time) *entry {
	return m.shard(key).entry(key, now, m.maxKeys)
}

func (s *shard) entry(key string, now time.Time, maxKeys int) *entry {
	e := s.entries[key]
	if e == nil {
		if len(s.entries) >= s.sweepAt {
			s.sweep(now, maxKeys)
		}
		e = &entry{at: now, expires: now}
		s.entries[strings.Clone(key)] = e
	}
	return e
}

// sweep forgets keys that no longer matter. When a shard stays full, keys are
// dropped at random: an attacker who invents keys must not fill the memory.
func (s *shard) sweep(now time.Time, maxKeys int) {
	for k, e := range s.entries {
		if !e.expires.After(now) {
			delete(s.entries, k)
		}
	}
	for k := range s.entries {
		if len(s.entries) < maxKeys-maxKeys/8 {
			break
		}
		delete(s.entries, k)
	}
	s.sweepAt = min(max(2*len(s.entries), 1024), maxKeys)
}

// room is what a limit has left, and how long until it has room for cost.
func (e *entry) room(l *Limit, cost int64, now time.Time) (room int64, wait time.Duration) {
	switch {
	case l.Period <= 0:
		return l.Max - e.used, math.MaxInt64
	case l.Window == Fixed:
		number, end := fixedWindow(l, now)
		if e.start != number {
			return l.Max, end.Sub(now)
		}
		return l.Max - e.used, end.Sub(now)
	case l.Window == Bucket:
		level := e.refill(l, now)
		if cost > l.Max {
			return int64(math.Floor(level)), math.MaxInt64 // it never holds that many
		}
		missing := max(float64(cost)-level, 0)
		return int64(math.Floor(level)), time.Duration(math.Ceil(missing / float64(l.Max) * float64(l.Period)))
	}
	return e.slidingRoom(l, cost, now)
}

func (e *entry) slidingRoom(l *Limit, cost int64, now time.Time) (int64, time.Duration) {
	e.forget(now.UnixNano() - int64(l.Period))
	room := l.Max - e.inSlots
	if room >= cost {
		return room, 0
	}
	freed := room
	for _, s := range e.slots {
		if freed += s.count; freed >= cost {
			return room, max(time.Unix(0, s.last).Add(l.Period).Sub(now), 1)
		}
	}
	return room, l.Period
}

// forget drops slots whose last call was at a moment, in nanoseconds since 1970, or before it.
func (e *entry) forget(moment int64) {
	n := 0
	for n < len(e.slots) && e.slots[n].last <= moment {
		e.inSlots -= e.slots[n].count
		n++
	}
	if n > 0 {
		e.slots = slices.Delete(e.slots, 0, n)
	}
}

func slotWidth(period time.Duration) int64 { return max(int64(period)/slotsPerPeriod, 1) }

// add counts.
func (e *entry) add(l *Limit, cost int64, now time.Time) {
	switch {
	case l.Period <= 0:
		e.used += cost
		e.expires = time.Unix(1<<40, 0)
	case l.Window == Fixed:
		number, end := fixedWindow(l, now)
		if e.start != number {
			e.start, e.used = number, 0
		}
		e.used += cost
		e.expires = end
	case l.Window == Bucket:
		e.level = e.refill(l, now) - float64(cost)
		if now.After(e.at) { // clocks may go back: no time is refilled twice
			e.at = now
		}
		e.expires = e.at.Add(l.Period)
	default:
		at := now.UnixNano()
		e.forget(at - int64(l.Period))
		number := at / slotWidth(l.Period)
		if n := len(e.slots); n > 0 && e.slots[n-1].number == number {
			e.slots[n-1].count += cost
			e.slots[n-1].last = at
		} else {
			e.slots = append(e.slots, slot{number, at, cost})
		}
		e.inSlots += cost
		e.expires = now.Add(l.Period)
	}
}

// refill is the level of a bucket at a moment. A key that nobody used is full.
func (e *entry) refill(l *Limit, now time.Time) float64 {
	if !e.expires.After(now) {
		return float64(l.Max)
	}
	elapsed := max(now.Sub(e.at), 0) // clocks may go back
	return min(e.level+float64(elapsed)/float64(l.Period)*float64(l.Max), float64(l.Max))
}

// fixedWindow is the window that a moment falls into: its number, never 0, and
// its end.
func fixedWindow(l *Limit, now time.Time) (number int64, end time.Time) {
	since := now.Sub(l.Start)
	if l.Start.IsZero() {
		since = time.Duration(now.UnixNano())
	}
	number, gone := int64(since/l.Period), since%l.Period
	if gone < 0 {
		number, gone = number-1, gone+l.Period
	}
	if number >= 0 {
		number++
	}
	return number, now.Add(l.Period - gone)
}
