package gateway

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// isGRPC says whether the API passes calls of gRPC through.
func (a *api) isGRPC() bool { return a.kind == grpcAPI }

// takesAll says whether a path without an operation is taken all the same: by a GraphQL or WebSocket API for its one path, and by a gRPC API that
// has no operations for each of its methods. OPTIONS is the business of the cors policy, as elsewhere.
func (a *api) takesAll(method, path string) bool {
	return a.isWebSocket() || a.isGraphQL() && isGraphQLPath(path) && method != "OPTIONS" || a.isGRPC() && method == "POST" && a.operations.len() == 0
}

// isGRPCCall tells a call of gRPC ("gRPC over HTTP2"). gRPC-Web is HTTP like any other to us.
func isGRPCCall(r *message.Request) bool {
	const kind = "application/grpc"
	if r.Proto == "HTTP/1.1" || r.Proto == "HTTP/1.0" || r.Method != "POST" {
		return false
	}
	value := r.Header.Get("Content-Type")
	if len(value) < len(kind) || !message.EqualName(value[:len(kind)], kind) {
		return false
	}
	return len(value) == len(kind) || value[len(kind)] == '+' || value[len(kind)] == ';'
}

// The status codes of gRPC that the gateway answers with by itself.
const (
	grpcCancelled         = 1
	grpcUnknown           = 2
	grpcInvalidArgument   = 3
	grpcDeadlineExceeded  = 4
	grpcPermissionDenied  = 7
	grpcResourceExhausted = 8
	grpcUnimplemented     = 12
	grpcInternal          = 13
	grpcUnavailable       = 14
	grpcUnauthenticated   = 16
)

// grpcStatus maps the status of an answer that is not gRPC, and why it was made. Callers of gRPC act on these codes, for instance by repeating a call
// that was UNAVAILABLE.
func grpcStatus(status int, reason string) int {
	switch reason {
	case policy.ReasonTimeout:
		return grpcDeadlineExceeded
	case policy.ReasonBackendConnection:
		return grpcUnavailable
	}
	switch status {
	case 400:
		return grpcInvalidArgument
	case 401:
		return grpcUnauthenticated
	case 403:
		return grpcPermissionDenied
	case 404, 405, 501:
		return grpcUnimplemented
	case 413, 429, 431:
		return grpcResourceExhausted
	case 499:
		return grpcCancelled
	case 500:
		return grpcInternal
	case 502, 503:
		return grpcUnavailable
	case 408, 504:
		return grpcDeadlineExceeded
	}
	return grpcUnknown
}

// grpcAnswer turns an answer to a call of gRPC that is not gRPC into one: a head that is also the trailer. Fields such as Retry-After stay.
func (r *request) grpcAnswer(resp *message.Response) {
	if resp.Header.Has("Grpc-Status") || strings.HasPrefix(resp.Header.Get("Content-Type"), "application/grpc") {
		return
	}
	reason := ""
	if le := r.exec.LastError; le != nil {
		reason = le.Reason
	}
	text := message.ReasonPhrase(resp.Status)
	if memory, ok := resp.Body.(message.Memory); ok {
		var said struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(memory.Rest(), &said) == nil && said.Message != "" {
			text = said.Message
		}
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.Header.Set("Content-Type", "application/grpc")
	code := grpcStatus(resp.Status, reason)
	// A backend service may end a call at its deadline without a word, before the client notices by itself.
	if limit, ok := grpcTimeout(r.exec.Request.Header.Get("Grpc-Timeout")); ok && code == grpcUnavailable && r.Now().Sub(r.started) >= limit {
		code, text = grpcDeadlineExceeded, "The deadline has passed."
	}
	resp.Header.Set("grpc-status", strconv.Itoa(code))
	resp.Header.Set("grpc-message", grpcText(text))
	resp.Status, resp.Reason, resp.Body, resp.ContentLength = 200, "", nil, 0
	resp.Trailer.Reset()
}

// grpcTimeout reads how long a call may take ("gRPC over HTTP2": up to eight digits and a unit).
func grpcTimeout(value string) (time.Duration, bool) {
	n := len(value) - 1
	if n < 1 || n > 8 {
		return 0, false
	}
	units := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond}
	unit, known := units[value[n]]
	count, err := strconv.ParseUint(value[:n], 10, 32)
	if !known || err != nil || time.Duration(count) > math.MaxInt64/unit {
		return 0, false
	}
	return time.Duration(count) * unit, true
}

// grpcText encodes a message: bytes that are no printable ASCII, and the percent sign, as %XX.
func grpcText(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&out, "%%%02X", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
