package signin_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage/directory"
	"github.com/causeway-apim/causeway/internal/manage/signin"
)

const idp = "https://idp.test"

// provider is an OpenID Connect provider without a network.
type provider struct {
	t      *testing.T
	key    *auth.SigningKey
	answer map[string]any // claims of the next ID token
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := auth.NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	return &provider{t: t, key: key}
}

// Do implements auth.Doer.
func (p *provider) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	var body any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		body = map[string]any{"issuer": idp, "jwks_uri": idp + "/keys", "authorization_endpoint": idp + "/authorize", "token_endpoint": idp + "/token"}
	case "/keys":
		body = map[string]any{"keys": []any{p.key.JWK()}}
	case "/token":
		body = map[string]any{"id_token": p.sign(p.answer)}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	_ = json.NewEncoder(w).Encode(body)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (p *provider) sign(claims map[string]any) string {
	p.t.Helper()
	token, err := p.key.Sign(auth.TypeIDToken, claims)
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

func TestExternalSignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	h := start(t, func(c *signin.Config) {
		c.Client = p
		c.External = &signin.External{
			Name: "Example", Issuer: idp, ClientID: "causeway", RoleClaim: "groups",
			Roles: map[string][]directory.Grant{"admins": {{RoleID: rbac.ReaderRole, Scope: "/"}}},
		}
	})
	// signIn goes to the provider and back with these claims.
	signIn := func(change map[string]any) *httptest.ResponseRecorder {
		t.Helper()
		b := h.browser()
		w := b.do("GET", "/oauth2/external?return=/oauth2/device", nil)
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || to.Host != "idp.test" || to.Query().Get("code_challenge_method") != "S256" {
			t.Fatalf("%d %v", w.Code, to)
		}
		p.answer = map[string]any{
			"iss": idp, "aud": "causeway", "sub": "42", "nonce": to.Query().Get("nonce"), "exp": h.clock().Add(time.Hour).Unix(),
			"preferred_username": "ada@example.com", "name": "Ada", "groups": []string{"admins", "others"},
		}
		for name, value := range change {
			p.answer[name] = value
		}
		return b.do("GET", "/oauth2/external/callback?code=c&state="+to.Query().Get("state"), nil)
	}
	find := func() *directory.Principal {
		t.Helper()
		s, err := h.dir.State(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.Principals() {
			if p.External != nil && s.Policy.Allows(p.ID, "x/read", false, "/") != (len(p.SignInRoles) > 0) {
				t.Error("the roles of the claims do not count")
			}
			if p.External != nil {
				return p
			}
		}
		return nil
	}
	for name, bad := range map[string]any{"nonce": "other", "aud": "other", "iss": "https://other.test", "exp": 1} {
		if w := signIn(map[string]any{name: bad}); w.Code != 400 || find() != nil {
			t.Errorf("a wrong %s: %d", name, w.Code)
		}
	}
	if w := signIn(nil); w.Code != 303 || w.Header().Get("Location") != "/oauth2/device" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	first := find()
	if first == nil || first.UserName != "ada@example.com" || len(first.SignInRoles) != 1 {
		t.Fatalf("the account: %+v", first)
	}
	signIn(map[string]any{"groups": "others"}) // the group is lost
	if again := find(); again.ID != first.ID || len(again.SignInRoles) != 0 {
		t.Errorf("the account after a loss: %+v", again)
	}
	if w := h.browser().do("GET", "/oauth2/external/callback?code=c&state=made-up", nil); w.Code != 400 {
		t.Errorf("an answer that nobody asked for: %d", w.Code)
	}
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	h := start(t, func(c *signin.Config) { c.Client = p })
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	const app = "aaaaaaaa-0000-4000-8000-000000000001"
	if _, err := h.dir.PutPrincipal(t.Context(), app, func(d *directory.Principal, _ bool) error {
		d.Kind, d.DisplayName, d.AppID = directory.ServicePrincipal, "app", app
		d.Keys = []directory.PublicKey{{KeyID: "k", PEM: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}}
		d.Federated = []directory.Federated{{Name: "cluster", Issuer: idp, Subject: "system:serviceaccount:ns:sa", Audiences: []string{"api://AzureADTokenExchange"}}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ask := func(assertion string) (int, map[string]any) {
		t.Helper()
		h.pass(20 * time.Minute) // forgets failures
		return h.token(url.Values{
			"grant_type": {"client_credentials"}, "client_id": {app}, "client_assertion": {assertion},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		})
	}
	own := func(change map[string]any) string {
		t.Helper()
		claims := map[string]any{
			"iss": app, "sub": app, "aud": "https://" + host + "/" + tenant + "/oauth2/v2.0/token", "jti": directory.RandomText(), "exp": h.clock().Add(25 * time.Minute).Unix(),
		}
		for name, value := range change {
			claims[name] = value
		}
		payload, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		token, err := jws.Sign(payload, jws.WithKey(jwa.PS256(), key))
		if err != nil {
			t.Fatal(err)
		}
		return string(token)
	}
	if status, answer := ask(own(nil)); status != 200 {
		t.Errorf("%d, %v", status, answer)
	}
	replay := own(map[string]any{"jti": "once", "exp": h.clock().Add(24 * time.Hour).Unix()})
	if status, _ := ask(replay); status != 200 {
		t.Errorf("the first use: %d", status)
	}
	h.pass(-19 * time.Minute)
	if status, _ := h.token(url.Values{
		"grant_type": {"client_credentials"}, "client_id": {app}, "client_assertion": {replay}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}); status != 401 {
		t.Errorf("the second use: %d", status)
	}
	h.pass(19 * time.Minute)
	for name, bad := range map[string]any{"aud": "https://other.test", "exp": 1, "sub": "other"} {
		if status, _ := ask(own(map[string]any{name: bad})); status != 401 {
			t.Errorf("a wrong %s: %d", name, status)
		}
	}
	foreign := func(subject, audience string) string {
		t.Helper()
		return p.sign(map[string]any{"iss": idp, "sub": subject, "aud": audience, "exp": h.clock().Add(time.Hour).Unix()})
	}
	if status, answer := ask(foreign("system:serviceaccount:ns:sa", "api://AzureADTokenExchange")); status != 200 {
		t.Errorf("a workload identity: %d, %v", status, answer)
	}
	for _, c := range [][2]string{{"system:serviceaccount:ns:other", "api://AzureADTokenExchange"}, {"system:serviceaccount:ns:sa", "other"}} {
		if status, _ := ask(foreign(c[0], c[1])); status != 401 {
			t.Errorf("%v: %d", c, status)
		}
	}
	if status, _ := h.token(url.Values{"grant_type": {"client_credentials"}, "client_id": {app}}); status != 401 {
		t.Errorf("no proof: %d", status)
	}
}
