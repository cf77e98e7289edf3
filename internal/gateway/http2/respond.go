package http2

import (
	"errors"
	"fmt"
	"io"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/message"
)

// streamSize is the buffer for bodies in transit once they have shown that they fill it.
const streamSize = 64 << 10

// Respond implements [message.Exchange].
func (x *exchange) Respond(r *message.Response) error {
	if r.Tunnel != nil {
		_ = r.Tunnel.Close()
		return fmt.Errorf("http/2 has no upgrade: %w", errors.ErrUnsupported)
	}
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := x.check(r); err != nil {
		return err
	}
	length, withBody := x.plan(r)
	s := sender{stream: &x.stream, trailer: &r.Trailer, length: length, begin: func(end bool) { x.sendAnswer(r, length, end) }}
	if !withBody {
		s.length = -1
		return x.ended(r, s.sendEmpty())
	}
	return x.ended(r, s.send(r.Body))
}

// check says why a response cannot be sent. Nothing has happened then.
func (x *exchange) check(r *message.Response) error {
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	switch {
	case x.answered:
		return message.ErrAnswered
	case r.Status < 200 || r.Status > 999:
		return fmt.Errorf("status %d is not final", r.Status)
	case x.err != nil:
		return message.ClientGone(x.err)
	}
	return r.Header.Validate()
}

// plan says which length to announce, -1 for none, and whether a body follows.
func (x *exchange) plan(r *message.Response) (length int64, withBody bool) {
	length = r.ContentLength
	switch {
	case r.Status == 204:
		return -1, false
	case r.Status == 304:
		if length == 0 { // what a response without a length has; claiming an empty representation would be wrong
			length = -1
		}
		return length, false
	case x.req.Method == "HEAD":
		return length, false
	case r.Body == nil:
		return -1, r.Trailer.Len() > 0
	}
	return length, true
}

// sendAnswer gathers the final head. The lock is held.
func (x *exchange) sendAnswer(r *message.Response, length int64, end bool) {
	l := x.link
	x.answered, x.outBegun = true, true
	x.owner, r.Owner = r.Owner, nil
	l.put(":status", statusText(r.Status))
	dated := l.putHeader(&r.Header)
	if !dated {
		l.put("date", x.c.server.dateAt(x.c.server.Now()))
	}
	if length >= 0 {
		l.putLength(length)
	}
	x.sendHead(end)
}

// ended notes how the answer went.
func (x *exchange) ended(r *message.Response, err error) error {
	l := x.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if !x.answered {
		return sourceOf(err)
	}
	now := x.c.server.Now()
	x.result.Done = now
	if x.result.FirstByte.IsZero() {
		x.result.FirstByte = now
	}
	source := sourceOf(err)
	switch {
	case err == nil:
	case source != nil && x.err == nil:
		err = source
		x.stream.reset(h2.ErrCodeInternal)
		l.flush()
	default:
		if errors.Is(err, errStalled) {
			x.stream.reset(h2.ErrCodeCancel)
			l.flush()
		}
		go x.ctx.End(message.ErrClientGone)
		err = message.ClientGone(errors.Join(err, x.err))
	}
	x.result.Err = err
	return err
}

// sourceError says that the body that is sent could not be read.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// sourceOf returns why the body of err could not be read; errors of other kinds give nil.
func sourceOf(err error) error {
	if source, ok := err.(*sourceError); ok {
		return source.err
	}
	return nil
}

// sender sends a message: its head by begin, its body, its trailer.
type sender struct {
	stream   *stream
	begin    func(end bool) // gathers the head; the lock is held
	progress func()         // called after each part of the body; may be nil
	trailer  *message.Header
	length   int64 // of the body; -1: unknown
	begun    bool
	left     func() bool // the trailer is not to be touched any more; may be nil
}

// head gathers the head unless it has gone. The lock is held.
func (o *sender) head(end bool) error {
	if o.begun {
		return nil
	}
	if o.stream.err != nil {
		return o.stream.err
	}
	o.begun = true
	o.begin(end)
	return nil
}

// sendEmpty sends a message without a body.
func (o *sender) sendEmpty() error {
	l := o.stream.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := o.head(true); err != nil {
		return err
	}
	return l.awaitWritten()
}

// send sends the body until its EOF. The head waits for the body only when that is there already.
func (o *sender) send(body message.Body) error {
	if body == nil {
		return o.finish(nil)
	}
	if memory, ok := body.(message.Memory); ok && o.length >= 0 {
		rest := memory.Rest()
		if int64(len(rest)) < o.length {
			return &sourceError{message.ErrTruncated}
		}
		return o.finish(rest[:o.length])
	}
	buffered, ok := body.(message.Buffered)
	if !ok || buffered.Buffered() == 0 {
		if err := o.part(nil); err != nil {
			return err
		}
	}
	size := bufferSizes[0]
	if o.length >= 0 {
		size = int(min(max(o.length, 1), streamSize))
	}
	l := o.stream.link
	buf := l.buffers.get(size)
	defer func() { l.buffers.put(buf) }()
	for remaining := o.length; ; {
		n, err := body.Read(buf.data)
		if o.length >= 0 {
			if remaining -= int64(n); remaining < 0 { // more than was announced
				return o.finish(buf.data[:int64(n)+remaining])
			}
			if err == io.EOF && remaining > 0 {
				err = message.ErrTruncated
			}
		}
		switch {
		case err == io.EOF:
			return o.finish(buf.data[:n])
		case n > 0:
			if failed := o.part(buf.data[:n]); failed != nil {
				return failed
			}
		}
		if err != nil {
			return &sourceError{err}
		}
		if n == len(buf.data) && n < streamSize {
			l.buffers.put(buf)
			buf = l.buffers.get(streamSize)
		}
	}
}

// part sends some of the body, behind the head.
func (o *sender) part(p []byte) error {
	l := o.stream.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := o.head(false); err != nil {
		return err
	}
	if len(p) == 0 {
		l.flush()
		return nil
	}
	err := o.stream.writeData(p, false)
	if err == nil && o.progress != nil {
		o.progress()
	}
	return err
}

// finish sends the last part and the end of the stream, and waits until they have left.
func (o *sender) finish(p []byte) error {
	s := o.stream
	l := s.link
	l.mu.Lock()
	defer l.mu.Unlock()
	trailing := o.trailer != nil && (o.left == nil || !o.left()) && o.trailer.Len() > 0
	bare := len(p) == 0 && !trailing
	if err := o.head(bare && !o.begun); err != nil {
		return err
	}
	switch {
	case s.outEnded: // the head has said so
	case !trailing:
		if err := s.writeData(p, true); err != nil {
			return err
		}
	default:
		if len(p) > 0 {
			if err := s.writeData(p, false); err != nil {
				return err
			}
		}
		if s.err != nil {
			return s.err
		}
		l.putTrailer(o.trailer)
		s.sendHead(true)
	}
	return l.awaitWritten()
}
