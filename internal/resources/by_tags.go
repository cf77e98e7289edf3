package resources

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// taggedResource is an entry of the lists by tag: something and one of its tags.
type taggedResource struct {
	Tag       *taggedTag       `json:"tag,omitempty"`
	API       *taggedAPI       `json:"api,omitempty"`
	Operation *taggedOperation `json:"operation,omitempty"`
	Product   *taggedProduct   `json:"product,omitempty"`
}

type taggedTag struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type taggedAPI struct {
	ID                   string   `json:"id"`
	Name                 string   `json:"name"`
	APIRevision          string   `json:"apiRevision"`
	APIVersion           string   `json:"apiVersion,omitempty"`
	APIVersionSetID      string   `json:"apiVersionSetId,omitempty"`
	Description          string   `json:"description,omitempty"`
	ServiceURL           string   `json:"serviceUrl,omitempty"`
	Path                 string   `json:"path"`
	Protocols            []string `json:"protocols"`
	Type                 string   `json:"type,omitempty"`
	SubscriptionRequired bool     `json:"subscriptionRequired"`
	IsCurrent            bool     `json:"isCurrent"`
}

type taggedOperation struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	APIName     string `json:"apiName"`
	APIRevision string `json:"apiRevision"`
	APIVersion  string `json:"apiVersion,omitempty"`
	Description string `json:"description,omitempty"`
	Method      string `json:"method"`
	URLTemplate string `json:"urlTemplate"`
}

type taggedProduct struct {
	ID string `json:"id"`
	// Product's properties bear the name that people see as name.
	Name                 string `json:"name"`
	Description          string `json:"description,omitempty"`
	Terms                string `json:"terms,omitempty"`
	SubscriptionRequired bool   `json:"subscriptionRequired"`
	ApprovalRequired     *bool  `json:"approvalRequired,omitempty"`
	SubscriptionsLimit   *int   `json:"subscriptionsLimit,omitempty"`
	State                string `json:"state"`
}

// tagFilter are the fields of $filter in the lists by tag.
func tagFilter() arm.Fields {
	return arm.Fields{
		"aid": arm.FieldString, "name": arm.FieldString, "displayName": arm.FieldString, "apiName": arm.FieldString, "apiRevision": arm.FieldString,
		"path": arm.FieldString, "description": arm.FieldString, "serviceUrl": arm.FieldString, "method": arm.FieldString, "urlTemplate": arm.FieldString,
		"terms": arm.FieldString, "state": arm.FieldString, "isCurrent": arm.FieldBool,
	}
}

// value is a field of $filter.
func (t taggedResource) value(field string) any {
	switch {
	case t.API != nil:
		switch field {
		case "aid":
			return t.API.ID
		case "name", "displayName", "apiName":
			return t.API.Name
		case "apiRevision":
			return t.API.APIRevision
		case "path":
			return t.API.Path
		case "description":
			return t.API.Description
		case "serviceUrl":
			return t.API.ServiceURL
		case "isCurrent":
			return t.API.IsCurrent
		}
	case t.Operation != nil:
		switch field {
		case "aid":
			return t.Operation.ID
		case "name", "displayName":
			return t.Operation.Name
		case "apiName":
			return t.Operation.APIName
		case "description":
			return t.Operation.Description
		case "method":
			return t.Operation.Method
		case "urlTemplate":
			return t.Operation.URLTemplate
		}
	case t.Product != nil:
		switch field {
		case "aid":
			return t.Product.ID
		case "name", "displayName":
			return t.Product.Name
		case "description":
			return t.Product.Description
		case "terms":
			return t.Product.Terms
		case "state":
			return t.Product.State
		}
	}
	return nil
}

// tagList collects the entries of a list by tag.
type tagList struct {
	x     *resource.Reader
	owner arm.ID // the service or workspace
	items []taggedResource
}

// answer filters the entries and cuts the page.
func (l *tagList) answer() (any, error) {
	items := l.items
	if s := l.x.Param("$filter"); s != "" {
		filter, err := arm.ParseFilter(s, tagFilter())
		if err != nil {
			return nil, err
		}
		items = nil
		for _, t := range l.items {
			if filter.Match(t.value) {
				items = append(items, t)
			}
		}
	}
	if items == nil {
		items = []taggedResource{}
	}
	return pageOf(l.x, items)
}

// add adds t once for each tag that is assigned to the resource id. untagged adds it without a tag when there is none.
func (l *tagList) add(id arm.ID, t taggedResource, untagged bool) error {
	names, err := resource.Joined(l.x, id, "tags")
	if err != nil {
		return err
	}
	for _, name := range names {
		tag, err := resource.Get[Tag](l.x, l.owner.Child("tags", name))
		if err != nil {
			return err
		}
		t.Tag = &taggedTag{"/tags/" + tag.Name(), tag.Props.DisplayName}
		l.items = append(l.items, t)
	}
	if len(names) == 0 && untagged {
		t.Tag = nil
		l.items = append(l.items, t)
	}
	return nil
}

func (l *tagList) addAPI(d *resource.Doc[API], untagged bool) error {
	a := d.Props
	return l.add(d.ID, taggedResource{API: &taggedAPI{
		ID: "/apis/" + d.Name(), Name: a.DisplayName, APIRevision: a.APIRevision, APIVersion: a.APIVersion, APIVersionSetID: a.VersionSetID,
		Description: a.Description, ServiceURL: a.ServiceURL, Path: *a.Path, Protocols: a.Protocols, Type: a.Type,
		SubscriptionRequired: a.SubscriptionRequired == nil || *a.SubscriptionRequired, IsCurrent: a.IsCurrent,
	}}, untagged)
}

