package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"path"
	"strconv"
	"strings"
)

// xsdSet are the XML schemas of a description.
type xsdSet struct {
	ctx     context.Context
	schemas []*xsdSchema
	// declared are the top-level declarations by kind ("element", "type", "group", "attributeGroup", "attribute") and name.
	declared map[string]map[xml.Name]declaration
	// cut is why a type could not be followed to its end, or nil.
	cut    *Error
	budget int
	open   []xml.Name // types that are being read
	json   *node      // the JSON forms of messages by name
}

// xsdSchema is one schema element.
type xsdSchema struct {
	placed
	target     string
	qualified  bool // local elements have the target namespace
	attributes bool // local attributes have it
	id         string
}

// declaration is a top-level declaration with its schema.
type declaration struct {
	*xmlNode
	schema *xsdSchema
}

func newXSDSet(ctx context.Context) xsdSet {
	s := xsdSet{ctx: ctx, json: newObject(), declared: map[string]map[xml.Name]declaration{}}
	for _, kind := range []string{"element", "type", "group", "attributeGroup", "attribute"} {
		s.declared[kind] = map[xml.Name]declaration{}
	}
	return s
}

// add takes a schema and the ones that it includes or imports by links. A schema without a target namespace takes that of the one that includes it.
func (s *xsdSet) add(n placed, d *documents, including string) *Error {
	schema := &xsdSchema{
		placed: n, target: n.attr("targetNamespace"),
		qualified: n.attr("elementFormDefault") == "qualified", attributes: n.attr("attributeFormDefault") == "qualified",
	}
	if schema.target == "" {
		schema.target = including
	}
	s.schemas = append(s.schemas, schema)
	for _, c := range n.children {
		if c.name.Space != nsXSD {
			continue
		}
		switch c.name.Local {
		case "import", "include", "redefine":
			if c.attr("schemaLocation") == "" {
				continue
			}
			t, err := d.follow(n.tree, c, "schemaLocation")
			if err != nil {
				return err
			}
			if t == nil {
				continue
			}
			if t.root.name != (xml.Name{Space: nsXSD, Local: "schema"}) {
				return t.fail(t.root, "Correct the link.", "the document is no XML schema")
			}
			target := ""
			if c.name.Local != "import" {
				target = schema.target
			}
			if err := s.add(placed{t.root, t}, d, target); err != nil {
				return err
			}
		}
	}
	return nil
}

// link makes the declarations known once all schemas are read.
func (s *xsdSet) link() *Error {
	for _, schema := range s.schemas {
		for _, c := range schema.children {
			kind := c.name.Local
			if kind == "complexType" || kind == "simpleType" {
				kind = "type"
			}
			if table, ok := s.declared[kind]; ok && c.name.Space == nsXSD {
				table[xml.Name{Space: schema.target, Local: c.attr("name")}] = declaration{c, schema}
			}
		}
	}
	return nil
}

// documents are the schemas as resources of the API.
func (s *xsdSet) documents(base string) []Schema {
	var list []Schema
	taken := unique{}
	for i, schema := range s.schemas {
		text := schema.tree.standalone(schema.xmlNode)
		schema.id = schemaName(schema, text, base, i)
		schema.id = taken.name(schema.id)
		list = append(list, Schema{ID: schema.id, ContentType: ContentTypeXSD, Document: valueDocument(text)})
	}
	return list
}

// schemaName is the resource name of a schema: the file's for one that came by link, because others refer to it so; else made from its digest.
func schemaName(schema *xsdSchema, text, base string, i int) string {
	if u := schema.tree.url; u != "" && schema.xmlNode == schema.tree.root {
		u, _, _ = strings.Cut(u, "?")
		if name := normalID(strings.TrimSuffix(path.Base(u), path.Ext(u))); name != "" {
			return name
		}
	}
	if base != "" {
		if i == 0 {
			return base
		}
		return base + "-" + strconv.Itoa(i)
	}
	return digestID([]byte(text))
}

// digestID is a resource name that is equal for equal texts.
func digestID(text []byte) string {
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:12])
}

// valueDocument is the document of a schema that is a text.
func valueDocument(text string) []byte {
	b := appendJSONString([]byte(`{"value":`), strings.ToValidUTF8(text, "\ufffd"))
	return append(b, '}')
}

// schemaID is the resource name of the schema of a namespace, or empty.
func (s *xsdSet) schemaID(space, base string) string {
	if len(s.schemas) > 0 && s.schemas[0].id == "" {
		s.documents(base)
	}
	for _, schema := range s.schemas {
		if schema.target == space {
			return schema.id
		}
	}
	return ""
}
