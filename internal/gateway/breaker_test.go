package gateway

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestBreakerTells: once when it opens, once when it closes, and not in between.
func TestBreakerTells(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var told []string
		b := &breaker{windows: make(map[string]*window), tell: func(rule snapshot.CircuitBreakerRule, at time.Time, opened bool) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(rule.Name, " ", opened, " ", at.Sub(start).Round(10*time.Second)))
		}}
		config := &snapshot.CircuitBreaker{Rules: []snapshot.CircuitBreakerRule{{
			Name: "r", Count: 1, Interval: time.Minute, TripDuration: 100 * time.Second, StatusRanges: [][2]int{{500, 599}},
		}}}
		fail := func() { b.report(config, 503, "", "", time.Now()); synctest.Wait() }
		fail()
		time.Sleep(50 * time.Second)
		fail() // one that was under way: it stays open for longer
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		fail()
		time.Sleep(time.Hour)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"r true 0s", "r false 2m30s", "r true 10m50s", "r false 12m30s"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}
