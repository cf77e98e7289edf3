package gateway

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// maxPoolDepth ends pools that name each other.
const maxPoolDepth = 4

// target is where one request goes: a backend entity and its circuit breaker,
// or neither when the API's own URL is called.
type target struct {
	entity  *snapshot.Backend
	breaker *breaker
}

// pickBackend resolves x.BackendID, chooses a member of a pool and sets x.Base.
func (s *service) pickBackend(c *config, x *policy.Exec) (target, error) {
	if x.BackendID == "" {
		return target{}, nil
	}
	t, err := s.resolve(c, strings.ToLower(x.BackendID), s.gateway.now(), 0)
	if err != nil {
		return target{}, err
	}
	base, perr := message.ParseURL(t.entity.URL)
	if perr != nil {
		return target{}, &policy.Error{Reason: policy.ReasonBackendConnection, Message: "Backend " + t.entity.Name + ": " + perr.Error() + "."}
	}
	if t.entity.Type == "Pool" || !strings.EqualFold(t.entity.Name, x.BackendID) || x.Base.Host == "" {
		x.Base = base
	}
	return t, nil
}

func (s *service) resolve(c *config, name string, now time.Time, depth int) (target, error) {
	entity, ok := c.backends.Get(name)
	if !ok {
		return target{}, &policy.Error{Reason: policy.ReasonBackendConnection, Message: "Backend " + name + " does not exist."}
	}
	state := s.backends.state(name)
	if entity.Type == "Pool" {
		if depth == maxPoolDepth {
			return target{}, &policy.Error{Reason: policy.ReasonBackendConnection, Message: "Backend pool " + name + " is nested too deep."}
		}
		return s.pickMember(c, entity, state, now, depth)
	}
	if entity.CircuitBreaker == nil {
		return target{entity: entity}, nil
	}
	if wait := state.breaker.wait(now); wait > 0 {
		return target{}, &policy.Error{
			Reason: policy.ReasonBackendConnection, Status: 503,
			Message: "Backend " + entity.Name + " is not called: its circuit breaker is open.",
			Public:  "The backend service is temporarily unavailable.",
			Header:  message.NewHeader("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second))),
		}
	}
	return target{entity: entity, breaker: &state.breaker}, nil
}

// pickMember chooses among the members of the lowest priority number that can
// be called, in turn by weight.
func (s *service) pickMember(c *config, pool *snapshot.Backend, state *backendState, now time.Time, depth int) (target, error) {
	var failure error
	members := state.order(pool)
	for _, m := range members {
		t, err := s.resolve(c, strings.ToLower(m.Backend), now, depth+1)
		if err == nil {
			state.chosen(m.Backend, pool)
			return t, nil
		}
		failure = err
	}
	if failure == nil {
		failure = &policy.Error{Reason: policy.ReasonBackendConnection, Status: 503, Message: "Backend pool " + pool.Name + " has no members."}
	}
	return target{}, failure
}

// report tells the circuit breaker how a call went.
func (t target) report(resp *message.Response, err error, now time.Time) {
	if t.breaker == nil {
		return
	}
	status, reason, retryAfter := 0, "", ""
	if err != nil {
		if e, ok := forwardError(err, 0).(*policy.Error); ok {
			reason = e.Reason
		}
		if reason == policy.ReasonClientConnection {
			return // says nothing of the backend service
		}
	} else {
		status, retryAfter = resp.Status, resp.Header.Get("Retry-After")
	}
	t.breaker.report(t.entity.CircuitBreaker, status, reason, retryAfter, now)
}

// backendStates is what is known of the backend services of one service beyond
// the configuration. It survives changes of the configuration.
type backendStates struct{ m sync.Map }

type backendState struct {
	breaker breaker
	mu      sync.Mutex
	credit  map[string]float64 // smooth weighted round robin, by member
}

func (b *backendStates) state(name string) *backendState {
	if st, ok := b.m.Load(name); ok {
		return st.(*backendState)
	}
	st, _ := b.m.LoadOrStore(strings.Clone(name), &backendState{credit: make(map[string]float64)})
	return st.(*backendState)
}

// order lists the members in the order in which they should be tried: by
// priority, within one the one with the most credit first.
func (st *backendState) order(pool *snapshot.Backend) []snapshot.PoolMember {
	st.mu.Lock()
	defer st.mu.Unlock()
	out := make([]snapshot.PoolMember, 0, len(pool.Pool))
	for _, m := range pool.Pool {
		at := len(out)
		for at > 0 && st.before(m, out[at-1]) {
			at--
		}
		out = append(out, m)
		copy(out[at+1:], out[at:])
		out[at] = m
	}
	return out
}

func (st *backendState) before(a, b snapshot.PoolMember) bool {
	if a.Priority != b.Priority {
		return a.Priority < b.Priority
	}
	return st.credit[a.Backend]+weight(a) > st.credit[b.Backend]+weight(b)
}

// chosen books a call: every member of the priority earns its weight and the
// chosen one pays for all.
func (st *backendState) chosen(name string, pool *snapshot.Backend) {
	st.mu.Lock()
	defer st.mu.Unlock()
	priority, total := 0, 0.0
	for _, m := range pool.Pool {
		if m.Backend == name {
			priority = m.Priority
		}
	}
	for _, m := range pool.Pool {
		if m.Priority == priority {
			st.credit[m.Backend] += weight(m)
			total += weight(m)
		}
	}
	st.credit[name] -= total
}

func weight(m snapshot.PoolMember) float64 {
	if m.Weight > 0 {
		return float64(m.Weight)
	}
	return 1
}

// breaker is the state of a circuit breaker: until when it is open, and what
// each rule has counted.
type breaker struct {
	mu       sync.Mutex
	openTill time.Time
	windows  map[string]*window // by rule name
}

// window counts calls and failures of the last interval in slices of a tenth,
// so that its size does not depend on the traffic.
type window struct {
	slots [windowSlots]struct {
		number          int64
		calls, failures int
	}
}

const windowSlots = 10

// count adds a call and returns the totals of the interval that ends now.
func (w *window) count(now time.Time, interval time.Duration, failed bool) (calls, failures int) {
	number := now.UnixNano() / max(int64(interval)/windowSlots, 1)
	slot := &w.slots[number%windowSlots]
	if slot.number != number {
		slot.number, slot.calls, slot.failures = number, 0, 0
	}
	slot.calls++
	if failed {
		slot.failures++
	}
	for _, s := range w.slots {
		if s.number > number-windowSlots {
			calls += s.calls
			failures += s.failures
		}
	}
	return calls, failures
}

// wait returns how long the breaker stays open; 0 when it is closed.
func (b *breaker) wait(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.openTill.Sub(now), 0)
}

