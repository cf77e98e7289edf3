//go:build !386

package http1

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// directConn reads and writes a TCP connection without telling Go's scheduler about each system call. Sockets do not block, so there is nothing to
// tell, and it costs: a thread that the operating system interrupts in such a call loses its place to another one. The calls are those for sockets, which
// pass by what the kernel does for files of all kinds in read and write. Deadlines, closing and all else are those of the connection.
type directConn struct {
	*net.TCPConn
	raw     syscall.RawConn
	in, out directCall

	question func(fd uintptr) bool // of ask
	asked    bool                  // it has been written; guarded by out.mu
	pair     *pairCall             // guarded by out.mu
}

// direct returns the same connection, faster where that can be.
func direct(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	d := &directConn{TCPConn: tcp, raw: raw}
	d.in.try, d.out.try, d.question = d.in.read, d.out.write, d.writeFirst
	return d
}

// directCall is one direction of a connection.
type directCall struct {
	try func(fd uintptr) bool

	mu    sync.Mutex // guards what follows, which is of the call under way
	p     []byte
	n     int
	errno syscall.Errno
}

// Read implements [io.Reader].
func (d *directConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c := &d.in
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p, c.n, c.errno = p, 0, 0
	err := d.raw.Read(c.try)
	c.p = nil
	switch {
	case err != nil:
		return 0, err
	case c.errno != 0:
		return 0, d.failure("read", c.errno)
	case c.n == 0:
		return 0, io.EOF
	}
	return c.n, nil
}

// read says whether there was something.
func (c *directCall) read(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(c.p))), uintptr(len(c.p)), 0, 0, 0)
		switch errno {
		case 0:
			c.n = int(n)
			return true
		case syscall.EAGAIN:
			return false
		case syscall.EINTR:
		default:
			c.errno = errno
			return true
		}
	}
}

// Write implements [io.Writer].
func (d *directConn) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c := &d.out
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p, c.n, c.errno = p, 0, 0
	err := d.raw.Write(c.try)
	if c.p = nil; err == nil && c.errno != 0 {
		err = d.failure("write", c.errno)
	}
	return c.n, err
}

// write says whether everything has been written.
func (c *directCall) write(fd uintptr) bool {
	for c.n < len(c.p) {
		rest := c.p[c.n:]
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(rest))), uintptr(len(rest)), syscall.MSG_NOSIGNAL, 0, 0)
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
	return true
}

// ask writes p and waits until there may be something to read or no time is left, which the next read tells. Writing happens inside the wait: the
// poller forgets what it knew of the connection before, so that whatever arrives later counts, and no read is tried that cannot find an answer yet. An
// end of the connection that arrived before the write is forgotten too, if the other side says nothing more: give the wait a short deadline. It
// returns the number of bytes that were written, which can be less than all of them without an error.
func (d *directConn) ask(p []byte) (int, error) {
	c := &d.out
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p, c.n, c.errno, d.asked = p, 0, 0, false
	_ = d.raw.Read(d.question) // the next call finds the same error
	if c.p = nil; c.errno != 0 {
		return c.n, d.failure("write", c.errno)
	}
	return c.n, nil
}

// writeFirst writes when it is called first and says that the wait is over when that failed, or when it is called again.
func (d *directConn) writeFirst(fd uintptr) bool {
	if d.asked {
		return true
	}
	d.asked = true
	return !d.out.write(fd) || d.out.errno != 0
}

// failure is the error of a system call as package net words it.
func (d *directConn) failure(op string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Source: d.LocalAddr(), Addr: d.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}
