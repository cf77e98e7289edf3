package arm

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

const maxClientRequestID = 128

// NewGUID returns a random GUID (version 4).
func NewGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// SetRequestIDs sets the headers by which a request is found again: x-ms-request-id, x-ms-correlation-request-id (the
// caller's when it sent a plain one) and x-ms-client-request-id when the caller asked for it.
func SetRequestIDs(w http.ResponseWriter, r *http.Request, requestID string) {
	h := w.Header()
	h.Set("x-ms-request-id", requestID)
	correlation := requestID
	if c := r.Header.Get("x-ms-correlation-request-id"); plainToken(c) {
		correlation = c
	}
	h.Set("x-ms-correlation-request-id", correlation)
	h.Set("x-ms-routing-request-id", "CAUSEWAY:"+requestID)
	if c := r.Header.Get("x-ms-client-request-id"); plainToken(c) && strings.EqualFold(r.Header.Get("x-ms-return-client-request-id"), "true") {
		h.Set("x-ms-client-request-id", c)
	}
}

// plainToken keeps what callers send out of logs and headers unless it looks like an identifier.
func plainToken(s string) bool {
	if s == "" || len(s) > maxClientRequestID {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '<' {
			return false
		}
	}
	return true
}

// BaseURL returns scheme://host under which the caller reached the server: the request's host, and the scheme of its
// connection.
func BaseURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
