package http1_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestMemoryBodies sends bodies that are in memory, which leave with the head without being copied, in sizes around those of buffers and of what sockets
// take at once.
func TestMemoryBodies(t *testing.T) {
	t.Parallel()
	content := make([]byte, 5<<20)
	for i := range content {
		content[i] = byte(i / 251)
	}
	server := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		var size int
		if _, err := fmt.Sscanf(x.Request().URL.Path, "/%d", &size); err != nil {
			t.Error(err)
		}
		_ = x.Respond(&message.Response{Status: 200, Body: message.BytesBody(content[:size]), ContentLength: int64(size)})
	})}
	cert, pool := certificate(t)
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := target(t, startServer(t, server))
	go func() {
		_ = server.Serve(tls.NewListener(http1.Direct(secure), &tls.Config{Certificates: []tls.Certificate{cert}}))
	}()
	encrypted := target(t, secure.Addr().String())
	encrypted.Scheme = "https"
	client := &http1.Client{}
	t.Cleanup(func() { _ = client.Close() })
	options := message.TransportOptions{TLS: &tls.Config{RootCAs: pool, ServerName: "example.test"}}
	for _, to := range []message.URL{plain, encrypted} {
		for _, size := range []int{0, 1, 3 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 257 << 10, len(content)} {
			to.Path = fmt.Sprintf("/%d", size)
			resp, err := client.RoundTrip(t.Context(), &message.Request{Method: "GET", URL: to}, options)
			if err != nil {
				t.Fatal(err)
			}
			body, err := message.ReadAll(resp.Body, 1<<30, -1)
			if err != nil || !bytes.Equal(body, content[:size]) {
				t.Errorf("%s, %d bytes: got %d, %v", to.Scheme, size, len(body), err)
			}
			resp.Release()
		}
	}
}
