package gateway

import (
	"context"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Overload says how much a gateway takes on. What is more is answered 503 with Retry-After at once, which costs little: a gateway that takes on
// everything answers nobody in time, and ends when its memory does. The zero value takes on everything.
type Overload struct {
	// Requests is how many may be under way at once; 0: any number. Connections that were upgraded and event streams do not count.
	Requests int
	// Queue is how many more may wait for their turn, and Patience how long each of them.
	Queue    int
	Patience time.Duration
	// MemoryLimit is how much memory there is for the process in bytes; 0: not known. From 85 % in use on nothing more is taken on.
	MemoryLimit int64
	// MemoryUse returns the memory in use in bytes, without what the garbage collector could free; nil means [LiveMemory].
	MemoryUse func() int64
	// Collect finds out anew what is in use; nil means [runtime.GC]. It is called now and then while memory is short: refusing requests allocates next
	// to nothing, so that the garbage collector would not run by itself for minutes.
	Collect func()
}

// load is what a gateway has taken on.
type load struct {
	limits   Overload
	inFlight atomic.Int64
	waiting  atomic.Int64 // len(queue)

	mu    sync.Mutex
	queue []chan struct{} // the one that has waited longest first

	lookedAt   atomic.Int64 // Unix time of the last look at the memory in ns
	short      atomic.Bool  // of memory
	collecting atomic.Int64 // Unix time of the last collection, or of the look since which memory is short, in ns
	shed       sparse
}

func (l *load) setLimits(o Overload) {
	if o.MemoryUse == nil {
		o.MemoryUse = LiveMemory
	}
	if o.Collect == nil {
		o.Collect = runtime.GC
	}
	l.limits = o
}

// enter takes a request on, after a wait if need be, and says whether it did.
func (l *load) enter(ctx context.Context, now time.Time) bool {
	if l.limits.MemoryLimit > 0 && l.isShort(now) {
		return false
	}
	if l.limits.Requests <= 0 || l.waiting.Load() == 0 && l.tryEnter() {
		return true
	}
	return l.wait(ctx)
}

func (l *load) tryEnter() bool {
	if l.inFlight.Add(1) <= int64(l.limits.Requests) {
		return true
	}
	l.leave()
	return false
}

// leave ends a request that was taken on.
func (l *load) leave() {
	if l.limits.Requests <= 0 {
		return
	}
	l.inFlight.Add(-1)
	if l.waiting.Load() > 0 {
		l.callNext()
	}
}

// callNext lets those in who have waited longest, as far as there is room.
func (l *load) callNext() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) > 0 && l.inFlight.Load() < int64(l.limits.Requests) {
		l.inFlight.Add(1)
		close(l.queue[0])
		l.queue = slices.Delete(l.queue, 0, 1)
		l.waiting.Store(int64(len(l.queue)))
	}
}

// wait queues until there is room, at most for the patience that the limits allow.
func (l *load) wait(ctx context.Context) bool {
	turn := make(chan struct{})
	l.mu.Lock()
	if len(l.queue) >= l.limits.Queue {
		l.mu.Unlock()
		return false
	}
	l.queue = append(l.queue, turn)
	l.waiting.Store(int64(len(l.queue)))
	l.mu.Unlock()
	l.callNext() // a request may have ended before this one was in the queue
	timer := time.NewTimer(l.limits.Patience)
	defer timer.Stop()
	select {
	case <-turn:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.queue, turn)
	if i < 0 {
		return true // it was let in meanwhile
	}
	l.queue = slices.Delete(l.queue, i, i+1)
	l.waiting.Store(int64(len(l.queue)))
	return false
}

// isShort says whether memory is short. It looks ten times a second at most, and what was short needs some room to be so no more.
func (l *load) isShort(now time.Time) bool {
	const interval = int64(100 * time.Millisecond)
	last, at := l.lookedAt.Load(), now.UnixNano()
	if at-last < interval || !l.lookedAt.CompareAndSwap(last, at) {
		return l.short.Load()
	}
	const enough, tooMuch = 80, 85 // percent
	bound := int64(tooMuch)
	if l.short.Load() {
		bound = enough
	}
	short := l.limits.MemoryUse() > l.limits.MemoryLimit/100*bound
	if !l.short.Swap(short) {
		l.collecting.Store(at)
	} else if short {
		l.collect(at)
	}
	return short
}

// collect runs the garbage collector beside the requests, once in a while.
func (l *load) collect(at int64) {
	const interval = int64(5 * time.Second)
	if last := l.collecting.Load(); at-last >= interval && l.collecting.CompareAndSwap(last, at) {
		go l.limits.Collect()
	}
}

// LiveMemory is the memory in bytes that the last garbage collection has found in use, with the goroutines' stacks.
func LiveMemory() (sum int64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			sum += int64(s.Value.Uint64())
		}
	}
	return sum
}

// shed answers a request that is not taken on.
func (g *Gateway) shed(x message.Exchange) {
	if n := g.load.shed.tick(g.now()); n > 0 {
		g.log.Warn("The gateway is overloaded and refuses requests.", telemetry.EventKey, "Overloaded", "count", n,
			"inFlight", g.load.inFlight.Load(), "waiting", g.load.waiting.Load(), "memoryShort", g.load.short.Load())
	}
	if m := g.metrics; m != nil {
		m.Add(&telemetry.Record{Host: m.Host(x.Request().URL.Host), ResponseCode: 503, ErrorReason: "Overloaded"})
	}
	const body = `{"statusCode":503,"message":"The gateway is overloaded. Try again later."}`
	g.respond(x, &message.Response{
		Status: 503, Header: message.NewHeader("Content-Type", "application/json", "Retry-After", "1"),
		Body: message.StringBody(body), ContentLength: int64(len(body)),
	})
}

// leaveLoad makes room for another request: this one has ended, or has become a stream that may rest for hours.
func (r *request) leaveLoad() {
	if r.onLoad {
		r.onLoad = false
		r.gateway.load.leave()
	}
}
