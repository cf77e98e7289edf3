package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resources"
	"github.com/causeway-apim/causeway/internal/store"
)

// BenchmarkPolicyPut measures one PUT of a policy document until the embedded gateway serves it: store, change log, snapshot,
// compilation, swap. The large configuration must cost at most twice what the small one does.
func BenchmarkPolicyPut(b *testing.B) {
	for _, size := range []struct{ operations, subscriptions int }{{100, 100}, {10_000, 100_000}} {
		b.Run(fmt.Sprintf("operations=%d/subscriptions=%d", size.operations, size.subscriptions), func(b *testing.B) {
			before := liveHeap()
			p, loaded := largePlane(b, size.operations, size.subscriptions)
			heap := float64(liveHeap()-before) / (1 << 20)
			service, err := arm.ParseID(devServiceID)
			if err != nil {
				b.Fatal(err)
			}
			policy := arm.Below(service, "apis/api-0/policies/policy")
			n := 0
			for b.Loop() {
				n++
				body := fmt.Sprintf(`{"properties":{"format":"rawxml","value":"<policies><inbound><base /><set-header name=\"X-N\"><value>%d</value></set-header></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"}}`, n)
				if _, err := p.manage.Engine().Put(b.Context(), policy, []byte(body)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(heap, "MB")
			b.ReportMetric(float64(loaded.Milliseconds()), "load-ms")
		})
	}
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// largePlane seeds a store, and opens a plane with its managed gateway on it. loaded is how long opening took.
func largePlane(b *testing.B, operations, subscriptions int) (*plane, time.Duration) {
	b.Helper()
	ctx := context.Background()
	var key [32]byte
	o := planeOptions{
		log: slog.New(slog.DiscardHandler), databaseURL: "sqlite://" + filepath.Join(b.TempDir(), "bench.db"), keyring: store.NewKeyring(key),
		identity: identityOptions{secret: "bench"}, awaitGateway: true, withGateway: true, handlers: map[string]http.Handler{},
	}
	seed := o
	seed.withGateway = false
	p, err := openPlane(ctx, seed)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.prepareDev(ctx, true, ""); err != nil {
		b.Fatal(err)
	}
	service, err := arm.ParseID(devServiceID)
	if err != nil {
		b.Fatal(err)
	}
	if err := seedService(ctx, p, service, operations, subscriptions); err != nil {
		b.Fatal(err)
	}
	if err := p.store.Close(); err != nil {
		b.Fatal(err)
	}
	started := time.Now()
	if p, err = openPlane(ctx, o); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		p.gateway.Close()
		if err := p.store.Close(); err != nil {
			b.Error(err)
		}
	})
	return p, time.Since(started)
}

// seedService writes APIs of a hundred operations each and subscriptions to all of them.
func seedService(ctx context.Context, p *plane, service arm.ID, operations, subscriptions int) error {
	for a := 0; a*100 < operations; a++ {
		api := arm.Below(service, fmt.Sprintf("apis/api-%d", a))
		body := fmt.Sprintf(`{"properties":{"displayName":"API %d","path":"api-%d","protocols":["http"],"serviceUrl":"http://127.0.0.1:9"}}`, a, a)
		if _, err := p.manage.Engine().Put(ctx, api, []byte(body)); err != nil {
			return err
		}
		var docs []*resource.Doc[resources.Operation]
		for i := range min(100, operations-a*100) {
			d := &resource.Doc[resources.Operation]{Meta: resource.Meta{ID: api.Child("operations", fmt.Sprintf("op-%d", i))}}
			d.Props = resources.Operation{DisplayName: fmt.Sprintf("Operation %d", i), Method: "GET", URLTemplate: fmt.Sprintf("/things/%d/{id}", i),
				TemplateParameters: []resources.Parameter{{Name: "id", Type: "string", Required: true}}}
			docs = append(docs, d)
		}
		if err := p.manage.Engine().WriteFunc(ctx, service, func(x *resource.Tx) error { return resource.SaveAll(x, docs) }); err != nil {
			return err
		}
	}
	const batch = 5000
	for n := 0; n < subscriptions; n += batch {
		var docs []*resource.Doc[resources.Subscription]
		for i := n; i < min(n+batch, subscriptions); i++ {
			d := &resource.Doc[resources.Subscription]{Meta: resource.Meta{ID: arm.Below(service, fmt.Sprintf("subscriptions/s-%d", i))}}
			d.Props = resources.Subscription{
				DisplayName: fmt.Sprintf("Subscription %d", i), Scope: devServiceID + "/apis", State: "active",
				PrimaryKey: benchKey("p", i), SecondaryKey: benchKey("s", i),
				PrimaryHash: benchHash("p", i), SecondaryHash: benchHash("s", i),
			}
			docs = append(docs, d)
		}
		if err := p.manage.Engine().WriteFunc(ctx, service, func(x *resource.Tx) error { return resource.SaveAll(x, docs) }); err != nil {
			return err
		}
	}
	return nil
}

// benchHash stands for the keyed hash of a subscription key.
func benchHash(kind string, i int) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s-%d", kind, i))
	return sum[:]
}

func benchKey(kind string, i int) string { return fmt.Sprintf("%x", benchHash(kind, i))[:32] }
