package resources

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// routeIndex finds operations by their API, method and URL template.
const routeIndex = "route"

// Operation is one operation of an API.
type Operation struct {
	DisplayName        string              `json:"displayName" rule:"required,max=300" filter:"yes" doc:"Name that people see."`
	Method             string              `json:"method" rule:"required,max=40,pattern=[A-Za-z0-9!#$%&'*+.^_|~-]+" filter:"yes" doc:"HTTP method."`
	URLTemplate        string              `json:"urlTemplate" rule:"required,max=1000" filter:"yes" doc:"Path below the API's, with parameters in braces; a query may follow."`
	TemplateParameters []Parameter         `json:"templateParameters" doc:"Parameters of the URL template."`
	Description        string              `json:"description,omitempty" filter:"yes" doc:"Description; may hold HTML."`
	Request            *OperationRequest   `json:"request,omitempty" doc:"What the operation takes."`
	Responses          []OperationResponse `json:"responses" doc:"What the operation answers."`
	Policies           *string             `json:"policies,omitempty" rule:"writeonly" doc:"Policy document of the operation as XML: the same as writing it under policies/policy."`
}

// Parameter is a template, query, header or form parameter.
type Parameter struct {
	Name         string             `json:"name" rule:"required" doc:"Name."`
	Description  string             `json:"description,omitempty" doc:"Description."`
	Type         string             `json:"type" rule:"default=string" doc:"Type of the value."`
	DefaultValue string             `json:"defaultValue,omitempty" doc:"Value when there is none."`
	Required     bool               `json:"required" doc:"The parameter has to be there."`
	Values       []string           `json:"values" doc:"The values that are allowed; empty for any."`
	SchemaID     string             `json:"schemaId,omitempty" doc:"Schema of the API that holds the type."`
	TypeName     string             `json:"typeName,omitempty" doc:"Name of the type in the schema."`
	Examples     map[string]Example `json:"examples,omitempty" doc:"Examples by name."`
}

// Example is an example of a value.
type Example struct {
	Summary       string          `json:"summary,omitempty" doc:"Short description."`
	Description   string          `json:"description,omitempty" doc:"Long description."`
	Value         json.RawMessage `json:"value,omitempty" doc:"The value."`
	ExternalValue string          `json:"externalValue,omitempty" doc:"URL of the value."`
}

// OperationRequest is what an operation takes.
type OperationRequest struct {
	Description     string           `json:"description,omitempty" doc:"Description."`
	QueryParameters []Parameter      `json:"queryParameters" doc:"Query parameters."`
	Headers         []Parameter      `json:"headers" doc:"Headers."`
	Representations []Representation `json:"representations" doc:"Bodies by media type."`
}

// OperationResponse is one answer of an operation.
type OperationResponse struct {
	StatusCode      int              `json:"statusCode" rule:"min=0,max=999" doc:"Status code."`
	Description     string           `json:"description,omitempty" doc:"Description."`
	Headers         []Parameter      `json:"headers" doc:"Headers."`
	Representations []Representation `json:"representations" doc:"Bodies by media type."`
}

// Representation is a body in one media type.
type Representation struct {
	ContentType    string             `json:"contentType" rule:"required" doc:"Media type."`
	SchemaID       string             `json:"schemaId,omitempty" doc:"Schema of the API that holds the type."`
	TypeName       string             `json:"typeName,omitempty" doc:"Name of the type in the schema."`
	FormParameters []Parameter        `json:"formParameters,omitempty" doc:"Fields of a form."`
	Examples       map[string]Example `json:"examples,omitempty" doc:"Examples by name."`
}

func operations(env Env) *resource.Type {
	return resource.Define(resource.Spec[Operation]{
		Name: "operations", Title: "Operation", Doc: "An operation of an API: method and URL template with what it takes and answers.",
		Parents: []string{"apis"}, Workspaces: true, Verbs: resource.CRUDL,
		Default: func(_ *resource.Tx, _, d *resource.Doc[Operation]) error {
			d.Props.complete()
			return nil
		},
		Check: checkOperation,
		After: func(x *resource.Tx, _, d *resource.Doc[Operation]) error {
			if err := outdateDefinition(x, d.ID.Parent()); err != nil {
				return err
			}
			if d.Props.Policies == nil || strings.TrimSpace(*d.Props.Policies) == "" {
				return nil
			}
			return env.savePolicy(x, d.ID, policy.ScopeOperation, *d.Props.Policies)
		},
		Delete: func(x *resource.Tx, old *resource.Doc[Operation]) error {
			if !x.ID.Equal(old.ID) {
				return nil // the API goes too
			}
			if err := keepHandshake(x, old); err != nil {
				return err
			}
			return outdateDefinition(x, old.ID.Parent())
		},
		Keep: taggedWith[Operation], KeepParams: []string{"tags"},
		Indexes: func(d *resource.Doc[Operation]) []resource.Index {
			return []resource.Index{{Name: routeIndex, Value: routeOf(d)}}
		},
		Publish: publishOperation,
	})
}

// routeOf is what no two operations of an API may share. Long templates would not fit into an index: the start will do,
// because checkOperation compares the rest.
func routeOf(d *resource.Doc[Operation]) string {
	route := d.ID.Parent().Rel() + " " + strings.ToUpper(d.Props.Method) + " " + strings.ToLower(d.Props.URLTemplate)
	return strings.ToValidUTF8(route[:min(len(route), 400)], "")
}

