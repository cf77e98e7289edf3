//go:build !unix

package main

import (
	"errors"
	"net"
	"os"
)

// handOverSignal returns a channel on which nothing comes: there is no such signal.
func handOverSignal() (c chan os.Signal, stop func()) { return nil, func() {} }

func startSuccessor(string, map[string]net.Listener) (*os.Process, net.Conn, error) {
	return nil, nil, errors.ErrUnsupported
}
