package resources

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
)

// definitionBlob is the name under which the exact bytes of the imported description are kept beside an API.
const definitionBlob = "definition"

// importTime bounds an import with all links that its description has.
const importTime = 2 * time.Minute

// importFormat says what a value of the format property means.
type importFormat struct {
	kind importer.Format
	link bool
}

// importFormats are the formats that can be imported and exported.
func importFormats(name string) (f importFormat, ok bool) {
	switch name = strings.ToLower(name); name {
	case "openapi", "openapi-link":
		f.kind = importer.FormatOpenAPI
	case "openapi+json", "openapi+json-link":
		f.kind = importer.FormatOpenAPIJSON
	case "swagger-json", "swagger-link-json", "swagger-link":
		f.kind = importer.FormatSwaggerJSON
	case "wadl", "wadl-xml", "wadl-link-json", "wadl-link":
		f.kind = importer.FormatWADL
	case "wsdl", "wsdl-link":
		f.kind = importer.FormatWSDL
	case "graphql", "graphql-link":
		f.kind = importer.FormatGraphQL
	case "odata", "odata-link":
		f.kind = importer.FormatOData
	case "grpc", "grpc-link":
		f.kind = importer.FormatGRPC
	default:
		return f, false
	}
	f.link = strings.Contains(name, "-link")
	return f, true
}

// readDescription fetches and parses the description that a write brings, outside of the transaction. oldType is the type of the API so far.
func (p *API) readDescription(ctx context.Context, env Env, oldType string) error {
	p.imported = nil
	if p.Value == "" && p.Format == "" {
		return nil
	}
	f, ok := importFormats(p.Format)
	switch {
	case p.Format == "":
		return arm.Invalid("format", "format is required with value.")
	case !ok:
		return arm.Invalid("format", "The format %q cannot be imported.", p.Format)
	case p.Value == "":
		return arm.Invalid("value", "value is required with format.")
	}
	ctx, cancel := context.WithTimeout(ctx, importTime)
	defer cancel()
	o := importer.Options{
		Format: f.kind, MaxBytes: apiBodyMax, RequiredQuery: importer.RequiredQuery(strings.ToLower(p.RequiredQuery)),
		SOAPToREST: !strings.EqualFold(first(p.APIType, p.Type, oldType), importer.TypeSOAP),
		Fetch:      env.fetchPart,
	}
	if w := p.WSDLSelector; w != nil {
		o.WSDLService, o.WSDLEndpoint = w.Service, w.Endpoint
	}
	data := []byte(p.Value)
	if f.link {
		var err error
		if f.kind == importer.FormatGraphQL {
			data, err = env.fetchGraphQL(ctx, p.Value)
		} else {
			data, err = env.fetch(ctx, p.Value, apiBodyMax)
		}
		if err != nil {
			return err
		}
		o.SourceURL = strings.TrimSpace(p.Value)
	}
	r, err := importer.Import(ctx, data, o)
	if ie, ok := errors.AsType[*importer.Error](err); ok && ctx.Err() == nil {
		return invalidDocument("value", "The description cannot be imported: ", arm.Detail{Code: arm.CodeValidation, Message: ie.Error()})
	}
	p.imported = r
	return err
}

// fetchGraphQL reads a schema from a file, or asks the service at the link for it.
func (e Env) fetchGraphQL(ctx context.Context, link string) ([]byte, error) {
	address, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(link)), "?")
	for _, ending := range []string{".graphql", ".graphqls", ".gql", ".json", ".txt"} {
		if strings.HasSuffix(address, ending) {
			return e.fetch(ctx, link, apiBodyMax)
		}
	}
	query, err := json.Marshal(map[string]string{"query": importer.IntrospectionQuery, "operationName": "IntrospectionQuery"})
	if err != nil {
		return nil, err
	}
	o := e.fetchOptions(apiBodyMax)
	o.PostJSON = query
	data, _, err := importer.Fetch(ctx, strings.TrimSpace(link), o)
	if fe, ok := errors.AsType[*importer.FetchError](err); ok && fe.Code == importer.CodeLinkUnreachable {
		return e.fetch(ctx, link, apiBodyMax) // no service, perhaps a file
	}
	if err != nil {
		return nil, linkError(ctx, err)
	}
	return data, nil
}

// fetchPart reads a document that a description refers to.
func (e Env) fetchPart(ctx context.Context, link string) ([]byte, error) {
	data, _, err := importer.Fetch(ctx, link, e.fetchOptions(apiBodyMax))
	if fe, ok := errors.AsType[*importer.FetchError](err); ok {
		return nil, errors.New(fe.Message)
	}
	return data, err
}

