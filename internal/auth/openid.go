package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How long OpenID configurations are kept, and how often they are fetched ("validate-jwt" in the policy reference).
const (
	openIDLifetime = time.Hour
	// openIDRefresh is the least time between two fetches of a configuration that is known: for keys that are not in it and after failures.
	openIDRefresh = 5 * time.Minute
	// openIDRetry is the least time between two fetches of one that was never read.
	openIDRetry     = 5 * time.Second
	openIDTimeout   = 10 * time.Second
	openIDSize      = 1 << 20
	openIDMaxCached = 1000
)

// Doer sends HTTP requests; *http.Client is one.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Issuer is what an OpenID configuration says about an issuer of tokens. It is never changed.
type Issuer struct {
	// Name is the issuer's identifier; it may have the placeholder {tenantid} of Microsoft Entra ID.
	Name string
	Keys []Key
}

// HasKey says whether a token with this kid can be verified; any key will do for a token without one.
func (s *Issuer) HasKey(id string) bool {
	for i := range s.Keys {
		if s.Keys[i].mayFit(id) {
			return true
		}
	}
	return false
}

// OpenID reads OpenID configurations (OpenID Connect Discovery 1.0) with their key sets and keeps them for an hour. It is safe for concurrent use.
type OpenID struct {
	doer Doer
	now  func() time.Time

	mu      sync.RWMutex
	entries map[string]*openIDEntry
}

// openIDEntry is one configuration. Its mutex is held while it is fetched, so that many requests cause one fetch.
type openIDEntry struct {
	used  atomic.Int64                // nanoseconds since 1970
	mu    chan struct{}               // a mutex that a context can stop waiting for
	state atomic.Pointer[openIDState] // nil before the first attempt
}

// openIDState is what is known of a configuration. It is never changed.
type openIDState struct {
	issuer  *Issuer   // nil when there was none yet
	fetched time.Time // the last success
	tried   time.Time // the last attempt
	err     error     // of the last attempt
}

// NewOpenID returns an empty cache.
func NewOpenID(doer Doer, now func() time.Time) *OpenID {
	return &OpenID{doer: doer, now: now, entries: make(map[string]*openIDEntry)}
}

// Issuer returns the configuration at a URL. When it has no key with the ID keyID, which may be empty, it is fetched again, at most every five
// minutes. A configuration that cannot be fetched any more stays in use, and one that has the key does so while somebody else fetches it.
func (o *OpenID) Issuer(ctx context.Context, configuration, keyID string) (*Issuer, error) {
	return o.IssuerAt(ctx, o.now(), configuration, keyID)
}

// IssuerAt is [OpenID.Issuer] for those who know already what the clock says.
func (o *OpenID) IssuerAt(ctx context.Context, now time.Time, configuration, keyID string) (*Issuer, error) {
	e := o.entry(configuration, now)
	s := e.state.Load()
	if !s.due(now, keyID) {
		return s.answer()
	}
	select {
	case e.mu <- struct{}{}:
	default:
		if s.has(keyID) {
			return s.issuer, nil
		}
		select {
		case e.mu <- struct{}{}:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for OpenID configuration: %w", context.Cause(ctx))
		}
	}
	defer func() { <-e.mu }()
	if s = e.state.Load(); s.due(now, keyID) { // nobody has fetched it meanwhile
		next := &openIDState{tried: now}
		if s != nil {
			next.issuer, next.fetched = s.issuer, s.fetched
		}
		// The fetch serves all who wait, so the first one's end does not end it.
		issuer, err := o.fetch(context.WithoutCancel(ctx), configuration)
		if next.err = err; err == nil {
			next.issuer, next.fetched = issuer, now
		}
		e.state.Store(next)
		s = next
	}
	return s.answer()
}

func (s *openIDState) has(keyID string) bool {
	return s != nil && s.issuer != nil && s.issuer.HasKey(keyID)
}

func (s *openIDState) answer() (*Issuer, error) {
	if s.issuer == nil {
		return nil, s.err
	}
	return s.issuer, nil
}

func (s *openIDState) due(now time.Time, keyID string) bool {
	switch {
	case s == nil:
		return true
	case s.issuer == nil:
		return now.Sub(s.tried) >= openIDRetry
	case s.err != nil || !s.has(keyID):
		return now.Sub(s.tried) >= openIDRefresh
	}
	return now.Sub(s.fetched) >= openIDLifetime
}

// entry finds or makes an entry; the one that was not used for longest makes room.
func (o *OpenID) entry(configuration string, now time.Time) *openIDEntry {
	o.mu.RLock()
	e := o.entries[configuration]
	o.mu.RUnlock()
	if e == nil {
		e = o.addEntry(configuration)
	}
	e.used.Store(now.UnixNano())
	return e
}

func (o *OpenID) addEntry(configuration string) *openIDEntry {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e := o.entries[configuration]; e != nil {
		return e
	}
	if len(o.entries) >= openIDMaxCached {
		var oldest string
		for name, old := range o.entries {
			if oldest == "" || old.used.Load() < o.entries[oldest].used.Load() {
				oldest = name
			}
		}
		delete(o.entries, oldest)
	}
	e := &openIDEntry{mu: make(chan struct{}, 1)}
	o.entries[strings.Clone(configuration)] = e
	return e
}

func (o *OpenID) fetch(ctx context.Context, configuration string) (*Issuer, error) {
	ctx, cancel := context.WithTimeout(ctx, openIDTimeout)
	defer cancel()
	raw, err := get(ctx, o.doer, configuration, openIDSize)
	if err != nil {
		return nil, fmt.Errorf("fetch OpenID configuration: %w", err)
	}
	document, err := parseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("read OpenID configuration %s: %w", configuration, err)
	}
	name, _ := document["issuer"].(string)
	keys, _ := document["jwks_uri"].(string)
	if keys == "" {
		return nil, fmt.Errorf("read OpenID configuration %s: it has no jwks_uri", configuration)
	}
	if raw, err = get(ctx, o.doer, keys, openIDSize); err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	issuer := &Issuer{Name: name}
	if issuer.Keys, err = ParseKeySet(raw); err != nil {
		return nil, fmt.Errorf("fetch keys from %s: %w", keys, err)
	}
	return issuer, nil
}

// get reads a document of limited size.
func get(ctx context.Context, doer Doer, address string, limit int64) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an absolute http or https URL", address)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	status, raw, err := exchange(doer, r, limit)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", address, status)
	}
	return raw, nil
}

var errTooLarge = errors.New("the answer is too large")

// exchange sends a request and reads the answer, up to limit bytes.
func exchange(doer Doer, r *http.Request, limit int64) (status int, body []byte, err error) {
	resp, err := doer.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read
	body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("read answer of %s: %w", r.URL.Host, err)
	case int64(len(body)) > limit:
		return 0, nil, fmt.Errorf("read answer of %s: %w", r.URL.Host, errTooLarge)
	}
	return resp.StatusCode, body, nil
}
