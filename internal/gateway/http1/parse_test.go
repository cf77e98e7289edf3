package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// memoryConn is a connection whose peer has sent what the reader gives.
type memoryConn struct {
	net.Conn
	io.Reader
}

func (c memoryConn) Read(p []byte) (int, error)      { return c.Reader.Read(p) }
func (c memoryConn) SetReadDeadline(time.Time) error { return nil }

// inputOf returns an input that reads from r.
func inputOf(r io.Reader) *input {
	in := &input{conn: memoryConn{Reader: r}, blocks: new(blocks)}
	in.limit.conn = in.conn
	in.hold(blockSizes[0])
	return in
}

// parsed is a request as read from bytes that arrive in some way.
type parsed struct {
	request message.Request
	framing framing
	body    string
	err     error
}

const testHeadLimit = 64 << 10

func readRequestFrom(r io.Reader) *parsed {
	p := new(parsed)
	in := inputOf(r)
	in.lenient = true
	head, err := in.head(testHeadLimit, 0)
	if err == nil {
		var size int
		size, err = parseRequest(string(head)+"GET /next HTTP/1.1\r\nHost: next\r\n\r\n", &p.request, &p.framing, false, 100)
		if err == nil && size != len(head) {
			panic(fmt.Sprintf("a head of %d bytes was read as one of %d: %q", len(head), size, head))
		}
	}
	if err != nil {
		p.err = err
		return p
	}
	body := bodyReader{in: in, trailer: &p.request.Trailer}
	p.framing.requestBody(&body)
	p.body, p.err = readBody(&body)
	return p
}

// readBody reads a body to its end in pieces of different sizes.
func readBody(body *bodyReader) (string, error) {
	var data strings.Builder
	buf := make([]byte, 5000)
	for size := 1; ; size = size*3%len(buf) + 1 {
		n, err := body.read(buf[:size])
		data.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return data.String(), nil
		}
		if err != nil {
			return data.String(), err
		}
	}
}

// TestLeastRate checks that a body that trickles in is given up.
func TestLeastRate(t *testing.T) {
	t.Parallel()
	f := func(waited time.Duration, received, rate int64, want error) {
		t.Helper()
		b := bodyReader{in: inputOf(strings.NewReader("")), minRate: rate}
		b.begin(bodyFixed, 1<<20)
		b.received, b.started = received, time.Now().Add(-waited)
		if err := b.arm(); !errors.Is(err, want) {
			t.Errorf("%d bytes in %v at %d: %v", received, waited, rate, err)
		}
	}
	f(10*time.Second, 99, 10, message.ErrTooSlow)
	f(10*time.Second, 200, 10, nil)
	f(time.Second, 0, 10, nil)
	f(time.Hour, 0, 0, nil)
}

// FuzzRequest checks requests against three things: the same bytes in other pieces, what the engine itself writes for them, and what net/http makes
// of the framing.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "POST /a?b HTTP/1.1\r\nHost: h:1\r\nContent-Length: 3\r\n\r\nabcGET",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
		"GET http://u/ HTTP/1.0\r\nConnection: close, upgrade\r\nUpgrade: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 1\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := readRequestFrom(bytes.NewReader(data))
		q := readRequestFrom(iotest.OneByteReader(bytes.NewReader(data)))
		if (p.err == nil) != (q.err == nil) || p.err == nil && (p.body != q.body || p.request.Target != q.request.Target) {
			t.Fatalf("whole: %q %v, in pieces: %q %v", p.body, p.err, q.body, q.err)
		}
		if p.err != nil {
			return
		}
		checkRewritten(t, p)
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		body, err := io.ReadAll(theirs.Body)
		if err != nil {
			return // net/http is stricter with some trailers
		}
		if string(body) != p.body || theirs.Method != p.request.Method {
			t.Errorf("net/http reads %q %q, we read %q %q", theirs.Method, body, p.request.Method, p.body)
		}
	})
}

