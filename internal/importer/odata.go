package importer

import (
	"context"
	"net/url"
	"strings"
)

// odata maps the metadata of one service (OData CSDL XML 4.01, and the older forms under other namespaces).
type odata struct {
	tree      *xmlTree
	options   Options
	schemas   []*xmlNode
	types     map[string]*xmlNode // entity types by qualified name
	functions map[string][]*xmlNode
	actions   map[string][]*xmlNode
	aliases   map[string]string // namespaces by alias
	result    *Result
	ids       unique
	seen      map[string]bool
}

// maxAncestors bounds how many types may inherit from each other.
const maxAncestors = 32

func importOData(ctx context.Context, data []byte, o Options) (*Result, *Error) {
	t, err := readXML(ctx, data, o)
	if err != nil {
		return nil, err
	}
	if t.root.name.Local != "Edmx" {
		return nil, t.fail(t.root, "Send the document that the service answers at $metadata, as XML.", "the root element is %q, not Edmx", clip(t.root.name.Local))
	}
	m := &odata{
		tree: t, options: o, types: map[string]*xmlNode{}, functions: map[string][]*xmlNode{}, actions: map[string][]*xmlNode{},
		aliases: map[string]string{}, ids: unique{}, seen: map[string]bool{},
		result: &Result{Kind: FormatOData, Syntax: SyntaxXML, Type: TypeOData, SpecVersion: t.root.attr("Version"), Original: data},
	}
	m.collect()
	m.address()
	containers := 0
	m.service()
	for _, schema := range m.schemas {
		for _, c := range schema.children {
			if c.name.Local != "EntityContainer" {
				continue
			}
			containers++
			m.result.Title = first(m.result.Title, c.attr("Name"))
			if err := m.container(ctx, c); err != nil {
				return nil, err
			}
		}
	}
	if containers == 0 {
		return nil, t.fail(t.root, "Add an EntityContainer.", "the metadata has no entity container")
	}
	text := string(t.text)
	m.result.Schemas = []Schema{{ID: first(o.SchemaID, digestID(data)), ContentType: ContentTypeOData, Document: valueDocument(text)}}
	return m.result, nil
}

// collect finds the schemas and the declarations that others refer to.
func (m *odata) collect() {
	for _, services := range m.tree.root.children {
		for _, schema := range services.children {
			if services.name.Local != "DataServices" || schema.name.Local != "Schema" {
				continue
			}
			m.schemas = append(m.schemas, schema)
			namespace := schema.attr("Namespace")
			if alias := schema.attr("Alias"); alias != "" {
				m.aliases[alias] = namespace
			}
			for _, c := range schema.children {
				name := namespace + "." + c.attr("Name")
				switch c.name.Local {
				case "EntityType":
					m.types[name] = c
				case "Function":
					m.functions[name] = append(m.functions[name], c)
				case "Action":
					m.actions[name] = append(m.actions[name], c)
				}
			}
		}
	}
}

// full is a qualified name with its alias replaced.
func (m *odata) full(name string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return name
	}
	if namespace, ok := m.aliases[name[:dot]]; ok {
		return namespace + name[dot:]
	}
	return name
}

// address takes the service's URL from that of the metadata.
func (m *odata) address() {
	u, err := url.Parse(m.options.SourceURL)
	if err != nil || u.Host == "" {
		return
	}
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "$metadata"), "/")
	u.RawPath = ""
	m.result.ServiceURL, m.result.Path, m.result.Protocols = u.String(), strings.Trim(u.Path, "/"), []string{strings.ToLower(u.Scheme)}
}

// service adds what each OData service has.
func (m *odata) service() {
	m.add("Service document", "GET", "/", 200, nil)
	m.add("Metadata", "GET", "/$metadata", 200, nil)
	m.add("Batch", "POST", "/$batch", 200, nil)
}

