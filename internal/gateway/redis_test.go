package gateway_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/redis/redistest"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

func cachePart(name, useFrom, connection string) snapshot.Part {
	return mustPart(snapshot.KindCache, "caches/"+name, snapshot.Cache{UseFrom: useFrom, Connection: connection})
}

// echoWith is an API at /echo whose policy has statements in inbound.
func echoWith(t *testing.T, statements string, parts ...snapshot.Part) []snapshot.Part {
	t.Helper()
	return append([]snapshot.Part{
		apiPart(snapshot.API{ID: "echo", Path: "echo"}), operationPart("echo", "get", "GET /"), policyPart(t, "apis/echo", inbound(statements)),
	}, parts...)
}

const hundredCalls = `<rate-limit-by-key calls="100" renewal-period="300" counter-key="k" />`

func TestGatewaysShareLimitsInRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	parts := echoWith(t, hundredCalls, cachePart("default", "default", server.Address))
	gateways := []*world{newWorld(t, parts...), newWorld(t, parts...)}
	var admitted, refused atomic.Int64
	var clients sync.WaitGroup
	for i := range 64 {
		clients.Go(func() {
			for range 4 {
				switch x := gateways[i%2].do("GET http://dev.gateway.localhost/echo"); x.status {
				case 200:
					admitted.Add(1)
				case 429:
					refused.Add(1)
				}
			}
		})
	}
	clients.Wait()
	if admitted.Load() != 100 || refused.Load() != 156 {
		t.Errorf("%d calls were admitted and %d refused, want 100 and 156", admitted.Load(), refused.Load())
	}
}

func TestLimitsWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	policies := `<rate-limit-by-key calls="2" renewal-period="300" counter-key="k" />`
	for _, c := range []struct {
		away string
		want [4]int
	}{
		{"open", [4]int{200, 200, 200, 200}},
		{"local", [4]int{200, 200, 429, 429}},
		{"closed", [4]int{503, 503, 503, 503}},
		{"closed,rate-limit-by-key=open", [4]int{200, 200, 200, 200}},
	} {
		t.Run(c.away, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			away, err := gateway.ParseCountersAway(c.away)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorldWith(t, func(o *gateway.Options) { o.Redis.Counters, o.Redis.Away = server.Address, away }, echoWith(t, policies)...)
			statuses := func() (got [4]int) {
				for i := range got {
					got[i] = w.do("GET http://dev.gateway.localhost/echo").status
				}
				return got
			}
			if got := statuses(); got != [4]int{200, 200, 429, 429} {
				t.Errorf("with Redis: %v", got)
			}
			server.Kill()
			started := time.Now()
			if got := statuses(); got != c.want {
				t.Errorf("without Redis: %v, want %v", got, c.want)
			}
			if d := time.Since(started); d > 20*time.Second {
				t.Errorf("the answers took %v", d)
			}
			awaitLog(t, w, "RedisAway")
			server.Restart()
			awaitLog(t, w, "RedisBack")
			if got := statuses(); got != [4]int{200, 200, 429, 429} {
				t.Errorf("after the return: %v", got)
			}
			w.gateway.Close()
			if log := w.log.String(); strings.Count(log, `"RedisAway"`) != 1 || strings.Count(log, `"RedisBack"`) != 1 {
				t.Errorf("the log does not tell of it once:\n%s", log)
			}
		})
	}
}

// awaitLog waits until the log has an event.
func awaitLog(t *testing.T, w *world, event string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(w.log.String(), event) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s in the log:\n%s", event, w.log.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestExternalCacheOfTheLocation(t *testing.T) {
	t.Parallel()
	first, second := redistest.Start(t), redistest.Start(t)
	kept := func(s *redistest.Server) bool { return s.Do("KEYS", "causeway:cache:*") != "[]" }
	w := newWorld(t, echoWith(t, `<cache-store-value key="k" value="v" duration="60" caching-type="external" />`, cachePart("default", "default", first.Address))...)
	call := func() {
		t.Helper()
		if x := w.do("GET http://dev.gateway.localhost/echo"); x.status != 200 {
			t.Fatal(x)
		}
	}
	call()
	if !kept(first) {
		t.Error("the default cache was not used")
	}
	first.Do("FLUSHALL")
	w.put(cachePart("mine", "Here", "{{redis}}"), mustPart(snapshot.KindNamedValue, "namedvalues/redis", snapshot.NamedValue{Name: "redis", Value: second.Address}))
	call()
	if kept(first) || !kept(second) {
		t.Error("the cache of the location was not used")
	}
	second.Do("FLUSHALL")
	w.put(cachePart("mine", "elsewhere", second.Address))
	call()
	if !kept(first) || kept(second) {
		t.Error("the cache of another location was used")
	}
	w.put(cachePart("default", "default", "no such=thing"))
	call()
	if !strings.Contains(w.log.String(), "RedisConnectionInvalid") {
		t.Error("the connection string that cannot be used was not reported")
	}
	w.gateway.Close()
}

func TestParseCountersAway(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"open": "open", "Closed": "closed", "quota=closed": "open,quota=closed", " local , quota = open,rate-limit=closed": "local,quota=open,rate-limit=closed",
		"": "error", "never": "error", "quota=": "error",
	} {
		a, err := gateway.ParseCountersAway(text)
		got := a.String()
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	if s := fmt.Sprint(gateway.CountersAway{}); s != "open" {
		t.Errorf("the zero value is %s", s)
	}
}
