package http2_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
)

// patience bounds every wait; it passes only when a test fails.
const patience = 20 * time.Second

// wire is a client that sends whatever frames a test wants.
type wire struct {
	tb      testing.TB
	conn    net.Conn
	framer  *h2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
	decoder *hpack.Decoder
}

// dialWire connects and exchanges settings.
func dialWire(tb testing.TB, address string) *wire {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, h2.ClientPreface); err != nil {
		tb.Fatal(err)
	}
	return newWire(tb, conn)
}

// newWire sends settings on a connection.
func newWire(tb testing.TB, conn net.Conn) *wire {
	w := &wire{tb: tb, conn: conn, framer: h2.NewFramer(conn, conn), decoder: hpack.NewDecoder(4096, nil)}
	w.encoder = hpack.NewEncoder(&w.block)
	w.framer.AllowIllegalWrites = true
	if err := w.framer.WriteSettings(); err != nil {
		tb.Error(err)
	}
	return w
}

// fields encodes names and values in turn.
func (w *wire) fields(namesAndValues ...string) []byte {
	w.block.Reset()
	for i := 0; i < len(namesAndValues); i += 2 {
		_ = w.encoder.WriteField(hpack.HeaderField{Name: namesAndValues[i], Value: namesAndValues[i+1]})
	}
	return w.block.Bytes()
}

// request opens a stream.
func (w *wire) request(id uint32, end bool, namesAndValues ...string) {
	w.tb.Helper()
	err := w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: w.fields(namesAndValues...), EndHeaders: true, EndStream: end})
	if err != nil {
		w.tb.Fatal(err)
	}
}

// outcome reads frames until one says what became of the stream: its status, the code of its reset, or that of GOAWAY.
func (w *wire) outcome(id uint32) string {
	w.tb.Helper()
	for {
		f, err := w.framer.ReadFrame()
		if err != nil {
			w.tb.Fatalf("stream %d: %v", id, err)
		}
		switch f := f.(type) {
		case *h2.HeadersFrame:
			list, err := w.decoder.DecodeFull(f.HeaderBlockFragment())
			if err != nil {
				w.tb.Fatal(err)
			}
			if f.StreamID == id {
				return list[0].Value
			}
		case *h2.RSTStreamFrame:
			if f.StreamID == id {
				return "reset " + f.ErrCode.String()
			}
		case *h2.GoAwayFrame:
			return "away " + f.ErrCode.String()
		}
	}
}

// echoTarget answers with what the request would be behind the gateway.
func echoTarget(x message.Exchange) {
	if b := x.Request().Body; b != nil {
		if _, err := message.ReadAll(b, 1<<20, -1); err != nil {
			return
		}
	}
	_ = x.Respond(&message.Response{Status: 200})
}

