//go:build !386

package http1

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

// pipe carries bytes from one TCP connection to another one inside the kernel: its pages change hands, nothing is copied, see splice(2).
type pipe struct {
	ends [2]int // descriptors: where bytes come out and where they go in
	held int    // bytes inside

	most int // to go in next

	n                int // of the call under way, as the next one
	errno            syscall.Errno
	tryFill, tryPour func(fd uintptr) bool
	cleanup          runtime.Cleanup
}

const (
	// pipeSize is the room of a pipe and the most that a slow reader leaves in one. With 64 KiB a body takes a quarter more CPU time.
	pipeSize = 256 << 10
	// maxPipes is how many pipes a server or a client has at most: they bind 64 MiB of the kernel's memory and two descriptors each, and users without
	// privileges get no more of that size (pipe-user-pages-soft in proc(5)). Bodies beyond are copied.
	maxPipes = 256
	// spliceFlags are SPLICE_F_MOVE and SPLICE_F_NONBLOCK.
	spliceFlags = 1 | 2
	setPipeSize = 1031 // F_SETPIPE_SZ
)

// errUnspliced says that the system does not let bytes pass through pipes: they have to be copied.
var errUnspliced = errors.New("connections cannot be spliced")

// pipes holds the free pipes of a server or a client. The garbage collector closes those that are not needed any more.
type pipes struct {
	free  sync.Pool
	count atomic.Int32 // of all
	unfit atomic.Bool  // the system does not let them be used
}

// get returns an empty pipe, nil when there is none to be had.
func (s *pipes) get() *pipe {
	if p, ok := s.free.Get().(*pipe); ok {
		return p
	}
	if s.unfit.Load() {
		return nil
	}
	if s.count.Add(1) > maxPipes {
		s.count.Add(-1)
		return nil
	}
	p := &pipe{most: pipeSize}
	if syscall.Pipe2(p.ends[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK) != nil {
		s.count.Add(-1)
		return nil
	}
	// A larger one may be forbidden: the usual one does.
	_, _, _ = syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(p.ends[1]), setPipeSize, pipeSize)
	p.tryFill, p.tryPour = p.fillFrom, p.pourInto
	p.cleanup = runtime.AddCleanup(p, s.close, p.ends)
	return p
}

// close frees the descriptors of a pipe.
func (s *pipes) close(ends [2]int) {
	_, _ = syscall.Close(ends[0]), syscall.Close(ends[1])
	s.count.Add(-1)
}

// put takes a pipe back. One that still has bytes inside is of no use.
func (s *pipes) put(p *pipe) {
	if p.held == 0 {
		p.most = pipeSize
		s.free.Put(p)
		return
	}
	p.cleanup.Stop()
	s.close(p.ends)
}

// giveUp says that the system does not let pipes be used.
func (s *pipes) giveUp() { s.unfit.Store(true) }

// canSplice says whether bytes of a connection can go through a pipe.
func canSplice(c net.Conn) bool {
	_, ok := c.(*directConn)
	return ok
}

// limit makes the next fill take at most so many bytes, if it was not less.
func (p *pipe) limit(most int64) { p.most = int(min(int64(p.most), most)) }

// fill waits until something has arrived on a connection that can splice, under its read deadline, and takes it into the pipe, which is empty.
func (p *pipe) fill(from net.Conn) (int, error) {
	d := from.(*directConn)
	p.n, p.errno = 0, 0
	err := d.raw.Read(p.tryFill)
	switch {
	case err != nil:
		return 0, err
	case p.errno == syscall.EINVAL || p.errno == syscall.ENOSYS || p.errno == syscall.EPERM:
		return 0, errUnspliced
	case p.errno != 0:
		return 0, d.failure("splice", p.errno)
	case p.n == 0:
		return 0, io.EOF
	}
	p.held = p.n
	return p.n, nil
}

// fillFrom says whether there was something.
func (p *pipe) fillFrom(fd uintptr) bool {
	n, errno := splice(fd, uintptr(p.ends[1]), p.most)
	p.n, p.errno = n, errno
	return errno != syscall.EAGAIN
}

// pour sends what the pipe holds on a connection that can splice, or a part of it that is worth a deadline of its own.
func (p *pipe) pour(to net.Conn) (int, error) {
	d := to.(*directConn)
	p.n, p.errno = 0, 0
	err := d.raw.Write(p.tryPour)
	if err == nil && p.errno != 0 {
		err = d.failure("splice", p.errno)
	}
	return p.n, err
}

// pourInto says whether enough has been sent.
func (p *pipe) pourInto(fd uintptr) bool {
	for p.held > 0 {
		n, errno := splice(uintptr(p.ends[0]), fd, p.held)
		if errno == syscall.EAGAIN {
			return p.n >= streamSize
		}
		if p.errno = errno; errno != 0 {
			return true
		}
		p.n += n
		p.held -= n
	}
	return true
}

// splice moves up to most bytes between a socket and a pipe.
func splice(from, to uintptr, most int) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SPLICE, from, 0, to, 0, uintptr(most), spliceFlags)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}
