package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// exportedOpenAPI is the version that API Management exports too.
const exportedOpenAPI = "3.0.1"

// Export writes the description of what r holds: OpenAPI 3.0 as YAML for
// [FormatOpenAPI], as JSON for [FormatOpenAPIJSON], Swagger 2.0 as JSON for
// [FormatSwaggerJSON], WADL for [FormatWADL], WSDL 1.1 of a SOAP API for
// [FormatWSDL], and the schema for the formats that consist of it. Operation IDs become operationId and display names
// summary. It never returns r.Original; a caller that wants the bytes of the
// same format back takes them from there. An error is an *[Error].
func Export(r *Result, f Format) ([]byte, error) {
	if text, err, ok := exportOther(r, f); ok {
		if err != nil {
			return nil, err
		}
		return text, nil
	}
	w := writer{result: r, swagger: f == FormatSwaggerJSON}
	if f != FormatOpenAPI && f != FormatOpenAPIJSON && f != FormatSwaggerJSON {
		return nil, &Error{Reason: fmt.Sprintf("the format %q cannot be written", clip(string(f))), Advice: `Use a format that can be imported.`}
	}
	root, err := w.document()
	if err != nil {
		return nil, err
	}
	if f == FormatOpenAPI {
		out, err := yaml.Dump(yamlNode(root))
		if err != nil {
			return nil, &Error{Reason: "the description cannot be written as YAML: " + err.Error(), Err: err}
		}
		return out, nil
	}
	var out bytes.Buffer
	if err := json.Indent(&out, appendJSON(nil, root), "", "  "); err != nil {
		return nil, &Error{Reason: "the description cannot be written as JSON: " + err.Error(), Err: err}
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// writer builds the tree of one description.
type writer struct {
	result  *Result
	swagger bool
	types   *node // the named types, with references in the target's form
}

// section is how references to a named type start.
func (w *writer) section() string {
	if w.swagger {
		return "#/definitions/"
	}
	return "#/components/schemas/"
}

func (w *writer) document() (*node, *Error) {
	if err := w.readTypes(); err != nil {
		return nil, err
	}
	r := w.result
	version := r.Version
	if version == "" {
		version = "1.0"
	}
	info := newObject().set("title", always(r.Title)).set("description", optional(r.Description)).
		set("termsOfService", optional(r.TermsOfService))
	if c := r.Contact; c != nil {
		info.set("contact", newObject().set("name", optional(c.Name)).set("url", optional(c.URL)).set("email", optional(c.Email)))
	}
	if l := r.License; l != nil {
		info.set("license", newObject().set("name", always(l.Name)).set("url", optional(l.URL)))
	}
	info.set("version", always(version))

	root := newObject()
	if w.swagger {
		root.set("swagger", always("2.0")).set("info", info)
		w.swaggerServer(root)
	} else {
		root.set("openapi", always(exportedOpenAPI)).set("info", info)
		if r.ServiceURL != "" {
			root.set("servers", newArray(newObject().set("url", always(r.ServiceURL))))
		}
	}
	root.set("tags", nonEmpty(w.tags()))
	paths, extra := w.paths()
	root.set("paths", paths).set("x-ms-paths", nonEmpty(extra))
	if len(w.types.members) > 0 && w.swagger {
		root.set("definitions", w.types)
	} else if len(w.types.members) > 0 {
		root.set("components", newObject().set("schemas", w.types))
	}
	return root, nil
}

// readTypes gathers the schema documents of both kinds.
func (w *writer) readTypes() *Error {
	w.types = newObject()
	seen := map[string]bool{}
	for _, schema := range w.result.Schemas {
		from := "#/components/schemas/"
		switch schema.ContentType {
		case ContentTypeXSD, ContentTypeWADL, ContentTypeOData, ContentTypeGraphQL, ContentTypeProto:
			continue
		}
		root, err := readJSON(context.Background(), schema.Document, DefaultMaxDepth+1)
		if err != nil {
			return &Error{Reason: fmt.Sprintf("the schema %q is not valid: %s", schema.ID, err.Reason), Err: err}
		}
		named := root.get("components").get("schemas")
		if named == nil {
			from, named = "#/definitions/", root.get("definitions")
		}
		for _, m := range named.object() {
			if !seen[m.name] {
				seen[m.name] = true
				w.types.set(m.name, moved(m.node, from, w.section()))
			}
		}
	}
	w.types.buildIndex()
	return nil
}

func (w *writer) swaggerServer(root *node) {
	u, err := url.Parse(w.result.ServiceURL)
	if err != nil || u.Host == "" {
		return
	}
	protocols := w.result.Protocols
	if len(protocols) == 0 {
		protocols = []string{u.Scheme}
	}
	root.set("host", always(u.Host)).set("basePath", optional(u.EscapedPath())).set("schemes", stringsNode(protocols))
}

func (w *writer) tags() *node {
	out := newArray()
	for _, tag := range w.result.Tags {
		docs := newObject().set("url", optional(tag.ExternalDocsURL)).set("description", optional(tag.ExternalDocsDescription))
		out.items = append(out.items, newObject().set("name", always(tag.Name)).
			set("description", optional(tag.Description)).set("externalDocs", nonEmpty(docs)))
	}
	return out
}

// paths groups the operations by path. Operations that differ in the query of
// their template only cannot stand beside each other there; the second one goes
// to x-ms-paths with its whole template.
func (w *writer) paths() (paths, extra *node) {
	paths, extra = newObject(), newObject()
	items := map[string]*node{}
	taken := map[string]bool{}
	for i := range w.result.Operations {
		op := &w.result.Operations[i]
		group, path := paths, op.URLTemplate
		if bare, _, ok := strings.Cut(path, "?"); ok && !taken[op.Method+bare] {
			path = bare
		} else if ok {
			group = extra
		}
		taken[op.Method+path] = true
		if items[path] == nil {
			items[path] = newObject()
			group.set(path, items[path])
		}
		items[path].set(strings.ToLower(op.Method), w.operation(op, path))
	}
	return paths, extra
}

func (w *writer) operation(op *Operation, path string) *node {
	out := newObject().set("tags", stringsNode(op.Tags)).set("summary", optional(op.DisplayName)).
		set("description", optional(op.Description)).set("operationId", optional(op.ID))
	parameters := newArray()
	names, _ := templateNames(path)
	for _, p := range op.TemplateParameters {
		in := "path"
		if bare, _, _ := strings.Cut(path, "?"); !slices.Contains(names, p.Name) || !strings.Contains(bare, "{"+p.Name+"}") {
			in = "query"
		}
		p.Required = true
		parameters.items = append(parameters.items, w.parameter(&p, in))
	}
	for i := range op.Request.QueryParameters {
		parameters.items = append(parameters.items, w.parameter(&op.Request.QueryParameters[i], "query"))
	}
	for i := range op.Request.Headers {
		parameters.items = append(parameters.items, w.parameter(&op.Request.Headers[i], "header"))
	}
	if w.swagger {
		w.swaggerBodies(out, parameters, op)
	} else {
		out.set("parameters", nonEmpty(parameters))
		if content := nonEmpty(w.content(op.Request.Representations)); content != nil {
			out.set("requestBody", newObject().set("description", optional(op.Request.Description)).set("content", content))
		}
	}
	responses := newObject()
	for i := range op.Responses {
		responses.set(strconv.Itoa(op.Responses[i].StatusCode), w.response(&op.Responses[i]))
	}
	if len(responses.members) == 0 {
		responses.set("200", newObject().set("description", always("")))
	}
	return out.set("responses", responses).set("deprecated", optionalTrue(op.Deprecated))
}

// parameter writes a parameter, or with an empty in a header of a response.
func (w *writer) parameter(p *Parameter, in string) *node {
	out := newObject()
	if in != "" {
		out.set("name", always(p.Name)).set("in", always(in))
	}
	out.set("description", optional(p.Description))
	if in != "" || !w.swagger {
		out.set("required", optionalTrue(p.Required))
	}
	if w.swagger {
		out.members = append(out.members, w.schema(p).members...)
		return out
	}
	return out.set("schema", w.schema(p)).set("examples", nonEmpty(exampleNodes(p.Examples)))
}

// schema writes the type of a parameter. Swagger 2.0 allows no reference there.
func (w *writer) schema(p *Parameter) *node {
	if !w.swagger && w.types.get(p.TypeName) != nil {
		return newObject().set("$ref", always(w.section()+pointerEscape(p.TypeName)))
	}
	typeName := p.Type
	if typeName == "" {
		typeName = "string"
	}
	out := newObject()
	if typeName == "file" && !w.swagger {
		return out.set("type", always("string")).set("format", always("binary"))
	}
	out.set("type", always(typeName))
	if typeName == "array" {
		out.set("items", newObject().set("type", always("string")))
	}
	if len(p.Values) > 0 {
		values := newArray()
		for _, v := range p.Values {
			values.items = append(values.items, typed(v, typeName))
		}
		out.set("enum", values)
	}
	if p.DefaultValue != "" {
		out.set("default", typed(p.DefaultValue, typeName))
	}
	return out
}

// bodySchema refers to the type of a representation, or is nil.
func (w *writer) bodySchema(r *Representation) *node {
	if w.types.get(r.TypeName) == nil {
		return nil
	}
	return newObject().set("$ref", always(w.section()+pointerEscape(r.TypeName)))
}

func (w *writer) content(list []Representation) *node {
	out := newObject()
	for i := range list {
		r := &list[i]
		media := newObject()
		if len(r.FormParameters) > 0 {
			media.set("schema", w.form(r.FormParameters))
		} else {
			media.set("schema", w.bodySchema(r))
		}
		out.set(r.ContentType, media.set("examples", nonEmpty(exampleNodes(r.Examples))))
	}
	return out
}

func (w *writer) form(parameters []Parameter) *node {
	properties := newObject()
	var required []string
	for i := range parameters {
		p := &parameters[i]
		schema := w.schema(p)
		if p.TypeName == "" {
			schema.set("description", optional(p.Description))
		}
		properties.set(p.Name, schema)
		if p.Required {
			required = append(required, p.Name)
		}
	}
	return newObject().set("type", always("object")).set("required", stringsNode(required)).set("properties", properties)
}

func (w *writer) response(r *Response) *node {
	out := newObject().set("description", always(r.Description))
	headers := newObject()
	for i := range r.Headers {
		headers.set(r.Headers[i].Name, w.parameter(&r.Headers[i], ""))
	}
	out.set("headers", nonEmpty(headers))
	if !w.swagger {
		return out.set("content", nonEmpty(w.content(r.Representations)))
	}
	examples := newObject()
	for i := range r.Representations {
		if out.get("schema") == nil {
			out.set("schema", w.bodySchema(&r.Representations[i]))
		}
		if value := firstExample(r.Representations[i].Examples); value != nil {
			examples.set(r.Representations[i].ContentType, value)
		}
	}
	return out.set("examples", nonEmpty(examples))
}
