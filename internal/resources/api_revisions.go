package resources

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// revisionID returns the ID under which a revision is stored: NAME;rev=N is NAME when N is the current revision, and
// when there is no such API yet, because the first revision is the current one.
func revisionID(x *resource.Reader, id arm.ID) (arm.ID, error) {
	base, number := arm.SplitRevision(id.Name())
	if number == "" {
		return id, nil
	}
	current := id.Parent().Child("apis", base)
	d, err := resource.Get[API](x, current)
	if arm.IsNotFound(err) || err == nil && strings.EqualFold(d.Props.APIRevision, number) {
		return current, nil
	}
	return id, err
}

// Revision is an entry of the list of an API's revisions.
type Revision struct {
	APIID           string    `json:"apiId"`
	APIRevision     string    `json:"apiRevision"`
	CreatedDateTime time.Time `json:"createdDateTime"`
	UpdatedDateTime time.Time `json:"updatedDateTime"`
	Description     string    `json:"description,omitempty"`
	PrivateURL      string    `json:"privateUrl"`
	IsOnline        bool      `json:"isOnline"`
	IsCurrent       bool      `json:"isCurrent"`
}

// RevisionCollection is the list of an API's revisions.
type RevisionCollection struct {
	Value    []Revision `json:"value"`
	Count    int64      `json:"count"`
	NextLink string     `json:"nextLink,omitempty"`
}

func apiActions() []resource.Action[API] {
	return []resource.Action[API]{{
		Name: "revisions", Method: http.MethodGet, Doc: "Lists the revisions of the API.", Output: RevisionCollection{},
		Read: listRevisions,
	}, operationsByTags()}
}

func listRevisions(x *resource.Reader, d *resource.Doc[API], _ json.RawMessage) (any, error) {
	page, aerr := arm.ParsePage(x.Query)
	if aerr != nil {
		return nil, aerr
	}
	base, _ := arm.SplitRevision(d.Name())
	keys, err := x.Lookup(revisionIndex, revisionsKey(d.ID))
	if err != nil {
		return nil, err
	}
	out := RevisionCollection{Value: []Revision{}}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return nil, err
		}
		if out.Count++; out.Count <= page.Skip || len(out.Value) == page.Top {
			continue
		}
		r, err := resource.Get[API](x, id)
		if err != nil {
			return nil, err
		}
		out.Value = append(out.Value, Revision{
			APIID: "/apis/" + arm.WithRevision(base, r.Props.APIRevision), APIRevision: r.Props.APIRevision,
			CreatedDateTime: r.Created, UpdatedDateTime: r.Modified, Description: r.Props.RevisionDescription,
			PrivateURL: "/" + *r.Props.Path + ";rev=" + r.Props.APIRevision, IsOnline: true, IsCurrent: r.Props.IsCurrent,
		})
	}
	out.NextLink = page.Next(x.BaseURL, x.Path, x.Query, out.Count)
	return out, nil
}

// source reads the API or revision that a new one is a copy of.
func (p *API) source(x *resource.Reader) (*resource.Doc[API], error) {
	id, err := x.Resolve(p.SourceAPIID)
	if err == nil && !id.Equal(ownerOf(id).Child("apis", id.Name())) {
		err = arm.NotFound(id)
	}
	if err == nil {
		id, err = revisionID(x, id)
	}
	if err != nil {
		return nil, arm.Invalid("sourceApiId", "sourceApiId must be the ID of an API.")
	}
	d, err := resource.Get[API](x, id)
	if arm.IsNotFound(err) {
		return nil, arm.Invalid("sourceApiId", "sourceApiId refers to /%s, which does not exist.", id.Rel())
	}
	return d, err
}

// fillFromSource takes from the API that is copied what the caller did not give. A revision stays in the version of its
// API; another API gets a version of its own or none.
func (p *API) fillFromSource(x *resource.Tx) error {
	source, err := p.source(&x.Reader)
	if err != nil {
		return err
	}
	s := source.Props
	p.DisplayName = first(p.DisplayName, s.DisplayName)
	p.Description = first(p.Description, s.Description)
	p.ServiceURL = first(p.ServiceURL, s.ServiceURL)
	p.Type = first(p.Type, s.Type)
	p.TermsOfServiceURL = first(p.TermsOfServiceURL, s.TermsOfServiceURL)
	if p.Path == nil {
		p.Path = s.Path
	}
	if len(p.Protocols) == 0 {
		p.Protocols = s.Protocols
	}
	if p.SubscriptionRequired == nil {
		p.SubscriptionRequired = s.SubscriptionRequired
	}
	if p.SubscriptionKeyNames == nil {
		p.SubscriptionKeyNames = s.SubscriptionKeyNames
	}
	if a := p.AuthenticationSettings; a.OAuth2 == nil && a.OpenID == nil && len(a.OAuth2List) == 0 && len(a.OpenIDList) == 0 {
		p.AuthenticationSettings = s.AuthenticationSettings
	}
	if p.Contact == nil {
		p.Contact = s.Contact
	}
	if p.License == nil {
		p.License = s.License
	}
	if base, _ := arm.SplitRevision(x.ID.Name()); strings.EqualFold(base, baseName(source)) {
		p.APIVersion, p.VersionSetID = first(p.APIVersion, s.APIVersion), first(p.VersionSetID, s.VersionSetID)
		p.VersionDescription = first(p.VersionDescription, s.VersionDescription)
	}
	p.DefinitionFormat = s.DefinitionFormat
	return nil
}

func baseName(d *resource.Doc[API]) string {
	base, _ := arm.SplitRevision(d.Name())
	return base
}
