package configsync

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Bounds of the records that wait for the plane.
const (
	outboxRecords = 10_000
	outboxBytes   = 16 << 20
)

// ErrOutboxFull means that records cannot be queued: the plane has been away
// for too long.
var ErrOutboxFull = errors.New("too many records wait for the management plane")

// outbox keeps records in order until the plane has acknowledged them.
type outbox struct {
	mu      sync.Mutex
	wake    chan struct{}
	last    int64 // the newest number
	waiting []Record
	bytes   int
	sent    int // of waiting, on this connection
}

// start sets the first number. The clock in microseconds keeps numbers growing
// over restarts of an instance.
func (o *outbox) start(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.wake == nil {
		o.wake = make(chan struct{}, 1)
		o.last = now.UnixMicro()
	}
}

func (o *outbox) add(kind string, payload any, now time.Time) error {
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode record %s: %w", kind, err)
	}
	if len(b) > maxUpMessage/2 {
		return fmt.Errorf("record %s: %d bytes are too many", kind, len(b))
	}
	o.start(now)
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) >= outboxRecords || o.bytes+len(b) > outboxBytes {
		return ErrOutboxFull
	}
	o.last++
	o.waiting = append(o.waiting, Record{Sequence: o.last, Kind: kind, Payload: b})
	o.bytes += len(b)
	signal(o.wake)
	return nil
}

// rewind makes all records that are not acknowledged go out again.
func (o *outbox) rewind() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = 0
}

func (o *outbox) next() (Record, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent >= len(o.waiting) {
		return Record{}, false
	}
	o.sent++
	return o.waiting[o.sent-1], true
}

// ack drops the records up to a number.
func (o *outbox) ack(sequence int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(o.waiting) && o.waiting[n].Sequence <= sequence {
		o.bytes -= len(o.waiting[n].Payload)
		n++
	}
	o.waiting = o.waiting[n:]
	o.sent = max(0, o.sent-n)
}
