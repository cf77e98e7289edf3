package resources

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
)

// CredentialManager gives out the tokens of authorizations and renews them. Any replica may: one at a time renews a token, which it says in
// the store for the others to wait.
type CredentialManager struct {
	Engine *resource.Engine
	// Doer reaches authorization servers.
	Doer auth.Doer
	// OpenID verifies the tokens of identities that ask; Authority is their directory's base URL.
	OpenID    *auth.OpenID
	Authority string
	Now       func() time.Time
}

// ErrAuthorizationRefused says that an identity gets no token of an authorization.
var ErrAuthorizationRefused = errors.New("refused")

const (
	// tokenAudience is whom tokens of asking identities are for ("get-authorization-context", identity).
	tokenAudience = "https://azure-api.net/authorization-manager"
	// renewBefore is how long before its end a token is renewed, renewLife how long one replica may take for it and renewPoll how often others
	// look.
	renewBefore = 2 * time.Minute
	renewLife   = 30 * time.Second
	renewPoll   = 200 * time.Millisecond
)

// authorizationState is what is known of an authorization at one moment.
type authorizationState struct {
	doc      *resource.Doc[Authorization]
	provider *resource.Doc[AuthorizationProvider]
	grant    auth.Grant
}

// Token returns the token of an authorization for the service's own identity, or for the one that a JSON Web Token names. A refusal wraps
// [ErrAuthorizationRefused].
func (m *CredentialManager) Token(ctx context.Context, service arm.ID, provider, authorization, token string) (auth.Grant, error) {
	id := service.Child("authorizationProviders", provider).Child("authorizations", authorization)
	var state authorizationState
	var policies []AuthorizationAccessPolicy
	var own *Identity
	err := m.Engine.ReadFunc(ctx, service, func(x *resource.Reader) (err error) {
		if state, err = readAuthorization(x, id); err != nil {
			return err
		}
		for p, err := range resource.All[AuthorizationAccessPolicy](x, id, "accessPolicies") {
			if err != nil {
				return err
			}
			policies = append(policies, p.Props)
		}
		s, err := resource.Get[Service](x, service)
		if err == nil {
			own = s.Props.Identity
		}
		return err
	})
	switch {
	case arm.IsNotFound(err):
		return auth.Grant{}, fmt.Errorf("%w: there is no authorization %s of provider %s", ErrAuthorizationRefused, authorization, provider)
	case err != nil:
		return auth.Grant{}, err
	}
	if token == "" {
		err = allowService(policies, own)
	} else {
		err = m.allowToken(ctx, policies, token)
	}
	if err != nil {
		return auth.Grant{}, err
	}
	if m.fresh(state.grant) {
		return state.grant, nil
	}
	return m.renew(ctx, service, id)
}

func readAuthorization(x *resource.Reader, id arm.ID) (s authorizationState, err error) {
	if s.doc, err = resource.Get[Authorization](x, id); err != nil {
		return s, err
	}
	if s.provider, err = resource.Get[AuthorizationProvider](x, id.Parent()); err != nil {
		return s, err
	}
	if s.doc.Props.Grant != "" {
		err = json.Unmarshal([]byte(s.doc.Props.Grant), &s.grant)
	}
	return s, err
}

