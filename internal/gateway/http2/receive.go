package http2

import (
	"errors"
	"time"

	h2 "golang.org/x/net/http2"
)

// receive handles one frame.
func (l *link) receive(now time.Time) error {
	f, err := l.framer.ReadFrame()
	if err != nil {
		return l.readError(err)
	}
	switch f := f.(type) {
	case *h2.DataFrame:
		return l.gotData(f, now)
	case *h2.HeadersFrame:
		l.head.begin(f.StreamID, f.StreamEnded())
		l.head.itself = f.HasPriority() && f.Priority.StreamDep == f.StreamID
		return l.gotFragment(f.HeaderBlockFragment(), f.HeadersEnded(), now)
	case *h2.ContinuationFrame:
		return l.gotFragment(f.HeaderBlockFragment(), f.HeadersEnded(), now)
	case *h2.WindowUpdateFrame:
		return l.gotWindow(f, now)
	case *h2.RSTStreamFrame:
		return l.gotReset(f, now)
	case *h2.SettingsFrame:
		return l.gotSettings(f, now)
	case *h2.PingFrame:
		return l.gotPing(f, now)
	case *h2.GoAwayFrame:
		l.end.gotAway(f.LastStreamID, f.ErrCode)
	case *h2.PushPromiseFrame:
		return &linkError{h2.ErrCodeProtocol, "PUSH_PROMISE is not allowed"}
	case *h2.PriorityFrame:
		if f.StreamDep == f.StreamID {
			return l.streamError(f.StreamID, h2.ErrCodeProtocol, now)
		}
		return l.useless(now)
	default: // of an extension that we do not know: RFC 9113, 5.5
		return l.useless(now)
	}
	return nil
}

// readError sorts the errors of the framer: those of the protocol become ours.
func (l *link) readError(err error) error {
	var streamErr h2.StreamError
	var connErr h2.ConnectionError
	switch {
	case errors.As(err, &streamErr):
		return l.streamError(streamErr.StreamID, streamErr.Code, time.Now())
	case errors.As(err, &connErr):
		return &linkError{h2.ErrCode(connErr), "frame is malformed"}
	case errors.Is(err, h2.ErrFrameTooLarge):
		return &linkError{h2.ErrCodeFrameSize, "frame is too large"}
	}
	return err
}

// useless counts a frame that makes us work without moving anything. Peers have reasons for some of them for each DATA frame that they get.
func (l *link) useless(now time.Time) error {
	l.control.sink(2 * float64(l.moved.Swap(0)))
	if l.control.add(now) {
		return &linkError{h2.ErrCodeEnhanceYourCalm, "too many control frames"}
	}
	return nil
}

// streamError resets a stream, open or not. Making us do so is no way around the limit of resets.
func (l *link) streamError(id uint32, code h2.ErrCode, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.streamErrorLocked(id, code, now)
}

func (l *link) streamErrorLocked(id uint32, code h2.ErrCode, now time.Time) error {
	if s := l.streams[id]; s != nil {
		s.reset(code)
	} else {
		l.word(h2.FrameRSTStream, id, uint32(code))
		if l.closed.find(id) == closedUnknown {
			l.closed.add(id, closedByUs)
		}
	}
	l.flushLater()
	if l.resets.add(now) || l.gathered > maxControl {
		return &linkError{h2.ErrCodeEnhanceYourCalm, "too many streams were given up"}
	}
	return nil
}

// gotFragment takes a part of a field block, which is decoded at once.
func (l *link) gotFragment(fragment []byte, last bool, now time.Time) error {
	h := &l.head
	h.bytes += len(fragment) + frameHead
	if h.fragments++; h.fragments > maxFragments || h.bytes > 2*l.limits.bytes {
		return &linkError{h2.ErrCodeEnhanceYourCalm, "field block is too large"}
	}
	if _, err := l.decoder.Write(fragment); err != nil {
		return &linkError{h2.ErrCodeCompression, "field block cannot be decoded"}
	}
	if !last {
		if h.open.IsZero() {
			h.open = now
		}
		return nil
	}
	h.open = time.Time{}
	if err := l.decoder.Close(); err != nil {
		return &linkError{h2.ErrCodeCompression, "field block ends early"}
	}
	return l.end.gotHead(h)
}

