package live

import (
	"fmt"
	"io"
	"net/http"
	"strings"
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

// exactStorm wants a hundred calls to be admitted that gateways count in one Redis, and returns their key. When a machine is so slow that Redis counts as
// away meanwhile, nothing is promised: the next key has to show it.
func (w *world) exactStorm(t *testing.T, gateways ...*causewaytest.Process) (key string) {
	t.Helper()
	told := func(event string) (n int) {
		for _, g := range gateways {
			n += strings.Count(g.Log(), event)
		}
		return n
	}
	for round := range 10 {
		await(t, "Redis is back", gateways, func() bool { return told("[RedisAway]") == told("[RedisBack]") })
		before := told("[RedisAway]")
		key = fmt.Sprint("storm ", round)
		got := w.storm(key, gateways...)
		if got[200] == 100 && got[429] == 156 {
			break
		}
		if told("[RedisAway]") == before {
			t.Fatalf("%d gateways: statuses %v, want 100 of 200 and 156 of 429", len(gateways), got)
		}
	}
	return key
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
	if got := w.storm("one", w.plane); got[200] != 100 || got[429] != 156 {
		t.Errorf("one gateway: statuses %v, want 100 of 200 and 156 of 429", got)
	}
	key := w.exactStorm(t, open, closed)
	redis.Kill()
	started := time.Now()
	for range 3 {
		if got := w.status(open, key); got != http.StatusOK {
			t.Errorf("without Redis, failure=open: status %d", got)
		}
		if got := w.status(closed, key); got != http.StatusServiceUnavailable {
			t.Errorf("without Redis, failure=closed: status %d", got)
		}
	}
	if d := time.Since(started); d > 20*time.Second {
		t.Errorf("without Redis the answers took %v", d)
	}
}
