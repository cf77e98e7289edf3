package http1

import (
	"bytes"
	"net"
	"os"
	"testing"
	"time"
)

// slowConn takes a few bytes before each time limit, of one piece or of two.
type slowConn struct {
	net.Conn
	taken []byte
	most  int
}

func (c *slowConn) Write(p []byte) (int, error) {
	n := min(len(p), c.most)
	c.taken = append(c.taken, p[:n]...)
	if n < len(p) {
		return n, os.ErrDeadlineExceeded
	}
	return n, nil
}

func (c *slowConn) writePair(p, q []byte) (int, error) { return c.Write(append(bytes.Clone(p), q...)) }

func (c *slowConn) SetWriteDeadline(time.Time) error { return nil }

// TestSlowClient checks that the time limit of writes is for clients that take nothing: one that takes little is waited for.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	head, body := bytes.Repeat([]byte("h"), 100), bytes.Repeat([]byte("b"), 8<<10)
	for _, most := range []int{1, 99, 100, 101, 5000, 9000} {
		c := &slowConn{most: most}
		o := output{conn: c, blocks: &blocks{}, stall: time.Second}
		o.hold(blockSizes[0])
		o.buf = append(o.buf, head...)
		if err := o.writeBoth(body); err != nil || !bytes.Equal(c.taken, append(bytes.Clone(head), body...)) || o.written != int64(len(c.taken)) {
			t.Errorf("%d at a time: %d of %d bytes taken, %v", most, o.written, len(head)+len(body), err)
		}
	}
	o := output{conn: &slowConn{}, blocks: &blocks{}, stall: time.Second}
	if err := o.write(body); err == nil {
		t.Error("a client that takes nothing is waited for")
	}
}
