package http1

// Parked says how many connections wait without a goroutine now, and how often one began to.
func (s *Server) Parked() (now int, ever uint64) {
	s.parking.mu.Lock()
	defer s.parking.mu.Unlock()
	return len(s.parking.byKey), s.parking.newest
}
