package pgtest

import (
	"os"
	"testing"
)

// Server is a PostgreSQL server of one test, which may kill it and start it again. What was committed survives that.
type Server struct {
	// URL leads to its database postgres, also after a restart.
	URL string

	tb      testing.TB
	dir     string
	command []string
	stop    func() // nil while it does not run
}

// Start starts a server, which ends with the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	bin, err := programs()
	if err != nil {
		tb.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pgtest-") // the name of a socket must be short, and tb.TempDir's is not
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	command, err := initialise(dir, bin)
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{URL: socketURL(dir, "postgres"), tb: tb, dir: dir, command: command}
	s.Restart()
	tb.Cleanup(s.Kill)
	return s
}

// Kill ends the server as a crash would, with all its connections. It does nothing when it has ended.
func (s *Server) Kill() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// Restart starts a server that was killed, and waits until it answers.
func (s *Server) Restart() {
	s.tb.Helper()
	stop, err := run(s.dir, "keep", s.command)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.stop = stop
}
