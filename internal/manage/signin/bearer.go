package signin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// Authenticate implements [manage.Authenticator] for access tokens, ours and those of issuers that are trusted, API tokens and the secret of
// the first principal.
func (s *Service) Authenticate(r *http.Request) (manage.Principal, error) {
	text, err := manage.Bearer(r)
	if err != nil {
		return manage.Principal{}, err
	}
	return s.Verify(r.Context(), text)
}

// Verify returns who presents a token. The error is an arm.Error of status 401, or the store's.
func (s *Service) Verify(ctx context.Context, text string) (manage.Principal, error) {
	switch {
	case strings.HasPrefix(text, directory.TokenPrefix):
		return s.verifyAPIToken(ctx, text)
	case strings.Count(text, ".") == 2:
		if p, err := s.verifyAccess(ctx, text, ""); err != nil || p.ID != "" {
			return p, err
		}
	}
	root, err := s.c.Directory.Root(ctx, text)
	if err != nil {
		return manage.Principal{}, err
	}
	if root == nil {
		return manage.Principal{}, invalidToken("The access token is not valid.")
	}
	return manage.Principal{ID: root.ID, Name: root.DisplayName, AppID: root.AppID}, nil
}

// VerifyFor returns who presents an access token for another audience than the management API, such as a self-hosted
// gateway its own for the configuration. The error is an arm.Error of status 401, or the store's.
func (s *Service) VerifyFor(ctx context.Context, text, audience string) (manage.Principal, error) {
	p, err := s.verifyAccess(ctx, text, audience)
	if err == nil && p.ID == "" {
		err = invalidToken("The access token is not valid.")
	}
	return p, err
}

func invalidToken(text string) error { return arm.Errorf(arm.CodeInvalidToken, "%s", text) }

// verifyAccess reads an access token for an audience, the management API if it is empty; the zero Principal means that
// the text is none.
func (s *Service) verifyAccess(ctx context.Context, text, audience string) (manage.Principal, error) {
	token, err := auth.ParseToken(text, nil)
	if err != nil {
		return manage.Principal{}, nil
	}
	state, err := s.c.Directory.State(ctx)
	if err != nil {
		return manage.Principal{}, err
	}
	if who, ours, err := s.verifyForeign(ctx, state, token); !ours || err != nil {
		return who, err
	}
	keys, _ := state.KeySet()
	rules := auth.Rules{Keys: keys}
	if audience != "" {
		rules.Audiences = []string{audience}
	}
	if err := rules.Check(token, s.c.Now()); err != nil {
		return manage.Principal{}, invalidToken("The access token is not valid: " + err.Error())
	}
	var claims struct {
		OID, AppID string
		IAT        int64
		API        string `json:"causeway_api"`
	}
	if err := token.Claims(&claims); err != nil || token.Type() != auth.TypeAccessToken || audience == "" && claims.API != "management" {
		return manage.Principal{}, invalidToken("The access token is for another audience.")
	}
	p := state.Principal(claims.OID)
	if p == nil || p.Disabled || claims.IAT < p.SessionsAfter.Unix() {
		return manage.Principal{}, invalidToken("The account of the access token is disabled, or its sessions were ended.")
	}
	return principal(p, claims.AppID), nil
}

func principal(p *directory.Principal, app string) manage.Principal {
	name := p.UserName
	if name == "" {
		name = p.DisplayName
	}
	return manage.Principal{ID: p.ID, Name: name, AppID: app}
}

func (s *Service) verifyAPIToken(ctx context.Context, text string) (manage.Principal, error) {
	t, err := s.c.Directory.Token(ctx, text)
	if errors.Is(err, directory.ErrNotFound) {
		return manage.Principal{}, invalidToken("The API token is not valid, has expired or was revoked.")
	}
	if err != nil {
		return manage.Principal{}, err
	}
	state, err := s.c.Directory.State(ctx)
	if err != nil {
		return manage.Principal{}, err
	}
	p := state.Principal(t.PrincipalID)
	if p == nil || p.Disabled {
		return manage.Principal{}, invalidToken("The account of the API token is disabled.")
	}
	who := principal(p, p.AppID)
	who.ReadOnly = t.ReadOnly
	if t.Scope != "/" {
		who.Scope = t.Scope
	}
	return who, nil
}

// userInfo answers what is known of the user of an access token (OpenID Connect Core 1.0, section 5.3).
func (s *Service) userInfo(w http.ResponseWriter, r *http.Request) {
	who, err := s.Authenticate(r)
	if err != nil {
		e, _ := arm.AsError(err)
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		arm.WriteError(w, e)
		return
	}
	arm.WriteJSON(w, http.StatusOK, map[string]any{"sub": who.ID, "name": who.Name, "preferred_username": who.Name})
}
