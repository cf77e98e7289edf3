// Package porttest keeps ports of the loopback address for programs that tests start, end and start again. Between a program's end and its next start, and
// until the first one, nobody else gets its port: neither a listener that asks for any port nor an outgoing connection.
package porttest

import (
	"net"
	"strconv"
)

// Keep finds a TCP port of 127.0.0.1 that nobody uses. Until release is called, the port is given only to those who ask for it by its number. On systems
// other than Linux it is merely free when Keep returns.
func Keep() (port int, release func(), err error) { return keep() }

// Address returns the host:port of a port of 127.0.0.1.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
