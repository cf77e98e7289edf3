package resources_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
)

// authServer is an authorization server (RFC 6749 and RFC 7636) with one application.
type authServer struct {
	*httptest.Server
	mu         sync.Mutex
	challenges map[string]string // by code
	refresh    string            // the valid refresh token
	given      int               // tokens
	refuse     string            // error code for every token
}

func newAuthServer(t *testing.T) *authServer {
	t.Helper()
	s := &authServer{challenges: make(map[string]string)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// authorize gives consent in the name of the user.
func (s *authServer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != "app" || q.Get("code_challenge_method") != "S256" || q.Get("scope") != "read write" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	code := fmt.Sprint("code-", len(s.challenges))
	s.challenges[code] = q.Get("code_challenge")
	s.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

func (s *authServer) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	refuse := s.refuse
	if r.FormValue("client_id") != "app" || r.FormValue("client_secret") != "s3cret" {
		refuse = "invalid_client"
	}
	switch r.FormValue("grant_type") {
	case "authorization_code":
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		challenge, ok := s.challenges[r.FormValue("code")]
		delete(s.challenges, r.FormValue("code"))
		if !ok || challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			refuse = "invalid_grant"
		}
	case "refresh_token":
		if r.FormValue("refresh_token") != s.refresh {
			refuse = "invalid_grant"
		}
	case "client_credentials":
	default:
		refuse = "unsupported_grant_type"
	}
	if refuse != "" {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": refuse, "error_description": "as told"})
		return
	}
	s.given++
	s.refresh = fmt.Sprint("refresh-", s.given)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": fmt.Sprint("access-", s.given), "refresh_token": s.refresh, "token_type": "Bearer", "expires_in": 3600, "scope": "read write",
	})
}

// manager is a plane with a credential manager.
type manager struct {
	*resources.CredentialManager
	t       *testing.T
	plane   *resourcetest.Server
	service arm.ID
	object  string // of the service's identity
}

func (m *manager) token() (string, error) {
	g, err := m.Token(m.t.Context(), m.service, "P", "A", "")
	return g.AccessToken, err
}

// TestCredentialManager takes an authorization from its login link to tokens that are renewed.
func TestCredentialManager(t *testing.T) {
	t.Parallel()
	m, server := newManager(t)
	settings := fmt.Sprintf(`{"clientId": "app", "clientSecret": "s3cret", "scopes": "read write", "authorizationUrl": "%[1]s/authorize", "tokenUrl": "%[1]s/token"}`, server.URL)
	m.put("authorizationProviders/p", `{"properties": {"identityProvider": "oauth2pkce", "oauth2": {"redirectUrl": "http://plane.test/authorizations/redirect", "grantTypes": {"authorizationCode": `+settings+`}}}}`)
	m.put("authorizationProviders/p/authorizations/a", `{"properties": {"oauth2grantType": "AuthorizationCode"}}`)
	if _, err := m.token(); !errors.Is(err, resources.ErrAuthorizationRefused) || !strings.Contains(err.Error(), "no access policy") {
		t.Fatalf("without an access policy: %v", err)
	}
	m.put("authorizationProviders/p/authorizations/a/accessPolicies/own", `{"properties": {"objectId": "`+m.object+`"}}`)
	if _, err := m.token(); !errors.Is(err, resources.ErrAuthorizationRefused) || !strings.Contains(err.Error(), "not authenticated") {
		t.Fatalf("without consent: %v", err)
	}

	back := m.consent("authorizationProviders/p/authorizations/a")
	answer := m.visit(back)
	location, err := url.Parse(answer.Header().Get("Location"))
	if answer.Code != http.StatusFound || err != nil || location.Host != "portal.test" {
		t.Fatalf("the user gets %d %s: %s", answer.Code, location, answer.Body)
	}
	m.post("authorizationProviders/p/authorizations/a/confirmConsentCode", `{"consentCode": "`+location.Query().Get("consentCode")+`"}`)
	if again := m.visit(back); again.Code != http.StatusBadRequest {
		t.Errorf("a state that was used gets %d", again.Code)
	}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "access-1"}, {57 * time.Minute, "access-1"}, {2 * time.Minute, "access-2"}, {30 * 24 * time.Hour, "access-3"}} {
		m.plane.Now = m.plane.Now.Add(step.after)
		if got, err := m.token(); err != nil || got != step.want {
			t.Errorf("after %s: %s, %v, want %s", step.after, got, err, step.want)
		}
	}
	body := m.get("authorizationProviders/p/authorizations/a")
	if strings.Contains(body, "access-") || strings.Contains(body, "refresh-") || !strings.Contains(body, `"Connected"`) {
		t.Errorf("the authorization is answered as %s", body)
	}

	// Many who ask at the end of a token get one new one.
	m.plane.Now = m.plane.Now.Add(2 * time.Hour)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := m.token(); err != nil || got != "access-4" {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
	all.Wait()

	// A server that takes consent back.
	server.mu.Lock()
	server.refuse = "invalid_grant"
	server.mu.Unlock()
	m.plane.Now = m.plane.Now.Add(2 * time.Hour)
	if _, err := m.token(); !errors.Is(err, resources.ErrAuthorizationRefused) {
		t.Errorf("after the consent was taken back: %v", err)
	}
	if body := m.get("authorizationProviders/p/authorizations/a"); !strings.Contains(body, `"invalid_grant"`) || !strings.Contains(body, `"Error"`) {
		t.Errorf("the authorization is answered as %s", body)
	}
}

