package http2_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/message/messagetest"
)

// startServer serves HTTP/2 in the clear on a loopback listener until the test ends and returns its address.
func startServer(tb testing.TB, s *http2.Server) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go s.ServeConn(c, nil, nil)
		}
	}()
	tb.Cleanup(func() {
		_ = listener.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = s.Close()
		if err := s.Shutdown(ctx); err != nil {
			tb.Errorf("connections have not ended: %v", err)
		}
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

// newClient returns a client that is closed when the test ends.
func newClient(tb testing.TB) *http2.Client {
	c := &http2.Client{}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, messagetest.Engine{
		Serve: func(t *testing.T, h message.Handler) message.URL {
			return target(t, startServer(t, &http2.Server{Handler: h}))
		},
		Transport:  func(t *testing.T) message.Transport { return newClient(t) },
		LowerNames: true,
	})
}
