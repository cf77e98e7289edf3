package telemetry

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// TraceContext is a span's place in a distributed trace (W3C Trace Context).
type TraceContext struct {
	Trace   [16]byte
	Span    [8]byte
	Sampled bool
}

// ParseTraceParent reads a traceparent field (section 3.2) and says whether it is valid.
func ParseTraceParent(text string) (c TraceContext, ok bool) {
	if len(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' || text[:2] == "ff" || len(text) > 55 && (text[:2] == "00" || text[55] != '-') {
		return c, false
	}
	for i := range 55 {
		if ch := text[i]; ch != '-' && (ch < '0' || ch > '9') && (ch < 'a' || ch > 'f') {
			return c, false
		}
	}
	var flags [1]byte
	if _, err := hex.Decode(c.Trace[:], []byte(text[3:35])); err != nil || c.Trace == [16]byte{} {
		return TraceContext{}, false
	}
	if _, err := hex.Decode(c.Span[:], []byte(text[36:52])); err != nil || c.Span == [8]byte{} {
		return TraceContext{}, false
	}
	if _, err := hex.Decode(flags[:], []byte(text[53:55])); err != nil {
		return TraceContext{}, false
	}
	c.Sampled = flags[0]&1 == 1
	return c, true
}

// BeginTrace is the root of a new trace. Of many, the share ratio is sampled, from 0 to 1.
func BeginTrace(ratio float64) (c TraceContext) {
	_, _ = rand.Read(c.Trace[:]) // never fails
	c.Trace[0] |= 1
	c.Sampled = TraceRatio(c.Trace) < ratio
	return c.Child()
}

// Child is a new span of the trace.
func (c TraceContext) Child() TraceContext {
	_, _ = rand.Read(c.Span[:]) // never fails
	c.Span[0] |= 1
	return c
}

// String is the traceparent field of a call within the span.
func (c TraceContext) String() string {
	flags := 0
	if c.Sampled {
		flags = 1
	}
	return fmt.Sprintf("00-%x-%x-%02x", c.Trace, c.Span, flags)
}

// TraceRatio is a number from 0 up to 1 that is the same for all who see the trace (OpenTelemetry's TraceIdRatioBased).
func TraceRatio(trace [16]byte) float64 {
	return float64(binary.BigEndian.Uint64(trace[8:])>>1) / (1 << 63)
}
