package resources

import (
	"maps"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
)

// AuthorizationProvider is an authorization server at which the credential manager gets tokens.
type AuthorizationProvider struct {
	DisplayName      string          `json:"displayName,omitempty" rule:"max=300" filter:"yes" doc:"Name that people see."`
	IdentityProvider string          `json:"identityProvider" rule:"required,max=80" filter:"yes" doc:"oauth2, oauth2pkce, or a server whose addresses are known: aad, google, github …"`
	OAuth2           *OAuth2Settings `json:"oauth2,omitempty" rule:"required" doc:"Application at the server."`
}

// OAuth2Settings are the settings of the application by the ways to get tokens.
type OAuth2Settings struct {
	RedirectURL string            `json:"redirectUrl,omitempty" rule:"max=2000,url" doc:"URL that the server sends users back to; the management plane's own one unless given."`
	GrantTypes  *OAuth2GrantTypes `json:"grantTypes,omitempty" rule:"required" doc:"Settings by grant type."`
}

// OAuth2GrantTypes are settings by name: clientId, clientSecret, scopes, authorizationUrl, tokenUrl, refreshUrl, loginUri, resourceUri, tenantId.
type OAuth2GrantTypes struct {
	AuthorizationCode map[string]string `json:"authorizationCode,omitempty" rule:"secret" doc:"For users who give consent. The secret is not answered."`
	ClientCredentials map[string]string `json:"clientCredentials,omitempty" rule:"secret" doc:"For the application itself. The secret is not answered."`
}

const (
	clientSecret = "clientSecret"
	// redirectPath is where authorization servers send users back to.
	redirectPath = "/authorizations/redirect"
	maxSetting   = 4096
	maxSettings  = 50
)

func authorizationProviders(env Env) *resource.Type {
	return resource.Define(resource.Spec[AuthorizationProvider]{
		Name: "authorizationProviders", Title: "Authorization provider", Doc: "An authorization server of the credential manager.",
		Parents: []string{""}, Verbs: resource.Create | resource.Read | resource.Delete | resource.List, NameMax: 256,
		Check: func(_ *resource.Tx, old, d *resource.Doc[AuthorizationProvider]) error {
			return checkProvider(env, old, d)
		},
		View: func(_ *resource.Reader, d *resource.Doc[AuthorizationProvider]) (any, error) {
			v := d.Props
			settings := *v.OAuth2
			settings.GrantTypes = &OAuth2GrantTypes{
				AuthorizationCode: withoutSecret(v.OAuth2.GrantTypes.AuthorizationCode), ClientCredentials: withoutSecret(v.OAuth2.GrantTypes.ClientCredentials),
			}
			v.OAuth2 = &settings
			return v, nil
		},
	})
}

// withoutSecret leaves the application's secret out.
func withoutSecret(settings map[string]string) map[string]string {
	if settings == nil {
		return nil
	}
	out := maps.Clone(settings)
	delete(out, clientSecret)
	return out
}

// keepSecret takes the secret over where the caller, who cannot read it, left it out.
func keepSecret(old, settings map[string]string) {
	if _, given := settings[clientSecret]; !given && settings != nil && old[clientSecret] != "" {
		settings[clientSecret] = old[clientSecret]
	}
}

func checkProvider(env Env, old, d *resource.Doc[AuthorizationProvider]) error {
	settings := d.Props.OAuth2
	grants := settings.GrantTypes
	if grants.AuthorizationCode == nil && grants.ClientCredentials == nil {
		return arm.Invalid("oauth2.grantTypes", "authorizationCode or clientCredentials is required.")
	}
	if old != nil && old.Props.OAuth2 != nil && old.Props.OAuth2.GrantTypes != nil {
		keepSecret(old.Props.OAuth2.GrantTypes.AuthorizationCode, grants.AuthorizationCode)
		keepSecret(old.Props.OAuth2.GrantTypes.ClientCredentials, grants.ClientCredentials)
	}
	for name, list := range map[string]map[string]string{"authorizationCode": grants.AuthorizationCode, "clientCredentials": grants.ClientCredentials} {
		if err := checkSettings("oauth2.grantTypes."+name, list); err != nil {
			return err
		}
	}
	if _, ok := oauth2Server(d.Props.IdentityProvider, nil); !ok {
		return arm.Invalid("identityProvider", "%s is not known. Use oauth2 with authorizationUrl and tokenUrl, or one of %s.",
			d.Props.IdentityProvider, strings.Join(slices.Sorted(maps.Keys(oauth2Servers())), ", "))
	}
	if name := strings.ToLower(d.Props.IdentityProvider); name == "aad" || name == "aadv2" {
		for _, c := range []map[string]string{grants.AuthorizationCode, grants.ClientCredentials} {
			if c != nil { // as Azure answers them
				c["loginUri"], c["tenantId"] = first(c["loginUri"], auth.DefaultAuthority), first(c["tenantId"], "common")
			}
		}
	}
	if c := grants.AuthorizationCode; c != nil {
		if s := oauth2Client(d.Props.IdentityProvider, c); s.AuthorizationURL == "" || s.TokenURL == "" {
			return arm.Invalid("oauth2.grantTypes.authorizationCode", "authorizationUrl and tokenUrl are required.")
		}
	}
	if c := grants.ClientCredentials; c != nil && oauth2Client(d.Props.IdentityProvider, c).TokenURL == "" {
		return arm.Invalid("oauth2.grantTypes.clientCredentials", "tokenUrl is required.")
	}
	if settings.RedirectURL == "" && env.ManagementURL != nil {
		if base := env.ManagementURL(d.ID.Service().Name()); base != "" {
			settings.RedirectURL = base + redirectPath
		}
	}
	return nil
}

