package gateway

import (
	"sync"
	"time"
)

// sparse counts events of which the log tells now and then only: whoever causes them must not be able to fill it.
type sparse struct {
	mu    sync.Mutex
	told  time.Time
	count int64
}

// sparsePeriod is the least time between two lines.
const sparsePeriod = 10 * time.Second

// tick counts an event and returns how many there were since the last line when it is time for one, else 0.
func (s *sparse) tick(now time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if !s.told.IsZero() && now.Sub(s.told) < sparsePeriod {
		return 0
	}
	n := s.count
	s.told, s.count = now, 0
	return n
}
