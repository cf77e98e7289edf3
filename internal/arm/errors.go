package arm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Code is the stable, machine-readable name of an error.
type Code string

// The codes that the management API answers with.
const (
	CodeValidation           Code = "ValidationError"
	CodeInvalidJSON          Code = "InvalidRequestContent"
	CodeInvalidID            Code = "InvalidResourceId"
	CodeInvalidFilter        Code = "InvalidFilter"
	CodeInvalidQuery         Code = "InvalidParameter"
	CodeMissingAPIVersion    Code = "MissingApiVersionParameter"
	CodeInvalidAPIVersion    Code = "InvalidApiVersionParameter"
	CodeAuthentication       Code = "AuthenticationFailed"
	CodeInvalidToken         Code = "InvalidAuthenticationToken"
	CodeAuthorization        Code = "AuthorizationFailed"
	CodeResourceNotFound     Code = "ResourceNotFound"
	CodeGroupNotFound        Code = "ResourceGroupNotFound"
	CodeSubscriptionNotFound Code = "SubscriptionNotFound"
	CodeTypeNotFound         Code = "InvalidResourceType"
	CodeMethodNotAllowed     Code = "MethodNotAllowed"
	CodeConflict             Code = "Conflict"
	CodeServiceAlreadyExists Code = "ServiceAlreadyExists"
	CodeManagedByFile        Code = "ManagedByFile"
	CodePreconditionFailed   Code = "PreconditionFailed"
	CodeTooLarge             Code = "RequestEntityTooLarge"
	CodeTooManyRequests      Code = "TooManyRequests"
	CodeInternal             Code = "InternalServerError"
	CodeNotImplemented       Code = "NotImplemented"
	CodeServiceUnavailable   Code = "ServiceUnavailable"
)

// status is the HTTP status of a code.
func (c Code) status() int {
	switch c {
	case CodeAuthentication, CodeInvalidToken:
		return http.StatusUnauthorized
	case CodeAuthorization:
		return http.StatusForbidden
	case CodeResourceNotFound, CodeGroupNotFound, CodeSubscriptionNotFound, CodeTypeNotFound:
		return http.StatusNotFound
	case CodeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	case CodeConflict, CodeManagedByFile, CodeServiceAlreadyExists:
		return http.StatusConflict
	case CodePreconditionFailed:
		return http.StatusPreconditionFailed
	case CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case CodeTooManyRequests:
		return http.StatusTooManyRequests
	case CodeInternal:
		return http.StatusInternalServerError
	case CodeNotImplemented:
		return http.StatusNotImplemented
	case CodeServiceUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

// Error is an error that is told to the caller of the management API. Every other error is rendered as an internal
// one whose text stays in the log.
type Error struct {
	Status  int    // HTTP status
	Code    Code   // stable name
	Message string // a sentence for people
	Target  string // what it is about: a property's path, a query parameter, a resource ID
	Details []Detail
	// RetryAfter in seconds is sent as the header of that name when it is not zero.
	RetryAfter int
}

// Detail is one of several causes of an [Error], such as one invalid property.
type Detail struct {
	Code    Code   `json:"code"`
	Target  string `json:"target,omitempty"`
	Message string `json:"message"`
}

// Errorf returns an error with the code's own HTTP status.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Status: code.status(), Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid returns the error for one invalid property. target is its path in the body, such as properties/url.
func Invalid(target, format string, args ...any) *Error {
	return InvalidAll(Detail{Code: CodeValidation, Target: target, Message: fmt.Sprintf(format, args...)})
}

// InvalidAll returns the error for several invalid properties.
func InvalidAll(details ...Detail) *Error {
	e := Errorf(CodeValidation, "One or more fields contain incorrect values:")
	e.Details = details
	if len(details) == 1 {
		e.Target = details[0].Target
	}
	return e
}

// NotFound returns the error for a resource that does not exist.
func NotFound(id ID) *Error {
	e := Errorf(CodeResourceNotFound, "The resource %s was not found.", id)
	e.Target = id.String()
	return e
}

// WithTarget sets the target and returns the error.
func (e *Error) WithTarget(target string) *Error {
	e.Target = target
	return e
}

// Error implements error.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Message
	for _, d := range e.Details {
		s += " " + d.Target + ": " + d.Message
	}
	return s
}

// IsNotFound reports whether err is an [Error] with status 404.
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusNotFound
}

// MarshalJSON renders the error body: {"error":{"code","message","target","details"}}.
func (e *Error) MarshalJSON() ([]byte, error) {
	type body struct {
		Code    Code     `json:"code"`
		Message string   `json:"message"`
		Target  string   `json:"target,omitempty"`
		Details []Detail `json:"details"` // null when there are none, as API Management does
	}
	return json.Marshal(map[string]body{"error": {e.Code, e.Message, e.Target, e.Details}})
}

// AsError returns err as an [Error]. One that is not is replaced by an internal error without its text; known tells
// which it was, so that the caller can log it.
func AsError(err error) (e *Error, known bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e, true
	}
	return Errorf(CodeInternal, "An internal error has occurred. The request's identifier leads to it in the log."), false
}

// WriteError writes the error's status, headers and body.
func WriteError(w http.ResponseWriter, e *Error) {
	h := w.Header()
	h.Set("x-ms-error-code", string(e.Code))
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	WriteJSON(w, e.Status, e)
}

// WriteJSON writes a JSON response. A value that cannot be encoded is a bug of the caller and becomes a 500.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"InternalServerError","message":"The response could not be encoded.","details":null}}`)
	}
	WriteBody(w, status, body)
}

// WriteBody writes a response whose JSON is already encoded.
func WriteBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone is no error of ours
}
