package importer

import "strconv"

// types holds what becomes the schema document of the API: the named types of
// the description, and those that stand inside of operations under a made-up
// name, because a representation can only refer to a name.
type types struct {
	schemaID  string
	swagger   bool
	section   string // how references to a named type start
	stored    *node
	inline    []member
	inlineOf  map[*node]string
	taken     map[string]bool // names of inline types
	suffixFor map[string]int  // the last suffix tried for a name
}

func newTypes(root *node, swagger bool, schemaID string) types {
	t := types{
		schemaID: schemaID, swagger: swagger,
		section:   "#/components/schemas/",
		stored:    root.get("components").get("schemas"),
		inlineOf:  map[*node]string{},
		taken:     map[string]bool{},
		suffixFor: map[string]int{},
	}
	if swagger {
		t.section, t.stored = "#/definitions/", root.get("definitions")
	}
	return t
}

// named returns the name of the type that a schema refers to, or nothing when
// it is no reference to a named type.
func (t *types) named(schema *node) string {
	if name := typeNameOf(schema, t.section); t.stored.get(name) != nil {
		return name
	}
	return ""
}

// nameOf returns the name of a schema, storing it as an inline type when it has
// none. An array of a named type is called after that type, as "PetArray".
func (t *types) nameOf(schema, resolved *node, wanted string) string {
	if name := t.named(schema); name != "" {
		return name
	}
	if len(resolved.object()) == 0 {
		return ""
	}
	if name, ok := t.inlineOf[resolved]; ok {
		return name
	}
	if item := t.named(resolved.get("items")); item != "" && resolved.get("type").str() == "array" {
		wanted = item + "Array"
	}
	name := wanted
	for t.stored.get(name) != nil || t.taken[name] {
		t.suffixFor[wanted]++
		name = wanted + strconv.Itoa(t.suffixFor[wanted])
	}
	t.taken[name] = true
	t.inlineOf[resolved] = name
	t.inline = append(t.inline, member{name: name, node: resolved})
	return name
}

// schema writes the document, or nothing when there is no type at all. Inline
// types may lie inside of each other, so their sum has a limit.
func (t *types) schema(most int) (*Schema, *Error) {
	contentType, start, end := ContentTypeComponents, `{"components":{"schemas":{`, "}}}"
	if t.swagger {
		contentType, start, end = ContentTypeDefinitions, `{"definitions":{`, "}}"
	}
	b := []byte(start)
	for _, list := range [][]member{t.stored.object(), t.inline} {
		for _, m := range list {
			if len(b) > len(start) {
				b = append(b, ',')
			}
			b = appendJSONString(b, m.name)
			b = append(b, ':')
			if b = appendJSON(b, m.node); len(b) > most {
				return nil, tooMuch()
			}
		}
	}
	if len(b) == len(start) {
		return nil, nil
	}
	return &Schema{t.schemaID, contentType, append(b, end...)}, nil
}
