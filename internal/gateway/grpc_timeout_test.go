package gateway

import (
	"testing"
	"time"
)

func TestGRPCTimeout(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"100m": 100 * time.Millisecond, "1S": time.Second, "99999999u": 99999999 * time.Microsecond, "2H": 2 * time.Hour, "3M": 3 * time.Minute, "7n": 7,
		"": -1, "S": -1, "1": -1, "1x": -1, "-1S": -1, "123456789S": -1, "99999999H": -1,
	} {
		got, ok := grpcTimeout(value)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v, %v", value, got, ok)
		}
	}
}
