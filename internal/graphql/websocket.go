package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// The WebSocket subprotocols of subscriptions: that of the library graphql-ws (whose name is not the subprotocol's) and its predecessor's.
const (
	ProtocolTransport = "graphql-transport-ws"
	ProtocolLegacy    = "graphql-ws"
)

// Limits of a connection.
const (
	// MaxMessage is the size in bytes of a message of a client.
	MaxMessage = 100 << 10
	// maxSubscriptions bounds the subscriptions of one connection.
	maxSubscriptions = 100
	// initTimeout is how long a client may take to begin.
	initTimeout = 10 * time.Second
)

// The codes with which connections are closed; those from 4400 on are the subprotocol's.
const (
	closeNormal         = 1000
	closeTryAgain       = 1013
	closeBadMessage     = 4400
	closeUnauthorized   = 4401
	closeInitTimeout    = 4408
	closeIDTaken        = 4409
	closeTooManyInits   = 4429
	closeSubscriptions  = 4503
	connectionInit      = "connection_init"
	messageComplete     = "complete"
	messageConnectionOK = "connection_ack"
	messageError        = "error"
)

// Conn is a WebSocket with text messages.
type Conn interface {
	Read(ctx context.Context) ([]byte, error)
	// Write may be called while another goroutine reads, and never twice at a time.
	Write(ctx context.Context, message []byte) error
	Close(code int, reason string) error
}

// Subscriptions are what the clients of a connection can subscribe to.
type Subscriptions struct {
	Schema *Schema
	Hub    *Hub
	// Topic is the name in the hub of a field of the subscription type.
	Topic func(field string) string
	// Execute makes the answer for an event.
	Execute func(ctx context.Context, o *Operation, event []byte) []byte
}

// Serve speaks the subprotocol on a connection until it or ctx ends.
func (s *Subscriptions) Serve(ctx context.Context, conn Conn, protocol string) {
	ctx, cancel := context.WithCancel(ctx)
	c := &connection{Subscriptions: s, conn: conn, legacy: protocol == ProtocolLegacy, running: make(map[string]*subscription)}
	code, reason := c.run(ctx)
	cancel()
	_ = conn.Close(code, reason) // the client may have gone
	c.wait.Wait()
}

// connection is the state of one WebSocket.
type connection struct {
	*Subscriptions
	conn   Conn
	legacy bool
	wait   sync.WaitGroup
	begun  bool

	writing sync.Mutex
	running map[string]*subscription // by the client's ID
}

// subscription is one that runs.
type subscription struct{ cancel context.CancelFunc }

// wireMessage is a message in either direction.
type wireMessage struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// closing ends a connection for a reason.
type closing struct {
	code   int
	reason string
}

func (c closing) Error() string { return c.reason }

// run reads messages until the connection is to be closed, and says how.
func (c *connection) run(ctx context.Context) (code int, reason string) {
	for {
		data, err := c.read(ctx)
		if err == nil {
			err = c.handle(ctx, data)
		}
		var end closing
		if errors.As(err, &end) {
			return end.code, end.reason
		}
		if err != nil {
			return closeNormal, ""
		}
	}
}

func (c *connection) read(ctx context.Context) ([]byte, error) {
	if c.begun {
		return c.conn.Read(ctx)
	}
	limited, cancel := context.WithTimeoutCause(ctx, initTimeout, closing{closeInitTimeout, "Connection initialisation timeout"})
	defer cancel()
	data, err := c.conn.Read(limited)
	var end closing
	if err != nil && errors.As(context.Cause(limited), &end) {
		return nil, end
	}
	return data, err
}

func (c *connection) handle(ctx context.Context, data []byte) error {
	var m wireMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return closing{closeBadMessage, "Invalid message received"}
	}
	subscribe, stop := "subscribe", messageComplete
	if c.legacy {
		subscribe, stop = "start", "stop"
	}
	switch {
	case m.Type == connectionInit && c.begun && !c.legacy:
		return closing{closeTooManyInits, "Too many initialisation requests"}
	case m.Type == connectionInit:
		c.begun = true
		return c.write(ctx, wireMessage{Type: messageConnectionOK})
	case m.Type == "ping" && !c.legacy:
		return c.write(ctx, wireMessage{Type: "pong", Payload: m.Payload})
	case m.Type == "pong" && !c.legacy:
		return nil
	case m.Type == "connection_terminate" && c.legacy:
		return closing{closeNormal, ""}
	case m.Type == subscribe && !c.begun:
		return closing{closeUnauthorized, "Unauthorized"}
	case m.Type == subscribe && m.ID != "":
		return c.subscribe(ctx, m)
	case m.Type == stop:
		c.stop(m.ID)
		return nil
	}
	return closing{closeBadMessage, "Invalid message received"}
}

func (c *connection) write(ctx context.Context, m wireMessage) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.conn.Write(ctx, data)
}

// subscribe begins a subscription, or answers with what is wrong with it.
func (c *connection) subscribe(ctx context.Context, m wireMessage) error {
	o, err := c.prepare(m.Payload)
	if err != nil {
		return c.refuse(ctx, m.ID, err)
	}
	run := &subscription{}
	if err := c.begin(m.ID, run); err != nil {
		return err
	}
	l := c.Hub.listen(c.Topic(o.SubscriptionField()))
	ctx, run.cancel = context.WithCancel(ctx)
	c.wait.Go(func() {
		defer run.cancel()
		defer l.close()
		c.deliver(ctx, m.ID, o, l)
	})
	return nil
}

// begin takes an ID.
func (c *connection) begin(id string, run *subscription) error {
	if c.running[id] != nil {
		return closing{closeIDTaken, "Subscriber for " + id + " already exists"}
	}
	if len(c.running) >= maxSubscriptions {
		return closing{closeSubscriptions, "Too many subscriptions"}
	}
	c.running[id] = run
	return nil
}

func (c *connection) prepare(payload []byte) (*Operation, error) {
	r, err := ParseRequest("", payload)
	if err != nil {
		return nil, err
	}
	o, err := c.Schema.Prepare(r)
	if err != nil {
		return nil, err
	}
	if !o.IsSubscription() {
		return nil, errors.New("queries and mutations are not served over WebSocket")
	}
	return o, nil
}

// refuse answers a subscription that cannot begin.
func (c *connection) refuse(ctx context.Context, id string, err error) error {
	list := requestErrors(err)
	payload, merr := json.Marshal(list)
	if c.legacy {
		payload, merr = json.Marshal(list[0])
	}
	if merr != nil {
		return merr
	}
	return c.write(ctx, wireMessage{ID: id, Type: messageError, Payload: payload})
}

// deliver sends events until the subscription ends.
func (c *connection) deliver(ctx context.Context, id string, o *Operation, l *listener) {
	next := "next"
	if c.legacy {
		next = "data"
	}
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-l.events:
			if !ok {
				_ = c.conn.Close(closeTryAgain, "The client is too slow for its subscription")
				return
			}
			if c.write(ctx, wireMessage{ID: id, Type: next, Payload: c.Execute(ctx, o, event)}) != nil {
				return
			}
		}
	}
}

// stop ends a subscription by the wish of the client.
func (c *connection) stop(id string) {
	if run := c.running[id]; run != nil {
		run.cancel()
		delete(c.running, id)
	}
}
