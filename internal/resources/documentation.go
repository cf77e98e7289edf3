package resources

import (
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/resource"
)

// Documentation is a page in Markdown that wikis of APIs and products show.
type Documentation struct {
	Title   string `json:"title,omitempty" rule:"max=300" filter:"yes" doc:"Title of the page."`
	Content string `json:"content,omitempty" filter:"yes" doc:"The page in Markdown."`
}

func documentations() *resource.Type {
	return resource.Define(resource.Spec[Documentation]{
		Name: "documentations", Title: "Documentation", Doc: "A page in Markdown for the wikis of APIs and products.",
		Parents: []string{""}, Verbs: resource.CRUDL, NameMax: 256,
	})
}

// Wiki is the documentation of an API or a product.
type Wiki struct {
	Documents []WikiDocument `json:"documents" rule:"max=100" doc:"The pages in their order."`
}

// WikiDocument is a page of a wiki.
type WikiDocument struct {
	DocumentationID string `json:"documentationId" rule:"required,ref=documentations" doc:"Name of the page."`
}

func wikis() *resource.Type {
	return resource.Define(resource.Spec[Wiki]{
		Name: "wikis", Title: "Wiki", Doc: "The documentation of an API or a product: pages in their order.",
		Parents: []string{"apis", "products"}, Names: []string{"default"}, Verbs: resource.CRUDL,
		Default: func(_ *resource.Tx, _, d *resource.Doc[Wiki]) error {
			for i := range d.Props.Documents {
				if id := &d.Props.Documents[i].DocumentationID; *id != "" && !strings.Contains(*id, "/") {
					*id = "/documentations/" + *id
				}
			}
			return nil
		},
		View: func(_ *resource.Reader, d *resource.Doc[Wiki]) (any, error) {
			v := Wiki{Documents: slices.Clone(d.Props.Documents)}
			for i := range v.Documents {
				id := v.Documents[i].DocumentationID
				v.Documents[i].DocumentationID = id[strings.LastIndexByte(id, '/')+1:]
			}
			return v, nil
		},
	})
}
