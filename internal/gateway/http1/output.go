package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// output is the writing side of a connection: bytes gather in a pooled buffer and leave in one write.
type output struct {
	conn    net.Conn
	blocks  *blocks
	stall   time.Duration // limit of each write; 0: none
	until   moment        // write deadline in force
	used    moment        // when the last write began, as far as it is limited; zero: nobody knows
	block   *block
	buf     []byte // gathered, not written
	written int64
}

// hold takes a buffer of at least size bytes, keeping what is gathered.
func (o *output) hold(size int) {
	if o.block != nil && len(o.block.data) >= size {
		return
	}
	old := o.block
	o.block = o.blocks.get(size)
	o.buf = append(o.block.data[:0], o.buf...)
	o.blocks.put(old)
}

// drop gives the buffer back.
func (o *output) drop() {
	o.blocks.put(o.block)
	o.block, o.buf = nil, nil
}

// flush writes what is gathered.
func (o *output) flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	err := o.write(o.buf)
	o.empty()
	return err
}

// asker is a connection that can write and wait for an answer in one: see directConn.
type asker interface{ ask(p []byte) (int, error) }

// ask writes what is gathered and waits for an answer, under the read deadline in force.
func (o *output) ask(conn asker) error {
	n, err := conn.ask(o.buf)
	o.written += int64(n)
	if n < len(o.buf) && err == nil {
		err = o.write(o.buf[n:])
	}
	o.empty()
	return err
}

// empty forgets what is gathered.
func (o *output) empty() {
	if o.buf = o.buf[:0]; o.block != nil {
		o.buf = o.block.data[:0]
	}
}

// write sends p itself.
func (o *output) write(p []byte) error {
	for {
		o.arm()
		n, err := o.conn.Write(p)
		o.written += int64(n)
		if !o.goesOn(n, err) {
			return err
		}
		p = p[n:]
	}
}

// goesOn says whether a write that has met its time limit is to be continued, because the other side has taken a part of it. TLS cannot do that.
func (o *output) goesOn(n int, err error) bool {
	return n > 0 && o.stall > 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// pairWriter is a connection that can write two pieces in one system call: see directConn.
type pairWriter interface {
	writePair(p, q []byte) (int, error)
}

// writeBoth sends what is gathered and p behind it, in one system call where the connection can. Where it cannot, as with TLS, which copies in any
// case, they are put together as long as they are small.
func (o *output) writeBoth(p []byte) error {
	if len(o.buf) == 0 {
		return o.write(p)
	}
	conn, ok := o.conn.(pairWriter)
	if together := len(o.buf) + len(p); together <= cap(o.buf) || !ok && together <= streamSize {
		o.hold(together)
		o.buf = append(o.buf, p...)
		return o.flush()
	}
	if !ok {
		if err := o.flush(); err != nil {
			return err
		}
		return o.write(p)
	}
	o.arm()
	n, err := conn.writePair(o.buf, p)
	o.written += int64(n)
	if o.goesOn(n, err) {
		head := min(n, len(o.buf))
		if err = nil; head < len(o.buf) {
			err = o.write(o.buf[head:])
		}
		if err == nil {
			err = o.write(p[n-head:])
		}
	}
	o.empty()
	return err
}

// arm moves the write deadline when a good part of it has passed.
func (o *output) arm() {
	if o.stall <= 0 {
		return
	}
	o.used = now()
	if o.until.since(o.used) > o.stall*3/4 {
		return
	}
	o.until = o.used.plus(o.stall)
	_ = o.conn.SetWriteDeadline(o.until.time()) // fails on closed connections only: the write says so
}

// lastUse is when the last write began, if that is known and has not been asked for, and otherwise now.
func (o *output) lastUse() moment {
	used := o.used
	if o.used = 0; used == 0 {
		return now()
	}
	return used
}

// The ways to frame a body that is sent.
const (
	sendNone    = iota // neither body nor Content-Length
	sendLength         // Content-Length, with the body or without (HEAD)
	sendChunked        // Transfer-Encoding: chunked
	sendClose          // up to the end of the connection
)

// sending is what the engine itself says in a head.
type sending struct {
	mode       int
	length     int64
	connection string // value of the Connection field; "": none
}

// appendFields appends the fields of h and the engine's own, without the empty line. Content-Length and Transfer-Encoding keep their place and
// spelling when h has them and they are true. It returns which fields of the engine's interest h has.
func appendFields(b []byte, h *message.Header, s sending) (out []byte, seen uint, err error) {
	framed := s.mode == sendNone || s.mode == sendClose
	for i := range h.Len() {
		f := h.At(i)
		kind := fieldKind(f.Name)
		switch kind {
		case fieldConnection:
			continue
		case fieldContentLength:
			if framed || s.mode != sendLength {
				continue
			}
			framed = true
			b = append(append(b, f.Name...), ": "...)
			b = append(strconv.AppendInt(b, s.length, 10), "\r\n"...)
			continue
		case fieldTransferEncoding:
			if framed || s.mode != sendChunked {
				continue
			}
			framed = true
			b = append(append(b, f.Name...), ": chunked\r\n"...)
			continue
		}
		seen |= 1 << kind
		if b, err = appendField(b, f); err != nil {
			return nil, 0, err
		}
	}
	if !framed && s.mode == sendLength {
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, s.length, 10), "\r\n"...)
	} else if !framed {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if s.connection != "" {
		b = append(append(append(b, "Connection: "...), s.connection...), "\r\n"...)
	}
	return b, seen, nil
}

