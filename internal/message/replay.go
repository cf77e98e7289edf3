package message

import "sync"

// ReplayBody passes a source on and remembers its first bytes, so that a request can stream and still be repeated.
type ReplayBody struct {
	source Body
	limit  int

	reading sync.Mutex // held while the source is read; taken before mu
	mu      sync.Mutex // guards what follows
	pass    int        // counts Rewind and Close: a Read of an older pass has no right to bytes
	closed  bool
	kept    []byte
	offset  int
	lost    bool // more than limit bytes have been read: kept is gone
	err     error
}

// NewReplayBody returns a body over source that can be rewound as long as at most limit bytes have been read. Close leaves the source open for
// another pass and does not interrupt a Read that waits for it; CloseSource ends it.
func NewReplayBody(source Body, limit int) *ReplayBody {
	return &ReplayBody{source: source, limit: limit}
}

// Read replays what is remembered, then reads on from the source.
func (b *ReplayBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	pass := b.pass
	n, done, err := b.replay(pass, p)
	b.mu.Unlock()
	if done {
		return n, err
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	b.mu.Lock()
	n, done, err = b.replay(pass, p)
	b.mu.Unlock()
	if done {
		return n, err
	}
	n, err = b.source.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.remember(pass, p[:n], err)
}

// replay answers a Read from memory if it can; done is false when the source is to be read.
func (b *ReplayBody) replay(pass int, p []byte) (n int, done bool, err error) {
	switch {
	case b.closed || pass != b.pass:
		return 0, true, ErrBodyClosed
	case b.offset < len(b.kept):
		n = copy(p, b.kept[b.offset:])
		b.offset += n
		if b.offset == len(b.kept) {
			err = b.err
		}
		return n, true, err
	}
	return 0, b.err != nil, b.err
}

// remember stores what the source gave. Bytes that arrive for an older pass are kept for the current one.
func (b *ReplayBody) remember(pass int, p []byte, err error) (int, error) {
	b.err = err
	current := pass == b.pass && !b.closed
	if !b.lost && len(b.kept)+len(p) <= b.limit {
		b.kept = append(b.kept, p...)
		if current {
			b.offset = len(b.kept)
		}
	} else if len(p) > 0 {
		if !current || b.offset < len(b.kept) {
			b.err = ErrNotReplayable
		}
		b.lost, b.kept, b.offset = true, nil, 0
	}
	if !current {
		return 0, ErrBodyClosed
	}
	return len(p), err
}

// Rewind starts another pass.
func (b *ReplayBody) Rewind() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost {
		return ErrNotReplayable
	}
	b.pass++
	b.offset, b.closed = 0, false
	return nil
}

// Close ends the pass.
func (b *ReplayBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pass++
	b.closed = true
	return nil
}

// CloseSource closes the source.
func (b *ReplayBody) CloseSource() error { return b.source.Close() }
