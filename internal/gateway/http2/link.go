package http2

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Sizes of the protocol and our choices within it.
const (
	frameHead     = 9
	defaultWindow = 65535     // RFC 9113, 6.9.2
	firstWindow   = 64 << 10  // of a stream, announced; it grows while its reader keeps pace
	largestWindow = 1 << 20   // of a stream
	linkWindow    = 4 << 20   // of a connection; refilled on arrival, so that a slow stream does not stop its neighbours
	maxFrame      = 16 << 10  // of a frame that we send or take
	maxGathered   = 128 << 10 // bytes that wait for the connection; more data waits with its writer
	maxControl    = 256 << 10 // bytes that wait for a peer that reads nothing but makes us answer
)

// end is what servers and clients do in their own ways. Its methods are called by the goroutine that reads, without locks.
type end interface {
	// gotHead takes a complete field block of a stream.
	gotHead(h *head) error
	// gotAway takes a GOAWAY frame.
	gotAway(last uint32, code h2.ErrCode)
	// gotAck takes the answer to a ping of ours.
	gotAck()
	// idle says whether id names a stream that neither side has opened yet. The lock is held.
	idle(id uint32) bool
}

// link is a connection: the half of its protocol that servers and clients share. Frames gather in a buffer and leave together; whoever
// finds nobody writing writes for all. The lock is never held during input or output.
type link struct {
	conn      net.Conn
	end       end
	stall     time.Duration // limit of each write, and of each wait for a window; 0: none
	buffers   *buffers
	patience  patience
	now       func() time.Time
	reader    *bufio.Reader
	framer    *h2.Framer
	decoder   *hpack.Decoder
	head      head // that is being received
	limits    headLimits
	readLimit time.Time    // read deadline in force
	pinged    bool         // the peer is asked whether it is there
	asked     time.Time    // when it was asked last
	control   gauge        // frames that only cost us work
	resets    gauge        // streams that were given up before they were answered
	ending    atomic.Bool  // endSoon was called
	moved     atomic.Int64 // DATA frames sent since useless looked

	mu       sync.Mutex
	err      error // why the connection has ended
	streams  map[uint32]*stream
	changed  sync.Cond // room, windows, the end of streams: for those who write
	waiting  int       // on changed
	out      *buffer   // what gathers
	gathered int       // bytes in out
	writing  bool      // somebody writes
	total    int64     // bytes ever gathered
	written  int64     // of them, bytes that left
	until    time.Time // write deadline in force

	window     int64  // what we may send
	peerWindow int64  // for new streams
	peerFrame  int    // largest frame that the peer takes
	peerMax    uint32 // streams at once that the peer takes
	settled    bool   // its first settings have arrived
	credit     int    // received bytes not yet given back
	fields     bytes.Buffer
	encoder    *hpack.Encoder
	closed     recent
}

// newLink prepares a connection. in is where its bytes come from: early ones may have been read already.
func newLink(conn net.Conn, in io.Reader, e end, b *buffers, limits headLimits) *link {
	l := &link{
		conn: conn, end: e, buffers: b, limits: limits, streams: map[uint32]*stream{}, window: defaultWindow, peerWindow: defaultWindow,
		peerFrame: maxFrame, peerMax: 100,
		control: gauge{most: 2000, rate: 100}, resets: gauge{most: 500, rate: 50},
	}
	l.changed.L = &l.mu
	l.reader = bufio.NewReaderSize(in, 4<<10)
	l.framer = h2.NewFramer(nil, l.reader)
	l.framer.SetReuseFrames()
	l.framer.SetMaxReadFrameSize(maxFrame)
	l.decoder = hpack.NewDecoder(4<<10, l.gotField)
	l.decoder.SetMaxStringLength(limits.bytes)
	// Nothing goes into the dynamic table: it would keep strings that end with their message.
	l.encoder = hpack.NewEncoder(&l.fields)
	l.encoder.SetMaxDynamicTableSizeLimit(0)
	return l
}

// room returns the gathering buffer with space for n bytes more behind what is there. The lock is held.
func (l *link) room(n int) []byte {
	switch {
	case l.out == nil:
		l.out = l.buffers.get(n)
	case l.gathered+n > len(l.out.data):
		larger := l.buffers.get(max(2*len(l.out.data), l.gathered+n))
		copy(larger.data, l.out.data[:l.gathered])
		l.buffers.put(l.out)
		l.out = larger
	}
	return l.out.data[l.gathered : l.gathered+n]
}

// frame gathers a frame with the payload. The lock is held.
func (l *link) frame(t h2.FrameType, flags h2.Flags, id uint32, payload []byte) {
	b := l.room(frameHead + len(payload))
	binary.BigEndian.PutUint32(b, uint32(len(payload))<<8|uint32(t))
	b[4] = byte(flags)
	binary.BigEndian.PutUint32(b[5:], id)
	copy(b[frameHead:], payload)
	l.gathered += len(b)
	l.total += int64(len(b))
}

// word gathers a frame whose payload is one number: WINDOW_UPDATE, RST_STREAM.
func (l *link) word(t h2.FrameType, id, value uint32) {
	var p [4]byte
	binary.BigEndian.PutUint32(p[:], value)
	l.frame(t, 0, id, p[:])
}

// goAway gathers a GOAWAY frame.
func (l *link) goAway(last uint32, code h2.ErrCode) {
	var p [8]byte
	binary.BigEndian.PutUint32(p[:], last)
	binary.BigEndian.PutUint32(p[4:], uint32(code))
	l.frame(h2.FrameGoAway, 0, 0, p[:])
}

