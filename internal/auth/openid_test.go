package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/causeway-apim/causeway/internal/auth"
)

// provider is an OpenID provider with one signing key at a time.
type provider struct {
	*httptest.Server
	mu      sync.Mutex
	id      string
	key     *ecdsa.PrivateKey
	status  int
	fetched int // configurations
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{status: http.StatusOK}
	p.rotate(t, "k1")
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) rotate(t *testing.T, id string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.id, p.key = id, key
}

func (p *provider) answer(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

func (p *provider) fetches() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetched
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status != http.StatusOK {
		w.WriteHeader(p.status)
		return
	}
	var body any = map[string]string{"issuer": p.URL, "jwks_uri": p.URL + "/keys"}
	if r.URL.Path == "/keys" {
		key, err := jwk.Import(p.key.Public())
		if err != nil || key.Set("kid", p.id) != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		body = map[string]any{"keys": []any{key, map[string]string{"kty": "unheard-of"}}}
	} else {
		p.fetched++
	}
	_ = json.NewEncoder(w).Encode(body) // the client notices
}

func (p *provider) configuration() string { return p.URL + "/.well-known/openid-configuration" }

func (p *provider) token(t *testing.T, now time.Time) *auth.Token {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	h := jws.NewHeaders()
	if err := h.Set("kid", p.id); err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(map[string]any{"iss": p.URL, "nbf": now.Unix(), "exp": now.Add(24 * time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.Sign(payload, jws.WithKey(jwa.ES256(), p.key, jws.WithProtectedHeaders(h)))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

func parse(t *testing.T, text string) *auth.Token {
	t.Helper()
	token, err := auth.ParseToken(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestOpenIDFollowsKeyRotation(t *testing.T) {
	t.Parallel()
	p, c := newProvider(t), newClock()
	o := auth.NewOpenID(p.Client(), c.Now)
	check := func(token *auth.Token) error {
		issuer, err := o.Issuer(t.Context(), p.configuration(), token.KeyID)
		if err != nil {
			return err
		}
		return (&auth.Rules{Sources: []*auth.Issuer{issuer}}).Check(token, c.Now())
	}
	expect := func(what string, token *auth.Token, reason string, fetches int) {
		t.Helper()
		if got := reasonOf(check(token)); got != reason {
			t.Errorf("%s: got %q, want %q", what, got, reason)
		}
		if got := p.fetches(); got != fetches {
			t.Errorf("%s: %d fetches, want %d", what, got, fetches)
		}
	}
	first := p.token(t, c.Now())
	expect("first", first, "", 1)
	expect("cached", first, "", 1)
	p.rotate(t, "k2")
	second := p.token(t, c.Now())
	expect("new key at once", second, auth.TokenSignatureKeyNotFound, 1)
	expect("the old one stays", first, "", 1)
	c.add(5*time.Minute - time.Second)
	expect("new key before five minutes", second, auth.TokenSignatureKeyNotFound, 1)
	c.add(time.Second)
	expect("new key after five minutes", second, "", 2)
	expect("the old key has gone", first, auth.TokenSignatureKeyNotFound, 2)
	c.add(time.Hour - time.Second)
	expect("within the hour", second, "", 2)
	c.add(time.Second)
	p.answer(http.StatusInternalServerError)
	expect("provider away", second, "", 2)
	p.answer(http.StatusOK)
	p.rotate(t, "k2")
	expect("not before five minutes", second, "", 2)
	c.add(5 * time.Minute)
	expect("same ID, another key", second, auth.TokenSignatureInvalid, 3)
}

func reasonOf(err error) string {
	var refused *auth.TokenError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Reason
	}
	return err.Error()
}

func TestOpenIDFetchesOnceForManyRequests(t *testing.T) {
	t.Parallel()
	p, c := newProvider(t), newClock()
	o := auth.NewOpenID(p.Client(), c.Now)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := o.Issuer(t.Context(), p.configuration(), "k1"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if p.fetches() != 1 {
		t.Errorf("%d fetches", p.fetches())
	}
}

func TestOpenIDRetriesAFirstFailureSoon(t *testing.T) {
	t.Parallel()
	p, c := newProvider(t), newClock()
	o := auth.NewOpenID(p.Client(), c.Now)
	p.answer(http.StatusServiceUnavailable)
	for range 2 {
		if _, err := o.Issuer(t.Context(), p.configuration(), ""); err == nil || !strings.Contains(err.Error(), "status 503") {
			t.Fatalf("got %v", err)
		}
	}
	p.answer(http.StatusOK)
	if _, err := o.Issuer(t.Context(), p.configuration(), ""); err == nil {
		t.Error("asked again at once")
	}
	c.add(5 * time.Second)
	if _, err := o.Issuer(t.Context(), p.configuration(), ""); err != nil {
		t.Error(err)
	}
}

func TestOpenIDRefusesBadProviders(t *testing.T) {
	t.Parallel()
	large := strings.Repeat(" ", 1<<20) + "{}"
	for name, test := range map[string]struct{ configuration, keys, want string }{
		"no object":   {`[]`, ``, "read OpenID configuration"},
		"no keys":     {`{"issuer":"x"}`, ``, "no jwks_uri"},
		"file":        {`{"issuer":"x","jwks_uri":"file:///etc/passwd"}`, ``, "not an absolute http"},
		"relative":    {`{"issuer":"x","jwks_uri":"/keys"}`, ``, "not an absolute http"},
		"large":       {large, ``, "too large"},
		"bad key set": {`{"issuer":"x","jwks_uri":"KEYS"}`, `{`, "read key set"},
		"large keys":  {`{"issuer":"x","jwks_uri":"KEYS"}`, large, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/keys" {
					_, _ = w.Write([]byte(test.keys))
					return
				}
				_, _ = w.Write([]byte(strings.ReplaceAll(test.configuration, "KEYS", "http://"+r.Host+"/keys")))
			}))
			defer s.Close()
			_, err := auth.NewOpenID(s.Client(), newClock().Now).Issuer(t.Context(), s.URL, "")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, address := range []string{"", "nowhere", "file:///x", "http://", "http://[::1"} {
		if _, err := auth.NewOpenID(http.DefaultClient, newClock().Now).Issuer(t.Context(), address, ""); err == nil {
			t.Errorf("%q gave a configuration", address)
		}
	}
}

// stuck is a provider that never answers.
type stuck struct{ asked chan struct{} }

func (s stuck) Do(r *http.Request) (*http.Response, error) {
	close(s.asked)
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

func TestOpenIDStopsWaitingWithItsCaller(t *testing.T) {
	t.Parallel()
	s := stuck{make(chan struct{})}
	o := auth.NewOpenID(s, newClock().Now)
	go o.Issuer(context.Background(), "http://issuer.test", "") //nolint:errcheck // it ends with its own time limit
	<-s.asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Issuer(ctx, "http://issuer.test", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// late is a provider whose answers wait until they may go.
type late struct {
	auth.Doer
	asked chan struct{}
	mayGo chan struct{}
}

func (l late) Do(r *http.Request) (*http.Response, error) {
	l.asked <- struct{}{}
	<-l.mayGo
	return l.Doer.Do(r)
}

// TestOpenIDServesWhileOneFetches checks that requests do not wait for a configuration that is only old.
func TestOpenIDServesWhileOneFetches(t *testing.T) {
	t.Parallel()
	p, c := newProvider(t), newClock()
	slow := late{p.Client(), make(chan struct{}, 10), make(chan struct{}, 10)}
	slow.mayGo <- struct{}{}
	slow.mayGo <- struct{}{}
	o := auth.NewOpenID(slow, c.Now)
	known, err := o.Issuer(t.Context(), p.configuration(), "k1")
	if err != nil {
		t.Fatal(err)
	}
	<-slow.asked
	<-slow.asked
	c.add(time.Hour)
	fetched := make(chan *auth.Issuer)
	go func() {
		issuer, _ := o.Issuer(context.Background(), p.configuration(), "k1")
		fetched <- issuer
	}()
	<-slow.asked
	if issuer, err := o.Issuer(t.Context(), p.configuration(), "k1"); err != nil || issuer != known {
		t.Errorf("got %v, %v while another one fetches", issuer, err)
	}
	slow.mayGo <- struct{}{}
	slow.mayGo <- struct{}{}
	if issuer := <-fetched; issuer == nil || issuer == known {
		t.Errorf("fetched %v", issuer)
	}
}
