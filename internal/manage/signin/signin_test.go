package signin_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/manage/directory"
	"github.com/causeway-apim/causeway/internal/manage/signin"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	tenant = "00000000-0000-0000-0000-000000000000"
	rootID = "00000000-0000-0000-0000-000000000001"
	secret = "the secret of the first principal"
	host   = "plane.test"
)

type harness struct {
	*signin.Service
	t   *testing.T
	dir *directory.Directory

	mu  sync.Mutex
	now time.Time
}

func (h *harness) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *harness) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func start(t *testing.T, change func(*signin.Config)) *harness {
	t.Helper()
	h := &harness{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	st, err := store.Open(t.Context(), "sqlite://:memory:", store.Options{Keyring: store.NewKeyring([32]byte{1}), Now: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	h.dir = directory.New(st, h.clock, rootID)
	if _, err := h.dir.KeepRoot(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	c := signin.Config{Directory: h.dir, Store: st, Now: h.clock, TenantID: tenant}
	if change != nil {
		change(&c)
	}
	h.Service = signin.New(c)
	h.pass(time.Second)
	return h
}

// browser keeps cookies between requests.
type browser struct {
	h       *harness
	cookies map[string]string
}

func (h *harness) browser() *browser { return &browser{h, map[string]string{}} }

func (b *browser) do(method, target string, form url.Values) *httptest.ResponseRecorder {
	b.h.t.Helper()
	var body string
	if method == http.MethodPost {
		body = form.Encode()
	}
	r := httptest.NewRequestWithContext(b.h.t.Context(), method, "https://"+host+target, strings.NewReader(body))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.Secure || !c.HttpOnly || !strings.HasPrefix(c.Name, "__Host-") {
			b.h.t.Errorf("the cookie %s is not protected", c.Name)
		}
		b.cookies[c.Name] = c.Value
	}
	return w
}

// token asks the token endpoint and returns the status and the answer.
func (h *harness) token(form url.Values) (int, map[string]any) {
	h.t.Helper()
	w := h.browser().do(http.MethodPost, "/"+tenant+"/oauth2/v2.0/token", form)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		h.t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Code, answer
}

func (h *harness) verify(answer map[string]any) (manage.Principal, error) {
	text, _ := answer["access_token"].(string)
	return h.Verify(h.t.Context(), text)
}

func claims(t *testing.T, token any) map[string]any {
	t.Helper()
	text, _ := token.(string)
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", text)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	ask := func(id, secret, scope string) (int, map[string]any) {
		return h.token(url.Values{
			"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {scope}, "client_info": {"1"},
			"claims": {`{"access_token":{"xms_cc":{"values":["CP1"]}}}`},
		})
	}
	for scope, aud := range map[string]string{
		"https://" + host + "/.default openid offline_access profile": "https://" + host,
		"https://management.azure.com/.default":                       "https://management.azure.com",
		"https://management.core.windows.net//.default":               "https://management.core.windows.net/",
		"": "https://" + host,
	} {
		status, answer := ask(rootID, secret, scope)
		if status != 200 || answer["token_type"] != "Bearer" || answer["expires_in"] != 3600.0 || answer["refresh_token"] != nil || answer["client_info"] == nil {
			t.Fatalf("%s: %d, %v", scope, status, answer)
		}
		c := claims(t, answer["access_token"])
		if c["aud"] != aud || c["oid"] != rootID || c["tid"] != tenant || c["appid"] != rootID || c["iss"] != "https://"+host+"/"+tenant+"/v2.0" {
			t.Errorf("%s: %v", scope, c)
		}
		if p, err := h.verify(answer); err != nil || p.ID != rootID {
			t.Errorf("%s: %+v, %v", scope, p, err)
		}
	}
	if _, answer := ask(rootID, secret, "api://another/.default"); answer["access_token"] == nil {
		t.Error("no token for another audience")
	} else if _, err := h.verify(answer); err == nil {
		t.Error("a token for another audience is accepted")
	} else if p, err := h.VerifyFor(t.Context(), answer["access_token"].(string), "api://another"); err != nil || p.ID != rootID {
		t.Errorf("for its own audience: %+v, %v", p, err)
	} else if _, err := h.VerifyFor(t.Context(), answer["access_token"].(string), "api://third"); err == nil {
		t.Error("a token for another audience is accepted for a third")
	}
	for _, c := range [][2]string{{rootID, "wrong"}, {"nobody", secret}, {rootID, ""}, {signin.CLI, ""}} {
		if status, answer := ask(c[0], c[1], ""); status < 400 || answer["error"] == nil || answer["access_token"] != nil {
			t.Errorf("%s with %q: %d, %v", c[0], c[1], status, answer)
		}
	}
	_, answer := ask(rootID, secret, "")
	h.pass(61 * time.Minute)
	if _, err := h.verify(answer); err == nil {
		t.Error("an expired token is accepted")
	}
	_, answer = ask(rootID, secret, "")
	h.pass(2 * time.Second)
	if _, err := h.dir.KeepRoot(t.Context(), "another secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.verify(answer); err == nil {
		t.Error("a token from before the secret changed is accepted")
	}
}

// Guessing is slowed down: after some failures not even the right secret is looked at.
func TestLockOut(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {rootID}, "client_secret": {"wrong"}}
	for range 6 {
		h.token(form)
	}
	form.Set("client_secret", secret)
	if status, _ := h.token(form); status != http.StatusTooManyRequests {
		t.Errorf("status %d", status)
	}
	h.pass(time.Minute)
	if status, answer := h.token(form); status != 200 {
		t.Errorf("after a while: %d, %v", status, answer)
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	b := h.browser()
	for _, path := range []string{"/" + tenant + "/v2.0/.well-known/openid-configuration", "//" + tenant + "/v2.0/.well-known/openid-configuration", "/common/v2.0/.well-known/openid-configuration"} {
		if !h.Serves(path) {
			t.Errorf("%s is not served", path)
			continue
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `"token_endpoint":"https://`+host+"/"+tenant+`/oauth2/v2.0/token"`) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	if w := b.do("GET", "/"+tenant+"/discovery/v2.0/keys", nil); !strings.Contains(w.Body.String(), `"kty":"RSA"`) || strings.Contains(w.Body.String(), `"d"`) {
		t.Errorf("keys: %s", w.Body)
	}
	if w := b.do("GET", "/common/discovery/instance?api-version=1.1", nil); !strings.Contains(w.Body.String(), "tenant_discovery_endpoint") {
		t.Errorf("instance: %s", w.Body)
	}
	if w := b.do("GET", "/11111111-0000-0000-0000-000000000000/v2.0/.well-known/openid-configuration", nil); w.Code != 400 || !strings.Contains(w.Body.String(), "invalid_tenant") {
		t.Errorf("another tenant: %s", w.Body)
	}
	for _, path := range []string{"/subscriptions", "/oauth2/nothing", "/" + tenant, "/console/"} {
		if h.Serves(path) {
			t.Errorf("%s is served", path)
		}
	}
}

var hidden = regexp.MustCompile(`name="form_token" value="([^"]+)"`)

// signIn fills the page in.
func (b *browser) signIn(page *httptest.ResponseRecorder, to, user, password string) *httptest.ResponseRecorder {
	b.h.t.Helper()
	m := hidden.FindStringSubmatch(page.Body.String())
	if m == nil {
		b.h.t.Fatalf("no form: %d %s", page.Code, page.Body)
	}
	return b.do("POST", "/oauth2/signin", url.Values{"form_token": {m[1]}, "return": {to}, "username": {user}, "password": {password}})
}

func (h *harness) user(name, password string) *directory.Principal {
	h.t.Helper()
	ctx := context.Background()
	p, err := h.dir.PutPrincipal(ctx, arm.NewGUID(), func(p *directory.Principal, _ bool) error {
		p.Kind, p.UserName, p.DisplayName = directory.User, name, strings.ToUpper(name)
		return nil
	})
	if err == nil {
		err = h.dir.SetPassword(ctx, p.ID, password)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.pass(time.Second)
	return p
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestCodeFlow(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	user := h.user("ada", "a good password")
	b := h.browser()
	q := url.Values{
		"response_type": {"code"}, "client_id": {signin.CLI}, "redirect_uri": {"http://localhost:4711/"}, "scope": {"openid offline_access"},
		"state": {"xyz"}, "nonce": {"n1"}, "code_challenge": {challenge("v")}, "code_challenge_method": {"S256"},
	}
	at := "/" + tenant + "/oauth2/v2.0/authorize?"
	page := b.do("GET", at+q.Encode(), nil)
	if !strings.Contains(page.Header().Get("Content-Security-Policy"), "default-src 'none'") || !strings.Contains(page.Body.String(), `<label for="password">`) {
		t.Errorf("the page: %v", page.Header())
	}
	if w := b.signIn(page, at+q.Encode(), "ada", "wrong"); w.Code != 401 || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("a wrong password: %d", w.Code)
	}
	if w := h.browser().do("POST", "/oauth2/signin", url.Values{"username": {"ada"}, "password": {"a good password"}}); w.Code != 403 {
		t.Errorf("a form without its token: %d", w.Code)
	}
	if w := b.signIn(page, "https://evil.example/", "ADA", "a good password"); w.Code != 303 || strings.Contains(w.Header().Get("Location"), "evil") {
		t.Errorf("signing in leads to %s", w.Header().Get("Location"))
	}
	// The command line is another program: the user is asked.
	consent := b.do("GET", at+q.Encode(), nil)
	m := hidden.FindStringSubmatch(consent.Body.String())
	if m == nil || !strings.Contains(consent.Body.String(), "Causeway command line") {
		t.Fatalf("no consent: %d %s", consent.Code, consent.Body)
	}
	w := b.do("POST", at+q.Encode(), url.Values{"form_token": {m[1]}})
	back, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != 303 || back.Host != "localhost:4711" || back.Query().Get("state") != "xyz" {
		t.Fatalf("%d %v %s", w.Code, back, w.Body)
	}
	redeem := url.Values{"grant_type": {"authorization_code"}, "client_id": {signin.CLI}, "redirect_uri": {"http://localhost:4711/"}, "code": {back.Query().Get("code")}, "code_verifier": {"v"}}
	status, answer := h.token(redeem)
	if status != 200 || answer["refresh_token"] == nil {
		t.Fatalf("%d, %v", status, answer)
	}
	if c := claims(t, answer["id_token"]); c["nonce"] != "n1" || c["aud"] != signin.CLI || c["oid"] != user.ID || c["preferred_username"] != "ada" {
		t.Errorf("%v", c)
	}
	if p, err := h.verify(answer); err != nil || p.ID != user.ID || p.Name != "ada" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := h.Verify(t.Context(), answer["id_token"].(string)); err == nil {
		t.Error("an ID token passes for an access token")
	}
	if status, _ := h.token(redeem); status != 400 {
		t.Errorf("a code is redeemed twice: %d", status)
	}
	h.refresh(answer)
}

// refresh rotates: the token before works for a moment, an older one ends everything.
func (h *harness) refresh(answer map[string]any) {
	h.t.Helper()
	first := answer["refresh_token"].(string)
	use := func(token string, want int) string {
		h.t.Helper()
		status, answer := h.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {signin.CLI}, "refresh_token": {token}})
		if status != want {
			h.t.Fatalf("status %d, want %d: %v", status, want, answer)
		}
		next, _ := answer["refresh_token"].(string)
		return next
	}
	second := use(first, 200)
	third := use(first, 200) // a lost answer
	use(second, 200)
	fourth := use(third, 200)
	h.pass(2 * time.Minute)
	use(first, 400)
	use(fourth, 400)
}

func TestDeviceFlow(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.user("ada", "a good password")
	begin := func() map[string]any {
		t.Helper()
		w := h.browser().do("POST", "/"+tenant+"/oauth2/v2.0/devicecode", url.Values{"client_id": {signin.CLI}, "scope": {"offline_access"}})
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return answer
	}
	device := begin()
	ask := func(want int, code string) map[string]any {
		t.Helper()
		h.pass(6 * time.Second)
		status, answer := h.token(url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {signin.CLI}, "device_code": {device["device_code"].(string)}})
		if status != want || code != "" && answer["error"] != code {
			t.Fatalf("%d, %v; want %d %s", status, answer, want, code)
		}
		return answer
	}
	ask(400, "authorization_pending")
	b := h.browser()
	page := b.do("GET", "/oauth2/device", nil)
	b.signIn(page, "/oauth2/device", "ada", "a good password")
	page = b.do("GET", "/oauth2/device", nil)
	enter := func(code, answer string) *httptest.ResponseRecorder {
		t.Helper()
		return b.do("POST", "/oauth2/device", url.Values{"form_token": {hidden.FindStringSubmatch(page.Body.String())[1]}, "user_code": {code}, "answer": {answer}})
	}
	if w := enter("BBBB-BBBB", "allow"); w.Code != 400 {
		t.Errorf("a wrong code: %d", w.Code)
	}
	if w := enter(strings.ToLower(device["user_code"].(string)), "allow"); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if answer := ask(200, ""); answer["refresh_token"] == nil {
		t.Error("no refresh token")
	}
	ask(400, "expired_token")
	device = begin()
	enter(device["user_code"].(string), "deny")
	ask(400, "access_denied")
	device = begin()
	h.pass(16 * time.Minute)
	ask(400, "expired_token")
}

// Where a request that cannot be trusted would send the user, nobody goes.
func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	good := url.Values{"response_type": {"code"}, "client_id": {signin.CLI}, "redirect_uri": {"http://127.0.0.1:1/cb"}, "code_challenge": {"c"}, "code_challenge_method": {"S256"}}
	for name, value := range map[string]string{
		"client_id": "nobody", "redirect_uri": "https://evil.example/", "response_type": "token", "code_challenge_method": "plain", "code_challenge": "",
	} {
		q := url.Values{}
		for k, v := range good {
			q[k] = v
		}
		q.Set(name, value)
		w := h.browser().do("GET", "/"+tenant+"/oauth2/v2.0/authorize?"+q.Encode(), nil)
		redirected := strings.HasPrefix(w.Header().Get("Location"), "http://127.0.0.1:1/cb?error=")
		if refused := name == "client_id" || name == "redirect_uri"; refused && (w.Code != 400 || w.Header().Get("Location") != "") || !refused && !redirected {
			t.Errorf("%s=%s: %d, %s", name, value, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestAPITokens(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	text, token, err := h.dir.AddToken(t.Context(), directory.APIToken{PrincipalID: rootID, DisplayName: "ci", Scope: "/subscriptions/x", ReadOnly: true, Expires: h.clock().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := h.Verify(t.Context(), text); err != nil || p.ID != rootID || p.Scope != "/subscriptions/x" || !p.ReadOnly {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := h.Verify(t.Context(), text+"x"); err == nil {
		t.Error("a changed token is accepted")
	}
	h.pass(2 * time.Hour)
	if _, err := h.Verify(t.Context(), text); err == nil {
		t.Error("an expired token is accepted")
	}
	if found, err := h.dir.RevokeToken(t.Context(), token.ID); !found || err != nil {
		t.Error(found, err)
	}
}
