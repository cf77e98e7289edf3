package resources

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
)

// Authorization is one connection to an authorization server: a user who has given consent, or an application.
type Authorization struct {
	AuthorizationType string              `json:"authorizationType" rule:"enum=OAuth2,default=OAuth2" filter:"yes" doc:"OAuth2."`
	OAuth2GrantType   string              `json:"oauth2grantType" rule:"required,immutable,enum=AuthorizationCode|ClientCredentials" doc:"How tokens are got."`
	Parameters        map[string]string   `json:"parameters,omitempty" rule:"secret" doc:"Settings of this connection, before those of the provider: clientId, clientSecret … The secret is not answered."`
	Error             *AuthorizationError `json:"error,omitempty" rule:"readonly" doc:"Why there is no token."`
	Status            string              `json:"status,omitempty" rule:"readonly" filter:"yes" doc:"Connected or Error."`

	Grant     string     `json:"grant,omitempty" rule:"secret,readonly"` // auth.Grant as JSON
	Login     string     `json:"login,omitempty" rule:"secret,readonly"` // pendingLogin as JSON
	RenewedBy *time.Time `json:"renewedBy,omitempty" rule:"readonly"`    // until when somebody is renewing the token
}

// AuthorizationError is why an authorization does not work.
type AuthorizationError struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// AuthorizationLoginRequest is the input of getLoginLinks.
type AuthorizationLoginRequest struct {
	PostLoginRedirectURL string `json:"postLoginRedirectUrl"` // where the user comes to afterwards; none shows a page
}

// AuthorizationLoginResponse is the answer of getLoginLinks.
type AuthorizationLoginResponse struct {
	LoginLink string `json:"loginLink"`
}

// AuthorizationConsent is the input of confirmConsentCode.
type AuthorizationConsent struct {
	ConsentCode string `json:"consentCode"` // that came with the user
}

const (
	grantCode        = "AuthorizationCode"
	grantCredentials = "ClientCredentials"
	connected        = "Connected"
	disconnected     = "Error"
	// loginLife is how long a login link works.
	loginLife = 10 * time.Minute
)

// pendingLogin is a login that a link was made for.
type pendingLogin struct {
	State    string    `json:"state"`
	Verifier string    `json:"verifier"`
	Redirect string    `json:"redirect"`
	Then     string    `json:"then,omitempty"`
	Expires  time.Time `json:"expires"`
	// Consent is the code that the user came back with.
	Consent string `json:"consent,omitempty"`
}

func authorizations() *resource.Type {
	return resource.Define(resource.Spec[Authorization]{
		Name: "authorizations", Title: "Authorization", Doc: "A connection of the credential manager to an authorization server.",
		Parents: []string{"authorizationProviders"}, Verbs: resource.Create | resource.Read | resource.Delete | resource.List, NameMax: 256,
		Check: checkAuthorization,
		View: func(_ *resource.Reader, d *resource.Doc[Authorization]) (any, error) {
			v := d.Props
			v.Parameters, v.Grant, v.Login, v.RenewedBy = withoutSecret(v.Parameters), "", "", nil
			return v, nil
		},
		Actions: []resource.Action[Authorization]{
			{
				Name: "getLoginLinks", Doc: "Makes a link at which a user gives consent.", Input: AuthorizationLoginRequest{}, Output: AuthorizationLoginResponse{},
				Write: makeLoginLink,
			},
			{
				Name: "confirmConsentCode", Doc: "Confirms that the user who has given consent is the one who asked for the link.", Input: AuthorizationConsent{},
				Read: confirmConsent,
			},
		},
	})
}

func checkAuthorization(x *resource.Tx, old, d *resource.Doc[Authorization]) error {
	p := &d.Props
	if old != nil {
		keepSecret(old.Props.Parameters, p.Parameters)
	}
	if err := checkSettings("parameters", p.Parameters); err != nil {
		return err
	}
	provider, err := resource.Get[AuthorizationProvider](&x.Reader, d.ID.Parent())
	if err != nil {
		return err
	}
	if grantSettings(provider, p.OAuth2GrantType) == nil {
		return arm.Invalid("oauth2grantType", "The provider has no settings for the grant type %s.", p.OAuth2GrantType)
	}
	if client := clientOf(provider, p); client.ClientID == "" {
		return arm.Invalid("parameters.clientId", "clientId is required, here or in the provider.")
	}
	if old != nil && maps.Equal(old.Props.Parameters, p.Parameters) {
		return nil
	}
	p.Grant, p.Login, p.RenewedBy, p.Error, p.Status = "", "", nil, nil, connected
	if p.OAuth2GrantType == grantCode {
		p.Status, p.Error = disconnected, &AuthorizationError{"Unauthenticated", "This connection is not authenticated."}
	}
	return nil
}

