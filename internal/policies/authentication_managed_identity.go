package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// AuthenticationManagedIdentity is the authentication-managed-identity policy.
var AuthenticationManagedIdentity = policy.Define[identityAuth](policy.Spec{
	Name:     "authentication-managed-identity",
	Sections: policy.Inbound | policy.Outbound,
	Flow:     policy.FlowStays,
	Calls:    "the token endpoint of the gateway's identity",
	NotOn:    policy.GatewayWorkspace,
	Doc:      "Authenticates to the backend service with an access token of the gateway's managed identity. The token is kept until shortly before it expires.",
})

type identityAuth struct {
	Resource    policy.Value[string] `attr:"resource,required" doc:"Application ID or URI of the resource that is to be called."`
	Client      policy.Value[string] `attr:"client-id" doc:"Client ID of an identity that a user assigned; the system's own one otherwise."`
	Variable    string               `attr:"output-token-variable-name" doc:"Variable for the token, a string; the Authorization header is not set then."`
	IgnoreError bool                 `attr:"ignore-error" default:"false" doc:"Whether the request goes on without a token when none can be had."`
}

func (p *identityAuth) Run(x *policy.Exec) error { return p.apply(x, &x.Request.Header) }

// apply puts the token into a header or into the variable.
func (p *identityAuth) apply(x *policy.Exec, h *message.Header) error {
	resource, err := p.Resource.Get(x)
	if err != nil {
		return err
	}
	client, err := p.Client.Get(x)
	if err != nil {
		return err
	}
	access, err := x.Host.Trust().Identity.AccessToken(x.Context(), strings.TrimSpace(resource), strings.TrimSpace(client))
	x.HideInTrace(access.Token)
	switch {
	case err != nil && p.IgnoreError:
		x.Host.Log(x.Context(), policy.LogError, "An access token of the managed identity cannot be obtained.", "resource", resource, "error", err)
		if p.Variable != "" {
			x.SetVariable(p.Variable, nil)
		}
	case err != nil:
		return &policy.Error{Reason: "ManagedIdentityTokenFailure", Message: "An access token of the managed identity cannot be obtained: " + err.Error() + ".", Err: err}
	case p.Variable != "":
		x.SetVariable(p.Variable, access.Token)
	default:
		h.Set("Authorization", "Bearer "+access.Token)
	}
	return nil
}
