package http1

import (
	"bytes"
	"io"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// The ways in which a body ends, and the states inside the chunked one.
const (
	bodyNone       = iota // at EOF
	bodyFixed             // remaining bytes
	bodyUntilClose        // end of the connection
	bodyChunked           // expects a chunk size
	chunkExtension        // after the size, up to CR
	chunkSizeLF
	chunkData // remaining bytes
	chunkCR
	chunkLF
	chunkTrailer // lines up to the empty one
)

// Limits of what surrounds the data of a chunked body.
const (
	maxSizeDigits = 15       // below 2^60
	maxExtensions = 16 << 10 // bytes of chunk extensions in a message: they carry nothing for us and cost us work
	maxTrailer    = 16 << 10 // bytes
	maxTrailers   = 64       // fields
	directRead    = 2 << 10  // a reader with as much room gets bytes straight from the connection
)

// bodyReader takes the framing off a body. It belongs to one goroutine at a time.
type bodyReader struct {
	in      *input
	wait    time.Duration // limit of each wait for bytes; 0: none
	minRate int64         // bytes a second to expect over the whole body; 0: any
	started time.Time     // of the first wait, for minRate
	trailer *message.Header

	state      int
	remaining  int64
	digits     int
	extensions int
	lines      []byte // of the trailer so far
	received   int64  // data bytes
	err        error  // once set, the only result
}

func (b *bodyReader) begin(state int, remaining int64) {
	b.state, b.remaining = state, remaining
	b.digits, b.extensions, b.lines, b.received, b.err, b.started = 0, 0, nil, 0, nil, time.Time{}
}

// ended says whether the body has been read completely.
func (b *bodyReader) ended() bool { return b.state == bodyNone }

// ready is a number of data bytes that can be read without waiting: all of them unless the body is chunked.
func (b *bodyReader) ready() int {
	unread := b.in.buf[b.in.r:b.in.w]
	switch {
	case b.state == bodyUntilClose:
		return len(unread)
	case b.inData():
		return int(min(int64(len(unread)), b.remaining))
	case b.state == bodyChunked:
		if line := bytes.IndexByte(unread, '\n'); line >= 0 && line+1 < len(unread) {
			return 1
		}
	}
	return 0
}

// read fills p with what is there and waits only when nothing is. io.EOF comes with the last bytes when the end is known by then.
func (b *bodyReader) read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 && !b.ended() {
		return 0, nil
	}
	n := 0
	for !b.ended() {
		if b.in.buffered() == 0 {
			if n > 0 {
				return n, nil
			}
			got, direct, err := b.more(p)
			if err != nil {
				return 0, b.failed(err)
			}
			if direct {
				n = got
				continue
			}
		}
		took, err := b.step(p[n:])
		n += took
		if err != nil {
			b.err = err
			return n, err
		}
		if n == len(p) && b.inData() {
			return n, nil
		}
	}
	return n, io.EOF
}

// take reads into p or, when there is one, into a pipe.
func (b *bodyReader) take(p []byte, into *pipe) (int, error) {
	if into != nil {
		return b.move(into)
	}
	return b.read(p)
}

// inData says whether the next byte is data.
func (b *bodyReader) inData() bool {
	return b.state == bodyFixed || b.state == chunkData || b.state == bodyUntilClose
}

// more waits for bytes: straight into p when data is due and p is large, else into the buffer.
func (b *bodyReader) more(p []byte) (n int, direct bool, err error) {
	if err := b.arm(); err != nil {
		return 0, false, err
	}
	if !b.inData() || len(p) < directRead {
		return 0, false, b.in.fill()
	}
	if b.state != bodyUntilClose && int64(len(p)) > b.remaining {
		if b.remaining < directRead {
			return 0, false, b.in.fill()
		}
		p = p[:b.remaining]
	}
	n, err = b.in.conn.Read(p)
	if n == 0 {
		if err == nil {
			err = io.ErrNoProgress
		}
		return 0, false, err
	}
	b.in.consumed += int64(n)
	b.took(n)
	return n, true, nil
}

// arm sets the deadline of the next read and enforces the least rate.
func (b *bodyReader) arm() error {
	if b.minRate > 0 {
		const grace = 5 * time.Second
		now := time.Now()
		if b.started.IsZero() {
			b.started = now
		}
		if spent := now.Sub(b.started); spent > grace && b.received < int64(spent.Seconds()*float64(b.minRate)) {
			return message.ErrTooSlow
		}
	}
	return b.in.limit.arm(b.wait)
}

// failed turns the error of a read into that of the body and keeps it.
func (b *bodyReader) failed(err error) error {
	if b.in.limit.isAborted() {
		return errAborted // not kept: the connection's owner may read on
	}
	b.err = b.endOfInput(err)
	return b.err
}