func (m *odata) container(ctx context.Context, container *xmlNode) *Error {
	for _, c := range container.children {
		if ctx.Err() != nil {
			return &Error{Reason: "the import was stopped", Err: ctx.Err()}
		}
		name := c.attr("Name")
		switch c.name.Local {
		case "EntitySet", "Singleton", "FunctionImport", "ActionImport":
		default:
			continue
		}
		if !isODataName(name) {
			return m.tree.fail(c, "Use letters, digits and underscores.", "%q is no name of an %s", clip(name), c.name.Local)
		}
		var err *Error
		switch c.name.Local {
		case "EntitySet":
			err = m.entitySet(c, name)
		case "Singleton":
			m.add("Get "+name, "GET", "/"+name, 200, nil)
			m.add("Update "+name, "PATCH", "/"+name, 204, nil)
			m.below(name, "/"+name)
		case "FunctionImport":
			err = m.functionImport(c, name)
		case "ActionImport":
			m.add(name, "POST", "/"+name, 200, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isODataName tells a simple identifier.
func isODataName(name string) bool {
	return name != "" && len(name) <= 128 && !strings.ContainsAny(name, "/{}()?#&=*%<>\" \t\r\n")
}

// entitySet adds the operations of a set, of its entities and of what lies below them.
func (m *odata) entitySet(n *xmlNode, name string) *Error {
	entity := m.types[m.full(n.attr("EntityType"))]
	if entity == nil {
		return m.tree.fail(n, "Add it, or correct the name.", "there is no entity type %q", clip(n.attr("EntityType")))
	}
	m.add("Get "+name, "GET", "/"+name, 200, nil)
	m.add("Create "+name, "POST", "/"+name, 201, nil)
	key := []Parameter{{Name: "key", Description: m.keyText(entity), Type: "string", Required: true, Values: []string{}}}
	one := "/" + name + "({key})"
	m.add("Get one of "+name, "GET", one, 200, key)
	m.add("Update one of "+name, "PATCH", one, 204, key)
	m.add("Replace one of "+name, "PUT", one, 204, key)
	m.add("Delete one of "+name, "DELETE", one, 204, key)
	m.add("Get below "+name, "GET", "/"+name+"/{*path}", 200, []Parameter{restOfPath()})
	m.add("Post below "+name, "POST", "/"+name+"/{*path}", 200, []Parameter{restOfPath()}) // actions that are bound to the set
	for _, method := range []string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
		m.add(method+" below one of "+name, method, one+"/{*path}", 200, append(key[:1:1], restOfPath()))
	}
	return nil
}

// below adds the operations of what a path leads to.
func (m *odata) below(name, path string) {
	for _, method := range []string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
		m.add(method+" below "+name, method, path+"/{*path}", 200, []Parameter{restOfPath()})
	}
}

func restOfPath() Parameter {
	return Parameter{Name: "*path", Description: "Properties, related entities, bound functions and actions.", Type: "string", Required: true, Values: []string{}}
}

// keyText tells what the key of an entity type consists of.
func (m *odata) keyText(entity *xmlNode) string {
	for range maxAncestors {
		for _, c := range entity.children {
			if c.name.Local != "Key" {
				continue
			}
			var names []string
			for _, property := range c.children {
				names = append(names, property.attr("Name"))
			}
			return "Key of the entity: " + strings.Join(names, ", ") + "."
		}
		base := m.types[m.full(entity.attr("BaseType"))]
		if base == nil {
			break
		}
		entity = base
	}
	return "Key of the entity."
}

// functionImport adds the calls of a function: one per overload in version 4, with parameters in parentheses; in older versions with
// parameters in the query.
func (m *odata) functionImport(n *xmlNode, name string) *Error {
	target := n.attr("Function")
	if target == "" { // version 3 and before
		method := "GET"
		for _, a := range n.attrs {
			if a.Name.Local == "HttpMethod" {
				method = strings.ToUpper(a.Value)
			}
		}
		m.add(name, method, "/"+name, 200, nil)
		op := &m.result.Operations[len(m.result.Operations)-1]
		for _, p := range n.children {
			if p.name.Local == "Parameter" {
				op.Request.QueryParameters = append(op.Request.QueryParameters, edmParameter(p))
			}
		}
		return nil
	}
	overloads := m.functions[m.full(target)]
	if len(overloads) == 0 {
		return m.tree.fail(n, "Add it, or correct the name.", "there is no function %q", clip(target))
	}
	for _, f := range overloads {
		if f.attr("IsBound") == "true" {
			continue
		}
		var parts []string
		var parameters []Parameter
		for _, p := range f.children {
			if p.name.Local != "Parameter" {
				continue
			}
			parameter := edmParameter(p)
			parameter.Required = true
			if !isODataName(parameter.Name) {
				return m.tree.fail(p, "Use letters, digits and underscores.", "%q is no name of a parameter", clip(parameter.Name))
			}
			parts = append(parts, parameter.Name+"={"+parameter.Name+"}")
			parameters = append(parameters, parameter)
		}
		path := "/" + name + "(" + strings.Join(parts, ",") + ")"
		if len(path) > maxTemplate {
			return m.tree.fail(f, "Use fewer or shorter parameters.", "the function %q has too many parameters", name)
		}
		m.add(name, "GET", path, 200, parameters)
		if len(parts) == 0 {
			m.add(name, "GET", "/"+name, 200, nil)
		}
	}
	return nil
}

func edmParameter(n *xmlNode) Parameter {
	p := Parameter{Name: n.attr("Name"), Type: "string", Required: n.attr("Nullable") == "false", Values: []string{}}
	switch n.attr("Type") {
	case "Edm.Boolean":
		p.Type = "boolean"
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64":
		p.Type = "integer"
	case "Edm.Decimal", "Edm.Double", "Edm.Single":
		p.Type = "number"
	}
	return p
}

// add makes one operation, once per method and path.
func (m *odata) add(title, method, path string, status int, parameters []Parameter) {
	if m.seen[method+path] {
		return
	}
	m.seen[method+path] = true
	if parameters == nil {
		parameters = []Parameter{}
	}
	body := []Representation{}
	if method == "POST" || method == "PATCH" || method == "PUT" {
		body = append(body, Representation{ContentType: jsonType})
	}
	answer := []Representation{}
	switch {
	case path == "/$metadata":
		answer = append(answer, Representation{ContentType: "application/xml"})
	case status != 204:
		answer = append(answer, Representation{ContentType: jsonType})
	}
	m.result.Operations = append(m.result.Operations, Operation{
		ID: m.ids.name(first(normalID(title), "operation")), DisplayName: displayName(title, "", method, path), Method: method, URLTemplate: path,
		TemplateParameters: parameters,
		Request:            Request{QueryParameters: []Parameter{}, Headers: []Header{}, Representations: body},
		Responses:          []Response{{StatusCode: status, Headers: []Header{}, Representations: answer}},
	})
}
