package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/policy"
)

// Credentials gets tokens of the credential manager, which the management plane keeps and renews.
type Credentials interface {
	// Token returns the token of an authorization of a service, by ARM ID. A refusal wraps [ErrCredentialRefused]; other errors say that the
	// plane cannot be asked now.
	Token(ctx context.Context, service string, r policy.AuthorizationRequest) (Credential, error)
}

// Credential is a token with what its provider has said of it.
type Credential struct {
	AccessToken string
	// Expires is when the token ends; zero when that is not known.
	Expires time.Time
	// Claims is a JSON object, or nothing.
	Claims []byte
}

// ErrCredentialRefused says that the plane gives no token: there is none, or it is not for the one who asks.
var ErrCredentialRefused = errors.New("the authorization is refused")

const (
	// credentialFresh is how long a token is used before the plane is asked again whether that is still allowed; while the plane is away a
	// token is used until it ends.
	credentialFresh  = 5 * time.Minute
	credentialMargin = 30 * time.Second
	credentialWait   = 30 * time.Second
	maxCredentials   = 10_000
)

// credentialCache keeps tokens in memory. Requests for the same one wait for one answer.
type credentialCache struct {
	source  Credentials
	now     func() time.Time
	mu      sync.Mutex
	entries map[credentialKey]*credentialEntry
}

type credentialKey struct {
	service, provider, authorization string
	token                            [sha256.Size]byte // of who asks
}

type credentialEntry struct {
	turn  chan struct{} // a mutex that a context can stop waiting for
	token Credential
	until time.Time // to ask again
}

// cachedCredentials keeps what source gives; nil without a source.
func cachedCredentials(source Credentials, now func() time.Time) Credentials {
	if source == nil {
		return nil
	}
	return &credentialCache{source: source, now: now, entries: make(map[credentialKey]*credentialEntry)}
}

// Token implements Credentials.
func (c *credentialCache) Token(ctx context.Context, service string, r policy.AuthorizationRequest) (Credential, error) {
	e := c.entry(service, r)
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return Credential{}, context.Cause(ctx)
	}
	now := c.now()
	if now.Before(e.until) {
		return e.token, nil
	}
	ctx, cancel := context.WithTimeout(ctx, credentialWait)
	defer cancel()
	token, err := c.source.Token(ctx, service, r)
	switch {
	case errors.Is(err, ErrCredentialRefused):
		e.token, e.until = Credential{}, time.Time{}
		return Credential{}, err
	case err != nil && e.token.AccessToken != "" && (e.token.Expires.IsZero() || now.Before(e.token.Expires)):
		return e.token, nil
	case err != nil:
		return Credential{}, err
	}
	e.token, e.until = token, now.Add(credentialFresh)
	if end := token.Expires.Add(-credentialMargin); !token.Expires.IsZero() && end.Before(e.until) {
		e.until = end
	}
	return token, nil
}

func (c *credentialCache) entry(service string, r policy.AuthorizationRequest) *credentialEntry {
	key := credentialKey{service: service, provider: lowerASCII(r.Provider), authorization: lowerASCII(r.Authorization)}
	if r.Token != "" {
		key.token = sha256.Sum256([]byte(r.Token))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		if len(c.entries) >= maxCredentials {
			clear(c.entries) // with identity-type jwt each caller has one
		}
		key.provider, key.authorization = strings.Clone(key.provider), strings.Clone(key.authorization)
		e = &credentialEntry{turn: make(chan struct{}, 1)}
		c.entries[key] = e
	}
	return e
}

// Authorization gets a token of the credential manager.
func (r *request) Authorization(ctx context.Context, a policy.AuthorizationRequest) (*policy.Authorization, error) {
	if r.gateway.tokens == nil {
		return nil, errors.New("this gateway has no credential manager")
	}
	t, err := r.gateway.tokens.Token(ctx, r.config.service.ID, a)
	if err != nil {
		return nil, err
	}
	return policy.NewAuthorization(t.AccessToken, t.Claims)
}

// identityOf is the managed identity of a gateway.
func identityOf(t *policy.Trust) auth.TokenSource {
	if t == nil || t.Identity == nil {
		return auth.NoIdentity{}
	}
	return t.Identity
}
