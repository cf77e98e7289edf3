package resource

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
)

// m is a JSON object under construction.
type m = map[string]any

// OpenAPI returns the management API's own description (OpenAPI 3.0), derived from the declarations.
func (c *Catalogue) OpenAPI() []byte {
	versions := arm.APIVersions()
	doc := m{
		"openapi": "3.0.3",
		"info": m{
			"title": "Causeway management API", "version": versions[len(versions)-1],
			"description": "ARM REST API of API Management services, compatible with Microsoft.ApiManagement.",
		},
		"security":   []m{{"bearer": []string{}}},
		"paths":      c.openAPIPaths(),
		"components": c.openAPIComponents(versions),
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return []byte("{}") // nothing in it can fail to encode
	}
	return out
}

func (c *Catalogue) openAPIComponents(versions []string) m {
	schemas := m{
		"Error": m{"type": "object", "properties": m{"error": m{"type": "object", "properties": m{
			"code": m{"type": "string"}, "message": m{"type": "string"}, "target": m{"type": "string"},
			"details": m{"type": "array", "nullable": true, "items": m{"type": "object", "properties": m{"code": m{"type": "string"}, "target": m{"type": "string"}, "message": m{"type": "string"}}}},
		}}}},
	}
	for _, n := range c.order {
		if n.typ.reason == "" && n.typ.join == "" && !n.typ.has.items {
			schemas[n.schemaName()] = n.openAPISchema()
		}
	}
	return m{
		"securitySchemes": m{"bearer": m{"type": "http", "scheme": "bearer"}},
		"schemas":         schemas,
		"responses":       m{"Error": m{"description": "The error.", "content": m{"application/json": m{"schema": ref("Error")}}}},
		"parameters": m{
			"api-version": m{"name": "api-version", "in": "query", "required": true, "schema": m{"type": "string", "enum": versions}},
			"filter":      m{"name": "$filter", "in": "query", "schema": m{"type": "string"}},
			"top":         m{"name": "$top", "in": "query", "schema": m{"type": "integer", "minimum": 1}},
			"skip":        m{"name": "$skip", "in": "query", "schema": m{"type": "integer", "minimum": 0}},
			"if-match":    m{"name": "If-Match", "in": "header", "schema": m{"type": "string"}},
		},
	}
}

func ref(schema string) m { return m{"$ref": "#/components/schemas/" + schema} }

func param(name string) m { return m{"$ref": "#/components/parameters/" + name} }

// schemaName is unique: the path in PascalCase.
func (n *node) schemaName() string {
	if n.path == "" {
		return "Service"
	}
	var b strings.Builder
	for seg := range strings.SplitSeq(n.path, "/") {
		b.WriteString(strings.ToUpper(seg[:1]) + seg[1:])
	}
	return b.String()
}

func (n *node) openAPISchema() m {
	props := m{"id": m{"type": "string", "readOnly": true}, "type": m{"type": "string", "readOnly": true}, "name": m{"type": "string", "readOnly": true}}
	own := openAPIObject(n.typ.schema.info(map[*schema]bool{}))
	if !n.typ.topLevel {
		props["properties"] = own
		return m{"type": "object", "properties": props}
	}
	for name, p := range own["properties"].(m) {
		props[name] = p
	}
	own["properties"] = props
	return own
}

func openAPIObject(fields []FieldInfo) m {
	props := m{}
	var required []string
	for _, f := range fields {
		props[f.Name] = f.openAPI()
		if f.Required && !f.Secret && !f.WriteOnly {
			required = append(required, f.Name)
		}
	}
	out := m{"type": "object", "properties": props}
	if required != nil {
		out["required"] = required
	}
	return out
}

func (f FieldInfo) openAPI() m {
	var s m
	switch f.Type {
	case "any":
		s = m{}
	case "object":
		s = openAPIObject(f.Fields)
	case "date-time":
		s = m{"type": "string", "format": "date-time"}
	default:
		s = m{"type": f.Type}
	}
	if f.Enum != nil {
		s["enum"] = f.Enum
	}
	if f.Pattern != "" {
		s["pattern"] = f.Pattern
	}
	min, max := "minimum", "maximum"
	switch {
	case f.Map && f.Array:
		s = m{"type": "object", "additionalProperties": m{"type": "array", "items": s}}
	case f.Map:
		s = m{"type": "object", "additionalProperties": s}
	case f.Array:
		s, min, max = m{"type": "array", "items": s}, "minItems", "maxItems"
	case f.Type == "string":
		min, max = "minLength", "maxLength"
	}
	if f.Min != nil {
		s[min] = *f.Min
	}
	if f.Max != nil {
		s[max] = *f.Max
	}
	for key, set := range map[string]bool{"readOnly": f.ReadOnly, "writeOnly": f.WriteOnly || f.Secret} {
		if set {
			s[key] = true
		}
	}
	if f.Doc != "" {
		s["description"] = f.Doc
	}
	return s
}

