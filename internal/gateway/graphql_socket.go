package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/causeway-apim/causeway/internal/graphql"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// subscribeGraphQL answers the handshake of a WebSocket for subscriptions. The
// connection is served by the gateway itself, behind a tunnel like that to a
// backend service, so that policies and records see no difference.
func (r *request) subscribeGraphQL(x *policy.Exec, g *graphqlAPI, schema *graphql.Schema) (*message.Response, error) {
	client, server := newPipe()
	w := &handshake{header: make(http.Header), conn: server}
	conn, err := websocket.Accept(w, handshakeRequest(x.Request), &websocket.AcceptOptions{
		Subprotocols: []string{graphql.ProtocolTransport, graphql.ProtocolLegacy},
		// Callers identify themselves by keys and tokens, not by cookies, and
		// the cors policy is there for the others.
		InsecureSkipVerify: true,
	})
	if err != nil {
		client.Close()
		return nil, &policy.Error{Reason: "WebSocketHandshake", Message: "The WebSocket handshake is not valid.", Status: max(w.status, 400), Err: err}
	}
	conn.SetReadLimit(graphql.MaxMessage)
	source := r.resolverSource(x.Detached(), g, []byte("{}"))
	subscriptions := &graphql.Subscriptions{
		Schema: schema, Hub: r.gateway.events, Topic: source.topic,
		Execute: func(ctx context.Context, o *graphql.Operation, event []byte) []byte {
			return o.Execute(ctx, graphql.Options{Source: source, Event: event})
		},
	}
	ctx := x.Context()
	r.gateway.background.Go(func() { subscriptions.Serve(ctx, socket{conn}, conn.Subprotocol()) })
	resp := &message.Response{Status: http.StatusSwitchingProtocols, Tunnel: client}
	for name, values := range w.header {
		for _, v := range values {
			resp.Header.Add(name, v)
		}
	}
	removeHopByHop(&resp.Header, true)
	return resp, nil
}

// socket is a WebSocket as package graphql sees it.
type socket struct{ conn *websocket.Conn }

var errBinary = errors.New("the message is not a text")

func (s socket) Read(ctx context.Context) ([]byte, error) {
	kind, data, err := s.conn.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		err = errBinary
	}
	return data, err
}

func (s socket) Write(ctx context.Context, m []byte) error {
	return s.conn.Write(ctx, websocket.MessageText, m)
}

func (s socket) Close(code int, reason string) error {
	return s.conn.Close(websocket.StatusCode(code), reason)
}

// handshakeRequest is the request as the WebSocket library takes it.
func handshakeRequest(in *message.Request) *http.Request {
	r := &http.Request{Method: in.Method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header), Host: in.Header.Get("Host")}
	for name, value := range in.Header.All() {
		r.Header.Add(strings.Clone(name), strings.Clone(value))
	}
	return r
}

// handshake takes the library's answer, and gives it the gateway's end of the
// connection.
type handshake struct {
	header http.Header
	status int
	conn   net.Conn
}

func (h *handshake) Header() http.Header         { return h.header }
func (h *handshake) WriteHeader(status int)      { h.status = status }
func (h *handshake) Write(p []byte) (int, error) { return len(p), nil }

// Hijack implements [http.Hijacker].
func (h *handshake) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// newPipe returns the two ends of a connection in the process, whose directions
// end apart.
func newPipe() (client *pipeEnd, server *pipeEnd) {
	up, fromClient := io.Pipe()
	down, fromServer := io.Pipe()
	return &pipeEnd{down, fromClient}, &pipeEnd{up, fromServer}
}

// pipeEnd is one end: a [message.Tunnel] and a [net.Conn].
type pipeEnd struct {
	in  *io.PipeReader
	out *io.PipeWriter
}

func (p *pipeEnd) Read(b []byte) (int, error)  { return p.in.Read(b) }
func (p *pipeEnd) Write(b []byte) (int, error) { return p.out.Write(b) }

// CloseWrite ends this side's direction.
func (p *pipeEnd) CloseWrite() error { return p.out.Close() }

func (p *pipeEnd) Close() error { return errors.Join(p.in.Close(), p.out.Close()) }

func (*pipeEnd) LocalAddr() net.Addr  { return pipeAddr{} }
func (*pipeEnd) RemoteAddr() net.Addr { return pipeAddr{} }

// Deadlines are not needed: contexts end what waits.

func (*pipeEnd) SetDeadline(time.Time) error      { return nil }
func (*pipeEnd) SetReadDeadline(time.Time) error  { return nil }
func (*pipeEnd) SetWriteDeadline(time.Time) error { return nil }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