// appendField appends one line. What could break out of it is refused.
func appendField(b []byte, f message.Field) ([]byte, error) {
	if !message.ValidName(f.Name) || !message.ValidValue(f.Value) {
		return nil, &message.InvalidFieldError{Name: f.Name}
	}
	n, size := len(b), len(f.Name)+len(": ")+len(f.Value)+len("\r\n")
	b = slices.Grow(b, size)[:n+size]
	n += copy(b[n:], f.Name)
	b[n], b[n+1] = ':', ' '
	n += 2
	n += copy(b[n:], f.Value)
	b[n], b[n+1] = '\r', '\n'
	return b, nil
}

// appendTrailer appends the fields of a trailer. Those that do not belong there are left out.
func appendTrailer(b []byte, trailer *message.Header) []byte {
	for i := range trailer.Len() {
		f := trailer.At(i)
		if kind := fieldKind(f.Name); kind != fieldOther && kind != fieldDate {
			continue
		}
		if line, err := appendField(b, f); err == nil {
			b = line
		}
	}
	return b
}

// streamSize is the buffer for large bodies in transit. Those of unknown size begin with a small one, because many of them (event streams) wait for
// long with little to send.
const streamSize = 64 << 10

// courier accompanies a body that is sent.
type courier interface {
	// progress is called after each write but the last.
	progress()
	// appendTrailer appends the fields behind the last chunk; see appendTrailer.
	appendTrailer(b []byte) []byte
}

// sendBody pulls the body and writes it behind what is gathered, until EOF. The error is a *sourceError when the body failed, and the connection's
// otherwise. The head waits for the body only when that is there already.
func (o *output) sendBody(body message.Body, s sending, with courier) error {
	if memory, ok := body.(message.Memory); ok && s.mode == sendLength {
		return o.sendMemory(memory, s.length, with)
	}
	if buffered, ok := body.(message.Buffered); !ok || buffered.Buffered() == 0 {
		if err := o.flush(); err != nil {
			return err
		}
	}
	size := blockSizes[0]
	if s.mode == sendLength {
		size = int(min(int64(len(o.buf))+s.length, streamSize))
		if s.length >= spliceLeast+callBlock && o.spliceFrom(body) != nil {
			size = blockSizes[1] // for what has arrived with the head
		}
	}
	o.hold(size)
	if s.mode == sendChunked {
		return o.sendChunks(body, with)
	}
	return o.sendPlain(body, s, with)
}

// sourceError says that the body that is sent could not be read.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// sourceOf returns why the body of err could not be read, nil when err is something else.
func sourceOf(err error) error {
	if source, ok := err.(*sourceError); ok {
		return source.err
	}
	return nil
}

// sendMemory sends length bytes that are there already, in pieces, so that time limits measure progress and not the whole.
func (o *output) sendMemory(body message.Memory, length int64, with courier) error {
	piece := streamSize
	if _, ok := o.conn.(pairWriter); ok {
		piece *= 4
	}
	rest := body.Rest()
	if int64(len(rest)) < length {
		return &sourceError{message.ErrTruncated}
	}
	rest = rest[:length]
	for len(rest) > piece {
		if err := o.writeBoth(rest[:piece]); err != nil {
			return err
		}
		rest = rest[piece:]
		with.progress()
	}
	return o.writeBoth(rest)
}

