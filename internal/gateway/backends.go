package gateway

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// backend is a backend entity with its named values filled in.
type backend struct {
	part       snapshot.Backend
	base       message.URL // zero when the entity has no usable URL
	references []string    // what a change of makes it stale
	sessions   []string    // of a pool's members, by position: what a cookie says of them; nil without session affinity
}

func (b *backend) isPool() bool { return b.part.Type == "Pool" }

// compileBackend fills named values into a backend entity: people keep a
// function's key as {{name}} in its credentials.
func (e *edit) compileBackend(id string) error {
	name := localName(id)
	workspace, _ := splitWorkspace(id)
	if old, ok := e.backends.Get(name); ok {
		for _, ref := range old.references {
			e.dependents.remove(ref, id)
		}
	}
	part, ok := e.snapshot.Get(snapshot.Key{Kind: snapshot.KindBackend, ID: id})
	if !ok {
		e.backends.delete(name)
		return nil
	}
	entity, err := snapshot.Decode[snapshot.Backend](part)
	if err != nil {
		return err
	}
	b := &backend{part: entity}
	expand := func(text string) string { return e.fillNamedValues(workspace, text, &b.references) }
	b.part.URL = expand(entity.URL)
	if c := b.part.Credentials; c != nil {
		c.Scheme, c.Parameter = expand(c.Scheme), expand(c.Parameter)
		for i, name := range c.CertificateIDs {
			c.CertificateIDs[i] = qualify(workspace, lastSegment(name))
		}
		for _, fields := range [...]map[string][]string{c.Header, c.Query} {
			for _, values := range fields {
				for i := range values {
					values[i] = expand(values[i])
				}
			}
		}
	}
	if p := b.part.Proxy; p != nil {
		p.URL, p.Username, p.Password = expand(p.URL), expand(p.Username), expand(p.Password)
	}
	for _, ref := range b.references {
		e.dependents.add(ref, id)
	}
	b.sessions = sessionsOf(&b.part)
	b.base, _ = message.ParseURL(b.part.URL) // a bad URL fails the requests that need it
	e.backends.set(name, b)
	return nil
}

// fillNamedValues fills named values into a text and notes which it refers to.
func (e *edit) fillNamedValues(workspace, text string, references *[]string) string {
	return expandNamedValues(text, func(name string) (string, bool) {
		*references = append(*references, namedValueReference(qualify(workspace, strings.ToLower(name))))
		if v, ok := e.namedValue(workspace, name); ok {
			return v.Value, true
		}
		return "", false
	})
}

