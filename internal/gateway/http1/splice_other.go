//go:build !linux || 386

package http1

import (
	"errors"
	"net"
)

// pipe does not exist here: see the file for Linux.
type pipe struct{ held int }

var errUnspliced = errors.ErrUnsupported

type pipes struct{}

func (*pipes) get() *pipe                { return nil }
func (*pipes) put(*pipe)                 {}
func (*pipes) giveUp()                   {}
func canSplice(net.Conn) bool            { return false }
func (*pipe) limit(int64)                {}
func (*pipe) fill(net.Conn) (int, error) { return 0, errUnspliced }
func (*pipe) pour(net.Conn) (int, error) { return 0, errUnspliced }
