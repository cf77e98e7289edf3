package configsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// outQueue bounds the small messages that wait for a connection. Changes do not
// queue.
const outQueue = 256

// ending is why the server ends a connection: the close code, the command that
// tells the gateway, and what its instance shows.
type ending struct {
	code    websocket.StatusCode
	command string
	status  string
	reason  string
}

var endGoingAway = ending{code: websocket.StatusGoingAway, reason: "the management plane is going away"}

// serverConn is one connection of an instance.
type serverConn struct {
	server   *Server
	hub      *gatewayHub
	ws       *websocket.Conn
	id       Identity
	instance string
	address  string // of the gateway, or of the proxy before us

	wake   chan struct{}      // a new view
	resync chan struct{}      // the gateway wants everything
	out    chan message       // commands and acknowledgements
	ended  chan ending        // the first one counts
	sent   *snapshot.Snapshot // what the gateway holds; nil for nothing
	expiry expiryWatch
}

// serve runs the connection until it ends, and says why it did.
func (c *serverConn) serve(ctx context.Context) error {
	defer c.ws.CloseNow()
	c.wake, c.resync = make(chan struct{}, 1), make(chan struct{}, 1)
	c.out, c.ended = make(chan message, outQueue), make(chan ending, 1)
	if err := c.greet(ctx); err != nil {
		c.ws.Close(closeProtocol, closeReason(err.Error()))
		return err
	}
	c.hub.add(c)
	defer c.hub.remove(c)
	if err := c.verifyAgain(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read := make(chan error, 1)
	go func() {
		defer cancel()
		read <- c.read(ctx)
	}()
	signal(c.wake)
	err := c.write(ctx)
	c.disconnected(err)
	cancel()
	if readErr := <-read; err == nil || errors.Is(err, context.Canceled) {
		err = readErr
	}
	return err
}

// verifyAgain closes the gap in which a key may have been regenerated before the
// connection was among those that are checked then.
func (c *serverConn) verifyAgain(ctx context.Context) error {
	if c.id.token == nil {
		return nil
	}
	_, err := c.server.verify(ctx, c.id.Service, *c.id.token)
	if err == nil {
		return nil
	}
	e := ending{code: websocket.StatusTryAgainLater, reason: "the token cannot be checked now"}
	if no := (*refusal)(nil); errors.As(err, &no) {
		e = ending{code: closeTokenRevoked, status: StatusTokenRevoked, reason: err.Error()}
	}
	return c.goodbye(ctx, e)
}

// greet exchanges hellos and finds the place to go on from.
func (c *serverConn) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	_, b, err := c.ws.Read(ctx)
	if err != nil {
		return fmt.Errorf("read hello: %w", err)
	}
	m, err := decodeMessage(b)
	switch {
	case err != nil:
		return err
	case m.Type != typeHello || m.Protocol < 1:
		return fmt.Errorf("expected a hello, got %.40q", m.Type)
	case m.Instance == "" || len(m.Instance) > maxInstanceID || len(m.Version) > maxInstanceID:
		return errors.New("hello without a usable instance ID and version")
	}
	c.instance = m.Instance
	c.sent = c.hub.held(m.Sequence, m.Digest)
	hello := message{
		Type: typeHello, Protocol: protocolVersion, Version: c.server.Version, Service: c.id.Service, Gateway: c.id.Gateway,
		Sequence: c.hub.newest().Sequence(),
	}
	if !c.id.Expiry.IsZero() {
		hello.Expiry = &c.id.Expiry
	}
	c.connected(m)
	return c.writeMessage(ctx, hello)
}

// connected notes the new connection of an instance.
func (c *serverConn) connected(hello message) {
	now := c.server.now()
	c.hub.noteState(c.instance, func(st *instanceState) {
		st.conn = c
		st.Version = hello.Version
		st.LastHeartbeat = now
		st.Status, st.Message = StatusOK, ""
		st.Address, st.ConnectedSince = c.address, &now
		st.TokenExpiry, st.CertificateExpiry = nil, nil
		if !c.id.CertificateExpiry.IsZero() {
			st.CertificateExpiry = &c.id.CertificateExpiry
		}
		if !c.id.Expiry.IsZero() {
			st.TokenExpiry = &c.id.Expiry
		}
		if !st.token.Equal(c.id.Expiry) {
			st.token, st.since = c.id.Expiry, now
		}
		c.expiry = newExpiryWatch(st.since, c.id.Expiry)
	})
}

// disconnected notes the end, unless the instance has a newer connection.
func (c *serverConn) disconnected(err error) {
	c.hub.noteState(c.instance, func(st *instanceState) {
		if st.conn != c {
			return
		}
		st.conn, st.ConnectedSince = nil, nil
		st.Status, st.Message = StatusDisconnected, "the connection is lost"
		var e *endError
		if errors.As(err, &e) {
			st.Message = e.reason
			if e.status != "" {
				st.Status = e.status
			}
		}
	})
}

// endError is the error of a connection that the server ended.
type endError struct{ ending }

func (e *endError) Error() string { return e.reason }

