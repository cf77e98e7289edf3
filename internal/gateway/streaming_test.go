package gateway_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// clients are callers by version of HTTP.
func clients(t *testing.T) map[string]*http.Client {
	second := &http.Transport{Protocols: new(http.Protocols)}
	second.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(second.CloseIdleConnections)
	return map[string]*http.Client{"HTTP/1.1": httpClient(t), "HTTP/2.0": {Transport: second}}
}

// TestServerSentEvents checks that each event is with the caller before the next one is made, and that the backend service learns when the caller
// leaves.
func TestServerSentEvents(t *testing.T) {
	t.Parallel()
	for version, client := range clients(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			next, gone := make(chan struct{}), make(chan struct{})
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				control := http.NewResponseController(w)
				_ = control.Flush() // the head goes before any event
				for i := 0; ; i++ {
					select {
					case <-next:
						fmt.Fprintf(w, "id: %d\ndata: x\n\n", i)
						_ = control.Flush()
					case <-r.Context().Done():
						close(gone)
						return
					}
				}
			}))
			t.Cleanup(backend.Close)
			s := newSystem(t, apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: backend.URL}), operationPart("a", "get", "GET /events"))
			request, err := http.NewRequestWithContext(within(t), "GET", s.url("/a/events"), nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Last-Event-ID", "7")
			response, err := client.Do(request)
			if err != nil || response.Proto != version || response.Header.Get("Content-Type") != "text/event-stream" {
				t.Fatalf("%v, %v", response, err)
			}
			reader := bufio.NewReader(response.Body)
			for i := range 5 {
				next <- struct{}{}
				var event strings.Builder
				for !strings.HasSuffix(event.String(), "\n\n") {
					line, err := reader.ReadString('\n')
					if err != nil {
						t.Fatal(err)
					}
					event.WriteString(line)
				}
				if want := fmt.Sprintf("id: %d\ndata: x\n\n", i); event.String() != want {
					t.Errorf("event %q, want %q", event.String(), want)
				}
			}
			response.Body.Close()
			select {
			case <-gone:
			case <-within(t).Done():
				t.Error("the backend service was not told that the caller has left")
			}
		})
	}
}

// webFrame is a frame of gRPC-Web: a message, or with the highest bit of its first byte the trailer.
func webFrame(flags byte, payload string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(payload)))) + payload
}

// TestGRPCWeb checks that calls of gRPC-Web, whose trailer stands in the body, pass as any others do, message by message.
func TestGRPCWeb(t *testing.T) {
	t.Parallel()
	const trailer = "grpc-status: 0\r\ngrpc-message: fine\r\n"
	for version, client := range clients(t) {
		for _, kind := range []string{"application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text"} {
			t.Run(version+" "+kind, func(t *testing.T) {
				t.Parallel()
				read := make(chan struct{})
				backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked, err := io.ReadAll(r.Body)
					if err != nil || r.Header.Get("Content-Type") != kind || r.Header.Get("X-Grpc-Web") != "1" || r.URL.Path != "/test.Echo/Say" {
						t.Errorf("asked for %s %v %q, %v", r.URL.Path, r.Header, asked, err)
					}
					w.Header().Set("Content-Type", kind)
					_, _ = w.Write(asked)
					_ = http.NewResponseController(w).Flush()
					<-read // the first message arrives before the call has ended
					_, _ = io.WriteString(w, webFrame(0x80, trailer))
				}))
				t.Cleanup(backend.Close)
				s := newSystem(t, apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: backend.URL}), operationPart("a", "say", "POST /test.Echo/Say"))
				message := webFrame(0, "hello")
				request, err := http.NewRequestWithContext(within(t), "POST", s.url("/a/test.Echo/Say"), strings.NewReader(message))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Content-Type", kind)
				request.Header.Set("X-Grpc-Web", "1")
				response, err := client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				first := make([]byte, len(message))
				if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != message {
					t.Errorf("message %q, %v", first, err)
				}
				close(read)
				rest, err := io.ReadAll(response.Body)
				if err != nil || string(rest) != webFrame(0x80, trailer) || response.StatusCode != 200 || response.Header.Get("Content-Type") != kind {
					t.Errorf("%d %v %q, %v", response.StatusCode, response.Header, rest, err)
				}
			})
		}
	}
}

// TestGRPCWebRefused checks that a call of gRPC-Web that the gateway refuses gets an answer of HTTP: only gRPC itself needs another.
func TestGRPCWebRefused(t *testing.T) {
	t.Parallel()
	s := newSystem(t, apiPart(snapshot.API{ID: "a", Path: "a", SubscriptionRequired: true}), operationPart("a", "say", "POST /test.Echo/Say"))
	for version, client := range clients(t) {
		response, err := client.Post(s.url("/a/test.Echo/Say"), "application/grpc-web+proto", strings.NewReader(webFrame(0, "x")))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 401 || response.Header.Get("Grpc-Status") != "" || response.Proto != version {
			t.Errorf("%s: %d %v", version, response.StatusCode, response.Header)
		}
	}
}
