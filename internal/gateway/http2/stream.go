package http2

import (
	"io"
	"sync"
	"time"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/message"
)

// stream is one request and its answer, the part that servers and clients share. Everything but id and link is guarded by the link's lock.
type stream struct {
	link   *link
	id     uint32
	failed func(error) // told, with the lock, that the stream is broken; may be nil
	call   *call       // whose stream it is at the client's end

	// What comes in.
	received  queue
	readable  sync.Cond
	inWindow  int64 // what the peer may still send
	inSize    int64 // the window's size, which grows
	credit    int64 // read and not given back
	length    int64 // of the body as announced; -1: unknown
	arrived   int64
	inEnded   bool
	closed    bool // nobody reads any more
	drained   bool // EOF has been read
	trailer   message.Header
	alarm     *time.Timer
	readUntil time.Time // zero: no limit

	// What goes out.
	outWindow int64
	outEnded  bool
	outBegun  bool      // the final head of an answer was sent
	outUntil  time.Time // limit of a wait for a window
	outAlarm  *time.Timer

	err      error // why the stream is broken
	over     bool  // it is no longer among the link's
	bytesIn  int64 // with framing
	bytesOut int64
}

// init gives the stream its link.
func (s *stream) init(l *link) {
	s.link, s.length = l, -1
	s.received.buffers = l.buffers
	s.readable.L = &l.mu
}

// open puts the stream among those of its link. The lock is held.
func (s *stream) open(id uint32) {
	s.id = id
	s.inWindow, s.inSize, s.outWindow = firstWindow, firstWindow, s.link.peerWindow
	s.link.streams[id] = s
}

// fail breaks the stream. The lock is held.
func (s *stream) fail(err error) {
	if s.err != nil {
		return
	}
	s.err = err
	s.over = true
	s.readable.Broadcast()
	s.link.wake()
	if s.failed != nil {
		s.failed(err)
	}
}

// leave takes the stream off its link. The lock is held.
func (s *stream) leave(how closing) {
	if s.over {
		return
	}
	s.over = true
	delete(s.link.streams, s.id)
	s.link.closed.add(s.id, how)
	s.link.wake()
}

// checkEnd takes the stream off when both directions have ended. The lock is held.
func (s *stream) checkEnd() {
	if s.inEnded && s.outEnded {
		s.leave(closedEnded)
	}
}

// reset tells the peer that the stream is over. The lock is held.
func (s *stream) reset(code h2.ErrCode) { s.abandon(code, &resetError{code: code, own: true}) }

// abandon tells the peer that the stream is over, and breaks it with a reason of our own. The lock is held.
func (s *stream) abandon(code h2.ErrCode, why error) {
	if s.over || s.err != nil {
		return
	}
	s.link.word(h2.FrameRSTStream, s.id, uint32(code))
	s.bytesOut += frameHead + 4
	s.leave(closedByUs)
	s.fail(why)
}

// gotData takes received bytes; padding counts for flow control only. The lock is held. A non-zero code is a stream error.
func (s *stream) gotData(data []byte, framed int, end bool) h2.ErrCode {
	s.bytesIn += int64(framed) + frameHead
	s.inWindow -= int64(framed)
	s.arrived += int64(len(data))
	switch {
	case s.inWindow < 0:
		return h2.ErrCodeFlowControl
	case s.length >= 0 && (s.arrived > s.length || end && s.arrived < s.length):
		return h2.ErrCodeProtocol
	}
	if s.closed {
		data = nil
	}
	s.received.add(data)
	s.credit += int64(framed - len(data)) // padding, and what nobody reads
	if end {
		s.ended()
	} else if s.credit > 0 {
		s.giveBack()
	}
	s.readable.Broadcast()
	return h2.ErrCodeNo
}

// ended notes the peer's END_STREAM. The lock is held.
func (s *stream) ended() {
	s.inEnded = true
	s.readable.Broadcast()
	s.checkEnd()
}

// giveBack lets the peer send as much as was read, and more of it the next time, when half of its window has been used. The lock is held.
func (s *stream) giveBack() {
	if s.inEnded || s.over || s.closed || s.credit < s.inSize/2 {
		return
	}
	larger := min(2*s.inSize, largestWindow)
	more := s.credit + larger - s.inSize
	s.inSize, s.credit = larger, 0
	s.inWindow += more
	s.link.word(h2.FrameWindowUpdate, s.id, uint32(more))
	s.bytesOut += frameHead + 4
}

