package importer

import (
	"context"
	"encoding/xml"
	"strings"
)

// exportTarget is the namespace of a description whose schemas have none.
const exportTarget = "urn:api-management"

// wsdlExport writes a WSDL 1.1 description of a SOAP API from its operations and schemas.
type wsdlExport struct {
	xmlWriter
	result *Result
	target string
	soap   string            // prefix of the binding's namespace
	spaces map[string]string // namespaces of schemas by resource name
	prefix map[string]string // prefixes by namespace
}

// soapAction is the action that an operation is found by.
func soapAction(op *Operation) (action string, ok bool) {
	_, query, _ := strings.Cut(op.URLTemplate, "?")
	name, action, ok := strings.Cut(query, "=")
	if !ok || !strings.EqualFold(name, "soapAction") || op.Method != "POST" {
		return "", false
	}
	return pointerToken(action), true
}

func exportWSDL(r *Result) ([]byte, *Error) {
	w := &wsdlExport{result: r, target: exportTarget, soap: "soap", spaces: map[string]string{}, prefix: map[string]string{}}
	var operations []*Operation
	for i := range r.Operations {
		if _, ok := soapAction(&r.Operations[i]); ok {
			operations = append(operations, &r.Operations[i])
		}
	}
	if len(operations) == 0 {
		return nil, &Error{Reason: "the API has no SOAP operation", Advice: "Export it as OpenAPI."}
	}
	if body := bodyOf(operations[0].Request.Representations); body != nil && body.ContentType == soap12Type {
		w.soap = "soap12"
	}
	w.namespaces()
	w.definitions(operations)
	return []byte(w.String()), nil
}

// bodyOf is the representation of a message, or nil.
func bodyOf(list []Representation) *Representation {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// namespaces reads the target namespaces of the schemas; the first is that of the description.
func (w *wsdlExport) namespaces() {
	for _, s := range w.result.Schemas {
		if s.ContentType != ContentTypeXSD {
			continue
		}
		t, err := readXML(context.Background(), []byte(s.text()), Options{MaxBytes: DefaultMaxBytes, MaxDepth: DefaultMaxDepth})
		if err != nil || t.root.name != (xml.Name{Space: nsXSD, Local: "schema"}) {
			continue
		}
		space := t.root.attr("targetNamespace")
		if len(w.spaces) == 0 && space != "" {
			w.target = space
		}
		w.spaces[s.ID] = space
	}
	w.prefix[w.target] = "tns"
	for _, id := range sortedKeys(w.spaces) {
		if space := w.spaces[id]; w.prefix[space] == "" && space != "" {
			w.prefix[space] = "ns" + string(rune('a'+len(w.prefix)%26))
		}
	}
}

func (w *wsdlExport) definitions(operations []*Operation) {
	name := first(pascal(w.result.Title), "Service")
	w.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n")
	attributes := []string{
		"name", name, "targetNamespace", w.target, "xmlns:wsdl", nsWSDL, "xmlns:soap", nsSOAP11, "xmlns:soap12", nsSOAP12,
	}
	for _, space := range sortedKeys(w.prefix) {
		attributes = append(attributes, "xmlns:"+w.prefix[space], space)
	}
	w.start("wsdl:definitions", attributes...)
	w.textual("wsdl:documentation", w.result.Description)
	w.start("wsdl:types")
	for _, s := range w.result.Schemas {
		if _, ok := w.spaces[s.ID]; ok {
			text := s.text()
			if strings.HasPrefix(text, "<?xml") {
				_, text, _ = strings.Cut(text, "?>")
			}
			w.WriteString(text + "\n")
		}
	}
	w.end()
	for _, op := range operations {
		w.message(op.DisplayName+"In", op.Request.Representations)
		if len(op.Responses) > 0 {
			w.message(op.DisplayName+"Out", op.Responses[0].Representations)
		}
	}
	w.portType(name, operations)
	w.binding(name, operations)
	w.start("wsdl:service", "name", name)
	w.start("wsdl:port", "name", name+"Port", "binding", "tns:"+name+"Binding")
	w.empty(w.soap+":address", "location", w.result.ServiceURL)
	w.end()
	w.end()
	w.end()
}

// message writes a message with the element that its representation names.
func (w *wsdlExport) message(name string, list []Representation) {
	w.start("wsdl:message", "name", ncName(name))
	if body := bodyOf(list); body != nil && body.TypeName != "" {
		if prefix := w.prefix[w.spaces[body.SchemaID]]; prefix != "" {
			w.empty("wsdl:part", "name", "parameters", "element", prefix+":"+body.TypeName)
		}
	}
	w.end()
}

func (w *wsdlExport) portType(name string, operations []*Operation) {
	w.start("wsdl:portType", "name", name+"PortType")
	for _, op := range operations {
		w.start("wsdl:operation", "name", ncName(op.DisplayName))
		w.textual("wsdl:documentation", op.Description)
		w.empty("wsdl:input", "message", "tns:"+ncName(op.DisplayName+"In"))
		if len(op.Responses) > 0 {
			w.empty("wsdl:output", "message", "tns:"+ncName(op.DisplayName+"Out"))
		}
		w.end()
	}
	w.end()
}

func (w *wsdlExport) binding(name string, operations []*Operation) {
	w.start("wsdl:binding", "name", name+"Binding", "type", "tns:"+name+"PortType")
	w.empty(w.soap+":binding", "transport", "http://schemas.xmlsoap.org/soap/http")
	for _, op := range operations {
		action, _ := soapAction(op)
		w.start("wsdl:operation", "name", ncName(op.DisplayName))
		w.empty(w.soap+":operation", "soapAction", action, "style", "document")
		directions := []string{"wsdl:input"}
		if len(op.Responses) > 0 {
			directions = append(directions, "wsdl:output")
		}
		for _, direction := range directions {
			w.start(direction)
			w.empty(w.soap+":body", "use", "literal")
			w.end()
		}
		w.end()
	}
	w.end()
}

// ncName makes a name of XML from what people call an operation.
func ncName(text string) string {
	name := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c >= 0xc0 && c <= 0x2ff {
			return c
		}
		return '_'
	}, text)
	if name == "" || name[0] >= '0' && name[0] <= '9' || name[0] == '-' || name[0] == '.' {
		return "_" + name
	}
	return name
}
