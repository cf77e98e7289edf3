package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/liquid"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/xmlx"
)

// JSONToXML is the json-to-xml policy.
var JSONToXML = policy.Define[jsonToXML](policy.Spec{
	Name:        "json-to-xml",
	NoHandshake: true,
	Sections:    policy.Inbound | policy.Outbound | policy.OnError,
	Flow:        policy.FlowMessage,
	Doc:         "Converts the body from JSON to XML.",
})

type jsonToXML struct {
	Apply          policy.Value[string] `attr:"apply,required" enum:"always,content-type-json" doc:"Whether the body is always taken as JSON, or only when the Content-Type says so."`
	ConsiderAccept policy.Value[bool]   `attr:"consider-accept-header" default:"true" doc:"Whether to convert only when the request's Accept header asks for XML."`
	ParseDate      bool                 `attr:"parse-date" default:"true" doc:"Whether texts that look like a time are written in XML's form of it."`
	Separator      policy.Value[string] `attr:"namespace-separator" default:"_" doc:"What stands between the prefix and the local part of a name."`
	Prefix         policy.Value[string] `attr:"namespace-prefix" doc:"Beginning of the names of properties that declare namespaces, usually xmlns."`
	AttributeBlock policy.Value[string] `attr:"attribute-block-name" doc:"Name of the objects whose properties become attributes."`
}

func (p *jsonToXML) Compile(c *policy.Compiler) error {
	usesSectionBody(c)
	return nil
}

// usesSectionBody notes that a policy works on the body that its section changes.
func usesSectionBody(c *policy.Compiler) {
	if c.Section()&policy.Inbound != 0 {
		c.UsesBody(policy.UsesRequestBody)
	}
	if c.Section()&(policy.Outbound|policy.OnError) != 0 {
		c.UsesBody(policy.UsesResponseBody)
	}
}

func (p *jsonToXML) Run(x *policy.Exec) error {
	apply, err := conversionApplies(x, p.Apply, p.ConsiderAccept, jsonBody, xmlBody)
	if err != nil || !apply {
		return err
	}
	w, err := p.writer(x)
	if err != nil {
		return err
	}
	return convertBody(x, "application/xml", func(data []byte) ([]byte, error) {
		v, err := liquid.FromJSON(data, p.ParseDate)
		if err != nil {
			return nil, &policy.Error{Reason: "InvalidBody", Message: "The body is not valid JSON: " + err.Error() + ".", Err: err}
		}
		return w.document(v).Append(nil), nil
	})
}

// conversionApplies says whether a body is converted: whether it is always or is of a kind, and the client wants the other kind.
func conversionApplies(x *policy.Exec, apply policy.Value[string], considerAccept policy.Value[bool], from, to int) (bool, error) {
	when, err := apply.Get(x)
	if err != nil {
		return false, err
	}
	accept, err := considerAccept.Get(x)
	if err != nil {
		return false, err
	}
	if when != "always" && bodyKind(x.Header()) != from {
		return false, nil
	}
	return !accept || accepts(&x.Request.Header, to), nil
}

// accepts says whether the Accept header of a request names a type of that kind.
func accepts(h *message.Header, kind int) bool {
	for value := range h.Each("Accept") {
		for part := range strings.SplitSeq(value, ",") {
			if kindOf(mediaType(part)) == kind {
				return true
			}
		}
	}
	return false
}

// convertBody replaces the body that the section changes, unless it is empty.
func convertBody(x *policy.Exec, contentType string, convert func([]byte) ([]byte, error)) error {
	read := x.ReadRequestBody
	if x.Section&(policy.Outbound|policy.OnError) != 0 {
		read = x.ReadResponseBody
	}
	data, err := read()
	if err != nil || len(data) == 0 {
		return err
	}
	if data, err = convert(data); err != nil {
		return err
	}
	x.SetBody(data)
	x.Header().Set("Content-Type", contentType)
	return nil
}

// xmlWriter makes elements of JSON values.
type xmlWriter struct{ separator, prefix, attributes string }

func (p *jsonToXML) writer(x *policy.Exec) (w *xmlWriter, err error) {
	w = &xmlWriter{}
	if w.separator, err = p.Separator.Get(x); err != nil {
		return nil, err
	}
	if w.prefix, err = p.Prefix.Get(x); err != nil {
		return nil, err
	}
	w.attributes, err = p.AttributeBlock.Get(x)
	return w, err
}

// rootName is the root element where the JSON has not exactly one property that can be the root.
const rootName = "Document"

// document is the document for a JSON value.
func (w *xmlWriter) document(v any) *xmlx.Document {
	d := &xmlx.Document{}
	if m, ok := v.(*liquid.Map); ok {
		if declaration, ok := m.Get("?xml"); ok {
			d.Declaration = declarationOf(declaration)
		}
		if name, value, ok := onlyRoot(m); ok {
			d.Root = w.element(name, value, nil)
		}
	}
	if d.Root == nil {
		d.Root = w.element(rootName, v, nil)
	}
	d.Nodes = []*xmlx.Node{d.Root}
	return d
}

// onlyRoot is the only property of an object, when it can be the root element.
func onlyRoot(m *liquid.Map) (name string, value any, ok bool) {
	n := 0
	for k, v := range m.All() {
		if k != "?xml" {
			name, value, n = k, v, n+1
		}
	}
	_, list := value.([]any)
	return name, value, n == 1 && !list && !strings.HasPrefix(name, "@") && !strings.HasPrefix(name, "#")
}

