package resources

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
)

// ssoLife is how long a link that signs a user in is good.
const ssoLife = 5 * time.Minute

// UserTokenRequest is the input of a user's token action.
type UserTokenRequest struct {
	Properties struct {
		KeyType string    `json:"keyType"` // primary or secondary
		Expiry  time.Time `json:"expiry"`  // at most 30 days away
	} `json:"properties"`
}

// UserTokenContract is the answer of a user's token action, and of generateSsoUrl.
type UserTokenContract struct {
	Value string `json:"value"`
}

func userTokenActions(env Env) []resource.Action[User] {
	return []resource.Action[User]{
		{
			Name: "token", Doc: "Makes a shared access token for the user.", Input: UserTokenRequest{}, Output: UserTokenContract{},
			Write: func(x *resource.Tx, d *resource.Doc[User], body json.RawMessage) (any, error) {
				var in UserTokenRequest
				if err := readInput(body, &in); err != nil {
					return nil, err
				}
				switch life := in.Properties.Expiry.Sub(x.Now); {
				case in.Properties.Expiry.IsZero():
					return nil, arm.Invalid("properties.expiry", "expiry is required.")
				case life < time.Minute || life > auth.MaxUserTokenLife:
					return nil, arm.Invalid("properties.expiry", "expiry must lie between one minute and 30 days in the future.")
				}
				return newUserToken(x, d, in.Properties.KeyType, in.Properties.Expiry)
			},
		},
		{
			Name: "generateSsoUrl", Doc: "Makes a link that signs the user in to the developer portal; it is good for five minutes.", Output: UserTokenContract{},
			Write: func(x *resource.Tx, d *resource.Doc[User], _ json.RawMessage) (any, error) {
				token, err := newUserToken(x, d, "primary", x.Now.Add(ssoLife+time.Minute))
				if err != nil {
					return nil, err
				}
				return UserTokenContract{env.ssoURL(d.ID.Service(), token.Value)}, nil
			},
		},
	}
}

// ssoURL is the link that signs in with a token.
func (e Env) ssoURL(service arm.ID, token string) string {
	base := ""
	if e.PortalURL != nil {
		base = strings.TrimSuffix(e.PortalURL(service.Name()), "/")
	}
	return base + "/signin-sso?token=" + url.QueryEscape(token)
}

// newUserToken signs with a key of the service's direct access, which it makes when there is none yet.
func newUserToken(x *resource.Tx, d *resource.Doc[User], keyType string, expiry time.Time) (*UserTokenContract, error) {
	access, err := openAccess(x, d.ID.Service())
	if err != nil {
		return nil, err
	}
	key := access.Props.PrimaryKey
	switch strings.ToLower(keyType) {
	case "primary":
	case "secondary":
		key = access.Props.SecondaryKey
	default:
		return nil, arm.Invalid("properties.keyType", "keyType must be primary or secondary.")
	}
	token, err := auth.NewUserToken(d.Name(), key, expiry, x.Now)
	if err != nil {
		return nil, arm.Invalid("properties.expiry", "No token can be made: %v.", err)
	}
	return &UserTokenContract{token}, nil
}

// openAccess reads the direct access of a service and makes its keys when it has none yet.
func openAccess(x *resource.Tx, service arm.ID) (*resource.Doc[TenantAccess], error) {
	access, err := resource.Get[TenantAccess](&x.Reader, service.Child("tenant", directAccess))
	if err != nil || access.Props.PrimaryKey != "" {
		return access, err
	}
	access.Props.fill(directAccess)
	return access, resource.Save(x, access)
}

// getSSOToken makes a link that signs the administrator in to the portal.
func getSSOToken(env Env) resource.Action[Service] {
	return resource.Action[Service]{
		Name: "getssotoken", Doc: "Makes a link that signs the administrator in to the developer portal; it is good for five minutes.",
		Write: func(x *resource.Tx, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			admin, err := resource.Get[User](&x.Reader, d.ID.Child("users", adminUser))
			if err != nil {
				return nil, err
			}
			token, err := newUserToken(x, admin, "primary", x.Now.Add(ssoLife+time.Minute))
			if err != nil {
				return nil, err
			}
			return map[string]string{"redirectUri": env.ssoURL(d.ID, token.Value)}, nil
		},
	}
}
