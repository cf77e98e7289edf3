package policies_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// fakeHost is the world of a script: scripted answers, a clock that stands, maps as configuration.
type fakeHost struct {
	fakeGraphQL
	now      time.Time
	slept    time.Duration
	random   *rand.ChaCha8
	answers  map[string][]answer // by the beginning of the URL; "" for all others
	mu       sync.Mutex          // branches of wait send at the same time
	calls    []*call
	meeting  chan struct{}
	logs     []string
	counters fakeCounters
	cache    policy.Cache
	external policy.Cache // nil for none
	vectors  fakeVectors
	trust    *policy.Trust

	namedValues, fragments map[string]string
	backends               map[string]*snapshot.Backend
	certificates           map[string]*snapshot.Certificate
	schemas                map[string]*policy.Schema // by API and name

	integrations
}

var _ policy.Host = (*fakeHost)(nil)

// answer is a response in the form of a file, or an error. One that waits comes when a second one of the kind does, or never.
type answer struct {
	text        string
	err         error
	meet, never bool
}

// call is a request that went out.
type call struct {
	request     *message.Request
	body        string
	certificate *snapshot.Certificate // of the client
	proxy       *snapshot.Proxy
}

func newFakeHost() *fakeHost {
	h := &fakeHost{
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), meeting: make(chan struct{}), random: rand.NewChaCha8([32]byte{}),
		answers: map[string][]answer{"": {{text: "200\nContent-Type: text/plain\n\nbackend\n"}}},

		namedValues: make(map[string]string), fragments: make(map[string]string),
		backends: make(map[string]*snapshot.Backend), certificates: make(map[string]*snapshot.Certificate),
		schemas: make(map[string]*policy.Schema),
	}
	h.trust = newTrust(h)
	h.cache = newFakeCache(h)
	h.counters = fakeCounters{host: h, events: make(map[string][]event), slots: make(map[string]int64)}
	return h
}

func (h *fakeHost) lastCall() *call {
	if len(h.calls) == 0 {
		return nil
	}
	return h.calls[len(h.calls)-1]
}

