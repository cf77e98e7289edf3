package resources

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// The states of a product.
const (
	productPublished    = "published"
	productNotPublished = "notPublished"
)

// scopeIndex finds subscriptions by their scope: the lower-case path below the service, such as products/starter.
const scopeIndex = "scope"

// Product bundles APIs for those who subscribe to it.
type Product struct {
	DisplayName          string `json:"displayName" rule:"required,max=300" filter:"yes" doc:"Name that people see."`
	Description          string `json:"description,omitempty" rule:"max=1000" filter:"yes" doc:"Description; may hold HTML."`
	Terms                string `json:"terms,omitempty" filter:"yes" doc:"Terms of use, shown before subscribing."`
	SubscriptionRequired bool   `json:"subscriptionRequired" rule:"default=true" doc:"Calls need a subscription key. Without it the product is open."`
	ApprovalRequired     *bool  `json:"approvalRequired,omitempty" doc:"Administrators approve each subscription; only with subscriptionRequired."`
	SubscriptionsLimit   *int   `json:"subscriptionsLimit,omitempty" rule:"min=0" doc:"Subscriptions that one user may have; only with subscriptionRequired."`
	State                string `json:"state" rule:"enum=notPublished|published,default=notPublished" filter:"yes" doc:"Whether developers see it and its APIs can be called through it."`
}

// productView is a product as it is answered.
type productView struct {
	Product
	Groups []groupView `json:"groups,omitempty"`
}

func products() *resource.Type {
	return resource.Define(resource.Spec[Product]{
		Name: "products", Title: "Product", Doc: "A bundle of APIs that developers subscribe to.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL, NameMax: 256,
		Default: func(_ *resource.Tx, _, d *resource.Doc[Product]) error {
			if p := &d.Props; p.SubscriptionRequired && p.ApprovalRequired == nil {
				p.ApprovalRequired = new(bool)
			}
			return nil
		},
		Check:  checkProduct,
		After:  admitAdministrators,
		Delete: releaseProductSubscriptions,
		View:   viewProduct,
		Keep:   taggedWith[Product], KeepParams: []string{"tags"},
		Publish: publishProduct,
	})
}

func checkProduct(_ *resource.Tx, _, d *resource.Doc[Product]) error {
	p := d.Props
	switch {
	case p.SubscriptionRequired:
		return nil
	case p.ApprovalRequired != nil && *p.ApprovalRequired:
		return arm.Invalid("approvalRequired", "approvalRequired needs subscriptionRequired.")
	case p.SubscriptionsLimit != nil:
		return arm.Invalid("subscriptionsLimit", "subscriptionsLimit needs subscriptionRequired.")
	}
	return nil
}

// admitAdministrators lets the administrators see a product from its creation.
func admitAdministrators(x *resource.Tx, old, d *resource.Doc[Product]) error {
	if old != nil {
		return nil
	}
	group := d.ID.Parent().Child("groups", administratorsGroup)
	if ok, err := x.Exists(group); err != nil || !ok {
		return err
	}
	link := &resource.Doc[struct{}]{Meta: resource.Meta{ID: d.ID.Child("groups", administratorsGroup)}}
	return resource.Save(x, link)
}

// releaseProductSubscriptions deletes the subscriptions of a product when the caller asks for that with
// deleteSubscriptions=true, and refuses to delete a product that has some otherwise.
func releaseProductSubscriptions(x *resource.Tx, old *resource.Doc[Product]) error {
	keys, err := x.Lookup(scopeIndex, old.ID.Rel())
	if err != nil || len(keys) == 0 {
		return err
	}
	if x.Param("deleteSubscriptions") != "true" {
		return arm.Invalid("deleteSubscriptions", "The product has %d subscriptions. Delete them first or with deleteSubscriptions=true.", len(keys))
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if err := resource.Remove(x, id); err != nil {
			return err
		}
	}
	return nil
}

// viewProduct adds the groups that see the product when the caller asks for them.
func viewProduct(x *resource.Reader, d *resource.Doc[Product]) (any, error) {
	if !strings.EqualFold(x.Param("expandGroups"), "true") {
		return d.Props, nil
	}
	v := productView{Product: d.Props}
	names, err := resource.Joined(x, d.ID, "groups")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		g, err := viewGroup(x, d.ID.Parent().Child("groups", name))
		if err != nil {
			return nil, err
		}
		v.Groups = append(v.Groups, g)
	}
	return v, nil
}

func publishProduct(p *resource.Pub, d *resource.Doc[Product]) error {
	props := d.Props
	groups, err := resource.Joined(p.Reader, d.ID, "groups")
	if err != nil {
		return err
	}
	return p.Add(snapshot.KindProduct, d.ID.Rel(), snapshot.Product{
		Name: d.Name(), Display: props.DisplayName, Published: props.State == productPublished,
		SubscriptionRequired: props.SubscriptionRequired, ApprovalRequired: props.ApprovalRequired != nil && *props.ApprovalRequired,
		SubscriptionsLimit: props.SubscriptionsLimit, Groups: groups,
	})
}
