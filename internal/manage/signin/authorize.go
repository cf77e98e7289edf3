package signin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// authorize is the authorization endpoint (RFC 6749, section 4.1). A GET asks; a POST is the user's consent to go on.
func (s *Service) authorize(w http.ResponseWriter, r *http.Request) {
	form := r.Form
	state, err := s.c.Directory.State(r.Context())
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	id := strings.ToLower(form.Get("client_id"))
	name, uris := publicClient(id), []string(nil)
	if app := state.App(id); name == "" && app != nil && !app.Disabled {
		name, uris = app.DisplayName, app.RedirectURIs
	}
	redirect, ok := checkRedirect(r, form.Get("redirect_uri"), publicClient(id) != "", uris)
	if name == "" || !ok {
		s.failPage(w, r, refuse("invalid_request", "The program that sent you here is not known, or it wants you back at an address that is not registered for it."))
		return
	}
	g := &grant{
		Client: id, RedirectURI: form.Get("redirect_uri"), Scope: form.Get("scope"), Resource: form.Get("resource"),
		Challenge: form.Get("code_challenge"), Nonce: form.Get("nonce"),
	}
	answer := reply{to: redirect, mode: form.Get("response_mode"), state: form.Get("state")}
	if bad := checkAuthorize(form, g, publicClient(id) != ""); bad != nil {
		s.reply(w, r, answer, url.Values{"error": {bad.code}, "error_description": {bad.description}})
		return
	}
	who, session := s.session(r)
	again := form.Get("prompt") == "login" || form.Get("prompt") == "select_account"
	switch {
	case who == nil && form.Get("prompt") == "none":
		s.reply(w, r, answer, url.Values{"error": {"login_required"}, "error_description": {"Nobody is signed in."}})
	case who == nil || again && r.Method != http.MethodPost:
		form.Del("prompt") // once is enough
		s.page(w, r, http.StatusOK, "signin", s.signInData(r, authorizePath(r, form), form.Get("login_hint")))
	case sameOrigin(r, redirect) || r.Method == http.MethodPost && s.confirmed(r):
		s.giveCode(w, r, answer, g, who, session)
	case form.Get("prompt") == "none":
		s.reply(w, r, answer, url.Values{"error": {"interaction_required"}, "error_description": {"The user has to consent."}})
	default: // programs on this machine, and others, get a token only when the user knows
		data := map[string]any{"Program": name, "User": who.DisplayName, "Target": redirect.Host, "Action": authorizePath(r, form)}
		form.Set("prompt", "select_account")
		data["Another"] = authorizePath(r, form)
		s.pageFor(w, r, http.StatusOK, "consent", data, redirect)
	}
}

func (s *Service) giveCode(w http.ResponseWriter, r *http.Request, answer reply, g *grant, who *directory.Principal, session *grant) {
	code := directory.RandomText()
	g.Principal, g.Began, g.Expires = who.ID, session.Began, s.c.Now().Add(codeLife)
	if err := s.grants.add(r.Context(), kindCode, code, g); err != nil {
		s.failPage(w, r, err)
		return
	}
	s.reply(w, r, answer, url.Values{"code": {code}})
}

// checkAuthorize says what is wrong with a request whose client and redirect are right.
func checkAuthorize(form url.Values, g *grant, public bool) *oauthError {
	method := form.Get("code_challenge_method")
	switch {
	case form.Get("response_type") != "code":
		return refuse("unsupported_response_type", "Only response_type=code is supported.")
	case g.Challenge != "" && method != "S256":
		return refuse("invalid_request", "code_challenge_method must be S256.")
	case g.Challenge == "" && public:
		return refuse("invalid_request", "The request needs a code_challenge: PKCE.")
	case len(g.Challenge) > 128 || len(g.Nonce) > 1024 || len(g.Scope) > 4096:
		return refuse("invalid_request", "A parameter is too long.")
	}
	return nil
}

// checkRedirect reads the redirect URI of a request. Public clients come back to this machine, at any port (RFC 8252,
// section 7.3), or to this server; others to a registered address exactly.
func checkRedirect(r *http.Request, text string, public bool, registered []string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Fragment != "" || u.User != nil || len(text) > 2048 {
		return nil, false
	}
	if !public {
		return u, slices.Contains(registered, text) && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
	}
	return u, sameOrigin(r, u) || u.Scheme == "http" && isLoopback(u.Hostname())
}

func sameOrigin(r *http.Request, u *url.URL) bool {
	return strings.EqualFold(u.Scheme+"://"+u.Host, arm.BaseURL(r))
}

// authorizePath is the request's own address, to come back to after a page.
func authorizePath(r *http.Request, form url.Values) string {
	q := url.Values{}
	for name, values := range form {
		if name != formToken {
			q[name] = values
		}
	}
	return "/" + strings.TrimLeft(r.URL.Path, "/") + "?" + q.Encode()
}

// reply is where and how the answer of the authorization endpoint goes.
type reply struct {
	to          *url.URL
	mode, state string
}

// reply sends the user back to the client with an answer.
func (s *Service) reply(w http.ResponseWriter, r *http.Request, a reply, values url.Values) {
	if a.state != "" {
		values.Set("state", a.state)
	}
	values.Set("iss", s.issuer(r)) // RFC 9207
	to := *a.to
	switch a.mode {
	case "form_post":
		s.pageFor(w, r, http.StatusOK, "post", map[string]any{"Action": to.String(), "Values": values}, &to)
		return
	case "fragment":
		to.Fragment, to.RawFragment = "", ""
		redirect(w, to.String()+"#"+values.Encode())
		return
	}
	q := to.Query()
	for name := range values {
		q.Set(name, values.Get(name))
	}
	to.RawQuery = q.Encode()
	redirect(w, to.String())
}

// redirect answers 303, so that what was a POST is followed by a GET.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
