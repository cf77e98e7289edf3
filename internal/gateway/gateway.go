// Package gateway is the data plane: it matches requests to operations, admits
// them, runs their policies, calls backend services and records what happened.
//
//	receive → match → admit → inbound → backend → outbound → write → record
//
// It knows snapshots and nothing of the management plane.
package gateway

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/cache"
	"github.com/causeway-apim/causeway/internal/gateway/messaging"
	"github.com/causeway-apim/causeway/internal/graphql"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Options are what a gateway needs. All fields but the last ones are required.
type Options struct {
	// Name is "managed" or the name of a self-hosted gateway.
	Name string
	// InstanceID names this process among the gateway's.
	InstanceID string
	Catalogue  *policy.Catalogue
	Transport  message.Transport
	Counters   policy.Counters
	Cache      policy.Cache
	Trust      *policy.Trust
	// BackendTLS and ServerTLS are spoken to backend services and to clients, unless a managed gateway's service says otherwise.
	BackendTLS, ServerTLS TLSSettings
	Log                   *slog.Logger
	Now                   func() time.Time
	// Redis says what is kept in Redis.
	Redis RedisOptions
	// TrustForwardedProto makes X-Forwarded-Proto the scheme of a request.
	TrustForwardedProto bool
	// TrustedProxies are the addresses whose X-Forwarded-For and X-Forwarded-Proto are believed; with any, those of others are removed.
	TrustedProxies []netip.Prefix
	// Overload says when requests are refused.
	Overload Overload
	// Trace takes the trace of a request that was traced with debug credentials;
	// it must not block for long. Nil drops them.
	Trace func(service, id string, document []byte)
	// Circuit is told when circuit breakers open and close; it must not block. Nil when nobody wants to know.
	Circuit func(service string, c CircuitChange)
	// Proxy is the forward proxy for a URL that has none of its own, nil for none; see [EnvironmentProxy].
	Proxy func(u *message.URL) *message.Proxy
	// SQL runs the statements of sql-data-source; nil for a gateway without.
	SQL policy.SQL
	// Dapr is the sidecar for the policies that need one.
	Dapr policy.Dapr
	// Usage adds up what requests use; nil when nobody wants to know. See [Gateway.FlushUsage].
	Usage *telemetry.Usage
	// Metrics add up what requests take and what policies measure; nil when nobody wants to know.
	Metrics *telemetry.Metrics
	// Record is given each record that is not dropped, one after the other; it must not keep it. Nil for none.
	Record func(*telemetry.Record)
	// Spans says which requests leave spans, and where.
	Spans telemetry.SpanOptions
	// InsightsEndpoint is where telemetry of Application Insights goes when the logger names no place; empty for Azure's public cloud.
	InsightsEndpoint string
	// Credentials asks the management plane for tokens of the credential manager; nil for a gateway that cannot.
	Credentials Credentials
}

// Gateway serves the APIs of one or more services.
type Gateway struct {
	name             string
	instance         string
	catalogue        *policy.Catalogue
	transport        message.Transport
	counters         policy.Counters
	cache            policy.Cache
	vectors          policy.Vectors
	redis            RedisOptions
	trust            *policy.Trust
	backendTLS       TLSSettings
	serverTLS        TLSSettings
	refusedConns     sparse
	trustedProxies   *netSet // nil: nobody is asked who the client is
	load             load
	sql              policy.SQL
	events           *graphql.Hub // of GraphQL subscriptions
	log              *slog.Logger
	now              func() time.Time
	records          *telemetry.Queue
	requests         sync.Pool
	ctx              context.Context // of background work; ends with Close
	cancel           context.CancelFunc
	background       sync.WaitGroup
	oneWay           chan struct{}
	traces           *telemetry.Traces // that the gateway gives out itself
	keepTrace        func(service, id string, document []byte)
	circuit          func(service string, c CircuitChange)
	trustProto       bool
	proxy            func(u *message.URL) *message.Proxy // nil without proxies
	dapr             policy.Dapr
	messages         *messaging.Client
	tokens           Credentials
	usage            *telemetry.Usage   // nil when nobody wants to know
	metrics          *telemetry.Metrics // likewise
	tellRecord       func(*telemetry.Record)
	spans            telemetry.SpanOptions
	insightsEndpoint string
	altSvc           atomic.Pointer[string] // the announcement of HTTP/3; nil without
	leaving          atomic.Bool            // Leave was called

	mu       sync.Mutex
	services atomic.Pointer[services] // replaced, never changed
	servers  map[string]*redisServer  // by connection string
	retiring sync.WaitGroup           // of servers that are no longer needed
}