// declarationOf reads {"@version": "1.0", …}.
func declarationOf(v any) []xmlx.Attr {
	m, ok := v.(*liquid.Map)
	if !ok {
		return nil
	}
	var list []xmlx.Attr
	for _, name := range []string{"version", "encoding", "standalone"} {
		if value, ok := m.Get("@" + name); ok {
			list = append(list, xmlx.Attr{Name: xmlx.Name{Local: name}, Value: liquid.Text(value)})
		}
	}
	return list
}

// element makes the element of a value. declared are the prefixes of the elements around it.
func (w *xmlWriter) element(name string, v any, declared []string) *xmlx.Node {
	n := &xmlx.Node{}
	m, isObject := v.(*liquid.Map)
	if isObject {
		declared = w.declare(n, m, declared)
	}
	n.Name = w.name(name, declared)
	switch v := v.(type) {
	case nil:
		n.Attrs = append(n.Attrs,
			xmlx.Attr{Name: xmlx.Name{Prefix: "xsi", Local: "nil"}, Value: "true"},
			xmlx.Attr{Name: xmlx.Name{Prefix: "xmlns", Local: "xsi"}, Value: xmlx.XSI})
	case *liquid.Map:
		for key, value := range m.All() {
			w.property(n, key, value, declared)
		}
	case []any: // a list that has no property: of the document itself, or in another list
		for _, item := range v {
			n.Children = append(n.Children, w.element("Item", item, declared))
		}
	default:
		if text := xmlText(v); text != "" {
			n.Children = []*xmlx.Node{{Kind: xmlx.Text, Text: text}}
		}
	}
	return n
}

// declare adds the namespace declarations among the properties of an object.
func (w *xmlWriter) declare(n *xmlx.Node, m *liquid.Map, declared []string) []string {
	for key, value := range m.All() {
		prefix, ok := w.declaration(key)
		if !ok {
			continue
		}
		name := xmlx.Name{Prefix: "xmlns", Local: xmlx.EncodeName(prefix)}
		if prefix == "" {
			name = xmlx.Name{Local: "xmlns"}
		}
		n.Attrs = append(n.Attrs, xmlx.Attr{Name: name, Value: liquid.Text(value)})
		declared = append(declared[:len(declared):len(declared)], prefix)
	}
	return declared
}

// declaration is the prefix that a property declares, as xmlns:p with the policy's names or @xmlns:p.
func (w *xmlWriter) declaration(key string) (prefix string, ok bool) {
	if rest, is := strings.CutPrefix(key, "@xmlns"); is {
		if rest == "" {
			return "", true
		}
		return strings.CutPrefix(rest, ":")
	}
	if w.prefix == "" {
		return "", false
	}
	rest, is := strings.CutPrefix(key, w.prefix)
	if !is || rest == "" {
		return "", is
	}
	return strings.CutPrefix(rest, w.separator)
}

// name makes a name of a property's: with a prefix when that is declared.
func (w *xmlWriter) name(key string, declared []string) xmlx.Name {
	for _, separator := range []string{w.separator, ":"} {
		prefix, local, ok := strings.Cut(key, separator)
		if !ok || separator == "" || local == "" {
			continue
		}
		for _, d := range declared {
			if d == prefix && d != "" {
				return xmlx.Name{Prefix: xmlx.EncodeName(prefix), Local: xmlx.EncodeName(local)}
			}
		}
	}
	return xmlx.Name{Local: xmlx.EncodeName(key)}
}

// property adds what a property of an object stands for.
func (w *xmlWriter) property(n *xmlx.Node, key string, v any, declared []string) {
	if _, ok := w.declaration(key); ok {
		return
	}
	if key == w.attributes && w.attributes != "" {
		if block, ok := v.(*liquid.Map); ok {
			for name, value := range block.All() {
				w.attribute(n, name, value, declared)
			}
			return
		}
	}
	switch {
	case key == "#text":
		n.Children = append(n.Children, textNodes(xmlx.Text, v)...)
	case key == "#cdata-section":
		n.Children = append(n.Children, textNodes(xmlx.CData, v)...)
	case strings.HasPrefix(key, "@") && len(key) > 1:
		w.attribute(n, key[1:], v, declared)
	default:
		list, ok := v.([]any)
		if !ok {
			n.Children = append(n.Children, w.element(key, v, declared))
			return
		}
		for _, item := range list {
			n.Children = append(n.Children, w.element(key, item, declared))
		}
		if len(list) == 0 {
			n.Children = append(n.Children, &xmlx.Node{Name: w.name(key, declared)})
		}
	}
}

// attribute adds an attribute; the first of a name stays.
func (w *xmlWriter) attribute(n *xmlx.Node, key string, v any, declared []string) {
	name := w.name(key, declared)
	for _, a := range n.Attrs {
		if a.Name == name {
			return
		}
	}
	n.Attrs = append(n.Attrs, xmlx.Attr{Name: name, Value: xmlText(v)})
}

// textNodes are the nodes of a text or a list of texts.
func textNodes(kind xmlx.Kind, v any) []*xmlx.Node {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var nodes []*xmlx.Node
	for _, item := range list {
		nodes = append(nodes, &xmlx.Node{Kind: kind, Text: xmlText(item)})
	}
	return nodes
}
