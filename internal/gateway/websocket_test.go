package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// The opcodes of frames (RFC 6455, 5.2).
const (
	wsContinuation = 0
	wsText         = 1
	wsBinary       = 2
	wsClose        = 8
	wsPing         = 9
	wsPong         = 10
)

// wsFrame is a frame of a WebSocket.
type wsFrame struct {
	more     bool // FIN is not set
	reserved byte // the three reserved bits
	op       byte
	bare     bool // a client's frame without a mask
	payload  []byte
}

func (f wsFrame) String() string {
	return fmt.Sprintf("%d/%v/%d %.40q", f.op, f.more, len(f.payload), f.payload)
}

// encode returns the frame as bytes; those of clients are masked.
func (f wsFrame) encode(client bool) []byte {
	first := f.op | f.reserved<<4
	if !f.more {
		first |= 0x80
	}
	masked := byte(0)
	if client && !f.bare {
		masked = 0x80
	}
	b := []byte{first}
	switch n := len(f.payload); {
	case n < 126:
		b = append(b, masked|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, masked|127), uint64(n))
	}
	if masked == 0 {
		return append(b, f.payload...)
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask[:]...)
	for i, c := range f.payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// readFrame reads a frame.
func readFrame(r io.Reader) (f wsFrame, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	f = wsFrame{more: head[0]&0x80 == 0, reserved: head[0] >> 4 & 7, op: head[0] & 15, bare: head[1]&0x80 == 0}
	size := uint64(head[1] & 0x7f)
	if size >= 126 {
		long := make([]byte, 2<<(2*(size-126)))
		if _, err := io.ReadFull(r, long); err != nil {
			return f, err
		}
		size = binary.BigEndian.Uint64(append(make([]byte, 8-len(long)), long...))
	}
	var mask [4]byte
	if !f.bare {
		if _, err := io.ReadFull(r, mask[:]); err != nil {
			return f, err
		}
	}
	if size > 8<<20 {
		return f, errors.New("frame is too large")
	}
	f.payload = make([]byte, size)
	_, err = io.ReadFull(r, f.payload)
	for i := range f.payload {
		f.payload[i] ^= mask[i%4]
	}
	return f, err
}

// closing is the payload of a close frame.
func closing(code uint16, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, code), reason...)
}

// wsServer is a strict backend service that sends every message back, frame by frame, as RFC 6455 has it.
type wsServer struct {
	open    bool // within a fragmented message
	text    bool
	message []byte
}

// next returns what the server answers to a frame, and whether that is its last word.
func (s *wsServer) next(f wsFrame) (answers []wsFrame, last bool) {
	fail := func(code uint16) ([]wsFrame, bool) { return []wsFrame{{op: wsClose, payload: closing(code, "")}}, true }
	control := f.op >= wsClose
	switch {
	case f.bare, f.reserved != 0, f.op > wsPong || f.op > wsBinary && !control: // 5.1, 5.2
		return fail(1002)
	case control && (f.more || len(f.payload) > 125): // 5.5
		return fail(1002)
	case !control && s.open != (f.op == wsContinuation): // 5.4
		return fail(1002)
	}
	switch f.op {
	case wsPong:
		return nil, false
	case wsPing:
		return []wsFrame{{op: wsPong, payload: f.payload}}, false
	case wsClose:
		if code, ok := closeCode(f.payload); !ok {
			return fail(code)
		}
		return []wsFrame{{op: wsClose, payload: f.payload}}, true
	case wsText, wsBinary:
		s.text, s.message = f.op == wsText, nil
	}
	s.open, s.message = f.more, append(s.message, f.payload...)
	switch {
	case s.text && !f.more && !utf8.Valid(s.message): // 8.1
		return fail(1007)
	case string(s.message) == "close now":
		return []wsFrame{{op: wsClose, payload: closing(1001, "away")}}, false
	}
	return []wsFrame{{op: f.op, more: f.more, payload: f.payload}}, false
}

// closeCode says whether a close frame is valid (5.5.1, 7.4), and otherwise why not.
func closeCode(payload []byte) (why uint16, ok bool) {
	if len(payload) == 0 {
		return 0, true
	}
	if len(payload) == 1 || !utf8.Valid(payload[2:]) {
		return 1002, false
	}
	code := binary.BigEndian.Uint16(payload)
	known := code >= 1000 && code <= 1014 && !slices.Contains([]uint16{1004, 1005, 1006}, code)
	return 1002, known || code >= 3000 && code <= 4999
}

