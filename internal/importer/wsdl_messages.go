package importer

import (
	"encoding/xml"
	"strings"
)

// messageReader finds what the messages of one operation consist of.
type messageReader struct {
	wsdl              *wsdl
	port              soapPort
	binding, portType placed
	style             string // document or rpc
	operation         string
}

// message reads the input or the output of an operation. wrapper is the name of the element that holds the parameters of an rpc message.
func (m *messageReader) message(abstract *xmlNode, direction, wrapper string) (*soapMessage, *Error) {
	n := abstract.first(nsWSDL, direction)
	if n == nil {
		return nil, nil
	}
	at := placed{n, m.portType.tree}
	message, ok := m.wsdl.messages[n.qname("message")]
	if !ok {
		return nil, at.fail("Add it, or correct the name.", "there is no message %q", n.attr("message"))
	}
	concrete := m.binding.first(nsWSDL, direction)
	body := concrete.first(m.port.soap, "body")
	if body == nil { // with attachments the body is a part of a MIME message
		if list := descendants(concrete, m.port.soap, "body"); len(list) > 0 {
			body = list[0]
		}
	}
	if body.attr("use") == "encoded" {
		return nil, placed{body, m.binding.tree}.fail(`Use "literal": encoded messages cannot be described by a schema.`, "the messages of %q are SOAP-encoded", m.operation)
	}
	out := &soapMessage{name: portTypeMessage(m.portType.attr("name"), m.operation, n, message.attr("name"))}
	parts := m.parts(message, concrete, body)
	var err *Error
	if m.style == "rpc" {
		out.body, err = m.wrapped(message, parts, wrapper, body.attr("namespace"))
	} else {
		out.body, err = m.document(message, parts)
	}
	return out, err
}

// portTypeMessage is what a message is called: by its own name, if it has one.
func portTypeMessage(portType, operation string, n *xmlNode, message string) string {
	if message != "" {
		return message
	}
	return portType + "_" + operation + "_" + n.name.Local
}

func descendants(n *xmlNode, space, local string) []*xmlNode {
	var list []*xmlNode
	if n != nil {
		for _, c := range n.children {
			if c.name.Local == local && c.name.Space == space {
				list = append(list, c)
			}
			list = append(list, descendants(c, space, local)...)
		}
	}
	return list
}

// parts are those of a message that stand in the body: the ones that the binding names, or all that do not stand in headers.
func (m *messageReader) parts(message placed, concrete, body *xmlNode) []*xmlNode {
	names := map[string]bool{}
	chosen := body.attr("parts") != ""
	for _, name := range strings.Fields(body.attr("parts")) {
		names[name] = true
	}
	if !chosen {
		for _, header := range descendants(concrete, m.port.soap, "header") {
			if header.qname("message").Local == message.attr("name") {
				names[header.attr("part")] = true
			}
		}
	}
	var list []*xmlNode
	for _, part := range message.all(nsWSDL, "part") {
		if names[part.attr("name")] == chosen {
			list = append(list, part)
		}
	}
	return list
}

// document reads the body of a document message: one element.
func (m *messageReader) document(message placed, parts []*xmlNode) (*shape, *Error) {
	if len(parts) == 0 {
		return nil, nil
	}
	if len(parts) > 1 {
		return nil, message.fail("Put them into one element.", "the message %q has more than one part in its body", message.attr("name"))
	}
	part := placed{parts[0], message.tree}
	name := part.qname("element")
	if name.Local == "" {
		return nil, part.fail("Name an element, as the style document demands.", "the part %q has no element", part.attr("name"))
	}
	return m.wsdl.types.element(name, part)
}

// wrapped reads the body of an rpc message: an element of the operation's name that holds the parts.
func (m *messageReader) wrapped(message placed, parts []*xmlNode, wrapper, namespace string) (*shape, *Error) {
	out := &shape{name: wrapper, space: namespace, kind: kindObjectShape}
	for _, n := range parts {
		part := placed{n, message.tree}
		var field *shape
		var err *Error
		if name := part.qname("element"); name.Local != "" {
			field, err = m.wsdl.types.element(name, part)
		} else {
			field, err = m.wsdl.types.typed(xml.Name{Local: part.attr("name")}, part.qname("type"), part)
		}
		if err != nil {
			return nil, err
		}
		out.fields = append(out.fields, field)
	}
	return out, nil
}
