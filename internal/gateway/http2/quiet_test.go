package http2_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"

	"github.com/causeway-apim/causeway/internal/gateway/http2"
	"github.com/causeway-apim/causeway/internal/message"
)

// backendWire takes one connection of a client, whose preface it reads, and returns it with where it was dialled.
func backendWire(t *testing.T) (message.URL, <-chan *wire) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	conns := make(chan *wire, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(patience))
		var preface [len(h2.ClientPreface)]byte
		if _, err := io.ReadFull(conn, preface[:]); err == nil {
			conns <- newWire(t, conn)
		}
	}()
	to := target(t, listener.Addr().String())
	to.Path = "/"
	return to, conns
}

// next reads frames until one of a type, which it returns.
func next[F h2.Frame](w *wire) (found F) {
	w.tb.Helper()
	for {
		f, err := w.framer.ReadFrame()
		if err != nil {
			w.tb.Fatalf("waiting for a %T: %v", found, err)
		}
		if found, ok := f.(F); ok {
			return found
		}
	}
}

// TestQuietBackend leaves a request without an answer: the backend service is asked once whether it is there. gRPC's servers end connections when they
// are pinged more often than every five minutes.
func TestQuietBackend(t *testing.T) {
	t.Parallel()
	to, conns := backendWire(t)
	client := &http2.Client{KeepAlive: 50 * time.Millisecond}
	t.Cleanup(func() { _ = client.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := client.RoundTrip(ctx, &message.Request{Method: "GET", URL: to}, message.TransportOptions{})
		ended <- err
	}()
	w := <-conns
	next[*h2.HeadersFrame](w)
	ping := next[*h2.PingFrame](w)
	_ = w.framer.WritePing(true, ping.Data) // too late on a machine that is slow: then there is no other ping either
	_ = w.conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	for {
		f, err := w.framer.ReadFrame()
		if err != nil {
			break
		}
		if _, again := f.(*h2.PingFrame); again {
			t.Fatal("another ping")
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("an answer that nobody gave")
	}
}

// TestDeadBackend leaves a request and a ping without an answer.
func TestDeadBackend(t *testing.T) {
	t.Parallel()
	to, conns := backendWire(t)
	client := &http2.Client{KeepAlive: 50 * time.Millisecond}
	t.Cleanup(func() { _ = client.Close() })
	_, err := client.RoundTrip(t.Context(), &message.Request{Method: "GET", URL: to}, message.TransportOptions{})
	<-conns
	var failure *message.BackendError
	if !errors.As(err, &failure) || failure.Kind != message.BackendTimeout {
		t.Errorf("error %v", err)
	}
}

// TestStalledBackend has a backend service take nothing of a request's body: it is told that the stream is over, so that it and the connection are free
// for others.
func TestStalledBackend(t *testing.T) {
	t.Parallel()
	to, conns := backendWire(t)
	client := &http2.Client{WriteTimeout: time.Second}
	t.Cleanup(func() { _ = client.Close() })
	ended := make(chan error, 1)
	go func() {
		body := message.BytesBody(make([]byte, 1<<20))
		_, err := client.RoundTrip(t.Context(), &message.Request{Method: "POST", URL: to, Body: body, ContentLength: 1 << 20}, message.TransportOptions{})
		ended <- err
	}()
	w := <-conns
	if reset := next[*h2.RSTStreamFrame](w); reset.ErrCode != h2.ErrCodeCancel {
		t.Errorf("reset with %v", reset.ErrCode)
	}
	var failure *message.BackendError
	if err := <-ended; !errors.As(err, &failure) || failure.Kind != message.BackendTimeout {
		t.Errorf("error %v", err)
	}
}

// TestEarlyAnswers answers 200 requests before their bodies have come, more than once. What is on its way for them then must not count as an attack.
func TestEarlyAnswers(t *testing.T) {
	t.Parallel()
	const most, rounds, parts = 250, 2, 8
	address := startServer(t, &http2.Server{Handler: message.HandlerFunc(func(x message.Exchange) { _ = x.Respond(&message.Response{Status: 401}) })})
	w := dialWire(t, address)
	for round := range rounds {
		first := uint32(round*2*most + 1)
		for i := range uint32(most) {
			w.request(first+2*i, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
		}
		for over := 0; over < most; {
			f, err := w.framer.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			switch f := f.(type) {
			case *h2.RSTStreamFrame:
				if over++; f.ErrCode != h2.ErrCodeNo {
					t.Fatal(f)
				}
			case *h2.GoAwayFrame:
				t.Fatal(f)
			}
		}
		for range parts {
			for i := range uint32(most) {
				if err := w.framer.WriteData(first+2*i, false, make([]byte, 100)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := w.framer.WritePing(false, [8]byte{1}); err != nil {
		t.Fatal(err)
	}
	for {
		f, err := w.framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *h2.RSTStreamFrame, *h2.GoAwayFrame:
			t.Fatal(f)
		case *h2.PingFrame:
			if f.IsAck() {
				return
			}
		}
	}
}
