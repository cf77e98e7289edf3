package porttest

import (
	"fmt"
	"syscall"
)

// keep binds a socket that never listens. Whoever binds the same port and, as servers do, allows addresses to be used again gets it; the kernel does not
// give it away by itself.
func keep() (port int, release func(), err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("keeping a port: %w", err)
	}
	release = func() { _ = syscall.Close(fd) }
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var bound syscall.Sockaddr
	if err == nil {
		bound, err = syscall.Getsockname(fd)
	}
	address, ok := bound.(*syscall.SockaddrInet4)
	if err == nil && !ok {
		err = fmt.Errorf("it is bound to a %T", bound)
	}
	if err != nil {
		release()
		return 0, nil, fmt.Errorf("keeping a port: %w", err)
	}
	return address.Port, release, nil
}
