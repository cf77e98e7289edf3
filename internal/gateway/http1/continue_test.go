package http1_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// TestContinue checks that a body waits for 100 Continue where that is asked for, and what happens when it does not come.
func TestContinue(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 2)
	to := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		for {
			head := readRequest(r)
			switch {
			case head == "":
				return
			case strings.HasPrefix(head, "PUT /refuse"):
				say(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
			case strings.HasPrefix(head, "PUT /silent"):
			default:
				say(conn, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
				body := make([]byte, 5)
				if _, err := io.ReadFull(r, body); err == nil {
					say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%s", body)
				}
				continue
			}
			rest, _ := io.ReadAll(r)
			bodies <- string(rest)
			return
		}
	})
	client := newClient(t)
	send := func(path string, limit time.Duration) (string, error) {
		to.Path = path
		r := &message.Request{Method: "PUT", URL: to, Header: message.NewHeader("Expect", "100-Continue"), Body: message.StringBody("hello"), ContentLength: 5}
		resp, err := client.RoundTrip(t.Context(), r, message.TransportOptions{ContinueTimeout: limit, HeaderTimeout: time.Minute})
		if err != nil {
			return "", err
		}
		defer resp.Release()
		body, err := message.ReadAll(resp.Body, 100, -1)
		return string(body), err
	}
	for range 3 { // on one connection
		if got, err := send("/", time.Minute); got != "hello" || err != nil {
			t.Errorf("answer %q, %v", got, err)
		}
	}
	if got, err := send("/refuse", time.Minute); got != "no" || err != nil {
		t.Errorf("answer %q, %v", got, err)
	}
	_, err := send("/silent", 20*time.Millisecond)
	wantFailure(t, err, message.BackendTimeout)
	if got, err := send("/", time.Minute); got != "hello" || err != nil {
		t.Errorf("answer %q, %v", got, err)
	}
	for range 2 {
		if body := <-bodies; body != "" {
			t.Errorf("sent without being asked: %q", body)
		}
	}
}
