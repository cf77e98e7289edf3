package auth

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// DefaultAuthority is the base URL of Microsoft Entra ID in the public cloud.
const DefaultAuthority = "https://login.microsoftonline.com"

// Access is an access token.
type Access struct {
	Token   string
	Expires time.Time
}

// TokenSource gives access tokens of an identity for the resource that is to be called. clientID names one of several identities; empty means
// the one that the gateway has by itself.
type TokenSource interface {
	AccessToken(ctx context.Context, resource, clientID string) (Access, error)
}

// ClientCredentials is an identity with a secret or with a file that holds a signed assertion about it (OAuth 2.0: RFC 6749, section 4.4, and
// RFC 7523, section 2.2; the file is what workload identity mounts into a pod).
type ClientCredentials struct {
	Doer Doer
	Now  func() time.Time
	// Authority is the base URL of Entra ID, Tenant the directory. Without a tenant the authority is any issuer of OpenID Connect, whose
	// configuration says where its tokens come from.
	Authority, Tenant string
	ClientID          string
	// Scope is what to ask an authority without tenants for, besides the audience; usually empty.
	Scope string
	// Secret, AssertionFile or Certificate proves the identity. The file is read for every token, since it is exchanged from time to time, and so is the
	// certificate asked for.
	Secret, AssertionFile string
	Certificate           func() (*tls.Certificate, error)

	discovery discovery
}

// AccessToken asks for a token for resource + "/.default". An authority without tenants is asked for one whose audience is resource.
func (c *ClientCredentials) AccessToken(ctx context.Context, resource, clientID string) (Access, error) {
	const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "scope": {scopeOf(resource)}}
	at := tokenEndpoint{url: strings.TrimSuffix(c.Authority, "/") + "/" + url.PathEscape(c.Tenant) + "/oauth2/v2.0/token"}
	if c.Tenant == "" {
		var err error
		if at, err = c.discovery.endpoint(ctx, c.Doer, c.Authority, c.Now()); err != nil {
			return Access{}, err
		}
		// RFC 8707 calls it the resource, most servers the audience; what a server does not know it ignores (RFC 6749, section 3.2).
		form.Set("audience", resource)
		form.Set("resource", resource)
		if form.Del("scope"); c.Scope != "" {
			form.Set("scope", c.Scope)
		}
	}
	basic := false
	switch {
	case c.AssertionFile != "":
		assertion, err := os.ReadFile(c.AssertionFile)
		if err != nil {
			return Access{}, fmt.Errorf("read the assertion of the workload identity: %w", err)
		}
		form.Set("client_assertion_type", jwtBearer)
		form.Set("client_assertion", strings.TrimSpace(string(assertion)))
		if clientID != "" {
			form.Set("client_id", clientID)
		}
	case clientID != "" && !strings.EqualFold(clientID, c.ClientID):
		return Access{}, fmt.Errorf("the gateway has no identity with the client ID %s", clientID)
	case c.Certificate != nil:
		certificate, err := c.Certificate()
		if err != nil {
			return Access{}, fmt.Errorf("read the certificate of the application: %w", err)
		}
		assertion, err := signAssertion(certificate, c.ClientID, at.url, c.Now())
		if err != nil {
			return Access{}, err
		}
		form.Set("client_assertion_type", jwtBearer)
		form.Set("client_assertion", assertion)
	case at.basic:
		basic = true
		form.Del("client_id")
	default:
		form.Set("client_secret", c.Secret)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at.url, strings.NewReader(form.Encode()))
	if err != nil {
		return Access{}, fmt.Errorf("ask for an access token: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic {
		r.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.Secret))
	}
	return askForToken(c.Doer, r, c.Now())
}

func scopeOf(resource string) string {
	if strings.HasSuffix(resource, "/.default") {
		return resource
	}
	return resource + "/.default"
}

// InstanceMetadata is the identity that the machine gives to what runs on it: Azure's instance metadata service, or the end point that App
// Service and Container Apps offer instead.
type InstanceMetadata struct {
	Doer Doer
	Now  func() time.Time
	// Endpoint is the URL of the token end point.
	Endpoint string
	// Header is the secret of App Service's end point; empty for the metadata service.
	Header string
}

// InstanceMetadataEndpoint is where the metadata service of virtual machines is.
const InstanceMetadataEndpoint = "http://169.254.169.254/metadata/identity/oauth2/token"

// AccessToken asks the end point for a token.
func (m *InstanceMetadata) AccessToken(ctx context.Context, resource, clientID string) (Access, error) {
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {strings.TrimSuffix(resource, "/.default")}}
	if m.Header != "" {
		query.Set("api-version", "2019-08-01")
	}
	if clientID != "" {
		query.Set("client_id", clientID)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Endpoint+"?"+query.Encode(), nil)
	if err != nil {
		return Access{}, fmt.Errorf("ask for an access token: %w", err)
	}
	if m.Header != "" {
		r.Header.Set("X-IDENTITY-HEADER", m.Header)
	} else {
		r.Header.Set("Metadata", "true")
	}
	return askForToken(m.Doer, r, m.Now())
}

