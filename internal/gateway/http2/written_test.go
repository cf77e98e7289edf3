package http2_test

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
)

// lateConn delivers what is written, and returns from a write only when it may.
type lateConn struct {
	net.Conn
	late   atomic.Bool
	permit chan struct{}
}

func (c *lateConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if c.late.Load() {
		<-c.permit
	}
	return n, err
}

// TestClientLeavesWithItsAnswer has the goroutine of one request write the answer of another, and the client leave before that goroutine is back: whoever
// has got all of an answer did not leave early.
func TestClientLeavesWithItsAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var results []error
		server := &http2.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
			x.OnFinish(func(r message.Result) {
				mu.Lock()
				defer mu.Unlock()
				results = append(results, r.Err)
			})
			_ = x.Respond(&message.Response{Status: 200, Body: message.StringBody("all"), ContentLength: 3})
		})}
		client, end := net.Pipe()
		conn := &lateConn{Conn: end, permit: make(chan struct{})}
		go server.ServeConn(conn, nil, nil)
		if _, err := client.Write([]byte(h2.ClientPreface)); err != nil {
			t.Fatal(err)
		}
		frames := make(chan h2.FrameHeader, 32) // which are read as they come: pipes have no room
		w := newWire(t, client)
		go func() {
			for {
				f, err := w.framer.ReadFrame()
				if err != nil {
					close(frames)
					return
				}
				frames <- f.Header()
			}
		}()
		get := []string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", "/"}
		synctest.Wait()
		conn.late.Store(true)
		w.request(1, true, get...)
		synctest.Wait() // its answer is there, its goroutine is not back
		w.request(3, true, get...)
		synctest.Wait() // the answer waits for that goroutine
		conn.permit <- struct{}{}
		synctest.Wait() // which has sent it
		_ = client.Close()
		synctest.Wait() // the server knows
		conn.permit <- struct{}{}
		synctest.Wait()
		var ended []uint32
		for f := range frames {
			if f.Type == h2.FrameData && f.Flags.Has(h2.FlagDataEndStream) {
				ended = append(ended, f.StreamID)
			}
		}
		if !slices.Equal(ended, []uint32{1, 3}) || !slices.Equal(results, []error{nil, nil}) {
			t.Errorf("the client got the answers of %v, the server says %v", ended, results)
		}
		_ = server.Close()
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
