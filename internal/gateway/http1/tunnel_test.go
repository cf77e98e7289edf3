package http1_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestTunnel sends much and little through an upgraded connection, both ways at once, to and from a backend service that speaks first and last.
func TestTunnel(t *testing.T) {
	t.Parallel()
	const hello, bye = "hello", "bye"
	origin := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		readRequest(r)
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"+hello)
		_, _ = io.Copy(conn, r)
		say(conn, bye)
	})
	results := make(chan message.Result, 1)
	onward := &proxy{origin, newClient(t)}
	server := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { results <- r })
		onward.Serve(x)
	})}
	cert, pool := certificate(t)
	plain := startServer(t, server)
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = server.Serve(tls.NewListener(http1.Direct(secure), &tls.Config{Certificates: []tls.Certificate{cert}}))
	}()
	for name, dial := range map[string]func() (net.Conn, error){
		"TCP": func() (net.Conn, error) { return net.Dial("tcp", plain) },
		"TLS": func() (net.Conn, error) {
			return tls.Dial("tcp", secure.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "example.test"})
		},
	} {
		conn, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		const early = "what could not wait"
		say(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"+early)
		reader := bufio.NewReader(conn)
		head := readRequest(reader)
		if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
			t.Fatalf("%s: head %q", name, head)
		}
		if got := take(t, reader, len(hello+early)); string(got) != hello+early {
			t.Fatalf("%s: first %q", name, got)
		}
		total := len(early)
		for _, size := range []int{1, 4 << 10, 4<<10 + 1, 2 << 20, 64, 64 << 10, 1} {
			data := noise(size)
			go func() { _, _ = conn.Write(data) }()
			if got := take(t, reader, size); !bytes.Equal(got, data) {
				t.Fatalf("%s: other %d bytes", name, size)
			}
			total += size
		}
		if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if last, err := io.ReadAll(reader); string(last) != bye || err != nil {
			t.Errorf("%s: last %q, %v", name, last, err)
		}
		r := receiveResult(t, results)
		if r.Err != nil || r.BytesIn < int64(total) || r.BytesOut != int64(len(head)+len(hello)+total+len(bye)) {
			t.Errorf("%s: result %+v after %d bytes", name, r, total)
		}
	}
}

// take reads so many bytes, a few at a time.
func take(t *testing.T, r io.Reader, size int) []byte {
	t.Helper()
	data, err := io.ReadAll(sipping{io.LimitReader(r, int64(size))})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTunnelEnds has one side of an upgraded connection fail: the other one ends too.
func TestTunnelEnds(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	origin := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		defer close(ended)
		readRequest(r)
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: flood\r\n\r\n")
		for err := error(nil); err == nil; {
			_, err = conn.Write(make([]byte, 1<<20))
		}
	})
	results := make(chan message.Result, 1)
	onward := &proxy{origin, newClient(t)}
	conn, reader := connect(t, startServer(t, &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { results <- r })
		onward.Serve(x)
	})}))
	say(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: flood\r\n\r\n")
	readRequest(reader)
	take(t, reader, 3<<20)
	_ = conn.Close() // with bytes unread: a reset
	if r := receiveResult(t, results); r.BytesOut < 3<<20 {
		t.Errorf("result %+v", r)
	}
	<-ended
}

// TestTunnelHalfEnded has the client end its side of an upgraded connection, and the backend service take no notice.
func TestTunnelHalfEnded(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	origin := rawBackend(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		readRequest(r)
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: rest\r\n\r\n")
		_, err := io.Copy(io.Discard, r)
		for err == nil {
			_, err = conn.Write([]byte("still here"))
		}
		ended <- err
	})
	results := make(chan message.Result, 1)
	onward := &proxy{origin, newClient(t)}
	conn, reader := connect(t, startServer(t, &http1.Server{
		Limits: http1.Limits{TunnelTimeout: 50 * time.Millisecond},
		Handler: message.HandlerFunc(func(x message.Exchange) {
			x.OnFinish(func(r message.Result) { results <- r })
			onward.Serve(x)
		}),
	}))
	say(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: rest\r\n\r\n")
	readRequest(reader)
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, reader)
	receiveResult(t, results)
	<-ended
}

// noise is data in which a byte that is missing or in the wrong place shows.
func noise(size int) []byte {
	data := make([]byte, size)
	random := rand.New(rand.NewPCG(1, uint64(size)))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// sipping reads a little at a time.
type sipping struct{ r io.Reader }

func (s sipping) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 1777)]) }

func receiveResult(t *testing.T, results <-chan message.Result) message.Result {
	t.Helper()
	select {
	case r := <-results:
		return r
	case <-time.After(time.Minute):
		t.Fatal("the exchange does not end")
		return message.Result{}
	}
}
