package resources

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
)

// RedirectPath is where the login end point of the credential manager is mounted.
const RedirectPath = redirectPath

// errLogin is all that a browser gets to know: the rest is in the authorization's error.
var errLogin = errors.New("the login is not known, was used before or took too long")

// ServeHTTP takes users back from authorization servers (RFC 6749, 4.1.2).
func (m *CredentialManager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if r.Method != http.MethodGet {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	then, err := m.finishLogin(r.Context(), r.URL.Query())
	text, status := "The connection is authenticated. You can close this window.\n", http.StatusOK
	switch {
	case errors.Is(err, errLogin):
		text, status = "The connection is not authenticated: "+err.Error()+".\n", http.StatusBadRequest
	case err != nil:
		text, status = "The connection is not authenticated: the authorization server said no, or cannot be reached. The authorization says why.\n", http.StatusBadGateway
	case then != "":
		http.Redirect(w, r, then, http.StatusFound)
		return
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the browser has gone when this fails
}

// finishLogin redeems the code and returns where the user goes.
func (m *CredentialManager) finishLogin(ctx context.Context, q url.Values) (then string, err error) {
	state := q.Get("state")
	id, err := loginOf(state)
	if err != nil {
		return "", errLogin
	}
	service := id.Service()
	var login pendingLogin
	var s authorizationState
	consent := randomText()
	err = m.Engine.WriteFunc(ctx, service, func(x *resource.Tx) error {
		if s, err = readAuthorization(&x.Reader, id); err != nil {
			return errLogin
		}
		if s.doc.Props.Login == "" || json.Unmarshal([]byte(s.doc.Props.Login), &login) != nil ||
			!auth.EqualSecret(login.State, state) || m.Now().After(login.Expires) {
			return errLogin
		}
		used := pendingLogin{Consent: consent} // a state works once
		if err := setLogin(s.doc, &used); err != nil {
			return err
		}
		return resource.Save(x, s.doc)
	})
	if err != nil {
		return "", err
	}
	var grant auth.Grant
	if code := q.Get("error"); code != "" {
		err = &auth.OAuth2Error{Code: code, Description: q.Get("error_description")}
	} else {
		grant, err = clientOf(s.provider, &s.doc.Props).Redeem(ctx, m.Doer, m.Now(), q.Get("code"), login.Redirect, login.Verifier)
	}
	if _, err := m.keep(context.WithoutCancel(ctx), service, id, grant, err); err != nil {
		return "", err
	}
	return withConsent(login.Then, consent), nil
}

// withConsent adds the consent code to a URL.
func withConsent(then, consent string) string {
	u, err := url.Parse(then)
	if err != nil || then == "" {
		return ""
	}
	q := u.Query()
	q.Set("consentCode", consent)
	u.RawQuery = q.Encode()
	return u.String()
}

var _ http.Handler = (*CredentialManager)(nil)