// gotData takes a part of a body. The window of the connection is given back at once: what a stream holds is bounded by its own.
func (l *link) gotData(f *h2.DataFrame, now time.Time) error {
	data, framed := f.Data(), int(f.Length)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end.idle(f.StreamID) {
		return &linkError{h2.ErrCodeProtocol, "DATA on an idle stream"}
	}
	if l.credit += framed; l.credit >= linkWindow/2 {
		l.word(h2.FrameWindowUpdate, 0, uint32(l.credit))
		l.credit = 0
	}
	defer l.flushLater()
	if len(data) > 0 {
		l.control.sink(float64(len(data)) / 64)
	} else if !f.StreamEnded() {
		if err := l.useless(now); err != nil {
			return err
		}
	}
	s := l.streams[f.StreamID]
	if s == nil || s.inEnded {
		return l.closedFrame(f.StreamID, s != nil, now)
	}
	if code := s.gotData(data, framed, f.StreamEnded()); code != h2.ErrCodeNo {
		return l.streamErrorLocked(s.id, code, now)
	}
	return nil
}

// closedFrame deals with a frame that carries a message's parts on a stream that takes none any more (RFC 9113, 5.1). half says that we still send
// on it. The lock is held.
func (l *link) closedFrame(id uint32, half bool, now time.Time) error {
	if half {
		return l.streamErrorLocked(id, h2.ErrCodeStreamClosed, now)
	}
	switch l.closed.find(id) {
	case closedByUs, closedUnknown: // it was on its way; what ended so long ago that it is forgotten has been told so
		return nil
	case closedEnded:
		return &linkError{h2.ErrCodeStreamClosed, "frame on a closed stream"}
	}
	return l.streamErrorLocked(id, h2.ErrCodeStreamClosed, now)
}

// gotWindow takes permission to send more.
func (l *link) gotWindow(f *h2.WindowUpdateFrame, now time.Time) error {
	const most = 1<<31 - 1
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.StreamID == 0 {
		if l.window += int64(f.Increment); l.window > most {
			return &linkError{h2.ErrCodeFlowControl, "window is too large"}
		}
		l.wake()
		return l.useless(now)
	}
	if l.end.idle(f.StreamID) {
		return &linkError{h2.ErrCodeProtocol, "WINDOW_UPDATE on an idle stream"}
	}
	if s := l.streams[f.StreamID]; s != nil {
		if s.outWindow += int64(f.Increment); s.outWindow > most {
			return l.streamErrorLocked(s.id, h2.ErrCodeFlowControl, now)
		}
		l.wake()
	}
	return l.useless(now)
}

// gotReset ends a stream for the peer's part.
func (l *link) gotReset(f *h2.RSTStreamFrame, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end.idle(f.StreamID) {
		return &linkError{h2.ErrCodeProtocol, "RST_STREAM on an idle stream"}
	}
	s := l.streams[f.StreamID]
	if s == nil {
		return l.useless(now)
	}
	s.bytesIn += frameHead + 4
	s.leave(closedByPeer)
	s.fail(&resetError{code: f.ErrCode})
	if !s.outBegun && l.resets.add(now) {
		return &linkError{h2.ErrCodeEnhanceYourCalm, "too many streams were given up"}
	}
	return nil
}

// gotSettings applies the peer's settings and says so.
func (l *link) gotSettings(f *h2.SettingsFrame, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.IsAck() {
		return l.useless(now)
	}
	err := f.ForeachSetting(func(s h2.Setting) error {
		if err := s.Valid(); err != nil {
			var code h2.ConnectionError
			errors.As(err, &code)
			return &linkError{h2.ErrCode(code), "setting is out of its range"}
		}
		switch s.ID {
		case h2.SettingInitialWindowSize:
			return l.resize(int64(s.Val))
		case h2.SettingMaxFrameSize:
			l.peerFrame = int(s.Val)
		case h2.SettingMaxConcurrentStreams:
			l.peerMax = s.Val
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.settled = true
	l.wake()
	l.frame(h2.FrameSettings, h2.FlagSettingsAck, 0, nil)
	return l.answered(now)
}

// resize changes the windows of all streams that we send on (RFC 9113, 6.9.2). The lock is held.
func (l *link) resize(window int64) error {
	change := window - l.peerWindow
	l.peerWindow = window
	for _, s := range l.streams {
		if s.outWindow += change; s.outWindow > 1<<31-1 {
			return &linkError{h2.ErrCodeFlowControl, "window is too large"}
		}
	}
	return nil
}

// gotPing answers a ping.
func (l *link) gotPing(f *h2.PingFrame, now time.Time) error {
	if f.IsAck() {
		l.end.gotAck()
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frame(h2.FramePing, h2.FlagPingAck, 0, f.Data[:])
	return l.answered(now)
}

// answered sends an answer to a control frame. A peer that does not read them is left. The lock is held.
func (l *link) answered(now time.Time) error {
	l.flushLater()
	if l.gathered > maxControl {
		return &linkError{h2.ErrCodeEnhanceYourCalm, "answers to control frames are not read"}
	}
	return l.useless(now)
}
