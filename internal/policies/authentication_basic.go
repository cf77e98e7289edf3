package policies

import (
	"encoding/base64"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// AuthenticationBasic is the authentication-basic policy.
var AuthenticationBasic = policy.Define[basicAuth](policy.Spec{
	Name:     "authentication-basic",
	Sections: policy.Inbound,
	Flow:     policy.FlowMessage,
	Doc:      "Authenticates to the backend service with a user name and a password (RFC 7617).",
})

type basicAuth struct {
	Username policy.Value[string] `attr:"username,required" doc:"User name."`
	Password policy.Value[string] `attr:"password,required,empty" doc:"Password."`
}

func (p *basicAuth) Run(x *policy.Exec) error { return p.apply(x, &x.Request.Header) }

func (p *basicAuth) apply(x *policy.Exec, h *message.Header) error {
	user, err := p.Username.Get(x)
	if err != nil {
		return err
	}
	password, err := p.Password.Get(x)
	if err != nil {
		return err
	}
	h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	return nil
}
