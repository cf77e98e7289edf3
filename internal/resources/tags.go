package resources

import (
	"strings"

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

// taggedWith is the Keep of lists that take the parameter tags=a,b: only what has one of the tags.
func taggedWith[T any](x *resource.Reader, d *resource.Doc[T]) (bool, error) {
	for name := range strings.SplitSeq(x.Param("tags"), ",") {
		name = strings.TrimSpace(name)
		if _, err := arm.ParseID("/tags/" + name); err != nil { // no tag has such a name
			continue
		}
		if ok, err := x.Exists(d.ID.Child("tags", name)); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
