package http1_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestUnreadBody checks what becomes of a connection whose request body nobody reads: the answer says that it ends, or it takes another request after
// the whole body.
func TestUnreadBody(t *testing.T) {
	t.Parallel()
	address := startServer(t, &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		answer := text(200, "done")
		if x.Request().URL.Path == "/streamed" {
			answer.Body = streamed{strings.NewReader("done")}
		}
		_ = x.Respond(answer)
	})})
	const long = 3 << 20
	tests := []struct {
		name, path string
		length     int
		chunked    bool
		ends       bool
	}{
		{"short", "/", 1000, false, false},
		{"long", "/", long, false, true},
		{"long behind an answer that may still read it", "/streamed", long, false, false},
		{"long in chunks", "/", long, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn, reader := connect(t, address)
			body := strings.Repeat("x", test.length)
			framing := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", test.length, body)
			if test.chunked {
				framing = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", test.length, body)
			}
			for round := range 3 {
				sent := make(chan error, 1)
				go func() {
					_, err := io.Copy(conn, bytes.NewReader([]byte("POST "+test.path+" HTTP/1.1\r\nHost: h\r\n"+framing)))
					sent <- err
				}()
				answer, err := http.ReadResponse(reader, nil)
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				if got, err := io.ReadAll(answer.Body); err != nil || string(got) != "done" {
					t.Errorf("round %d: %q, %v", round, got, err)
				}
				if err := <-sent; err != nil {
					t.Fatalf("round %d: the client could not send all: %v", round, err)
				}
				if answer.Close != test.ends {
					t.Fatalf("round %d: ends %v", round, answer.Close)
				}
				if test.ends {
					return
				}
			}
		})
	}
}
