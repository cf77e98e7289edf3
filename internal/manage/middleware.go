package manage

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
)

// observe gives a request its identifiers and writes its line in the log.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := arm.NewGUID()
		arm.SetRequestIDs(w, r, id)
		rec := &recorder{ResponseWriter: w}
		start := s.c.Now()
		r, end := s.span(r, id, start)
		next.ServeHTTP(rec, r)
		end(rec.status)
		s.metrics.observe(r.Method, rec.status, s.c.Now().Sub(start))
		level := slog.LevelInfo
		if rec.status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
		s.c.Log.LogAttrs(r.Context(), level, "management request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", rec.status), slog.Int64("bytes", rec.bytes), slog.Duration("duration", s.c.Now().Sub(start).Round(time.Microsecond)),
			slog.String("client", r.RemoteAddr), slog.String("request", id))
	})
}

// protect turns a panic into a 500: a bug in one request must not end the others.
func (s *Server) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v) // the server's own signal
			}
			s.c.Log.LogAttrs(r.Context(), slog.LevelError, "panic in a management request", slog.Any("panic", v), slog.String("path", r.URL.Path),
				slog.String("stack", string(debug.Stack())))
			arm.WriteError(w, arm.Errorf(arm.CodeInternal, "An internal error has occurred."))
		}()
		next.ServeHTTP(w, r)
	})
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 || r.status < http.StatusOK { // informational ones come before the real one
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController and hijackers reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
