package policies

import (
	"errors"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
)

// GetAuthorizationContext is the get-authorization-context policy.
var GetAuthorizationContext = policy.Define[authorizationContext](policy.Spec{
	Name:     "get-authorization-context",
	Sections: policy.Inbound | policy.Backend | policy.Outbound,
	Flow:     policy.FlowStays,
	Calls:    "the credential manager of the management plane",
	NotOn:    policy.GatewaySelfHosted | policy.GatewayWorkspace,
	Doc:      "Gets the access token of an authorization that the credential manager holds.",
})

type authorizationContext struct {
	Provider      policy.Value[string] `attr:"provider-id,required" doc:"Name of the authorization provider."`
	Authorization policy.Value[string] `attr:"authorization-id,required" doc:"Name of the authorization."`
	Variable      policy.Value[string] `attr:"context-variable-name,required" doc:"Variable for the Authorization object."`
	IdentityType  policy.Value[string] `attr:"identity-type" default:"managed" enum:"managed,jwt" doc:"Whose access policy counts: the service's own identity, or that of a token."`
	Identity      policy.Value[string] `attr:"identity" doc:"Token of the identity; with identity-type jwt only."`
	IgnoreError   policy.Value[bool]   `attr:"ignore-error" default:"false" doc:"Whether the variable becomes null when the token cannot be had, instead of on-error."`
}

// Compile refuses an identity that nobody reads and one that is missing.
func (p *authorizationContext) Compile(c *policy.Compiler) error {
	if kind, ok := p.IdentityType.Constant(); ok && (kind == "jwt") != p.Identity.IsSet() {
		c.Errorf("ConflictingAttributes", "get-authorization-context needs an identity with identity-type jwt, and takes none otherwise")
	}
	return nil
}

func (p *authorizationContext) Run(x *policy.Exec) error {
	variable, err := p.Variable.Get(x)
	if err != nil {
		return err
	}
	ignore, err := p.IgnoreError.Get(x)
	if err != nil {
		return err
	}
	r, err := p.request(x)
	if err != nil {
		return err
	}
	access, err := x.Host.Authorization(x.Context(), r)
	switch {
	case err == nil:
		x.HideInTrace(access.AccessToken)
		x.SetVariable(variable, access)
		return nil
	case errors.Is(err, x.Context().Err()):
		return err
	case ignore:
		x.Host.Log(x.Context(), policy.LogError, "An authorization cannot be used.", "provider", r.Provider, "authorization", r.Authorization, "error", err)
		x.SetVariable(variable, nil)
		return nil
	}
	var known *policy.Error
	if errors.As(err, &known) {
		return known
	}
	return &policy.Error{Reason: "AuthorizationFailure", Message: "The authorization cannot be used: " + err.Error() + ".", Err: err}
}

func (p *authorizationContext) request(x *policy.Exec) (r policy.AuthorizationRequest, err error) {
	if r.Provider, err = p.Provider.Get(x); err != nil {
		return r, err
	}
	if r.Authorization, err = p.Authorization.Get(x); err != nil {
		return r, err
	}
	kind, err := p.IdentityType.Get(x)
	if err != nil || kind != "jwt" {
		return r, err
	}
	if r.Token, err = p.Identity.Get(x); err != nil {
		return r, err
	}
	const scheme = "Bearer "
	r.Token = strings.TrimSpace(r.Token)
	if len(r.Token) > len(scheme) && strings.EqualFold(r.Token[:len(scheme)], scheme) {
		r.Token = strings.TrimSpace(r.Token[len(scheme):])
	}
	if r.Token == "" {
		return r, &policy.Error{Reason: "AuthorizationFailure", Message: "The identity that asks for the authorization is empty."}
	}
	return r, nil
}