// serve accepts a handshake and answers frames until the end of either side.
func (s *wsServer) serve(conn net.Conn, heads chan<- http.Header) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	heads <- request.Header
	if request.URL.Path == "/refuse" {
		fmt.Fprint(conn, "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 5\r\n\r\nsorry")
		return
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: b\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	for {
		f, err := readFrame(reader)
		if err != nil {
			return
		}
		answers, last := s.next(f)
		for _, a := range answers {
			if _, err := conn.Write(a.encode(false)); err != nil {
				return
			}
		}
		if last { // 7.1.1: the server closes first; what is on its way must not reset the connection
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, reader)
			return
		}
	}
}

// webSocketSystem is a gateway in front of such servers.
func webSocketSystem(t *testing.T) (s *system, heads chan http.Header) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	heads = make(chan http.Header, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go new(wsServer).serve(conn, heads)
		}
	}()
	return newSystem(t, apiPart(snapshot.API{ID: "ws", Path: "ws", Type: "websocket", Protocols: []string{"ws"}, ServiceURL: "ws://" + listener.Addr().String()})), heads
}

const wsHandshake = "GET /ws/chat HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a, b\r\nOrigin: http://o.test\r\n\r\n"

// dialWebSocket sends a handshake and more bytes behind it, and checks the answer.
func dialWebSocket(t *testing.T, s *system, early []byte) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := conn.Write(append([]byte(wsHandshake), early...)); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 101 {
		t.Fatalf("got %v, %v", response, err)
	}
	// The value of RFC 6455, 1.3.
	if h := response.Header; h.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || h.Get("Sec-WebSocket-Protocol") != "b" {
		t.Errorf("handshake %v", h)
	}
	return conn, reader
}

// TestWebSocketConformance takes the ways of RFC 6455 through the gateway: every frame has to arrive as it was sent, in both directions, in its order
// and when it was sent, and the end with its code.
func TestWebSocketConformance(t *testing.T) {
	t.Parallel()
	s, _ := webSocketSystem(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	text := func(p string) wsFrame { return wsFrame{op: wsText, payload: []byte(p)} }
	end := wsFrame{op: wsClose, payload: closing(1000, "bye")}
	failed := func(code uint16) []wsFrame { return []wsFrame{{op: wsClose, payload: closing(code, "")}} }
	echo := func(f ...wsFrame) []wsFrame { return append(f, end) }
	tests := []struct {
		name       string
		sent, want []wsFrame
	}{
		{"text", echo(text("hello")), echo(text("hello"))},
		{"empty messages", echo(text(""), wsFrame{op: wsBinary}), echo(text(""), wsFrame{op: wsBinary})},
		{"fragments", []wsFrame{{op: wsText, more: true, payload: []byte("a")}, {more: true}, {more: true, payload: []byte("b")}, {payload: []byte("c")}, end},
			[]wsFrame{{op: wsText, more: true, payload: []byte("a")}, {more: true}, {more: true, payload: []byte("b")}, {payload: []byte("c")}, end}},
		{"ping between fragments", []wsFrame{{op: wsText, more: true, payload: []byte("a")}, {op: wsPing, payload: []byte("p")}, {payload: []byte("b")}, end},
			[]wsFrame{{op: wsText, more: true, payload: []byte("a")}, {op: wsPong, payload: []byte("p")}, {payload: []byte("b")}, end}},
		{"pings", echo(wsFrame{op: wsPing}, wsFrame{op: wsPing, payload: large[:125]}), echo(wsFrame{op: wsPong}, wsFrame{op: wsPong, payload: large[:125]})},
		{"unasked pong", echo(wsFrame{op: wsPong, payload: []byte("x")}, text("y")), echo(text("y"))},
		{"character over fragments", []wsFrame{{op: wsText, more: true, payload: []byte("\xc5")}, {payload: []byte("\xbc")}, end},
			[]wsFrame{{op: wsText, more: true, payload: []byte("\xc5")}, {payload: []byte("\xbc")}, end}},
		{"close without code", []wsFrame{{op: wsClose}}, []wsFrame{{op: wsClose, payload: []byte{}}}},
		{"close with a private code", []wsFrame{{op: wsClose, payload: closing(4999, "mine")}}, []wsFrame{{op: wsClose, payload: closing(4999, "mine")}}},
		{"close of the server", []wsFrame{text("close now"), {op: wsClose, payload: closing(1001, "away")}},
			[]wsFrame{{op: wsClose, payload: closing(1001, "away")}, {op: wsClose, payload: closing(1001, "away")}}},
		{"long ping", []wsFrame{{op: wsPing, payload: large[:126]}}, failed(1002)},
		{"fragmented ping", []wsFrame{{op: wsPing, more: true}}, failed(1002)},
		{"no mask", []wsFrame{{op: wsText, bare: true, payload: []byte("a")}}, failed(1002)},
		{"reserved bit", []wsFrame{{op: wsText, reserved: 4, payload: []byte("a")}}, failed(1002)},
		{"reserved opcode", []wsFrame{{op: 3}}, failed(1002)},
		{"reserved control opcode", []wsFrame{{op: 11}}, failed(1002)},
		{"continuation of nothing", []wsFrame{{payload: []byte("a")}}, failed(1002)},
		{"message within a message", []wsFrame{{op: wsText, more: true}, text("a")}, append([]wsFrame{{op: wsText, more: true}}, failed(1002)...)},
		{"not UTF-8", []wsFrame{text("a\xff")}, failed(1007)},
		{"half a code", []wsFrame{{op: wsClose, payload: []byte{3}}}, failed(1002)},
		{"code that is not sent", []wsFrame{{op: wsClose, payload: closing(1005, "")}}, failed(1002)},
		{"code of nobody", []wsFrame{{op: wsClose, payload: closing(999, "")}}, failed(1002)},
	}
	for _, size := range []int{125, 126, 127, 65535, 65536, 1 << 20} {
		f := wsFrame{op: wsBinary, payload: large[:size]}
		tests = append(tests, struct {
			name       string
			sent, want []wsFrame
		}{fmt.Sprint(size, " bytes"), echo(f), echo(f)})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var sent []byte
			for _, f := range test.sent {
				sent = append(sent, f.encode(true)...)
			}
			conn, reader := dialWebSocket(t, s, sent[:min(len(sent), 3)]) // a part of the first frame comes with the handshake
			go func() { _, _ = conn.Write(sent[min(len(sent), 3):]) }()   // while the answers are read
			for i, want := range test.want {
				got, err := readFrame(reader)
				if err != nil || got.op != want.op || got.more != want.more || !got.bare || !bytes.Equal(got.payload, want.payload) {
					t.Fatalf("frame %d: %v, %v, want %v", i, got, err, want)
				}
			}
			if f, err := readFrame(reader); err != io.EOF {
				t.Errorf("behind the close frame: %v, %v", f, err)
			}
		})
	}
}

