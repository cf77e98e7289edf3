package signin

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
)

// oauthError is an error as RFC 6749, section 5.2 answers it.
type oauthError struct {
	code, description string
	retryAfter        time.Duration
}

func (e *oauthError) Error() string { return e.code + ": " + e.description }

func refuse(code, format string, args ...any) *oauthError {
	return &oauthError{code: code, description: fmt.Sprintf(format, args...)}
}

func (e *oauthError) status() int {
	switch {
	case e.retryAfter > 0:
		return http.StatusTooManyRequests
	case e.code == "invalid_client":
		return http.StatusUnauthorized
	case e.code == "server_error":
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// asOAuth returns err as an answer; what callers must not read stays in the log.
func (s *Service) asOAuth(r *http.Request, err error) *oauthError {
	if e, ok := errors.AsType[*oauthError](err); ok {
		return e
	}
	s.c.Log.ErrorContext(r.Context(), "the token service failed", "path", r.URL.Path, "error", err)
	return refuse("server_error", "An internal error has occurred.")
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := s.asOAuth(r, err)
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(e.retryAfter/time.Second)+1))
	}
	if e.code == "invalid_client" {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
	}
	id := w.Header().Get("x-ms-request-id")
	arm.WriteJSON(w, e.status(), map[string]any{
		"error": e.code, "error_description": e.description, "timestamp": s.c.Now().UTC().Format("2006-01-02 15:04:05Z"),
		"trace_id": id, "correlation_id": w.Header().Get("x-ms-correlation-request-id"),
	})
}
