package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// External is an OpenID Connect provider that people sign in with.
type External struct {
	// Name is what the button says; the issuer's host when empty.
	Name string
	// Issuer is the provider's identifier; its configuration is below it, at /.well-known/openid-configuration.
	Issuer       string
	ClientID     string
	ClientSecret string // empty for a public client
	Scopes       []string
	// Audiences are those of the provider's access tokens that the management API takes; without one it takes none.
	Audiences []string
	// RoleClaim is the claim whose values give roles, such as groups.
	RoleClaim string
	// Roles are the roles of each value of the claim. A user whose claims give none has the account and no rights.
	Roles map[string][]directory.Grant
}

func (e *External) name() string {
	if e.Name != "" {
		return e.Name
	}
	if u, err := url.Parse(e.Issuer); err == nil {
		return u.Host
	}
	return "single sign-on"
}

const (
	externalLife  = 10 * time.Minute
	externalLimit = 1 << 20 // bytes of an answer
)

// endpoints are what a sign-in needs of a provider's configuration.
type endpoints struct {
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
}

func (s *Service) configuration() string {
	return strings.TrimSuffix(s.c.External.Issuer, "/") + "/.well-known/openid-configuration"
}

func (s *Service) endpoints(ctx context.Context) (e endpoints, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.configuration(), nil)
	if err != nil {
		return e, err
	}
	return e, s.exchange(r, &e)
}

// exchange sends a request to the provider and decodes the answer.
func (s *Service) exchange(r *http.Request, v any) error {
	resp, err := s.c.Client.Do(r)
	if err != nil {
		return fmt.Errorf("ask %s: %w", r.URL.Host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read
	body, err := io.ReadAll(io.LimitReader(resp.Body, externalLimit))
	if err != nil {
		return fmt.Errorf("ask %s: %w", r.URL.Host, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: status %d", r.URL.Host, resp.StatusCode)
	}
	return json.Unmarshal(body, v)
}

// externalStart sends the user to the provider.
func (s *Service) externalStart(w http.ResponseWriter, r *http.Request) {
	if s.c.External == nil || s.openID == nil {
		s.failPage(w, r, refuse("invalid_request", "Nobody can sign in with another provider here."))
		return
	}
	to := s.ownPath(r.Form.Get("return"))
	e, err := s.endpoints(r.Context())
	if err != nil {
		s.externalFailed(w, r, to, err)
		return
	}
	state, nonce, verifier := directory.RandomText(), directory.RandomText(), directory.RandomText()+directory.RandomText()
	g := &grant{Nonce: nonce, Challenge: verifier, Return: to, Expires: s.c.Now().Add(externalLife)}
	if err := s.grants.add(r.Context(), kindForeign, state, g); err != nil {
		s.externalFailed(w, r, to, err)
		return
	}
	setCookie(w, r, "state", state, externalLife) // the answer has to come to the same browser
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {s.c.External.ClientID}, "redirect_uri": {arm.BaseURL(r) + pathCallback},
		"scope": {strings.Join(append([]string{"openid", "profile", "email"}, s.c.External.Scopes...), " ")}, "state": {state}, "nonce": {nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	sep := "?"
	if strings.Contains(e.Authorization, "?") {
		sep = "&"
	}
	redirect(w, e.Authorization+sep+q.Encode())
}

// externalCallback takes the provider's answer.
func (s *Service) externalCallback(w http.ResponseWriter, r *http.Request) {
	state := r.Form.Get("state")
	if s.c.External == nil || s.openID == nil || !auth.EqualSecret(state, cookie(r, "state")) {
		s.externalFailed(w, r, "", refuse("invalid_request", "This sign-in was not begun in this browser, or long ago. Try again."))
		return
	}
	setCookie(w, r, "state", "", 0)
	var g grant
	err := s.grants.use(r.Context(), kindForeign, state, func(v *grant) (bool, error) { g = *v; return false, nil })
	if errors.Is(err, errNoGrant) {
		err = refuse("invalid_request", "This sign-in was begun too long ago. Try again.")
	}
	if text := r.Form.Get("error"); err == nil && text != "" {
		err = refuse("access_denied", "%s has refused the sign-in: %s.", s.c.External.name(), text)
	}
	var p *directory.Principal
	if err == nil {
		p, err = s.externalUser(r, &g)
	}
	if err == nil && p.Disabled {
		err = refuse("access_denied", "Your account is disabled.")
	}
	if err == nil {
		err = s.begin(w, r, p, g.Return)
	}
	if err != nil {
		s.externalFailed(w, r, g.Return, err)
	}
}

// externalFailed says why nobody is signed in, on the page where the user can try again or take another way.
func (s *Service) externalFailed(w http.ResponseWriter, r *http.Request, to string, err error) {
	e := s.asOAuth(r, err)
	data := s.signInData(r, s.ownPath(to), "")
	data["Error"] = e.description
	if e.code == "server_error" {
		data["Error"] = "This way of signing in does not work at the moment. Try again later; the server's log says what is wrong."
	}
	s.page(w, r, e.status(), "signin", data)
}

// externalUser exchanges the code and finds the user of the ID token.
func (s *Service) externalUser(r *http.Request, g *grant) (*directory.Principal, error) {
	x := s.c.External
	e, err := s.endpoints(r.Context())
	if err != nil {
		return nil, err
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {r.Form.Get("code")}, "redirect_uri": {arm.BaseURL(r) + pathCallback},
		"client_id": {x.ClientID}, "code_verifier": {g.Challenge},
	}
	if x.ClientSecret != "" {
		form.Set("client_secret", x.ClientSecret)
	}
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodPost, e.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		IDToken string `json:"id_token"`
	}
	if err := s.exchange(ask, &answer); err != nil {
		return nil, err
	}
	token, err := auth.ParseToken(answer.IDToken, nil)
	if err != nil {
		return nil, err
	}
	source, err := s.openID.Issuer(r.Context(), s.configuration(), token.KeyID)
	if err != nil {
		return nil, err
	}
	rules := auth.Rules{Sources: []*auth.Issuer{source}, Audiences: []string{x.ClientID}, Skew: assertionSkew}
	if err := rules.Check(token, s.c.Now()); err != nil {
		return nil, refuse("access_denied", "The answer of %s is refused: %s", x.name(), err)
	}
	if !auth.EqualSecret(token.Claim("nonce"), g.Nonce) || token.Claim("sub") == "" {
		return nil, refuse("access_denied", "The answer of %s is for another sign-in.", x.name())
	}
	return s.externalAccount(r.Context(), token)
}

func (s *Service) externalAccount(ctx context.Context, token *auth.Token) (*directory.Principal, error) {
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return nil, err
	}
	var grants []directory.Grant
	for _, value := range texts(claims[s.c.External.RoleClaim]) {
		for _, g := range s.c.External.Roles[value] {
			if !slices.Contains(grants, g) {
				grants = append(grants, g)
			}
		}
	}
	user := firstText(token.Claim("preferred_username"), token.Claim("email"), token.Claim("sub"))
	user = strings.Join(strings.Fields(user), ".")
	name := firstText(token.Claim("name"), user)
	return s.c.Directory.SignInExternal(ctx, directory.External{Issuer: token.Claim("iss"), Subject: token.Claim("sub")}, user, name, grants)
}

func firstText(all ...string) string {
	for _, text := range all {
		if text != "" {
			return strings.ToValidUTF8(text[:min(len(text), 256)], "")
		}
	}
	return ""
}

// texts are the values of a claim that is a text or a list of them.
func texts(claim any) (all []string) {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			if text, ok := e.(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}
