package gateway

import (
	"testing"
	"time"
)

func TestRetryWait(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "1.5": 0,
		"99999999999":                      1 << 31 * time.Second,
		"Mon, 23 Nov 2026 12:01:30 GMT":    90 * time.Second,
		"Monday, 23-Nov-26 12:01:30 GMT":   90 * time.Second,
		"Mon, 23 Nov 2026 11:59:59 GMT":    0,
		"Mon, 23 Nov 2026 12:01:30 +02:00": 0,
	} {
		if got := retryWait(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