// services are the services of a gateway by the ways to find them.
type services struct {
	all      []*service // in the order of their IDs
	byHost   map[string]*service
	fallback *service // answers hosts that no service claims; nil without services
}

// service is one service on this gateway. Its configuration is replaced as a
// whole.
type service struct {
	gateway  *Gateway
	id       string // lower-case ARM ID
	current  atomic.Pointer[config]
	backends backendStates
	events   eventLoggers
	clients  clientConfigs // without a client certificate
	made     madeCertificates
}

const (
	// recordQueue is how many records may wait to be written.
	recordQueue = 8192
	// backgroundGrace is how long one-way requests may take when the gateway ends.
	backgroundGrace = 2 * time.Second
	// maxVectorValues is how many bytes of values that are found by vectors are kept in memory.
	maxVectorValues = 64 << 20
)

// New returns a gateway that serves nothing yet.
func New(o Options) *Gateway {
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gateway{
		name: o.Name, instance: o.InstanceID, catalogue: o.Catalogue, transport: o.Transport, counters: o.Counters, cache: o.Cache, trust: o.Trust,
		sql: o.SQL, events: graphql.NewHub(), log: o.Log, now: o.Now, ctx: ctx, cancel: cancel, oneWay: make(chan struct{}, maxOneWay),
		traces: newTraces(o.Now), keepTrace: o.Trace, circuit: o.Circuit, trustProto: o.TrustForwardedProto, proxy: o.Proxy, dapr: o.Dapr,
	}
	if len(o.TrustedProxies) > 0 {
		g.trustedProxies = newNetSet(o.TrustedProxies)
	}
	g.load.setLimits(o.Overload)
	g.backendTLS, g.serverTLS = o.BackendTLS, o.ServerTLS
	g.usage, g.metrics, g.tellRecord = o.Usage, o.Metrics, o.Record
	g.spans, g.insightsEndpoint = o.Spans, o.InsightsEndpoint
	g.redis, g.servers = o.Redis, make(map[string]*redisServer)
	g.vectors = cache.NewVectors(cache.Options{MaxBytes: maxVectorValues, Now: o.Now})
	g.messages = &messaging.Client{Identity: identityOf(o.Trust), Now: o.Now}
	g.tokens = cachedCredentials(o.Credentials, o.Now)
	g.services.Store(newServices(nil))
	g.requests.New = func() any { return newRequest(g) }
	g.records = telemetry.NewQueue(recordQueue, telemetry.Writer{
		Log: g.log,
		Wants: func(r *telemetry.Record) bool {
			return g.tellRecord != nil || r.Captured != nil && r.Captured.Model != nil
		},
		Write: g.passRecord,
		Lost: func(n int64) {
			g.log.Warn("Log lines of requests were dropped: they came faster than they can be written.", "count", n)
		},
	})
	return g
}

// passRecord hands a record to those who want it besides the log and must not keep a request waiting. It runs in the writer of the queue.
func (g *Gateway) passRecord(r *telemetry.Record) {
	telemetry.LogModel(g.log, r)
	if g.tellRecord != nil {
		g.tellRecord(r)
	}
}

// Location is where the gateway stands by its configuration; empty without one.
func (g *Gateway) Location() string {
	if s := g.services.Load().fallback; s != nil {
		return s.current.Load().deployment.Region
	}
	return ""
}

// FlushUsage takes what requests have used since the last time, by service.
func (g *Gateway) FlushUsage() []telemetry.UsageReport {
	reports := g.usage.Flush()
	for i := range reports {
		if s := g.services.Load().byID(reports[i].Service); s != nil {
			reports[i].Region = s.current.Load().deployment.Region
		}
	}
	return reports
}

