package http1

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

var (
	errAborted     = errors.New("reading was abandoned")
	errHeadTooLong = errors.New("head is too long")
	errBareLF      = errors.New("line does not end with CR LF")
)

// deadline keeps the read deadline of a connection. Moving a deadline costs more than comparing times, so one that is nearly right stays.
type deadline struct {
	mu      sync.Mutex
	conn    net.Conn
	at      moment // in force; zero: none
	aborted bool
}

// arm gives the next read at most d (up to an eighth less); 0 means no limit. It fails after abort. Deadlines belong to the operating system's clock,
// so the server's injected one is not asked.
func (l *deadline) arm(d time.Duration) error {
	if d <= 0 {
		return l.armAt(0)
	}
	return l.armNear(now().plus(d), d/8)
}

// armExactly gives the next read d, which users have set; 0 means no limit.
func (l *deadline) armExactly(d time.Duration) error {
	if d <= 0 {
		return l.armAt(0)
	}
	return l.armAt(now().plus(d))
}

// armNear sets the deadline to want, or up to slack earlier.
func (l *deadline) armNear(want moment, slack time.Duration) error {
	l.mu.Lock()
	near := !l.aborted && l.at != 0 && l.at <= want && want.since(l.at) < slack
	l.mu.Unlock()
	if near {
		return nil
	}
	return l.armAt(want)
}

// armAt sets the deadline to t exactly; the zero moment means none.
func (l *deadline) armAt(t moment) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.aborted {
		return errAborted
	}
	if l.at == t {
		return nil
	}
	l.at = t
	return l.conn.SetReadDeadline(t.time())
}

// abort makes a waiting read and all later ones fail until clear.
func (l *deadline) abort() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.aborted {
		l.aborted, l.at = true, longAgo
		_ = l.conn.SetReadDeadline(longAgo.time()) // fails on closed connections only: then no read waits
	}
}

// clear allows reads again.
func (l *deadline) clear() {
	l.mu.Lock()
	l.aborted = false
	l.mu.Unlock()
}

// isAborted says whether abort is in force.
func (l *deadline) isAborted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.aborted
}

// current returns the deadline in force.
func (l *deadline) current() moment {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// input is the reading side of a connection. Bytes before keep belong to a parsed head and stay; buf[r:w] has been received and not consumed.
type input struct {
	conn     net.Conn
	blocks   *blocks
	limit    deadline
	block    *block
	buf      []byte
	keep     int
	r, w     int
	consumed int64
	lenient  bool // accepts an empty line before a head, as servers should (RFC 9112, 2.2)
}

// bodyRoom is the least room behind a head.
const bodyRoom = 512

// buffered is the number of bytes received and not consumed.
func (in *input) buffered() int { return in.w - in.r }

// hold takes a buffer of the size if there is none.
func (in *input) hold(size int) {
	if in.block == nil {
		in.block = in.blocks.get(size)
		in.buf, in.keep, in.r, in.w = in.block.data, 0, 0, 0
	}
}

// drop gives the buffer back.
func (in *input) drop() {
	in.blocks.put(in.block)
	in.block, in.buf, in.keep, in.r, in.w = nil, nil, 0, 0, 0
}

// grow moves what is unread into a buffer of at least size bytes. No head may be kept.
func (in *input) grow(size int) {
	larger := in.blocks.get(size)
	n := copy(larger.data, in.buf[in.r:in.w])
	in.blocks.put(in.block)
	in.block, in.buf, in.r, in.w = larger, larger.data, 0, n
}

// release ends the life of the kept head.
func (in *input) release() {
	if poisonHeads {
		for i := range in.buf[:in.keep] {
			in.buf[i] = 0xDB
		}
	}
	in.keep = 0
	if in.r == in.w {
		in.r, in.w = 0, 0
		if in.block.class > 0 {
			in.drop() // a large one was needed for this head only
		}
	}
}

// makeRoom returns the free part of the buffer, after moving unread bytes up to the kept head when it is full.
func (in *input) makeRoom() []byte {
	if in.r == in.w {
		in.r, in.w = in.keep, in.keep
	} else if in.w == len(in.buf) {
		n := copy(in.buf[in.keep:], in.buf[in.r:in.w])
		in.r, in.w = in.keep, in.keep+n
	}
	return in.buf[in.w:]
}

// fill reads once into the buffer under the deadline in force.
func (in *input) fill() error {
	room := in.makeRoom()
	if len(room) == 0 {
		return io.ErrShortBuffer
	}
	n, err := in.conn.Read(room)
	in.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

var endOfHead = []byte("\r\n\r\n")

// head reads on until a whole head of at most maxBytes is there and returns it, its last empty line included. The head is kept in place until
// release. A lenient input skips one empty line before it. If bytes are missing they have to arrive within wait; 0 leaves the deadline alone.
func (in *input) head(maxBytes int, wait time.Duration) ([]byte, error) {
	skipped, scanned := false, 0
	for {
		if !skipped && in.buffered() >= len("\r\n") {
			skipped = true
			if in.lenient && in.buf[in.r] == '\r' && in.buf[in.r+1] == '\n' {
				in.r += 2
				in.consumed += 2
				scanned = 0
			}
		}
		unread := in.buf[in.r:in.w]
		from := max(0, scanned-len(endOfHead)+1)
		end := bytes.Index(unread[from:], endOfHead)
		size := len(unread)
		if end >= 0 {
			size = from + end + len(endOfHead)
		}
		if size > maxBytes || end < 0 && size == maxBytes {
			return unread[:min(size, maxBytes)], errHeadTooLong
		}
		if end >= 0 {
			return in.keepHead(size), nil
		}
		if hasBareLF(unread, scanned) {
			return nil, errBareLF
		}
		scanned = size
		if in.buffered() == len(in.buf) {
			in.grow(len(in.buf) + 1)
		}
		if wait > 0 {
			if err := in.limit.arm(wait); err != nil {
				return nil, err
			}
			wait = 0
		}
		if err := in.fill(); err != nil {
			return in.buf[in.r:in.w], err
		}
	}
}

// unread is what has been received and not consumed, to be parsed in place.
func (in *input) unread() string { return alias(in.buf[in.r:in.w]) }

// takeHead consumes a head of size bytes that was parsed in place and pins it, unless too little room is left behind it: then nothing has happened.
func (in *input) takeHead(size int) bool {
	if len(in.buf)-in.r-size < bodyRoom {
		return false
	}
	in.keepHead(size)
	return true
}

// keepHead consumes a head of size bytes and pins it.
func (in *input) keepHead(size int) []byte {
	if len(in.buf)-in.r-size < bodyRoom {
		in.grow(max(in.buffered(), size+bodyRoom))
	}
	start := in.r
	in.r += size
	in.keep = in.r
	in.consumed += int64(size)
	return in.buf[start:in.r]
}

// hasBareLF looks for a line feed without carriage return in b from position start on.
func hasBareLF(b []byte, start int) bool {
	for {
		i := bytes.IndexByte(b[start:], '\n')
		if i < 0 {
			return false
		}
		if start+i == 0 || b[start+i-1] != '\r' {
			return true
		}
		start += i + 1
	}
}
