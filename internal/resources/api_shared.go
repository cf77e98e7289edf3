package resources

import (
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// The properties in this file are the same for all revisions of an API: only the current revision changes them
// (https://learn.microsoft.com/azure/api-management/api-management-revisions).

// fillShared takes from the current revision what a write of another one leaves out.
func (p *API) fillShared(x *resource.Reader, id arm.ID) error {
	current, err := currentOf(x, id)
	if err != nil {
		return err
	}
	c := current.Props
	p.DisplayName, p.Description, p.Type = first(p.DisplayName, c.DisplayName), first(p.Description, c.Description), first(p.Type, p.APIType, c.Type)
	p.APIVersion, p.VersionSetID = first(p.APIVersion, c.APIVersion), first(p.VersionSetID, c.VersionSetID)
	p.VersionDescription = first(p.VersionDescription, c.VersionDescription)
	if p.SubscriptionRequired == nil {
		p.SubscriptionRequired = c.SubscriptionRequired
	}
	if p.Path == nil {
		p.Path = c.Path
	}
	if len(p.Protocols) == 0 {
		p.Protocols = c.Protocols
	}
	return nil
}

// currentOf returns the current revision of the API that id is a revision of.
func currentOf(x *resource.Reader, id arm.ID) (*resource.Doc[API], error) {
	base, _ := arm.SplitRevision(id.Name())
	return resource.Get[API](x, id.Parent().Child("apis", base))
}

// checkShared refuses to change in a revision what belongs to the API.
func (p *API) checkShared(x *resource.Reader, id arm.ID) error {
	current, err := currentOf(x, id)
	if err != nil {
		return err
	}
	c := current.Props
	for _, property := range []struct {
		name string
		same bool
	}{
		{"displayName", p.DisplayName == c.DisplayName},
		{"description", p.Description == c.Description},
		{"type", p.Type == c.Type},
		{"subscriptionRequired", *p.SubscriptionRequired == *c.SubscriptionRequired},
		{"apiVersion", p.APIVersion == c.APIVersion},
		{"apiVersionSetId", strings.EqualFold(p.VersionSetID, c.VersionSetID)},
		{"apiVersionDescription", p.VersionDescription == c.VersionDescription},
		{"path", strings.EqualFold(*p.Path, *c.Path)},
		{"protocols", slices.Equal(sorted(p.Protocols), sorted(c.Protocols))},
	} {
		if !property.same {
			return arm.Invalid(property.name, "%s belongs to all revisions of the API. Change it in the current revision.", property.name)
		}
	}
	return nil
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// spreadShared gives the other revisions what has changed in the current one.
func spreadShared(x *resource.Tx, d *resource.Doc[API]) error {
	keys, err := x.Lookup(revisionIndex, revisionsKey(d.ID))
	if err != nil {
		return err
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if id.Equal(d.ID) || !id.Parent().Equal(d.ID.Parent()) {
			continue
		}
		other, err := resource.Get[API](&x.Reader, id)
		if err != nil {
			return err
		}
		if other.Props.checkShared(&x.Reader, id) == nil {
			continue
		}
		o, c := &other.Props, d.Props
		o.DisplayName, o.Description, o.Type, o.SubscriptionRequired = c.DisplayName, c.Description, c.Type, c.SubscriptionRequired
		o.APIVersion, o.VersionSetID, o.VersionDescription, o.Path, o.Protocols = c.APIVersion, c.VersionSetID, c.VersionDescription, c.Path, c.Protocols
		if err := resource.Save(x, other); err != nil {
			return err
		}
	}
	return nil
}
