package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// plainExchange is one exchange that is served again and again without
// allocating.
type plainExchange struct {
	*fakeExchange
	header message.Header
	url    message.URL
}

func (x *plainExchange) Respond(r *message.Response) error {
	x.status = r.Status
	return nil
}

func (x *plainExchange) serve(h message.Handler) {
	x.req.URL = x.url
	x.req.Header.CopyFrom(&x.header)
	x.fakeExchange.finish = x.fakeExchange.finish[:0]
	x.status = 0
	h.Serve(x)
	for _, f := range x.fakeExchange.finish {
		f(x.result)
	}
}

// plainBackend answers with one response again and again.
type plainBackend struct{ response message.Response }

func (b *plainBackend) RoundTrip(context.Context, *message.Request, message.TransportOptions) (*message.Response, error) {
	b.response = message.Response{Status: 200, Header: b.response.Header, ContentLength: 2}
	return &b.response, nil
}

// newPlain is a gateway with an API that needs a subscription key, and a request
// for it.
func newPlain(tb testing.TB) (message.Handler, *plainExchange) {
	tb.Helper()
	g := newGateway(tb, &plainBackend{message.Response{Header: message.NewHeader("Content-Type", "text/plain", "X-Backend", "1")}}, slog.New(slog.DiscardHandler), time.Now)
	tb.Cleanup(g.Close)
	s, delta := snapshot.Empty().Edit(1, []snapshot.Part{
		servicePart, policyPart(tb, "", defaultPolicy),
		apiPart(snapshot.API{ID: "a", Path: "shop/api", SubscriptionRequired: true, ServiceURL: "http://127.0.0.1:9000"}),
		operationPart("a", "get", "GET /items/{id}"), subscriptionPart("s", "apis/a", "key", nil),
	}, nil)
	if err := g.Apply(tb.Context(), serviceID, nil, s, delta); err != nil {
		tb.Fatal(err)
	}
	x := &plainExchange{fakeExchange: newExchange(tb, "GET "+host+"/shop/api/items/42?q=1", "User-Agent", "bench", "Accept", "*/*", "Ocp-Apim-Subscription-Key", "key")}
	x.header, x.url, x.ctx = x.req.Header.Clone(), x.req.URL, context.Background()
	x.serve(g)
	if x.status != 200 {
		tb.Fatalf("status %d", x.status)
	}
	return g, x
}

func BenchmarkServe(b *testing.B) {
	g, x := newPlain(b)
	b.ReportAllocs()
	for b.Loop() {
		x.serve(g)
	}
}

// bigParts are APIs of 100 operations each, a policy for every API, and
// subscriptions of 10 APIs.
func bigParts(tb testing.TB, operations, subscriptions int) []snapshot.Part {
	parts := []snapshot.Part{servicePart, policyPart(tb, "", defaultPolicy)}
	for i := range operations / 100 {
		api := fmt.Sprintf("api%d", i)
		parts = append(parts, apiPart(snapshot.API{ID: api, Path: api, SubscriptionRequired: true}), policyPart(tb, "apis/"+api, changingPolicy(0)))
		for j := range 100 {
			parts = append(parts, operationPart(api, fmt.Sprintf("op%d", j), fmt.Sprintf("GET /r%d/{id}", j)))
		}
	}
	for i := range subscriptions {
		parts = append(parts, subscriptionPart(fmt.Sprintf("sub%d", i), fmt.Sprintf("apis/api%d", i%10), fmt.Sprintf("key%d", i), nil))
	}
	return parts
}

func changingPolicy(n int) string {
	return inbound(fmt.Sprintf(`<set-header name="X"><value>@("%d" + context.Api.Id)</value></set-header>`, n))
}

// BenchmarkApplyAll measures how long a configuration of 10,000 operations and
// 100,000 subscriptions takes to come into use, and what memory it holds.
func BenchmarkApplyAll(b *testing.B) {
	s, delta := snapshot.Empty().Edit(1, bigParts(b, 10_000, 100_000), nil)
	for b.Loop() {
		before := heap()
		g := newGateway(b, &fakeBackend{}, slog.New(slog.DiscardHandler), time.Now)
		start := time.Now()
		if err := g.Apply(b.Context(), serviceID, nil, s, delta); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/apply")
		b.ReportMetric(float64(heap()-before)/1e6, "MB")
		g.Close()
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkApplyPolicy measures one changed policy document in a small and in a
// large configuration: the second costs at most twice the first.
func BenchmarkApplyPolicy(b *testing.B) {
	for _, operations := range []int{100, 10_000} {
		b.Run(fmt.Sprint(operations), func(b *testing.B) {
			s, delta := snapshot.Empty().Edit(1, bigParts(b, operations, operations*10), nil)
			g := newGateway(b, &fakeBackend{}, slog.New(slog.DiscardHandler), time.Now)
			defer g.Close()
			if err := g.Apply(b.Context(), serviceID, nil, s, delta); err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				n++
				next, delta := s.Edit(s.Sequence()+1, []snapshot.Part{policyPart(b, "apis/api0", changingPolicy(n))}, nil)
				if err := g.Apply(b.Context(), serviceID, s, next, delta); err != nil {
					b.Fatal(err)
				}
				s = next
			}
		})
	}
}
