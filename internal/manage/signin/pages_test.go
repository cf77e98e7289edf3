package signin_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/manage/directory"
	"github.com/causeway-apim/causeway/internal/manage/signin"
)

// authorizeAt is the address that a program sends its user to.
func authorizeAt(redirect string, more url.Values) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {signin.CLI}, "redirect_uri": {redirect}, "code_challenge": {challenge("v")},
		"code_challenge_method": {"S256"}, "state": {"xyz"},
	}
	for name, values := range more {
		q[name] = values
	}
	return "/" + tenant + "/oauth2/v2.0/authorize?" + q.Encode()
}

// Browsers give plain connections to other machines no Sec-Fetch-Site. What is left is Origin, and pages that send no
// referrer at all send "null" in it.
func TestFormsOnPlainConnections(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.user("ada", "a good password")
	page := httptest.NewRecorder()
	h.ServeHTTP(page, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/oauth2/signin", nil))
	origin := "http://" + host
	if page.Header().Get("Referrer-Policy") == "no-referrer" {
		origin = "null"
	}
	form := url.Values{"form_token": {hidden.FindStringSubmatch(page.Body.String())[1]}, "username": {"ada"}, "password": {"a good password"}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+host+"/oauth2/signin", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", origin)
	for _, c := range page.Result().Cookies() {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusSeeOther {
		t.Errorf("signing in with the origin %s: %d", origin, w.Code)
	}
}

// Browsers ignore sources of a policy that are IPv6 addresses, and would keep the user on the page.
func TestFormsLeadToIPv6(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.user("ada", "a good password")
	b := h.browser()
	b.signIn(b.do("GET", "/oauth2/device", nil), "/oauth2/device", "ada", "a good password")
	for redirect, source := range map[string]string{"http://[::1]:4711/": "http:", "http://127.0.0.1:4711/": "http://127.0.0.1:4711"} {
		policy := b.do("GET", authorizeAt(redirect, nil), nil).Header().Get("Content-Security-Policy")
		if !strings.HasSuffix(policy, "form-action 'self' "+source) {
			t.Errorf("%s: %s", redirect, policy)
		}
	}
}

var anotherAccount = regexp.MustCompile(`href="([^"]+)">Use another account`)

// Who takes another account comes back to what the sign-in was for.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.user("ada", "a good password")
	h.user("eve", "a good password")
	at := authorizeAt("http://localhost:4711/", nil)
	for path, want := range map[string]string{at: "Continue to", "/oauth2/device?user_code=BCDF-GHJK": "BCDFGHJK"} {
		b := h.browser()
		b.signIn(b.do("GET", path, nil), path, "ada", "a good password")
		link := anotherAccount.FindStringSubmatch(b.do("GET", path, nil).Body.String())
		if link == nil {
			t.Errorf("%s: no way to another account", path)
			continue
		}
		page := b.do("GET", html.UnescapeString(link[1]), nil)
		back := regexp.MustCompile(`name="return" value="([^"]+)"`).FindStringSubmatch(page.Body.String())
		if back == nil {
			t.Errorf("%s: the link leads to %d %s", path, page.Code, page.Body)
			continue
		}
		w := b.signIn(page, html.UnescapeString(back[1]), "eve", "a good password")
		if page = b.do("GET", w.Header().Get("Location"), nil); !strings.Contains(page.Body.String(), "<bdi>EVE</bdi>") || !strings.Contains(page.Body.String(), want) {
			t.Errorf("%s: back at %s: %s", path, w.Header().Get("Location"), page.Body)
		}
	}
}

// A wait is never said to be over before it is.
func TestWaitIsSaid(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	b := h.browser()
	page := b.do("GET", "/oauth2/device", nil)
	for range 6 {
		b.signIn(page, "/oauth2/device", "ada", "wrong")
	}
	h.pass(700_000_000)
	for range 4 {
		w := b.signIn(page, "/oauth2/device", "ada", "wrong")
		if w.Code == http.StatusTooManyRequests && strings.Contains(w.Body.String(), "in 0s") {
			t.Error("the page says to try again in 0s")
		}
		h.pass(400_000_000)
	}
}

// A sign-in that the provider refuses, or that fails there, can be tried again, or be done with a password.
func TestExternalFailureGoesOn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	h := start(t, func(c *signin.Config) {
		c.Client = p
		c.External = &signin.External{Name: "Example", Issuer: idp, ClientID: "causeway"}
	})
	b := h.browser()
	back := "/oauth2/device?user_code=BCDFGHJK"
	begin := func() string {
		t.Helper()
		to, err := url.Parse(b.do("GET", "/oauth2/external?return="+url.QueryEscape(back), nil).Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		p.answer = map[string]any{
			"iss": idp, "aud": "causeway", "sub": "42", "nonce": to.Query().Get("nonce"), "exp": h.clock().Unix() + 3600,
			"preferred_username": "ada@example.com", "name": strings.Repeat("x", 255) + "é",
		}
		return "/oauth2/external/callback?state=" + to.Query().Get("state")
	}
	w := b.do("GET", begin()+"&error=access_denied", nil)
	if body := html.UnescapeString(w.Body.String()); w.Code != 400 || !strings.Contains(body, "access_denied") || !strings.Contains(body, `name="return" value="`+back+`"`) ||
		!strings.Contains(body, `href="/oauth2/external?return=`) {
		t.Errorf("a refusal: %d %s", w.Code, body)
	}
	callback := begin() + "&code=c"
	p.answer["nonce"] = "other"
	if w := b.do("GET", callback, nil); !strings.Contains(w.Body.String(), `role="alert"`) || !strings.Contains(w.Body.String(), "Sign in with Example") {
		t.Errorf("a wrong answer: %d %s", w.Code, w.Body)
	}
	if w := b.do("GET", begin()+"&code=c", nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != back {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	state, err := h.dir.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range state.Principals() {
		if account.Kind == directory.User && (!utf8.ValidString(account.DisplayName) || strings.ContainsRune(account.DisplayName, utf8.RuneError)) {
			t.Errorf("the name was cut within a letter: %q", account.DisplayName)
		}
	}
}
