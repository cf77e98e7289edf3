package arm

import (
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of the operations that are remembered.
const (
	operationLife = time.Hour
	maxOperations = 10_000
)

// The states of an asynchronous operation.
const (
	StatusInProgress = "InProgress"
	StatusSucceeded  = "Succeeded"
	StatusFailed     = "Failed"
)

// Operation is the state of an asynchronous operation as Azure-AsyncOperation answers it.
type Operation struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Status  string          `json:"status"`
	Started time.Time       `json:"startTime"`
	Ended   *time.Time      `json:"endTime,omitempty"`
	Result  json.RawMessage `json:"properties,omitempty"`
	Error   *OperationError `json:"error,omitempty"`
}

// OperationError says why an operation failed.
type OperationError struct {
	Code    Code     `json:"code"`
	Message string   `json:"message"`
	Details []Detail `json:"details,omitempty"`
}

// Operations remembers asynchronous operations for an hour after they ended. They live in one process: the longest
// ones of the management API end within seconds, and a client that polls a restarted process gets 404 and reads the
// resource. It is safe for concurrent use.
type Operations struct {
	now  func() time.Time
	mu   sync.Mutex
	byID map[string]*Operation
}

// NewOperations returns an empty set. now is the clock.
func NewOperations(now func() time.Time) *Operations {
	return &Operations{now: now, byID: make(map[string]*Operation)}
}

// Start makes an operation below scope, a path such as
// /subscriptions/S/providers/Microsoft.ApiManagement/locations/L. The error says that too many are running.
func (o *Operations) Start(scope string) (Operation, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sweep()
	if len(o.byID) >= maxOperations {
		e := Errorf(CodeTooManyRequests, "Too many operations are in progress.")
		e.RetryAfter = 10
		return Operation{}, e
	}
	name := NewGUID()
	op := &Operation{ID: scope + statusSegment + name, Name: name, Status: StatusInProgress, Started: o.now().UTC()}
	o.byID[name] = op
	return *op, nil
}

// Finish ends an operation with a result, which may be nil, or an error. One that failed may have a result, too, that says
// more about it.
func (o *Operations) Finish(name string, result json.RawMessage, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	op, ok := o.byID[name]
	if !ok {
		return
	}
	end := o.now().UTC()
	op.Status, op.Ended, op.Result = StatusSucceeded, &end, result
	if err != nil {
		e, _ := AsError(err)
		op.Status, op.Error = StatusFailed, &OperationError{e.Code, e.Message, e.Details}
	}
}

// Get returns an operation by its name.
func (o *Operations) Get(name string) (Operation, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	op, ok := o.byID[name]
	if !ok {
		return Operation{}, false
	}
	return *op, true
}

// sweep forgets what has ended long ago.
func (o *Operations) sweep() {
	limit := o.now().Add(-operationLife)
	for name, op := range o.byID {
		if op.Ended != nil && op.Ended.Before(limit) {
			delete(o.byID, name)
		}
	}
}

// Accept answers 202 with the headers by which op is polled: its state at Azure-AsyncOperation, its result at Location.
func Accept(w http.ResponseWriter, baseURL, apiVersion string, op Operation, retryAfter time.Duration) {
	h := w.Header()
	h.Set("Azure-AsyncOperation", baseURL+op.ID+"?api-version="+apiVersion)
	h.Set("Location", baseURL+strings.Replace(op.ID, statusSegment, resultSegment, 1)+"?api-version="+apiVersion)
	h.Set("Retry-After", strconv.Itoa(int(retryAfter.Round(time.Second)/time.Second)))
	w.WriteHeader(http.StatusAccepted)
}

// The collections of operations below a location.
const (
	statusSegment = "/operationStatuses/"
	resultSegment = "/operationResults/"
)

// IsOperation reports whether a request's path is that of an operation that [Accept] has answered.
func IsOperation(path string) bool {
	path = strings.ToLower(path)
	return strings.Contains(path, "/providers/"+strings.ToLower(Provider)+"/locations/") &&
		(strings.Contains(path, strings.ToLower(statusSegment)) || strings.Contains(path, strings.ToLower(resultSegment)))
}

// ServeHTTP answers a poll: the operation under operationStatuses; under operationResults 202 while it is in progress,
// then its result or its error.
func (o *Operations) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, ok := o.Get(strings.ToLower(path.Base(r.URL.Path)))
	switch {
	case !ok:
		WriteError(w, Errorf(CodeResourceNotFound, "The operation was not found. Operations are forgotten an hour after their end."))
	case !strings.Contains(strings.ToLower(r.URL.Path), strings.ToLower(resultSegment)):
		WriteJSON(w, http.StatusOK, op)
	case op.Status == StatusInProgress:
		Accept(w, BaseURL(r), Param(r.URL.Query(), "api-version"), op, time.Second)
	case op.Result != nil:
		WriteBody(w, http.StatusOK, op.Result)
	case op.Error != nil:
		WriteError(w, Errorf(op.Error.Code, "%s", op.Error.Message))
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