// grantSettings are the provider's settings for a grant type; nil when it has none.
func grantSettings(provider *resource.Doc[AuthorizationProvider], grantType string) map[string]string {
	if grantType == grantCode {
		return provider.Props.OAuth2.GrantTypes.AuthorizationCode
	}
	return provider.Props.OAuth2.GrantTypes.ClientCredentials
}

// clientOf is the application of an authorization.
func clientOf(provider *resource.Doc[AuthorizationProvider], a *Authorization) *auth.OAuth2 {
	return oauth2Client(provider.Props.IdentityProvider, grantSettings(provider, a.OAuth2GrantType), a.Parameters)
}

func makeLoginLink(x *resource.Tx, d *resource.Doc[Authorization], body json.RawMessage) (any, error) {
	var in AuthorizationLoginRequest
	if err := readInput(body, &in); err != nil {
		return nil, err
	}
	if then := in.PostLoginRedirectURL; then != "" && !strings.HasPrefix(then, "https://") && !strings.HasPrefix(then, "http://") {
		return nil, arm.Invalid("postLoginRedirectUrl", "postLoginRedirectUrl must be an absolute URL.")
	}
	if d.Props.OAuth2GrantType != grantCode {
		return nil, arm.Invalid("oauth2grantType", "Nobody logs in to an authorization of the grant type %s.", d.Props.OAuth2GrantType)
	}
	provider, err := resource.Get[AuthorizationProvider](&x.Reader, d.ID.Parent())
	if err != nil {
		return nil, err
	}
	login := pendingLogin{
		Verifier: randomText(), Redirect: provider.Props.OAuth2.RedirectURL, Then: in.PostLoginRedirectURL, Expires: x.Now.Add(loginLife),
	}
	if login.Redirect == "" {
		login.Redirect = x.BaseURL + redirectPath
	}
	// The state says which authorization it is for; what nobody can guess is its beginning.
	login.State = randomText() + "." + base64.RawURLEncoding.EncodeToString([]byte(d.ID.String()))
	link, err := clientOf(provider, &d.Props).LoginURL(login.Redirect, login.State, login.Verifier)
	if err != nil {
		return nil, arm.Invalid("oauth2.grantTypes.authorizationCode.authorizationUrl", "%s.", err)
	}
	if err := setLogin(d, &login); err != nil {
		return nil, err
	}
	return AuthorizationLoginResponse{link}, resource.Save(x, d)
}

func setLogin(d *resource.Doc[Authorization], login *pendingLogin) error {
	b, err := json.Marshal(login)
	d.Props.Login = string(b)
	return err
}

func confirmConsent(_ *resource.Reader, d *resource.Doc[Authorization], body json.RawMessage) (any, error) {
	var in AuthorizationConsent
	if err := readInput(body, &in); err != nil {
		return nil, err
	}
	var login pendingLogin
	if d.Props.Login != "" {
		if err := json.Unmarshal([]byte(d.Props.Login), &login); err != nil {
			return nil, err
		}
	}
	if in.ConsentCode == "" || login.Consent == "" || !auth.EqualSecret(in.ConsentCode, login.Consent) {
		return nil, arm.Invalid("consentCode", "The consent code is not that of the last login.")
	}
	return struct{}{}, nil
}

// randomText is what nobody can guess, in the characters of URLs.
func randomText() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// AuthorizationAccessPolicy lets an identity use an authorization.
type AuthorizationAccessPolicy struct {
	TenantID string   `json:"tenantId,omitempty" rule:"max=300" doc:"Directory of the identity."`
	ObjectID string   `json:"objectId" rule:"required,max=300" filter:"yes" doc:"Object ID of the identity: of the service's own one, or of those whose tokens policies present."`
	AppIDs   []string `json:"appIds,omitempty" rule:"max=100" doc:"Applications whose tokens are taken; all when there are none."`
}

func authorizationAccessPolicies() *resource.Type {
	return resource.Define(resource.Spec[AuthorizationAccessPolicy]{
		Name: "accessPolicies", Title: "Access policy of an authorization", Doc: "An identity that may use an authorization.",
		Parents: []string{"authorizationProviders/authorizations"}, Verbs: resource.Create | resource.Read | resource.Delete | resource.List, NameMax: 256,
	})
}