func (e Env) fetchOptions(most int64) importer.FetchOptions {
	return importer.FetchOptions{MaxBytes: most, AllowLoopback: e.AllowLoopbackLinks, AllowPrivate: e.AllowPrivateLinks}
}

// fetch follows a link of a request and explains why that fails.
func (e Env) fetch(ctx context.Context, link string, most int64) ([]byte, error) {
	data, _, err := importer.Fetch(ctx, strings.TrimSpace(link), e.fetchOptions(most))
	return data, linkError(ctx, err)
}

// linkError is the answer to a link that cannot be followed.
func linkError(ctx context.Context, err error) error {
	if fe, ok := errors.AsType[*importer.FetchError](err); ok && ctx.Err() == nil {
		message := "The link cannot be followed: " + fe.Message + "."
		if fe.URL != "" {
			message = "The link " + fe.URL + " cannot be followed: " + fe.Message + "."
		}
		answer := arm.Errorf(arm.Code(fe.Code), "%s", message).WithTarget("value")
		answer.Details = []arm.Detail{{Code: arm.Code(fe.Code), Target: "value", Message: message}}
		return answer
	}
	return err
}

// invalidDocument is the error for a document in the property target: the message tells the first cause at once.
func invalidDocument(target, message string, causes ...arm.Detail) *arm.Error {
	for i := range causes {
		causes[i].Target = target
	}
	e := arm.Errorf(arm.CodeValidation, "%s%s", message, causes[0].Message).WithTarget(target)
	e.Details = causes
	return e
}

// fillFromImport takes from the description what the caller did not give.
func (p *API) fillFromImport() {
	r := p.imported
	if r == nil {
		return
	}
	p.DefinitionFormat = string(r.Kind)
	if r.Kind == importer.FormatOpenAPI && r.Syntax == importer.SyntaxJSON {
		p.DefinitionFormat = string(importer.FormatOpenAPIJSON)
	}
	p.Type = first(p.Type, p.APIType, r.Type)
	p.DisplayName = first(p.DisplayName, clip(r.Title, 300))
	p.Description = first(p.Description, r.Description)
	p.TermsOfServiceURL = first(p.TermsOfServiceURL, r.TermsOfService)
	if p.ServiceURL == "" && checkServiceURL(r.ServiceURL) == nil {
		p.ServiceURL = r.ServiceURL
	}
	if len(p.Protocols) == 0 {
		p.Protocols = r.Protocols
	}
	if p.Contact == nil && r.Contact != nil {
		c := Contact(*r.Contact)
		p.Contact = &c
	}
	if p.License == nil && r.License != nil {
		l := License(*r.License)
		p.License = &l
	}
}

// clip cuts a text to so many characters.
func clip(s string, characters int) string {
	if r := []rune(s); len(r) > characters {
		return string(r[:characters])
	}
	return s
}

// operationOf turns an operation of a description into one of an API.
func operationOf(o *importer.Operation) Operation {
	return Operation{
		DisplayName: o.DisplayName, Description: o.Description, Method: o.Method, URLTemplate: o.URLTemplate,
		TemplateParameters: mapAll(o.TemplateParameters, parameterOf),
		Request: &OperationRequest{
			Description:     o.Request.Description,
			QueryParameters: mapAll(o.Request.QueryParameters, parameterOf),
			Headers:         mapAll(o.Request.Headers, parameterOf),
			Representations: mapAll(o.Request.Representations, representationOf),
		},
		Responses: mapAll(o.Responses, func(r *importer.Response) OperationResponse {
			return OperationResponse{
				StatusCode: r.StatusCode, Description: r.Description,
				Headers: mapAll(r.Headers, parameterOf), Representations: mapAll(r.Representations, representationOf),
			}
		}),
	}
}

func parameterOf(p *importer.Parameter) Parameter {
	return Parameter{
		Name: p.Name, Description: p.Description, Type: p.Type, DefaultValue: p.DefaultValue, Required: p.Required, Values: p.Values,
		SchemaID: p.SchemaID, TypeName: p.TypeName, Examples: examplesOf(p.Examples),
	}
}

func representationOf(r *importer.Representation) Representation {
	return Representation{
		ContentType: r.ContentType, SchemaID: r.SchemaID, TypeName: r.TypeName,
		FormParameters: mapAll(r.FormParameters, parameterOf), Examples: examplesOf(r.Examples),
	}
}

func examplesOf(in map[string]importer.Example) map[string]Example {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]Example, len(in))
	for name, e := range in {
		out[name] = Example(e)
	}
	return out
}

// mapAll applies f to all elements of a list. The result is never nil, so that it is answered as an array.
func mapAll[S, T any](list []S, f func(*S) T) []T {
	out := make([]T, len(list))
	for i := range list {
		out[i] = f(&list[i])
	}
	return out
}
