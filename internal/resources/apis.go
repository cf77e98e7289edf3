package resources

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

const (
	// pathIndex finds APIs by their lower-case path.
	pathIndex = "path"
	// revisionIndex finds the revisions of an API by the lower-case path of the API without revision.
	revisionIndex = "revision"
	// apiBodyMax bounds a request that brings an API description.
	apiBodyMax = 64 << 20
	// maxPathBytes keeps paths within what can be indexed.
	maxPathBytes = 400
)

// The names under which subscription keys are sent unless an API says otherwise.
const (
	defaultKeyHeader = "Ocp-Apim-Subscription-Key"
	defaultKeyQuery  = "subscription-key"
)

// API is one revision of an API. The current revision is stored under the API's name, others under NAME;rev=N.
type API struct {
	DisplayName            string                 `json:"displayName" rule:"max=300" filter:"yes" doc:"Name that people see. By default that of the imported description, or the resource's name."`
	APIRevision            string                 `json:"apiRevision" rule:"max=100" filter:"yes" doc:"Number of the revision. By default that of the resource's name, or 1."`
	Description            string                 `json:"description,omitempty" filter:"yes" doc:"Description; may hold HTML."`
	SubscriptionRequired   *bool                  `json:"subscriptionRequired" doc:"Calls need a subscription key; true by default."`
	ServiceURL             string                 `json:"serviceUrl,omitempty" rule:"max=2000" filter:"yes" doc:"URL of the backend service. May hold named values."`
	Path                   *string                `json:"path" rule:"required,max=400" filter:"yes" doc:"Path of the API below the gateway's URL; empty for the root."`
	Protocols              []string               `json:"protocols" rule:"enum=http|https|ws|wss" doc:"Protocols on which the API is served; https by default."`
	AuthenticationSettings AuthenticationSettings `json:"authenticationSettings" doc:"How developers get tokens; shown in the portal."`
	SubscriptionKeyNames   *KeyNames              `json:"subscriptionKeyParameterNames,omitempty" doc:"Where the subscription key is looked for."`
	Type                   string                 `json:"type,omitempty" rule:"enum=http|soap|websocket|graphql|odata|grpc" filter:"yes" doc:"Kind of API; http by default."`
	IsCurrent              bool                   `json:"isCurrent" rule:"readonly" filter:"yes" doc:"This revision is served under the API's plain path. A release changes it."`
	ProvisioningState      string                 `json:"provisioningState,omitempty" rule:"readonly" doc:"Succeeded."`
	IsOnline               bool                   `json:"isOnline" rule:"readonly" doc:"The revision can be called."`
	RevisionDescription    string                 `json:"apiRevisionDescription,omitempty" rule:"max=256" doc:"What is new in this revision."`
	APIVersion             string                 `json:"apiVersion,omitempty" rule:"max=100" filter:"yes" doc:"Name of the version; needs a version set."`
	VersionDescription     string                 `json:"apiVersionDescription,omitempty" rule:"max=256" doc:"What is new in this version."`
	VersionSetID           string                 `json:"apiVersionSetId,omitempty" rule:"ref=apiVersionSets" filter:"yes" doc:"Version set that the API belongs to."`
	VersionSet             *VersionSetDetails     `json:"apiVersionSet,omitempty" doc:"The version set; without id one is made. Answered when the API has one."`
	TermsOfServiceURL      string                 `json:"termsOfServiceUrl,omitempty" doc:"URL of the terms of service."`
	Contact                *Contact               `json:"contact,omitempty" doc:"Who is responsible."`
	License                *License               `json:"license,omitempty" doc:"License of the API."`
	APIType                string                 `json:"apiType,omitempty" rule:"writeonly,enum=http|soap|websocket|graphql|odata|grpc" doc:"Kind of API to make; the same as type."`
	Format                 string                 `json:"format,omitempty" rule:"writeonly,enum=openapi|openapi+json|openapi-link|openapi+json-link|swagger-json|swagger-link-json|swagger-link|wadl-xml|wadl-link-json|wsdl|wsdl-link|graphql|graphql-link|odata|odata-link|grpc|grpc-link" doc:"Format of the description to import."`
	Value                  string                 `json:"value,omitempty" rule:"writeonly" doc:"Description to import: its text or, with a -link format, where it is."`
	RequiredQuery          string                 `json:"translateRequiredQueryParameters,omitempty" rule:"writeonly,enum=template|query" doc:"Whether an import makes required query parameters part of the URL template. By default it does not."`
	WSDLSelector           *WSDLSelector          `json:"wsdlSelector,omitempty" rule:"writeonly" doc:"Part of a WSDL description to import."`
	SourceAPIID            string                 `json:"sourceApiId,omitempty" rule:"writeonly" doc:"API or revision to copy, when the resource is created."`
	// DefinitionFormat is the format of the description that was imported last. Its bytes are the blob definitionBlob.
	DefinitionFormat string `json:"definitionFormat,omitempty" rule:"readonly" doc:"Format of the description that was imported last. Kept, not answered."`

	imported *importer.Result
}

