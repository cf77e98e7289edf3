package signin

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

//go:embed pages.html
var pageFiles embed.FS

// formToken is the field that proves that a form comes from one of our pages: it equals a cookie.
const formToken = "form_token"

// cookieName is a name that browsers protect when they can: over TLS no other host and no plain connection can set it.
func cookieName(r *http.Request, name string) string {
	if r.TLS != nil {
		return "__Host-causeway-" + name
	}
	return "causeway-" + name
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	c := &http.Cookie{
		Name: cookieName(r, name), Value: value, Path: "/", Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(life / time.Second),
	}
	if life <= 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}

// confirmed reports whether a POST comes from one of our pages: by the browser's word and by the form's token.
func (s *Service) confirmed(r *http.Request) bool {
	return s.protect.Check(r) == nil && auth.EqualSecret(r.PostForm.Get(formToken), cookie(r, "form"))
}

// session returns who is signed in in the browser, nil for nobody.
func (s *Service) session(r *http.Request) (*directory.Principal, *grant) {
	secret := cookie(r, "session")
	if secret == "" {
		return nil, nil
	}
	g, err := s.grants.get(r.Context(), kindSession, secret)
	if err != nil {
		return nil, nil
	}
	p, err := s.valid(r.Context(), g)
	if err != nil {
		return nil, nil
	}
	return p, g
}

// begin starts a session and goes on at a path of ours.
func (s *Service) begin(w http.ResponseWriter, r *http.Request, p *directory.Principal, to string) error {
	secret := directory.RandomText()
	now := s.c.Now()
	if err := s.grants.add(r.Context(), kindSession, secret, &grant{Principal: p.ID, Began: now, Expires: now.Add(sessionLife)}); err != nil {
		return err
	}
	setCookie(w, r, "session", secret, sessionLife)
	redirect(w, s.ownPath(to))
	return nil
}

// ownPath keeps a form from sending people elsewhere.
func (s *Service) ownPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsRune(to, '\\') ||
		!s.Serves(u.Path) && !strings.HasPrefix(u.Path, "/console/") {
		return pathDevice
	}
	return to
}

func (s *Service) signInData(r *http.Request, to, user string) map[string]any {
	data := map[string]any{"Return": to, "UserName": user}
	if s.c.External != nil {
		data["External"], data["ExternalName"] = pathExternal+"?return="+url.QueryEscape(to), s.c.External.name()
	}
	return data
}

// signInPage takes a user name and a password.
func (s *Service) signInPage(w http.ResponseWriter, r *http.Request) {
	to := s.ownPath(r.Form.Get("return"))
	if r.Method != http.MethodPost {
		s.page(w, r, http.StatusOK, "signin", s.signInData(r, to, ""))
		return
	}
	user := strings.TrimSpace(r.PostForm.Get("username"))
	p, status, text := s.checkPassword(r, user, r.PostForm.Get("password"))
	if p != nil {
		if err := s.begin(w, r, p, to); err != nil {
			s.failPage(w, r, err)
		}
		return
	}
	data := s.signInData(r, to, user)
	data["Error"] = text
	s.page(w, r, status, "signin", data)
}

// checkPassword finds the account; otherwise it says why not.
func (s *Service) checkPassword(r *http.Request, user, password string) (p *directory.Principal, status int, text string) {
	names := []string{"user " + strings.ToLower(user), "address " + remoteIP(r)}
	if wait := s.throttle.Wait(names...); wait > 0 {
		return nil, http.StatusTooManyRequests, fmt.Sprintf("Too many attempts failed. Try again in %s.", wholeSeconds(wait))
	}
	if !s.confirmed(r) {
		return nil, http.StatusForbidden, "The page was open for too long, or cookies are off. Try again."
	}
	p, err := s.c.Directory.SignIn(r.Context(), user, password)
	if err != nil {
		_ = s.asOAuth(r, err) // logs it
		return nil, http.StatusInternalServerError, "Something went wrong here. Try again."
	}
	if p == nil {
		s.throttle.Failed(names...)
		s.c.Log.WarnContext(r.Context(), "sign-in failed", "user", user, "client", r.RemoteAddr)
		return nil, http.StatusUnauthorized, "The user name or the password is wrong."
	}
	s.throttle.Succeeded(names[0])
	return p, http.StatusOK, ""
}

// wholeSeconds is a wait as people read it, rounded up: when it is over, the next attempt is taken.
func wholeSeconds(wait time.Duration) time.Duration {
	return (wait + time.Second - 1).Truncate(time.Second)
}

// signOut ends the session in the browser.
func (s *Service) signOut(w http.ResponseWriter, r *http.Request) {
	if secret := cookie(r, "session"); secret != "" {
		err := s.grants.use(context.WithoutCancel(r.Context()), kindSession, secret, func(*grant) (bool, error) { return false, nil })
		if err != nil && !errors.Is(err, errNoGrant) {
			s.c.Log.WarnContext(r.Context(), "a session could not be ended", "error", err)
		}
	}
	setCookie(w, r, "session", "", 0)
	to := r.Form.Get("post_logout_redirect_uri")
	if u, err := url.Parse(to); err == nil && sameOrigin(r, u) {
		redirect(w, to)
		return
	}
	s.page(w, r, http.StatusOK, "done", map[string]any{"Text": "You are signed out."})
}

// failPage shows an error to a person.
func (s *Service) failPage(w http.ResponseWriter, r *http.Request, err error) {
	e := s.asOAuth(r, err)
	s.page(w, r, e.status(), "done", map[string]any{"Error": e.description})
}

func (s *Service) page(w http.ResponseWriter, r *http.Request, status int, name string, data map[string]any) {
	s.pageFor(w, r, status, name, data, nil)
}

// formTarget is a target as a source of a policy (Content Security Policy, section 2.3.1), which cannot be an IPv6 address.
func formTarget(target *url.URL) string {
	if strings.Contains(target.Hostname(), ":") {
		return target.Scheme + ":"
	}
	return target.Scheme + "://" + target.Host
}

// pageFor renders a page. A form on it may lead to target as well: browsers look at redirects after forms, too.
func (s *Service) pageFor(w http.ResponseWriter, r *http.Request, status int, name string, data map[string]any, target *url.URL) {
	token := cookie(r, "form")
	if len(token) != len(directory.RandomText()) {
		token = directory.RandomText()
	}
	setCookie(w, r, "form", token, sessionLife)
	nonce := directory.RandomText()
	data["Token"], data["TokenName"], data["Nonce"] = token, formToken, nonce
	pages, err := template.ParseFS(pageFiles, "pages.html")
	var out bytes.Buffer
	if err == nil {
		err = pages.ExecuteTemplate(&out, name, data)
	}
	if err != nil {
		s.c.Log.ErrorContext(r.Context(), "a page cannot be rendered", "page", name, "error", err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	actions := "'self'"
	if target != nil {
		actions += " " + formTarget(target)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; base-uri 'none'; frame-ancestors 'none'; form-action "+actions)
	h.Set("X-Frame-Options", "DENY")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w) // a client that has gone is no error of ours
}