func (c *Catalogue) openAPIPaths() m {
	paths := m{}
	add := func(path, method string, operation m) {
		item, _ := paths[path].(m)
		if item == nil {
			item = m{}
			paths[path] = item
		}
		item[method] = operation
	}
	for _, n := range c.order {
		if n.typ.reason != "" {
			continue
		}
		n.openAPIOperations(add)
	}
	return paths
}

const openAPIRoot = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.ApiManagement/service"

// openAPIPath returns the template of an instance and its parameters.
func (n *node) openAPIPath() (path string, params []m) {
	names := []string{"subscriptionId", "resourceGroupName", "serviceName"}
	path = openAPIRoot + "/{serviceName}"
	if n.path != "" {
		for seg := range strings.SplitSeq(n.path, "/") {
			name := seg + "Id"
			path += "/" + seg + "/{" + name + "}"
			names = append(names, name)
		}
	}
	for _, name := range names {
		params = append(params, m{"name": name, "in": "path", "required": true, "schema": m{"type": "string"}})
	}
	return path, append(params, param("api-version"))
}

func (n *node) openAPIOperations(add func(path, method string, operation m)) {
	path, params := n.openAPIPath()
	t, tag := n.typ, n.schemaName()
	schema := ref(tag)
	if t.join != "" || t.has.items {
		schema = m{"type": "object"}
	}
	op := func(verb, status, summary string, extra ...m) m {
		responses := m{status: m{"description": "Done."}, "default": m{"$ref": "#/components/responses/Error"}}
		if status == "200" {
			responses[status] = m{"description": "Done.", "content": m{"application/json": m{"schema": schema}}}
		}
		return m{"operationId": tag + "_" + verb, "tags": []string{tag}, "summary": summary, "parameters": append(params[:len(params):len(params)], extra...), "responses": responses}
	}
	withBody := func(o m, schema m) m {
		o["requestBody"] = m{"required": true, "content": m{"application/json": m{"schema": schema}}}
		return o
	}
	if t.verbs&Read != 0 {
		add(path, "get", op("Get", "200", "Get: "+t.title))
	}
	if t.verbs&Head != 0 {
		add(path, "head", op("GetEntityTag", "204", "Entity tag: "+t.title))
	}
	if t.verbs&Create != 0 {
		o := op("CreateOrUpdate", "200", "Create or replace: "+t.title, param("if-match"))
		o["responses"].(m)["201"] = m{"description": "Created.", "content": m{"application/json": m{"schema": schema}}}
		if t.join == "" {
			o = withBody(o, schema)
		}
		add(path, "put", o)
	}
	if t.verbs&Update != 0 {
		add(path, "patch", withBody(op("Update", "200", "Update: "+t.title, param("if-match")), schema))
	}
	if t.verbs&Delete != 0 {
		add(path, "delete", op("Delete", "204", "Delete: "+t.title, param("if-match")))
	}
	if t.verbs&List != 0 {
		o := op("List", "200", "List: "+t.title, param("filter"), param("top"), param("skip"))
		o["responses"].(m)["200"] = m{"description": "One page.", "content": m{"application/json": m{"schema": m{
			"type": "object", "properties": m{"value": m{"type": "array", "items": schema}, "count": m{"type": "integer"}, "nextLink": m{"type": "string"}},
		}}}}
		add(path[:strings.LastIndexByte(path, '/')], "get", o)
	}
	for _, a := range t.actions {
		o := op(cmp.Or(strings.ReplaceAll(a.name, "/", "_"), strings.ToLower(a.method)), "200", a.doc)
		o["responses"].(m)["200"] = m{"description": "Done.", "content": m{"application/json": m{"schema": goSchema(typeOf(a.output))}}}
		if a.input != nil {
			o = withBody(o, goSchema(typeOf(a.input)))
		}
		add(strings.TrimSuffix(path+"/"+a.name, "/"), strings.ToLower(a.method), o)
	}
}

// goSchema describes a Go type as OpenAPI.
func goSchema(t reflect.Type) m {
	if t == nil {
		return m{"type": "object"}
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == timeType {
		return m{}
	}
	s, err := (schemaBuilder{}).of(t)
	if err != nil {
		return m{"type": "object"}
	}
	return openAPIObject(s.info(map[*schema]bool{}))
}
