// Package importer reads API descriptions and turns them into the operations
// and schemas that an API of the management plane consists of, and writes such
// descriptions again.
//
// It reads OpenAPI 3.0, OpenAPI 3.1 and Swagger 2.0, each as JSON or YAML, and
// WSDL 1.1, WADL, OData metadata, GraphQL schemas and Protocol Buffers. The
// mapping follows Azure API Management: the shapes are those of its ARM API
// (OperationContract, ParameterContract and RepresentationContract of
// api-version 2024-05-01) and the naming rules are those of its page "API
// import restrictions and known issues".
//
// The package also follows the links that imports and policy documents may be
// given by; see [Fetch].
package importer

import (
	"context"
	"encoding/json"
	"fmt"
)

// Format names a kind of description by the word that the ARM API uses in its
// format property.
type Format string

const (
	// FormatAuto finds the format out from the document.
	FormatAuto Format = ""
	// FormatOpenAPI is OpenAPI 3.x, YAML or JSON (which is YAML too).
	FormatOpenAPI Format = "openapi"
	// FormatOpenAPIJSON is OpenAPI 3.x as JSON.
	FormatOpenAPIJSON Format = "openapi+json"
	// FormatSwaggerJSON is Swagger 2.0. As an option it demands JSON, as the
	// kind of a result it says nothing about the syntax: see [Result.Syntax].
	FormatSwaggerJSON Format = "swagger-json"
	// FormatWSDL is WSDL 1.1: see [Options.SOAPToREST].
	FormatWSDL Format = "wsdl"
	// FormatWADL is WADL of August 2009 or earlier drafts.
	FormatWADL Format = "wadl-xml"
	// FormatOData is the metadata of an OData service, version 4 or earlier, as
	// XML (CSDL).
	FormatOData Format = "odata"
	// FormatGraphQL is a GraphQL schema, in the schema definition language or as
	// the answer to an introspection query.
	FormatGraphQL Format = "graphql"
	// FormatGRPC is a Protocol Buffers file with services.
	FormatGRPC Format = "grpc"
)

// The types of APIs in the words of the ARM API; "" stands for http.
const (
	TypeSOAP    = "soap"
	TypeOData   = "odata"
	TypeGraphQL = "graphql"
	TypeGRPC    = "grpc"
)

// Syntax is the notation in which a description is written.
type Syntax string

const (
	SyntaxJSON Syntax = "json"
	SyntaxYAML Syntax = "yaml"
	SyntaxXML  Syntax = "xml"
	SyntaxText Syntax = "text" // GraphQL and Protocol Buffers
)

// The content types under which the types of a description are stored as a
// schema of the API.
const (
	ContentTypeComponents  = "application/vnd.oai.openapi.components+json"
	ContentTypeDefinitions = "application/vnd.ms-azure-apim.swagger.definitions+json"
	ContentTypeXSD         = "application/vnd.ms-azure-apim.xsd+xml"
	ContentTypeWADL        = "application/vnd.ms-azure-apim.wadl.grammars+xml"
	ContentTypeOData       = "application/vnd.ms-azure-apim.odata.schema"
	ContentTypeProto       = "text/protobuf"
)

// Limits that hold when [Options] does not set others.
const (
	DefaultMaxBytes = 64 << 20
	DefaultMaxDepth = 200
)

// Options control an import. The zero value detects the format and applies the
// default limits.
type Options struct {
	// Format is what the caller was told to expect; a document of another
	// kind is refused.
	Format Format
	// MaxBytes is the largest document that is read, in bytes.
	MaxBytes int64
	// MaxDepth is how deep objects and arrays may nest.
	MaxDepth int
	// SourceURL is where the document came from, if it came by link; relative
	// server addresses are resolved against it.
	SourceURL string
	// SchemaID is the resource name for the schema document. When empty it is
	// made from the document's digest, so that equal documents get equal IDs.
	SchemaID string
	// RequiredQuery says what becomes of required query parameters.
	RequiredQuery RequiredQuery
	// Progress, if set, is called on the calling goroutine after each operation.
	Progress func(done, total int)
	// SOAPToREST makes operations that take and answer JSON of those of a WSDL
	// description; without it SOAP messages are passed through.
	SOAPToREST bool
	// WSDLService and WSDLEndpoint name the service and the port of a WSDL
	// description to import; the first ones that speak SOAP by default.
	WSDLService, WSDLEndpoint string
	// Fetch reads the documents that the description refers to by links. When
	// nil, such references are refused.
	Fetch func(ctx context.Context, link string) ([]byte, error)
}

// RequiredQuery is the choice that the ARM API calls
// translateRequiredQueryParameters.
type RequiredQuery string

const (
	// RequiredQueryAsQuery keeps required query parameters with the other
	// query parameters. It is the default here, because a parameter in the
	// template makes the gateway answer 404 where a client expects 400.
	RequiredQueryAsQuery RequiredQuery = "query"
	// RequiredQueryAsTemplate moves them into the URL template, as
	// "/pets?limit={limit}".
	RequiredQueryAsTemplate RequiredQuery = "template"
)