// Close ends background work: one-way requests have a moment to finish, records
// are written. Call it when requests have drained.
func (g *Gateway) Close() {
	timer := time.AfterFunc(backgroundGrace, g.cancel)
	defer timer.Stop()
	for _, s := range g.services.Load().all {
		s.endEvents()
	}
	g.background.Wait()
	g.cancel()
	g.messages.Close()
	g.closeServers()
	g.records.Close()
}

// Ready says whether a configuration is served.
func (g *Gateway) Ready() bool { return g.services.Load().fallback != nil }

// Leave has the end points that load balancers watch say that requests should go elsewhere. Those that come all the same are served.
func (g *Gateway) Leave() { g.leaving.Store(true) }

// Apply brings the next configuration of a service into use: what changed is
// compiled beside the running configuration, then swapped in. On error the old
// one goes on serving. Requests in flight keep the one they started with.
//
// serviceID is an ARM ID. d leads from one snapshot to the next; from is nil for
// a first or a whole new configuration.
func (g *Gateway) Apply(_ context.Context, serviceID string, from, to *snapshot.Snapshot, d snapshot.Delta) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := strings.ToLower(serviceID)
	s := g.services.Load().byID(id)
	known := s != nil
	if !known {
		s = &service{gateway: g, id: id}
	}
	old := s.current.Load()
	base := old
	if old == nil {
		base = newConfig(g.name, g.instance, 0)
	} else if from == nil {
		base = newConfig(g.name, g.instance, old.generation)
	}
	if base.snapshot != from { // after an error what is served is behind
		d = snapshot.Diff(base.snapshot, to)
	}
	next, err := base.apply(to, d, g.catalogue)
	if err != nil {
		return fmt.Errorf("compile configuration %d: %w", to.Sequence(), err)
	}
	if next.trust.key == "" {
		next.trust = g.trustFor(next, old)
	}
	next.stores = g.openStores(next, strings.ToLower(cmp.Or(next.service.ID, id))+"|")
	s.current.Store(next)
	defer g.retireServers()
	all := g.services.Load().all
	switch {
	case !known:
		g.services.Store(newServices(append(slices.Clone(all), s)))
	case old.service.Name != next.service.Name || !slices.Equal(old.service.Hostnames, next.service.Hostnames):
		g.services.Store(newServices(slices.Clone(all)))
	}
	return nil
}

// Remove takes a service off the gateway.
func (g *Gateway) Remove(serviceID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := strings.ToLower(serviceID)
	if s := g.services.Load().byID(id); s != nil {
		s.endEvents()
	}
	g.services.Store(newServices(slices.DeleteFunc(slices.Clone(g.services.Load().all), func(s *service) bool { return s.id == id })))
	g.retireServers()
}

// newServices indexes services, whose list it takes over. Hosts that nobody
// claims mean the service called dev, or else the first one.
func newServices(all []*service) *services {
	slices.SortFunc(all, func(a, b *service) int { return strings.Compare(a.id, b.id) })
	v := &services{all: all, byHost: make(map[string]*service)}
	for _, s := range all {
		part := &s.current.Load().service
		name := strings.ToLower(part.Name)
		if v.fallback == nil || name == "dev" {
			v.fallback = s
		}
		v.byHost[name+".gateway.localhost"] = s
		for _, h := range part.Hostnames {
			v.byHost[strings.ToLower(h)] = s
		}
	}
	return v
}

// byID returns the service of a lower-case ARM ID, or nil.
func (v *services) byID(id string) *service {
	if i, ok := slices.BinarySearchFunc(v.all, id, func(s *service, id string) int { return strings.Compare(s.id, id) }); ok {
		return v.all[i]
	}
	return nil
}

// find returns the service that a request's host names, nil when there is none
// at all.
func (v *services) find(host string) *service {
	if len(v.all) > 1 {
		if s := lookupFold(v.byHost, host); s != nil {
			return s
		}
	}
	return v.fallback
}