func (l *tagList) addOperation(api *resource.Doc[API], d *resource.Doc[Operation], untagged bool) error {
	o := d.Props
	return l.add(d.ID, taggedResource{Operation: &taggedOperation{
		ID: "/apis/" + api.Name() + "/operations/" + d.Name(), Name: o.DisplayName, APIName: api.Props.DisplayName, APIRevision: api.Props.APIRevision,
		APIVersion: api.Props.APIVersion, Description: o.Description, Method: o.Method, URLTemplate: o.URLTemplate,
	}}, untagged)
}

// addTaggedAPIs, addTaggedOperations and addTaggedProducts begin with the tags: most of what a large service has bears none.
func (l *tagList) addTaggedAPIs() error {
	ids, err := resource.JoinParents(l.x, l.owner, "apis/tags")
	if err != nil {
		return err
	}
	for _, id := range ids {
		d, err := resource.Get[API](l.x, id)
		if err != nil {
			return err
		}
		if err := l.addAPI(d, false); err != nil {
			return err
		}
	}
	return nil
}

func (l *tagList) addTaggedOperations() error {
	ids, err := resource.JoinParents(l.x, l.owner, "apis/operations/tags")
	if err != nil {
		return err
	}
	var api *resource.Doc[API]
	for _, id := range ids {
		if api == nil || !api.ID.Equal(id.Parent()) {
			if api, err = resource.Get[API](l.x, id.Parent()); err != nil {
				return err
			}
		}
		d, err := resource.Get[Operation](l.x, id)
		if err != nil {
			return err
		}
		if err := l.addOperation(api, d, false); err != nil {
			return err
		}
	}
	return nil
}

func (l *tagList) addProduct(d *resource.Doc[Product], untagged bool) error {
	p := d.Props
	return l.add(d.ID, taggedResource{Product: &taggedProduct{
		ID: "/products/" + d.Name(), Name: p.DisplayName, Description: p.Description, Terms: p.Terms, SubscriptionRequired: p.SubscriptionRequired,
		ApprovalRequired: p.ApprovalRequired, SubscriptionsLimit: p.SubscriptionsLimit, State: p.State,
	}}, untagged)
}

func (l *tagList) addTaggedProducts() error {
	ids, err := resource.JoinParents(l.x, l.owner, "products/tags")
	if err != nil {
		return err
	}
	for _, id := range ids {
		d, err := resource.Get[Product](l.x, id)
		if err != nil {
			return err
		}
		if err := l.addProduct(d, false); err != nil {
			return err
		}
	}
	return nil
}

func (l *tagList) addProducts() error {
	for d, err := range resource.All[Product](l.x, l.owner, "products") {
		if err != nil {
			return err
		}
		if err := l.addProduct(d, true); err != nil {
			return err
		}
	}
	return nil
}

func (l *tagList) addAPIs() error {
	for d, err := range resource.All[API](l.x, l.owner, "apis") {
		if err != nil {
			return err
		}
		if err := l.addAPI(d, true); err != nil {
			return err
		}
	}
	return nil
}

func wants(x *resource.Reader, param string) bool { return strings.EqualFold(x.Param(param), "true") }

func apisByTags() resource.Action[Service] {
	return resource.Action[Service]{
		Name: "apisByTags", Method: http.MethodGet, Doc: "Lists APIs with their tags: an entry for each tag of each API.",
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			l := tagList{x: x, owner: d.ID}
			add := l.addTaggedAPIs
			if wants(x, "includeNotTaggedApis") {
				add = l.addAPIs
			}
			if err := add(); err != nil {
				return nil, err
			}
			return l.answer()
		},
	}
}

func productsByTags() resource.Action[Service] {
	return resource.Action[Service]{
		Name: "productsByTags", Method: http.MethodGet, Doc: "Lists products with their tags: an entry for each tag of each product.",
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			l := tagList{x: x, owner: d.ID}
			add := l.addTaggedProducts
			if wants(x, "includeNotTaggedProducts") {
				add = l.addProducts
			}
			if err := add(); err != nil {
				return nil, err
			}
			return l.answer()
		},
	}
}

func tagResources() resource.Action[Service] {
	return resource.Action[Service]{
		Name: "tagResources", Method: http.MethodGet, Doc: "Lists what has tags: APIs, operations and products, with an entry for each tag.",
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			l := tagList{x: x, owner: d.ID}
			if err := l.addTaggedAPIs(); err != nil {
				return nil, err
			}
			if err := l.addTaggedOperations(); err != nil {
				return nil, err
			}
			if err := l.addTaggedProducts(); err != nil {
				return nil, err
			}
			return l.answer()
		},
	}
}

// operationsByTags lists the operations of an API with their tags.
func operationsByTags() resource.Action[API] {
	return resource.Action[API]{
		Name: "operationsByTags", Method: http.MethodGet, Doc: "Lists the operations of the API with their tags: an entry for each tag of each operation.",
		Read: func(x *resource.Reader, d *resource.Doc[API], _ json.RawMessage) (any, error) {
			l := tagList{x: x, owner: ownerOf(d.ID)}
			for o, err := range resource.All[Operation](x, d.ID, "operations") {
				if err == nil {
					err = l.addOperation(d, o, wants(x, "includeNotTaggedOperations"))
				}
				if err != nil {
					return nil, err
				}
			}
			return l.answer()
		},
	}
}
