package http1

import (
	"os"
	"runtime"
	"syscall"
)

// Parked says how many connections wait without a goroutine now, and how often one began to.
func (s *Server) Parked() (now int, ever uint64) {
	s.parking.mu.Lock()
	defer s.parking.mu.Unlock()
	return len(s.parking.byKey), s.parking.newest
}

// SpoilPipes gives the server pipes that the system refuses to use.
func (s *Server) SpoilPipes() error { return s.blocks.pipes.spoil() }

// SpoilPipes does so with the client.
func (c *Client) SpoilPipes() error { return c.blocks.pipes.spoil() }

func (s *pipes) spoil() error {
	for range 8 { // the race detector loses some
		p := &pipe{most: pipeSize}
		p.tryFill, p.tryPour = p.fillFrom, p.pourInto
		for i := range p.ends {
			fd, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			p.ends[i] = fd
		}
		p.cleanup = runtime.AddCleanup(p, s.close, p.ends)
		s.count.Add(1)
		s.put(p)
	}
	return nil
}

// PipesUnfit says whether the server has found out that pipes cannot be used.
func (s *Server) PipesUnfit() bool { return s.blocks.pipes.unfit.Load() }

// PipesUnfit does so of the client.
func (c *Client) PipesUnfit() bool { return c.blocks.pipes.unfit.Load() }