// checkRewritten checks that the fields of a request survive writing and parsing.
func checkRewritten(t *testing.T, p *parsed) {
	h := &p.request.Header
	head, _, err := appendFields([]byte("GET / HTTP/1.0\r\n"), h, sending{mode: sendClose})
	if err != nil {
		t.Fatalf("fields cannot be written: %v", err)
	}
	var again message.Request
	var fr framing
	if _, err := parseRequest(string(head)+"\r\n", &again, &fr, false, 100); err != nil {
		t.Fatalf("written fields cannot be read: %v: %q", err, head)
	}
	i := 0
	for name, value := range h.All() {
		if kind := fieldKind(name); kind == fieldConnection || kind == fieldContentLength || kind == fieldTransferEncoding {
			continue
		}
		if i == again.Header.Len() || again.Header.At(i) != (message.Field{Name: name, Value: value}) {
			t.Fatalf("field %q: %q changed", name, value)
		}
		i++
	}
}

// FuzzResponse checks that responses are read alike in one piece and in many, and framed as net/http frames them.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.0 404 \r\n\r\nabc", "HTTP/1.1 304\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	read := func(r io.Reader) (*message.Response, string, error) {
		in, resp, fr := inputOf(r), new(message.Response), new(framing)
		head, err := in.head(testHeadLimit, 0)
		if err == nil {
			_, err = parseStatus(alias(head), resp, fr, 100)
		}
		if err != nil {
			return nil, "", err
		}
		body := bodyReader{in: in, trailer: &resp.Trailer}
		resp.ContentLength = fr.responseBody(&body, "GET", resp.Status)
		text, err := readBody(&body)
		return resp, text, err
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		resp, body, err := read(bytes.NewReader(data))
		_, other, otherErr := read(iotest.OneByteReader(bytes.NewReader(data)))
		if (err == nil) != (otherErr == nil) || err == nil && body != other {
			t.Fatalf("whole: %q %v, in pieces: %q %v", body, err, other, otherErr)
		}
		if err != nil {
			return
		}
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
		if err != nil {
			return
		}
		text, err := io.ReadAll(theirs.Body)
		if err == nil && (string(text) != body || theirs.StatusCode != resp.Status) {
			t.Errorf("net/http reads %d %q, we read %d %q", theirs.StatusCode, text, resp.Status, body)
		}
	})
}

// FuzzChunked checks chunked bodies against net/http's reader and the engine's own writer.
func FuzzChunked(f *testing.F) {
	for _, seed := range []string{"0\r\n\r\n", "5;x=\"y\"\r\nhello\r\n0\r\nA: b\r\n\r\n", "A\r\n0123456789\r\n00\r\n\r\n", "1\r\na0\r\n\r\n", "10000000000000000\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var trailer message.Header
		body := bodyReader{in: inputOf(bytes.NewReader(data)), trailer: &trailer}
		body.begin(bodyChunked, 0)
		got, err := readBody(&body)
		if err == nil {
			theirs, theirErr := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(data)))
			if theirErr == nil && string(theirs) != got {
				t.Fatalf("net/http reads %q, we read %q", theirs, got)
			}
		}
		var wire bytes.Buffer
		out := output{conn: sinkConn{Writer: &wire}, blocks: new(blocks)}
		if err := out.sendBody(message.BytesBody(data), sending{mode: sendChunked}, nobody{}); err != nil {
			t.Fatal(err)
		}
		out.drop()
		back := bodyReader{in: inputOf(&wire), trailer: new(message.Header)}
		back.begin(bodyChunked, 0)
		if again, err := readBody(&back); err != nil || again != string(data) {
			t.Fatalf("written and read: %q, %v", again, err)
		}
	})
}

// sinkConn is a connection that takes bytes.
type sinkConn struct {
	net.Conn
	io.Writer
}

func (c sinkConn) Write(p []byte) (int, error) { return c.Writer.Write(p) }

// nobody accompanies a body.
type nobody struct{}

func (nobody) progress() {}

func (nobody) appendTrailer(b []byte) []byte { return b }
