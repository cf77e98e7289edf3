//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"
)

// result is what a load has seen.
type result struct {
	requests int
	took     time.Duration
	times    histogram
}

// load is what a scenario sends.
type load struct {
	port    int
	request []byte
	conns   int
	rate    float64 // requests a second over all connections; 0: each connection sends as soon as it has its answer
	fixed   int     // length of an answer that is no HTTP; 0: HTTP
	upgrade []byte  // sent first on each connection; nil: nothing
}

// generator sends requests over keep-alive connections in the clear, all in one thread.
type generator struct {
	load
	poller  *poller
	conns   map[int]*loadConn
	idle    []*loadConn
	waiting []time.Time // when requests were due for which no connection is free
	buf     []byte
	result  result
	end     time.Time
}

type loadConn struct {
	fd   int
	sent time.Time // when the request was due; zero: none is under way
	head []byte    // what has arrived of the answer's head
	left int       // bytes of the answer still to come
}

var errRefused = errors.New("the answer is not 200")

// run sends for some time and returns what was seen.
func (l load) run(duration time.Duration) (*result, error) {
	g := &generator{load: l, conns: map[int]*loadConn{}, buf: make([]byte, 256<<10)}
	var err error
	if g.poller, err = newPoller(); err != nil {
		return nil, err
	}
	defer g.close()
	for range l.conns {
		if err := g.open(); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	g.end = start.Add(duration)
	if l.rate > 0 {
		err = g.paced()
	} else {
		err = g.closed()
	}
	g.result.took = time.Since(start)
	return &g.result, err
}

func (g *generator) close() {
	for fd := range g.conns {
		_ = syscall.Close(fd)
	}
	g.poller.close()
}

// open makes a connection and upgrades it.
func (g *generator) open() error {
	fd, err := connect(g.port)
	if err != nil {
		return err
	}
	c := &loadConn{fd: fd}
	g.conns[fd] = c
	if err := g.poller.watch(fd, syscall.EPOLLIN, false); err != nil {
		return err
	}
	if g.upgrade != nil {
		if err := g.exchangeUpgrade(c); err != nil {
			return err
		}
	}
	g.idle = append(g.idle, c)
	return nil
}

func (g *generator) exchangeUpgrade(c *loadConn) error {
	if _, err := syscall.Write(c.fd, g.upgrade); err != nil {
		return err
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if _, err := g.poller.wait(100); err != nil {
			return err
		}
		n, err := syscall.Read(c.fd, g.buf)
		if err == syscall.EAGAIN {
			continue
		}
		if c.head = append(c.head, g.buf[:max(n, 0)]...); n > 0 && !bytes.Contains(c.head, []byte("\r\n\r\n")) {
			continue
		}
		if !bytes.HasPrefix(c.head, []byte("HTTP/1.1 101 ")) {
			return fmt.Errorf("the upgrade was refused: %.60q", c.head)
		}
		c.head = c.head[:0]
		return nil
	}
	return errors.New("the upgrade was not answered")
}

// closed sends the next request of each connection as soon as the last one is answered.
func (g *generator) closed() error {
	now := time.Now()
	for _, c := range g.idle {
		if err := g.send(c, now); err != nil {
			return err
		}
	}
	for now.Before(g.end) {
		events, err := g.poller.wait(10)
		if err != nil {
			return err
		}
		now = time.Now()
		for _, e := range events {
			c := g.conns[int(e.Fd)]
			done, err := g.receive(c, now)
			if err == nil && done {
				err = g.send(c, now)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// paced sends at the rate. A request that finds no free connection counts from when it was due.
func (g *generator) paced() error {
	clock, err := newTicker(time.Duration(float64(time.Second) / g.rate))
	if err != nil {
		return err
	}
	defer clock.close()
	if err := g.poller.watch(int(clock), syscall.EPOLLIN, false); err != nil {
		return err
	}
	for now := time.Now(); now.Before(g.end); {
		events, err := g.poller.wait(10)
		if err != nil {
			return err
		}
		now = time.Now()
		for _, e := range events {
			if int(e.Fd) == int(clock) {
				for range clock.ticks() {
					g.waiting = append(g.waiting, now)
				}
				continue
			}
			c := g.conns[int(e.Fd)]
			if done, err := g.receive(c, now); err != nil {
				return err
			} else if done {
				g.idle = append(g.idle, c)
			}
		}
		for len(g.waiting) > 0 && len(g.idle) > 0 {
			last := len(g.idle) - 1
			if err := g.send(g.idle[last], g.waiting[0]); err != nil {
				return err
			}
			g.idle, g.waiting = g.idle[:last], g.waiting[1:]
		}
	}
	return nil
}

// send writes a request, which is short enough for the socket of an idle connection.
func (g *generator) send(c *loadConn, due time.Time) error {
	c.sent, c.left, c.head = due, g.fixed, c.head[:0]
	if n, err := syscall.Write(c.fd, g.request); err != nil || n != len(g.request) {
		return fmt.Errorf("write %d of %d bytes: %w", n, len(g.request), err)
	}
	return nil
}

// receive reads once and says whether the answer is complete.
func (g *generator) receive(c *loadConn, now time.Time) (done bool, err error) {
	n, err := syscall.Read(c.fd, g.buf)
	switch {
	case err == syscall.EAGAIN:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read: %w", err)
	case n == 0:
		return false, errors.New("the connection was closed")
	case c.sent.IsZero():
		return false, errors.New("an answer that was not asked for")
	}
	data := g.buf[:n]
	if c.left == 0 {
		if len(c.head) > 0 {
			c.head = append(c.head, data...)
			data = c.head
		}
		body, length, ok, err := parseAnswer(data)
		if err != nil {
			return false, err
		}
		if !ok {
			c.head = append(c.head[:0], data...)
			return false, nil
		}
		c.left, n = length, len(body)
	}
	if c.left -= n; c.left > 0 {
		return false, nil
	}
	if c.left < 0 {
		return false, errors.New("the answer is longer than it says")
	}
	g.result.requests++
	g.result.times.add(now.Sub(c.sent))
	c.sent = time.Time{}
	return true, nil
}

// leastBody is the shortest answer of the backend service.
const leastBody = 512

// parseAnswer splits an answer. ok is false when its head is not complete.
func parseAnswer(data []byte) (body []byte, length int, ok bool, err error) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0, false, nil
	}
	head := data[:end]
	if len(head) < 12 || string(head[9:12]) != "200" {
		return nil, 0, false, fmt.Errorf("%w: %.200q", errRefused, data)
	}
	for len(head) > 0 {
		line := head
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			line, head = bytes.TrimSuffix(head[:i], []byte("\r")), head[i+1:]
		} else {
			head = nil
		}
		const name = "content-length:"
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err == nil && length < leastBody {
				err = fmt.Errorf("the answer is not the backend service's: %.200q", data)
			}
			return data[end+4:], length, true, err
		}
	}
	return nil, 0, false, errors.New("the answer has no Content-Length")
}

// hold opens connections, sends one request on each and keeps them open until release is called.
func (l load) hold() (release func(), err error) {
	g := &generator{load: l, conns: map[int]*loadConn{}, buf: make([]byte, 64<<10)}
	if g.poller, err = newPoller(); err != nil {
		return nil, err
	}
	for range l.conns {
		if err := g.open(); err != nil {
			g.close()
			return nil, err
		}
		c := g.idle[len(g.idle)-1]
		if err := g.send(c, time.Now()); err != nil {
			g.close()
			return nil, err
		}
		for done := false; !done; {
			if _, err = g.poller.wait(1000); err == nil {
				done, err = g.receive(c, time.Now())
			}
			if err != nil {
				g.close()
				return nil, err
			}
		}
	}
	return g.close, nil
}
