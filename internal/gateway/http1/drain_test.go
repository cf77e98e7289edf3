package http1_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestDrain checks that connections may bring one more request while the server drains, also one that has brought none yet.
func TestDrain(t *testing.T) {
	t.Parallel()
	server := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) { _ = x.Respond(text(200, "done")) })}
	address := startServer(t, server)
	used, usedReader := connect(t, address)
	say(used, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	_ = readRequest(usedReader)
	_, _ = usedReader.Discard(4)
	fresh, freshReader := connect(t, address)
	ended := make(chan error, 1)
	go func() { ended <- server.Drain(t.Context(), time.Hour) }()
	for deadline := time.Now().Add(time.Minute); ; { // the listener ends first
		late, _ := connectIf(address)
		if late == nil {
			break
		}
		_ = late.Close()
		if time.Now().After(deadline) {
			t.Fatal("the listener is still open")
		}
	}
	for name, c := range map[string]struct {
		w net.Conn
		r io.Reader
	}{"used": {used, usedReader}, "fresh": {fresh, freshReader}} {
		say(c.w, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		answer, err := io.ReadAll(c.r)
		if err != nil || !strings.Contains(string(answer), "\r\nConnection: close\r\n") || !strings.HasSuffix(string(answer), "done") {
			t.Errorf("%s: answer %q, %v", name, answer, err)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("drain: %v", err)
	}
}

// TestDrainEnds checks that connections that bring nothing are closed in the end.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	server := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) { _ = x.Respond(text(200, "done")) })}
	_, idle := connect(t, startServer(t, server))
	if err := server.Drain(t.Context(), 50*time.Millisecond); err != nil {
		t.Errorf("drain: %v", err)
	}
	if _, err := idle.ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
}

// TestConnectionLimits checks that connections beyond a limit are closed, and that the place of one that ends is free.
func TestConnectionLimits(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]http1.Limits{"all": {Conns: 2}, "address": {ConnsPerAddress: 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused := make(chan message.Refused, 100)
			address := startServer(t, &http1.Server{
				Limits: limits, Hooks: http1.Hooks{Refused: func(r message.Refused) { refused <- r }},
				Handler: message.HandlerFunc(func(x message.Exchange) { _ = x.Respond(text(200, "done")) }),
			})
			first, firstReader := connect(t, address)
			second, secondReader := connect(t, address)
			ask := func(w net.Conn, r io.Reader) error {
				say(w, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				buf := make([]byte, 1<<10)
				n, err := r.Read(buf)
				if err == nil && !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 200") {
					err = errors.New(string(buf[:n]))
				}
				return err
			}
			if err := errors.Join(ask(first, firstReader), ask(second, secondReader)); err != nil {
				t.Fatal(err)
			}
			third, thirdReader := connect(t, address)
			if err := ask(third, thirdReader); err == nil {
				t.Error("a third connection was served")
			}
			if r := <-refused; !errors.Is(r.Err, message.ErrTooManyConns) || r.Status != 0 || !r.Remote.IsValid() {
				t.Errorf("refused: %+v", r)
			}
			_ = first.Close()
			for deadline := time.Now().Add(time.Minute); ; { // the server notices when it reads
				next, nextReader := connect(t, address)
				if ask(next, nextReader) == nil {
					return
				}
				if time.Now().After(deadline) {
					t.Fatal("the place of a closed connection is not free")
				}
			}
		})
	}
}
