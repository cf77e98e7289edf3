package telemetry

import (
	"encoding/hex"
	"time"
	"unsafe"
)

// Record is what is known of one request when its last byte is sent. Its
// strings are the record's own: it outlives the request. Names follow APIM's
// GatewayLogs.
type Record struct {
	Time                                     time.Time
	RequestID                                [16]byte
	CallerIP                                 string
	Service, API, APIRevision, Operation     string
	Product, Subscription, User              string
	Workspace, Region                        string
	Method                                   string
	URL, BackendURL                          []byte // without query
	ClientProtocol, BackendProtocol          string
	ClientTLS                                uint16 // version as crypto/tls has it; 0 without
	Backend, BackendMethod                   string // the backend entity, and the method that it was called with
	ResponseCode, BackendResponseCode        int
	RequestSize, ResponseSize                int64 // bytes on the wire
	TotalTime, BackendTime                   time.Duration
	ClientTime                               time.Duration // from the head of the answer to its last byte
	ErrorSource, ErrorReason, ErrorMessage   string
	ErrorSection, ErrorScope, ConnectionFail string
	ErrorElapsed                             time.Duration
	Host                                     string // that the client asked for
	ServiceID                                string // as the gateway knows the service
	Cache                                    CacheUse
	Tracing                                  TraceState
	// Unlogged says that no line is wanted for the request: a diagnostic chose others.
	Unlogged bool
	// Captured is what diagnostics want besides; nil without them.
	Captured *Captured
}

// TraceState says what a request wanted of the debug trace and got.
type TraceState struct{ Requested, Allowed, Expired, Master bool }

// Captured is what a diagnostic wants to know of the messages of a request. Bodies are cut off and headers masked as it says.
type Captured struct {
	FrontendRequest, FrontendResponse, BackendRequest, BackendResponse CapturedMessage
	// Query is that of the caller's URL without what is hidden, with its question mark; BackendQuery that of the call to the backend service.
	Query, BackendQuery string
	Traces              []TraceMessage
	// Model is an exchange with a language model; nil without one.
	Model *ModelExchange
}

// CapturedMessage is what is kept of a message.
type CapturedMessage struct {
	Headers []Label
	Body    string
}

// TraceMessage is what the trace policy says.
type TraceMessage struct {
	Time     time.Time
	Severity Severity
	Source   string
	Message  string
	Metadata []Label
}

// Severity is the weight of a message, in the words of the trace policy.
type Severity uint8

// The weights.
const (
	SeverityVerbose Severity = iota
	SeverityInformation
	SeverityError
)

// String is API Management's word for it.
func (s Severity) String() string { return [...]string{"verbose", "information", "error"}[s] }

// Success is APIM's isRequestSuccess: an answer of the 2xx or 3xx classes.
func (r *Record) Success() bool { return r.ResponseCode >= 200 && r.ResponseCode < 400 }

// Status is API Management's category of an answer.
type Status string

// The categories ("Observability in Azure API Management", gateway logs).
const (
	StatusSuccessful   Status = "Successful"   // up to 301, 304, 307
	StatusUnauthorized Status = "Unauthorized" // 401, 403, 429
	StatusErroneous    Status = "Erroneous"    // 400, 500 to 599
	StatusOther        Status = "Other"
)

// Status returns the category of the answer.
func (r *Record) Status() Status {
	switch c := r.ResponseCode; {
	case c >= 100 && c <= 301, c == 304, c == 307:
		return StatusSuccessful
	case c == 401, c == 403, c == 429:
		return StatusUnauthorized
	case c == 400, c >= 500 && c <= 599:
		return StatusErroneous
	}
	return StatusOther
}

// place is a hash of where the texts lie that tell most requests apart. Those of one operation and subscription have the same as long as the
// configuration stays; it is for caches that compare the texts themselves.
func (r *Record) place() uintptr {
	return uintptr(unsafe.Pointer(unsafe.StringData(r.Operation)))>>4*31 + uintptr(unsafe.Pointer(unsafe.StringData(r.Subscription)))>>4
}

// UUIDText returns the text form of a UUID.
func UUIDText(u [16]byte) string { return string(appendUUID(nil, u)) }

func appendUUID(b []byte, u [16]byte) []byte {
	text := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	hex.Encode(text[0:8], u[0:4])
	hex.Encode(text[9:13], u[4:6])
	hex.Encode(text[14:18], u[6:8])
	hex.Encode(text[19:23], u[8:10])
	hex.Encode(text[24:36], u[10:16])
	return append(b, text[:]...)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
