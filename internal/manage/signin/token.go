package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

const grantDevice = "urn:ietf:params:oauth:grant-type:device_code"

// managementClaim marks access tokens for the management API, whatever name of it the client used as the audience.
const managementClaim = "causeway_api"

// token is the token endpoint.
func (s *Service) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "The token endpoint takes POST.", http.StatusMethodNotAllowed)
		return
	}
	var answer map[string]any
	var err error
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		answer, err = s.clientCredentials(r)
	case "authorization_code":
		answer, err = s.redeemCode(r)
	case "refresh_token":
		answer, err = s.refresh(r)
	case grantDevice, "device_code":
		answer, err = s.redeemDevice(r)
	case "":
		err = refuse("invalid_request", "The form has no grant_type.")
	default:
		err = refuse("unsupported_grant_type", "The grant type '%s' is not supported.", r.PostForm.Get("grant_type"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if strings.HasSuffix(strings.ToLower(r.URL.Path), "/oauth2/token") {
		versionOne(answer, s.c.Now())
	}
	w.Header().Set("Pragma", "no-cache")
	arm.WriteJSON(w, http.StatusOK, answer)
}

// versionOne gives an answer the shape of the older endpoint: times are texts.
func versionOne(answer map[string]any, now time.Time) {
	seconds := int64(accessLife / time.Second)
	answer["expires_in"], answer["ext_expires_in"] = strconv.FormatInt(seconds, 10), strconv.FormatInt(seconds, 10)
	answer["expires_on"], answer["not_before"] = strconv.FormatInt(now.Unix()+seconds, 10), strconv.FormatInt(now.Unix(), 10)
}

func (s *Service) clientCredentials(r *http.Request) (map[string]any, error) {
	client, err := s.client(r)
	if err != nil {
		return nil, err
	}
	if client.principal == nil {
		return nil, refuse("unauthorized_client", "A public client has no token of its own.")
	}
	if !client.proven {
		return nil, refuse("invalid_client", "The request has neither client_secret nor client_assertion.")
	}
	return s.answer(r, issue{
		principal: client.principal, client: client.id, scope: r.PostForm.Get("scope"), resource: r.PostForm.Get("resource"), app: true,
	})
}

// issue says what tokens are made of.
type issue struct {
	principal       *directory.Principal
	client          string
	scope, resource string
	nonce           string
	began           time.Time
	app             bool   // for a program itself
	refresh         string // refresh token, if any
}

// answer makes the tokens and the answer of the token endpoint.
func (s *Service) answer(r *http.Request, i issue) (map[string]any, error) {
	now := s.c.Now()
	resource := resourceOf(i.scope, i.resource)
	management := isManagement(resource, r.Host)
	if resource == "" {
		resource = arm.BaseURL(r)
	}
	claims := s.claims(r, i, now)
	claims["aud"], claims["appid"], claims["azp"] = resource, i.client, i.client
	claims["exp"] = now.Add(accessLife).Unix()
	if management {
		claims[managementClaim] = "management"
	}
	scope := i.scope
	if i.app {
		claims["idtyp"], claims["appidacr"], claims["azpacr"], claims["roles"] = "app", "1", "1", []string{}
		claims["app_displayname"] = i.principal.DisplayName
	} else {
		claims["idtyp"], claims["scp"], claims["appidacr"], claims["azpacr"] = "user", "user_impersonation", "0", "0"
	}
	key, err := s.c.Directory.SigningKey(r.Context())
	if err != nil {
		return nil, err
	}
	access, err := key.Sign(auth.TypeAccessToken, claims)
	if err != nil {
		return nil, err
	}
	seconds := int(accessLife / time.Second)
	answer := map[string]any{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": access, "resource": resource}
	if !i.app {
		answer["scope"] = scope
		if i.refresh != "" {
			answer["refresh_token"] = i.refresh
		}
		if hasScope(i.scope, "openid") || i.refresh != "" {
			if answer["id_token"], err = s.idToken(r, key, i, now); err != nil {
				return nil, err
			}
		}
	}
	if r.PostForm.Get("client_info") == "1" {
		info, err := json.Marshal(map[string]string{"uid": i.principal.ID, "utid": s.c.TenantID})
		if err != nil {
			return nil, err
		}
		answer["client_info"] = base64.RawURLEncoding.EncodeToString(info)
	}
	return answer, nil
}

// claims are those that all tokens of a principal have.
func (s *Service) claims(r *http.Request, i issue, now time.Time) map[string]any {
	claims := map[string]any{
		"iss": s.issuer(r), "tid": s.c.TenantID, "oid": i.principal.ID, "sub": i.principal.ID, "iat": now.Unix(), "nbf": now.Unix(),
		"uti": directory.RandomText(), "ver": "2.0",
	}
	if !i.app {
		claims["name"] = i.principal.DisplayName
		name := i.principal.UserName
		if name == "" {
			name = i.principal.DisplayName
		}
		claims["preferred_username"], claims["upn"], claims["unique_name"] = name, name, name
		claims["auth_time"] = i.began.Unix()
	}
	return claims
}

func (s *Service) idToken(r *http.Request, key *auth.SigningKey, i issue, now time.Time) (string, error) {
	claims := s.claims(r, i, now)
	claims["aud"], claims["exp"] = i.client, now.Add(accessLife).Unix()
	if i.nonce != "" {
		claims["nonce"] = i.nonce
	}
	return key.Sign(auth.TypeIDToken, claims)
}

func hasScope(scope, name string) bool {
	for have := range strings.FieldsSeq(scope) {
		if have == name {
			return true
		}
	}
	return false
}

// redeemCode exchanges an authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.6).
func (s *Service) redeemCode(r *http.Request) (map[string]any, error) {
	client, err := s.client(r)
	if err != nil {
		return nil, err
	}
	var g grant
	code := r.PostForm.Get("code")
	err = s.grants.use(r.Context(), kindCode, code, func(v *grant) (bool, error) {
		g = *v
		verifier := r.PostForm.Get("code_verifier")
		sum := sha256.Sum256([]byte(verifier))
		switch {
		case g.Client != client.id || g.RedirectURI != r.PostForm.Get("redirect_uri"):
			return false, refuse("invalid_grant", "The code was made for another client or another redirect_uri.")
		case g.Challenge == "" && !client.proven:
			return false, refuse("invalid_grant", "A public client needs PKCE.")
		case g.Challenge != "" && !auth.EqualSecret(base64.RawURLEncoding.EncodeToString(sum[:]), g.Challenge):
			return false, refuse("invalid_grant", "The code_verifier does not match the code_challenge.")
		}
		return false, nil
	})
	if err != nil {
		return nil, invalidGrant(err, "The authorization code is not valid, was used already or has expired.")
	}
	return s.answerUser(r, &g)
}

func invalidGrant(err error, text string) error {
	if errors.Is(err, errNoGrant) {
		return refuse("invalid_grant", "%s", text)
	}
	return err
}

// answerUser makes the tokens of a user who signed in, with a refresh token if the scope asks for one.
func (s *Service) answerUser(r *http.Request, g *grant) (map[string]any, error) {
	p, err := s.valid(r.Context(), g)
	if err != nil {
		return nil, err
	}
	i := issue{principal: p, client: g.Client, scope: g.Scope, resource: g.Resource, nonce: g.Nonce, began: g.Began}
	if hasScope(g.Scope, "offline_access") || g.Resource != "" {
		family, secret := directory.RandomText(), directory.RandomText()
		kept := grant{
			Principal: g.Principal, Client: g.Client, Scope: g.Scope, Resource: g.Resource, Began: g.Began,
			Expires: s.c.Now().Add(refreshLife), Valid: []string{hashOf(secret)},
		}
		if err := s.grants.add(r.Context(), kindRefresh, family, &kept); err != nil {
			return nil, err
		}
		i.refresh = family + "." + secret
	}
	return s.answer(r, i)
}

// valid returns the principal of a grant while it may use it.
func (s *Service) valid(ctx context.Context, g *grant) (*directory.Principal, error) {
	state, err := s.c.Directory.State(ctx)
	if err != nil {
		return nil, err
	}
	p := state.Principal(g.Principal)
	if p == nil || p.Disabled || g.Began.Before(p.SessionsAfter.Truncate(time.Second)) {
		return nil, refuse("invalid_grant", "The account is disabled, or its sessions were ended. Sign in again.")
	}
	return p, nil
}
