package configsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// maxResyncs in a row without success end a connection: something is wrong
// that sending everything again does not mend.
const maxResyncs = 3

// session is one connection of a client.
type session struct {
	*clientRun
	ws *websocket.Conn

	wantAll chan string    // the reason to ask for everything
	asked   <-chan message // requests

	// Of the reader only: the change that is coming in.
	coming   *snapshot.Snapshot // nil: none, wait for the first piece of one
	full     bool
	next     int // piece
	received int64
	astray   bool // nothing but a full change helps
	resyncs  int
}

// session serves a connection until it ends.
func (r *clientRun) session(ctx context.Context, ws *websocket.Conn) outcome {
	ctx, stop := context.WithCancelCause(ctx)
	cancel := func() { stop(nil) }
	defer cancel()
	r.current.set(func() { stop(errAgain) })
	defer r.current.set(nil)
	s := &session{clientRun: r, ws: ws, wantAll: make(chan string, 1)}
	if err := s.greet(ctx); err != nil {
		return s.outcome(err, false)
	}
	r.tell(func(st *Status) {
		st.State, st.Retry = StateConnected, 0
		st.Reason = "connected to " + r.target.host
	})
	asked, lost := r.requests.connect()
	defer lost()
	s.asked = asked
	errs := make(chan error, 3)
	for _, loop := range []func(context.Context) error{s.read, s.write, s.ping} {
		go func() { errs <- loop(ctx) }()
	}
	err := <-errs
	if ctx.Err() != nil {
		ws.Close(websocket.StatusGoingAway, "the gateway stops")
	}
	cancel()
	for range 2 {
		// The reader knows best why: the close frame.
		if e := <-errs; websocket.CloseStatus(e) != -1 {
			err = e
		}
	}
	if context.Cause(ctx) == errAgain {
		return outcome{again: true}
	}
	return s.outcome(err, true)
}

// outcome explains the end of a connection.
func (s *session) outcome(err error, worked bool) outcome {
	out := outcome{state: StateWaiting, worked: worked}
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		out.reason = fmt.Sprintf("the connection to %s is lost: %v", s.target.host, err)
		return out
	}
	out.reason = fmt.Sprintf("%s closed the connection: %s", s.target.host, closed.Reason)
	switch closed.Code {
	case closeTokenExpired:
		out.state = StateTokenExpired
	case closeTokenRevoked:
		out.state = StateTokenRefused
	}
	return out
}

// greet exchanges hellos.
func (s *session) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	held, _ := s.snapshots()
	err := s.writeMessage(ctx, message{
		Type: typeHello, Protocol: protocolVersion, Version: s.Version, Instance: s.Instance, Gateway: s.Gateway,
		Sequence: held.Sequence(), Digest: hexDigest(held),
	})
	if err != nil {
		return err
	}
	_, b, err := s.ws.Read(ctx)
	if err != nil {
		return err
	}
	m, err := decodeMessage(b)
	if err == nil && m.Type != typeHello {
		err = fmt.Errorf("expected a hello, got %.40q", m.Type)
	}
	return err
}

// ping notices a dead peer; read answers the plane's own pings.
func (s *session) ping(ctx context.Context) error {
	ticker := time.NewTicker(pingPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		pingCtx, cancel := context.WithTimeout(ctx, pingTimeout)
		err := s.ws.Ping(pingCtx)
		cancel()
		if err != nil {
			return fmt.Errorf("no answer to a ping: %w", err)
		}
	}
}

