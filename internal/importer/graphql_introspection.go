package importer

import (
	"slices"
	"strings"
)

// IntrospectionQuery asks a GraphQL service for its schema (GraphQL, October 2021, section 4).
const IntrospectionQuery = `query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name } ` +
	`types { kind name description fields(includeDeprecated: true) { name description args { ...Input } type { ...Type } isDeprecated deprecationReason } ` +
	`inputFields { ...Input } interfaces { ...Type } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...Type } } ` +
	`directives { name description locations args { ...Input } } } } ` +
	`fragment Input on __InputValue { name description type { ...Type } defaultValue } ` +
	`fragment Type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }`

// maxTypeDepth is how often lists and non-nulls may wrap a type.
const maxTypeDepth = 32

// introspected writes the schema definition language of an introspection's answer.
type introspected struct {
	tree *tree
	strings.Builder
	err *Error
}

func schemaOfIntrospection(t *tree) (string, *Error) {
	schema := t.root.get("__schema")
	if data := t.root.get("data"); data != nil {
		schema = data.get("__schema")
	}
	if schema == nil || schema.kind != kindObject {
		if list := t.root.get("errors").array(); len(list) > 0 {
			return "", t.fail(list[0].place, "the service refuses introspection: "+clip(list[0].get("message").str()), "Import the schema as text.")
		}
		return "", t.fail(t.root.place, "the document has no __schema", "Send a schema, or the answer to an introspection query.")
	}
	w := &introspected{tree: t}
	w.roots(schema)
	for _, typ := range schema.get("types").array() {
		w.definition(typ)
	}
	for _, d := range schema.get("directives").array() {
		w.directive(d)
	}
	return w.String(), w.err
}

// name is the name of something; what is none is refused, so that nothing else gets into the text.
func (w *introspected) name(of *node) string {
	n := of.get("name")
	s := n.str()
	valid := s != ""
	for i := range len(s) {
		c := s[i]
		valid = valid && (c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9')
	}
	if !valid && w.err == nil {
		w.err = w.tree.fail(orPlace(n, orNode(of, w.tree.root)), "a name is missing or not valid in GraphQL", "Introspect the service again.")
	}
	return s
}

func orNode(n, other *node) *node {
	if n != nil {
		return n
	}
	return other
}

func (w *introspected) roots(schema *node) {
	w.WriteString("schema {\n")
	for _, root := range []string{"query", "mutation", "subscription"} {
		if t := schema.get(root + "Type"); t != nil && t.kind == kindObject {
			w.WriteString("  " + root + ": " + w.name(t) + "\n")
		}
	}
	w.WriteString("}\n")
}

func (w *introspected) definition(typ *node) {
	name := w.name(typ)
	builtIn := []string{"Int", "Float", "String", "Boolean", "ID"}
	if strings.HasPrefix(name, "__") || slices.Contains(builtIn, name) {
		return
	}
	w.WriteByte('\n')
	w.describe(typ, "")
	switch kind := typ.get("kind").str(); kind {
	case "SCALAR":
		w.WriteString("scalar " + name + "\n")
	case "OBJECT", "INTERFACE":
		w.WriteString(map[string]string{"OBJECT": "type ", "INTERFACE": "interface "}[kind] + name)
		w.list(" implements ", " & ", typ.get("interfaces"))
		w.fields(typ.get("fields"))
	case "UNION":
		w.WriteString("union " + name)
		w.list(" = ", " | ", typ.get("possibleTypes"))
		w.WriteByte('\n')
	case "ENUM":
		w.WriteString("enum " + name + " {\n")
		for _, v := range typ.get("enumValues").array() {
			w.describe(v, "  ")
			w.WriteString("  " + w.name(v))
			w.deprecated(v)
			w.WriteByte('\n')
		}
		w.WriteString("}\n")
	case "INPUT_OBJECT":
		w.WriteString("input " + name + " {\n")
		for _, f := range typ.get("inputFields").array() {
			w.describe(f, "  ")
			w.WriteString("  ")
			w.input(f)
			w.WriteByte('\n')
		}
		w.WriteString("}\n")
	default:
		if w.err == nil {
			w.err = w.tree.fail(orPlace(typ.get("kind"), typ), "the type "+clip(name)+" is of no known kind", "Introspect the service again.")
		}
	}
}

// list writes the names of types, if there are any.
func (w *introspected) list(before, between string, types *node) {
	for i, t := range types.array() {
		if i > 0 {
			before = between
		}
		w.WriteString(before + w.name(t))
	}
}

func (w *introspected) fields(list *node) {
	w.WriteString(" {\n")
	for _, f := range list.array() {
		w.describe(f, "  ")
		w.WriteString("  " + w.name(f))
		w.arguments(f.get("args"))
		w.WriteString(": ")
		w.typeOf(f.get("type"), 0)
		w.deprecated(f)
		w.WriteByte('\n')
	}
	w.WriteString("}\n")
}

func (w *introspected) arguments(list *node) {
	if len(list.array()) == 0 {
		return
	}
	w.WriteByte('(')
	for i, a := range list.array() {
		if i > 0 {
			w.WriteString(", ")
		}
		w.input(a)
	}
	w.WriteByte(')')
}

// input writes an argument or a field of an input type. Its default value is text of GraphQL already.
func (w *introspected) input(n *node) {
	w.WriteString(w.name(n) + ": ")
	w.typeOf(n.get("type"), 0)
	if d := n.get("defaultValue"); d != nil && d.kind == kindString {
		w.WriteString(" = " + d.text)
	}
}

func (w *introspected) typeOf(t *node, depth int) {
	switch kind := t.get("kind").str(); {
	case depth > maxTypeDepth:
		if w.err == nil {
			w.err = w.tree.fail(orPlace(t, w.tree.root), "a type is wrapped too often", "Simplify it.")
		}
	case kind == "NON_NULL":
		w.typeOf(t.get("ofType"), depth+1)
		w.WriteByte('!')
	case kind == "LIST":
		w.WriteByte('[')
		w.typeOf(t.get("ofType"), depth+1)
		w.WriteByte(']')
	default:
		w.WriteString(w.name(t))
	}
}

func (w *introspected) directive(d *node) {
	name := w.name(d)
	if slices.Contains([]string{"skip", "include", "deprecated", "specifiedBy", "oneOf", "defer"}, name) {
		return
	}
	w.WriteByte('\n')
	w.describe(d, "")
	w.WriteString("directive @" + name)
	w.arguments(d.get("args"))
	w.WriteString(" on ")
	for i, l := range d.get("locations").array() {
		if i > 0 {
			w.WriteString(" | ")
		}
		w.WriteString(w.name(newObject().set("name", l)))
	}
	w.WriteByte('\n')
}

func (w *introspected) describe(n *node, indent string) {
	if text := n.get("description").str(); text != "" {
		w.WriteString(indent + string(appendJSONString(nil, text)) + "\n")
	}
}

func (w *introspected) deprecated(n *node) {
	if !n.get("isDeprecated").is() {
		return
	}
	w.WriteString(" @deprecated")
	if reason := n.get("deprecationReason").str(); reason != "" {
		w.WriteString("(reason: " + string(appendJSONString(nil, reason)) + ")")
	}
}