// end makes the connection end after what is being written.
func (c *serverConn) end(e ending) {
	select {
	case c.ended <- e:
	default:
	}
}

// send queues a small message. A gateway that does not even take those comes
// back later and gets everything anew.
func (c *serverConn) send(m message) {
	select {
	case c.out <- m:
	default:
		c.end(ending{code: closeSlow, reason: "the gateway reads too slowly"})
	}
}

// write sends what there is to send until the connection ends.
func (c *serverConn) write(ctx context.Context) error {
	timer := time.NewTimer(c.checkWait())
	defer timer.Stop()
	for {
		var err error
		select {
		case e := <-c.ended:
			return c.goodbye(ctx, e)
		case m := <-c.out:
			err = c.writeMessage(ctx, m)
		case <-c.resync:
			c.sent = nil
			err = c.writeChange(ctx)
		case <-c.wake:
			err = c.writeChange(ctx)
		case <-timer.C:
			err = c.check(ctx)
			timer.Reset(c.checkWait())
		case <-ctx.Done():
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// goodbye tells the gateway why, and closes.
func (c *serverConn) goodbye(ctx context.Context, e ending) error {
	if e.command != "" {
		if err := c.writeMessage(ctx, message{Type: typeCommand, Name: e.command}); err != nil {
			return err
		}
	}
	// Told before the closing handshake, which a dead peer would delay.
	c.disconnected(&endError{e})
	c.ws.Close(e.code, closeReason(e.reason))
	return &endError{e}
}

// closeReason fits a text into a close frame (RFC 6455, section 5.5).
func closeReason(s string) string { return s[:min(len(s), 120)] }

// writeChange brings the gateway from what it has to the newest view.
func (c *serverConn) writeChange(ctx context.Context) error {
	to := c.hub.newest()
	if c.sent == to {
		return nil
	}
	write := func(b []byte) error { return c.writeBytes(ctx, websocket.MessageBinary, b) }
	if c.sent == nil {
		if err := changeMessages(nil, to, write); err != nil {
			return err
		}
		c.sent = to
		return nil
	}
	messages, err := c.hub.messages(c.sent, to)
	if err != nil {
		return err
	}
	for _, b := range messages {
		if err := write(b); err != nil {
			return err
		}
	}
	c.sent = to
	return nil
}

func (c *serverConn) writeMessage(ctx context.Context, m message) error {
	b, err := m.encode()
	if err != nil {
		return err
	}
	return c.writeBytes(ctx, websocket.MessageText, b)
}

func (c *serverConn) writeBytes(ctx context.Context, t websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return c.ws.Write(ctx, t, b)
}

// read takes what the gateway says. A silent gateway is gone.
func (c *serverConn) read(ctx context.Context) error {
	working := make(chan struct{}, maxRequests)
	for {
		readCtx, cancel := context.WithTimeout(ctx, silenceLimit)
		kind, b, err := c.ws.Read(readCtx)
		cancel()
		if err != nil {
			return err
		}
		if kind != websocket.MessageText {
			continue // of a newer gateway
		}
		m, err := decodeMessage(b)
		if err != nil {
			c.end(ending{code: closeProtocol, reason: err.Error()})
			return err
		}
		switch m.Type {
		case typeStatus:
			c.heartbeat(m)
		case typeResync:
			c.server.log().WarnContext(ctx, "gateway asks for everything", "service", c.id.Service, "gateway", c.id.Gateway,
				"instance", c.instance, "reason", m.Error)
			signal(c.resync)
		case typeRequest:
			working <- struct{}{}
			go func() {
				defer func() { <-working }()
				c.answer(ctx, m)
			}()
		case typeRecord:
			if err := c.record(ctx, m); err != nil {
				return err
			}
		default:
			c.server.log().DebugContext(ctx, "unknown message of a gateway", "type", m.Type, "instance", c.instance)
		}
	}
}

// heartbeat notes what the gateway serves.
func (c *serverConn) heartbeat(m message) {
	now := c.server.now()
	c.hub.noteState(c.instance, func(st *instanceState) {
		st.LastHeartbeat, st.Sequence = now, m.Sequence
		if st.conn != c {
			return
		}
		switch {
		case m.Error != "":
			st.Status = StatusRejected
			st.Message = fmt.Sprintf("sequence %d was refused: %s", m.RejectedSequence, m.Error)
		case c.expiry.soon(now):
			st.Status, st.Message = StatusTokenExpiring, c.expiry.message()
		default:
			st.Status, st.Message = StatusOK, ""
		}
	})
}

func (c *serverConn) record(ctx context.Context, m message) error {
	if c.server.Record != nil {
		r := Record{Sequence: m.Sequence, Kind: m.Name, Payload: m.Payload}
		if err := c.server.Record(ctx, c.id, c.instance, r); err != nil {
			// Not acknowledged: it comes again on the next connection.
			err = fmt.Errorf("take record: %w", err)
			c.end(ending{code: websocket.StatusTryAgainLater, reason: "records cannot be taken now"})
			return err
		}
	}
	c.send(message{Type: typeAck, Sequence: m.Sequence})
	return nil
}
