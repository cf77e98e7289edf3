//go:build !linux || 386

package http1

import "net"

func newReceiver(c net.Conn, pool *blocks) receiver { return &eagerReceiver{c, pool} }
