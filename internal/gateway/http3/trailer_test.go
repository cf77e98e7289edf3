package http3

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// limitedWriter counts how often the time for writing began anew.
type limitedWriter struct {
	*httptest.ResponseRecorder
	begun int
}

func (w *limitedWriter) SetWriteDeadline(time.Time) error { w.begun++; return nil }

// bodyFunc is a body that a function reads.
type bodyFunc func() (int, error)

func (f bodyFunc) Read([]byte) (int, error) { return f() }
func (f bodyFunc) Close() error             { return nil }

// TestTrailerBehindRest checks that a trailer, such as the status of a gRPC call, has its own time to be written: its stream may have rested for long.
func TestTrailerBehindRest(t *testing.T) {
	t.Parallel()
	w := &limitedWriter{ResponseRecorder: httptest.NewRecorder()}
	before := 0
	s := &Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		body := bodyFunc(func() (int, error) {
			before = w.begun
			return 0, io.EOF
		})
		_ = x.Respond(&message.Response{Status: 200, Body: body, ContentLength: -1, Trailer: message.NewHeader("grpc-status", "0")})
	})}
	s.start()
	r := httptest.NewRequest(http.MethodGet, "https://h3.test/", nil)
	r.RequestURI, r.Proto = "/", "HTTP/3.0"
	s.serve(w, r)
	if got := w.Header().Get(http.TrailerPrefix + "Grpc-Status"); got != "0" || w.begun == before {
		t.Errorf("trailer %q, after %d beginnings of %d", got, before, w.begun)
	}
}
