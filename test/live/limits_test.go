package live

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/redis/redistest"
)

// hundredCalls admits a hundred calls for each value of X-Key, and leaves requests without it alone.
const hundredCalls = `<choose><when condition="@(context.Request.Headers.ContainsKey("X-Key"))">
<rate-limit-by-key calls="100" renewal-period="300" counter-key="@(context.Request.Headers["X-Key"][0])" />
</when></choose>`

// storm sends four requests from each of 64 clients, in turn to the gateways, and counts the statuses.
func (w *world) storm(key string, gateways ...*causewaytest.Process) map[int]int {
	w.tb.Helper()
	var mu sync.Mutex
	statuses := make(map[int]int)
	var clients sync.WaitGroup
	for i := range 64 {
		clients.Go(func() {
			for range 4 {
				status := w.status(gateways[i%len(gateways)], key)
				mu.Lock()
				statuses[status]++
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	return statuses
}

// status is the status of a request with a key, 0 when there is no answer.
func (w *world) status(gateway *causewaytest.Process, key string) int {
	request, err := http.NewRequestWithContext(w.tb.Context(), http.MethodGet, gateway.Listen["gateway"]+"/live/get", nil)
	if err != nil {
		w.tb.Error(err)
		return 0
	}
	request.Header.Set("X-Key", key)
	response, err := w.clients.Do(request)
	if err != nil {
		w.tb.Error(err)
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		w.tb.Error(err)
	}
	return response.StatusCode
}

// TestLimitsAreExact counts with 64 clients: at one gateway in its memory, and at two processes in one Redis. While Redis
// is away each gateway does as it is told, at once.
func TestLimitsAreExact(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.changeWith(1, hundredCalls)
	redis := redistest.Start(t)
	open := w.gateway("open", "counters.redis.endpoint="+redis.Address, "counters.redis.failure=open")
	closed := w.gateway("closed", "counters.redis.endpoint="+redis.Address, "counters.redis.failure=closed")
	for _, g := range []*causewaytest.Process{w.plane, open, closed} {
		w.waitFor(g, 1, faultWait)
	}
	for name, gateways := range map[string][]*causewaytest.Process{"one": {w.plane}, "two": {open, closed}} {
		if got := w.storm(name, gateways...); got[200] != 100 || got[429] != 156 {
			t.Errorf("%s gateway(s): statuses %v, want 100 of 200 and 156 of 429", name, got)
		}
	}
	redis.Kill()
	started := time.Now()
	for range 3 {
		if got := w.status(open, "two"); got != http.StatusOK {
			t.Errorf("without Redis, failure=open: status %d", got)
		}
		if got := w.status(closed, "two"); got != http.StatusServiceUnavailable {
			t.Errorf("without Redis, failure=closed: status %d", got)
		}
	}
	if d := time.Since(started); d > 20*time.Second {
		t.Errorf("without Redis the answers took %v", d)
	}
}
