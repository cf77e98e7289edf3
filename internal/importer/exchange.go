package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// exchange fills in what goes in and out of one operation.
type exchange struct {
	*mapper
	operation *Operation
	node      *node    // the operation in the document
	names     []string // parameters of the URL template
	path      *member
	params    []param
	index     map[[2]string]int // of params, by location and name
}

// param is a resolved parameter of the operation or its path.
type param struct {
	name, in string
	node     *node
	place    place
}

func (x *exchange) fill(item *node) *Error {
	x.index = map[[2]string]int{}
	for _, list := range []*node{item.get("parameters"), x.node.get("parameters")} {
		if err := x.collect(list); err != nil {
			return err
		}
	}
	x.operation.Request = Request{
		QueryParameters: []Parameter{}, Headers: []Header{}, Representations: []Representation{},
	}
	if err := x.parameters(); err != nil {
		return err
	}
	if err := x.request(); err != nil {
		return err
	}
	return x.responses()
}

// collect adds a list of parameters; one of the operation takes the place of
// the path's one with the same name and location.
func (x *exchange) collect(list *node) *Error {
	if list != nil && list.kind != kindArray {
		return x.tree.fail(list.place, fmt.Sprintf(`"parameters" is %s, not an array`, list.kind), `Write a list of parameters, each with "name" and "in".`)
	}
	for _, item := range list.array() {
		n, err := x.refs.resolve(item)
		if err == nil {
			err = x.spend(elementBytes)
		}
		if err != nil {
			return err
		}
		p := param{n.get("name").str(), n.get("in").str(), n, item.place}
		if p.name == "" || p.in == "" {
			return x.tree.fail(item.place, `a parameter lacks "name" or "in"`, "Add both.")
		}
		key := [2]string{p.in, p.name}
		if i, ok := x.index[key]; ok {
			x.params[i] = p
		} else {
			x.index[key] = len(x.params)
			x.params = append(x.params, p)
		}
	}
	return nil
}

// parameters sorts the parameters into URL template, query and headers. Bodies
// and forms of Swagger 2.0 are left to request.
func (x *exchange) parameters() *Error {
	op := x.operation
	inPath := map[string]Parameter{}
	for _, p := range x.params {
		switch p.in {
		case "path", "query", "header":
		case "body", "formData":
			if x.swagger {
				continue
			}
			fallthrough
		default:
			x.warnings.add(p.place, "parameters in %q are not imported", clip(p.in))
			continue
		}
		out, err := x.parameter(p)
		if err != nil {
			return err
		}
		switch p.in {
		case "path":
			if !slices.Contains(x.names, p.name) {
				x.warnings.add(p.place, "the path parameter %q is not in the path and is left out", clip(p.name))
				continue
			}
			out.Required = true
			inPath[p.name] = out
		case "query":
			op.Request.QueryParameters = append(op.Request.QueryParameters, out)
		default:
			op.Request.Headers = append(op.Request.Headers, out)
		}
	}
	op.TemplateParameters = make([]Parameter, 0, len(x.names))
	for _, name := range x.names {
		out, ok := inPath[name]
		if !ok {
			x.warnings.add(x.path.place, "the parameter %q of the path %q is not described; it is taken for a string", name, clip(x.path.name))
			out = Parameter{Name: name, Type: "string", Required: true, Values: []string{}}
		}
		op.TemplateParameters = append(op.TemplateParameters, out)
	}
	if x.options.RequiredQuery == RequiredQueryAsTemplate {
		x.queryToTemplate()
	}
	return nil
}

// queryToTemplate moves required query parameters into the URL template. One
// whose name the template has already stays where it is.
func (x *exchange) queryToTemplate() {
	op := x.operation
	rest := []Parameter{}
	for _, p := range op.Request.QueryParameters {
		fits := len(op.URLTemplate)+2*len(p.Name)+len("&={}") <= maxTemplate && !strings.ContainsAny(p.Name, "{}/?&=#")
		if !p.Required || !fits || slices.ContainsFunc(op.TemplateParameters, func(o Parameter) bool { return strings.EqualFold(o.Name, p.Name) }) {
			rest = append(rest, p)
			continue
		}
		separator := "?"
		if strings.Contains(op.URLTemplate, "?") {
			separator = "&"
		}
		op.URLTemplate += separator + p.Name + "={" + p.Name + "}"
		op.TemplateParameters = append(op.TemplateParameters, p)
	}
	op.Request.QueryParameters = rest
}

// parameter maps a parameter of path, query or header.
func (x *exchange) parameter(p param) (Parameter, *Error) {
	out := Parameter{Name: p.name, Description: p.node.get("description").str(), Required: p.node.get("required").is()}
	err := x.describe(&out, p.node)
	return out, err
}

// describe fills in type, values and examples of a parameter or header object.
func (m *mapper) describe(out *Parameter, holder *node) *Error {
	schema := holder
	if !m.swagger {
		schema = holder.get("schema")
		if content := holder.get("content").object(); schema == nil && len(content) > 0 {
			schema = content[0].node.get("schema")
		}
	}
	if err := m.describeSchema(out, schema); err != nil {
		return err
	}
	examples, err := m.examples(holder)
	if examples != nil {
		out.Examples = examples
	}
	return err
}