// AuthenticationSettings name the authorization servers and OpenID providers of an API.
type AuthenticationSettings struct {
	OAuth2     *OAuth2Setting  `json:"oAuth2"`
	OpenID     *OpenIDSetting  `json:"openid"`
	OAuth2List []OAuth2Setting `json:"oAuth2AuthenticationSettings,omitempty"`
	OpenIDList []OpenIDSetting `json:"openidAuthenticationSettings,omitempty"`
}

// OAuth2Setting is an authorization server of an API.
type OAuth2Setting struct {
	AuthorizationServerID string `json:"authorizationServerId,omitempty" doc:"Name of the authorization server."`
	Scope                 string `json:"scope,omitempty" doc:"Scope to ask for."`
}

// OpenIDSetting is an OpenID Connect provider of an API.
type OpenIDSetting struct {
	ProviderID                string   `json:"openidProviderId,omitempty" doc:"Name of the provider."`
	BearerTokenSendingMethods []string `json:"bearerTokenSendingMethods,omitempty" rule:"enum=authorizationHeader|query" doc:"How the token is sent."`
}

// KeyNames are the names of the header and of the query parameter that hold a subscription key.
type KeyNames struct {
	Header string `json:"header,omitempty" doc:"Name of the header."`
	Query  string `json:"query,omitempty" doc:"Name of the query parameter."`
}

// Contact says who is responsible for an API.
type Contact struct {
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
	Email string `json:"email,omitempty"`
}

// License is the license of an API.
type License struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
}

// WSDLSelector chooses a service and an endpoint of a WSDL description.
type WSDLSelector struct {
	Service  string `json:"wsdlServiceName,omitempty"`
	Endpoint string `json:"wsdlEndpointName,omitempty"`
}

func apis(env Env) *resource.Type {
	return resource.Define(resource.Spec[API]{
		Name: "apis", Title: "API", Doc: "A revision of an API: what is published under a path of the gateway.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL, MaxBody: apiBodyMax, DeleteEmpty: true,
		NamePattern: `[^*#&+:<>?\\/;]+(;(?i:rev)=[A-Za-z0-9._-]{1,100})?`, NameMax: 256,
		Alias: func(x *resource.Reader, id arm.ID) (arm.ID, error) { return revisionID(x, id) },
		Prepare: func(ctx context.Context, _ *resource.Request, old, d *resource.Doc[API]) error {
			oldType := ""
			if old != nil {
				oldType = old.Props.Type
			}
			return d.Props.readDescription(ctx, env, oldType)
		},
		Default: completeAPI,
		Check:   checkAPI,
		After:   env.afterAPI,
		Delete:  releaseAPI,
		View:    viewAPI,
		Keep:    taggedWith[API], KeepParams: []string{"tags"},
		Indexes: func(d *resource.Doc[API]) []resource.Index {
			return []resource.Index{
				{Name: pathIndex, Value: strings.ToLower(*d.Props.Path)},
				{Name: revisionIndex, Value: revisionsKey(d.ID)},
			}
		},
		Actions: apiActions(),
		Publish: publishAPI,
	})
}

