package http1

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// sender streams a request body while the response is being read.
type sender struct {
	call *call
	conn *clientConn
	body message.Body
	sent atomic.Int64 // never less than what has left
	done chan struct{}

	mu       sync.Mutex
	err      error
	ended    bool
	headDone bool // the head of the response is there
	left     bool // the response is over: the request is not to be touched any more
	inherits bool // the connection is the sender's to give back
	trailer  *message.Header
}

// startSender sends what is gathered and the body in its own goroutine.
func (x *call) startSender(s sending) {
	x.sender = &sender{call: x, conn: x.conn, body: x.request.Body, trailer: &x.request.Trailer, done: make(chan struct{})}
	x.sender.sent.Store(int64(len(x.out.buf)))
	go x.sender.run(s)
}

// run sends the body. Failing to write is not an error of the call by itself: the backend service may have answered early and may take no more.
func (s *sender) run(framing sending) {
	defer close(s.done)
	x := s.call
	err := x.out.sendBody(s.body, framing, s)
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	_ = s.body.Close()
	s.sent.Store(x.out.written)
	x.out.drop()
	s.mu.Lock()
	switch {
	case s.inherits:
	case sourceOf(err) != nil:
		x.in.limit.abort() // the backend service would wait for the rest, and the reader for it
	case !s.headDone:
		_ = x.in.limit.armExactly(x.options.HeaderTimeout) // fails after abort only: then the reader knows
	}
	s.ended = true
	inherits := s.inherits
	s.mu.Unlock()
	if inherits {
		_ = s.conn.SetWriteDeadline(time.Time{}) // fails on closed connections only
		s.conn.giveBack(err == nil)
	}
}

// appendTrailer implements courier. The trailer belongs to the request, which ends with the response.
func (s *sender) appendTrailer(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return b
	}
	return appendTrailer(b, s.trailer)
}

// progress implements courier: the response's head has its time from now on.
func (s *sender) progress() {
	s.sent.Store(s.call.out.written)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.headDone {
		_ = s.call.in.limit.arm(s.call.options.HeaderTimeout) // fails after abort only: then the reader knows
	}
}

// answered is called with the final head of the response.
func (s *sender) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.headDone = true
}

// leave is called when the response is over. A sender that has not ended yet is mostly about to return from its last write: it inherits a reusable
// connection and has a moment to finish. One that waits for more of the body is interrupted, which costs the connection. When the body can be read
// again leave waits for the sender, because it must not take bytes from another pass.
func (s *sender) leave(reusable bool) {
	s.mu.Lock()
	s.headDone, s.left = true, true
	ended := s.ended
	reusable = reusable && (!ended || s.err == nil)
	s.inherits = reusable && !ended
	if s.inherits {
		_ = s.conn.SetWriteDeadline(time.Now().Add(senderGrace)) // fails on closed connections only
	}
	s.mu.Unlock()
	if !s.inherits {
		s.conn.giveBack(reusable)
	}
	if ended {
		return
	}
	_ = s.body.Close()
	if _, again := s.body.(message.Rewinder); again {
		timer := time.NewTimer(senderGrace)
		defer timer.Stop()
		select {
		case <-s.done:
		case <-timer.C:
		}
	}
}

// senderGrace is how long a sender may take to end after the response.
const senderGrace = time.Second

// hasEnded says whether the goroutine is done with the call.
func (s *sender) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// failure is the error that ended the sender.
func (s *sender) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