// checkSettings bounds settings, which have names of their own for each server.
func checkSettings(target string, settings map[string]string) error {
	if len(settings) > maxSettings {
		return arm.Invalid(target, "There are more than %d settings.", maxSettings)
	}
	for name, value := range settings {
		if len(name) > 256 || len(value) > maxSetting {
			return arm.Invalid(target, "The setting %.80s is too long.", name)
		}
	}
	return nil
}

// oauth2Addresses are where a server asks for consent and gives tokens.
type oauth2Addresses struct{ authorization, token string }

// oauth2Servers are the servers whose addresses are known, from their documentation.
func oauth2Servers() map[string]oauth2Addresses {
	return map[string]oauth2Addresses{
		"aad":        {"{loginUri}/{tenantId}/oauth2/authorize", "{loginUri}/{tenantId}/oauth2/token"},
		"aadv2":      {"{loginUri}/{tenantId}/oauth2/v2.0/authorize", "{loginUri}/{tenantId}/oauth2/v2.0/token"},
		"box":        {"https://account.box.com/api/oauth2/authorize", "https://api.box.com/oauth2/token"},
		"dropbox":    {"https://www.dropbox.com/oauth2/authorize", "https://api.dropboxapi.com/oauth2/token"},
		"facebook":   {"https://www.facebook.com/dialog/oauth", "https://graph.facebook.com/oauth/access_token"},
		"github":     {"https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token"},
		"google":     {"https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token"},
		"linkedin":   {"https://www.linkedin.com/oauth/v2/authorization", "https://www.linkedin.com/oauth/v2/accessToken"},
		"oauth2":     {"{authorizationUrl}", "{tokenUrl}"},
		"oauth2pkce": {"{authorizationUrl}", "{tokenUrl}"},
		"salesforce": {"https://login.salesforce.com/services/oauth2/authorize", "https://login.salesforce.com/services/oauth2/token"},
		"slack":      {"https://slack.com/oauth/v2/authorize", "https://slack.com/api/oauth.v2.access"},
		"spotify":    {"https://accounts.spotify.com/authorize", "https://accounts.spotify.com/api/token"},
	}
}

// oauth2Server fills settings into the addresses of a server.
func oauth2Server(provider string, settings map[string]string) (a oauth2Addresses, ok bool) {
	a, ok = oauth2Servers()[strings.ToLower(provider)]
	value := func(name, normal string) string {
		if v := strings.TrimSpace(settings[name]); v != "" {
			return v
		}
		return normal
	}
	fill := strings.NewReplacer(
		"{loginUri}", strings.TrimSuffix(value("loginUri", auth.DefaultAuthority), "/"), "{tenantId}", value("tenantId", "common"),
		"{authorizationUrl}", value("authorizationUrl", ""), "{tokenUrl}", value("tokenUrl", ""),
	)
	return oauth2Addresses{fill.Replace(a.authorization), fill.Replace(a.token)}, ok
}

// oauth2Client is an application at a server; later settings go before earlier ones.
func oauth2Client(provider string, settings ...map[string]string) *auth.OAuth2 {
	all := make(map[string]string)
	for _, s := range settings {
		maps.Copy(all, s)
	}
	a, _ := oauth2Server(provider, all)
	c := &auth.OAuth2{
		AuthorizationURL: a.authorization, TokenURL: a.token, RefreshURL: all["refreshUrl"],
		ClientID: all["clientId"], ClientSecret: all[clientSecret], Scopes: all["scopes"], Resource: all["resourceUri"],
	}
	if strings.EqualFold(provider, "aadv2") && c.Scopes == "" && c.Resource != "" {
		c.Scopes, c.Resource = strings.TrimSuffix(c.Resource, "/")+"/.default", ""
	}
	return c
}
