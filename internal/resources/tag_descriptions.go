package resources

import (
	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// TagDescription says what a tag means in one API.
type TagDescription struct {
	Description             string `json:"description,omitempty" filter:"yes" doc:"What the tag means in this API."`
	ExternalDocsURL         string `json:"externalDocsUrl,omitempty" rule:"max=2000" filter:"yes" doc:"URL of documentation elsewhere."`
	ExternalDocsDescription string `json:"externalDocsDescription,omitempty" filter:"yes" doc:"What is documented there."`
	TagID                   string `json:"tagId,omitempty" rule:"readonly" doc:"The tag."`
	DisplayName             string `json:"displayName,omitempty" rule:"readonly" filter:"yes" doc:"Name of the tag."`
}

func tagDescriptions() *resource.Type {
	return resource.Define(resource.Spec[TagDescription]{
		Name: "tagDescriptions", Title: "Tag description", Doc: "What a tag means in one API. It bears the name of the tag.",
		Parents: []string{"apis"}, Workspaces: true, Verbs: resource.CRDL,
		Check: func(x *resource.Tx, _, d *resource.Doc[TagDescription]) error {
			ok, err := x.Exists(describedTag(d.ID))
			if err == nil && !ok {
				err = arm.Invalid("tagDescriptionId", "There is no tag %q that could be described.", d.Name())
			}
			return err
		},
		View: func(x *resource.Reader, d *resource.Doc[TagDescription]) (any, error) {
			v := d.Props
			tag, err := resource.Get[Tag](x, describedTag(d.ID))
			if arm.IsNotFound(err) { // the tag has been deleted since
				return v, nil
			}
			if err != nil {
				return nil, err
			}
			v.TagID, v.DisplayName = "/"+tag.ID.RelPath(), tag.Props.DisplayName
			return v, nil
		},
	})
}

// describedTag is the tag that a tag description is about.
func describedTag(id arm.ID) arm.ID { return ownerOf(id).Child("tags", id.Name()) }
