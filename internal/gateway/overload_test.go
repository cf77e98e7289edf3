package gateway_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// overloaded is a world with a backend service that answers when it is told to. change may be nil.
func overloaded(t *testing.T, o gateway.Overload, change func(*gateway.Options)) (w *world, arrived chan struct{}, release chan struct{}) {
	t.Helper()
	arrived, release = make(chan struct{}, 100), make(chan struct{})
	w = newWorldWith(t, func(options *gateway.Options) {
		if change != nil {
			change(options)
		}
		options.Overload, options.Transport = o, transportFunc(func(context.Context, *message.Request) (*message.Response, error) {
			arrived <- struct{}{}
			<-release
			return textResponse(200, "done"), nil
		})
	}, apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"))
	return w, arrived, release
}

type transportFunc func(context.Context, *message.Request) (*message.Response, error)

func (f transportFunc) RoundTrip(ctx context.Context, r *message.Request, _ message.TransportOptions) (*message.Response, error) {
	return f(ctx, r)
}

// TestOverloadQueue checks that requests beyond the limit wait, those beyond the queue are refused, and all who waited get their turn.
func TestOverloadQueue(t *testing.T) {
	t.Parallel()
	metrics := telemetry.NewMetrics(telemetry.MetricsOptions{Location: func() string { return "" }, Buckets: []float64{5}})
	w, arrived, release := overloaded(t, gateway.Overload{Requests: 2, Queue: 3, Patience: time.Hour}, func(o *gateway.Options) { o.Metrics = metrics })
	var clients sync.WaitGroup
	var served, refused atomic.Int64
	refusals := make(chan string, 10)
	for range 8 {
		clients.Go(func() {
			switch x := w.do("GET http://dev.gateway.localhost/a/"); {
			case x.status == 200:
				served.Add(1)
			case x.status == 503 && x.header.Get("Retry-After") == "1" && strings.Contains(x.body, "overloaded"):
				refused.Add(1)
				refusals <- ""
			default:
				t.Errorf("got %v", x)
			}
		})
	}
	<-arrived
	<-arrived
	for range 3 {
		<-refusals // two are under way and three wait
	}
	if x := w.do("GET http://dev.gateway.localhost/livez"); x.status != 200 {
		t.Errorf("health: %v", x)
	}
	select {
	case <-arrived:
		t.Error("a third request went to the backend service")
	default:
	}
	close(release)
	clients.Wait()
	counted := 0.0
	for _, s := range metrics.Read() {
		for _, l := range s.Labels {
			if l.Name == "LastErrorReason" && l.Value == "Overloaded" {
				counted += s.Value
			}
		}
	}
	if counted != 3 {
		t.Errorf("%v refused requests are counted, want 3", counted)
	}
	if served.Load() != 5 || refused.Load() != 3 {
		t.Errorf("%d served, %d refused", served.Load(), refused.Load())
	}
	if x := w.do("GET http://dev.gateway.localhost/a/"); x.status != 200 {
		t.Errorf("afterwards: %v", x)
	}
	if !strings.Contains(w.log.String(), "Overloaded") {
		t.Error("the log says nothing")
	}
}

// TestOverloadPatience checks that nobody waits for ever.
func TestOverloadPatience(t *testing.T) {
	t.Parallel()
	w, arrived, release := overloaded(t, gateway.Overload{Requests: 1, Queue: 3, Patience: 20 * time.Millisecond}, nil)
	var first sync.WaitGroup
	first.Go(func() { w.do("GET http://dev.gateway.localhost/a/") })
	<-arrived
	if x := w.do("GET http://dev.gateway.localhost/a/"); x.status != 503 {
		t.Errorf("got %v", x)
	}
	close(release)
	first.Wait()
	if x := w.do("GET http://dev.gateway.localhost/a/"); x.status != 200 {
		t.Errorf("afterwards: %v", x)
	}
}

// TestOverloadMemory checks that requests are refused while memory is short, and until there is some room again, which a collection may find.
func TestOverloadMemory(t *testing.T) {
	t.Parallel()
	var use atomic.Int64
	collected := make(chan struct{}, 1)
	w, _, release := overloaded(t, gateway.Overload{MemoryLimit: 1000, MemoryUse: use.Load, Collect: func() { collected <- struct{}{} }}, nil)
	close(release)
	now := w.clock.Now()
	for _, step := range []struct {
		use    int64
		status int
	}{{800, 200}, {900, 503}, {820, 503}, {780, 200}, {840, 200}} {
		use.Store(step.use)
		now = now.Add(time.Second)
		x := newExchange(t, "GET http://dev.gateway.localhost/a/")
		x.req.Received = now
		w.gateway.Serve(x)
		x.end()
		if x.status != step.status {
			t.Errorf("with %d in use: %v", step.use, x)
		}
	}
	select {
	case <-collected:
		t.Error("memory was collected within a moment of shortage")
	default:
	}
	use.Store(900)
	for i := range 7 {
		x := newExchange(t, "GET http://dev.gateway.localhost/a/")
		x.req.Received = now.Add(time.Duration(i+1) * time.Second)
		w.gateway.Serve(x)
		x.end()
	}
	<-collected
	if gateway.LiveMemory() <= 0 {
		t.Error("this process uses no memory")
	}
}