// exchange records a request and gives the next answer.
func (h *fakeHost) exchange(ctx context.Context, r *message.Request, c *snapshot.Certificate, proxy *snapshot.Proxy) (*message.Response, error) {
	body, err := message.ReadAll(r.Body, policy.MaxBody, r.ContentLength)
	if err != nil {
		return nil, err
	}
	a := h.next(&call{r.Detach(), string(body), c, proxy})
	if a.never {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	if a.meet {
		select {
		case h.meeting <- struct{}{}:
		case <-h.meeting:
		case <-time.After(10 * time.Second):
			return nil, errors.New("nobody came")
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	return parseResponse(a.text)
}

// next takes the next answer to a request.
func (h *fakeHost) next(c *call) answer {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
	prefix := ""
	for p := range h.answers {
		if len(p) > len(prefix) && strings.HasPrefix(c.request.URL.String(), p) {
			prefix = p
		}
	}
	list := h.answers[prefix]
	if len(list) > 1 {
		h.answers[prefix] = list[1:]
	}
	return list[0]
}

func (h *fakeHost) Forward(ctx context.Context, x *policy.Exec, _ policy.ForwardOptions) (*message.Response, error) {
	r := x.Request.Clone()
	r.URL = x.BackendURL()
	if e, ok := h.Backend(x.BackendID); ok && x.BackendID != "" {
		base, err := message.ParseURL(e.URL)
		if err != nil {
			return nil, err
		}
		x.Base = base
		r.URL = x.BackendURL()
	}
	return h.exchange(ctx, r, x.ClientCertificate, x.Proxy)
}

func (h *fakeHost) Send(ctx context.Context, r *message.Request, o policy.SendOptions) (*message.Response, error) {
	if e, ok := h.Backend(o.BackendID); ok {
		base, err := message.ParseURL(e.URL)
		if err != nil {
			return nil, err
		}
		r.URL = base.Join(r.URL)
	}
	return h.exchange(ctx, r, o.Certificate, o.Proxy)
}

func (h *fakeHost) SendLater(r *message.Request, o policy.SendOptions) {
	if _, err := h.exchange(context.Background(), r, o.Certificate, o.Proxy); err != nil {
		h.logs = append(h.logs, "send later: "+err.Error())
	}
}

func (h *fakeHost) Counters() policy.Counters { return &h.counters }

func (h *fakeHost) Cache(t policy.CachingType) policy.Cache {
	if t == policy.Internal || t == policy.PreferExternal && h.external == nil {
		return h.cache
	}
	return h.external
}

// fakeCache keeps everything until its time is over.
type fakeCache struct {
	host    *fakeHost
	entries map[string]cached
	claims  map[string]bool
}

func newFakeCache(h *fakeHost) *fakeCache {
	return &fakeCache{host: h, entries: make(map[string]cached), claims: make(map[string]bool)}
}

type cached struct {
	value   []byte
	expires time.Time
}

func (c *fakeCache) Get(_ context.Context, key string) ([]byte, bool, error) {
	e, ok := c.entries[key]
	if !ok || !c.host.now.Before(e.expires) {
		return nil, false, nil
	}
	return e.value, true, nil
}

func (c *fakeCache) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	c.entries[key] = cached{value, c.host.now.Add(ttl)}
	return nil
}

func (c *fakeCache) Remove(_ context.Context, key string) error {
	delete(c.entries, key)
	return nil
}

func (c *fakeCache) Claim(_ context.Context, key string, wait bool) (release func(), ok bool, err error) {
	if c.claims[key] {
		if wait {
			return nil, false, errors.New("nobody gives the claim back")
		}
		return nil, false, nil
	}
	c.claims[key] = true
	return func() { c.claims[key] = false }, true, nil
}

// Vectors are kept in memory for ever.
func (h *fakeHost) Vectors() policy.Vectors {
	if h.cache == (brokenCache{}) {
		return brokenVectors{}
	}
	return &h.vectors
}

type fakeVectors []fakeVector

type fakeVector struct {
	space  string
	vector []float32
	value  []byte
}

func (f *fakeVectors) Nearest(_ context.Context, space string, vector []float32, maxDistance float64) (value []byte, distance float64, ok bool, err error) {
	for _, v := range *f {
		var product, a, b float64
		for i := range min(len(v.vector), len(vector)) {
			product += float64(v.vector[i] * vector[i])
			a, b = a+float64(v.vector[i]*v.vector[i]), b+float64(vector[i]*vector[i])
		}
		if d := 1 - product/math.Sqrt(a*b); v.space == space && d <= maxDistance {
			return v.value, d, true, nil
		}
	}
	return nil, 0, false, nil
}

func (f *fakeVectors) Add(_ context.Context, space string, vector []float32, value []byte, _ time.Duration) error {
	*f = append(*f, fakeVector{strings.Clone(space), vector, value})
	return nil
}

// brokenVectors are vectors that cannot be reached.
type brokenVectors struct{}

func (brokenVectors) Nearest(context.Context, string, []float32, float64) ([]byte, float64, bool, error) {
	return nil, 0, false, errBroken
}

func (brokenVectors) Add(context.Context, string, []float32, []byte, time.Duration) error {
	return errBroken
}

// brokenCache is a cache that cannot be reached.
type brokenCache struct{}

var errBroken = errors.New("the cache is broken")

func (brokenCache) Get(context.Context, string) ([]byte, bool, error) { return nil, false, errBroken }

func (brokenCache) Set(context.Context, string, []byte, time.Duration) error { return errBroken }

func (brokenCache) Remove(context.Context, string) error { return errBroken }

func (brokenCache) Claim(context.Context, string, bool) (func(), bool, error) {
	return nil, false, errBroken
}

func (h *fakeHost) Log(_ context.Context, level policy.LogLevel, text string, attributes ...any) {
	h.logs = append(h.logs, fmt.Sprintln(append([]any{level, text}, attributes...)...))
}

func (h *fakeHost) Metric(_ context.Context, m policy.Metric) {
	h.logs = append(h.logs, fmt.Sprintf("metric %+v", m))
}

func (h *fakeHost) Now() time.Time { return h.now }

func (h *fakeHost) Sleep(ctx context.Context, d time.Duration) error {
	h.slept += d
	h.now = h.now.Add(d)
	return ctx.Err()
}

func (h *fakeHost) Random(p []byte) { _, _ = h.random.Read(p) }

func (h *fakeHost) Backend(name string) (*snapshot.Backend, bool) {
	b, ok := h.backends[strings.ToLower(name)]
	return b, ok
}

func (h *fakeHost) Certificate(id string) (*snapshot.Certificate, bool) {
	c, ok := h.certificates[strings.ToLower(id)]
	return c, ok
}

func (h *fakeHost) Certificates() []*snapshot.Certificate {
	var list []*snapshot.Certificate
	for id, c := range h.certificates {
		if strings.EqualFold(id, c.Name) {
			list = append(list, c)
		}
	}
	return list
}

func (h *fakeHost) KeyPair(id string) (*tls.Certificate, error) {
	c, ok := h.Certificate(id)
	if !ok {
		return nil, fmt.Errorf("there is no certificate %q", id)
	}
	key, leaf, err := pkcs12.Decode(c.PFX, c.Password)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{PrivateKey: key, Leaf: leaf, Certificate: [][]byte{leaf.Raw}}, nil
}

func (h *fakeHost) Trust() *policy.Trust { return h.trust }

func (h *fakeHost) Group(name string) (*snapshot.Group, bool) {
	return &snapshot.Group{Name: strings.ToLower(name), Display: name}, true
}

func (h *fakeHost) ProductAPIs(string) []*snapshot.API { return []*snapshot.API{testAPI()} }

func (h *fakeHost) Schema(api, name string) (*policy.Schema, bool) {
	s, ok := h.schemas[api+"/"+name]
	return s, ok
}

func (h *fakeHost) APISchemas(api string) []*policy.Schema {
	var list []*policy.Schema
	for _, key := range slices.Sorted(maps.Keys(h.schemas)) {
		if strings.HasPrefix(key, api+"/") {
			list = append(list, h.schemas[key])
		}
	}
	return list
}

func (h *fakeHost) SubscriptionKeys(name string) (snapshot.SubscriptionKeys, bool) {
	return snapshot.SubscriptionKeys{Primary: name + "-primary", Secondary: name + "-secondary"}, true
}

// The methods of policy.Lookup.

func (h *fakeHost) NamedValue(name string) (value string, secret, ok bool) {
	value, ok = h.namedValues[strings.ToLower(name)]
	return value, strings.HasPrefix(name, "secret"), ok
}

func (h *fakeHost) Fragment(name string) (text, format string, ok bool) {
	text, ok = h.fragments[strings.ToLower(name)]
	return text, "rawxml", ok
}

func (h *fakeHost) HasBackend(name string) bool { _, ok := h.Backend(name); return ok }

func (h *fakeHost) HasCertificate(id string) bool { _, ok := h.Certificate(id); return ok }

// fakeCounters are counters with exact windows that slide or stand.
type fakeCounters struct {
	host   *fakeHost
	events map[string][]event
	slots  map[string]int64
}

type event struct {
	at   time.Time
	cost int64
}

func (c *fakeCounters) Check(_ context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	d := policy.Decision{Allowed: true}
	for i, l := range limits {
		used, oldest := c.used(l)
		left := l.Max - used - cost
		if left < 0 {
			d = policy.Decision{Exceeded: i, RetryAfter: oldest.Add(l.Period).Sub(c.host.now)}
			if l.Period == 0 {
				d.RetryAfter = math.MaxInt64
			}
			return d, nil
		}
		if i == 0 || left < d.Remaining {
			d.Remaining = left
		}
	}
	return d, nil
}

// used is what a limit counts now, and when the first of it happened.
func (c *fakeCounters) used(l policy.Limit) (used int64, oldest time.Time) {
	oldest = c.host.now
	if l.Window == policy.FixedWindow && l.Period > 0 {
		oldest = oldest.Add(-oldest.Sub(l.Start) % l.Period)
		for _, e := range c.events[l.Key] {
			if !e.at.Before(oldest) {
				used += e.cost
			}
		}
		return used, oldest
	}
	for _, e := range c.events[l.Key] {
		if l.Period > 0 && c.host.now.Sub(e.at) >= l.Period {
			continue
		}
		used += e.cost
		if e.at.Before(oldest) {
			oldest = e.at
		}
	}
	return used, oldest
}

func (c *fakeCounters) Commit(_ context.Context, limits []policy.Limit, cost int64) error {
	for _, l := range limits {
		key := strings.Clone(l.Key)
		c.events[key] = append(c.events[key], event{c.host.now, cost})
	}
	return nil
}

func (c *fakeCounters) Take(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	d, err := c.Check(ctx, limits, cost)
	if err != nil || !d.Allowed {
		return d, err
	}
	return d, c.Commit(ctx, limits, cost)
}

func (c *fakeCounters) Acquire(_ context.Context, key string, slots int64) (bool, error) {
	if c.slots[key] >= slots {
		return false, nil
	}
	c.slots[strings.Clone(key)]++
	return true, nil
}

func (c *fakeCounters) Release(key string) { c.slots[key]-- }
