package gateway

import (
	"net/http"
	"strconv"
	"time"
)

// retryWait reads a Retry-After field (RFC 9110, 10.2.3), seconds or a date; 0 when it says nothing, or a time that has passed. What is out of reason
// is up to the caller.
func retryWait(text string, now time.Time) time.Duration {
	const most = 1 << 31 // seconds
	if n, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(0, min(n, most))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
