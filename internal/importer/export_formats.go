package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// exportOther writes a description that is neither OpenAPI nor Swagger. ok is false for those.
func exportOther(r *Result, f Format) (text []byte, err *Error, ok bool) {
	switch f {
	case FormatWADL:
		return exportWADL(r), nil, true
	case FormatWSDL:
		text, err = exportWSDL(r)
	case FormatOData:
		text, err = exportSchema(r, f, ContentTypeOData)
	case FormatGraphQL:
		text, err = exportSchema(r, f, ContentTypeGraphQL)
	case FormatGRPC:
		text, err = exportSchema(r, f, ContentTypeProto)
	default:
		return nil, nil, false
	}
	return text, err, true
}

// exportSchema answers the text of the API's schema, which is its description.
func exportSchema(r *Result, f Format, contentType string) ([]byte, *Error) {
	for _, s := range r.Schemas {
		if strings.EqualFold(s.ContentType, contentType) {
			return []byte(s.text()), nil
		}
	}
	return nil, &Error{Reason: fmt.Sprintf("the API has no schema that could be written as %q", f), Advice: "Choose another format."}
}

// text is the document of a schema that is a text.
func (s *Schema) text() string {
	var d struct {
		Value string `json:"value"`
	}
	if json.Unmarshal(s.Document, &d) != nil {
		return ""
	}
	return d.Value
}

// xmlWriter writes elements with indentation.
type xmlWriter struct {
	strings.Builder
	open []string
}

// start opens an element; attributes are names and values in turn, those with an empty value are left out.
func (w *xmlWriter) start(name string, attributes ...string) {
	w.tag(name, attributes)
	w.WriteString(">\n")
	w.open = append(w.open, name)
}

// empty writes an element without content.
func (w *xmlWriter) empty(name string, attributes ...string) {
	w.tag(name, attributes)
	w.WriteString(" />\n")
}

// textual writes an element with text, unless the text is empty.
func (w *xmlWriter) textual(name, text string, attributes ...string) {
	if text == "" {
		return
	}
	w.tag(name, attributes)
	w.WriteString(">" + escapeXML(validXML(text)) + "</" + name + ">\n")
}

func (w *xmlWriter) tag(name string, attributes []string) {
	w.WriteString(strings.Repeat("  ", len(w.open)) + "<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			w.WriteString(" " + attributes[i] + `="` + escapeXML(validXML(attributes[i+1])) + `"`)
		}
	}
}

func (w *xmlWriter) end() {
	last := len(w.open) - 1
	name := w.open[last]
	w.open = w.open[:last]
	w.WriteString(strings.Repeat("  ", last) + "</" + name + ">\n")
}

// validXML removes the characters that XML 1.0 cannot hold.
func validXML(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff {
			return -1
		}
		return c
	}, s)
}

// exportWADL writes the operations as resources, one per path.
func exportWADL(r *Result) []byte {
	w := &xmlWriter{}
	w.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n")
	w.start("application", "xmlns", wadlNamespaces()[0], "xmlns:xs", nsXSD)
	w.doc(r.Title, r.Description)
	for _, s := range r.Schemas {
		if text := s.text(); s.ContentType == ContentTypeWADL && text != "" {
			w.WriteString(text + "\n")
			break
		}
	}
	w.start("resources", "base", first(r.ServiceURL, "/"))
	var paths []string
	byPath := map[string][]*Operation{}
	for i := range r.Operations {
		path, _, _ := strings.Cut(r.Operations[i].URLTemplate, "?")
		if byPath[path] == nil {
			paths = append(paths, path)
		}
		byPath[path] = append(byPath[path], &r.Operations[i])
	}
	for _, path := range paths {
		w.start("resource", "path", path)
		names, _ := templateNames(path)
		for _, p := range byPath[path][0].TemplateParameters {
			if slices.Contains(names, p.Name) {
				p.Required = true
				w.parameter(&p, "template")
			}
		}
		for _, op := range byPath[path] {
			w.method(op, names)
		}
		w.end()
	}
	w.end()
	w.end()
	return []byte(w.String())
}

func (w *xmlWriter) doc(title, text string) {
	switch {
	case text != "":
		w.textual("doc", text, "title", title)
	case title != "":
		w.empty("doc", "title", title)
	}
}

// method writes an operation. Parameters of its template that are not in the path are in the query.
func (w *xmlWriter) method(op *Operation, inPath []string) {
	w.start("method", "name", op.Method, "id", op.ID)
	w.doc(op.DisplayName, op.Description)
	w.start("request")
	w.doc("", op.Request.Description)
	for _, p := range op.TemplateParameters {
		if !slices.Contains(inPath, p.Name) {
			p.Required = true
			w.parameter(&p, "query")
		}
	}
	for i := range op.Request.QueryParameters {
		w.parameter(&op.Request.QueryParameters[i], "query")
	}
	for i := range op.Request.Headers {
		w.parameter(&op.Request.Headers[i], "header")
	}
	w.representations(op.Request.Representations)
	w.end()
	for i := range op.Responses {
		response := &op.Responses[i]
		w.start("response", "status", strconv.Itoa(response.StatusCode))
		w.doc("", response.Description)
		for j := range response.Headers {
			w.parameter(&response.Headers[j], "header")
		}
		w.representations(response.Representations)
		w.end()
	}
	w.end()
}

func (w *xmlWriter) representations(list []Representation) {
	for i := range list {
		w.start("representation", "mediaType", list[i].ContentType)
		for j := range list[i].FormParameters {
			w.parameter(&list[i].FormParameters[j], "query")
		}
		w.end()
	}
}

func (w *xmlWriter) parameter(p *Parameter, style string) {
	required, repeating := "", ""
	if p.Required {
		required = "true"
	}
	typ := map[string]string{"integer": "xs:long", "number": "xs:decimal", "boolean": "xs:boolean"}[p.Type]
	if p.Type == "array" {
		repeating = "true"
	}
	w.start("param", "name", p.Name, "style", style, "type", first(typ, "xs:string"), "required", required, "repeating", repeating, "default", p.DefaultValue)
	w.doc("", p.Description)
	for _, v := range p.Values {
		w.empty("option", "value", v)
	}
	w.end()
}
