package resources

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// schemaBlob is the name under which the document of a schema is kept beside it.
const schemaBlob = "document"

// Schema is a document of types that operations refer to. The document is kept byte for byte outside of the properties,
// because it may be large.
type Schema struct {
	ContentType string          `json:"contentType" rule:"required" filter:"yes" doc:"Media type that says what the document is, such as application/vnd.oai.openapi.components+json."`
	Document    json.RawMessage `json:"document,omitempty" doc:"An object with value (text), definitions or components."`

	document json.RawMessage // on its way from Check to After
}

// SchemaView is what is answered for a schema.
type SchemaView struct {
	ContentType string          `json:"contentType"`
	Document    json.RawMessage `json:"document"`
	State       string          `json:"provisioningState"`
}

func apiSchemas() *resource.Type {
	return resource.Define(resource.Spec[Schema]{
		Name: "schemas", Title: "Schema of an API", Doc: "A document of types that the operations of an API refer to.",
		Parents: []string{"apis"}, Workspaces: true, Verbs: resource.CRDL, MaxBody: apiBodyMax,
		Check: func(_ *resource.Tx, _, d *resource.Doc[Schema]) error {
			var members map[string]json.RawMessage
			if json.Unmarshal(d.Props.Document, &members) != nil || len(members) == 0 {
				return arm.Invalid("document", "document must be an object with one of value, definitions and components.")
			}
			if strings.EqualFold(d.Props.ContentType, importer.ContentTypeGraphQL) {
				if err := checkGraphQLSchema(d.Props.Document); err != nil {
					return err
				}
			}
			d.Props.document, d.Props.Document = d.Props.Document, nil
			return nil
		},
		After: func(x *resource.Tx, _, d *resource.Doc[Schema]) error {
			if err := outdateDefinition(x, d.ID.Parent()); err != nil {
				return err
			}
			return x.PutBlob(d.ID, schemaBlob, d.Props.document)
		},
		View: func(x *resource.Reader, d *resource.Doc[Schema]) (any, error) {
			document, err := x.Blob(d.ID, schemaBlob)
			return SchemaView{d.Props.ContentType, document, succeeded}, err
		},
		Publish: publishSchema,
	})
}

// publishSchema sends a document that gateways can validate with.
func publishSchema(p *resource.Pub, d *resource.Doc[Schema]) error {
	document, err := p.Blob(d.ID, schemaBlob)
	if err != nil || len(document) > snapshot.MaxSchema {
		return err
	}
	return p.Add(snapshot.KindSchema, d.ID.Rel(), snapshot.Schema{ContentType: d.Props.ContentType, Document: document})
}

// saveImportedSchemas replaces the schemas that an import has made before.
func saveImportedSchemas(x *resource.Tx, api arm.ID, r *importer.Result) error {
	stays, types := make(map[string]bool, len(r.Schemas)), importedTypes(r.Kind)
	for _, s := range r.Schemas {
		d := &resource.Doc[Schema]{Props: Schema{ContentType: s.ContentType}}
		d.ID = api.Child("schemas", s.ID)
		if err := resource.Save(x, d); err != nil {
			return err
		}
		if err := x.PutBlob(d.ID, schemaBlob, s.Document); err != nil {
			return err
		}
		stays[d.ID.Key()] = true
	}
	var vanished []arm.ID
	for d, err := range resource.All[Schema](&x.Reader, api, "schemas") {
		if err != nil {
			return err
		}
		if slices.Contains(types, d.Props.ContentType) && !stays[d.ID.Key()] {
			vanished = append(vanished, d.ID)
		}
	}
	for _, id := range vanished {
		if err := resource.Remove(x, id); err != nil {
			return err
		}
	}
	return nil
}
