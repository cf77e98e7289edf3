package importer

import (
	"mime"
	"slices"
	"strconv"
	"strings"
)

const jsonType = "application/json"

// request maps the body. API Management knows none with GET, HEAD and OPTIONS.
func (x *exchange) request() *Error {
	op := x.operation
	body, at, err := x.body()
	if err != nil || at.line == 0 {
		return err
	}
	if slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, op.Method) {
		x.warnings.add(at, "request bodies of %s operations are not imported", op.Method)
		return nil
	}
	op.Request.Description = body.get("description").str()
	if x.swagger {
		op.Request.Representations, err = x.swaggerRequest()
	} else {
		op.Request.Representations, err = x.content(body.get("content"), func(string) string { return x.typeName("Request") })
	}
	return err
}

// body finds the object that describes the body, and where it is mentioned; a
// zero place means that there is none.
func (x *exchange) body() (*node, place, *Error) {
	if !x.swagger {
		body := x.node.get("requestBody")
		if body == nil {
			return nil, place{}, nil
		}
		n, err := x.refs.resolve(body)
		return n, body.place, err
	}
	var at place
	for _, p := range x.params {
		switch p.in {
		case "body":
			return p.node, p.place, nil
		case "formData":
			at = p.place
		}
	}
	return nil, at, nil
}

// typeName makes a name for an inline type, such as "PetsPetIdPutRequest".
func (x *exchange) typeName(end string) string {
	return pascal(x.path.name) + pascal(strings.ToLower(x.operation.Method)) + end
}

// content maps the media types of a body of OpenAPI 3.x.
func (x *exchange) content(content *node, typeName func(contentType string) string) ([]Representation, *Error) {
	out := []Representation{}
	for _, entry := range content.object() {
		r, err := x.representation(entry.name, entry.node.get("schema"), typeName(entry.name))
		if err != nil {
			return nil, err
		}
		if r.Examples, err = x.examples(entry.node); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// representation describes a body in one content type. Forms list their
// parameters, everything else names a type.
func (x *exchange) representation(contentType string, schema *node, wanted string) (Representation, *Error) {
	out := Representation{ContentType: contentType}
	resolved, err := x.refs.resolve(schema)
	if err == nil {
		err = x.spend(partBytes)
	}
	if err != nil || schema == nil {
		return out, err
	}
	if isForm(contentType) {
		out.FormParameters, err = x.formOf(resolved)
		return out, err
	}
	if out.TypeName = x.types.nameOf(schema, resolved, wanted); out.TypeName != "" {
		out.SchemaID = x.types.schemaID
	}
	return out, nil
}

func isForm(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "multipart/form-data" || media == "application/x-www-form-urlencoded")
}

// formOf lists the properties of an object as form parameters.
func (x *exchange) formOf(schema *node) ([]Parameter, *Error) {
	out := []Parameter{}
	required := map[string]bool{}
	for _, name := range schema.get("required").array() {
		required[name.str()] = true
	}
	for _, property := range schema.get("properties").object() {
		p := Parameter{Name: property.name, Required: required[property.name]}
		if err := x.describeSchema(&p, property.node); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// maxMedia is how many content types of a Swagger 2.0 document are looked at;
// they count for each of its bodies.
const maxMedia = 64

// media returns the content types of a Swagger 2.0 operation: its own, those of
// the document, or the fallback.
func (x *exchange) media(name, fallback string) []string {
	for _, list := range []*node{x.node.get(name), x.tree.root.get(name)} {
		if len(list.array()) > maxMedia {
			x.warnings.add(list.place, "only %d content types of %q are imported", maxMedia, name)
			list = &node{kind: kindArray, items: list.items[:maxMedia]}
		}
		if words := words(list); len(words) > 0 {
			return words
		}
	}
	return []string{fallback}
}

// swaggerRequest maps the body or the form of a Swagger 2.0 operation.
func (x *exchange) swaggerRequest() ([]Representation, *Error) {
	var form []Parameter
	file := false
	for _, p := range x.params {
		switch p.in {
		case "body":
			return x.swaggerBody(p.node)
		case "formData":
			out, err := x.parameter(p)
			if err != nil {
				return nil, err
			}
			form = append(form, out)
			file = file || out.Type == "file"
		}
	}
	fallback := "application/x-www-form-urlencoded"
	if file {
		fallback = "multipart/form-data"
	}
	out := []Representation{}
	for _, contentType := range x.media("consumes", fallback) {
		if isForm(contentType) {
			out = append(out, Representation{ContentType: contentType, FormParameters: form})
		}
	}
	if len(out) == 0 {
		out = append(out, Representation{ContentType: fallback, FormParameters: form})
	}
	return out, nil
}

func (x *exchange) swaggerBody(body *node) ([]Representation, *Error) {
	out := []Representation{}
	for _, contentType := range x.media("consumes", jsonType) {
		r, err := x.representation(contentType, body.get("schema"), x.typeName("Request"))
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// swaggerResponse maps schema and examples of a Swagger 2.0 response.
func (x *exchange) swaggerResponse(status int, n *node) ([]Representation, *Error) {
	out := []Representation{}
	schema, examples := n.get("schema"), n.get("examples")
	if schema == nil && len(examples.object()) == 0 {
		return out, nil
	}
	types := x.media("produces", jsonType)
	for _, entry := range examples.object() {
		if len(types) < maxMedia && !slices.Contains(types, entry.name) {
			types = append(types, entry.name)
		}
	}
	for _, contentType := range types {
		r, err := x.representation(contentType, schema, x.typeName(strconv.Itoa(status)+"Response"))
		if err != nil {
			return nil, err
		}
		if value := examples.get(contentType); value != nil {
			sample, err := x.value(value)
			if err != nil {
				return nil, err
			}
			r.Examples = map[string]Example{"default": {Value: sample}}
		}
		out = append(out, r)
	}
	return out, nil
}
