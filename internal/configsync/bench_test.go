package configsync

import (
	"fmt"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// BenchmarkDelivery is the time from publishing a change to the call of the
// gateway's Apply, over a loopback connection.
func BenchmarkDelivery(b *testing.B) {
	p := newPlane(b)
	s := serve(b, p)
	s.Changed = nil
	g := newGateway(b, s.url, p.token(time.Now().Add(time.Hour), time.Now()), nil)
	g.Status = nil
	g.start()
	g.until(1)
	n := 0
	for b.Loop() {
		n++
		g.until(p.put(policy(b, fmt.Sprint(n))))
	}
}

// BenchmarkFull is the time from the connection of a new gateway to its first
// configuration, of 100,000 subscriptions.
func BenchmarkFull(b *testing.B) {
	p := newPlane(b)
	parts := make([]snapshot.Part, 100_000)
	for i := range parts {
		name := fmt.Sprintf("sub-%06d", i)
		parts[i] = part(b, snapshot.KindSubscription, "subscriptions/"+name, snapshot.Subscription{
			Name: name, Scope: "apis/echo", State: "active", PrimaryHash: make([]byte, 32), SecondaryHash: make([]byte, 32),
		})
	}
	p.put(parts...)
	s := serve(b, p)
	s.Changed = nil
	token := p.token(time.Now().Add(time.Hour), time.Now())
	newGateway(b, s.url, token, nil).start().until(2) // makes the view
	for b.Loop() {
		g := newGateway(b, s.url, token, nil)
		g.start().until(2)
		g.stop()
	}
	b.ReportMetric(float64(p.current.Bytes())/(1<<20), "MB")
}
