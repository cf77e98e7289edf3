package message

import (
	"errors"
	"io"
	"sync"
)

// Body is a message body that is pulled: an engine reads from its connection only when Read is called, so that a slow reader slows the sender.
type Body interface {
	// Read fills p as [io.Reader] does; io.EOF, possibly together with the last bytes, says that the body is complete. Any other error says
	// that it is not.
	Read(p []byte) (int, error)
	// Close gives up the rest if EOF has not been reached, and makes a Read that waits in another goroutine return. It may be called again.
	Close() error
}

// Rewinder is a body that can be read again from its start, so that a request can be repeated.
type Rewinder interface {
	Body
	// Rewind goes back to the start, also after Close; [ErrNotReplayable] when that is impossible. A Read of the earlier pass that still waits
	// in another goroutine gets [ErrBodyClosed] and takes nothing from the new pass.
	Rewind() error
}

// Buffered is implemented by bodies that know how many of their bytes can be read without waiting.
type Buffered interface{ Buffered() int }

// Memory is a body that is completely in memory.
type Memory interface {
	Rewinder
	// Rest returns what has not been read without copying; the caller does not change it.
	Rest() []byte
}

// BytesBody returns a body over b, which it does not copy. It can be rewound.
func BytesBody(b []byte) Memory { return &bytesBody{data: b} }

// StringBody returns a body over s. It can be rewound.
func StringBody(s string) Memory { return &bytesBody{data: []byte(s)} }

type bytesBody struct {
	data   []byte
	mu     sync.Mutex // a transport may still read in an earlier pass while the next one begins
	offset int
	closed bool
}

func (b *bytesBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, ErrBodyClosed
	}
	n := copy(p, b.data[b.offset:])
	b.offset += n
	if b.offset == len(b.data) {
		return n, io.EOF
	}
	return n, nil
}

func (b *bytesBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

func (b *bytesBody) Rewind() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.offset, b.closed = 0, false
	return nil
}

func (b *bytesBody) Rest() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data[b.offset:]
}

// ReadAll reads body to its end and closes it. A body of more than limit bytes gives a [*TooLargeError] after at most limit+1 bytes have been read.
// sizeHint is the expected size, or -1; it saves growing and is not trusted.
func ReadAll(body Body, limit, sizeHint int64) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	defer body.Close()
	if sizeHint > limit {
		return nil, &TooLargeError{Limit: limit}
	}
	const firstSize, hintMax = 512, 1 << 20
	size := int64(firstSize)
	if sizeHint >= 0 {
		size = min(sizeHint+1, hintMax)
	}
	data := make([]byte, 0, size)
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if int64(len(data)) > limit {
			return nil, &TooLargeError{Limit: limit}
		}
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
