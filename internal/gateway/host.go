package gateway

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// A request is what the policies of its pipeline see as their host: the
// gateway, through the configuration that the request started with.
var _ policy.Host = (*request)(nil)

// Backend returns a backend entity.
func (r *request) Backend(name string) (*snapshot.Backend, bool) {
	if b, ok := r.config.backends.Get(qualify(r.workspace(), strings.ToLower(name))); ok {
		return &b.part, true
	}
	return nil, false
}

// Certificate returns a certificate by name or thumbprint.
func (r *request) Certificate(idOrThumbprint string) (*snapshot.Certificate, bool) {
	if c, ok := r.certificate(idOrThumbprint); ok {
		return &c.part, true
	}
	return nil, false
}

// certificate finds one of the API's workspace by its name, any by its thumbprint.
func (r *request) certificate(idOrThumbprint string) (*certificate, bool) {
	if c, ok := r.config.certificate(qualify(r.workspace(), idOrThumbprint)); ok {
		return c, true
	}
	return r.config.certificate(idOrThumbprint)
}

// Certificates returns the service's certificates by name. Those of host names
// are no business of policies.
func (r *request) Certificates() []*snapshot.Certificate {
	list := make([]*snapshot.Certificate, 0, r.config.certificates.len())
	r.config.certificates.each(func(id string, c *certificate) bool {
		if !strings.HasPrefix(id, "hostnames/") {
			list = append(list, &c.part)
		}
		return true
	})
	slices.SortFunc(list, func(a, b *snapshot.Certificate) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// KeyPair returns a certificate with its private key.
func (r *request) KeyPair(idOrThumbprint string) (*tls.Certificate, error) {
	c, ok := r.certificate(idOrThumbprint)
	if !ok {
		return nil, fmt.Errorf("there is no certificate %q", idOrThumbprint)
	}
	return c.keyPair()
}

// Schema returns a schema of an API or of the service.
func (r *request) Schema(api, name string) (*policy.Schema, bool) {
	id := pathOf("schemas", qualify(r.workspace(), strings.ToLower(name)))
	if api != "" {
		id = pathOf("apis", api) + "/schemas/" + strings.ToLower(name)
	}
	return r.config.schemas.Get(id)
}

// APISchemas returns the schemas of an API.
func (r *request) APISchemas(api string) []*policy.Schema {
	var list []*policy.Schema
	for id := range r.config.apiSchemas.each(api) {
		if s, ok := r.config.schemas.Get(id); ok {
			list = append(list, s)
		}
	}
	return list
}

// Trust is the gateway's.
func (r *request) Trust() *policy.Trust { return &r.config.trust.policy }

// Group returns a group of users.
func (r *request) Group(name string) (*snapshot.Group, bool) {
	return r.config.userGroups.Get(qualify(r.workspace(), strings.ToLower(name)))
}

// ProductAPIs returns the current revisions of a product's APIs.
func (r *request) ProductAPIs(product string) []*snapshot.API {
	apis := []*snapshot.API{}
	for name := range r.config.productAPIs.each(qualify(r.workspace(), strings.ToLower(product))) {
		if a, ok := r.config.apis.Get(name); ok && a.known {
			apis = append(apis, &a.part)
		}
	}
	return apis
}

// SubscriptionKeys returns the keys of a subscription where they were sent.
func (r *request) SubscriptionKeys(name string) (snapshot.SubscriptionKeys, bool) {
	name = strings.ToLower(name)
	part, ok := r.config.snapshot.Get(snapshot.Key{Kind: snapshot.KindSubscriptionKeys, ID: pathOf("subscriptions", qualify(r.workspace(), name))})
	if !ok { // one of the service, which opens the APIs of workspaces too
		part, ok = r.config.snapshot.Get(snapshot.Key{Kind: snapshot.KindSubscriptionKeys, ID: "subscriptions/" + name})
	}
	if !ok {
		return snapshot.SubscriptionKeys{}, false
	}
	keys, err := snapshot.Decode[snapshot.SubscriptionKeys](part)
	return keys, err == nil
}

// Send sends a request that a policy made.
func (r *request) Send(ctx context.Context, req *message.Request, o policy.SendOptions) (*message.Response, error) {
	call := r.beginCall(req, false)
	resp, err := r.sendNow(ctx, req, o)
	r.endCall(call, resp, err)
	return resp, err
}

func (r *request) sendNow(ctx context.Context, req *message.Request, o policy.SendOptions) (*message.Response, error) {
	if r.exec.Tracer != nil {
		return r.sendTraced(ctx, req, o)
	}
	o.BackendID = qualify(r.workspace(), o.BackendID)
	return r.service.send(ctx, r.config, req, o)
}

// SendLater sends a request in the background, within the gateway's limit of
// such requests.
func (r *request) SendLater(req *message.Request, o policy.SendOptions) {
	o.BackendID = qualify(r.workspace(), o.BackendID)
	r.service.sendLater(r.config, req, o)
}

// Counters are the gateway's, with the service's keys kept apart.
func (r *request) Counters() policy.Counters {
	if t := r.exec.Tracer; t != nil {
		return &tracedCounters{r.config.stores.counters, t}
	}
	return r.config.stores.counters
}

// Cache is the external one or the gateway's, with the service's keys kept apart.
func (r *request) Cache(ct policy.CachingType) policy.Cache {
	st := &r.config.stores
	chosen := st.external
	if ct == policy.Internal || ct == policy.PreferExternal && st.external == nil {
		chosen = st.internal
	}
	if t := r.exec.Tracer; t != nil && chosen != nil {
		return &tracedCache{chosen, t}
	}
	return chosen
}

// Vectors are the external cache's or the gateway's, with the service's spaces kept apart.
func (r *request) Vectors() policy.Vectors { return r.config.stores.vectors }

// Log writes a log line of a policy.
func (r *request) Log(ctx context.Context, weight policy.LogLevel, text string, attributes ...any) {
	r.observeLog(weight, text, attributes)
	log, level := r.gateway.log, slog.LevelDebug
	switch weight {
	case policy.LogInformation:
		level = slog.LevelInfo
	case policy.LogError:
		level = slog.LevelError
	}
	if !log.Enabled(ctx, level) {
		return
	}
	attributes = append(attributes, telemetry.EventKey, "PolicyMessage", "correlationId", r.exec.RequestIDString())
	if r.matched.api != nil {
		attributes = append(attributes, "apiId", r.matched.api.part.Name)
	}
	log.Log(ctx, level, text, attributes...)
}

// Metric adds a measurement to the gateway's metrics and writes it to the log.
func (r *request) Metric(ctx context.Context, m policy.Metric) {
	r.observeMetric(m)
	attributes := make([]any, 0, 6+2*len(m.Dimensions))
	attributes = append(attributes, "namespace", m.Namespace, "metric", m.Name, "value", m.Value)
	for _, d := range m.Dimensions {
		attributes = append(attributes, d.Name, d.Value)
	}
	if g := r.gateway; g.metrics != nil {
		labels := make([]telemetry.Label, 0, len(m.Dimensions))
		for _, d := range m.Dimensions {
			labels = append(labels, telemetry.Label{Name: d.Name, Value: d.Value})
		}
		g.metrics.Measure(m.Name, m.Value, labels)
	}
	r.Log(ctx, policy.LogInformation, "A policy emitted a metric.", attributes...)
}

// Dapr is the gateway's sidecar.
func (r *request) Dapr() policy.Dapr { return r.gateway.dapr }

// Now is the gateway's clock.
func (r *request) Now() time.Time { return r.gateway.now() }

// Sleep waits for d or until ctx ends.
func (r *request) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Random fills p with random bytes.
func (r *request) Random(p []byte) {
	_, _ = rand.Read(p) // never fails: see crypto/rand
}

// serviceCounters prefixes keys, so that services on one gateway never share a
// counter.
type serviceCounters struct {
	policy.Counters
	prefix string
	free   sync.Pool // of *ownLimits
}

// ownLimits are limits with prefixed keys. Nobody keeps either longer than the call they are made for.
type ownLimits struct {
	limits []policy.Limit
	keys   policy.Scratch
}

func (c *serviceCounters) own(limits []policy.Limit) *ownLimits {
	own, _ := c.free.Get().(*ownLimits)
	if own == nil {
		own = new(ownLimits)
	}
	for _, l := range limits {
		l.Key = own.keys.Join(c.prefix, l.Key)
		own.limits = append(own.limits, l)
	}
	return own
}

func (c *serviceCounters) release(own *ownLimits) {
	own.limits = own.limits[:0]
	own.keys.Reset()
	c.free.Put(own)
}

func (c *serviceCounters) Take(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	own := c.own(limits)
	d, err := c.Counters.Take(ctx, own.limits, cost)
	c.release(own)
	return d, err
}

func (c *serviceCounters) Check(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	own := c.own(limits)
	d, err := c.Counters.Check(ctx, own.limits, cost)
	c.release(own)
	return d, err
}

func (c *serviceCounters) Commit(ctx context.Context, limits []policy.Limit, cost int64) error {
	own := c.own(limits)
	err := c.Counters.Commit(ctx, own.limits, cost)
	c.release(own)
	return err
}

func (c *serviceCounters) Acquire(ctx context.Context, key string, max int64) (bool, error) {
	return c.Counters.Acquire(ctx, c.prefix+key, max)
}

func (c *serviceCounters) Release(key string) { c.Counters.Release(c.prefix + key) }
