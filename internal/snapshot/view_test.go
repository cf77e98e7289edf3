package snapshot

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestViewFollowsRandomEdits: a view that is kept up equals one from scratch.
func TestViewFollowsRandomEdits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := Empty()
		views := []*View{NewView(s, "g"), NewView(s, "h"), NewView(s, "managed")}
		for range 150 {
			next, d := randomEdit(t, r, s)
			s = next
			for _, v := range views {
				was := v.Snapshot()
				change := v.Apply(d, s)
				scratchBase, _ := Empty().Edit(s.Sequence(), slices.Collect(s.All()), nil)
				scratch := NewView(scratchBase, v.gateway)
				if v.Snapshot().Digest() != scratch.Snapshot().Digest() {
					t.Fatalf("seed %d, sequence %d, gateway %s: %+v", seed, s.Sequence(), v.gateway,
						Diff(v.Snapshot(), scratch.Snapshot()))
				}
				if !maps.Equal(v.active, scratch.active) {
					t.Fatalf("seed %d: counts differ", seed)
				}
				if got, err := was.Apply(change); err != nil || got.Digest() != v.Snapshot().Digest() {
					t.Fatalf("the change does not lead to the view: %v", err)
				}
			}
		}
	}
}

// TestViewMembership names what a gateway sees of a small service.
func TestViewMembership(t *testing.T) {
	t.Parallel()
	policy := func(scope, text string) Part {
		return mustEncode(t, KindPolicy, strings.TrimPrefix(scope+"/policies/policy", "/"), Policy{Scope: scope, Value: text})
	}
	parts := []Part{
		mustEncode(t, KindService, "", Service{Name: "s"}),
		mustEncode(t, KindGateway, "gateways/edge", Gateway{Name: "Edge", Location: "The Edge"}),
		mustEncode(t, KindGateway, "gateways/other", Gateway{Name: "other"}),
		mustEncode(t, KindHostname, "gateways/edge/hostnameconfigurations/h", Hostname{Gateway: "edge", Certificate: "tls"}),
		mustEncode(t, KindHostname, "gateways/other/hostnameconfigurations/h", Hostname{Gateway: "other", Certificate: "tls2"}),
		mustEncode(t, KindGatewayAPI, "gateways/edge/apis/echo", GatewayAPI{Gateway: "edge", API: "echo"}),
		mustEncode(t, KindAPI, "apis/echo", API{ID: "echo", VersionSet: "vs"}),
		mustEncode(t, KindAPI, "apis/echo;rev=2", API{ID: "echo;rev=2"}),
		mustEncode(t, KindAPI, "apis/hidden", API{ID: "hidden"}),
		mustEncode(t, KindOperation, "apis/echo;rev=2/operations/get", Operation{API: "echo;rev=2"}),
		mustEncode(t, KindOperation, "apis/hidden/operations/get", Operation{API: "hidden"}),
		mustEncode(t, KindVersionSet, "apiversionsets/vs", VersionSet{Name: "vs"}),
		mustEncode(t, KindProduct, "products/in", Product{Name: "in", Groups: []string{"developers"}}),
		mustEncode(t, KindProduct, "products/out", Product{Name: "out"}),
		mustEncode(t, KindProductAPI, "products/in/apis/echo", ProductAPI{Product: "in", API: "echo"}),
		mustEncode(t, KindProductAPI, "products/in/apis/hidden", ProductAPI{Product: "in", API: "hidden"}),
		mustEncode(t, KindProductAPI, "products/out/apis/hidden", ProductAPI{Product: "out", API: "hidden"}),
		mustEncode(t, KindGroup, "groups/developers", Group{Name: "developers"}),
		mustEncode(t, KindGroup, "groups/nobody", Group{Name: "nobody"}),
		mustEncode(t, KindUser, "users/ann", User{Name: "ann"}),
		mustEncode(t, KindUser, "users/bob", User{Name: "bob"}),
		mustEncode(t, KindSubscription, "subscriptions/in", Subscription{Name: "in", Scope: "products/in", User: "ann"}),
		mustEncode(t, KindSubscription, "subscriptions/out", Subscription{Name: "out", Scope: "products/out", User: "bob"}),
		mustEncode(t, KindSubscription, "subscriptions/all", Subscription{Name: "all", Scope: "apis"}),
		mustEncode(t, KindSubscriptionKeys, "subscriptions/in", SubscriptionKeys{Primary: "k"}),
		mustEncode(t, KindNamedValue, "namedvalues/1", NamedValue{Name: "Used", Value: "x"}),
		mustEncode(t, KindNamedValue, "namedvalues/2", NamedValue{Name: "unused", Value: "secret", Secret: true}),
		mustEncode(t, KindNamedValue, "namedvalues/3", NamedValue{Name: "in-fragment"}),
		mustEncode(t, KindFragment, "policyfragments/f", Fragment{Name: "f", Value: "<fragment>{{ in-fragment }}</fragment>"}),
		mustEncode(t, KindFragment, "policyfragments/unused", Fragment{Name: "unused"}),
		mustEncode(t, KindBackend, "backends/pool", Backend{Name: "pool", Pool: []PoolMember{{Backend: "/backends/one"}}}),
		mustEncode(t, KindBackend, "backends/one", Backend{Name: "one", Credentials: &Credentials{CertificateIDs: []string{"client"}}}),
		mustEncode(t, KindBackend, "backends/two", Backend{Name: "two"}),
		mustEncode(t, KindCertificate, "certificates/tls", Certificate{Name: "tls", Thumbprint: "AA"}),
		mustEncode(t, KindCertificate, "certificates/tls2", Certificate{Name: "tls2", Thumbprint: "BB"}),
		mustEncode(t, KindCertificate, "certificates/client", Certificate{Name: "client", Thumbprint: "CC"}),
		mustEncode(t, KindLogger, "loggers/used", Logger{Name: "used"}),
		mustEncode(t, KindLogger, "loggers/hidden", Logger{Name: "hidden"}),
		mustEncode(t, KindDiagnostic, "apis/echo/diagnostics/azuremonitor", Diagnostic{Name: "azuremonitor", Logger: "loggers/used"}),
		mustEncode(t, KindDiagnostic, "apis/hidden/diagnostics/azuremonitor", Diagnostic{Name: "azuremonitor", Logger: "loggers/hidden"}),
		mustEncode(t, KindCache, "caches/default", Cache{UseFrom: "default", Connection: "{{connection}}"}),
		mustEncode(t, KindCache, "caches/here", Cache{UseFrom: "theedge"}),
		mustEncode(t, KindCache, "caches/there", Cache{UseFrom: "elsewhere"}),
		mustEncode(t, KindNamedValue, "namedvalues/4", NamedValue{Name: "connection"}),
		policy("", `<set-header name="a">{{used}}</set-header>`),
		policy("apis/echo", `<include-fragment fragment-id = 'f' /><set-backend-service backend-id="pool" />`),
		policy("products/in", ``),
		policy("products/out", `{{unused}}`),
		mustEncode(t, "futureKind", "future/1", map[string]int{"a": 1}),
	}
	s, _ := Empty().Edit(1, parts, nil)
	v := NewView(s, "EDGE")
	want := []string{
		"api apis/echo", "api apis/echo;rev=2", "backend backends/one", "backend backends/pool",
		"cache caches/default", "cache caches/here", "certificate certificates/client", "certificate certificates/tls", "fragment policyfragments/f",
		"diagnostic apis/echo/diagnostics/azuremonitor", "logger loggers/used",
		"gateway gateways/edge", "group groups/developers", "hostname gateways/edge/hostnameconfigurations/h",
		"namedValue namedvalues/1", "namedValue namedvalues/3", "namedValue namedvalues/4", "operation apis/echo;rev=2/operations/get",
		"policy apis/echo/policies/policy", "policy policies/policy", "policy products/in/policies/policy",
		"product products/in", "productApi products/in/apis/echo", "service", "subscription subscriptions/all",
		"subscription subscriptions/in", "user users/ann", "versionSet apiversionsets/vs",
	}
	check := func(why string, want ...string) {
		t.Helper()
		var got []string
		for p := range v.Snapshot().All() {
			got = append(got, p.Key.String())
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", why, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check("at first", want...)

	apply := func(put []Part, del ...Key) Delta {
		t.Helper()
		next, d := s.Edit(s.Sequence()+1, put, del)
		s = next
		return v.Apply(d, s)
	}
	if d := apply([]Part{policy("apis/hidden", "{{unused}}")}); !d.Empty() || d.To != 2 {
		t.Errorf("a policy of a foreign API gives %+v", d)
	}
	apply([]Part{policy("products/in", `@(context.Subscription.PrimaryKey)`)})
	check("keys are read", append(want, "subscriptionKeys subscriptions/in")...)
	apply([]Part{policy("products/in", `<set-backend-service backend-id="@(x)" />`)})
	check("any backend", append(want, "backend backends/two")...)
	apply([]Part{policy("products/in", "")})
	check("back again", want...)
	apply(nil, Key{KindGatewayAPI, "gateways/edge/apis/echo"})
	check("nothing assigned", "cache caches/default", "cache caches/here", "certificate certificates/tls", "gateway gateways/edge",
		"hostname gateways/edge/hostnameconfigurations/h", "namedValue namedvalues/1", "namedValue namedvalues/4", "policy policies/policy",
		"service", "subscription subscriptions/all")
}

// BenchmarkPolicyChange is one policy PUT: the change of the service and of a
// gateway's view. It must not grow with the size of the service.
func BenchmarkPolicyChange(b *testing.B) {
	for _, size := range []struct{ operations, subscriptions int }{{100, 100}, {10_000, 100_000}, {100_000, 1_000_000}} {
		b.Run(fmt.Sprintf("operations=%d/subscriptions=%d", size.operations, size.subscriptions), func(b *testing.B) {
			s := big(b, size.operations, size.subscriptions)
			v := NewView(s, "edge")
			version := 0
			b.ReportAllocs()
			for b.Loop() {
				version++
				next, d := s.Edit(s.Sequence()+1, []Part{policyPart(b, version%size.operations, version)}, nil)
				if change := v.Apply(d, next); len(change.Put) != 1 {
					b.Fatalf("got %+v", change)
				}
				s = next
			}
		})
	}
}

// BenchmarkMemory prints what 10,000 operations and 100,000 subscriptions take:
// the snapshot, and the graph with one gateway's view on top.
func BenchmarkMemory(b *testing.B) {
	heap := func() float64 {
		// What earlier benchmarks left in pools and behind finalizers goes with
		// the second and third collection.
		for range 3 {
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	for b.Loop() {
		empty := heap()
		s := big(b, 10_000, 100_000)
		full := heap()
		start := time.Now()
		v := NewView(s, "edge")
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "view-ms")
		viewed := heap()
		b.ReportMetric(full-empty, "snapshot-MB")
		b.ReportMetric(viewed-full, "view-MB")
		b.ReportMetric(float64(s.Bytes())/(1<<20), "data-MB")
		runtime.KeepAlive(v)
		runtime.KeepAlive(s)
	}
}