func (b *breaker) report(config *snapshot.CircuitBreaker, status int, reason, retryAfter string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rule := range config.Rules {
		w := b.windows[rule.Name]
		if w == nil {
			if b.windows == nil {
				b.windows = make(map[string]*window)
			}
			w = &window{}
			b.windows[strings.Clone(rule.Name)] = w
		}
		failed := fails(rule, status, reason)
		calls, failures := w.count(now, rule.Interval, failed)
		if !failed || !trips(rule, failures, calls) {
			continue
		}
		open := rule.TripDuration
		if s, err := strconv.Atoi(retryAfter); err == nil && s > 0 && rule.AcceptRetryAfter {
			open = time.Duration(s) * time.Second
		}
		// A little spread keeps instances from coming back at the same moment.
		b.openTill = now.Add(open + rand.N(open/20+1))
		*w = window{}
	}
}

func fails(rule snapshot.CircuitBreakerRule, status int, reason string) bool {
	if status == 0 {
		for _, r := range rule.ErrorReasons {
			if strings.EqualFold(r, reason) {
				return true
			}
		}
		return len(rule.ErrorReasons) == 0
	}
	for _, r := range rule.StatusRanges {
		if r[0] <= status && status <= r[1] {
			return true
		}
	}
	return false
}

func trips(rule snapshot.CircuitBreakerRule, failures, calls int) bool {
	if rule.Percentage > 0 {
		return failures*100 >= rule.Percentage*calls
	}
	return failures >= max(rule.Count, 1)
}
