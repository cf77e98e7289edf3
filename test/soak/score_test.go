//go:build linux

package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// score counts what became of requests and other events.
type score struct {
	begin time.Time

	mu       sync.Mutex
	counts   map[string]int
	excused  int
	failures int
	kinds    map[string]int // of failures
	first    []string       // of them
}

func newScore() *score {
	return &score{begin: time.Now(), counts: map[string]int{}, kinds: map[string]int{}}
}

// note counts a request or an event of a kind.
func (s *score) note(kind string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[kind]++
	if err == nil {
		return
	}
	s.failures++
	s.kinds[kind]++
	const most = 5 // of a kind
	if s.kinds[kind] <= most {
		s.first = append(s.first, fmt.Sprintf("after %v, %s: %v", time.Since(s.begin).Round(time.Millisecond), kind, err))
	}
}

// excuse counts a failure of a backend service.
func (s *score) excuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.excused++
}

// summary is one line for each kind, and the failures.
func (s *score) summary() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(s.counts)) {
		total += s.counts[kind]
		fmt.Fprintf(&b, "%-28s %8d, failed %d\n", kind, s.counts[kind], s.kinds[kind])
	}
	for _, text := range s.first {
		fmt.Fprintln(&b, text)
	}
	fmt.Fprintf(&b, "in %v: %d requests and events, %d failures of backend services, %d failures", time.Since(s.begin).Round(time.Second), total, s.excused, s.failures)
	return b.String()
}