// askForToken reads the answer of a token end point (RFC 6749, section 5).
func askForToken(doer Doer, r *http.Request, now time.Time) (Access, error) {
	r.Header.Set("Accept", "application/json")
	status, body, err := exchange(doer, r, maxTokenAnswer)
	if err != nil {
		return Access{}, fmt.Errorf("ask for an access token: %w", err)
	}
	answer, err := parseObject(body)
	if err != nil {
		return Access{}, fmt.Errorf("ask %s for an access token: status %d without a JSON object", r.URL.Host, status)
	}
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK || token == "" {
		code, _ := answer["error"].(string)
		detail, _ := answer["error_description"].(string)
		return Access{}, fmt.Errorf("ask %s for an access token: status %d: %s %s", r.URL.Host, status, code, detail)
	}
	access := Access{Token: token, Expires: now}
	if n, ok := number(answer["expires_in"]); ok {
		access.Expires = now.Add(time.Duration(min(n, maxTokenSeconds)) * time.Second)
	} else if n, ok := number(answer["expires_on"]); ok {
		access.Expires = time.Unix(n, 0)
	}
	return access, nil
}

const (
	maxTokenSeconds = 7 * 24 * 3600
	maxTokenAnswer  = 1 << 20
)

// number reads a number that some end points send as a text.
func number(v any) (int64, bool) {
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// errNoIdentity is what a gateway without an identity answers.
var errNoIdentity = errors.New("the gateway has no managed identity: none is configured")

// NoIdentity is the token source of a gateway without an identity.
type NoIdentity struct{}

// AccessToken fails and says that there is no identity.
func (NoIdentity) AccessToken(context.Context, string, string) (Access, error) {
	return Access{}, errNoIdentity
}

// Identity chooses a token source by the settings that Azure's libraries take from the environment:
//
//	AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE; AZURE_AUTHORITY_HOST
//	IDENTITY_ENDPOINT and IDENTITY_HEADER
//	CAUSEWAY_MANAGED_IDENTITY=imds for the metadata service of a virtual machine, which cannot be seen otherwise
//
// Without any of them it is [NoIdentity]. Half of them is an error.
func Identity(setting func(name string) string, doer Doer, now func() time.Time) (TokenSource, error) {
	c := &ClientCredentials{
		Doer: doer, Now: now, Authority: setting("AZURE_AUTHORITY_HOST"), Tenant: setting("AZURE_TENANT_ID"), ClientID: setting("AZURE_CLIENT_ID"),
		Secret: setting("AZURE_CLIENT_SECRET"), AssertionFile: setting("AZURE_FEDERATED_TOKEN_FILE"),
	}
	if c.Authority == "" {
		c.Authority = DefaultAuthority
	}
	switch mode := setting("CAUSEWAY_MANAGED_IDENTITY"); {
	case mode == "imds":
		return NewTokenCache(&InstanceMetadata{Doer: doer, Now: now, Endpoint: InstanceMetadataEndpoint}, now), nil
	case mode != "":
		return nil, fmt.Errorf("CAUSEWAY_MANAGED_IDENTITY is %q, not \"imds\"", mode)
	case c.Secret != "" || c.AssertionFile != "":
		if c.Tenant == "" || c.ClientID == "" {
			return nil, errors.New("AZURE_CLIENT_SECRET and AZURE_FEDERATED_TOKEN_FILE need AZURE_TENANT_ID and AZURE_CLIENT_ID besides")
		}
		return NewTokenCache(c, now), nil
	case setting("IDENTITY_ENDPOINT") != "":
		return NewTokenCache(&InstanceMetadata{Doer: doer, Now: now, Endpoint: setting("IDENTITY_ENDPOINT"), Header: setting("IDENTITY_HEADER")}, now), nil
	}
	return NoIdentity{}, nil
}

// Limits of a TokenCache.
const (
	maxTokens = 1000
	// tokenMargin is how long before its end a token is exchanged for a new one.
	tokenMargin  = 2 * time.Minute
	tokenTimeout = 30 * time.Second
)

// TokenCache keeps the tokens of another source until shortly before they expire. Requests for the same token wait for one answer.
type TokenCache struct {
	source TokenSource
	now    func() time.Time

	mu      sync.Mutex
	entries map[tokenKey]*tokenEntry
}

type tokenKey struct{ resource, clientID string }

type tokenEntry struct {
	mu     chan struct{} // a mutex that a context can stop waiting for
	access Access
}

// NewTokenCache returns an empty cache.
func NewTokenCache(source TokenSource, now func() time.Time) *TokenCache {
	return &TokenCache{source: source, now: now, entries: make(map[tokenKey]*tokenEntry)}
}

// AccessToken gives the token that is kept, or a new one.
func (c *TokenCache) AccessToken(ctx context.Context, resource, clientID string) (Access, error) {
	e := c.entry(tokenKey{strings.Clone(resource), strings.Clone(clientID)})
	select {
	case e.mu <- struct{}{}:
		defer func() { <-e.mu }()
	case <-ctx.Done():
		return Access{}, fmt.Errorf("wait for an access token: %w", context.Cause(ctx))
	}
	if c.now().Add(tokenMargin).Before(e.access.Expires) {
		return e.access, nil
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	access, err := c.source.AccessToken(ctx, resource, clientID)
	if err != nil {
		if c.now().Before(e.access.Expires) { // the old one is good still
			return e.access, nil
		}
		return Access{}, err
	}
	e.access = access
	return access, nil
}

func (c *TokenCache) entry(k tokenKey) *tokenEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[k]
	if !ok {
		if len(c.entries) >= maxTokens {
			clear(c.entries) // resources come from policies: there are few unless an expression makes them up
		}
		e = &tokenEntry{mu: make(chan struct{}, 1)}
		c.entries[k] = e
	}
	return e
}
