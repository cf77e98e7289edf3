package configsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// ErrRefused says that the plane has understood a request of a gateway and says no. What the plane's [Server.Request] wraps it in reaches the
// gateway as a text.
var ErrRefused = errors.New("refused")

// errNotConnected is the error of requests while there is no connection.
var errNotConnected = errors.New("the gateway has no connection to the management plane")

// maxRequests of one connection are worked on at a time; further ones wait.
const maxRequests = 64

// codeRefused in a response says that the error wraps ErrRefused.
const codeRefused = "refused"

// requests are the questions of a gateway that wait for their answers.
type requests struct {
	mu      sync.Mutex
	open    bool // there is a connection
	last    int64
	waiting map[int64]chan message
	out     chan message
}

// connect begins a connection; end ends it and fails what waits.
func (r *requests) connect() (out <-chan message, end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open, r.waiting, r.out = true, make(map[int64]chan message), make(chan message, maxRequests)
	return r.out, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.open = false
		for _, answer := range r.waiting {
			close(answer)
		}
		r.waiting = nil
	}
}

// add queues a request and returns where its answer comes; the channel is closed when the connection is lost.
func (r *requests) add(name string, payload json.RawMessage) (id int64, answer <-chan message, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.open {
		return 0, nil, errNotConnected
	}
	r.last++
	waits := make(chan message, 1)
	select {
	case r.out <- message{Type: typeRequest, Sequence: r.last, Name: name, Payload: payload}:
	default:
		return 0, nil, errors.New("too many requests wait for the management plane")
	}
	r.waiting[r.last] = waits
	return r.last, waits, nil
}

// answer hands an answer over; one that nobody waits for is dropped.
func (r *requests) answer(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if waits, ok := r.waiting[m.Sequence]; ok {
		delete(r.waiting, m.Sequence)
		waits <- m
	}
}

func (r *requests) forget(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, id)
}

// Request asks the plane something and decodes its answer into out. It fails at once without a connection. A refusal of the plane wraps
// [ErrRefused].
func (c *Client) Request(ctx context.Context, name string, payload, out any) error {
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode request %s: %w", name, err)
	}
	id, answer, err := c.requests.add(name, b)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		c.requests.forget(id)
		return context.Cause(ctx)
	case m, ok := <-answer:
		switch {
		case !ok:
			return errNotConnected
		case m.Name == codeRefused:
			return fmt.Errorf("%w: %s", ErrRefused, m.Error)
		case m.Error != "":
			return errors.New(m.Error)
		}
		if err := json.Unmarshal(m.Payload, out); err != nil {
			return fmt.Errorf("decode the answer to %s: %w", name, err)
		}
		return nil
	}
}

// answer works on a request of the gateway.
func (c *serverConn) answer(ctx context.Context, m message) {
	reply := message{Type: typeResponse, Sequence: m.Sequence}
	value, err := any(nil), error(errNoRequests)
	switch {
	case m.Name == requestRenewal:
		value, err = c.renew(ctx, m.Payload)
	case c.server.Request != nil:
		value, err = c.server.Request(ctx, c.id, m.Name, m.Payload)
	}
	if err == nil {
		reply.Payload, err = json.Marshal(value)
	}
	if err != nil {
		reply.Error = truncate(err.Error(), maxHeader)
		if errors.Is(err, ErrRefused) {
			reply.Name = codeRefused
		}
	}
	c.send(reply)
}

var errNoRequests = fmt.Errorf("%w: the management plane takes no requests", ErrRefused)