// allowService looks for an access policy of the service's own identity.
func allowService(policies []AuthorizationAccessPolicy, own *Identity) error {
	if own == nil || own.PrincipalID == "" && len(own.UserAssignedIdentities) == 0 {
		return fmt.Errorf("%w: the service has no managed identity; give it one, and an access policy", ErrAuthorizationRefused)
	}
	for _, p := range policies {
		if own.PrincipalID != "" && strings.EqualFold(p.ObjectID, own.PrincipalID) {
			return nil
		}
		for _, u := range own.UserAssignedIdentities {
			if u.PrincipalID != "" && strings.EqualFold(p.ObjectID, u.PrincipalID) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: no access policy is for the identity of the service", ErrAuthorizationRefused)
}

// allowToken verifies a token and looks for an access policy of the identity in it.
func (m *CredentialManager) allowToken(ctx context.Context, policies []AuthorizationAccessPolicy, text string) error {
	token, err := auth.ParseToken(text, nil)
	if err != nil {
		return fmt.Errorf("%w: the identity's token cannot be read", ErrAuthorizationRefused)
	}
	tenant, object := token.Claim("tid"), token.Claim("oid")
	app := token.Claim("azp")
	if app == "" {
		app = token.Claim("appid")
	}
	allowed := tenant != "" && object != "" && slices.ContainsFunc(policies, func(p AuthorizationAccessPolicy) bool {
		return strings.EqualFold(p.ObjectID, object) && strings.EqualFold(p.TenantID, tenant) &&
			(len(p.AppIDs) == 0 || slices.ContainsFunc(p.AppIDs, func(id string) bool { return strings.EqualFold(id, app) }))
	})
	if !allowed { // before the keys are fetched: nobody but who has a policy makes the plane ask a tenant
		return fmt.Errorf("%w: no access policy is for the identity of the token", ErrAuthorizationRefused)
	}
	configuration := m.Authority + "/" + url.PathEscape(tenant)
	if token.Claim("ver") != "1.0" {
		configuration += "/v2.0"
	}
	issuer, err := m.OpenID.Issuer(ctx, configuration+"/.well-known/openid-configuration", token.KeyID)
	if err != nil {
		return fmt.Errorf("fetch the keys of tenant %s: %w", tenant, err)
	}
	rules := auth.Rules{Sources: []*auth.Issuer{issuer}, Audiences: []string{tokenAudience}}
	if err := rules.Check(token, m.Now()); err != nil {
		return fmt.Errorf("%w: the identity's token is not valid: %w", ErrAuthorizationRefused, err)
	}
	return nil
}

func (m *CredentialManager) fresh(g auth.Grant) bool {
	return g.AccessToken != "" && (g.Expires.IsZero() || m.Now().Add(renewBefore).Before(g.Expires))
}

// renew gets a new token, or waits for the replica that does.
func (m *CredentialManager) renew(ctx context.Context, service, id arm.ID) (auth.Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, renewLife)
	defer cancel()
	for {
		var state authorizationState
		mine := false
		err := m.Engine.WriteFunc(ctx, service, func(x *resource.Tx) (err error) {
			if state, err = readAuthorization(&x.Reader, id); err != nil || m.fresh(state.grant) {
				return err
			}
			if by := state.doc.Props.RenewedBy; by != nil && m.Now().Before(*by) {
				return nil
			}
			until := m.Now().Add(renewLife)
			mine, state.doc.Props.RenewedBy = true, &until
			return resource.Save(x, state.doc)
		})
		switch {
		case err != nil:
			return auth.Grant{}, err
		case m.fresh(state.grant):
			return state.grant, nil
		case mine:
			grant, err := m.ask(ctx, state)
			return m.keep(context.WithoutCancel(ctx), service, id, grant, err)
		}
		timer := time.NewTimer(renewPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return auth.Grant{}, context.Cause(ctx)
		}
	}
}

// ask gets a token from the server.
func (m *CredentialManager) ask(ctx context.Context, s authorizationState) (auth.Grant, error) {
	client := clientOf(s.provider, &s.doc.Props)
	switch {
	case s.doc.Props.OAuth2GrantType == grantCredentials:
		return client.Credentials(ctx, m.Doer, m.Now())
	case s.grant.RefreshToken != "":
		return client.Refresh(ctx, m.Doer, m.Now(), s.grant.RefreshToken)
	case s.grant.AccessToken != "" && m.Now().Before(s.grant.Expires): // without refresh token it is good until its end
		return s.grant, nil
	}
	return auth.Grant{}, &auth.OAuth2Error{Code: "Unauthenticated", Description: "This connection is not authenticated."}
}

// keep stores a token, or why there is none.
func (m *CredentialManager) keep(ctx context.Context, service, id arm.ID, grant auth.Grant, failure error) (auth.Grant, error) {
	var refused *auth.OAuth2Error
	err := m.Engine.WriteFunc(ctx, service, func(x *resource.Tx) error {
		d, err := resource.Get[Authorization](&x.Reader, id)
		if err != nil {
			return err
		}
		d.Props.RenewedBy = nil
		switch {
		case failure == nil:
			if err := setGrant(d, grant); err != nil {
				return err
			}
		case errors.As(failure, &refused):
			d.Props.Status, d.Props.Error = disconnected, &AuthorizationError{refused.Code, refused.Description}
		}
		return resource.Save(x, d)
	})
	switch {
	case refused != nil:
		return auth.Grant{}, fmt.Errorf("%w: %w", ErrAuthorizationRefused, failure)
	case failure != nil:
		return auth.Grant{}, failure
	}
	return grant, err
}

func setGrant(d *resource.Doc[Authorization], grant auth.Grant) error {
	b, err := json.Marshal(grant)
	d.Props.Grant, d.Props.Status, d.Props.Error = string(b), connected, nil
	return err
}

// loginOf finds the authorization that a state is for.
func loginOf(state string) (arm.ID, error) {
	_, encoded, _ := strings.Cut(state, ".")
	path, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return arm.ID{}, err
	}
	id, err := arm.ParseID(string(path))
	if err == nil && (id.Service().IsZero() || !strings.HasPrefix(strings.ToLower(id.Rel()), "authorizationproviders/")) {
		err = errors.New("not an authorization")
	}
	return id, err
}