// expandNamedValues replaces {{name}} where there is a value of that name.
func expandNamedValues(text string, value func(name string) (string, bool)) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{{")
		name, after, closed := strings.Cut(rest, "}}")
		if !found || !closed {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(before)
		if v, ok := value(strings.TrimSpace(name)); ok {
			out.WriteString(v)
		} else {
			out.WriteString("{{" + name + "}}")
		}
		text = after
	}
}

// target is where one request goes: a backend entity and its circuit breaker,
// or neither when the API's own URL is called.
type target struct {
	backend *backend
	breaker *breaker
	cookie  string // to be set, so that the session stays here; empty for none
}

// pickBackend resolves a backend entity and chooses a member of a pool. The header, which may be nil, says to which session the request belongs.
func (s *service) pickBackend(c *config, name string, header *message.Header) (target, error) {
	if name == "" {
		return target{}, nil
	}
	name = strings.ToLower(name)
	b, ok := c.backends.Get(name)
	if !ok {
		return target{}, backendFailure("Backend " + name + " does not exist.")
	}
	now := s.gateway.now()
	if b.isPool() {
		return s.backends.pool(name).pick(b, b.session(header), now, func(member string) (target, bool) {
			member = qualify(workspaceOfName(name), strings.ToLower(member))
			m, ok := c.backends.Get(member)
			if !ok || m.isPool() { // APIM knows no pools of pools
				return target{}, false
			}
			return s.target(member, m), true
		})
	}
	t := s.target(name, b)
	if wait := t.wait(now); wait > 0 {
		return target{}, tripped("Backend "+b.part.Name, wait, t.breaker.answer())
	}
	return t, nil
}

func (s *service) target(name string, b *backend) target {
	if b.part.CircuitBreaker == nil {
		return target{backend: b}
	}
	return target{backend: b, breaker: s.breaker(name, b)}
}

// wait is how long the backend must not be called.
func (t target) wait(now time.Time) time.Duration {
	if t.breaker == nil {
		return 0
	}
	return t.breaker.wait(now)
}

func backendFailure(text string) *policy.Error {
	return &policy.Error{Reason: policy.ReasonBackendConnection, Message: text}
}

// tripped is the answer while a circuit breaker is open, with the status code that the configuration asks for; 0 stands for 503.
func tripped(who string, wait time.Duration, status int) *policy.Error {
	e := backendFailure(who + " is not called: its circuit breaker is open.")
	e.Status, e.Public = cmp.Or(status, 503), "The backend service is temporarily unavailable."
	e.Header = message.NewHeader("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return e
}

// report tells the circuit breaker how a call went.
func (t target) report(resp *message.Response, err error, now time.Time) {
	switch {
	case t.breaker == nil:
	case err == nil:
		t.breaker.report(t.backend.part.CircuitBreaker, resp.Status, "", resp.Header.Get("Retry-After"), now)
	default:
		// A client that leaves says nothing of the backend service.
		if reason := forwardError(err, 0).Reason; reason != policy.ReasonClientConnection {
			t.breaker.report(t.backend.part.CircuitBreaker, 0, reason, "", now)
		}
	}
}

// backendStates is what is known of the backends of one service beyond the
// configuration, by lower-case name. It survives changes of the configuration.
type backendStates struct{ pools, breakers sync.Map }

func (b *backendStates) pool(name string) *poolState {
	if st, ok := b.pools.Load(name); ok {
		return st.(*poolState)
	}
	st, _ := b.pools.LoadOrStore(strings.Clone(name), &poolState{credit: make(map[string]int)})
	return st.(*poolState)
}

// breaker is the circuit breaker of a backend, by its lower-case name.
func (s *service) breaker(name string, of *backend) *breaker {
	if st, ok := s.backends.breakers.Load(name); ok {
		return st.(*breaker)
	}
	b := &breaker{windows: make(map[string]*window)}
	if tell := s.gateway.circuit; tell != nil {
		display := strings.Clone(of.part.Name)
		b.tell = func(rule snapshot.CircuitBreakerRule, at time.Time, opened bool) {
			tell(s.id, CircuitChange{Backend: display, Rule: rule.Name, Trip: rule.TripDuration, At: at, Opened: opened})
		}
	}
	st, _ := s.backends.breakers.LoadOrStore(strings.Clone(name), b)
	return st.(*breaker)
}

// CircuitChange says that the circuit breaker of a backend has opened or closed.
type CircuitChange struct {
	Backend string        `json:"backend"`
	Rule    string        `json:"rule"`
	Trip    time.Duration `json:"trip"` // as it is configured
	At      time.Time     `json:"at"`
	Opened  bool          `json:"opened"`
}

// poolState is the turn of a pool's members.
type poolState struct {
	mu     sync.Mutex
	credit map[string]int
}

// pick chooses among the members of the lowest priority number of which one can
// be called, in turn by weight: every such member earns its weight, the richest
// one is chosen and pays for all (smooth weighted round robin). A session stays
// at its member, whatever the turn, as long as that can be called.
func (st *poolState) pick(pool *backend, session string, now time.Time, resolve func(member string) (target, bool)) (target, error) {
	usable := make([]target, len(pool.part.Pool))
	priority, least := math.MaxInt, time.Duration(math.MaxInt64)
	for i, m := range pool.part.Pool {
		t, ok := resolve(m.Backend)
		if !ok {
			continue
		}
		if wait := t.wait(now); wait > 0 {
			least = min(least, wait)
			continue
		}
		usable[i], priority = t, min(priority, m.Priority)
	}
	if i := slices.Index(pool.sessions, session); i >= 0 && usable[i].backend != nil {
		return usable[i], nil
	}
	best := st.turn(pool.part.Pool, func(i int) bool { return usable[i].backend != nil && pool.part.Pool[i].Priority == priority })
	switch {
	case best >= 0 && pool.sessions != nil:
		usable[best].cookie = pool.part.SessionCookie + "=" + pool.sessions[best]
		return usable[best], nil
	case best >= 0:
		return usable[best], nil
	case least < math.MaxInt64:
		return target{}, tripped("No member of backend pool "+pool.part.Name, least, pool.part.FailureStatus)
	}
	return target{}, backendFailure("Backend pool " + pool.part.Name + " has no members.")
}

// turn returns the position of the member whose turn it is, -1 when there is
// none to choose.
func (st *poolState) turn(members []snapshot.PoolMember, eligible func(i int) bool) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	best, total := -1, 0
	for i, m := range members {
		if !eligible(i) {
			continue
		}
		w := max(m.Weight, 1)
		total += w
		st.credit[m.Backend] += w
		if best < 0 || st.credit[m.Backend] > st.credit[members[best].Backend] {
			best = i
		}
	}
	if best >= 0 {
		st.credit[members[best].Backend] -= total
	}
	return best
}