// waitUntil limits the waits for the peer; zero ends the limit. The lock is held.
func (s *stream) waitUntil(limit time.Time) {
	s.readUntil = limit
	if limit.IsZero() {
		return
	}
	if s.alarm == nil {
		s.alarm = time.AfterFunc(time.Until(limit), s.ring)
	} else {
		s.alarm.Reset(time.Until(limit))
	}
}

// ring wakes the reader when its limit has passed, and waits on when that was moved.
func (s *stream) ring() {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	if rest := time.Until(s.readUntil); !s.readUntil.IsZero() && rest > 0 {
		s.alarm.Reset(rest)
	}
	s.readable.Broadcast()
}

// late says whether the limit of a wait has passed. The lock is held.
func (s *stream) late() bool { return !s.readUntil.IsZero() && !time.Now().Before(s.readUntil) }

// read fills p; trailer gets the trailer at the end. wait limits the time without progress; 0: none.
func (s *stream) read(p []byte, wait time.Duration, trailer *message.Header) (int, error) {
	l := s.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for timed := false; ; {
		switch {
		case s.drained:
			return 0, io.EOF
		case s.closed:
			return 0, message.ErrBodyClosed
		case s.received.len() > 0:
			n := s.received.take(p)
			s.credit += int64(n)
			s.giveBack()
			l.flush()
			if s.inEnded && s.received.len() == 0 {
				*trailer, s.drained = s.trailer, true
				return n, io.EOF
			}
			return n, nil
		case s.inEnded:
			*trailer, s.drained = s.trailer, true
			return 0, io.EOF
		case s.err != nil:
			return 0, s.err
		case len(p) == 0:
			return 0, nil
		case timed && s.late():
			return 0, errLate
		}
		if wait > 0 && !timed {
			timed = true
			s.waitUntil(time.Now().Add(wait))
		}
		s.readable.Wait()
	}
}

// closeRead drops what has not been read and lets readers return. The lock is held.
func (s *stream) closeRead() {
	s.closed = true
	s.received.drop()
	s.readable.Broadcast()
	if s.alarm != nil {
		s.alarm.Stop()
	}
}

// writeData sends p as far as the peer lets us, and END_STREAM behind it if end is set. It returns when p has been gathered. The lock is held,
// but not while it waits.
func (s *stream) writeData(p []byte, end bool) error {
	l := s.link
	defer s.stopWaiting()
	for {
		switch {
		case s.err != nil:
			return s.err
		case s.over:
			return &resetError{code: h2.ErrCodeNo, own: true}
		}
		n := int64(min(len(p), l.peerFrame, maxFrame))
		n = min(n, s.outWindow, l.window)
		switch {
		case len(p) > 0 && n <= 0:
			if err := s.awaitWindow(); err != nil {
				return err
			}
			continue
		case l.gathered > maxGathered:
			l.flush()
			if l.gathered > maxGathered && s.err == nil {
				l.await()
			}
			continue
		}
		s.outUntil = time.Time{}
		last := end && int(n) == len(p)
		var flags h2.Flags
		if last {
			flags = h2.FlagDataEndStream
		}
		l.frame(h2.FrameData, flags, s.id, p[:n])
		l.moved.Add(1)
		s.outWindow -= n
		l.window -= n
		s.bytesOut += frameHead + n
		if p = p[n:]; len(p) > 0 {
			continue
		}
		if last {
			s.outEnded = true
			s.checkEnd()
		}
		l.flush()
		return nil
	}
}

// awaitWindow waits for the peer to take more. The lock is held.
func (s *stream) awaitWindow() error {
	l := s.link
	l.flush()
	if s.err != nil || min(s.outWindow, l.window) > 0 {
		return nil
	}
	if l.stall > 0 {
		now := time.Now()
		if s.outUntil.IsZero() {
			s.outUntil = now.Add(l.stall)
			if s.outAlarm == nil {
				s.outAlarm = time.AfterFunc(l.stall, l.ring)
			} else {
				s.outAlarm.Reset(l.stall)
			}
		} else if !now.Before(s.outUntil) {
			return errStalled
		}
	}
	l.await()
	return nil
}

// stopWaiting ends the limit of awaitWindow.
func (s *stream) stopWaiting() {
	if s.outAlarm != nil {
		s.outAlarm.Stop()
		s.outUntil = time.Time{}
	}
}

// ring wakes those who wait to write.
func (l *link) ring() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake()
}
