//go:build !386

package http1

import (
	"io"
	"net"
)

// lazyReceiver takes a buffer when there is something to read, and has none while it waits.
type lazyReceiver struct {
	directCall
	conn  *directConn
	pool  *blocks
	size  int
	block *block
}

// newReceiver returns the receiver for a connection.
func newReceiver(c net.Conn, pool *blocks) receiver {
	d, ok := c.(*directConn)
	if !ok {
		return &eagerReceiver{c, pool}
	}
	r := &lazyReceiver{conn: d, pool: pool}
	r.try = r.receiveFrom
	return r
}

// receive implements receiver.
func (r *lazyReceiver) receive(size int) (*block, int, error) {
	r.size, r.n, r.errno = size, 0, 0
	err := r.conn.raw.Read(r.try)
	b := r.block
	r.block, r.p = nil, nil
	switch {
	case err != nil:
	case r.errno != 0:
		err = r.conn.failure("read", r.errno)
	case r.n == 0:
		err = io.EOF
	}
	return b, r.n, err
}

// receiveFrom says whether there was something.
func (r *lazyReceiver) receiveFrom(fd uintptr) bool {
	r.block = r.pool.get(r.size)
	if r.p = r.block.data; r.read(fd) {
		return true
	}
	r.pool.put(r.block)
	r.block, r.p = nil, nil
	return false
}
