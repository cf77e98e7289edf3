// Package gateway is the data plane: it matches requests to operations, admits
// them, runs their policies, calls backend services and records what happened.
//
//	receive → match → admit → inbound → backend → outbound → write → record
//
// It knows snapshots and nothing of the management plane.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// managedGateway is the name of a service's own gateway.
const managedGateway = "managed"

// Options are what a gateway needs. All fields but the last are required.
type Options struct {
	// Name is "managed" or the name of a self-hosted gateway.
	Name string
	// InstanceID names this process among the gateway's.
	InstanceID string
	Catalogue  *policy.Catalogue
	Transport  message.Transport
	Counters   policy.Counters
	Log        *slog.Logger
	Now        func() time.Time
	// TrustForwardedProto makes X-Forwarded-Proto the scheme of a request.
	TrustForwardedProto bool
}

// Gateway serves the APIs of one or more services.
type Gateway struct {
	name       string
	instance   string
	catalogue  *policy.Catalogue
	transport  message.Transport
	counters   policy.Counters
	log        *slog.Logger
	now        func() time.Time
	records    *telemetry.Queue
	requests   sync.Pool
	ctx        context.Context // of background work; ends with Close
	cancel     context.CancelFunc
	background sync.WaitGroup
	oneWay     chan struct{}
	ready      atomic.Bool
	trustProto bool

	mu       sync.Mutex
	services atomic.Pointer[services] // replaced, never changed
}

// services are the services of a gateway by the ways to find them.
type services struct {
	byID     map[string]*service // lower-case ARM ID
	byHost   map[string]*service
	fallback *service
}

// service is one service on this gateway. Its configuration is replaced as a
// whole.
type service struct {
	gateway  *Gateway
	id       string
	current  atomic.Pointer[config]
	counters policy.Counters
	backends backendStates
	tls      tlsConfigs
}

const (
	recordQueue = 8192
	maxOneWay   = 1024
)

// New returns a gateway that serves nothing yet.
func New(o Options) *Gateway {
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gateway{
		name: o.Name, instance: o.InstanceID, catalogue: o.Catalogue, transport: o.Transport, counters: o.Counters,
		log: o.Log, now: o.Now, ctx: ctx, cancel: cancel, oneWay: make(chan struct{}, maxOneWay),
		trustProto: o.TrustForwardedProto,
	}
	g.services.Store(&services{byID: map[string]*service{}, byHost: map[string]*service{}})
	g.requests.New = func() any { return newRequest(g) }
	g.records = telemetry.NewQueue(recordQueue,
		func(r *telemetry.Record) { telemetry.LogRecord(g.log, r) },
		func(n int64) {
			g.log.Warn("Log lines of requests were dropped: they came faster than they can be written.", "count", n)
		})
	return g
}

// Close ends background work after requests have drained.
func (g *Gateway) Close() {
	g.background.Wait()
	g.cancel()
	g.records.Close()
}

// Ready says whether a configuration is served.
func (g *Gateway) Ready() bool { return g.ready.Load() }

// Apply brings the next configuration of a service into use: what the delta
// changes is compiled beside the running configuration, then swapped in. On
// error the old one goes on serving. Requests in flight keep the one they
// started with. serviceID is an ARM ID; from is nil for the first configuration
// of a service.
func (g *Gateway) Apply(_ context.Context, serviceID string, from, to *snapshot.Snapshot, d snapshot.Delta) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := strings.ToLower(serviceID)
	s, known := g.services.Load().byID[id]
	if !known {
		s = &service{gateway: g, id: id, counters: &serviceCounters{g.counters, id + "|"}}
		s.tls.log = g.log
	}
	base := s.current.Load()
	if base == nil || from == nil {
		base = &config{deployment: policy.Deployment{GatewayID: g.name, InstanceID: g.instance}}
		if old := s.current.Load(); old != nil {
			base.generation = old.generation
		}
		d = snapshot.Diff(snapshot.Empty(), to)
	}
	next, err := base.apply(to, d, g.catalogue)
	if err != nil {
		return fmt.Errorf("compile configuration %d: %w", to.Sequence(), err)
	}
	if next.hasher == nil {
		return errors.New("compile configuration: it has no service part")
	}
	s.current.Store(next)
	if !known || hostsChanged(base, next) {
		g.index(s)
	}
	g.ready.Store(true)
	return nil
}

// Remove takes a service off the gateway.
func (g *Gateway) Remove(serviceID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := strings.ToLower(serviceID)
	all := g.services.Load().list()
	kept := all[:0]
	for _, s := range all {
		if s.id != id {
			kept = append(kept, s)
		}
	}
	g.services.Store(newServices(kept))
}

func (g *Gateway) index(s *service) {
	all := g.services.Load().list()
	if _, known := g.services.Load().byID[s.id]; !known {
		all = append(all, s)
	}
	g.services.Store(newServices(all))
}

// list returns the services, the fallback first.
func (v *services) list() []*service {
	var all []*service
	if v.fallback != nil {
		all = append(all, v.fallback)
	}
	for _, s := range v.byID {
		if s != v.fallback {
			all = append(all, s)
		}
	}
	return all
}

// newServices indexes services by host name. The first one answers hosts that
// nobody claims, unless one is called dev.
func newServices(all []*service) *services {
	v := &services{byID: make(map[string]*service), byHost: make(map[string]*service)}
	for _, s := range all {
		c := s.current.Load()
		v.byID[s.id] = s
		if v.fallback == nil || strings.EqualFold(c.service.Name, "dev") {
			v.fallback = s
		}
		v.byHost[strings.ToLower(c.service.Name)+".gateway.localhost"] = s
		for _, h := range c.service.Hostnames {
			v.byHost[strings.ToLower(h)] = s
		}
	}
	return v
}

func hostsChanged(a, b *config) bool {
	if a.service.Name != b.service.Name || len(a.service.Hostnames) != len(b.service.Hostnames) {
		return true
	}
	for i, h := range a.service.Hostnames {
		if h != b.service.Hostnames[i] {
			return true
		}
	}
	return false
}

// find returns the service that a request's host names.
func (v *services) find(host string) *service {
	if len(v.byID) <= 1 {
		return v.fallback
	}
	if s := lookupFold(v.byHost, host); s != nil {
		return s
	}
	return v.fallback
}