// TestWebSocketFlow checks that frames do not wait for each other and that either side may end first.
func TestWebSocketFlow(t *testing.T) {
	t.Parallel()
	s, _ := webSocketSystem(t)
	conn, reader := dialWebSocket(t, s, nil)
	for i := range 20 { // each comes back before the next one leaves, sent byte by byte
		sent := wsFrame{op: wsText, payload: fmt.Append(nil, "message ", i)}
		for _, b := range sent.encode(true) {
			if _, err := conn.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := readFrame(reader); err != nil || !bytes.Equal(got.payload, sent.payload) {
			t.Fatalf("%v, %v", got, err)
		}
	}
	// A client that has ended its direction still gets what is on the way.
	var many []byte
	for range 100 {
		many = append(many, wsFrame{op: wsBinary, payload: make([]byte, 10_000)}.encode(true)...)
	}
	go func() {
		_, _ = conn.Write(many)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	for i := range 100 {
		if got, err := readFrame(reader); err != nil || len(got.payload) != 10_000 {
			t.Fatalf("frame %d: %v, %v", i, got, err)
		}
	}
	if f, err := readFrame(reader); err != io.EOF {
		t.Errorf("at the end: %v, %v", f, err)
	}
}

// TestWebSocketHandshake checks what the backend service is asked for, and that its refusal is an answer like any other.
func TestWebSocketHandshake(t *testing.T) {
	t.Parallel()
	s, heads := webSocketSystem(t)
	// Other protocols do not slip through beside: h2c would lead past all policies.
	for _, upgrade := range []string{"websocket", "WebSocket", "h2c, websocket", "websocket, TLS/1.0"} {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
		request := strings.Replace(wsHandshake, "Upgrade: websocket", "HTTP2-Settings: AAMAAABk\r\nUpgrade: "+upgrade, 1)
		request = strings.Replace(strings.Replace(request, "/ws/chat", "/ws/refuse", 1), ", Upgrade", ", Upgrade, HTTP2-Settings", 1)
		fmt.Fprint(conn, request)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != 426 || string(body) != "sorry" || response.Header.Get("Sec-WebSocket-Version") != "13" {
			t.Errorf("%s: %d %q %v, %v", upgrade, response.StatusCode, body, response.Header, err)
		}
		conn.Close()
		h := <-heads
		if got := h.Values("Upgrade"); len(got) != 1 || !strings.EqualFold(got[0], "websocket") || h.Get("Http2-Settings") != "" {
			t.Errorf("%s: the backend service was asked for %q, %v", upgrade, got, h)
		}
		if h.Get("Sec-Websocket-Key") == "" || h.Get("Sec-Websocket-Protocol") != "a, b" || h.Get("Origin") != "http://o.test" || h.Get("Connection") != "Upgrade" {
			t.Errorf("%s: handshake %v", upgrade, h)
		}
	}
}

// TestWebSocketURL connects to APIs at and below their paths: the URL of the service is the socket itself.
func TestWebSocketURL(t *testing.T) {
	t.Parallel()
	targets := make(chan string, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		targets <- r.RequestURI
		w.WriteHeader(http.StatusUpgradeRequired)
	}))
	t.Cleanup(backend.Close)
	for _, c := range [][3]string{
		{"/socket", "/ws", "/socket"}, {"/socket", "/ws/", "/socket"}, {"/socket", "/ws?a=b", "/socket?a=b"}, {"/socket", "/ws/room", "/socket/room"},
		{"/socket/", "/ws", "/socket/"}, {"", "/ws", "/"}, {"", "/ws/room", "/room"},
	} {
		s := newSystem(t, apiPart(snapshot.API{ID: "ws", Path: "ws", Type: "websocket", Protocols: []string{"ws"},
			ServiceURL: strings.Replace(backend.URL, "http", "ws", 1) + c[0]}))
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
		fmt.Fprint(conn, strings.Replace(wsHandshake, "/ws/chat", c[1], 1))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusUpgradeRequired {
			t.Fatalf("%s at %s: %v, %v", c[1], c[0], response, err)
		}
		if got := <-targets; got != c[2] {
			t.Errorf("%s at %s: the backend service was asked for %s, want %s", c[1], c[0], got, c[2])
		}
		conn.Close()
	}
}