// write sends the heartbeat, at once, each minute and when the status changes,
// and the records.
func (s *session) write(ctx context.Context) error {
	ticker := time.NewTicker(heartbeatPeriod)
	defer ticker.Stop()
	s.outbox.rewind()
	for {
		if err := s.writeStatus(ctx); err != nil {
			return err
		}
		for status := false; !status; {
			if err := s.writeRecords(ctx); err != nil {
				return err
			}
			select {
			case <-s.statusWake:
				status = true
			case <-ticker.C:
				status = true
			case <-s.outbox.wake:
			case m := <-s.asked:
				if err := s.writeMessage(ctx, m); err != nil {
					return err
				}
			case reason := <-s.wantAll:
				if err := s.writeMessage(ctx, message{Type: typeResync, Error: reason}); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func (s *session) writeStatus(ctx context.Context) error {
	s.mu.Lock()
	st := s.status
	s.mu.Unlock()
	return s.writeMessage(ctx, message{
		Type: typeStatus, Sequence: st.Serving, RejectedSequence: st.RejectedSequence, Error: truncate(st.Rejected, maxHeader),
	})
}

func (s *session) writeRecords(ctx context.Context) error {
	for {
		r, ok := s.outbox.next()
		if !ok {
			return nil
		}
		if err := s.writeMessage(ctx, message{Type: typeRecord, Sequence: r.Sequence, Name: r.Kind, Payload: r.Payload}); err != nil {
			return err
		}
	}
}

func (s *session) writeMessage(ctx context.Context, m message) error {
	b, err := m.encode()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return s.ws.Write(ctx, websocket.MessageText, b)
}

// read takes what the plane sends.
func (s *session) read(ctx context.Context) error {
	for {
		kind, b, err := s.ws.Read(ctx)
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			err = s.takeBinary(b)
		} else {
			err = s.takeText(ctx, b)
		}
		if err != nil {
			return err
		}
	}
}

func (s *session) takeText(ctx context.Context, b []byte) error {
	m, err := decodeMessage(b)
	if err != nil {
		return err
	}
	switch m.Type {
	case typeAck:
		s.outbox.ack(m.Sequence)
	case typeResponse:
		s.requests.answer(m)
	case typeCommand:
		if m.Name == CommandTokenExpiring {
			s.tell(func(st *Status) {
				st.State, st.Reason = StateTokenExpiring, "the gateway token expires soon: "+truncate(string(m.Payload), 200)
			})
		}
		if s.Command != nil {
			s.Command(ctx, m.Name, m.Payload)
		}
	default:
		s.unknown()
	}
	return nil
}

func (s *session) unknown() { s.tell(func(st *Status) { st.Unknown++ }) }

func (s *session) takeBinary(b []byte) error {
	m, payload, err := decodeBinary(b)
	if err != nil {
		return err
	}
	if m.Type != typeChange {
		s.unknown()
		return nil
	}
	if err := s.takePiece(m, payload); err != nil {
		s.coming, s.astray = nil, true
		if s.resyncs++; s.resyncs > maxResyncs {
			return err
		}
		select {
		case s.wantAll <- err.Error():
		default:
		}
	}
	return nil
}

// takePiece adds one piece to the change that is coming in, and hands the
// configuration over with the last one.
func (s *session) takePiece(m message, payload []byte) error {
	held, _ := s.snapshots()
	if m.Piece == 0 {
		s.coming, s.full, s.next, s.received = held, m.Full, 0, 0
		if m.Full {
			s.coming, s.astray = snapshot.Empty(), false
		}
	}
	if s.astray {
		return nil // was sent before the plane heard that we want everything
	}
	if s.coming == nil || m.Piece != s.next {
		return fmt.Errorf("piece %d came instead of %d", m.Piece, s.next)
	}
	d, err := snapshot.DecodeDelta(payload)
	if err != nil {
		return err
	}
	if s.coming, err = s.coming.Apply(d); err != nil {
		return err
	}
	s.next++
	s.received += int64(len(payload))
	if !m.Last {
		s.tell(func(st *Status) { st.Receiving, st.Total = s.received, m.Bytes })
		return nil
	}
	done := s.coming
	s.coming, s.next = nil, 0
	if s.full {
		// Share what did not change with the configuration before.
		if done, err = held.Apply(snapshot.Diff(held, done)); err != nil {
			return err
		}
		s.resyncs = 0
	}
	s.tell(func(st *Status) { st.Receiving, st.Total = 0, 0 })
	s.receive(done)
	return nil
}

func truncate(s string, n int) string { return s[:min(len(s), n)] }
