package http2

import (
	"io"

	"github.com/causeway-apim/causeway/internal/message"
)

// mostKept is how long a body may be that is kept while it is sent, so that a request that was not looked at can be sent again.
const mostKept = 16 << 10

// keptBody is a body that is read from a client and kept, if it is short. One goroutine at a time reads it.
type keptBody struct {
	message.Body
	data  []byte
	begun bool // somebody has read from it
	whole bool // data is all there is
	long  bool // it is too long to be kept
	again bool // data is read
	next  int  // byte of data
}

// keep makes a body that can be sent again of one that cannot.
func keep(body message.Body) message.Body {
	if _, able := body.(message.Rewinder); able || body == nil {
		return body
	}
	return &keptBody{Body: body}
}

// Read implements [message.Body].
func (b *keptBody) Read(p []byte) (int, error) {
	if b.again {
		n := copy(p, b.data[b.next:])
		if b.next += n; b.next == len(b.data) {
			return n, io.EOF
		}
		return n, nil
	}
	b.begun = true
	n, err := b.Body.Read(p)
	if b.long = b.long || len(b.data)+n > mostKept; b.long {
		b.data = nil
		return n, err
	}
	b.data = append(b.data, p[:n]...)
	b.whole = err == io.EOF
	return n, err
}

// Buffered implements [message.Buffered].
func (b *keptBody) Buffered() int {
	if b.again {
		return len(b.data) - b.next
	}
	if buffered, ok := b.Body.(message.Buffered); ok {
		return buffered.Buffered()
	}
	return 0
}

// rewind makes a body ready for another attempt, when nobody reads it any more.
func rewind(body message.Body) bool {
	switch b := body.(type) {
	case nil:
		return true
	case *keptBody:
		b.again, b.next = b.whole, 0
		return b.whole || !b.begun
	case message.Rewinder:
		return b.Rewind() == nil
	}
	return false
}