// TestMalformedRequests sends what would mean something else behind a gateway that speaks HTTP/1.1 to its backend services.
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	address := startServer(t, &http2.Server{Handler: message.HandlerFunc(echoTarget)})
	usual := []string{":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/"}
	with := func(more ...string) []string { return append(usual[:len(usual):len(usual)], more...) }
	path := func(p string) []string {
		return []string{":method", "POST", ":scheme", "http", ":authority", "h", ":path", p}
	}
	const malformed = "reset PROTOCOL_ERROR"
	for _, c := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"usual", usual, "200"},
		{"te trailers", with("te", "trailers"), "200"},
		{"same host", with("host", "h"), "200"},
		{"asterisk", []string{":method", "OPTIONS", ":scheme", "http", ":authority", "h", ":path", "*"}, "200"},
		{"line feed in value", with("a", "b\nc: d"), malformed},
		{"carriage return in value", with("a", "b\rc"), malformed},
		{"nul in value", with("a", "b\x00"), malformed},
		{"space around value", with("a", " b"), malformed},
		{"line end in name", with("a\r\nb", "c"), malformed},
		{"colon in name", with("a:b", "c"), malformed},
		{"capital in name", with("A", "b"), malformed},
		{"empty name", with("", "b"), malformed},
		{"line end in path", path("/ HTTP/1.1\r\nA: b"), malformed},
		{"space in path", path("/a b"), malformed},
		{"fragment in path", path("/a#b"), malformed},
		{"absolute path", path("http://other/"), malformed},
		{"empty path", path(""), malformed},
		{"asterisk for POST", path("*"), malformed},
		{"transfer-encoding", with("transfer-encoding", "chunked"), malformed},
		{"connection", with("connection", "close"), malformed},
		{"upgrade", with("upgrade", "h2c"), malformed},
		{"te", with("te", "gzip"), malformed},
		{"lengths", with("content-length", "0", "content-length", "0"), malformed},
		{"list of lengths", with("content-length", "0, 0"), malformed},
		{"signed length", with("content-length", "+0"), malformed},
		{"length without body", with("content-length", "5"), malformed},
		{"other host", with("host", "other"), malformed},
		{"user in authority", []string{":method", "GET", ":scheme", "http", ":authority", "u@h", ":path", "/"}, malformed},
		{"no authority", []string{":method", "GET", ":scheme", "http", ":path", "/"}, malformed},
		{"space in method", []string{":method", "GET /x", ":scheme", "http", ":authority", "h", ":path", "/"}, malformed},
		{"other scheme", []string{":method", "GET", ":scheme", "ftp", ":authority", "h", ":path", "/"}, malformed},
		{"extended CONNECT", with(":protocol", "websocket"), malformed},
		{"WebSocket of RFC 8441", []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "h", ":path", "/"}, malformed},
		{"CONNECT", []string{":method", "CONNECT", ":authority", "h:1"}, "405"},
		{"keep-alive", with("keep-alive", "timeout=5"), malformed},
		{"proxy-connection", with("proxy-connection", "keep-alive"), malformed},
		{"http2-settings", with("http2-settings", "AAMAAABk"), malformed},
		{"te with more", with("te", "trailers, chunked"), malformed},
		{"tab before value", with("a", "\tb"), malformed},
		{"space behind value", with("content-length", "0 "), malformed},
		{"space in name", with("transfer-encoding ", "chunked"), malformed},
		{"space before name", with(" transfer-encoding", "chunked"), malformed},
		{"nul in name", with("a\x00", "b"), malformed},
		{"bytes above 127 in name", with("\xe9", "b"), malformed},
		{"delete in value", with("a", "b\x7f"), malformed},
		{"line end in cookie", with("cookie", "a=b\r\nX: y"), malformed},
		{"line end in host", with("host", "h\r\nX: y"), malformed},
		{"line end in method", []string{":method", "GET / HTTP/1.1\r\nA: b\r\n\r\nGET", ":scheme", "http", ":authority", "h", ":path", "/"}, malformed},
		{"line end in scheme", []string{":method", "GET", ":scheme", "http://x/ HTTP/1.1\r\nA: b", ":authority", "h", ":path", "/"}, malformed},
		{"line end in authority", []string{":method", "GET", ":scheme", "http", ":authority", "h\r\nA: b", ":path", "/"}, malformed},
		{"path in authority", []string{":method", "GET", ":scheme", "http", ":authority", "h/x", ":path", "/"}, malformed},
		{"bad port in authority", []string{":method", "GET", ":scheme", "http", ":authority", "h:99999", ":path", "/"}, malformed},
		{"nul in path", path("/a\x00b"), malformed},
		{"tab in path", path("/a\tb"), malformed},
		{"path of another host", path("@other/"), malformed},
		{"backslash for a slash", path("\\a"), malformed},
		{"two methods", with(":method", "GET"), malformed},
		{"two paths", append([]string{":path", "/x"}, usual...), malformed},
		{"two authorities", append([]string{":authority", "x"}, usual...), malformed},
		{"pseudo-field behind others", []string{":method", "GET", ":scheme", "http", ":authority", "h", "a", "b", ":path", "/"}, malformed},
		{"unknown pseudo-field", append([]string{":other", "x"}, usual...), malformed},
		{"pseudo-field of answers", append([]string{":status", "200"}, usual...), malformed},
		{"no method", []string{":scheme", "http", ":authority", "h", ":path", "/"}, malformed},
		{"no path", []string{":method", "GET", ":scheme", "http", ":authority", "h"}, malformed},
		{"no scheme", []string{":method", "GET", ":authority", "h", ":path", "/"}, malformed},
		{"hexadecimal length", with("content-length", "0x0"), malformed},
		{"negative length", with("content-length", "-0"), malformed},
		{"overflowing length", with("content-length", "18446744073709551616"), malformed},
		{"many fields", func() []string {
			list := usual[:len(usual):len(usual)]
			for range 200 {
				list = append(list, "a", "b")
			}
			return list
		}(), "431"},
		{"expectation", with("expect", "money"), "417"},
		{"long path", path("/" + strings.Repeat("a", 9000)), "414"},
		{"large head", with("a", strings.Repeat("b", 60000), "c", strings.Repeat("d", 8000)), "431"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := dialWire(t, address)
			block := bytes.Clone(w.fields(c.fields...))
			first := block[:min(len(block), 16<<10)]
			rest := block[len(first):]
			if err := w.framer.WriteHeaders(h2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndHeaders: len(rest) == 0, EndStream: true}); err != nil {
				t.Fatal(err)
			}
			for len(rest) > 0 {
				part := rest[:min(len(rest), 16<<10)]
				rest = rest[len(part):]
				if err := w.framer.WriteContinuation(1, len(rest) == 0, part); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.outcome(1); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			// The connection and its compression live on.
			w.request(3, true, ":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/")
			if got := w.outcome(3); got != "200" {
				t.Errorf("next request: %s", got)
			}
		})
	}
}

