package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
)

// tokenEndpoint answers every request with a new token and remembers what it was asked.
type tokenEndpoint struct {
	*httptest.Server
	asked atomic.Int64
	path  atomic.Value // string
	form  atomic.Value // url.Values
	head  atomic.Value // http.Header
}

func newTokenEndpoint(t *testing.T, answer string) *tokenEndpoint {
	t.Helper()
	e := &tokenEndpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // an empty form fails the test
		e.path.Store(r.URL.Path)
		e.form.Store(r.Form)
		e.head.Store(r.Header)
		_, _ = w.Write([]byte(strings.ReplaceAll(answer, "%d", strconv.FormatInt(e.asked.Add(1), 10))))
	}))
	t.Cleanup(e.Close)
	return e
}

func settings(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func identity(t *testing.T, values map[string]string, c *clock) auth.TokenSource {
	t.Helper()
	source, err := auth.Identity(settings(values), http.DefaultClient, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	e, c := newTokenEndpoint(t, `{"access_token":"t%d","expires_in":3600}`), newClock()
	source := identity(t, map[string]string{
		"AZURE_AUTHORITY_HOST": e.URL + "/", "AZURE_TENANT_ID": "te/nant", "AZURE_CLIENT_ID": "me", "AZURE_CLIENT_SECRET": "secret",
	}, c)
	want := func(resource, token string) {
		t.Helper()
		a, err := source.AccessToken(t.Context(), resource, "ME")
		if err != nil || a.Token != token {
			t.Errorf("got %q, %v; want %q", a.Token, err, token)
		}
	}
	want("https://graph.test", "t1")
	form := e.form.Load().(url.Values)
	if form.Get("grant_type") != "client_credentials" || form.Get("client_id") != "me" || form.Get("client_secret") != "secret" || form.Get("scope") != "https://graph.test/.default" {
		t.Errorf("asked for %v", form)
	}
	if e.path.Load() != "/te/nant/oauth2/v2.0/token" {
		t.Errorf("asked at %v", e.path.Load())
	}
	want("https://graph.test", "t1")
	want("other/.default", "t2")
	if form := e.form.Load().(url.Values); form.Get("scope") != "other/.default" {
		t.Errorf("asked for %v", form)
	}
	c.add(57*time.Minute + 59*time.Second)
	want("https://graph.test", "t1")
	c.add(time.Second)
	want("https://graph.test", "t3")
	if _, err := source.AccessToken(t.Context(), "a", "somebody else"); err == nil || !strings.Contains(err.Error(), "no identity with the client ID") {
		t.Errorf("got %v", err)
	}
	// While the end point is away a token is used to its end.
	c.add(58 * time.Minute)
	e.Close()
	want("https://graph.test", "t3")
	c.add(2 * time.Minute)
	_, err := source.AccessToken(t.Context(), "https://graph.test", "")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestWorkloadIdentity(t *testing.T) {
	t.Parallel()
	e, c := newTokenEndpoint(t, `{"access_token":"t%d","expires_in":"60"}`), newClock()
	file := filepath.Join(t.TempDir(), "token")
	source := identity(t, map[string]string{
		"AZURE_AUTHORITY_HOST": e.URL, "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "me", "AZURE_FEDERATED_TOKEN_FILE": file,
	}, c)
	if _, err := source.AccessToken(t.Context(), "r", ""); err == nil || !strings.Contains(err.Error(), "assertion") {
		t.Errorf("without a file: %v", err)
	}
	for i, assertion := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(assertion+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := source.AccessToken(t.Context(), "r", "you"); err != nil {
			t.Fatal(err)
		}
		form := e.form.Load().(url.Values)
		if form.Get("client_assertion") != assertion || form.Get("client_id") != "you" || form.Has("client_secret") {
			t.Errorf("request %d: %v", i, form)
		}
	}
}

func TestInstanceMetadata(t *testing.T) {
	t.Parallel()
	e, c := newTokenEndpoint(t, `{"access_token":"t%d","expires_on":"1767330000"}`), newClock()
	vm := &auth.InstanceMetadata{Doer: http.DefaultClient, Now: c.Now, Endpoint: e.URL}
	a, err := vm.AccessToken(t.Context(), "https://vault.test", "user-assigned")
	if err != nil || a.Token != "t1" || a.Expires.Unix() != 1767330000 {
		t.Errorf("got %v, %v", a, err)
	}
	form, head := e.form.Load().(url.Values), e.head.Load().(http.Header)
	if form.Get("resource") != "https://vault.test" || form.Get("client_id") != "user-assigned" || form.Get("api-version") != "2018-02-01" || head.Get("Metadata") != "true" {
		t.Errorf("asked for %v with %v", form, head)
	}
	app := identity(t, map[string]string{"IDENTITY_ENDPOINT": e.URL, "IDENTITY_HEADER": "key"}, c)
	if _, err := app.AccessToken(t.Context(), "r", ""); err != nil {
		t.Fatal(err)
	}
	form, head = e.form.Load().(url.Values), e.head.Load().(http.Header)
	if form.Get("api-version") != "2019-08-01" || form.Has("client_id") || head.Get("X-IDENTITY-HEADER") != "key" {
		t.Errorf("asked for %v with %v", form, head)
	}
}

func TestTokenEndpointErrors(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"error":"invalid_client","error_description":"no"}`: "status 200: invalid_client no",
		`{}`:     "status 200",
		`<html>`: "without a JSON object",
	} {
		e := newTokenEndpoint(t, answer)
		m := &auth.InstanceMetadata{Doer: http.DefaultClient, Now: newClock().Now, Endpoint: e.URL}
		if _, err := m.AccessToken(t.Context(), "r", ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

func TestIdentitySettings(t *testing.T) {
	t.Parallel()
	if _, err := identity(t, nil, newClock()).AccessToken(t.Context(), "r", ""); err == nil || !strings.Contains(err.Error(), "none is configured") {
		t.Errorf("got %v", err)
	}
	if _, ok := identity(t, map[string]string{"CAUSEWAY_MANAGED_IDENTITY": "imds"}, newClock()).(*auth.TokenCache); !ok {
		t.Error("imds gives no cache")
	}
	for _, values := range []map[string]string{{"CAUSEWAY_MANAGED_IDENTITY": "x"}, {"AZURE_CLIENT_SECRET": "x"}, {"AZURE_FEDERATED_TOKEN_FILE": "x", "AZURE_TENANT_ID": "y"}} {
		if _, err := auth.Identity(settings(values), http.DefaultClient, newClock().Now); err == nil {
			t.Errorf("%v is taken", values)
		}
	}
}

// slow is a source that answers when it is told.
type slow struct{ asked, answer chan struct{} }

func (s slow) AccessToken(context.Context, string, string) (auth.Access, error) {
	s.asked <- struct{}{}
	<-s.answer
	return auth.Access{Token: "t", Expires: time.Now().Add(time.Hour)}, nil
}

func TestTokenCacheWaitsForOneAnswer(t *testing.T) {
	t.Parallel()
	s := slow{make(chan struct{}, 10), make(chan struct{})}
	cache := auth.NewTokenCache(s, time.Now)
	first := make(chan error)
	go func() {
		_, err := cache.AccessToken(t.Context(), "r", "")
		first <- err
	}()
	<-s.asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cache.AccessToken(ctx, "r", ""); err == nil {
		t.Error("a caller that has gone got a token")
	}
	close(s.answer)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := cache.AccessToken(t.Context(), "r", ""); err != nil || len(s.asked) != 0 {
		t.Errorf("asked again: %v", err)
	}
}

// TestClientCredentialsOfAnIssuer: an authority without tenants says by its OpenID configuration where its tokens come from, and how it wants
// the secret.
func TestClientCredentialsOfAnIssuer(t *testing.T) {
	t.Parallel()
	var asked []string
	methods, issuer := "", ""
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/realms/one/.well-known/openid-configuration" {
			asked = append(asked, "configuration")
			_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","token_endpoint":"` + server.URL + `/token"` + methods + `}`))
			return
		}
		_ = r.ParseForm()
		user, password, _ := r.BasicAuth()
		asked = append(asked, r.URL.Path+" "+r.PostForm.Encode()+" "+user+":"+password)
		_, _ = w.Write([]byte(`{"access_token":"t","expires_in":60}`))
	}))
	t.Cleanup(server.Close)
	c := newClock()
	source := func(scope string) *auth.ClientCredentials {
		return &auth.ClientCredentials{Doer: http.DefaultClient, Now: c.Now, Authority: server.URL + "/realms/one/", ClientID: "me", Secret: "s&t", Scope: scope}
	}
	ask := func(s *auth.ClientCredentials, want ...string) {
		t.Helper()
		asked = nil
		if _, err := s.AccessToken(t.Context(), "https://azure-api.net/configuration", ""); err != nil {
			t.Fatal(err)
		}
		if strings.Join(asked, "\n") != strings.Join(want, "\n") {
			t.Errorf("asked %q, want %q", asked, want)
		}
	}
	const audience = "audience=https%3A%2F%2Fazure-api.net%2Fconfiguration"
	const resource = "resource=https%3A%2F%2Fazure-api.net%2Fconfiguration"
	issuer = server.URL + "/realms/one"
	post := source("")
	token := "/token " + audience + "&client_id=me&client_secret=s%26t&grant_type=client_credentials&" + resource + " :"
	ask(post, "configuration", token)
	ask(post, token) // it is known
	c.add(2 * time.Hour)
	ask(post, "configuration", token)
	methods = `,"token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_basic"]`
	ask(source("plane"), "configuration", "/token "+audience+"&grant_type=client_credentials&"+resource+"&scope=plane me:s%26t")
	issuer = "https://other.example"
	if _, err := source("").AccessToken(t.Context(), "r", ""); err == nil || !strings.Contains(err.Error(), "is that of") {
		t.Errorf("the configuration of another issuer: %v", err)
	}
}
