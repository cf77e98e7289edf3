package configsync

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

const (
	testService = "/subscriptions/s/resourcegroups/g/providers/microsoft.apimanagement/service/dev"
	testWait    = time.Minute // only failing tests take so long
)

// plane is a service with a feed and keys.
type plane struct {
	Feed
	t  testing.TB
	mu sync.Mutex
	// keys and current are guarded by mu.
	keys    []GatewayKeys
	current *snapshot.Snapshot
}

func newPlane(t testing.TB) *plane {
	p := &plane{t: t, current: snapshot.Empty(), keys: []GatewayKeys{
		{Service: testService, Gateway: "Edge", Primary: "primary key", Secondary: "secondary key"},
	}}
	p.put(
		part(t, snapshot.KindService, "", snapshot.Service{Name: "dev"}),
		part(t, snapshot.KindGateway, "gateways/edge", snapshot.Gateway{Name: "edge"}),
		part(t, snapshot.KindGatewayAPI, "gateways/edge/apis/echo", snapshot.GatewayAPI{Gateway: "edge", API: "echo"}),
		part(t, snapshot.KindAPI, "apis/echo", snapshot.API{ID: "echo"}),
		part(t, snapshot.KindAPI, "apis/foreign", snapshot.API{ID: "foreign"}),
	)
	return p
}

func (p *plane) GatewayKeys(_ context.Context, gateway string) ([]GatewayKeys, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []GatewayKeys
	for _, k := range p.keys {
		if strings.EqualFold(k.Gateway, gateway) {
			found = append(found, k)
		}
	}
	return found, nil
}

// put publishes a change of the service and returns its sequence.
func (p *plane) put(parts ...snapshot.Part) int64 {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, _ = p.current.Edit(p.current.Sequence()+1, parts, nil)
	if err := p.Publish(testService, p.current); err != nil {
		p.t.Error(err)
	}
	return p.current.Sequence()
}

func (p *plane) token(expiry, now time.Time) string {
	token, err := auth.NewGatewayToken("edge", "primary key", expiry, now)
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

func part(t testing.TB, kind snapshot.Kind, id string, v any) snapshot.Part {
	t.Helper()
	p, err := snapshot.Encode(kind, id, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// policy is a part that the gateway "edge" sees.
func policy(t testing.TB, text string) snapshot.Part {
	return part(t, snapshot.KindPolicy, "apis/echo/policies/policy", snapshot.Policy{Scope: "apis/echo", Value: text})
}

// applied is a call of Client.Apply.
type applied struct {
	from, to *snapshot.Snapshot
	delta    snapshot.Delta
}

// gateway is a client with what it reported.
type gateway struct {
	Client
	t        testing.TB
	applies  chan applied
	statuses chan Status
	stop     func()
}

// newGateway prepares a client; refuse may be nil.
func newGateway(t testing.TB, endpoint, token string, refuse func(*snapshot.Snapshot) error) *gateway {
	g := &gateway{t: t, applies: make(chan applied, 10_000), statuses: make(chan Status, 10_000)}
	g.Endpoint, g.Instance, g.Version = endpoint, "instance-1", "1.2.3"
	g.Token = func(context.Context) (string, error) { return token, nil }
	g.Random = func() float64 { return 1 }
	g.Status = func(s Status) { g.statuses <- s }
	g.Apply = func(_ context.Context, from, to *snapshot.Snapshot, d snapshot.Delta) error {
		if refuse != nil {
			if err := refuse(to); err != nil {
				return err
			}
		}
		g.applies <- applied{from, to, d}
		return nil
	}
	return g
}

func (g *gateway) start() *gateway {
	ctx, cancel := context.WithCancel(g.t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	stopped := false
	g.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			g.t.Errorf("run: %v", err)
		}
	}
	g.t.Cleanup(g.stop)
	return g
}

// next returns the next configuration that was applied.
func (g *gateway) next() applied {
	g.t.Helper()
	select {
	case a := <-g.applies:
		return a
	case <-time.After(testWait):
		g.t.Fatal("no configuration was applied")
		return applied{}
	}
}

// until applies configurations until the wanted sequence serves.
func (g *gateway) until(sequence int64) *snapshot.Snapshot {
	g.t.Helper()
	for {
		if a := g.next(); a.to.Sequence() >= sequence {
			return a.to
		}
	}
}

func (g *gateway) status(what string, want func(Status) bool) Status {
	g.t.Helper()
	var last Status
	for {
		select {
		case last = <-g.statuses:
			if want(last) {
				return last
			}
		case <-time.After(testWait):
			g.t.Fatalf("status never came: %s; last %+v", what, last)
		}
	}
}

func (g *gateway) state(want State) Status {
	g.t.Helper()
	return g.status(string(want), func(s Status) bool { return s.State == want })
}

// testServer is a server on a loopback port that tells of instance changes.
type testServer struct {
	*Server
	t       testing.TB
	url     string
	changes chan Instance
}

func serve(t testing.TB, p *plane) *testServer {
	s := &testServer{t: t, changes: make(chan Instance, 10_000)}
	s.Server = &Server{Source: p, Version: "9.9.9", Changed: func(_, _ string, i Instance) { s.changes <- i }}
	hs := httptest.NewServer(s.Server)
	s.url = hs.URL
	t.Cleanup(func() {
		s.Close()
		hs.Close()
	})
	return s
}

func (s *testServer) instance(what string, want func(Instance) bool) Instance {
	s.t.Helper()
	var last Instance
	for {
		select {
		case last = <-s.changes:
			if want(last) {
				return last
			}
		case <-time.After(testWait):
			s.t.Fatalf("instance never so: %s; last %+v", what, last)
		}
	}
}
