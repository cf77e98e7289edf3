package gateway

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// breaker is the state of a circuit breaker: until when it is open, and what
// each rule has counted.
type breaker struct {
	mu       sync.Mutex
	openTill time.Time
	status   int                // of the answer meanwhile; 0 for the usual one
	windows  map[string]*window // by rule name
	// tell is told when the breaker opens and closes by a rule; it must not block. Nil when nobody wants to know.
	tell func(rule snapshot.CircuitBreakerRule, at time.Time, opened bool)
}

// wait returns how long the breaker stays open; 0 when it is closed.
func (b *breaker) wait(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.openTill.Sub(now), 0)
}

// answer is the status code that the rule asks for by which the breaker has opened; 0 for the usual one.
func (b *breaker) answer() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// report counts a call. A status of 0 is a call without an answer, for a
// reason.
func (b *breaker) report(config *snapshot.CircuitBreaker, status int, reason, retryAfter string, now time.Time) {
	if rule, opened := b.count(config, status, reason, retryAfter, now); opened && b.tell != nil {
		b.tell(rule, now, true)
	}
}

// count is report without the telling: it returns the rule by which the breaker has opened.
func (b *breaker) count(config *snapshot.CircuitBreaker, status int, reason, retryAfter string, now time.Time) (by snapshot.CircuitBreakerRule, opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rule := range config.Rules {
		w := b.windows[rule.Name]
		if w == nil {
			w = &window{}
			b.windows[rule.Name] = w
		}
		failed := fails(rule, status, reason)
		calls, failures := w.count(now, rule.Interval, failed)
		if !failed || !trips(rule, failures, calls) {
			continue
		}
		open := rule.TripDuration
		if wait := retryWait(retryAfter, now); wait > 0 && rule.AcceptRetryAfter {
			open = min(wait, maxRetryAfter)
		}
		opened = opened || !now.Before(b.openTill)
		by = rule
		// A little spread keeps instances from coming back at the same moment.
		open += rand.N(open/20 + 1)
		till := now.Add(open)
		b.openTill, b.status = till, rule.FailureStatus
		*w = window{}
		if b.tell != nil {
			time.AfterFunc(open, func() { b.close(rule, till) })
		}
	}
	return by, opened
}

// close tells that the breaker has closed, unless it was opened again meanwhile.
func (b *breaker) close(rule snapshot.CircuitBreakerRule, till time.Time) {
	b.mu.Lock()
	last := b.openTill.Equal(till)
	b.mu.Unlock()
	if last {
		b.tell(rule, till, false)
	}
}

// maxRetryAfter bounds what a backend service may ask for.
const maxRetryAfter = 24 * time.Hour

// fails tells whether a rule counts a call as a failure. "Server errors", which
// APIM's examples name as a reason, stands for every call without an answer.
func fails(rule snapshot.CircuitBreakerRule, status int, reason string) bool {
	if status == 0 {
		for _, r := range rule.ErrorReasons {
			if strings.EqualFold(r, reason) || strings.EqualFold(r, "Server errors") {
				return true
			}
		}
		return len(rule.ErrorReasons) == 0
	}
	for _, r := range rule.StatusRanges {
		if r[0] <= status && status <= r[1] {
			return true
		}
	}
	return false
}

func trips(rule snapshot.CircuitBreakerRule, failures, calls int) bool {
	if rule.Percentage > 0 {
		return failures*100 >= rule.Percentage*calls
	}
	return failures >= max(rule.Count, 1)
}

// window counts calls and failures of the last interval in slices of a tenth,
// so that its size does not depend on the traffic.
type window struct {
	slots [windowSlots]struct {
		number          int64
		calls, failures int
	}
}

const windowSlots = 10

// count adds a call and returns the totals of the interval that ends now.
func (w *window) count(now time.Time, interval time.Duration, failed bool) (calls, failures int) {
	number := now.UnixNano() / max(int64(interval)/windowSlots, 1)
	slot := &w.slots[uint64(number)%windowSlots]
	if slot.number != number {
		slot.number, slot.calls, slot.failures = number, 0, 0
	}
	slot.calls++
	if failed {
		slot.failures++
	}
	for _, s := range w.slots {
		if s.number > number-windowSlots {
			calls += s.calls
			failures += s.failures
		}
	}
	return calls, failures
}
