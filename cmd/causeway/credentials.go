package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resources"
)

// requestToken is the request of gateways for a token of the credential manager.
const requestToken = "authorizationToken"

// tokenRequest is its payload.
type tokenRequest struct {
	Provider      string `json:"provider"`
	Authorization string `json:"authorization"`
	Token         string `json:"token,omitempty"` // of the identity that asks
}

// tokenAnswer is the answer to it.
type tokenAnswer struct {
	AccessToken string          `json:"accessToken"`
	Expires     time.Time       `json:"expires"`
	Claims      json.RawMessage `json:"claims,omitempty"`
}

// newCredentialManager makes the credential manager of a plane.
func newCredentialManager(engine *resource.Engine, trust *policy.Trust) *resources.CredentialManager {
	return &resources.CredentialManager{
		Engine: engine, OpenID: trust.OpenID, Authority: trust.Authority, Now: time.Now,
		Doer: &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			return fmt.Errorf("%s redirects, which a token end point must not", r.URL.Host)
		}},
	}
}

// localCredentials is the credential manager for the managed gateway in the same process.
type localCredentials struct{ plane *plane }

// Token implements gateway.Credentials.
func (c localCredentials) Token(ctx context.Context, service string, r policy.AuthorizationRequest) (gateway.Credential, error) {
	grant, err := c.plane.token(ctx, service, tokenRequest{r.Provider, r.Authorization, r.Token})
	if errors.Is(err, resources.ErrAuthorizationRefused) {
		return gateway.Credential{}, fmt.Errorf("%w: %s", gateway.ErrCredentialRefused, because(err, resources.ErrAuthorizationRefused))
	}
	return gateway.Credential{AccessToken: grant.AccessToken, Expires: grant.Expires, Claims: grant.Claims}, err
}

func (p *plane) token(ctx context.Context, service string, r tokenRequest) (auth.Grant, error) {
	id, err := arm.ParseID(service)
	if err != nil {
		return auth.Grant{}, err
	}
	return p.credentials.Token(ctx, id, r.Provider, r.Authorization, r.Token)
}

// answer answers requests of gateways. They get tokens of their own service only.
func (p *plane) answer(ctx context.Context, from configsync.Identity, name string, payload json.RawMessage) (any, error) {
	switch name {
	case requestUsage:
		return p.usage.take(ctx, from, payload)
	case requestQuota:
		return p.quotas.take(from, payload)
	}
	if name != requestToken {
		return nil, fmt.Errorf("%w: this version of the management plane has no %s", configsync.ErrRefused, name)
	}
	var r tokenRequest
	if err := json.Unmarshal(payload, &r); err != nil {
		return nil, fmt.Errorf("%w: the request cannot be read", configsync.ErrRefused)
	}
	grant, err := p.token(ctx, from.Service, r)
	if errors.Is(err, resources.ErrAuthorizationRefused) {
		return nil, fmt.Errorf("%w: %s", configsync.ErrRefused, because(err, resources.ErrAuthorizationRefused))
	}
	return tokenAnswer{grant.AccessToken, grant.Expires, grant.Claims}, err
}

// because is the reason in an error: what stands behind a sentinel's own text, which each hop says anew.
func because(err, sentinel error) string {
	text, mark := err.Error(), sentinel.Error()+": "
	if i := strings.LastIndex(text, mark); i >= 0 {
		return text[i+len(mark):]
	}
	return text
}

// remoteCredentials asks the plane over the configuration connection.
type remoteCredentials struct{ client *configsync.Client }

// Token implements gateway.Credentials. A self-hosted gateway has one service, that of its token.
func (c *remoteCredentials) Token(ctx context.Context, _ string, r policy.AuthorizationRequest) (gateway.Credential, error) {
	var a tokenAnswer
	err := c.client.Request(ctx, requestToken, tokenRequest{r.Provider, r.Authorization, r.Token}, &a)
	if errors.Is(err, configsync.ErrRefused) {
		return gateway.Credential{}, fmt.Errorf("%w: %s", gateway.ErrCredentialRefused, because(err, configsync.ErrRefused))
	}
	return gateway.Credential{AccessToken: a.AccessToken, Expires: a.Expires, Claims: a.Claims}, err
}