// endOfInput turns the error of a read into that of the body.
func (b *bodyReader) endOfInput(err error) error {
	if err != io.EOF {
		return err
	}
	if b.state == bodyUntilClose {
		b.state = bodyNone
		return io.EOF
	}
	return message.ErrTruncated
}

// took counts n bytes of data.
func (b *bodyReader) took(n int) {
	b.received += int64(n)
	if b.state == bodyUntilClose {
		return
	}
	b.remaining -= int64(n)
	if b.remaining > 0 {
		return
	}
	if b.state == bodyFixed {
		b.state = bodyNone
	} else {
		b.state = chunkCR
	}
}

// step consumes buffered bytes: data into p, or one byte or more of framing.
func (b *bodyReader) step(p []byte) (int, error) {
	in := b.in
	if b.inData() {
		n := in.buffered()
		if b.state != bodyUntilClose {
			n = int(min(int64(n), b.remaining))
		}
		n = copy(p, in.buf[in.r:in.r+n])
		in.r += n
		in.consumed += int64(n)
		b.took(n)
		return n, nil
	}
	c := in.buf[in.r]
	in.r++
	in.consumed++
	return 0, b.chunkByte(c)
}

// chunkByte advances the framing of a chunked body by one byte.
func (b *bodyReader) chunkByte(c byte) error {
	switch b.state {
	case bodyChunked:
		return b.sizeByte(c)
	case chunkExtension:
		b.extensions++
		switch {
		case c == '\r':
			b.state = chunkSizeLF
		case c < ' ' && c != '\t' || c == 0x7f || b.extensions > maxExtensions:
			return errChunk
		}
	case chunkSizeLF:
		if c != '\n' {
			return errChunk
		}
		b.digits = 0
		if b.state = chunkData; b.remaining == 0 {
			b.state = chunkTrailer
		}
	case chunkCR:
		if c != '\r' {
			return errChunk
		}
		b.state = chunkLF
	case chunkLF:
		if c != '\n' {
			return errChunk
		}
		b.state = bodyChunked
	case chunkTrailer:
		return b.trailerByte(c)
	}
	return nil
}

// sizeByte takes a byte of a chunk's size line. White space around the size is refused, though RFC 9112 lets a recipient accept it before
// extensions: readers differ in what they make of it.
func (b *bodyReader) sizeByte(c byte) error {
	digit, ok := hexDigit(c)
	switch {
	case ok:
		if b.digits == 0 {
			b.remaining = 0
		}
		if b.digits++; b.digits > maxSizeDigits {
			return errChunk
		}
		b.remaining = b.remaining<<4 | digit
	case b.digits == 0:
		return errChunk
	case c == '\r':
		b.state = chunkSizeLF
	case c == ';':
		b.state = chunkExtension
	default:
		return errChunk
	}
	return nil
}

func hexDigit(c byte) (int64, bool) {
	switch {
	case isDigit(c):
		return int64(c - '0'), true
	case 'a' <= c && c <= 'f':
		return int64(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return int64(c-'A') + 10, true
	}
	return 0, false
}

// trailerByte collects the trailer and parses it at its end.
func (b *bodyReader) trailerByte(c byte) error {
	b.lines = append(b.lines, c)
	n := len(b.lines)
	if n > maxTrailer || c == '\n' && (n < 2 || b.lines[n-2] != '\r') {
		return errTrailer
	}
	if n == 2 && c == '\n' {
		b.state = bodyNone
		return nil
	}
	if n < 4 || string(b.lines[n-4:]) != "\r\n\r\n" {
		return nil
	}
	if _, err := parseFields(string(b.lines), b.trailer, nil, maxTrailers); err != nil {
		return errTrailer
	}
	b.state = bodyNone
	return nil
}

// skip consumes what has arrived and says whether that was the whole rest.
func (b *bodyReader) skip() bool {
	scratch := b.in.blocks.get(blockSizes[0])
	defer b.in.blocks.put(scratch)
	for !b.ended() && b.err == nil && b.in.buffered() > 0 {
		_, b.err = b.step(scratch.data)
	}
	return b.ended()
}

// discard reads the rest, until a moment at most, so that the connection can be used again. It says whether the end was reached.
func (b *bodyReader) discard(until moment) bool {
	if b.err != nil && b.err != io.EOF {
		return false
	}
	scratch := b.in.blocks.get(blockSizes[1])
	defer b.in.blocks.put(scratch)
	for {
		if b.wait = until.since(now()); b.wait <= 0 {
			return false
		}
		if _, err := b.read(scratch.data); err != nil {
			return err == io.EOF
		}
	}
}