// completeAPI fills what the caller left out: from the description that is being imported, from the API that is being
// copied, and from the defaults of API Management.
func completeAPI(x *resource.Tx, old, d *resource.Doc[API]) error {
	p := &d.Props
	if err := setRevision(x, old, d); err != nil {
		return err
	}
	if !p.IsCurrent {
		if err := p.fillShared(&x.Reader, d.ID); err != nil {
			return err
		}
	}
	p.fillFromImport()
	if old == nil && p.SourceAPIID != "" {
		if err := p.fillFromSource(x); err != nil {
			return err
		}
	}
	if p.Type == "" {
		p.Type = p.APIType
	}
	if p.Type == "" {
		p.Type = "http"
	}
	base, _ := arm.SplitRevision(d.Name())
	p.DisplayName = first(p.DisplayName, base)
	if p.Path != nil {
		trimmed := strings.Trim(*p.Path, "/")
		p.Path = &trimmed
	}
	if len(p.Protocols) == 0 {
		p.Protocols = []string{"https"}
		if p.Type == typeWebSocket {
			p.Protocols = []string{"wss"}
		}
	}
	if p.SubscriptionRequired == nil {
		required := true
		p.SubscriptionRequired = &required
	}
	if p.SubscriptionKeyNames == nil {
		p.SubscriptionKeyNames = &KeyNames{}
	}
	k := p.SubscriptionKeyNames
	k.Header, k.Query = first(k.Header, defaultKeyHeader), first(k.Query, defaultKeyQuery)
	p.IsOnline = true
	return p.joinVersionSet(x, d.ID)
}

// setRevision decides the number of a revision and whether it is the current one. Both stay as they are from then on:
// only a release changes them.
func setRevision(x *resource.Tx, old, d *resource.Doc[API]) error {
	p := &d.Props
	number := ""
	if old != nil {
		number = old.Props.APIRevision
	} else {
		// The request's name tells, not the one under which the API is stored.
		_, number = arm.SplitRevision(x.ID.Name())
		_, own := arm.SplitRevision(d.Name())
		p.IsCurrent = own == ""
	}
	switch {
	case number == "":
		p.APIRevision = first(p.APIRevision, "1")
	case p.APIRevision != "" && p.APIRevision != number:
		return arm.Invalid("apiRevision", "apiRevision must be %s. Another revision is made under the name %s and becomes current by a release.",
			number, arm.WithRevision("NAME", "N"))
	default:
		p.APIRevision = number
	}
	return nil
}

func checkAPI(x *resource.Tx, old, d *resource.Doc[API]) error {
	p := &d.Props
	var before AuthenticationSettings
	if old != nil {
		before = old.Props.AuthenticationSettings
	}
	p.AuthenticationSettings.unify(before)
	if strings.ContainsAny(*p.Path, "?#*{}<>%&\\ \t\r\n") || strings.Contains(*p.Path, "//") {
		return arm.Invalid("path", "The path %q holds characters that a path of an API cannot have.", *p.Path)
	}
	if len(*p.Path) > maxPathBytes {
		return arm.Invalid("path", "The path must not be longer than %d bytes.", maxPathBytes)
	}
	if err := checkServiceURL(p.ServiceURL); err != nil {
		return err
	}
	if p.APIVersion != "" && p.VersionSetID == "" {
		return arm.Invalid("apiVersion", "apiVersion needs apiVersionSetId or apiVersionSet.")
	}
	if !p.IsCurrent {
		return p.checkShared(&x.Reader, d.ID)
	}
	return checkUniquePath(x, d)
}

func checkServiceURL(s string) error {
	if s == "" || strings.Contains(s, "{{") { // a named value may be any part of it
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "ws", "wss", "grpc", "grpcs"}, strings.ToLower(u.Scheme)) {
		return arm.Invalid("serviceUrl", "serviceUrl must be an absolute http, https, ws or wss URL.")
	}
	return nil
}

// checkUniquePath lets APIs share a path only as different versions of one version set.
func checkUniquePath(x *resource.Tx, d *resource.Doc[API]) error {
	keys, err := x.Lookup(pathIndex, strings.ToLower(*d.Props.Path))
	if err != nil {
		return err
	}
	base, _ := arm.SplitRevision(d.ID.Key())
	for _, key := range keys {
		if other, _ := arm.SplitRevision(key); other == base {
			continue
		}
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		other, err := resource.Get[API](&x.Reader, id)
		if err != nil {
			return err
		}
		set := d.Props.VersionSetID
		switch {
		case set == "" || !strings.EqualFold(set, other.Props.VersionSetID):
			return arm.Invalid("path", "The path %q is already used by the API %q.", *d.Props.Path, other.Name())
		case strings.EqualFold(d.Props.APIVersion, other.Props.APIVersion):
			return arm.Invalid("apiVersion", "The version %q of the path %q is already the API %q.", d.Props.APIVersion, *d.Props.Path, other.Name())
		}
	}
	return nil
}

