package auth

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// tokenEndpoint is where an authority gives tokens.
type tokenEndpoint struct {
	url string
	// basic says that the authority takes secrets in the Authorization header only (RFC 6749, section 2.3.1).
	basic bool
}

// discovery finds the token end point of an authority by its OpenID configuration, and looks again after an hour.
type discovery struct {
	mu    sync.Mutex
	found tokenEndpoint
	at    time.Time
}

// endpoint returns what is known, or fetches it. What was known stays in use while the authority does not answer.
func (d *discovery) endpoint(ctx context.Context, doer Doer, authority string, now time.Time) (tokenEndpoint, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found.url != "" && now.Sub(d.at) < openIDLifetime {
		return d.found, nil
	}
	found, err := discover(ctx, doer, authority)
	switch {
	case err == nil:
		d.found, d.at = found, now
	case d.found.url == "":
		return tokenEndpoint{}, err
	}
	return d.found, nil
}

// discover reads a configuration (OpenID Connect Discovery 1.0, section 4), which must be that of the authority.
func discover(ctx context.Context, doer Doer, authority string) (tokenEndpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, openIDTimeout)
	defer cancel()
	authority = strings.TrimSuffix(authority, "/")
	raw, err := get(ctx, doer, authority+"/.well-known/openid-configuration", openIDSize)
	if err != nil {
		return tokenEndpoint{}, fmt.Errorf("fetch OpenID configuration: %w", err)
	}
	document, err := parseObject(raw)
	if err != nil {
		return tokenEndpoint{}, fmt.Errorf("read OpenID configuration of %s: %w", authority, err)
	}
	issuer, _ := document["issuer"].(string)
	if strings.TrimSuffix(issuer, "/") != authority {
		return tokenEndpoint{}, fmt.Errorf("the OpenID configuration of %s is that of %q", authority, issuer)
	}
	address, _ := document["token_endpoint"].(string)
	at, err := url.Parse(address)
	from, ferr := url.Parse(authority)
	if err != nil || ferr != nil || at.Host == "" || at.Scheme != from.Scheme && at.Scheme != "https" {
		return tokenEndpoint{}, fmt.Errorf("the OpenID configuration of %s has no token end point of use: %q", authority, address)
	}
	methods, _ := document["token_endpoint_auth_methods_supported"].([]any)
	return tokenEndpoint{address, len(methods) > 0 && !slices.Contains(methods, any("client_secret_post"))}, nil
}