// settings gathers a SETTINGS frame.
func (l *link) settings(list ...h2.Setting) {
	p := make([]byte, 0, 6*len(list))
	for _, s := range list {
		p = binary.BigEndian.AppendUint16(p, uint16(s.ID))
		p = binary.BigEndian.AppendUint32(p, s.Val)
	}
	l.frame(h2.FrameSettings, 0, 0, p)
}

// flush writes what is gathered unless somebody is writing, who then takes it along. Whoever could gather more at once gets to do so first: one write
// for several streams costs little more than one for each. The lock is held, but not during writes.
func (l *link) flush() {
	if l.writing {
		return
	}
	l.writing = true
	if l.gathered > 0 && len(l.streams) > 1 {
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
	}
	for l.gathered > 0 && (l.err == nil || l.isLastWord()) {
		out, n := l.out, l.gathered
		l.out, l.gathered = nil, 0
		l.mu.Unlock()
		l.armWrite()
		sent, err := l.conn.Write(out.data[:n])
		l.buffers.put(out)
		l.mu.Lock()
		l.written += int64(sent)
		if err != nil {
			l.fail(err)
		}
		l.wake()
	}
	l.writing = false
	l.wake()
}

// isLastWord says whether what is gathered is the GOAWAY of a connection that ends. The lock is held.
func (l *link) isLastWord() bool {
	_, ours := l.err.(*linkError)
	return ours
}

// armWrite moves the write deadline when a good part of it has passed. Only the goroutine that writes calls it.
func (l *link) armWrite() {
	if l.stall <= 0 {
		return
	}
	if now := time.Now(); l.until.Sub(now) <= l.stall*3/4 {
		l.until = now.Add(l.stall)
		_ = l.conn.SetWriteDeadline(l.until) // fails on closed connections only: the write says so
	}
}

// flushLater writes what is gathered from another goroutine: the one that reads must not wait for a peer that waits for us to read. The lock is held.
func (l *link) flushLater() {
	if l.gathered > 0 && !l.writing {
		go func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.flush()
		}()
	}
}

// wake wakes those who wait to write. The lock is held.
func (l *link) wake() {
	if l.waiting > 0 {
		l.changed.Broadcast()
	}
}

// await waits for a change. The lock is held, but not while waiting.
func (l *link) await() {
	l.waiting++
	l.changed.Wait()
	l.waiting--
}

// awaitWritten waits until everything that is gathered now has left. A peer may have got it and left before the write returns to whoever made it: what
// became of it is known only then. The lock is held.
func (l *link) awaitWritten() error {
	for mark := l.total; ; l.await() {
		l.flush()
		if l.written >= mark {
			return nil
		}
		if l.err != nil && !l.writing {
			return l.err
		}
	}
}

// fail ends the connection for all its streams. The lock is held.
func (l *link) fail(err error) {
	if l.err != nil {
		return
	}
	l.err = err
	for _, s := range l.streams {
		s.fail(err)
	}
	clear(l.streams)
	l.wake()
}

// shut closes the connection with an error; a linkError is told to the peer.
func (l *link) shut(err error, last uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.fail(err)
		if e, ok := err.(*linkError); ok {
			l.goAway(last, e.code)
			l.flush()
			for l.writing { // somebody else, who takes it along
				l.await()
			}
		}
	}
}

// linger reads what the peer still sends, for a moment, so that it gets to read our last frames: closing with unread bytes resets the connection.
func (l *link) linger() {
	const longest, most = 500 * time.Millisecond, 256 << 10
	half, ok := l.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || l.conn.SetReadDeadline(time.Now().Add(longest)) != nil {
		return
	}
	scratch := l.buffers.get(bufferSizes[0])
	defer l.buffers.put(scratch)
	for total := 0; total < most; {
		n, err := l.conn.Read(scratch.data)
		if total += n; err != nil {
			return
		}
	}
}

// gauge measures how much a peer makes us do for nothing: what it is filled with flows off at a rate. Only the reading goroutine uses it.
type gauge struct {
	most, rate float64
	level      float64
	at         time.Time
}

// add says whether the peer has gone too far.
func (g *gauge) add(now time.Time) bool {
	if g.level > g.most/2 { // the clock matters only then
		if !g.at.IsZero() {
			g.level = max(0, g.level-now.Sub(g.at).Seconds()*g.rate)
		}
		g.at = now
	}
	g.level++
	return g.level > g.most
}

// sink takes n off: the peer does something useful.
func (g *gauge) sink(n float64) { g.level = max(0, g.level-n) }

// recent remembers how the last streams ended, to tell what may still arrive for them from what may not.
type recent struct {
	list []ended
	next int
}

// ended is a stream that has ended.
type ended struct {
	id  uint32
	how closing
}

// maxRecent is more than the streams that are open at once: each of them may have frames on their way when they are all reset.
const maxRecent = 256

// closing is how a stream ended.
type closing uint8

const (
	closedUnknown closing = iota // too long ago, or never opened
	closedEnded                  // both sides have sent END_STREAM
	closedByPeer                 // the peer has reset it
	closedByUs                   // we have
)

func (r *recent) add(id uint32, how closing) {
	if len(r.list) < maxRecent {
		r.list = append(r.list, ended{id, how})
		return
	}
	r.list[r.next] = ended{id, how}
	r.next = (r.next + 1) % maxRecent
}

func (r *recent) find(id uint32) closing {
	for _, known := range r.list {
		if known.id == id {
			return known.how
		}
	}
	return closedUnknown
}
