package http1_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestLateAnswers sends answers that take longer, as a whole or in part, than a request waits at first for its connection to become readable.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	for name, parts := range map[string][2]string{
		"all":     {"", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"},
		"head":    {"HTTP/1.1 200 OK\r\nContent-", "Length: 4\r\n\r\nlate"},
		"body":    {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nla", "te"},
		"interim": {"HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				for readRequest(r) != "" {
					say(conn, "%s", parts[0])
					<-time.After(1100 * time.Millisecond)
					say(conn, "%s", parts[1])
				}
			})
			c := &http1.Client{}
			for range 2 { // the second on the connection of the first
				answer, err := roundTrip(t, c, "POST", to, message.TransportOptions{HeaderTimeout: time.Minute})
				if err != nil || answer != "200 late" {
					t.Errorf("answer %q, %v", answer, err)
				}
			}
		})
	}
}

// TestSilentEnd checks that a request goes to a new connection when the backend service has ended the one at hand, or just its side of it and says
// nothing more.
func TestSilentEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*net.TCPConn) error{"closed": (*net.TCPConn).Close, "half closed": (*net.TCPConn).CloseWrite} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			to := rawBackend(t, func(n int, conn net.Conn, r *bufio.Reader) {
				_ = readRequest(r)
				say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", n)
				if n == 0 {
					_ = end(conn.(*net.TCPConn))
					close(ended)
				}
				_, _ = io.Copy(io.Discard, r)
			})
			c := &http1.Client{}
			for _, want := range []string{"200 0", "200 1"} {
				answer, err := roundTrip(t, c, "GET", to, message.TransportOptions{HeaderTimeout: time.Hour})
				if err != nil || answer != want {
					t.Fatalf("answer %q, %v, want %q", answer, err, want)
				}
				<-ended
			}
		})
	}
}
