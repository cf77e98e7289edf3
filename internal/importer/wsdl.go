package importer

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
)

// Namespaces of WSDL 1.1 (W3C note of 15 March 2001), its SOAP bindings and XML Schema.
const (
	nsWSDL       = "http://schemas.xmlsoap.org/wsdl/"
	nsWSDL2      = "http://www.w3.org/ns/wsdl"
	nsSOAP11     = "http://schemas.xmlsoap.org/wsdl/soap/"
	nsSOAP12     = "http://schemas.xmlsoap.org/wsdl/soap12/"
	nsXSD        = "http://www.w3.org/2001/XMLSchema"
	nsEnvelope11 = "http://schemas.xmlsoap.org/soap/envelope/"
	nsEnvelope12 = "http://www.w3.org/2003/05/soap-envelope"
)

// The media types of SOAP 1.1 and SOAP 1.2 (RFC 3902).
const (
	soap11Type = "text/xml"
	soap12Type = "application/soap+xml"
)

// wsdl is a description with all documents that it imports.
type wsdl struct {
	documents *documents
	options   Options
	root      *xmlTree
	messages  map[xml.Name]placed
	portTypes map[xml.Name]placed
	bindings  map[xml.Name]placed
	services  []placed
	order     []xml.Name // of bindings
	types     xsdSet
	result    *Result
	ids       unique
	actions   map[string]bool
}

// placed is an element with the document that it stands in.
type placed struct {
	*xmlNode
	tree *xmlTree
}

func (p placed) fail(advice, format string, args ...any) *Error {
	return p.tree.fail(p.xmlNode, advice, format, args...)
}

func importWSDL(ctx context.Context, data []byte, o Options) (*Result, *Error) {
	t, err := readXML(ctx, data, o)
	if err != nil {
		return nil, err
	}
	w := &wsdl{
		documents: newDocuments(ctx, o, len(data)), options: o, root: t,
		messages: map[xml.Name]placed{}, portTypes: map[xml.Name]placed{}, bindings: map[xml.Name]placed{},
		types: newXSDSet(ctx), ids: unique{}, actions: map[string]bool{},
		result: &Result{Kind: FormatWSDL, Syntax: SyntaxXML, SpecVersion: "1.1", Type: TypeSOAP, Original: data},
	}
	if o.SOAPToREST {
		w.result.Type = ""
	}
	if t.root.name.Space == nsWSDL2 {
		return nil, t.fail(t.root, "Version 1.1 can be imported.", "the document is WSDL 2.0")
	}
	if err := w.read(t); err != nil {
		return nil, err
	}
	port, err := w.port()
	if err != nil {
		return nil, err
	}
	if err := w.binding(port); err != nil {
		return nil, err
	}
	return w.result, nil
}