// complete makes lists of missing ones and gives the method and the template their usual forms.
func (o *Operation) complete() {
	o.Method = strings.ToUpper(o.Method)
	if o.URLTemplate != "" && o.URLTemplate[0] != '/' {
		o.URLTemplate = "/" + o.URLTemplate
	}
	o.TemplateParameters = completeParameters(o.TemplateParameters)
	if r := o.Request; r != nil {
		r.QueryParameters, r.Headers = completeParameters(r.QueryParameters), completeParameters(r.Headers)
		r.Representations = completeRepresentations(r.Representations)
	}
	o.Responses = orEmpty(o.Responses)
	for i := range o.Responses {
		r := &o.Responses[i]
		r.Headers, r.Representations = completeParameters(r.Headers), completeRepresentations(r.Representations)
	}
}

func completeParameters(list []Parameter) []Parameter {
	for i := range list {
		list[i].Values = orEmpty(list[i].Values)
	}
	return orEmpty(list)
}

func completeRepresentations(list []Representation) []Representation {
	for i := range list {
		if form := list[i].FormParameters; form != nil {
			list[i].FormParameters = completeParameters(form)
		}
	}
	return orEmpty(list)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func checkOperation(x *resource.Tx, _, d *resource.Doc[Operation]) error {
	if err := checkHandshake(x, d); err != nil {
		return err
	}
	if err := checkTemplate(d.Props.URLTemplate, d.Props.TemplateParameters); err != nil {
		return err
	}
	keys, err := x.Lookup(routeIndex, routeOf(d))
	if err != nil {
		return err
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if id.Equal(d.ID) {
			continue
		}
		other, err := resource.Get[Operation](&x.Reader, id)
		if err != nil {
			return err
		}
		if strings.EqualFold(other.Props.URLTemplate, d.Props.URLTemplate) {
			return arm.Invalid("urlTemplate", "The operation %q of the API has the same method and URL template.", other.Name())
		}
	}
	return nil
}

// checkTemplate checks a URL template and that its parameters are declared.
func checkTemplate(template string, declared []Parameter) error {
	names, problem := templateNames(template)
	if problem != "" {
		return arm.Invalid("urlTemplate", "The URL template %q is not valid: %s.", template, problem)
	}
	known := make(map[string]bool, len(declared))
	for _, p := range declared {
		name := strings.ToLower(strings.TrimPrefix(p.Name, "*"))
		if known[name] {
			return arm.Invalid("templateParameters", "The template parameter %q is declared twice.", p.Name)
		}
		known[name] = true
	}
	for _, name := range names {
		if !known[strings.ToLower(name)] {
			return arm.Invalid("templateParameters", "The parameter %q of the URL template is not among templateParameters.", name)
		}
	}
	return nil
}

// templateNames returns the names of a template's parameters, or what is wrong with it.
func templateNames(template string) (names []string, problem string) {
	rest := template
	for {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			return names, ""
		}
		if rest[open] == '}' {
			return nil, "a closing brace has no opening one"
		}
		rest = rest[open+1:]
		end := strings.IndexAny(rest, "{}")
		if end < 0 || rest[end] == '{' {
			return nil, "an opening brace has no closing one"
		}
		name := strings.TrimPrefix(rest[:end], "*")
		switch {
		case name == "" || strings.ContainsAny(name, "/?&= "):
			return nil, "a parameter has no valid name"
		case slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }):
			return nil, "the parameter " + name + " stands twice"
		}
		names, rest = append(names, name), rest[end+1:]
	}
}

func publishOperation(p *resource.Pub, d *resource.Doc[Operation]) error {
	o := &d.Props
	part := snapshot.Operation{
		API: strings.ToLower(d.ID.Parent().Name()), Name: d.Name(), Display: o.DisplayName, Method: o.Method, URLTemplate: o.URLTemplate,
		Parameters: mapAll(o.TemplateParameters, publishedParameter),
	}
	if r := o.Request; r != nil {
		part.Request = &snapshot.OperationRequest{
			Query: mapAll(r.QueryParameters, publishedParameter), Headers: mapAll(r.Headers, publishedParameter),
			Representations: mapAll(r.Representations, publishedRepresentation),
		}
	}
	part.Responses = mapAll(o.Responses, func(r *OperationResponse) snapshot.OperationResponse {
		return snapshot.OperationResponse{
			Status: r.StatusCode, Description: r.Description, Headers: mapAll(r.Headers, publishedParameter),
			Representations: mapAll(r.Representations, publishedRepresentation),
		}
	})
	return p.Add(snapshot.KindOperation, d.ID.Rel(), part)
}

func publishedParameter(p *Parameter) snapshot.Parameter {
	return snapshot.Parameter{
		Name: p.Name, Type: p.Type, Required: p.Required, Default: p.DefaultValue, Values: p.Values, Schema: p.SchemaID, TypeName: p.TypeName,
	}
}

func publishedRepresentation(r *Representation) snapshot.Representation {
	out := snapshot.Representation{ContentType: r.ContentType, Schema: r.SchemaID, TypeName: r.TypeName}
	for _, name := range slices.Sorted(maps.Keys(r.Examples)) {
		out.Examples = append(out.Examples, exampleText(r.Examples[name].Value))
	}
	return out
}

// exampleText is the body that an example stands for: the characters of a string, the JSON of anything else.
func exampleText(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}
