package manage

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
)

// RateLimit is how many requests a principal may send: a bucket for each of reads, writes and deletions that fills with
// PerSecond up to Burst, as Azure Resource Manager throttles ("Understand how Azure Resource Manager throttles
// requests"). Each replica counts for itself.
type RateLimit struct {
	PerSecond float64 // 0 for no limit
	Burst     int
}

// maxBuckets is how many principals are remembered.
const maxBuckets = 10_000

type limiter struct {
	limit RateLimit
	now   func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]bucket
}

type bucketKey struct{ principal, kind string }

type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(l RateLimit, now func() time.Time) *limiter {
	return &limiter{limit: l, now: now, buckets: make(map[bucketKey]bucket)}
}

// admit takes one request off a principal's bucket and says in headers what is left, or refuses it.
func (l *limiter) admit(w http.ResponseWriter, r *http.Request, principal string) *arm.Error {
	if l.limit.PerSecond <= 0 {
		return nil
	}
	kind := "writes"
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		kind = "reads"
	case http.MethodDelete:
		kind = "deletes"
	}
	left, wait := l.take(bucketKey{principal, kind})
	w.Header().Set("x-ms-ratelimit-remaining-subscription-"+kind, strconv.Itoa(left))
	if wait <= 0 {
		return nil
	}
	e := arm.Errorf(arm.CodeTooManyRequests, "The number of %s has exceeded its limit. Try again in %d seconds.", kind, int(wait/time.Second)+1)
	e.RetryAfter = int(wait/time.Second) + 1
	return e
}

func (l *limiter) take(key bucketKey) (left int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets) // full buckets for all: a limit is no counter to rely on
	}
	b, known := l.buckets[key]
	if !known {
		b = bucket{float64(l.limit.Burst), now}
	}
	b.left = min(float64(l.limit.Burst), b.left+now.Sub(b.at).Seconds()*l.limit.PerSecond)
	b.at = now
	if b.left < 1 {
		wait = time.Duration((1 - b.left) / l.limit.PerSecond * float64(time.Second))
	} else {
		b.left--
	}
	l.buckets[key] = b
	return int(b.left), wait
}
