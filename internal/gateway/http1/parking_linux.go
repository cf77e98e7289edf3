package http1

import (
	"container/heap"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// parking keeps connections that wait for a request without a goroutine each: an epoll set of its own says which of them have something to read. Go's
// poller watches the set, so that one goroutine can wait for all. Whoever takes a connection out of byKey owns it from then on.
type parking struct {
	mu     sync.Mutex
	set    *os.File // nil until the first connection comes
	fd     int      // of set
	byKey  map[uint64]*conn
	newest uint64 // key
	queue  waiting
	alarm  *time.Timer
	due    moment // of alarm; zero: it is not set
	closed bool
}

// parked is a connection's place in parking.
type parked struct {
	key   uint64
	index int  // in waiting
	known bool // to the set, for as long as the connection is open
}

// park takes over an idle connection until something arrives, its time is over or the server ends. It returns false, and has done nothing, when the
// connection has to wait by itself.
func (p *parking) park(c *conn) bool {
	below := c.netConn
	if t, ok := below.(interface{ NetConn() net.Conn }); ok {
		below = t.NetConn()
	}
	socket, ok := below.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.open() != nil {
		return false
	}
	p.newest++
	c.parked.key = p.newest
	watched := false
	if err := raw.Control(func(fd uintptr) { watched = p.watch(c, int(fd)) == nil }); err != nil || !watched {
		return false
	}
	p.byKey[c.parked.key] = c
	heap.Push(&p.queue, c)
	if p.due == 0 || c.until < p.due {
		p.setAlarm(c.until)
	}
	return true
}

// open makes the set if there is none.
func (p *parking) open() error {
	if p.set != nil {
		return nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // this is how os.NewFile knows that it can be waited for
		_ = syscall.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	p.set, p.fd, p.byKey = os.NewFile(uintptr(fd), "epoll"), fd, map[uint64]*conn{}
	p.alarm = time.AfterFunc(time.Hour, p.expire)
	p.alarm.Stop()
	raw, err := p.set.SyscallConn()
	if err != nil {
		return err
	}
	go p.run(raw)
	return nil
}

// watch asks for one event of a connection: bytes, or its end. The set forgets connections when they are closed.
func (p *parking) watch(c *conn, fd int) error {
	const edgeOfPeer, once = 0x2000, 1 << 30 // EPOLLRDHUP, EPOLLONESHOT
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | edgeOfPeer | once, Fd: int32(c.parked.key), Pad: int32(c.parked.key >> 32)}
	op := syscall.EPOLL_CTL_ADD
	if c.parked.known {
		op = syscall.EPOLL_CTL_MOD
	}
	err := syscall.EpollCtl(p.fd, op, fd, &e)
	c.parked.known = c.parked.known || err == nil
	return err
}

// run wakes connections until the set is closed.
func (p *parking) run(raw syscall.RawConn) {
	events, n := make([]syscall.EpollEvent, 128), 0
	look := func(fd uintptr) bool {
		err := error(syscall.EINTR)
		for err == syscall.EINTR {
			n, err = syscall.EpollWait(int(fd), events, 0)
		}
		return n != 0 // that is: errors, too
	}
	for raw.Read(look) == nil && n > 0 {
		p.mu.Lock()
		for _, e := range events[:n] {
			if c := p.byKey[uint64(uint32(e.Fd))|uint64(uint32(e.Pad))<<32]; c != nil {
				p.remove(c)
				go c.resume()
			}
		}
		p.mu.Unlock()
	}
}

// remove takes a connection out.
func (p *parking) remove(c *conn) {
	delete(p.byKey, c.parked.key)
	heap.Remove(&p.queue, c.parked.index)
}

func (p *parking) setAlarm(at moment) {
	p.due = at
	p.alarm.Reset(at.since(now()))
}

// expire ends the connections that have waited enough.
func (p *parking) expire() {
	var over []*conn
	p.mu.Lock()
	p.due = 0
	for now := now(); len(p.queue) > 0 && p.queue[0].until <= now; {
		over = append(over, p.queue[0])
		p.remove(p.queue[0])
	}
	if len(p.queue) > 0 {
		p.setAlarm(p.queue[0].until)
	}
	p.mu.Unlock()
	endAll(over)
}

// close ends all that are parked and takes no more.
func (p *parking) close() {
	p.mu.Lock()
	over, set := p.queue, p.set
	p.byKey, p.queue, p.set, p.closed = nil, nil, nil, true
	if set != nil {
		p.alarm.Stop()
		_ = set.Close() // which ends run
	}
	p.mu.Unlock()
	endAll(over)
}

// endAll ends connections side by side: TLS says goodbye, which takes seconds where the client takes nothing.
func endAll(conns []*conn) {
	for _, c := range conns {
		go c.end()
	}
}

// waiting is a heap of connections: first the one that has waited enough first.
type waiting []*conn

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].until < w[j].until }

func (w waiting) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].parked.index, w[j].parked.index = i, j
}

func (w *waiting) Push(c any) {
	c.(*conn).parked.index = len(*w)
	*w = append(*w, c.(*conn))
}

func (w *waiting) Pop() any {
	last := len(*w) - 1
	c := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	return c
}
