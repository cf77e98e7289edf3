//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

// poller waits for sockets. One thread with one of these costs less than a goroutine for each connection, and what the load costs is taken from
// the throughput that can be seen.
type poller struct {
	fd     int
	events [256]syscall.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &poller{fd: fd}, nil
}

// watch adds a descriptor, or changes what is awaited of it.
func (p *poller) watch(fd int, events uint32, known bool) error {
	op := syscall.EPOLL_CTL_ADD
	if known {
		op = syscall.EPOLL_CTL_MOD
	}
	return syscall.EpollCtl(p.fd, op, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)})
}

// spinFor is how long a poller that has nothing to do goes on asking before it sleeps. To wake a sleeping process on another core costs the one that
// writes to it several times what the write costs; a contender's peers on a real network do not put that on its account, and here the slower ones
// would pay it more often.
const spinFor = 20 * time.Millisecond

// wait returns what is ready, after at most some milliseconds; below 0: whenever that is.
func (p *poller) wait(milliseconds int) ([]syscall.EpollEvent, error) {
	for until := time.Now().Add(spinFor); time.Now().Before(until); {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), uintptr(len(p.events)), 0, 0, 0)
		if errno != 0 && errno != syscall.EINTR {
			return nil, fmt.Errorf("epoll: %w", errno)
		}
		if errno == 0 && n > 0 {
			return p.events[:n], nil
		}
		_, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) // to whom shares the core; never fails
	}
	n, err := syscall.EpollWait(p.fd, p.events[:], milliseconds)
	if err == syscall.EINTR {
		return nil, nil
	}
	return p.events[:max(n, 0)], err
}

func (p *poller) close() { _ = syscall.Close(p.fd) }

// connect opens a connection to a port of this machine.
func connect(port int) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		_ = syscall.Close(fd)
		return 0, fmt.Errorf("connect: %w", err)
	}
	return fd, prepare(fd)
}

// prepare makes a socket fit for a poller.
func prepare(fd int) error {
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
}

// ticker is a descriptor that becomes readable at a fixed rate.
type ticker int

func newTicker(interval time.Duration) (ticker, error) {
	const clockMonotonic = 1
	fd, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return 0, fmt.Errorf("timerfd: %w", errno)
	}
	every := syscall.NsecToTimespec(int64(interval))
	spec := [2]syscall.Timespec{every, every}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0); errno != 0 {
		return 0, fmt.Errorf("timerfd: %w", errno)
	}
	return ticker(fd), nil
}

// ticks is how many intervals have passed since it was asked last.
func (t ticker) ticks() int {
	var b [8]byte
	if n, err := syscall.Read(int(t), b[:]); n != len(b) || err != nil {
		return 0
	}
	return int(binary.NativeEndian.Uint64(b[:]))
}

func (t ticker) close() { _ = syscall.Close(int(t)) }
