package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// fastBackend answers every request without a body with the same bytes.
func fastBackend(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { listener.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Backend: yes\r\nContent-Length: 13\r\n\r\n{\"ok\": true}\n")
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for reader := bufio.NewReader(conn); ; {
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
	return "http://" + listener.Addr().String()
}

// drive sends n requests over some connections and returns the wall and the CPU
// time that they took.
func drive(b *testing.B, address, path string, n int) (wall, cpu time.Duration) {
	b.Helper()
	const connections = 8
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: api.test\r\nUser-Agent: bench\r\nAccept: */*\r\nOcp-Apim-Subscription-Key: key\r\n\r\n")
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	start, before := time.Now(), cpuTime()
	for range connections {
		all.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			for reader := bufio.NewReader(conn); left.Add(-1) >= 0; {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				for {
					line, err := reader.ReadSlice('\n')
					if err != nil {
						b.Error(err)
						return
					}
					if len(line) <= 2 {
						break
					}
				}
				if _, err := io.CopyN(io.Discard, reader, 13); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(start), cpuTime() - before
}

// cpuTime is the processor time of the process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for the process itself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAgainstReverseProxy sends the same requests through the gateway, with
// a subscription key, matching and policies, and through net/http's reverse
// proxy, which has none of it. Clients and backend service, the same for both,
// are part of the times.
func BenchmarkAgainstReverseProxy(b *testing.B) {
	target := fastBackend(b)
	s := newSystem(b, apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: target, SubscriptionRequired: true}),
		operationPart("a", "get", "GET /items/{id}"), subscriptionPart("s", "apis/a", "key", nil))
	u, err := url.Parse(target)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(u))
	b.Cleanup(proxy.Close)
	drive(b, s.address, "/a/items/1", 100)
	drive(b, proxy.Listener.Addr().String(), "/items/1", 100)
	b.ResetTimer()
	wall, cpu := drive(b, s.address, "/a/items/1", b.N)
	b.StopTimer()
	proxyWall, proxyCPU := drive(b, proxy.Listener.Addr().String(), "/items/1", b.N)
	b.ReportMetric(float64(proxyWall)/float64(wall), "x-faster")
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(proxyCPU)/float64(cpu), "x-less-cpu")
}
