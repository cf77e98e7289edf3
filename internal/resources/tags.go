package resources

import (
	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// Tag groups APIs, operations and products.
type Tag struct {
	DisplayName string `json:"displayName" rule:"required,max=160" filter:"yes" doc:"Name that people see."`
}

func tags() *resource.Type {
	return resource.Define(resource.Spec[Tag]{
		Name: "tags", Title: "Tag", Doc: "A label for APIs, operations and products.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL,
	})
}

// productTags assigns tags to products. Unlike the other joins it can be read.
func productTags() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "tags", Title: "Tag of a product", Doc: "A tag that is assigned.",
		Parents: []string{"products"}, Workspaces: true, Join: "tags", Verbs: resource.JoinVerbs | resource.Read,
		Delete: func(x *resource.Tx, old *resource.Doc[struct{}]) error {
			return removeLinks(x, old.ID, tagOf(old.ID), "productLinks", old.ID.Parent(), func(l *ProductLink) string { return l.ProductID })
		},
	})
}

// tagOf is the tag that an assignment is about.
func tagOf(id arm.ID) arm.ID { return ownerOf(id).Child("tags", id.Name()) }
