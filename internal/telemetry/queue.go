package telemetry

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Queue takes records from requests and writes them elsewhere. Requests never wait for that: what comes while the queue is full is dropped and
// counted. The line of a record for a log of [NewLogHandler] is made at once, while the record is in the cache of the processor; what else is wanted of
// it is left to the writer. What comes at short intervals is written together, so that a request does not pay for waking the writer.
type Queue struct {
	w       Writer
	size    int
	lines   *queuedLines // nil without a log that lines can be made for at once
	pool    sync.Pool
	dropped atomic.Int64
	wake    chan struct{} // the first has come
	hurry   chan struct{} // there is much
	syncs   chan chan struct{}
	stop    chan struct{}
	done    chan struct{}

	mu      sync.Mutex
	waiting []*Record
}

// queuedLines are lines that wait to be written. A line is made before the lock is taken, which is held for no longer than copying it takes.
type queuedLines struct {
	makers sync.Pool // of *recordLine

	mu sync.Mutex
	n  int
	recordLines
}

// maxMadeLine is how long a line may have been for its maker to be used again.
const maxMadeLine = 64 << 10

const (
	// gatherTime is how long the writer waits for more after the first record.
	gatherTime = 20 * time.Millisecond
	// atOnce is how many records the writer takes before it lets requests go first: the more, the longer requests wait for it where there is one core.
	atOnce = 32
	// maxQueuedBytes is how long the lines that wait may be before what comes is dropped.
	maxQueuedBytes = 16 << 20
)

// Writer is what becomes of the records of a Queue. Its functions but Wants are called one after the other.
type Writer struct {
	Log   *slog.Logger         // of a line for each; nil for none
	Wants func(r *Record) bool // whether Write wants a record, asked by Add; nil for all
	Write func(r *Record)      // takes one; it must not keep it
	// Lost is called, at most once a second, with the number of records that were
	// dropped since the last time.
	Lost func(n int64)
}

// NewQueue returns a queue for size records and as many lines, and starts its writer.
func NewQueue(size int, w Writer) *Queue {
	q := &Queue{
		w: w, size: size, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), syncs: make(chan chan struct{}), stop: make(chan struct{}), done: make(chan struct{}),
	}
	q.pool.New = func() any { return &Record{URL: make([]byte, 0, 128), BackendURL: make([]byte, 0, 128)} }
	if w.Wants == nil {
		q.w.Wants = func(*Record) bool { return true }
	}
	if direct := directHandler(w.Log); direct != nil {
		q.lines = &queuedLines{recordLines: recordLines{handler: direct}}
		q.lines.makers.New = func() any { return newRecordLine(direct.form) }
	}
	go q.run()
	return q
}

// New returns an empty record for Add.
func (q *Queue) New() *Record { return q.pool.Get().(*Record) }

// Add takes over a record that New made. After Close it is lost.
func (q *Queue) Add(r *Record) {
	taken := q.lines == nil || !wantsLine(q.w.Log, r) || q.line(r)
	if taken && (q.w.Wants(r) || q.lines == nil && q.w.Log != nil) {
		if taken = q.queue(r); taken {
			return
		}
	}
	if !taken {
		q.dropped.Add(1)
	}
	q.recycle(r)
}

// queue leaves a record to the writer if there is room.
func (q *Queue) queue(r *Record) bool {
	q.mu.Lock()
	n := len(q.waiting)
	if n < q.size {
		q.waiting = append(q.waiting, r)
	}
	q.mu.Unlock()
	switch n {
	case 0:
		signal(q.wake)
	case q.size / 2:
		signal(q.hurry)
	}
	return n < q.size
}

// line leaves the line of a record to the writer if there is room.
func (q *Queue) line(r *Record) bool {
	l := q.lines
	made := l.makers.Get().(*recordLine)
	made.buf = made.buf[:0]
	made.rest(r)
	made.end(0)
	room := q.queueLine(made.buf)
	if cap(made.buf) <= maxMadeLine {
		l.makers.Put(made)
	}
	return room
}

// queueLine leaves a line, of which the head is missing, to the writer if there is room.
func (q *Queue) queueLine(text []byte) bool {
	l := q.lines
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.buf)
	if l.n == q.size || before > maxQueuedBytes {
		return false
	}
	if l.n++; l.n == 1 {
		signal(q.wake)
	}
	if l.add(text); before < recordLogSize && len(l.buf) >= recordLogSize {
		signal(q.hurry)
	}
	return true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Sync waits until what was added before is written.
func (q *Queue) Sync() {
	written := make(chan struct{})
	select {
	case q.syncs <- written:
		<-written
	case <-q.done:
	}
}

// Close writes what is queued and ends the writer.
func (q *Queue) Close() {
	close(q.stop)
	<-q.done
}

func (q *Queue) run() {
	defer close(q.done)
	w := queueWriter{q: q}
	gather := time.NewTimer(0)
	defer gather.Stop()
	for stopped := false; !stopped; {
		var syncing chan struct{}
		select {
		case <-q.wake:
			gather.Reset(gatherTime)
			select {
			case <-gather.C:
			case <-q.hurry:
			case syncing = <-q.syncs:
			case <-q.stop:
				stopped = true
			}
		case syncing = <-q.syncs:
		case <-q.stop:
			stopped = true
		}
		w.take()
		w.loss(stopped)
		w.write()
		if syncing != nil {
			close(syncing)
		}
	}
}

// queueWriter is the state of the writer of a queue.
type queueWriter struct {
	q      *Queue
	warned time.Time
	lines  []byte
	batch  []*Record
	attrs  []slog.Attr
}

// log writes a record to a log whose handler has a form of its own, unless the record or the level says that no line is wanted.
func (w *queueWriter) log(r *Record) {
	if log := w.q.w.Log; wantsLine(log, r) {
		w.attrs = r.AppendAttrs(append(w.attrs[:0], slog.String(EventKey, recordEvent)))
		log.LogAttrs(context.Background(), recordLevel, recordMessage, w.attrs...)
	}
}

// loss tells how many records were dropped.
func (w *queueWriter) loss(last bool) {
	if w.q.dropped.Load() == 0 {
		return
	}
	if now := time.Now(); last || now.Sub(w.warned) >= time.Second {
		w.warned = now
		w.q.w.Lost(w.q.dropped.Swap(0))
	}
}

// take takes what waits.
func (w *queueWriter) take() {
	if l := w.q.lines; l != nil {
		l.mu.Lock()
		l.n, l.buf, w.lines = 0, w.lines[:0], l.buf
		l.mu.Unlock()
	}
	w.q.mu.Lock()
	w.batch, w.q.waiting = w.q.waiting, w.batch[:0]
	w.q.mu.Unlock()
}

// write writes what was taken.
func (w *queueWriter) write() {
	q := w.q
	if q.lines != nil {
		q.lines.write(w.lines)
		if cap(w.lines) > 4*recordLogSize { // of a burst
			w.lines = nil
		}
	}
	for i, r := range w.batch {
		if q.lines == nil && q.w.Log != nil {
			w.log(r)
		}
		if q.w.Wants(r) {
			q.w.Write(r)
		}
		q.recycle(r)
		if w.batch[i] = nil; i%atOnce == atOnce-1 {
			runtime.Gosched()
		}
	}
}

func (q *Queue) recycle(r *Record) {
	*r = Record{URL: r.URL[:0], BackendURL: r.BackendURL[:0]}
	q.pool.Put(r)
}
