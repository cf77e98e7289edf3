package resources

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// The kinds of direct access to a service.
const (
	directAccess = "access"
	gitAccess    = "gitAccess"
)

// accessKeyBytes is the length of the keys of direct access.
const accessKeyBytes = 64

// TenantAccess says whether tools reach the service with keys of its own instead of an identity.
type TenantAccess struct {
	ID           string `json:"id" rule:"readonly" doc:"access or gitAccess."`
	PrincipalID  string `json:"principalId,omitempty" rule:"max=100" doc:"User in whose name the keys act: integration or git."`
	Enabled      bool   `json:"enabled" doc:"The keys can be used."`
	PrimaryKey   string `json:"primaryKey,omitempty" rule:"secret" doc:"Key; listSecrets answers it."`
	SecondaryKey string `json:"secondaryKey,omitempty" rule:"secret" doc:"Key; listSecrets answers it."`
}

// TenantAccessSecrets is the answer of listSecrets.
type TenantAccessSecrets struct {
	ID           string `json:"id"`
	PrincipalID  string `json:"principalId"`
	PrimaryKey   string `json:"primaryKey"`
	SecondaryKey string `json:"secondaryKey"`
	Enabled      bool   `json:"enabled"`
}

func tenantAccess(env Env) *resource.Type {
	return resource.Define(resource.Spec[TenantAccess]{
		Name: "tenant", Title: "Tenant access", Doc: "Direct access to the management API (access) and to the Git repository (gitAccess).",
		Parents: []string{""}, Names: []string{directAccess, gitAccess, tenantConfiguration}, PutOK: true,
		Verbs: resource.Create | resource.Read | resource.Head | resource.Update | resource.List,
		Initial: func(_ *resource.Reader, id arm.ID) (*TenantAccess, error) {
			if id.Name() == tenantConfiguration {
				return nil, nil
			}
			return &TenantAccess{ID: id.Name(), PrincipalID: accessPrincipal(id.Name())}, nil
		},
		Acts: func(_ *resource.Reader, id arm.ID) (*TenantAccess, error) {
			if id.Name() != tenantConfiguration {
				return nil, nil
			}
			return new(TenantAccess), nil
		},
		Default: func(_ *resource.Tx, _, d *resource.Doc[TenantAccess]) error {
			if d.Name() == tenantConfiguration {
				return arm.NotFound(d.ID)
			}
			d.Props.fill(d.Name())
			return nil
		},
		Actions: append(configurationActions(env), []resource.Action[TenantAccess]{
			{
				Name: "listSecrets", Doc: "Answers the keys. The first call makes them.", Output: TenantAccessSecrets{},
				Write: func(x *resource.Tx, d *resource.Doc[TenantAccess], _ json.RawMessage) (any, error) {
					if d.Name() == tenantConfiguration {
						return nil, arm.NotFound(d.ID)
					}
					if d.Props.PrimaryKey == "" {
						d.Props.fill(d.Name())
						if err := resource.Save(x, d); err != nil {
							return nil, err
						}
					}
					p := d.Props
					return TenantAccessSecrets{p.ID, p.PrincipalID, p.PrimaryKey, p.SecondaryKey, p.Enabled}, nil
				},
			},
			regenerateAccessKey("regeneratePrimaryKey", func(p *TenantAccess) *string { return &p.PrimaryKey }),
			regenerateAccessKey("regenerateSecondaryKey", func(p *TenantAccess) *string { return &p.SecondaryKey }),
			regenerateAccessKey("git/regeneratePrimaryKey", func(p *TenantAccess) *string { return &p.PrimaryKey }),
			regenerateAccessKey("git/regenerateSecondaryKey", func(p *TenantAccess) *string { return &p.SecondaryKey }),
		}...),
	})
}

func regenerateAccessKey(name string, key func(p *TenantAccess) *string) resource.Action[TenantAccess] {
	return resource.Action[TenantAccess]{
		Name: name, Doc: "Makes a new key; the old one is void.",
		Write: func(x *resource.Tx, d *resource.Doc[TenantAccess], _ json.RawMessage) (any, error) {
			if d.Name() == tenantConfiguration {
				return nil, arm.NotFound(d.ID)
			}
			d.Props.fill(d.Name())
			*key(&d.Props) = newAccessKey()
			return nil, resource.Save(x, d)
		},
	}
}

// fill makes the keys that are missing.
func (p *TenantAccess) fill(name string) {
	p.ID = name
	if p.PrincipalID == "" {
		p.PrincipalID = accessPrincipal(name)
	}
	if p.PrimaryKey == "" {
		p.PrimaryKey = newAccessKey()
	}
	if p.SecondaryKey == "" {
		p.SecondaryKey = newAccessKey()
	}
}

func accessPrincipal(name string) string {
	if name == gitAccess {
		return "git"
	}
	return "integration"
}

func newAccessKey() string {
	var b [accessKeyBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// TenantSettings are settings of the service that anybody may know.
type TenantSettings struct {
	Settings map[string]string `json:"settings" rule:"readonly" doc:"Settings by name."`
}

func tenantSettings() *resource.Type {
	return resource.Define(resource.Spec[TenantSettings]{
		Name: "settings", Title: "Tenant settings", Doc: "Settings of the service that anybody may know.",
		Parents: []string{""}, Names: []string{"public"}, Verbs: resource.Read | resource.List,
		Initial: func(x *resource.Reader, id arm.ID) (*TenantSettings, error) {
			values := make(map[string]string)
			for _, name := range []string{signinSettings, signupSettings, delegationSettings} {
				p := new(PortalSettings)
				d, err := resource.Get[PortalSettings](x, id.Service().Child("portalsettings", name))
				if err == nil {
					p = &d.Props
				} else if !arm.IsNotFound(err) {
					return nil, err
				}
				p.public(name, values)
			}
			return &TenantSettings{values}, nil
		},
	})
}

// public adds what anybody may know of settings of the portal.
func (p *PortalSettings) public(name string, to map[string]string) {
	const prefix = "CustomPortalSettings."
	set := func(setting string, on bool) { to[prefix+setting] = strconv.FormatBool(on) }
	delegated := func(d *Delegated) bool { return d != nil && d.Enabled }
	switch name {
	case signinSettings:
		set("RequireUserSigninEnabled", p.Enabled != nil && *p.Enabled)
	case signupSettings:
		terms := TermsOfService{}
		if p.TermsOfService != nil {
			terms = *p.TermsOfService
		}
		to[prefix+"UserRegistrationTerms"] = terms.Text
		set("UserRegistrationTermsEnabled", terms.Enabled)
		set("UserRegistrationTermsConsentRequired", terms.ConsentRequired)
	case delegationSettings:
		to[prefix+"DelegationUrl"] = p.URL
		set("DelegationEnabled", delegated(p.UserRegistration))
		set("DelegatedSubscriptionEnabled", delegated(p.Subscriptions))
	}
}
