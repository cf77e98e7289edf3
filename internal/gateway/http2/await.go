package http2

import (
	"errors"
	"os"
	"time"

	h2 "golang.org/x/net/http2"
)

// patience is how long a peer may be silent.
type patience struct {
	idle      time.Duration // without a stream; then the connection ends
	keepAlive time.Duration // with one; then the peer is pinged, and given up after the same time
	pings     time.Duration // between two pings at least; a peer that has answered one is believed for so long
	frame     time.Duration // within a frame or a field block
}

// awaitFrame waits for the next frame, with the patience that the state of the connection deserves, and limits the arrival of its rest.
func (l *link) awaitFrame() (now time.Time, err error) {
	for l.reader.Buffered() == 0 {
		l.mu.Lock()
		busy := len(l.streams) > 0
		l.mu.Unlock()
		limit := l.patience.idle
		if busy {
			limit = l.patience.keepAlive
		}
		now = time.Now()
		if !l.head.open.IsZero() {
			limit = max(l.patience.frame-l.now().Sub(l.head.open), 1)
		}
		if err := l.armRead(now, limit); err != nil {
			return now, err
		}
		_, err := l.reader.Peek(1)
		if err == nil {
			break
		}
		if l.ending.Load() {
			return now, errLinkClosed
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || !l.head.open.IsZero() {
			return now, err
		}
		if err := l.silent(busy); err != nil {
			return now, err
		}
	}
	l.pinged = false
	now = l.now()
	if start, _ := l.reader.Peek(min(l.reader.Buffered(), frameHead)); len(start) == frameHead {
		if size := int(start[0])<<16 | int(start[1])<<8 | int(start[2]); l.reader.Buffered() >= frameHead+size {
			return now, nil
		}
	}
	return now, l.armRead(time.Now(), l.patience.frame)
}

// silent is called when the peer has sent nothing for long: an idle one goes, a busy one is asked whether it is there.
func (l *link) silent(busy bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return l.err
	case !busy && len(l.streams) == 0:
		return &linkError{h2.ErrCodeNo, "connection was idle for too long"}
	case busy && l.pinged:
		return errLate
	case busy && l.patience.pings > 0 && !l.asked.IsZero() && time.Since(l.asked) < l.patience.pings:
	case busy:
		l.pinged, l.asked = true, time.Now()
		l.frame(h2.FramePing, 0, 0, make([]byte, 8))
		l.flushLater()
	}
	return nil
}

// armRead moves the read deadline unless it is about right; a negative time ends it.
func (l *link) armRead(now time.Time, limit time.Duration) error {
	if limit < 0 {
		l.readLimit = time.Time{}
		return l.conn.SetReadDeadline(time.Time{})
	}
	until := now.Add(limit)
	if later := until.Sub(l.readLimit); later >= 0 && later < limit/8 {
		return nil
	}
	l.readLimit = until
	err := l.conn.SetReadDeadline(until)
	if l.ending.Load() { // which has set a deadline of its own, before or behind ours
		err = l.conn.SetReadDeadline(time.Now().Add(endGrace))
	}
	return err
}

// endGrace is how long a peer may take to read our last frames and to close its side.
const endGrace = time.Second

// endSoon ends a connection without streams, once what is gathered has left. The peer gets time to read it: closing at once could reset the
// connection.
func (l *link) endSoon() {
	go func() {
		l.mu.Lock()
		_ = l.awaitWritten() // a peer that takes nothing is left all the same
		l.fail(errLinkClosed)
		l.mu.Unlock()
		l.ending.Store(true)
		if half, ok := l.conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // fails on closed connections only
		}
		_ = l.conn.SetReadDeadline(time.Now().Add(endGrace)) // likewise
	}()
}
