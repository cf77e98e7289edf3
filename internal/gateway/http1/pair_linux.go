//go:build !386

package http1

import (
	"syscall"
	"unsafe"
)

// pairCall is the write of two pieces under way. Connections that write none have none.
type pairCall struct {
	pieces [2][]byte
	vector [2]syscall.Iovec
	n      int
	errno  syscall.Errno
	try    func(fd uintptr) bool
}

// writePair writes p and then q, in one system call as far as the socket takes them; see [directConn].
func (d *directConn) writePair(p, q []byte) (int, error) {
	d.out.mu.Lock()
	defer d.out.mu.Unlock()
	if d.pair == nil {
		d.pair = &pairCall{}
		d.pair.try = d.pair.write
	}
	c := d.pair
	c.pieces, c.n, c.errno = [2][]byte{p, q}, 0, 0
	err := d.raw.Write(c.try)
	c.pieces, c.vector = [2][]byte{}, [2]syscall.Iovec{}
	if err == nil && c.errno != 0 {
		err = d.failure("writev", c.errno)
	}
	return c.n, err
}

// write says whether everything has been written.
func (c *pairCall) write(fd uintptr) bool {
	for {
		count, skip := 0, c.n
		for _, piece := range c.pieces {
			if skip >= len(piece) {
				skip -= len(piece)
				continue
			}
			c.vector[count].Base = &piece[skip]
			c.vector[count].SetLen(len(piece) - skip)
			count++
			skip = 0
		}
		if count == 0 {
			return true
		}
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&c.vector)), uintptr(count))
		switch errno {
		case 0:
			c.n += int(n)
		case syscall.EAGAIN:
			return false
		case syscall.EINTR:
		default:
			c.errno = errno
			return true
		}
	}
}
