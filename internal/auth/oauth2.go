package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// OAuth2 is an application at an authorization server, as a client of OAuth 2.0 (RFC 6749).
type OAuth2 struct {
	AuthorizationURL, TokenURL string
	// RefreshURL is where tokens are renewed; TokenURL when it is empty.
	RefreshURL             string
	ClientID, ClientSecret string
	// Scopes are separated by blanks.
	Scopes string
	// Resource is what version 1 of Microsoft Entra ID has instead of scopes.
	Resource string
}

// Grant is what a token end point has given.
type Grant struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken,omitempty"`
	// Expires is zero when the server does not say.
	Expires time.Time `json:"expires"`
	// Claims is the rest of the answer, a JSON object.
	Claims json.RawMessage `json:"claims,omitempty"`
}

// OAuth2Error is an error that a server has reported by its code (RFC 6749, sections 4.1.2.1 and 5.2), invalid_grant for example.
type OAuth2Error struct{ Code, Description string }

func (e *OAuth2Error) Error() string { return strings.TrimSpace(e.Code + " " + e.Description) }

// LoginURL is where a user gives consent. The answer comes to redirect with the state; verifier is the secret of RFC 7636.
func (c *OAuth2) LoginURL(redirect, state, verifier string) (string, error) {
	u, err := url.Parse(c.AuthorizationURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("the authorization URL is not valid")
	}
	challenge := sha256.Sum256([]byte(verifier))
	q := u.Query()
	for name, value := range map[string]string{
		"response_type": "code", "client_id": c.ClientID, "redirect_uri": redirect, "scope": c.Scopes, "resource": c.Resource, "state": state,
		"code_challenge": base64.RawURLEncoding.EncodeToString(challenge[:]), "code_challenge_method": "S256",
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Redeem exchanges a code for tokens.
func (c *OAuth2) Redeem(ctx context.Context, doer Doer, now time.Time, code, redirect, verifier string) (Grant, error) {
	return c.ask(ctx, doer, now, c.TokenURL, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier},
	})
}

// Refresh renews tokens. A server that gives no new refresh token lets the old one go on.
func (c *OAuth2) Refresh(ctx context.Context, doer Doer, now time.Time, token string) (Grant, error) {
	address := c.RefreshURL
	if address == "" {
		address = c.TokenURL
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	c.limit(form)
	g, err := c.ask(ctx, doer, now, address, form)
	if err == nil && g.RefreshToken == "" {
		g.RefreshToken = token
	}
	return g, err
}

// Credentials gets a token for the application itself.
func (c *OAuth2) Credentials(ctx context.Context, doer Doer, now time.Time) (Grant, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	c.limit(form)
	return c.ask(ctx, doer, now, c.TokenURL, form)
}

func (c *OAuth2) limit(form url.Values) {
	if c.Scopes != "" {
		form.Set("scope", c.Scopes)
	}
	if c.Resource != "" {
		form.Set("resource", c.Resource)
	}
}

// ask sends a form to a token end point. The application's secret goes in the body, which every server takes that Azure has a template for.
func (c *OAuth2) ask(ctx context.Context, doer Doer, now time.Time, address string, form url.Values) (Grant, error) {
	form.Set("client_id", c.ClientID)
	if c.ClientSecret != "" {
		form.Set("client_secret", c.ClientSecret)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil || r.URL.Host == "" {
		return Grant{}, errors.New("ask for a token: the URL of the token end point is not valid")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	status, body, err := exchange(doer, r, maxTokenAnswer)
	if err != nil {
		return Grant{}, fmt.Errorf("ask for a token: %w", err)
	}
	answer, err := parseObject(body)
	if err != nil {
		return Grant{}, fmt.Errorf("ask %s for a token: status %d without a JSON object", r.URL.Host, status)
	}
	text := func(name string) string { s, _ := answer[name].(string); return s }
	if code := text("error"); code != "" { // GitHub has it with status 200
		return Grant{}, fmt.Errorf("ask %s for a token: %w", r.URL.Host, &OAuth2Error{code, text("error_description")})
	}
	g := Grant{AccessToken: text("access_token"), RefreshToken: text("refresh_token")}
	if status/100 != 2 || g.AccessToken == "" {
		return Grant{}, fmt.Errorf("ask %s for a token: status %d without a token", r.URL.Host, status)
	}
	if n, ok := number(answer["expires_in"]); ok && n > 0 {
		g.Expires = now.Add(time.Duration(min(n, maxTokenSeconds)) * time.Second)
	}
	for _, secret := range []string{"access_token", "refresh_token", "id_token"} {
		delete(answer, secret)
	}
	if g.Claims, err = json.Marshal(answer); err != nil {
		return Grant{}, fmt.Errorf("keep the answer of %s: %w", r.URL.Host, err)
	}
	return g, nil
}
