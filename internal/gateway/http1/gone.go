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

	mu        sync.Mutex
	timer     *time.Timer
	scheduled bool
	allowed   bool          // the request has been read completely, nobody else reads
	running   chan struct{} // closed at the end of the read ahead; nil when none runs
	lost      bool          // the connection is at its end
}

// start schedules reading ahead if somebody waits for the context and the request body is at its end.
func (g *goneWatch) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.allowed || g.scheduled || g.running != nil || g.lost {
		return
	}
	g.scheduled = true
	if g.timer == nil {
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

// readAhead runs in the timer's goroutine. A late run of a timer that was stopped finds scheduled false, or serves the next exchange a little early.
func (g *goneWatch) readAhead() {
	g.mu.Lock()
	if !g.scheduled || !g.allowed {
		g.mu.Unlock()
		return
	}
	g.scheduled = false
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
	g.allowed = false
	if g.scheduled {
		g.scheduled = false
		g.timer.Stop()
	}
	running := g.running
	g.mu.Unlock()
	if running != nil {
		g.active.in.limit.abort()
		<-running
		g.active.in.limit.clear()
		g.mu.Lock()
		g.running = nil
		g.mu.Unlock()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.lost
}