// read takes the definitions of a document and of those that it imports.
func (w *wsdl) read(t *xmlTree) *Error {
	if t.root.name != (xml.Name{Space: nsWSDL, Local: "definitions"}) {
		return t.fail(t.root, "Send a WSDL 1.1 document.", "the root element is %q, not definitions of WSDL", t.root.name.Local)
	}
	target := t.root.attr("targetNamespace")
	for _, n := range t.root.children {
		if n.name.Space != nsWSDL {
			continue
		}
		name, at := xml.Name{Space: target, Local: n.attr("name")}, placed{n, t}
		var err *Error
		switch n.name.Local {
		case "import":
			err = w.follow(at)
		case "types":
			err = w.schemas(at)
		case "message":
			w.messages[name] = at
		case "portType":
			w.portTypes[name] = at
		case "binding":
			w.bindings[name] = at
			w.order = append(w.order, name)
		case "service":
			w.services = append(w.services, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// follow reads an imported document: WSDL, or a schema as some tools write.
func (w *wsdl) follow(n placed) *Error {
	t, err := w.documents.follow(n.tree, n.xmlNode, "location")
	if err != nil || t == nil {
		return err
	}
	if t.root.name.Space == nsXSD {
		return w.types.add(placed{t.root, t}, w.documents, "")
	}
	return w.read(t)
}

func (w *wsdl) schemas(types placed) *Error {
	for _, n := range types.all(nsXSD, "schema") {
		if err := w.types.add(placed{n, types.tree}, w.documents, ""); err != nil {
			return err
		}
	}
	return nil
}

// soapPort is the part of the description that is imported.
type soapPort struct {
	service *xmlNode // nil when the description has none
	binding placed
	address string
	soap    string // namespace of the binding's extensions
}

// version12 says whether messages are those of SOAP 1.2.
func (p soapPort) version12() bool { return p.soap == nsSOAP12 }

func (p soapPort) mediaType() string {
	if p.version12() {
		return soap12Type
	}
	return soap11Type
}

func (p soapPort) envelope() string {
	if p.version12() {
		return nsEnvelope12
	}
	return nsEnvelope11
}

// port chooses the endpoint: the one that was asked for, else the first that speaks SOAP.
func (w *wsdl) port() (soapPort, *Error) {
	var names []string
	for _, service := range w.services {
		if w.options.WSDLService != "" && service.attr("name") != w.options.WSDLService {
			names = append(names, service.attr("name"))
			continue
		}
		for _, n := range service.all(nsWSDL, "port") {
			names = append(names, service.attr("name")+"/"+n.attr("name"))
			if w.options.WSDLEndpoint != "" && n.attr("name") != w.options.WSDLEndpoint {
				continue
			}
			p, ok := w.soapPort(service, n)
			if ok {
				return p, nil
			}
		}
	}
	root := placed{w.root.root, w.root}
	if w.options.WSDLService != "" || w.options.WSDLEndpoint != "" {
		return soapPort{}, root.fail("It has: "+clip(strings.Join(names, ", "))+".",
			"the description has no SOAP endpoint %q of a service %q", w.options.WSDLEndpoint, w.options.WSDLService)
	}
	if len(w.services) == 0 {
		for _, name := range w.order {
			if soap := soapOf(w.bindings[name].xmlNode); soap != "" {
				return soapPort{binding: w.bindings[name], soap: soap}, nil
			}
		}
	}
	return soapPort{}, root.fail("Add a binding of SOAP 1.1 or 1.2 and a service with its address.", "the description has no SOAP binding")
}

// soapPort reads one port of a service. Ports that speak something else are passed over.
func (w *wsdl) soapPort(service placed, n *xmlNode) (soapPort, bool) {
	binding, ok := w.bindings[n.qname("binding")]
	if !ok {
		return soapPort{}, false
	}
	p := soapPort{service: service.xmlNode, binding: binding, soap: soapOf(binding.xmlNode)}
	if p.soap == "" {
		return p, false
	}
	p.address = n.first(p.soap, "address").attr("location")
	return p, true
}

// soapOf is the namespace of a binding's SOAP extensions; empty for other bindings.
func soapOf(binding *xmlNode) string {
	for _, space := range []string{nsSOAP11, nsSOAP12} {
		if binding.first(space, "binding") != nil {
			return space
		}
	}
	return ""
}

// binding maps the operations of the chosen endpoint.
func (w *wsdl) binding(p soapPort) *Error {
	r := w.result
	r.Title, r.Description = w.root.root.attr("name"), documentation(w.root.root)
	if p.service != nil {
		r.Title = p.service.attr("name")
		if text := documentation(p.service); text != "" {
			r.Description = text
		}
	}
	if r.Title == "" {
		r.Title = p.binding.attr("name")
	}
	if u, err := url.Parse(p.address); err == nil && u.Host != "" {
		r.ServiceURL, r.Path = p.address, strings.Trim(u.Path, "/")
		r.Protocols = []string{strings.ToLower(u.Scheme)}
	}
	portType, ok := w.portTypes[p.binding.qname("type")]
	if !ok {
		return p.binding.fail("Add it, or correct the name.", "there is no port type %q", p.binding.attr("type"))
	}
	if err := w.types.link(); err != nil {
		return err
	}
	operations := p.binding.all(nsWSDL, "operation")
	for i, n := range operations {
		if err := w.operation(p, portType, placed{n, p.binding.tree}); err != nil {
			return err
		}
		if w.options.Progress != nil {
			w.options.Progress(i+1, len(operations))
		}
	}
	if len(operations) == 0 {
		return p.binding.fail("Add operations.", "the binding has no operations")
	}
	if w.options.SOAPToREST {
		return w.restSchemas(p)
	}
	r.Schemas = w.types.documents(w.options.SchemaID)
	return nil
}

func documentation(n *xmlNode) string {
	if d := n.first(nsWSDL, "documentation"); d != nil {
		return strings.Join(strings.Fields(d.content()), " ")
	}
	return ""
}

// content is the text of an element and of all in it.
func (n *xmlNode) content() string {
	text := n.text
	for _, c := range n.children {
		text += " " + c.content()
	}
	return text
}

// soapOperation is what the binding and the port type say of one operation.
type soapOperation struct {
	name, action  string
	input, output *soapMessage // output is nil for one-way operations
	description   string
}

// soapMessage is what stands in the body of a message.
type soapMessage struct {
	name string // of the message, as the description calls it
	body *shape // nil for an empty body
}

func (w *wsdl) operation(p soapPort, portType, n placed) *Error {
	name := n.attr("name")
	abstract := named(portType.xmlNode, "operation", name)
	if abstract == nil {
		return n.fail("Add it there, or correct the name.", "the port type has no operation %q", name)
	}
	soap := n.first(p.soap, "operation")
	style := first(soap.attr("style"), p.binding.first(p.soap, "binding").attr("style"), "document")
	op := soapOperation{name: name, action: soap.attr("soapAction"), description: documentation(abstract)}
	m := messageReader{wsdl: w, port: p, binding: n, portType: portType, style: style, operation: name}
	var err *Error
	if op.input, err = m.message(abstract, "input", name); err != nil {
		return err
	}
	if abstract.first(nsWSDL, "output") != nil {
		if op.output, err = m.message(abstract, "output", name+"Response"); err != nil {
			return err
		}
	}
	if op.input == nil {
		return n.fail("Leave it out: only a server could call it.", "the operation %q has no input", name)
	}
	if w.options.SOAPToREST {
		return w.restOperation(p, n, op)
	}
	w.passOperation(p, n, op)
	return nil
}

// named finds a child by its name attribute.
func named(n *xmlNode, local, name string) *xmlNode {
	for _, c := range n.all(nsWSDL, local) {
		if c.attr("name") == name {
			return c
		}
	}
	return nil
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// passOperation maps an operation whose messages are passed through: API Management finds it by its action.
func (w *wsdl) passOperation(p soapPort, n placed, op soapOperation) {
	action := op.action
	if action == "" {
		action = op.name
	}
	if w.actions[action] {
		w.result.Warnings = append(w.result.Warnings, n.warn("the SOAP action %q is that of another operation too; %q is found by its name", clip(action), op.name))
		action = op.name
	}
	w.actions[action] = true
	out := Operation{
		ID: w.ids.name(first(normalID(op.name), "operation")), DisplayName: displayName(op.name, "", "", ""), Description: op.description,
		Method: "POST", URLTemplate: "/?soapAction=" + escapeTemplate(action), TemplateParameters: []Parameter{},
		Request: Request{
			Description: op.input.name, QueryParameters: []Parameter{}, Headers: []Header{},
			Representations: []Representation{w.envelope(p, op.input.body)},
		},
	}
	if op.output != nil {
		out.Responses = []Response{{
			StatusCode: 200, Description: op.output.name, Headers: []Header{}, Representations: []Representation{w.envelope(p, op.output.body)},
		}}
	} else {
		out.Responses = []Response{{StatusCode: 202, Headers: []Header{}, Representations: []Representation{}}}
	}
	w.result.Operations = append(w.result.Operations, out)
}

// envelope describes a message with an example.
func (w *wsdl) envelope(p soapPort, body *shape) Representation {
	r := Representation{ContentType: p.mediaType()}
	if body != nil {
		r.SchemaID, r.TypeName = w.types.schemaID(body.space, w.options.SchemaID), body.name
	}
	example := sampleEnvelope(p.envelope(), body)
	r.Examples = map[string]Example{"default": {Value: appendJSONString(nil, example)}}
	return r
}

// escapeTemplate writes an action so that it may stand in the query of a URL template.
func escapeTemplate(action string) string {
	var b strings.Builder
	for i := range len(action) {
		switch c := action[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte(`%&+#{}"<>\^`+"`|", c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
