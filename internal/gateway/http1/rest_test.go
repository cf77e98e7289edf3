package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// pipes is a listener whose connections are no sockets.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

// TestRest checks that a connection that can only wait in a goroutine gives the rest back, takes requests, rests again and ends when the server does.
func TestRest(t *testing.T) {
	t.Parallel()
	server := &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) { _ = x.Respond(text(200, "done")) })}
	accepted := make(pipes)
	conn, theirs := net.Pipe()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	go func() { _ = server.Serve(accepted) }()
	accepted <- theirs
	close(accepted)
	reader := bufio.NewReader(conn)
	for range 2 {
		awaitRest(t)
		say(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if head := readRequest(reader); !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") {
			t.Fatalf("head %q", head)
		}
		_, _ = reader.Discard(len("done"))
	}
	awaitRest(t)
	if err := server.Shutdown(t.Context()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after shutdown: %v", err)
	}
}

// awaitRest waits for a connection that rests. It may be that of a test beside this one, which makes the test easier, never harder.
func awaitRest(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(time.Minute); !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("http1.(*conn).wait(")); {
		if time.Now().After(deadline) {
			t.Fatal("the connection does not rest")
		}
		time.Sleep(10 * time.Millisecond)
	}
}
