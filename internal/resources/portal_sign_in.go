package resources

import (
	"encoding/json"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// AuthorizationServer is an OAuth 2.0 server at which the portal's test console gets tokens for APIs.
type AuthorizationServer struct {
	DisplayName                string               `json:"displayName" rule:"required,max=50" filter:"yes" doc:"Name that people see."`
	Description                string               `json:"description,omitempty" filter:"yes" doc:"What it is; may hold HTML."`
	AuthorizationEndpoint      string               `json:"authorizationEndpoint" rule:"required,url" doc:"URL where users give their consent."`
	AuthorizationMethods       []string             `json:"authorizationMethods,omitempty" rule:"enum=HEAD|OPTIONS|TRACE|GET|POST|PUT|PATCH|DELETE" doc:"HTTP methods of that URL; GET is always one."`
	TokenEndpoint              string               `json:"tokenEndpoint,omitempty" rule:"url" doc:"URL where tokens are got."`
	ClientRegistrationEndpoint string               `json:"clientRegistrationEndpoint" rule:"required" doc:"URL where clients are registered."`
	ClientAuthenticationMethod []string             `json:"clientAuthenticationMethod,omitempty" rule:"enum=Basic|Body" doc:"How a client authenticates at the token endpoint."`
	TokenBodyParameters        []TokenBodyParameter `json:"tokenBodyParameters,omitempty" rule:"max=50" doc:"What is sent to the token endpoint besides."`
	SupportState               bool                 `json:"supportState" doc:"The server gives the state parameter back."`
	DefaultScope               string               `json:"defaultScope,omitempty" doc:"Scopes to ask for, with blanks between them."`
	GrantTypes                 []string             `json:"grantTypes" rule:"required,enum=authorizationCode|implicit|resourceOwnerPassword|clientCredentials|authorizationCodeWithPkce" doc:"Ways to get a token."`
	BearerTokenSendingMethods  []string             `json:"bearerTokenSendingMethods,omitempty" rule:"enum=authorizationHeader|query" doc:"How a token is sent to an API."`
	ClientID                   string               `json:"clientId" rule:"required" doc:"The test console's client ID."`
	ClientSecret               string               `json:"clientSecret,omitempty" rule:"secret" doc:"The test console's secret; listSecrets answers it."`
	ResourceOwnerUsername      string               `json:"resourceOwnerUsername,omitempty" rule:"secret" doc:"User name for the resource owner password grant."`
	ResourceOwnerPassword      string               `json:"resourceOwnerPassword,omitempty" rule:"secret" doc:"Password for it."`
	UseInTestConsole           *bool                `json:"useInTestConsole,omitempty" doc:"The test console may use it; true by default."`
	UseInAPIDocumentation      *bool                `json:"useInApiDocumentation,omitempty" doc:"The documentation of APIs names it."`
}

// TokenBodyParameter is sent to a token endpoint.
type TokenBodyParameter struct {
	Name  string `json:"name" rule:"required"`
	Value string `json:"value" rule:"required"`
}

// AuthorizationServerSecrets is the answer of listSecrets.
type AuthorizationServerSecrets struct {
	ClientSecret          string `json:"clientSecret,omitempty"`
	ResourceOwnerUsername string `json:"resourceOwnerUsername,omitempty"`
	ResourceOwnerPassword string `json:"resourceOwnerPassword,omitempty"`
}

func authorizationServers() *resource.Type {
	return resource.Define(resource.Spec[AuthorizationServer]{
		Name: "authorizationServers", Title: "Authorization server", Doc: "An OAuth 2.0 server at which the test console of the portal gets tokens.",
		Parents: []string{""}, Verbs: resource.CRUDL,
		Check: func(_ *resource.Tx, _, d *resource.Doc[AuthorizationServer]) error {
			s := d.Props
			for _, g := range s.GrantTypes {
				if g != "implicit" && s.TokenEndpoint == "" {
					return arm.Invalid("tokenEndpoint", "The grant type %s needs a tokenEndpoint.", g)
				}
			}
			return nil
		},
		Actions: []resource.Action[AuthorizationServer]{{
			Name: "listSecrets", Doc: "Answers the secrets of the server.", Output: AuthorizationServerSecrets{},
			Read: func(_ *resource.Reader, d *resource.Doc[AuthorizationServer], _ json.RawMessage) (any, error) {
				return AuthorizationServerSecrets{d.Props.ClientSecret, d.Props.ResourceOwnerUsername, d.Props.ResourceOwnerPassword}, nil
			},
		}},
	})
}

// ClientSecretContract is the answer of listSecrets of providers.
type ClientSecretContract struct {
	ClientSecret string `json:"clientSecret,omitempty"`
}

// OpenIDProvider is an OpenID Connect provider at which the test console gets tokens.
type OpenIDProvider struct {
	DisplayName           string `json:"displayName" rule:"required,max=50" filter:"yes" doc:"Name that people see."`
	Description           string `json:"description,omitempty" filter:"yes" doc:"What it is."`
	MetadataEndpoint      string `json:"metadataEndpoint" rule:"required,url" doc:"URL of the provider's configuration."`
	ClientID              string `json:"clientId" rule:"required" doc:"The test console's client ID."`
	ClientSecret          string `json:"clientSecret,omitempty" rule:"secret" doc:"The test console's secret; listSecrets answers it."`
	UseInTestConsole      *bool  `json:"useInTestConsole,omitempty" doc:"The test console may use it; true by default."`
	UseInAPIDocumentation *bool  `json:"useInApiDocumentation,omitempty" doc:"The documentation of APIs names it."`
}

func openIDProviders() *resource.Type {
	return resource.Define(resource.Spec[OpenIDProvider]{
		Name: "openidConnectProviders", Title: "OpenID Connect provider", Doc: "A provider at which the test console of the portal gets tokens.",
		Parents: []string{""}, Verbs: resource.CRUDL, NameMax: 256,
		Actions: []resource.Action[OpenIDProvider]{{
			Name: "listSecrets", Doc: "Answers the client secret.", Output: ClientSecretContract{},
			Read: func(_ *resource.Reader, d *resource.Doc[OpenIDProvider], _ json.RawMessage) (any, error) {
				return ClientSecretContract{d.Props.ClientSecret}, nil
			},
		}},
	})
}

// IdentityProvider is where users of the developer portal may sign in.
type IdentityProvider struct {
	Type                     string   `json:"type,omitempty" rule:"enum=facebook|google|microsoft|twitter|aad|aadB2C" doc:"Kind of provider: the resource's name."`
	ClientID                 string   `json:"clientId" rule:"required" doc:"The portal's client ID."`
	ClientSecret             string   `json:"clientSecret,omitempty" rule:"secret" doc:"The portal's secret; listSecrets answers it."`
	ClientLibrary            string   `json:"clientLibrary,omitempty" rule:"max=16" doc:"Library in the portal: ADAL or MSAL-2."`
	Authority                string   `json:"authority,omitempty" doc:"Host of the sign-in service, for aad and aadB2C."`
	SigninTenant             string   `json:"signinTenant,omitempty" doc:"Tenant to sign in to, for aad and aadB2C."`
	AllowedTenants           []string `json:"allowedTenants,omitempty" rule:"max=32" doc:"Tenants whose users are let in, for aad and aadB2C."`
	SignupPolicyName         string   `json:"signupPolicyName,omitempty" doc:"Policy for signing up, for aadB2C."`
	SigninPolicyName         string   `json:"signinPolicyName,omitempty" doc:"Policy for signing in, for aadB2C."`
	ProfileEditingPolicyName string   `json:"profileEditingPolicyName,omitempty" doc:"Policy for editing profiles, for aadB2C."`
	PasswordResetPolicyName  string   `json:"passwordResetPolicyName,omitempty" doc:"Policy for resetting passwords, for aadB2C."`
}

func identityProviders() *resource.Type {
	return resource.Define(resource.Spec[IdentityProvider]{
		Name: "identityProviders", Title: "Identity provider", Doc: "Where users of the developer portal may sign in.",
		Parents: []string{""}, Names: []string{"facebook", "google", "microsoft", "twitter", "aad", "aadB2C"}, Verbs: resource.CRUDL,
		Default: func(_ *resource.Tx, _, d *resource.Doc[IdentityProvider]) error {
			if d.Props.Type == "" {
				d.Props.Type = d.Name()
			}
			return nil
		},
		Check: func(_ *resource.Tx, old, d *resource.Doc[IdentityProvider]) error {
			p := d.Props
			switch {
			case p.Type != d.Name():
				return arm.Invalid("type", "type must be the name of the resource, %s.", d.Name())
			case old == nil && p.ClientSecret == "":
				return arm.Invalid("clientSecret", "clientSecret is required.")
			case p.Type == "aadB2C" && (p.SigninPolicyName == "" || p.SignupPolicyName == ""):
				return arm.Invalid("signinPolicyName", "aadB2C needs signinPolicyName and signupPolicyName.")
			}
			return nil
		},
		Actions: []resource.Action[IdentityProvider]{{
			Name: "listSecrets", Doc: "Answers the client secret.", Output: ClientSecretContract{},
			Read: func(_ *resource.Reader, d *resource.Doc[IdentityProvider], _ json.RawMessage) (any, error) {
				return ClientSecretContract{d.Props.ClientSecret}, nil
			},
		}},
	})
}
