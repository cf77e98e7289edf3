package importer

import "strings"

// sampleEnvelope is an example of a SOAP message.
func sampleEnvelope(envelope string, body *shape) string {
	var b strings.Builder
	b.WriteString(`<soap:Envelope xmlns:soap="` + envelope + `">` + "\n  <soap:Body>")
	if body != nil {
		writeSample(&b, body, "", 2)
		b.WriteString("\n  ")
	}
	b.WriteString("</soap:Body>\n</soap:Envelope>")
	return b.String()
}

// writeSample writes an element. space is the default namespace around it.
func writeSample(b *strings.Builder, s *shape, space string, depth int) {
	indent := "\n" + strings.Repeat("  ", depth)
	b.WriteString(indent + "<" + s.name + namespaceChange(s, space))
	for _, a := range s.attrs {
		if a.space == "" {
			b.WriteString(" " + a.name + `="` + escapeXML(a.sampleText()) + `"`)
		}
	}
	switch {
	case s.kind == kindAnything || s.kind == kindObjectShape && len(s.fields) == 0:
		b.WriteString(" />")
		return
	case s.kind != kindObjectShape:
		b.WriteString(">" + escapeXML(s.sampleText()))
	default:
		b.WriteByte('>')
		for _, f := range s.fields {
			writeSample(b, f, s.space, depth+1)
		}
		b.WriteString(indent)
	}
	b.WriteString("</" + s.name + ">")
}

// namespaceChange declares the namespace of an element where it is not that of its parent.
func namespaceChange(s *shape, space string) string {
	if s.space == space {
		return ""
	}
	return ` xmlns="` + escapeXML(s.space) + `"`
}

// sampleText is an example of a text.
func (s *shape) sampleText() string {
	switch {
	case len(s.values) > 0:
		return s.values[0]
	case s.kind == kindInteger, s.kind == kindDecimal:
		return "0"
	case s.kind == kindBoolean:
		return "false"
	case s.format == "date-time":
		return "2000-01-01T00:00:00Z"
	case s.format == "date":
		return "2000-01-01"
	case s.format == "byte":
		return "AA=="
	}
	return "string"
}

// sampleJSON is an example of the JSON form of an element.
func (s *shape) sampleJSON() *node {
	var n *node
	switch {
	case s.wraps() != nil:
		return newArray(s.wraps().single().sampleJSON())
	case s.kind == kindObjectShape:
		n = newObject()
		for _, f := range s.members() {
			n.set(f.key, f.shape.sampleJSON())
		}
	case s.kind == kindInteger, s.kind == kindDecimal:
		n = &node{kind: kindNumber, text: s.sampleText()}
	case s.kind == kindBoolean:
		n = &node{kind: kindBool, text: "false"}
	default:
		n = always(s.sampleText())
	}
	if s.list {
		return newArray(n)
	}
	return n
}

// single is the shape of one of a list.
func (s *shape) single() *shape {
	one := *s
	one.list = false
	return &one
}

// schemaJSON is the JSON schema of the JSON form of an element.
func (s *shape) schemaJSON() *node {
	if s.list {
		return newObject().set("type", always("array")).set("items", s.single().schemaJSON())
	}
	if item := s.wraps(); item != nil {
		return newObject().set("type", always("array")).set("items", item.single().schemaJSON())
	}
	out := newObject()
	switch s.kind {
	case kindObjectShape:
		properties := newObject()
		var required []string
		for _, f := range s.members() {
			properties.set(f.key, f.shape.schemaJSON())
			if !f.shape.optional {
				required = append(required, f.key)
			}
		}
		out.set("type", always("object")).set("required", stringsNode(required)).set("properties", nonEmpty(properties))
	case kindInteger:
		out.set("type", always("integer"))
	case kindDecimal:
		out.set("type", always("number"))
	case kindBoolean:
		out.set("type", always("boolean"))
	case kindText:
		out.set("type", always("string")).set("format", optional(s.format)).set("enum", stringsNode(s.values))
	}
	return out.set("description", optional(s.doc)).set("nullable", optionalTrue(s.nillable))
}

// jsonMember is a member of the JSON form of an element: a child element or an attribute.
type jsonMember struct {
	key       string
	shape     *shape
	attribute bool
}

// members are those of the JSON form, each with a name of its own.
func (s *shape) members() []jsonMember {
	var list []jsonMember
	taken := map[string]bool{}
	add := func(f *shape, key string, attribute bool) {
		for taken[key] {
			key += "_"
		}
		taken[key] = true
		list = append(list, jsonMember{key, f, attribute})
	}
	for _, f := range s.fields {
		if f.wraps() != nil {
			add(f, f.name, false)
		} else {
			add(f, lowerFirst(f.name), false)
		}
	}
	for _, a := range s.attrs {
		if a.space == "" {
			add(a, lowerFirst(a.name), true)
		}
	}
	return list
}

// lowerFirst is a name of XML as API Management writes it in JSON.
func lowerFirst(name string) string {
	if name != "" && name[0] >= 'A' && name[0] <= 'Z' {
		return string(name[0]+'a'-'A') + name[1:]
	}
	return name
}

// firstLine is a text in one line.
func firstLine(text string) string { return strings.Join(strings.Fields(text), " ") }
