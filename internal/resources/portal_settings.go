package resources

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// The portal settings there are.
const (
	signinSettings     = "signin"
	signupSettings     = "signup"
	delegationSettings = "delegation"
)

// validationKeyBytes is the length of the key with which delegated requests are signed.
const validationKeyBytes = 64

// PortalSettings are the settings of one of signin, signup and delegation: each has some of the properties.
type PortalSettings struct {
	Enabled          *bool           `json:"enabled,omitempty" doc:"signin: visitors have to sign in. signup: visitors may make accounts."`
	TermsOfService   *TermsOfService `json:"termsOfService,omitempty" doc:"signup: terms that are shown."`
	URL              string          `json:"url,omitempty" rule:"max=2000" doc:"delegation: URL that signs people in and up instead of the portal."`
	ValidationKey    string          `json:"validationKey,omitempty" rule:"secret" doc:"delegation: key in base64 that signs requests to that URL; listSecrets answers it."`
	Subscriptions    *Delegated      `json:"subscriptions,omitempty" doc:"delegation: whether subscribing is delegated."`
	UserRegistration *Delegated      `json:"userRegistration,omitempty" doc:"delegation: whether signing up and in is delegated."`
}

// TermsOfService are shown to people who sign up.
type TermsOfService struct {
	Text            string `json:"text,omitempty" doc:"The terms."`
	Enabled         bool   `json:"enabled" doc:"Show them."`
	ConsentRequired bool   `json:"consentRequired" doc:"People have to consent."`
}

// Delegated says whether something is delegated.
type Delegated struct {
	Enabled bool `json:"enabled" doc:"It is delegated."`
}

// ValidationKeyContract is the answer of listSecrets.
type ValidationKeyContract struct {
	ValidationKey string `json:"validationKey"`
}

func portalSettings() *resource.Type {
	return resource.Define(resource.Spec[PortalSettings]{
		Name: "portalsettings", Title: "Portal settings", Doc: "Settings of the developer portal: signin, signup and delegation.",
		Parents: []string{""}, Names: []string{signinSettings, signupSettings, delegationSettings},
		Verbs: resource.Create | resource.Read | resource.Head | resource.Update | resource.List, PutOK: true, PatchEmpty: true,
		Initial: func(_ *resource.Reader, id arm.ID) (*PortalSettings, error) {
			p := new(PortalSettings)
			p.complete(id.Name())
			return p, nil
		},
		Default: func(_ *resource.Tx, _, d *resource.Doc[PortalSettings]) error {
			if d.Name() == delegationSettings && d.Props.ValidationKey == "" {
				d.Props.ValidationKey = newValidationKey()
			}
			return nil
		},
		Check: func(_ *resource.Tx, _, d *resource.Doc[PortalSettings]) error {
			d.Props.complete(d.Name())
			if _, err := base64.StdEncoding.DecodeString(d.Props.ValidationKey); err != nil {
				return arm.Invalid("validationKey", "validationKey must be base64.")
			}
			return nil
		},
		Actions: []resource.Action[PortalSettings]{{
			Name: "listSecrets", Method: http.MethodPost, Doc: "Answers the validation key of delegation.", Output: ValidationKeyContract{},
			Read: func(_ *resource.Reader, d *resource.Doc[PortalSettings], _ json.RawMessage) (any, error) {
				if d.Name() != delegationSettings {
					return nil, arm.Errorf(arm.CodeResourceNotFound, "%s has no secrets.", d.Name())
				}
				return ValidationKeyContract{d.Props.ValidationKey}, nil
			},
		}},
	})
}

func newValidationKey() string {
	var b [validationKeyBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// complete gives the settings of a name the properties that they have, and takes away those of the others.
func (p *PortalSettings) complete(name string) {
	s := PortalSettings{Enabled: p.Enabled}
	if s.Enabled == nil {
		// As API Management: everybody may look around, and everybody may sign up.
		on := name == signupSettings
		s.Enabled = &on
	}
	switch name {
	case signupSettings:
		if s.TermsOfService = p.TermsOfService; s.TermsOfService == nil {
			s.TermsOfService = new(TermsOfService)
		}
	case delegationSettings:
		s = PortalSettings{URL: p.URL, ValidationKey: p.ValidationKey, Subscriptions: p.Subscriptions, UserRegistration: p.UserRegistration}
		if s.Subscriptions == nil {
			s.Subscriptions = new(Delegated)
		}
		if s.UserRegistration == nil {
			s.UserRegistration = new(Delegated)
		}
	}
	*p = s
}
