// Package signin is the token service of the management plane: OAuth 2.0 and OpenID Connect as clients of Azure expect
// them from Microsoft Entra ID, for one directory, with the pages on which people sign in.
//
// It serves client credentials (secrets, signed assertions, tokens of other issuers), authorization codes with PKCE,
// device codes and refresh tokens, and authenticates the requests that carry what it has issued.
//
// Sources: RFC 6749, 7636, 8628, 7523, OpenID Connect Core 1.0 and Discovery 1.0; for paths and members of answers
// learn.microsoft.com, "OAuth 2.0 and OpenID Connect in the Microsoft identity platform".
package signin

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/manage/directory"
	"github.com/causeway-apim/causeway/internal/store"
)

// Lives of what is issued.
const (
	accessLife  = time.Hour
	codeLife    = 5 * time.Minute
	deviceLife  = 15 * time.Minute
	refreshLife = 14 * 24 * time.Hour // since its last use
	sessionLife = 12 * time.Hour
)

const maxForm = 64 << 10 // bytes of a request's form

// Public clients that everybody may use: they have no secret, and send the user back to this machine or to this server.
const (
	CLI             = "c4a5e0a1-0000-4000-8000-000000000001"
	Console         = "c4a5e0a1-0000-4000-8000-000000000002"
	azureCLI        = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	azurePowerShell = "1950a258-227b-4e31-a9cf-717495945fc2"
)

func publicClient(id string) string {
	switch strings.ToLower(id) {
	case CLI:
		return "Causeway command line"
	case Console:
		return "Causeway console"
	case azureCLI:
		return "Azure CLI"
	case azurePowerShell:
		return "Azure PowerShell"
	}
	return ""
}

// Config is what a [Service] needs. Directory, Store and Now must be set.
type Config struct {
	Directory *directory.Directory
	Store     store.Store
	Now       func() time.Time
	Log       *slog.Logger
	TenantID  string
	// Client fetches the key sets of other issuers; nil for none, and no trust in others.
	Client auth.Doer
	// External is the OpenID Connect provider that people may sign in with; nil for none.
	External *External
}

// Service is the token service. It is safe for concurrent use.
type Service struct {
	c        Config
	openID   *auth.OpenID // nil without a Client
	throttle *auth.Throttle
	grants   grants
	protect  *http.CrossOriginProtection
}

// New returns a token service.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{c: c, throttle: auth.NewThrottle(c.Now), grants: grants{store: c.Store, now: c.Now}, protect: http.NewCrossOriginProtection()}
	if c.Client != nil {
		s.openID = auth.NewOpenID(c.Client, c.Now)
	}
	return s
}

// Paths of the pages, which belong to no directory.
const (
	pathSignIn   = "/oauth2/signin"
	pathSignOut  = "/oauth2/signout"
	pathDevice   = "/oauth2/device"
	pathExternal = "/oauth2/external"
	pathCallback = "/oauth2/external/callback"
)

// endpoint splits a path into the directory and what is asked of it. Clients put two slashes in front when they join an
// authority that ends with one.
func (s *Service) endpoint(path string) (tenant, name string) {
	path = "/" + strings.TrimLeft(strings.TrimRight(path, "/"), "/")
	if strings.HasPrefix(path, "/oauth2/") {
		return "", path
	}
	tenant, name, _ = strings.Cut(path[1:], "/")
	return strings.ToLower(tenant), "/" + strings.ToLower(name)
}

func (s *Service) handler(path string) http.HandlerFunc {
	tenant, name := s.endpoint(path)
	switch name {
	case pathSignIn:
		return s.signInPage
	case pathSignOut, "/oauth2/v2.0/logout", "/oauth2/logout":
		return s.signOut
	case pathDevice, "/oauth2/deviceauth":
		return s.devicePage
	case pathExternal:
		return s.externalStart
	case pathCallback:
		return s.externalCallback
	case "/discovery/instance":
		return s.instance
	case "/v2.0/.well-known/openid-configuration", "/.well-known/openid-configuration":
		return s.discovery
	case "/discovery/v2.0/keys", "/discovery/keys":
		return s.keySet
	case "/oauth2/v2.0/authorize", "/oauth2/authorize":
		return s.authorize
	case "/oauth2/v2.0/devicecode", "/oauth2/devicecode":
		return s.deviceCode
	case "/oauth2/v2.0/token", "/oauth2/token":
		return s.token
	case "/openid/userinfo":
		if tenant != "" {
			return s.userInfo
		}
	}
	return nil
}

