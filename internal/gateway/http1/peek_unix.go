//go:build unix

package http1

import (
	"net"
	"syscall"
)

// peeker looks at an idle connection without reading from it.
type peeker struct {
	raw   syscall.RawConn
	look  func(fd uintptr)
	ended bool
}

// init prepares for c, below TLS if there is any. Connections that are no sockets always seem alive.
func (p *peeker) init(c net.Conn) {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	socket, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	p.raw = raw
	p.look = func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		p.ended = err != syscall.EAGAIN && err != syscall.EWOULDBLOCK && err != syscall.EINTR
	}
}

// alive says whether nothing has arrived: neither the end of the connection nor bytes, which nobody has asked for and which would be taken for the
// next answer. With TLS a late session ticket costs a connection, which is cheaper than telling it from an alert.
func (p *peeker) alive() bool {
	if p.raw == nil {
		return true
	}
	p.ended = true
	if err := p.raw.Control(p.look); err != nil { // not Read, which fails after the deadline of the last answer
		return false
	}
	return !p.ended
}
