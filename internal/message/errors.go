package message

import (
	"context"
	"errors"
	"fmt"
)

// ErrClientGone says that the client's connection ended before the exchange did. It is the error of an exchange's context then, and APIM's
// ClientConnectionFailure. It is a [context.Canceled] to [errors.Is].
var ErrClientGone error = &canceledError{"client has gone"}

// ErrFinished is the error of an exchange's context after the exchange has finished. It is a [context.Canceled] to [errors.Is].
var ErrFinished error = &canceledError{"exchange has finished"}

type canceledError struct{ text string }

func (e *canceledError) Error() string        { return e.text }
func (e *canceledError) Is(target error) bool { return target == context.Canceled }

// ErrMalformed says that a peer sent what its protocol does not allow. A request body with this error deserves the answer 400.
var ErrMalformed = errors.New("message is malformed")

// ErrAnswered is returned by a second answer to the same request.
var ErrAnswered = errors.New("request is answered already")

// ErrNotAnswered is the Result of an exchange whose handler returned without an answer.
var ErrNotAnswered = errors.New("handler returned without an answer")

// ErrTooSlow says that a body did not arrive in time. A request body with this error deserves the answer 408.
var ErrTooSlow = errors.New("body arrives too slowly")

// ErrBodyClosed is returned by reading a body after Close.
var ErrBodyClosed = errors.New("body is closed")

// ErrTruncated says that a body ended before its announced length or its last chunk. A [BackendError] wraps it on the backend's side.
var ErrTruncated = errors.New("body ended early")

// ErrTooManyConns is why an engine closed a connection at a limit of connections; see [Refused].
var ErrTooManyConns = errors.New("too many connections")

// ErrNotReplayable is returned by Rewind when the start of the body is no longer held.
var ErrNotReplayable = errors.New("body cannot be read again")

// TooLargeError says that a body has more bytes than allowed.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string { return fmt.Sprintf("body is larger than %d bytes", e.Limit) }

// InvalidFieldError names a header or trailer field that cannot be sent. Its value is not part of the text: it may be a secret.
type InvalidFieldError struct{ Name string }

func (e *InvalidFieldError) Error() string {
	return fmt.Sprintf("field %q has a character that is not allowed", e.Name)
}

// BackendErrorKind says what went wrong with a backend service.
type BackendErrorKind uint8

// The kinds of backend errors, with APIM's reason for each.
const (
	// BackendConnect: no connection (name, refused, TLS, limit of connections): BackendConnectionFailure.
	BackendConnect BackendErrorKind = iota + 1
	// BackendTimeout: one of the transport's time limits passed: Timeout.
	BackendTimeout
	// BackendProtocol: the answer was not valid or too large: BackendConnectionFailure.
	BackendProtocol
	// BackendAborted: the backend closed or reset the connection before its answer was complete: BackendConnectionFailure.
	BackendAborted
	// BackendCanceled: the caller's context ended: ClientConnectionFailure when [ErrClientGone] is wrapped, Timeout on a deadline.
	BackendCanceled
	// RequestBodyFailed: reading the request body from its source failed: ClientConnectionFailure.
	RequestBodyFailed
	// RequestInvalid: the request cannot be sent as it is (bad field, bad target).
	RequestInvalid
)

func (k BackendErrorKind) String() string {
	switch k {
	case BackendConnect:
		return "connect"
	case BackendTimeout:
		return "timeout"
	case BackendProtocol:
		return "protocol"
	case BackendAborted:
		return "aborted"
	case BackendCanceled:
		return "canceled"
	case RequestBodyFailed:
		return "request body"
	case RequestInvalid:
		return "invalid request"
	}
	return "unknown"
}

// BackendError is every error of [Transport.RoundTrip] and of reading the body of its response.
type BackendError struct {
	Kind BackendErrorKind
	// BytesSent is how many bytes of the request left on the connection that failed, its head included. 0 means that the backend service
	// cannot have processed the request, so that repeating it is safe whatever its method.
	BytesSent int64
	// Answered says that a byte of the response had arrived.
	Answered bool
	// Err is the cause.
	Err error
}

func (e *BackendError) Error() string { return fmt.Sprintf("backend (%s): %v", e.Kind, e.Err) }

// Unwrap returns the cause.
func (e *BackendError) Unwrap() error { return e.Err }

// Timeout says whether a time limit passed, as in [net.Error].
func (e *BackendError) Timeout() bool { return e.Kind == BackendTimeout }

// MayRepeat says whether sending the request again cannot repeat an effect: nothing was sent, or the method is idempotent and no answer began.
func (e *BackendError) MayRepeat(method string) bool {
	return e.BytesSent == 0 || !e.Answered && IsIdempotent(method)
}

// ClientGone is [ErrClientGone] with what the connection said.
func ClientGone(err error) error { return &clientGoneError{err} }

type clientGoneError struct{ err error }

func (e *clientGoneError) Error() string   { return ErrClientGone.Error() + ": " + e.err.Error() }
func (e *clientGoneError) Unwrap() []error { return []error{ErrClientGone, e.err} }
