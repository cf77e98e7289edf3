package http1

import (
	"net"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// TestLimitOfRest checks that a head whose first part comes at once has the whole time limit for the rest, and one whose first part comes late no more.
func TestLimitOfRest(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	defer ours.Close()
	taken := now().plus(-300 * time.Millisecond)
	x := &call{conn: &clientConn{Conn: ours, taken: taken}, options: message.TransportOptions{HeaderTimeout: time.Hour}, asked: true}
	x.in.limit.conn = ours
	if err := x.limitRest(); err != nil {
		t.Fatal(err)
	}
	if got := x.in.limit.current().since(taken); got != time.Hour {
		t.Errorf("the limit is %s after the request", got)
	}
}