// Serves reports whether the service is responsible for a path.
func (s *Service) Serves(path string) bool { return s.handler(path) != nil }

// ServeHTTP serves the endpoints and pages.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := s.handler(r.URL.Path)
	if h == nil {
		http.NotFound(w, r)
		return
	}
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin") // with none at all, forms would have no origin that can be checked
	tenant, _ := s.endpoint(r.URL.Path)
	if !slices.Contains([]string{"", "common", "organizations", strings.ToLower(s.c.TenantID)}, tenant) {
		s.fail(w, r, refuse("invalid_tenant", "There is no directory '%s' here. The only one is '%s'.", tenant, s.c.TenantID))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, refuse("invalid_request", "The form cannot be read or is too large."))
		return
	}
	h(w, r)
}

// issuer is the directory's name in tokens, under the host that the client knows it by.
func (s *Service) issuer(r *http.Request) string { return s.base(r) + "/v2.0" }

func (s *Service) base(r *http.Request) string { return arm.BaseURL(r) + "/" + s.c.TenantID }

// discovery answers the OpenID configuration (OpenID Connect Discovery 1.0, section 4).
func (s *Service) discovery(w http.ResponseWriter, r *http.Request) {
	base := s.base(r)
	arm.WriteJSON(w, http.StatusOK, map[string]any{
		"issuer": s.issuer(r), "authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token",
		"device_authorization_endpoint": base + "/oauth2/v2.0/devicecode", "jwks_uri": base + "/discovery/v2.0/keys",
		"end_session_endpoint": base + "/oauth2/v2.0/logout", "userinfo_endpoint": base + "/openid/userinfo",
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query", "fragment", "form_post"},
		"grant_types_supported":                            []string{"authorization_code", "client_credentials", "refresh_token", grantDevice},
		"subject_types_supported":                          []string{"public"},
		"id_token_signing_alg_values_supported":            []string{"RS256"},
		"token_endpoint_auth_methods_supported":            []string{"client_secret_post", "client_secret_basic", "private_key_jwt", "none"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "PS256", "ES256"},
		"code_challenge_methods_supported":                 []string{"S256"},
		"scopes_supported":                                 []string{"openid", "profile", "email", "offline_access"},
		"claims_supported":                                 []string{"sub", "iss", "aud", "exp", "iat", "nonce", "oid", "tid", "name", "preferred_username"},
		"tenant_region_scope":                              "WW", "cloud_instance_name": r.Host,
	})
}

// instance answers MSAL's question whether a host is an authority.
func (s *Service) instance(w http.ResponseWriter, r *http.Request) {
	arm.WriteJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": s.base(r) + "/v2.0/.well-known/openid-configuration", "api-version": "1.1",
		"metadata": []any{map[string]any{"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host}}},
	})
}

func (s *Service) keySet(w http.ResponseWriter, r *http.Request) {
	if _, err := s.c.Directory.SigningKey(r.Context()); err != nil { // the first question makes the first key
		s.fail(w, r, err)
		return
	}
	state, err := s.c.Directory.State(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	_, jwks := state.KeySet()
	arm.WriteJSON(w, http.StatusOK, map[string]any{"keys": jwks})
}

// resourceOf returns the resource that scopes ask a token for, "" when they name none: of https://host/.default it is
// https://host. resource is the parameter of that name in version 1.0 of the protocol.
func resourceOf(scope, resource string) string {
	if resource != "" {
		return resource
	}
	for name := range strings.FieldsSeq(scope) {
		if slices.Contains([]string{"openid", "profile", "email", "offline_access"}, name) {
			continue
		}
		if cut := strings.LastIndexByte(name, '/'); cut > 0 {
			return name[:cut]
		}
	}
	return ""
}

// isManagement reports whether a resource is the management API: Azure's names of it, or the host that was asked. On
// the machine itself all of its listeners are the same.
func isManagement(resource, host string) bool {
	if resource == "" || strings.EqualFold(resource, "797f4846-ba00-4fd7-ba43-dac1f8f63013") {
		return true
	}
	u, err := url.Parse(resource)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Host) {
	case "management.azure.com", "management.core.windows.net", strings.ToLower(host):
		return true
	}
	return isLoopback(u.Hostname()) && isLoopback((&url.URL{Host: host}).Hostname())
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1" || strings.HasSuffix(host, ".localhost")
}
