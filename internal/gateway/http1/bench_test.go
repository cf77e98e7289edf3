package http1_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// startServer serves h on a loopback listener until the test ends and returns its address.
func startServer(tb testing.TB, s *http1.Server) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Serve(listener); err != http1.ErrServerClosed {
			tb.Errorf("serve: %v", err)
		}
	}()
	tb.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return listener.Addr().String()
}

// target returns the URL of an address.
func target(tb testing.TB, address string) message.URL {
	tb.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		tb.Fatal(err)
	}
	return message.URL{Scheme: "http", Host: host, Port: n}
}

// proxy passes everything on to one backend service, as a gateway without policies does.
type proxy struct {
	backend message.URL
	client  message.Transport
}

func (p *proxy) Serve(x message.Exchange) {
	r := x.Request()
	r.URL.Scheme, r.URL.Host, r.URL.Port = p.backend.Scheme, p.backend.Host, p.backend.Port
	response, err := p.client.RoundTrip(x.Context(), r, message.TransportOptions{HeaderTimeout: time.Minute, IdleTimeout: time.Minute})
	if err != nil {
		_ = x.Respond(&message.Response{Status: 502})
		return
	}
	_ = x.Respond(response)
}

// backend starts a server that answers every request without a body with size bytes, and costs as little as possible.
func backend(tb testing.TB, size int) message.URL {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nX-Backend: yes\r\nContent-Length: "+
		strconv.Itoa(size)+"\r\n\r\n"), make([]byte, size)...)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for {
					line, err := reader.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) > 2 {
						continue
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	tb.Cleanup(func() { _ = listener.Close() })
	return target(tb, listener.Addr().String())
}

// driver sends one plain request after the other on one connection without allocating.
type driver struct {
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
	size    int
}

func newDriver(tb testing.TB, address string, size int) *driver {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &driver{
		conn: conn, reader: bufio.NewReaderSize(conn, 64<<10), size: size,
		request: []byte("GET /pets/7?verbose=true HTTP/1.1\r\nHost: gateway.example\r\nUser-Agent: driver/1.0\r\n" +
			"Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nOcp-Apim-Subscription-Key: 0123456789abcdef\r\n\r\n"),
	}
}

// get sends one request and reads its answer.
func (d *driver) get(tb testing.TB) {
	if _, err := d.conn.Write(d.request); err != nil {
		tb.Fatal(err)
	}
	for first := true; ; first = false {
		line, err := d.reader.ReadSlice('\n')
		if err != nil {
			tb.Fatal(err)
		}
		if first && string(line[:12]) != "HTTP/1.1 200" {
			tb.Fatalf("answer %q", line)
		}
		if len(line) == 2 {
			break
		}
	}
	if _, err := d.reader.Discard(d.size); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkProxy compares the engine with net/http's reverse proxy in front of the same backend service: compare ns/op of the same size.
func BenchmarkProxy(b *testing.B) {
	for _, size := range []int{512, 16 << 10, 1 << 20} {
		b.Run("engine=http1/size="+strconv.Itoa(size), func(b *testing.B) {
			address := startServer(b, &http1.Server{Handler: &proxy{backend(b, size), newClient(b)}})
			benchmark(b, address, size)
		})
		b.Run("engine=net_http/size="+strconv.Itoa(size), func(b *testing.B) {
			benchmark(b, startNetHTTP(b, backend(b, size)), size)
		})
	}
}

// BenchmarkRatio sends requests to both engines in turn and prints how many times as long net/http's reverse proxy takes.
func BenchmarkRatio(b *testing.B) {
	for _, size := range []int{512, 16 << 10, 1 << 20} {
		b.Run("size="+strconv.Itoa(size), func(b *testing.B) {
			to := backend(b, size)
			ours := newDriver(b, startServer(b, &http1.Server{Handler: &proxy{to, newClient(b)}}), size)
			theirs := newDriver(b, startNetHTTP(b, to), size)
			var spent [2]time.Duration
			for b.Loop() {
				for i, d := range []*driver{ours, theirs} {
					start := time.Now()
					d.get(b)
					spent[i] += time.Since(start)
				}
			}
			b.ReportMetric(float64(spent[1])/float64(spent[0]), "times-faster")
		})
	}
}

func benchmark(b *testing.B, address string, size int) {
	d := newDriver(b, address, size)
	d.get(b)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		d.get(b)
	}
}

func newClient(tb testing.TB) *http1.Client {
	client := &http1.Client{}
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// startNetHTTP starts net/http's reverse proxy in front of a backend service.
func startNetHTTP(tb testing.TB, to message.URL) string {
	tb.Helper()
	u, err := url.Parse(to.String())
	if err != nil {
		tb.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	server := &http.Server{Handler: &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(u) },
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	tb.Cleanup(func() {
		_ = server.Shutdown(context.Background())
		transport.CloseIdleConnections()
	})
	return listener.Addr().String()
}
