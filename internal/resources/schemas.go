package resources

import (
	"encoding/json"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// GlobalSchema is a schema of the service, which validate-content names by its ID. The document is kept byte for byte outside of the properties,
// because it may be large.
type GlobalSchema struct {
	SchemaType  string          `json:"schemaType" rule:"required,enum=json|xml,immutable" filter:"yes" doc:"json for JSON Schema, xml for XML Schema."`
	Description string          `json:"description,omitempty" filter:"yes" doc:"What the schema is for."`
	Value       string          `json:"value,omitempty" doc:"The schema as a text; the form of XML schemas."`
	Document    json.RawMessage `json:"document,omitempty" doc:"The schema as an object; the form of JSON schemas."`

	kept []byte // {"value"} or {"document"} on its way from Check to After
}

// globalSchemaBlob is what is kept of a schema beside its properties: the member that it came in.
type globalSchemaBlob struct {
	Value    string          `json:"value,omitempty"`
	Document json.RawMessage `json:"document,omitempty"`
}

// GlobalSchemaView is what is answered for a schema of the service.
type GlobalSchemaView struct {
	SchemaType  string          `json:"schemaType"`
	Description string          `json:"description,omitempty"`
	Value       string          `json:"value,omitempty"`
	Document    json.RawMessage `json:"document,omitempty"`
	State       string          `json:"provisioningState"`
}

func schemas() *resource.Type {
	return resource.Define(resource.Spec[GlobalSchema]{
		Name: "schemas", Title: "Schema", Doc: "A JSON or XML schema that policies validate bodies with, for all APIs.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRDL, MaxBody: apiBodyMax, NamePattern: `[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?`,
		Check: func(_ *resource.Tx, _, d *resource.Doc[GlobalSchema]) error {
			if err := checkGlobalSchema(&d.Props); err != nil {
				return err
			}
			kept, err := json.Marshal(globalSchemaBlob{d.Props.Value, d.Props.Document})
			d.Props.kept, d.Props.Value, d.Props.Document = kept, "", nil
			return err
		},
		After: func(x *resource.Tx, _, d *resource.Doc[GlobalSchema]) error {
			return x.PutBlob(d.ID, schemaBlob, d.Props.kept)
		},
		View: func(x *resource.Reader, d *resource.Doc[GlobalSchema]) (any, error) {
			kept, err := readGlobalSchema(x.Blob(d.ID, schemaBlob))
			return GlobalSchemaView{d.Props.SchemaType, d.Props.Description, kept.Value, kept.Document, succeeded}, err
		},
		Publish: publishGlobalSchema,
	})
}

// checkGlobalSchema refuses what no body can be validated with. References to other schemas are followed by gateways only, because those may come later.
func checkGlobalSchema(s *GlobalSchema) error {
	switch {
	case (s.Value == "") == (len(s.Document) == 0):
		return arm.Invalid("value", "A schema has either a value or a document.")
	case s.SchemaType == "xml" && s.Value == "":
		return arm.Invalid("document", "An XML schema is a text and stands in value.")
	case s.SchemaType == "xml":
		if err := policy.CheckXMLSchema(s.Value); err != nil {
			return arm.Invalid("value", "The value is not an XML schema: %s.", err)
		}
	case s.Value != "":
		return mustBeObject("value", []byte(s.Value))
	default:
		return mustBeObject("document", s.Document)
	}
	return nil
}

func mustBeObject(member string, text []byte) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil || members == nil {
		return arm.Invalid(member, "A JSON schema must be a JSON object.")
	}
	return nil
}

func readGlobalSchema(data []byte, err error) (kept globalSchemaBlob, _ error) {
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	return kept, err
}

// publishGlobalSchema sends a schema that gateways can validate with, in the form of those of APIs: an object, or one that has the text as its value.
func publishGlobalSchema(p *resource.Pub, d *resource.Doc[GlobalSchema]) error {
	data, err := p.Blob(d.ID, schemaBlob)
	if err != nil || len(data) > snapshot.MaxSchema {
		return err
	}
	kept, err := readGlobalSchema(data, nil)
	if err != nil {
		return err
	}
	document, contentType := kept.Document, "application/json"
	if kept.Value != "" {
		if document, err = json.Marshal(map[string]string{"value": kept.Value}); err != nil {
			return err
		}
	}
	if d.Props.SchemaType == "xml" {
		contentType = "application/xml"
	}
	return p.Add(snapshot.KindSchema, d.ID.Rel(), snapshot.Schema{ContentType: contentType, Document: document})
}
