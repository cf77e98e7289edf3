package resources

import (
	"encoding/json"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// PortalConfig is the configuration of the developer portal.
type PortalConfig struct {
	EnableBasicAuth *bool             `json:"enableBasicAuth,omitempty" doc:"People may sign in with a password."`
	Signin          *PortalSignin     `json:"signin,omitempty" doc:"Signing in."`
	Signup          *PortalSignup     `json:"signup,omitempty" doc:"Signing up."`
	Delegation      *PortalDelegation `json:"delegation,omitempty" doc:"Pages that do signing up and subscribing instead of the portal."`
	CORS            *PortalCORS       `json:"cors,omitempty" doc:"Other origins that may call the portal."`
	CSP             *PortalCSP        `json:"csp,omitempty" doc:"Content Security Policy."`
}

// PortalSignin says who has to sign in.
type PortalSignin struct {
	Require bool `json:"require" doc:"Visitors have to sign in."`
}

// PortalSignup are the settings for new accounts.
type PortalSignup struct {
	TermsOfService *PortalTerms `json:"termsOfService,omitempty" doc:"Terms that are shown."`
}

// PortalTerms are shown to people who sign up.
type PortalTerms struct {
	Text           string `json:"text,omitempty" doc:"The terms."`
	RequireConsent bool   `json:"requireConsent" doc:"People have to consent."`
}

// PortalDelegation delegates signing up and subscribing to other pages.
type PortalDelegation struct {
	DelegateRegistration bool   `json:"delegateRegistration" doc:"Signing up and in."`
	DelegateSubscription bool   `json:"delegateSubscription" doc:"Subscribing to products."`
	DelegationURL        string `json:"delegationUrl,omitempty" rule:"max=2000" doc:"URL of the other pages."`
	ValidationKey        string `json:"validationKey,omitempty" rule:"secret" doc:"Key in base64 that signs requests to them."`
}

// PortalCORS are origins that may call the portal.
type PortalCORS struct {
	AllowedOrigins []string `json:"allowedOrigins" rule:"max=100" doc:"Origins, such as https://example.com."`
}

// PortalCSP is a Content Security Policy.
type PortalCSP struct {
	Mode           string   `json:"mode" rule:"enum=enabled|disabled|reportOnly,default=disabled" doc:"Whether it is sent."`
	ReportURI      []string `json:"reportUri,omitempty" rule:"max=20" doc:"URLs that are told about violations."`
	AllowedSources []string `json:"allowedSources,omitempty" rule:"max=100" doc:"Sources that are allowed."`
}

func portalConfigs() *resource.Type {
	return resource.Define(resource.Spec[PortalConfig]{
		Name: "portalconfigs", Title: "Portal configuration", Doc: "Configuration of the developer portal.",
		Parents: []string{""}, Names: []string{"default"}, PutOK: true,
		Verbs: resource.Create | resource.Read | resource.Head | resource.Update | resource.List,
		Initial: func(*resource.Reader, arm.ID) (*PortalConfig, error) {
			basic := true
			return &PortalConfig{
				EnableBasicAuth: &basic, Signin: new(PortalSignin), Signup: &PortalSignup{TermsOfService: new(PortalTerms)},
				Delegation: new(PortalDelegation), CORS: &PortalCORS{AllowedOrigins: []string{}}, CSP: &PortalCSP{Mode: "disabled"},
			}, nil
		},
	})
}

// PortalRevision is a state of the developer portal's content that was published.
type PortalRevision struct {
	Description       string     `json:"description,omitempty" rule:"max=2000" filter:"yes" doc:"What is new."`
	IsCurrent         bool       `json:"isCurrent" filter:"yes" doc:"Visitors see this revision. Only one is current."`
	Status            string     `json:"status,omitempty" rule:"readonly" filter:"yes" doc:"completed once the portal shows it."`
	StatusDetails     string     `json:"statusDetails,omitempty" rule:"readonly"`
	CreatedDateTime   *time.Time `json:"createdDateTime,omitempty" rule:"readonly" doc:"When it was made."`
	UpdatedDateTime   *time.Time `json:"updatedDateTime,omitempty" rule:"readonly" doc:"When it was changed."`
	ProvisioningState string     `json:"provisioningState,omitempty" rule:"readonly" doc:"Succeeded."`
}

func portalRevisions() *resource.Type {
	return resource.Define(resource.Spec[PortalRevision]{
		Name: "portalRevisions", Title: "Portal revision", Doc: "A published state of the developer portal's content.",
		Parents: []string{""}, Verbs: resource.CRUDL &^ resource.Delete, NameMax: 256,
		Default: func(x *resource.Tx, old, d *resource.Doc[PortalRevision]) error {
			now := x.Now
			if old == nil {
				d.Props.CreatedDateTime = &now
			}
			d.Props.UpdatedDateTime, d.Props.Status, d.Props.ProvisioningState = &now, "completed", "Succeeded"
			return nil
		},
		After: retireRevisions,
	})
}

// retireRevisions makes the others past ones when a portal revision becomes the current one.
func retireRevisions(x *resource.Tx, _, d *resource.Doc[PortalRevision]) error {
	if !d.Props.IsCurrent {
		return nil
	}
	var past []*resource.Doc[PortalRevision]
	for other, err := range resource.All[PortalRevision](&x.Reader, d.ID.Parent(), "portalRevisions") {
		if err != nil {
			return err
		}
		if other.Props.IsCurrent && !other.ID.Equal(d.ID) {
			other.Props.IsCurrent = false
			past = append(past, other)
		}
	}
	return resource.SaveAll(x, past)
}

// ContentType describes items of the portal's content, such as pages.
type ContentType struct {
	ID          string          `json:"id,omitempty" rule:"max=250" doc:"Identifier: the resource's name."`
	Name        string          `json:"name,omitempty" rule:"max=250" doc:"Name that people see."`
	Description string          `json:"description,omitempty" rule:"max=2000" doc:"What its items are."`
	Schema      json.RawMessage `json:"schema,omitempty" doc:"JSON schema of its items."`
	Version     string          `json:"version,omitempty" rule:"max=100" doc:"Version of the schema."`
}

func contentTypes() *resource.Type {
	return resource.Define(resource.Spec[ContentType]{
		Name: "contentTypes", Title: "Content type", Doc: "Describes items of the developer portal's content.",
		Parents: []string{""}, Verbs: resource.CRDL &^ resource.Head, NameMax: 256, EmptyBody: true,
		Default: func(_ *resource.Tx, _, d *resource.Doc[ContentType]) error {
			if d.Props.ID == "" {
				d.Props.ID = d.Name()
			}
			return nil
		},
	})
}

// ContentItem is a piece of the portal's content; its properties are what its content type says.
type ContentItem struct {
	Properties json.RawMessage `json:"properties" doc:"What the content type describes."`
}

func contentItems() *resource.Type {
	return resource.Define(resource.Spec[ContentItem]{
		Name: "contentItems", Title: "Content item", Doc: "A piece of the developer portal's content, such as a page.",
		Parents: []string{"contentTypes"}, Verbs: resource.CRDL, NameMax: 256, TopLevel: true, EmptyBody: true,
		Default: func(_ *resource.Tx, _, d *resource.Doc[ContentItem]) error {
			if len(d.Props.Properties) == 0 { // the oldest clients send no body
				d.Props.Properties = json.RawMessage("{}")
			}
			return nil
		},
		Check: func(_ *resource.Tx, _, d *resource.Doc[ContentItem]) error {
			var members map[string]json.RawMessage
			if json.Unmarshal(d.Props.Properties, &members) != nil {
				return arm.Invalid("properties", "properties must be an object.")
			}
			return nil
		},
	})
}
