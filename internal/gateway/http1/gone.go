package http1

import (
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// goneDelay is how long a handler may wait before the engine begins to watch for the end of the client's connection: most backend services answer
// earlier, so that most requests do not pay for it.
const goneDelay = 50 * time.Millisecond

// goneWatch notices that the client has gone while nobody reads from the connection: it reads ahead into the connection's own buffer, so that
// requests that the client has pipelined stay in order.
type goneWatch struct {
	active *active

	mu      sync.Mutex
	allowed bool          // the request has been read completely, nobody else reads
	wanted  uint64        // the wait that may want reading ahead; 0: none
	waits   uint64        // so far
	running chan struct{} // closed at the end of the read ahead; nil when none runs
	lost    bool          // the connection is at its end
	// timer is left alone when a wait ends, because most end soon and stopping it each time costs more than a run in vain. timed is the wait that it was
	// set for; 0: it is not set.
	timer *time.Timer
	timed uint64
}

// start schedules reading ahead if somebody waits for the context and the request body is at its end.
func (g *goneWatch) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.allowed || g.wanted != 0 || g.running != nil || g.lost {
		return
	}
	g.waits++
	g.wanted = g.waits
	if g.timed == 0 {
		g.setTimer()
	}
}

// setTimer sets the timer for the wait under way. g.mu is held.
func (g *goneWatch) setTimer() {
	if g.timed = g.wanted; g.timer == nil {
		g.timer = time.AfterFunc(goneDelay, g.readAhead)
	} else {
		g.timer.Reset(goneDelay)
	}
}

// reset forgets how the connection ended.
func (g *goneWatch) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost = false
}

// allow is called when the request has been read completely.
func (g *goneWatch) allow(x *message.ExchangeContext) {
	g.mu.Lock()
	g.allowed = true
	g.mu.Unlock()
	if x.IsWatched() {
		g.start()
	}
}

// readAhead runs in the timer's goroutine. A timer that was set for an earlier wait is set again for one that has begun since.
func (g *goneWatch) readAhead() {
	g.mu.Lock()
	timed := g.timed
	if g.timed = 0; g.wanted != timed || !g.allowed {
		if g.wanted != 0 && g.allowed {
			g.setTimer()
		}
		g.mu.Unlock()
		return
	}
	g.wanted = 0
	done := make(chan struct{})
	g.running = done
	ctx := g.active.x.ctx
	g.mu.Unlock()

	in := &g.active.in
	err := in.limit.arm(0)
	for err == nil && len(in.makeRoom()) > 0 {
		err = in.fill()
	}
	g.mu.Lock()
	stopped := in.limit.isAborted()
	g.lost = err != nil && !stopped
	lost := g.lost
	g.mu.Unlock()
	if lost {
		ctx.End(message.ErrClientGone)
	}
	close(done)
}

// stop ends reading ahead. It returns false when the connection has ended.
func (g *goneWatch) stop() bool {
	g.mu.Lock()
	g.allowed, g.wanted = false, 0
	running, lost := g.running, g.lost
	g.mu.Unlock()
	if running == nil {
		return !lost
	}
	g.active.in.limit.abort()
	<-running
	g.active.in.limit.clear()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running = nil
	return !g.lost
}
