package http3_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/quic-go/quic-go"

	"github.com/causeway-apim/causeway/internal/gateway/http3"
	"github.com/causeway-apim/causeway/internal/message"
)

// awaitRefusal waits until new connections are refused, and not left without a word.
func awaitRefusal(t *testing.T, address string) {
	t.Helper()
	for {
		conn, err := quic.DialAddr(within(t), address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
		if err == nil { // the server does not drain yet
			_ = conn.CloseWithError(0, "")
			continue
		}
		if refused := new(quic.TransportError); !errors.As(err, &refused) || refused.ErrorCode != quic.ConnectionRefused {
			t.Errorf("a new connection ended with %v", err)
		}
		return
	}
}

// TestShutdown checks that a request in flight ends well while no new one is taken.
func TestShutdown(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	server := &http3.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		close(started)
		<-release
		_ = x.Respond(&message.Response{Status: 200, Body: message.BytesBody(make([]byte, 100_000)), ContentLength: 100_000})
	})}
	c, address := client(t), start(t, server)
	answered := make(chan string, 1)
	go func() {
		response, err := c.Get("https://" + address + "/")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		data, err := io.ReadAll(response.Body)
		answered <- fmt.Sprint(response.StatusCode, len(data), err)
	}()
	receive(t, started, "request")
	over := make(chan error, 1)
	go func() { over <- server.Shutdown(within(t)) }()
	awaitRefusal(t, address)
	close(release)
	if got := receive(t, answered, "answer"); got != "200 100000 <nil>" {
		t.Errorf("request in flight: %s", got)
	}
	if err := receive(t, over, "end"); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}