// Result is what a description says, in the words of API Management.
type Result struct {
	Kind           Format
	Syntax         Syntax
	SpecVersion    string // as written, such as "3.0.3" or "2.0"
	Title          string
	Description    string
	Version        string // the API's version, not the specification's
	TermsOfService string // URL
	Contact        *Contact
	License        *License
	// ServiceURL is the first server's address with its variables at their
	// defaults, or scheme, host and base path; empty when the document names
	// none or only a relative one and the source is not known.
	ServiceURL string
	// Protocols are those of "http", "https", "ws" and "wss" that the servers
	// use, without repetition, in the order of the document.
	Protocols []string
	// Path is the server's base path without slashes at its ends: what one
	// would choose as the path of the API. It may be empty.
	Path       string
	Operations []Operation // in the order of the document
	// Type is the type of the API, "" for a plain one.
	Type     string
	Schemas  []Schema  // what operations refer to; none or one document for OpenAPI and Swagger
	Tags     []Tag     // declared ones first, then those that operations use
	Warnings []Warning // in the order in which they were found
	Original []byte    // the bytes that were read, not a copy
}

// Contact is ApiContactInformation.
type Contact struct {
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
	Email string `json:"email,omitempty"`
}

// License is ApiLicenseInformation.
type License struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Tag is a label on operations.
type Tag struct {
	Name                    string
	Description             string
	ExternalDocsURL         string
	ExternalDocsDescription string
}

// Schema is a document of types, stored as apis/{apiId}/schemas/{ID}.
type Schema struct {
	ID          string
	ContentType string // one of the ContentType constants
	// Document is the value of the resource's document property: an object
	// with the one member "components", "definitions" or "value".
	Document json.RawMessage
}

// Operation is an operation of the API. Its JSON form is the properties of an
// OperationContract.
type Operation struct {
	// ID is the resource name: lower case letters, digits and hyphens, at most
	// 80 of them, unique in the result.
	ID                 string      `json:"-"`
	DisplayName        string      `json:"displayName"`
	Description        string      `json:"description,omitempty"`
	Method             string      `json:"method"` // upper case
	URLTemplate        string      `json:"urlTemplate"`
	TemplateParameters []Parameter `json:"templateParameters"`
	Request            Request     `json:"request"`
	Responses          []Response  `json:"responses"`
	Tags               []string    `json:"-"`
	Deprecated         bool        `json:"-"`
	// Policy is the policy document that makes the operation work, as XML;
	// empty for one that needs none.
	Policy string `json:"-"`
}

// Parameter is ParameterContract: a path, query, header or form parameter, or
// a header of a response.
type Parameter struct {
	Name         string             `json:"name"`
	Description  string             `json:"description,omitempty"`
	Type         string             `json:"type"`
	DefaultValue string             `json:"defaultValue,omitempty"`
	Required     bool               `json:"required"`
	Values       []string           `json:"values"`
	SchemaID     string             `json:"schemaId,omitempty"`
	TypeName     string             `json:"typeName,omitempty"`
	Examples     map[string]Example `json:"examples,omitempty"`
}

// Header is a header of a request or response; it has a parameter's shape.
type Header = Parameter

// Example is ParameterExampleContract.
type Example struct {
	Summary       string          `json:"summary,omitempty"`
	Description   string          `json:"description,omitempty"`
	Value         json.RawMessage `json:"value,omitempty"`
	ExternalValue string          `json:"externalValue,omitempty"`
}

// Request is RequestContract.
type Request struct {
	Description     string           `json:"description,omitempty"`
	QueryParameters []Parameter      `json:"queryParameters"`
	Headers         []Header         `json:"headers"`
	Representations []Representation `json:"representations"`
}

// Response is ResponseContract.
type Response struct {
	StatusCode      int              `json:"statusCode"`
	Description     string           `json:"description,omitempty"`
	Headers         []Header         `json:"headers"`
	Representations []Representation `json:"representations"`
}

// Representation is RepresentationContract: a body in one content type.
type Representation struct {
	ContentType    string             `json:"contentType"`
	SchemaID       string             `json:"schemaId,omitempty"`
	TypeName       string             `json:"typeName,omitempty"`
	FormParameters []Parameter        `json:"formParameters,omitempty"`
	Examples       map[string]Example `json:"examples,omitempty"`
}

// Warning is something in the document that an API cannot express; the
// original keeps it.
type Warning struct {
	Line, Column int // from 1
	Message      string
}

// Error says why a document cannot be imported, or a result not be exported.
type Error struct {
	Line, Column int    // from 1; 0 when it is not about a place
	Reason       string // what is wrong
	Advice       string // what to do about it, a sentence
	Err          error  // cause, such as the context's error, or nil
}

// Error gives place, reason and advice in one line.
func (e *Error) Error() string {
	text := e.Reason
	if e.Advice != "" {
		text += ". " + e.Advice
	}
	if e.Line > 0 {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, text)
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
