package telemetry

import (
	"log/slog"
	"time"
)

// Span is a span of a distributed trace, in OpenTelemetry's words.
type Span struct {
	Trace      [16]byte
	ID, Parent [8]byte // Parent is zero at the root of a trace
	State      string  // tracestate
	Name       string
	Server     bool // what a caller asked for; otherwise a call to somebody else
	Start, End time.Time
	Attrs      []slog.Attr
	Events     []SpanEvent
	// Failed marks an error, Message says which.
	Failed  bool
	Message string
}

// SpanEvent is something that happened within a span.
type SpanEvent struct {
	Time  time.Time
	Name  string
	Attrs []slog.Attr
}

// SpanOptions say which requests leave spans.
type SpanOptions struct {
	// Add takes a span over; it does not wait. Nil for a gateway without spans.
	Add func(*Span)
	// Ratio of the traces that begin here is collected, from 0 to 1. For others the caller has decided.
	Ratio float64
	// Verbose adds what each policy did as events.
	Verbose bool
}