func (m *mapper) describeSchema(out *Parameter, schema *node) *Error {
	resolved, err := m.refs.resolve(schema)
	if err == nil {
		err = m.spend(partBytes + elementBytes*len(resolved.get("enum").array()))
	}
	if err != nil {
		return err
	}
	if name := m.types.named(schema); name != "" {
		out.SchemaID, out.TypeName = m.types.schemaID, name
	}
	out.Type = typeOf(resolved)
	if value := resolved.get("default"); value != nil {
		out.DefaultValue = textOf(value)
	}
	out.Values = []string{}
	for _, value := range resolved.get("enum").array() {
		if value.kind != kindNull {
			out.Values = append(out.Values, textOf(value))
		}
	}
	if out.Description == "" {
		out.Description = resolved.get("description").str()
	}
	out.Examples, err = m.examples(resolved)
	return err
}

// typeOf names the type of a schema. OpenAPI 3.1 may list several.
func typeOf(schema *node) string {
	t := schema.get("type")
	for _, item := range t.array() {
		if item.str() != "null" {
			t = item
			break
		}
	}
	if name := t.str(); name != "" {
		return name
	}
	for _, value := range schema.get("enum").array() {
		switch value.kind {
		case kindNumber:
			return "number"
		case kindBool:
			return "boolean"
		}
	}
	return "string"
}

// textOf writes a value as the text that a request would carry.
func textOf(n *node) string {
	if n.kind >= kindArray {
		return string(appendJSON(nil, n))
	}
	return n.text
}

// examples maps "examples" and "example" of a parameter, media type or schema.
func (m *mapper) examples(holder *node) (map[string]Example, *Error) {
	single := holder.get("example")
	many := holder.get("examples")
	if items := many.array(); len(items) > 0 && single == nil {
		single = items[0] // a schema of OpenAPI 3.1
	}
	if len(many.object()) == 0 {
		if single == nil {
			return nil, nil
		}
		value, err := m.value(single)
		return map[string]Example{"default": {Value: value}}, err
	}
	all := make(map[string]Example, len(many.members))
	for _, entry := range many.members {
		n, err := m.refs.resolve(entry.node)
		if err != nil {
			return nil, err
		}
		example := Example{Summary: n.get("summary").str(), Description: n.get("description").str(), ExternalValue: n.get("externalValue").str()}
		if value := n.get("value"); value != nil {
			if example.Value, err = m.value(value); err != nil {
				return nil, err
			}
		}
		all[entry.name] = example
	}
	return all, nil
}

// value writes sample data as JSON.
func (m *mapper) value(n *node) (json.RawMessage, *Error) {
	b := appendJSON(nil, n)
	return b, m.spend(partBytes + len(b))
}

// responses maps the responses. A status code is a number at API Management:
// "4XX" becomes 400 and "default", if there is nothing else, 200.
func (x *exchange) responses() *Error {
	x.operation.Responses = []Response{}
	all := x.node.get("responses")
	have := map[int]bool{}
	for _, entry := range all.object() {
		status, err := strconv.Atoi(entry.name)
		switch {
		case err == nil && status >= 100 && status <= 599:
			have[status] = true
		case isStatusRange(entry.name), entry.name == "default", strings.HasPrefix(entry.name, "x-"):
		default:
			return x.tree.fail(entry.place, fmt.Sprintf("%q is not a status code", clip(entry.name)), `Use a number from 100 to 599, "4XX" or "default".`)
		}
	}
	for _, entry := range all.object() {
		status, _ := strconv.Atoi(entry.name)
		switch {
		case status != 0:
		case isStatusRange(entry.name) && !have[int(entry.name[0]-'0')*100]:
			status = int(entry.name[0]-'0') * 100
		case entry.name == "default" && len(have) == 0 && len(all.members) == 1:
			status = 200
		case entry.name == "default":
			x.warnings.add(entry.place, "default responses beside others are not imported")
			continue
		default:
			continue
		}
		response, err := x.response(status, entry.node)
		if err != nil {
			return err
		}
		x.operation.Responses = append(x.operation.Responses, response)
	}
	return nil
}

func isStatusRange(name string) bool {
	return len(name) == 3 && name[0] >= '1' && name[0] <= '5' && strings.EqualFold(name[1:], "xx")
}

func (x *exchange) response(status int, n *node) (Response, *Error) {
	out := Response{StatusCode: status, Headers: []Header{}, Representations: []Representation{}}
	n, err := x.refs.resolve(n)
	if err == nil {
		err = x.spend(partBytes)
	}
	if err != nil {
		return out, err
	}
	out.Description = n.get("description").str()
	for _, entry := range n.get("headers").object() {
		header, err := x.refs.resolve(entry.node)
		if err != nil {
			return out, err
		}
		p, err := x.parameter(param{name: entry.name, node: header})
		if err != nil {
			return out, err
		}
		out.Headers = append(out.Headers, p)
	}
	if x.swagger {
		out.Representations, err = x.swaggerResponse(status, n)
	} else {
		out.Representations, err = x.content(n.get("content"), func(contentType string) string {
			return x.typeName(strconv.Itoa(status) + pascal(contentType) + "Response")
		})
	}
	return out, err
}
