package policy

import (
	"context"
	"errors"

	"github.com/causeway-apim/causeway/internal/message"
)

// The reasons of built-in steps and of errors that several policies share, as context.LastError.Reason shows them.
const (
	ReasonExpression        = "ExpressionValueEvaluationFailure"
	ReasonOperationNotFound = "OperationNotFound"
	ReasonBackendConnection = "BackendConnectionFailure"
	ReasonClientConnection  = "ClientConnectionFailure"
	ReasonTimeout           = "Timeout"
)

// ErrStop ends the pipeline with the response that stands in Exec.Response: return-response and mock-response return it. No further section
// runs, on-error neither. Containers pass it on unchanged.
var ErrStop = errors.New("policy ended the pipeline")

// ErrSkipBackend ends the inbound section and goes on with outbound: a hit of cache-lookup returns it after [Exec.SetResponse].
var ErrSkipBackend = errors.New("policy answered instead of the backend")

// An Error ends the sections and leads to on-error. Policies return one for every failure that users know by a reason.
type Error struct {
	// Source is the policy's element name or a built-in step such as "authorization". Empty: the engine fills in the failing policy's.
	Source string
	// Reason is the code for programs, such as RateLimitExceeded.
	Reason string
	// Message explains for context.LastError.
	Message string
	// Status is what the caller gets unless on-error decides otherwise; 0 means 500.
	Status int
	// Public is the message for the caller. Empty: Message when Status is 400 to 499, a general sentence otherwise.
	Public string
	// Header is added to the error response, for example Retry-After or WWW-Authenticate.
	Header message.Header
	// Body is the body of the error response instead of APIM's own, in JSON; nil for that.
	Body []byte
	// Err is the cause, for logs only.
	Err error

	at position
}

// position is where in the documents an error happened; the engine fills it in as the error leaves the innermost step.
type position struct {
	known          bool
	scope          Scope
	section        Section
	path, policyID string
}

func (e *Error) Error() string {
	if e.Source == "" {
		return e.Message
	}
	return e.Source + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WrapError makes an *Error of any error: it keeps one that is inside, and gives failures of bodies and backends their reasons.
func WrapError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	e = &Error{Message: err.Error(), Err: err}
	var tooLarge *message.TooLargeError
	var backend *message.BackendError
	switch {
	case errors.Is(err, message.ErrClientGone), errors.Is(err, context.Canceled):
		e.Reason, e.Status = ReasonClientConnection, 499
	case errors.As(err, &tooLarge):
		e.Reason, e.Status = "BodyTooLarge", 413
	case errors.As(err, &backend) && backend.Kind != message.RequestBodyFailed:
		e.Reason = ReasonBackendConnection
		if backend.Timeout() || errors.Is(err, context.DeadlineExceeded) {
			e.Reason = ReasonTimeout
		}
	case errors.Is(err, message.ErrMalformed):
		e.Reason, e.Status, e.Message = ReasonClientConnection, 400, "The request's body is malformed."
	case errors.Is(err, message.ErrTooSlow):
		e.Reason, e.Status, e.Message = ReasonClientConnection, 408, "The request's body arrives too slowly."
	case backend != nil:
		e.Reason = ReasonClientConnection
	case errors.Is(err, context.DeadlineExceeded):
		e.Reason = ReasonTimeout
	}
	return e
}

// LastError is context.LastError: why the on-error section runs.
type LastError struct {
	Source, Reason, Message, Scope, Section, Path, PolicyID string
	// Status is the error's own status code (HttpErrorCode), also when on-error has set another one.
	Status int
}