// TestHandshakeOperation holds the policies of the operation onHandshake against handshakes at every path of its API.
func TestHandshakeOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "ws", Path: "ws", Type: "websocket", Protocols: []string{"ws"}, ServiceURL: "ws://backend.test/chat"}),
		mustPart(snapshot.KindOperation, "apis/ws/operations/onhandshake", snapshot.Operation{API: "ws", Name: snapshot.HandshakeOperation, Method: "GET", URLTemplate: "/"}),
		policyPart(t, "apis/ws/operations/onhandshake", inbound(`<return-response><set-status code="403" />
			<set-body>@(context.Operation.Id + " " + context.Request.OriginalUrl.Path)</set-body></return-response>`)),
	)
	for path, want := range map[string]string{"/ws": "403 onHandshake /ws", "/ws/": "403 onHandshake /ws/", "/ws/rooms/1?x=y": "403 onHandshake /ws/rooms/1"} {
		x := w.do("GET http://dev.gateway.localhost"+path, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "k", "Sec-WebSocket-Version", "13")
		if x.String() != want {
			t.Errorf("%s: %s, want %s", path, x, want)
		}
	}
	if len(w.backend.requests) > 0 {
		t.Error("the backend service was asked")
	}
}

// TestHandshakeSkips sends handshakes past the policies of broader scopes that WebSocket APIs do not have, also in a choose, while others hold.
func TestHandshakeSkips(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "ws", Path: "ws", Type: "websocket", Protocols: []string{"ws"}, ServiceURL: "ws://backend.test/chat"}),
		apiPart(snapshot.API{ID: "plain", Path: "plain"}), operationPart("plain", "get", "GET /"),
		policyPart(t, "", `<policies><inbound><cors><allowed-origins><origin>https://a.test</origin></allowed-origins></cors>
			<choose><when condition="@(true)"><set-method>POST</set-method><mock-response status-code="202" /></when></choose>
			<set-header name="X-Held" exists-action="override"><value>yes</value></set-header></inbound>
			<backend><forward-request /></backend><outbound><set-body>changed</set-body></outbound><on-error /></policies>`),
	)
	w.backend.answer = func(*message.Request) (*message.Response, error) { return textResponse(403, "no"), nil }
	handshake := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "k", "Origin", "https://b.test"}
	if x := w.do("GET http://dev.gateway.localhost/ws", handshake...); x.String() != "403 no" || len(w.backend.requests) != 1 {
		t.Fatalf("the handshake is answered with %s", x)
	}
	if r := w.backend.last(); r.Method != "GET" || r.Header.Get("X-Held") != "yes" {
		t.Errorf("the handshake was sent as %s %v", r.Method, r.Header)
	}
	if x := w.do("GET http://dev.gateway.localhost/plain"); x.status != 202 {
		t.Errorf("another API answers %s", x)
	}
}
