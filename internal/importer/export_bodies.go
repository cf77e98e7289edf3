package importer

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// swaggerBodies adds consumes, produces and parameters of a Swagger 2.0
// operation; a body is one of the parameters there.
func (w *writer) swaggerBodies(out, parameters *node, op *Operation) {
	var consumes, produces []string
	body := newObject().set("name", always("body")).set("in", always("body")).set("description", optional(op.Request.Description))
	for i := range op.Request.Representations {
		r := &op.Request.Representations[i]
		consumes = append(consumes, r.ContentType)
		switch {
		case len(r.FormParameters) > 0 && i == 0:
			for j := range r.FormParameters {
				parameters.items = append(parameters.items, w.parameter(&r.FormParameters[j], "formData"))
			}
		case len(r.FormParameters) == 0 && body.get("schema") == nil:
			body.set("schema", w.bodySchema(r))
		}
	}
	if body.get("schema") != nil {
		parameters.items = append(parameters.items, body)
	}
	for _, response := range op.Responses {
		for _, r := range response.Representations {
			if !slices.Contains(produces, r.ContentType) {
				produces = append(produces, r.ContentType)
			}
		}
	}
	out.set("consumes", stringsNode(consumes)).set("produces", stringsNode(produces)).set("parameters", nonEmpty(parameters))
}

// exampleNodes writes examples in the order of their names.
func exampleNodes(examples map[string]Example) *node {
	out := newObject()
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		e := examples[name]
		out.set(name, newObject().set("summary", optional(e.Summary)).set("description", optional(e.Description)).
			set("value", exampleValue(e)).set("externalValue", optional(e.ExternalValue)))
	}
	return out
}

func firstExample(examples map[string]Example) *node {
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		if value := exampleValue(examples[name]); value != nil {
			return value
		}
	}
	return nil
}

// exampleValue reads the value of an example; what is not JSON is kept as text.
func exampleValue(e Example) *node {
	if len(e.Value) == 0 {
		return nil
	}
	n, err := readJSON(context.Background(), e.Value, DefaultMaxDepth)
	if err != nil {
		return always(strings.ToValidUTF8(string(e.Value), "\uFFFD"))
	}
	return n
}

// pointerEscape writes a name as one step of a reference.
func pointerEscape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