// gather puts a body of length bytes behind what is gathered.
func (o *output) gather(body message.Body, length int64) error {
	end := len(o.buf) + int(length)
	o.hold(end)
	for len(o.buf) < end {
		n, err := body.Read(o.buf[len(o.buf):end])
		if o.buf = o.buf[:len(o.buf)+n]; len(o.buf) == end {
			break
		}
		if err == io.EOF {
			err = message.ErrTruncated
		}
		if err != nil {
			o.empty()
			return &sourceError{err}
		}
	}
	return nil
}

// sendPlain sends a body whose bytes need no framing.
func (o *output) sendPlain(body message.Body, s sending, with courier) error {
	remaining, from := s.length, o.spliceFrom(body)
	for s.mode != sendLength || remaining > 0 {
		if from != nil && len(o.buf) == 0 && min(remaining, from.rest()) >= spliceLeast {
			var err error
			if remaining, err = o.splice(from, remaining, with); err != nil || remaining == 0 {
				return err
			}
			from = nil
			o.hold(streamSize)
		}
		if len(o.buf) == cap(o.buf) {
			if err := o.flush(); err != nil {
				return err
			}
		}
		room := o.buf[len(o.buf):cap(o.buf)]
		if s.mode == sendLength && int64(len(room)) > remaining {
			room = room[:remaining]
		}
		n, readErr := body.Read(room)
		full := n == len(room)
		remaining -= int64(n)
		o.buf = o.buf[:len(o.buf)+n]
		if readErr == io.EOF && s.mode == sendLength && remaining > 0 {
			readErr = message.ErrTruncated
		}
		if err := o.flush(); err != nil {
			return err
		}
		if readErr == io.EOF || s.mode == sendLength && remaining == 0 {
			return nil
		}
		if readErr != nil {
			return &sourceError{readErr}
		}
		with.progress()
		if full {
			o.hold(streamSize)
		}
	}
	return o.flush()
}

// chunkLine is room for the size line of a chunk of streamSize bytes and more: six digits, CR, LF.
const chunkLine = 8

// sendChunks sends a body as chunks, each with its size line, its data and what was gathered before in one write.
func (o *output) sendChunks(body message.Body, with courier) error {
	const leastRoom, tail = 1 << 10, len("\r\n")
	for {
		if cap(o.buf)-len(o.buf) < leastRoom {
			if err := o.flush(); err != nil {
				return err
			}
		}
		start := len(o.buf) + chunkLine
		room := o.buf[start : cap(o.buf)-tail]
		n, readErr := body.Read(room)
		if n > 0 {
			o.frameChunk(start, n)
		}
		if readErr == io.EOF {
			o.buf = append(with.appendTrailer(append(o.buf, "0\r\n"...)), "\r\n"...)
		}
		if err := o.flush(); err != nil {
			return err
		}
		if readErr == io.EOF {
			return nil
		}
		if readErr != nil {
			return &sourceError{readErr}
		}
		with.progress()
		if n == len(room) {
			o.hold(streamSize)
		}
	}
}

// frameChunk puts the size line before the n bytes at start, which lie chunkLine bytes behind what is gathered. What is gathered, a head or nothing,
// moves up to close the gap.
func (o *output) frameChunk(start, n int) {
	var digits [chunkLine]byte
	size := append(strconv.AppendInt(digits[:0], int64(n), 16), "\r\n"...)
	all, gathered, gap := o.buf[:cap(o.buf)], len(o.buf), chunkLine-len(size)
	copy(all[gap:], all[:gathered])
	copy(all[gap+gathered:], size)
	o.buf = append(all[gap:start+n], "\r\n"...)
}

// dates renders the Date field once a second.
type dates struct{ current atomic.Pointer[dateLine] }

type dateLine struct {
	second int64
	text   []byte
}

// appendLine appends the Date line for now.
func (d *dates) appendLine(b []byte, now time.Time) []byte {
	line, second := d.current.Load(), now.Unix()
	if line == nil || line.second != second {
		// RFC 9110, 5.6.7: IMF-fixdate, always GMT.
		line = &dateLine{second, now.UTC().AppendFormat(nil, "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n")}
		d.current.Store(line)
	}
	return append(b, line.text...)
}
