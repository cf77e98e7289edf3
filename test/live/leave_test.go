//go:build unix

package live

import (
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestGatewayLeavesBeforeItEnds wants a gateway with a delay to serve on new connections after SIGTERM while its health sends others elsewhere, and to
// end by itself then.
func TestGatewayLeavesBeforeItEnds(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	w.edge = w.gatewayWith("edge", []string{"net.server.drain-delay=00:00:03"}, "gateway")
	w.waitFor(w.edge, 0, 30*time.Second)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	status := func(path string) int {
		resp, err := client.Get(w.edge.Listen["gateway"] + path)
		if err != nil {
			return 0
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if got := status("/status-0123456789abcdef"); got != http.StatusOK {
		t.Fatalf("health before: %d", got)
	}
	asked := time.Now()
	if err := syscall.Kill(w.edge.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	left, served := false, 0
	for status("/livez") == http.StatusOK {
		if !left {
			left = status("/status-0123456789abcdef") == http.StatusServiceUnavailable && status("/readyz") == http.StatusServiceUnavailable
			continue
		}
		var resumed atomic.Int64
		if err := call(client, w.edge.Listen["gateway"]+"/live/get", &resumed); err == nil {
			served++
		} else if !strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "EOF") {
			t.Errorf("a request meanwhile: %v", err)
		}
	}
	if took := time.Since(asked); !left || served == 0 || took < 3*time.Second {
		t.Errorf("left %v, %d served meanwhile, accepted for %v", left, served, took)
	}
	waitUntil(t, w, "the process ends", func() bool { return !w.edge.Running() })
}
