package manage

import (
	"bufio"
	"bytes"
	"io"
)

// byteMark is the byte order mark of UTF-8, which editors of Windows put before JSON. Azure Resource Manager passes over it.
const byteMark = "\ufeff"

// unmarked is a body without the byte order mark. It reads nothing before it is read.
type unmarked struct {
	io.Closer
	body   *bufio.Reader
	looked bool
}

func withoutByteMark(body io.ReadCloser) io.ReadCloser {
	return &unmarked{Closer: body, body: bufio.NewReader(body)}
}

func (u *unmarked) Read(p []byte) (int, error) {
	if !u.looked {
		u.looked = true
		if start, _ := u.body.Peek(len(byteMark)); bytes.Equal(start, []byte(byteMark)) { // a failure comes back with the read
			_, _ = u.body.Discard(len(byteMark)) // it is there
		}
	}
	return u.body.Read(p)
}
