package resources

import (
	"errors"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/resource"
)

// ExportResult is the answer of a GET with export=true. Value is the description's text or, with a -link format, an
// [ExportLink].
type ExportResult struct {
	Format string `json:"format"`
	Value  any    `json:"value"`
}

// Beside says that the members stand beside the properties, too.
func (ExportResult) Beside() {}

// ExportLink is where an exported description is.
type ExportLink struct {
	Link string `json:"link"`
}

// viewExport answers a GET with export=true.
func viewExport(x *resource.Reader, d *resource.Doc[API]) (any, error) {
	format := strings.ToLower(x.Param("format"))
	f, ok := importFormats(format)
	if !ok {
		return nil, arm.Errorf(arm.CodeInvalidQuery, "format must be one of openapi, openapi+json, swagger-json, wadl, wsdl, graphql, odata and grpc, or of their links.").
			WithTarget("format")
	}
	if !f.link {
		text, err := exportAPI(x, d, f.kind)
		return ExportResult{format, string(text)}, err
	}
	if format == "swagger-link" {
		format = "swagger-link-json"
	}
	link, err := signExport(x, d.ID, f.kind)
	return ExportResult{format, ExportLink{link}}, err
}

// outdateDefinition notes that an API is no longer what its imported description says, so that exports are made of its
// operations from now on.
func outdateDefinition(x *resource.Tx, api arm.ID) error {
	d, err := resource.Get[API](&x.Reader, api)
	if err != nil || d.Props.DefinitionFormat == "" {
		return err
	}
	d.Props.DefinitionFormat = ""
	return resource.Save(x, d)
}

// exportAPI writes the description of an API: the bytes that were imported when the format is the same, one made of its
// operations otherwise.
func exportAPI(x *resource.Reader, d *resource.Doc[API], format importer.Format) ([]byte, error) {
	if d.Props.DefinitionFormat == string(format) {
		original, err := x.Blob(d.ID, definitionBlob)
		if err != nil || original != nil {
			return original, err
		}
	}
	r, err := resultOf(x, d)
	if err != nil {
		return nil, err
	}
	text, err := importer.Export(r, format)
	if ie, ok := errors.AsType[*importer.Error](err); ok {
		return nil, arm.Errorf(arm.CodeValidation, "The API cannot be exported: %s", ie.Error())
	}
	return text, err
}

// resultOf collects what an API consists of in the form that descriptions are written from.
func resultOf(x *resource.Reader, d *resource.Doc[API]) (*importer.Result, error) {
	p := d.Props
	r := &importer.Result{
		Title: p.DisplayName, Description: p.Description, Version: p.APIVersion, TermsOfService: p.TermsOfServiceURL,
		ServiceURL: p.ServiceURL, Protocols: p.Protocols, Path: *p.Path,
	}
	if p.Contact != nil {
		c := importer.Contact(*p.Contact)
		r.Contact = &c
	}
	if p.License != nil {
		l := importer.License(*p.License)
		r.License = &l
	}
	for op, err := range resource.All[Operation](x, d.ID, "operations") {
		if err != nil {
			return nil, err
		}
		r.Operations = append(r.Operations, exportedOperation(op))
	}
	return r, exportedSchemas(x, d.ID, r)
}

// exportedSchemas adds the schemas: of the two kinds of JSON the first one, of the others all.
func exportedSchemas(x *resource.Reader, api arm.ID, r *importer.Result) error {
	hasTypes := false
	for s, err := range resource.All[Schema](x, api, "schemas") {
		if err != nil {
			return err
		}
		types := s.Props.ContentType == importer.ContentTypeComponents || s.Props.ContentType == importer.ContentTypeDefinitions
		if types && hasTypes {
			continue
		}
		hasTypes = hasTypes || types
		document, err := x.Blob(s.ID, schemaBlob)
		if err != nil {
			return err
		}
		r.Schemas = append(r.Schemas, importer.Schema{ID: s.Name(), ContentType: s.Props.ContentType, Document: document})
	}
	return nil
}

func exportedOperation(d *resource.Doc[Operation]) importer.Operation {
	o := d.Props
	out := importer.Operation{
		ID: d.Name(), DisplayName: o.DisplayName, Description: o.Description, Method: o.Method, URLTemplate: o.URLTemplate,
		TemplateParameters: mapAll(o.TemplateParameters, exportedParameter),
	}
	if r := o.Request; r != nil {
		out.Request = importer.Request{
			Description: r.Description, QueryParameters: mapAll(r.QueryParameters, exportedParameter),
			Headers: mapAll(r.Headers, exportedParameter), Representations: mapAll(r.Representations, exportedRepresentation),
		}
	}
	out.Responses = mapAll(o.Responses, func(r *OperationResponse) importer.Response {
		return importer.Response{
			StatusCode: r.StatusCode, Description: r.Description, Headers: mapAll(r.Headers, exportedParameter),
			Representations: mapAll(r.Representations, exportedRepresentation),
		}
	})
	return out
}

func exportedParameter(p *Parameter) importer.Parameter {
	return importer.Parameter{
		Name: p.Name, Description: p.Description, Type: p.Type, DefaultValue: p.DefaultValue, Required: p.Required, Values: p.Values,
		SchemaID: p.SchemaID, TypeName: p.TypeName, Examples: exportedExamples(p.Examples),
	}
}

func exportedRepresentation(r *Representation) importer.Representation {
	return importer.Representation{
		ContentType: r.ContentType, SchemaID: r.SchemaID, TypeName: r.TypeName,
		FormParameters: mapAll(r.FormParameters, exportedParameter), Examples: exportedExamples(r.Examples),
	}
}

func exportedExamples(in map[string]Example) map[string]importer.Example {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]importer.Example, len(in))
	for name, e := range in {
		out[name] = importer.Example(e)
	}
	return out
}
