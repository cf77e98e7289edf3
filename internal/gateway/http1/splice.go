package http1

import (
	"errors"
	"io"

	"github.com/causeway-apim/causeway/internal/message"
)

// spliceable is a body whose bytes can go to another connection without being copied.
type spliceable interface {
	message.Body
	// rest is the number of bytes still to come if they can go that way from here on; else 0.
	rest() int64
	// moveInto is Read with an empty pipe in the place of a slice. [errUnspliced] says that the bytes have to be read.
	moveInto(p *pipe) (int, error)
}

// spliceLeast is the least rest of a body, in bytes, that goes through a pipe: copying costs less than the system calls below.
const spliceLeast = 64 << 10

// spliceFrom returns the body if its bytes can go to the output's connection through a pipe; else nil.
func (o *output) spliceFrom(body message.Body) spliceable {
	if from, ok := body.(spliceable); ok && canSplice(o.conn) {
		return from
	}
	return nil
}

// splice sends up to remaining bytes of a body through a pipe, after what is gathered. It returns what remains because the system cannot do that.
func (o *output) splice(from spliceable, remaining int64, with courier) (int64, error) {
	p := o.blocks.pipes.get()
	if p == nil {
		return remaining, nil
	}
	defer o.blocks.pipes.put(p)
	o.drop()
	for remaining > 0 {
		p.limit(remaining)
		n, readErr := from.moveInto(p)
		if readErr == errUnspliced {
			o.blocks.pipes.giveUp()
			return remaining, nil
		}
		remaining -= int64(n)
		for p.held > 0 {
			o.arm()
			n, err := p.pour(o.conn)
			o.written += int64(n)
			if err != nil && !o.goesOn(n, err) {
				return remaining, err
			}
		}
		switch {
		case remaining == 0:
			return 0, nil
		case errors.Is(readErr, io.EOF):
			return remaining, &sourceError{message.ErrTruncated}
		case readErr != nil:
			return remaining, &sourceError{readErr}
		}
		with.progress()
	}
	return 0, nil
}

// rest implements spliceable.
func (x *call) rest() int64 {
	x.reading.Lock()
	defer x.reading.Unlock()
	if x.over {
		return 0
	}
	return x.reader.rest()
}

// moveInto implements spliceable.
func (x *call) moveInto(p *pipe) (int, error) { return x.take(nil, p) }

// rest implements spliceable.
func (b *requestBody) rest() int64 {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.closed.Load() || b.waiting() {
		return 0
	}
	return b.reader.rest()
}

// moveInto implements spliceable.
func (b *requestBody) moveInto(p *pipe) (int, error) { return b.take(nil, p) }

// rest is the number of bytes still to come when they can be moved: nothing of them is in the buffer.
func (b *bodyReader) rest() int64 {
	if b.state != bodyFixed || b.err != nil || b.in.buffered() > 0 || !canSplice(b.in.conn) {
		return 0
	}
	return b.remaining
}

// move is read with a pipe in the place of the slice.
func (b *bodyReader) move(into *pipe) (int, error) {
	if b.rest() == 0 {
		return 0, errUnspliced
	}
	err := b.arm()
	n := 0
	if err == nil {
		into.limit(b.remaining)
		n, err = into.fill(b.in.conn)
	}
	if err == errUnspliced {
		return 0, err
	}
	if err != nil {
		return 0, b.failed(err)
	}
	b.in.consumed += int64(n)
	if b.took(n); b.ended() {
		return n, io.EOF
	}
	return n, nil
}
