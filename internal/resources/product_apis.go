package resources

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// productAPIs puts APIs into products.
func productAPIs() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "apis", Title: "API of a product", Doc: "An API that is in a product.",
		Parents: []string{"products"}, Workspaces: true, Join: "apis", Verbs: resource.JoinVerbs, NameMax: 256,
		Alias: withoutRevision,
		Delete: func(x *resource.Tx, old *resource.Doc[struct{}]) error {
			api := ownerOf(old.ID).Child("apis", old.Name())
			return removeLinks(x, old.ID, old.ID.Parent(), "apiLinks", api, func(l *APILink) string { return l.APIID })
		},
		Publish: func(p *resource.Pub, d *resource.Doc[struct{}]) error {
			return p.Add(snapshot.KindProductAPI, d.ID.Rel(), snapshot.ProductAPI{
				Product: strings.ToLower(d.ID.Parent().Name()), API: strings.ToLower(d.Name()),
			})
		},
	})
}

// withoutRevision is the Alias of a link to an API: products hold and gateways serve an API with all its revisions.
func withoutRevision(_ *resource.Reader, id arm.ID) (arm.ID, error) {
	api, _ := arm.SplitRevision(id.Name())
	return id.Parent().Child("apis", api), nil
}

// apiProducts lists the products that an API is in.
func apiProducts() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "products", Title: "Product of an API", Doc: "The products that the API is in.",
		Parents: []string{"apis"}, Workspaces: true, Verbs: resource.List,
		Items: func(x *resource.Reader, api arm.ID) ([]string, error) {
			return resource.JoinedFrom(x, api, "products/apis")
		},
	})
}

// productGroups says which groups see a product.
func productGroups() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "groups", Title: "Group of a product", Doc: "A group whose members see the product and may subscribe to it.",
		Parents: []string{"products"}, Workspaces: true, Join: "groups", Verbs: resource.JoinVerbs, NameMax: 256,
		Affects: func(id arm.ID) []arm.ID { return []arm.ID{id.Parent()} },
		Delete: func(x *resource.Tx, old *resource.Doc[struct{}]) error {
			group := ownerOf(old.ID).Child("groups", old.Name())
			return removeLinks(x, old.ID, old.ID.Parent(), "groupLinks", group, func(l *GroupLink) string { return l.GroupID })
		},
	})
}