// TestBodyLength sends bodies that are not as long as announced.
func TestBodyLength(t *testing.T) {
	t.Parallel()
	address := startServer(t, &http2.Server{Handler: message.HandlerFunc(echoTarget)})
	for _, body := range []string{"abc", "abcdefg"} {
		w := dialWire(t, address)
		w.request(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/", "content-length", "5")
		if err := w.framer.WriteData(1, true, []byte(body)); err != nil {
			t.Fatal(err)
		}
		if got := w.outcome(1); got != "reset PROTOCOL_ERROR" {
			t.Errorf("%d bytes of 5: %s", len(body), got)
		}
	}
}

// TestDrain shuts a server down while a request is in flight.
func TestDrain(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	server := &http2.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		close(started)
		<-release
		_ = x.Respond(&message.Response{Status: 200})
	})}
	w := dialWire(t, startServer(t, server))
	w.request(1, true, ":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/")
	<-started
	over := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		over <- server.Shutdown(ctx)
	}()
	var last []uint32
	for len(last) < 2 {
		f, err := w.framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *h2.GoAwayFrame:
			last = append(last, f.LastStreamID)
		case *h2.PingFrame:
			if err := w.framer.WritePing(true, f.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if last[0] != 1<<31-1 || last[1] != 1 {
		t.Errorf("GOAWAY frames with last streams %v", last)
	}
	close(release)
	if got := w.outcome(1); got != "200" {
		t.Errorf("request in flight: %s", got)
	}
	_ = w.conn.Close()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// FuzzServer gives the server frames that nobody would send. It must neither panic nor hang.
func FuzzServer(f *testing.F) {
	var seed bytes.Buffer
	framer := h2.NewFramer(&seed, nil)
	_ = framer.WriteSettings()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":authority", "h"}, {":path", "/"}, {"content-length", "5"}} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	_ = framer.WriteHeaders(h2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
	_ = framer.WriteData(1, true, []byte("hello"))
	_ = framer.WritePing(false, [8]byte{1})
	_ = framer.WriteWindowUpdate(0, 10)
	_ = framer.WriteRSTStream(1, h2.ErrCodeCancel)
	_ = framer.WriteGoAway(0, h2.ErrCodeNo, nil)
	f.Add(seed.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, frames []byte) {
		server := &http2.Server{Handler: message.HandlerFunc(echoTarget), Hooks: http2.Hooks{
			Panicked: func(value any, stack []byte) { t.Errorf("panic: %v\n%s", value, stack) },
		}}
		client, conn := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			server.ServeConn(conn, nil, []byte(h2.ClientPreface[:18]))
		}()
		_ = client.SetWriteDeadline(time.Now().Add(patience))
		_, _ = client.Write(append([]byte(h2.ClientPreface[18:]), frames...))
		_ = client.Close()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("the connection does not end")
		}
	})
}