// afterAPI writes what belongs to an API: the operations of an imported description or of the API that is copied.
func (e Env) afterAPI(x *resource.Tx, old, d *resource.Doc[API]) error {
	if old == nil && d.Props.SourceAPIID != "" {
		if err := copyAPI(x, d); err != nil {
			return err
		}
	}
	if old != nil && d.Props.IsCurrent {
		if err := spreadShared(x, d); err != nil {
			return err
		}
	}
	if err := saveHandshake(x, d); err != nil {
		return err
	}
	if d.Props.imported == nil {
		return nil
	}
	return e.saveImport(x, d)
}

// revisionsKey is the value of revisionIndex of all revisions of an API. APIs of one name in several workspaces have
// several.
func revisionsKey(id arm.ID) string {
	base, _ := arm.SplitRevision(id.Rel())
	return base
}

// releaseAPI refuses to delete the current revision alone, and deletes the subscriptions to the API with its last one.
func releaseAPI(x *resource.Tx, old *resource.Doc[API]) error {
	if !old.Props.IsCurrent {
		return nil
	}
	keys, err := x.Lookup(revisionIndex, revisionsKey(old.ID))
	if err != nil {
		return err
	}
	if len(keys) > 1 && x.Param("deleteRevisions") != "true" {
		return arm.Invalid("deleteRevisions", "The API has %d revisions. Delete the others first or all with deleteRevisions=true.", len(keys))
	}
	subscriptions, err := x.Lookup(scopeIndex, old.ID.Rel())
	if err != nil {
		return err
	}
	for _, key := range append(keys, subscriptions...) {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if id.Equal(old.ID) {
			continue
		}
		if err := resource.Remove(x, id); err != nil {
			return err
		}
	}
	return nil
}

func publishAPI(p *resource.Pub, d *resource.Doc[API]) error {
	props := d.Props
	base, _ := arm.SplitRevision(d.Name())
	part := snapshot.API{
		ID: strings.ToLower(d.Name()), Name: base, Display: props.DisplayName, Type: props.Type, Path: *props.Path, Protocols: props.Protocols,
		ServiceURL: props.ServiceURL, Revision: props.APIRevision, IsCurrent: props.IsCurrent, Version: props.APIVersion,
		SubscriptionRequired: props.SubscriptionRequired == nil || *props.SubscriptionRequired,
	}
	if props.VersionSetID != "" {
		part.VersionSet = strings.ToLower(props.VersionSetID[strings.LastIndexByte(props.VersionSetID, '/')+1:])
	}
	if k := props.SubscriptionKeyNames; k != nil {
		part.KeyHeader, part.KeyQuery = k.Header, k.Query
	}
	if owner := ownerOf(d.ID); !owner.Equal(d.ID.Service()) {
		w, err := resource.Get[Workspace](p.Reader, owner)
		if err != nil {
			return err
		}
		part.Workspace = &snapshot.Workspace{Name: w.Name(), Display: w.Props.DisplayName}
	}
	return p.Add(snapshot.KindAPI, d.ID.Rel(), part)
}

// SetServiceURL changes the serviceUrl of an API when it differs. An API that does not exist is left alone.
func SetServiceURL(ctx context.Context, engine *resource.Engine, api arm.ID, serviceURL string) error {
	return engine.WriteFunc(ctx, api.Service(), func(x *resource.Tx) error {
		d, err := resource.Get[API](&x.Reader, api)
		if arm.IsNotFound(err) || err == nil && d.Props.ServiceURL == serviceURL {
			return nil
		}
		if err != nil {
			return err
		}
		d.Props.ServiceURL = serviceURL
		return resource.Save(x, d)
	})
}

// first returns the first of the texts that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