// TestClientCredentials has tokens for an application.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	m, server := newManager(t)
	m.put("authorizationProviders/p", `{"properties": {"identityProvider": "oauth2", "oauth2": {"grantTypes": {"clientCredentials": {"tokenUrl": "`+server.URL+`/token"}}}}}`)
	m.put("authorizationProviders/p/authorizations/a", `{"properties": {"oauth2grantType": "ClientCredentials", "parameters": {"clientId": "app", "clientSecret": "s3cret"}}}`)
	m.put("authorizationProviders/p/authorizations/a/accessPolicies/own", `{"properties": {"objectId": "`+m.object+`"}}`)
	g, err := m.Token(t.Context(), m.service, "p", "a", "")
	if err != nil || g.AccessToken != "access-1" || string(g.Claims) != `{"expires_in":3600,"scope":"read write","token_type":"Bearer"}` {
		t.Fatalf("%+v %s, %v", g, g.Claims, err)
	}
	if _, err := m.Token(t.Context(), m.service, "p", "none", ""); !errors.Is(err, resources.ErrAuthorizationRefused) {
		t.Errorf("an authorization that is not there: %v", err)
	}
	if _, err := m.Token(t.Context(), m.service, "p", "a", "e30.e30.x"); !errors.Is(err, resources.ErrAuthorizationRefused) {
		t.Errorf("a token of nobody: %v", err)
	}
	server.Close()
	m.plane.Now = m.plane.Now.Add(2 * time.Hour)
	if _, err := m.token(); err == nil || errors.Is(err, resources.ErrAuthorizationRefused) {
		t.Errorf("a server that is away: %v", err)
	}
}

// TestLoginIsGuarded sends users back with what nobody has asked for.
func TestLoginIsGuarded(t *testing.T) {
	t.Parallel()
	m, _ := newManager(t)
	for _, query := range []string{"", "state=x", "state=x.eA", "state=x." + base64.RawURLEncoding.EncodeToString([]byte(m.service.String()+"/apis/a")), "state=x." + base64.RawURLEncoding.EncodeToString([]byte(m.service.String()+"/authorizationProviders/p/authorizations/a"))} {
		if got := m.visit("http://plane.test/authorizations/redirect?code=c&" + query); got.Code != http.StatusBadRequest {
			t.Errorf("%s gets %d", query, got.Code)
		}
	}
}

// newManager returns a plane whose service has an identity.
func newManager(t *testing.T) (*manager, *authServer) {
	t.Helper()
	srv := resourcetest.NewService(t, catalogue(t))
	server := newAuthServer(t)
	m := &manager{t: t, plane: srv, service: srv.ServiceID(), CredentialManager: &resources.CredentialManager{
		Engine: srv.Engine, Doer: server.Client(), OpenID: auth.NewOpenID(server.Client(), srv.Clock), Authority: server.URL, Now: srv.Clock,
	}}
	if _, err := m.token(); !errors.Is(err, resources.ErrAuthorizationRefused) {
		t.Fatalf("without anything: %v", err)
	}
	r := srv.Must(http.StatusOK, "PATCH", resourcetest.Service, `{"identity": {"type": "SystemAssigned"}}`)
	identity, _ := r.JSON(t)["identity"].(map[string]any)
	if m.object, _ = identity["principalId"].(string); m.object == "" {
		t.Fatalf("the service has no principal: %s", r.Body)
	}
	return m, server
}

func (m *manager) put(path, body string) {
	m.t.Helper()
	m.plane.Must(http.StatusCreated, "PUT", resourcetest.Service+"/"+path, body)
}

func (m *manager) get(path string) string {
	m.t.Helper()
	return string(m.plane.Must(http.StatusOK, "GET", resourcetest.Service+"/"+path, "").Body)
}

func (m *manager) post(path, body string) []byte {
	m.t.Helper()
	return m.plane.Must(http.StatusOK, "POST", resourcetest.Service+"/"+path, body).Body
}

// consent follows a login link as a browser does and returns where the server sends the user back to.
func (m *manager) consent(authorization string) string {
	m.t.Helper()
	var link struct{ LoginLink string }
	if err := json.Unmarshal(m.post(authorization+"/getLoginLinks", `{"postLoginRedirectUrl": "https://portal.test/done?a=1"}`), &link); err != nil {
		m.t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := browser.Get(link.LoginLink)
	if err != nil {
		m.t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusFound {
		m.t.Fatalf("the login link %s gets %d", link.LoginLink, r.StatusCode)
	}
	return r.Header.Get("Location")
}

// visit sends a browser to the plane.
func (m *manager) visit(address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return w
}
