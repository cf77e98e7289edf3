package http2

import (
	"errors"
	"fmt"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/message"
)

// linkError ends a connection: it is told to the peer in a GOAWAY frame.
type linkError struct {
	code   h2.ErrCode
	reason string
}

func (e *linkError) Error() string { return fmt.Sprintf("%s (%s)", e.reason, e.code) }

// resetError says that a stream was reset by the peer, or by us when own is set.
type resetError struct {
	code h2.ErrCode
	own  bool
}

func (e *resetError) Error() string {
	if e.own {
		return "stream was reset: " + e.code.String()
	}
	return "peer reset the stream: " + e.code.String()
}

var (
	errStalled    = errors.New("peer takes no data")
	errLate       = errors.New("peer sends nothing")
	errLinkClosed = errors.New("connection is closed")
	errAway       = errors.New("peer takes no more streams on this connection")
	errLength     = fmt.Errorf("%w: body and Content-Length disagree", message.ErrMalformed)
)
