// Package redistest runs private Redis servers for tests, from the program installed on the machine.
//
// A server listens on a free port of the loopback address, keeps nothing on disk, and ends with the test or with the test binary, however that ends.
package redistest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/causeway-apim/causeway/internal/porttest"
)

const (
	howToInstall = "Redis's server program (redis-server) is needed by this test: " +
		"install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis) or put it in PATH"
	startLimit = 20 * time.Second
)

// watchdog runs the server until its standard input is closed, which the end of the test binary does, then ends it.
const watchdog = `"$@" >/dev/null 2>&1 </dev/null & pid=$!
cat >/dev/null
kill -KILL $pid 2>/dev/null; wait $pid`

// Server is a Redis server.
type Server struct {
	// Address is its host:port.
	Address string

	tb       testing.TB
	options  []string
	sentinel string // file of settings
	tls      bool
	leash    io.Closer
	dog      *exec.Cmd
}

// Start starts a server with further options of its command line, such as "--requirepass", "pw"; "PORT" among them stands for its port, for --tls-port.
// It ends with the test.
func Start(tb testing.TB, options ...string) *Server {
	tb.Helper()
	s := &Server{tb: tb, options: options}
	for _, o := range options {
		s.tls = s.tls || o == "--tls-port"
	}
	s.Address = keepPort(tb)
	s.Restart()
	tb.Cleanup(s.Kill)
	return s
}

// StartSentinel starts a sentinel with a file of settings, which it may change. It ends with the test.
func StartSentinel(tb testing.TB, settings string) *Server {
	tb.Helper()
	s := &Server{tb: tb, Address: keepPort(tb), sentinel: settings}
	s.Restart()
	tb.Cleanup(s.Kill)
	return s
}

// Kill ends the server at once. It does nothing when it has ended.
func (s *Server) Kill() {
	if s.dog == nil {
		return
	}
	_ = s.leash.Close()
	_ = s.dog.Wait()
	s.dog = nil
}

// Restart starts a server that was killed again at its address, with nothing in it.
func (s *Server) Restart() {
	s.tb.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		s.tb.Fatal(howToInstall)
	}
	_, port, _ := net.SplitHostPort(s.Address)
	dog := exec.Command("sh", append([]string{"-c", watchdog, "watchdog", program}, s.arguments(port)...)...)
	dog.Dir = s.tb.TempDir()
	leash, err := dog.StdinPipe()
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := dog.Start(); err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
	s.leash, s.dog = leash, dog
	s.await()
}

// arguments are the command line of the server.
func (s *Server) arguments(port string) []string {
	if s.sentinel != "" {
		return []string{s.sentinel, "--sentinel", "--bind", "127.0.0.1", "--port", port}
	}
	args := []string{"--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}
	if s.tls {
		args = append(args, "--port", "0")
	} else {
		args = append(args, "--port", port)
	}
	for _, o := range s.options {
		if o == "PORT" {
			o = port
		}
		args = append(args, o)
	}
	return args
}

// await waits until the server accepts connections.
func (s *Server) await() {
	s.tb.Helper()
	deadline := time.Now().Add(startLimit)
	for {
		c, err := net.DialTimeout("tcp", s.Address, time.Second)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.tb.Fatalf("redistest: the server does not answer: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Do sends a command and returns its answer as text, for looking at what is in the server.
func (s *Server) Do(command ...string) string {
	s.tb.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Address}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		s.tb.Fatal(err)
	}
	defer client.Close()
	answer, err := client.Do(context.Background(), client.B().Arbitrary(command...).Build()).ToAny()
	if err != nil && !rueidis.IsRedisNil(err) {
		s.tb.Fatal(err)
	}
	return fmt.Sprint(answer)
}

// keepPort returns an address that is the test's until its end.
func keepPort(tb testing.TB) string {
	tb.Helper()
	port, release, err := porttest.Keep()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(release)
	return porttest.Address(port)
}
