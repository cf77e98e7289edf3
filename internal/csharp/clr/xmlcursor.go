package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// An xmlCursor is System.Xml.XmlReader over a string. The document is read whole when the first node is asked for, so a text
// that is not well-formed throws there and not further on.
type xmlCursor struct {
	r        run
	text     string
	set      *readerSettings
	doc, cur *domNode
	end      bool     // at the end tag of cur
	attr     *domNode // the attribute of cur that the reader stands on
	state    int      // System.Xml.ReadState
}

// A readerSettings is System.Xml.XmlReaderSettings.
type readerSettings struct{ whitespace, comments, instructions bool }

// ClrName is System.Xml.XmlReaderSettings.
func (*readerSettings) ClrName() string { return domSpace + "XmlReaderSettings" }

// System.Xml.ReadState.
const (
	readInteractive = 1
	readEndOfFile   = 3
	readClosed      = 4
)

// ClrName is System.Xml.XmlReader.
func (*xmlCursor) ClrName() string { return domSpace + "XmlReader" }

// Dispose closes the reader.
func (x *xmlCursor) Dispose() { x.state, x.cur, x.attr = readClosed, nil, nil }

// node is what the reader stands on, nil before the beginning and at the end.
func (x *xmlCursor) node() *domNode {
	if x.attr != nil {
		return x.attr
	}
	return x.cur
}

func (x *xmlCursor) kind() int {
	switch n := x.node(); {
	case n == nil:
		return 0
	case x.end:
		return xmlEndElement
	default:
		return n.kind
	}
}

// load reads the document.
func (x *xmlCursor) load() {
	if x.doc == nil {
		x.doc = &domNode{kind: xmlDocument}
		loadDOM(x.r, x.doc, x.text, !x.set.whitespace)
	}
}

// read goes to the next node.
func (x *xmlCursor) read() bool {
	if x.state == readClosed || x.state == readEndOfFile {
		return false
	}
	x.load()
	x.attr = nil
	for {
		x.r.Step()
		x.advance()
		if x.cur == nil {
			x.state, x.end = readEndOfFile, false
			return false
		}
		x.state = readInteractive
		if k := x.cur.kind; !(x.set.comments && k == xmlComment || x.set.instructions && k == xmlInstruction) {
			return true
		}
	}
}

func (x *xmlCursor) advance() {
	n := x.cur
	switch {
	case n == nil:
		x.cur = x.doc.first
		return
	case !x.end && n.first != nil:
		x.cur = n.first
		return
	case !x.end && n.kind == xmlElement && n.open:
		x.end = true
		return
	}
	x.end = n.next == nil
	if x.cur = n.next; x.end {
		if x.cur = n.parent; x.cur == x.doc {
			x.cur = nil
		}
	}
}

// skip goes behind the current node and what is in it.
func (x *xmlCursor) skip() {
	x.attr = nil
	if x.cur != nil && x.cur.kind == xmlElement && !x.end && (x.cur.first != nil || x.cur.open) {
		x.end = true
	}
	x.read()
}

// content is MoveToContent.
func (x *xmlCursor) content() int {
	x.attr = nil
	if x.state == 0 && !x.read() {
		return 0
	}
	for {
		switch k := x.kind(); k {
		case xmlElement, xmlText, xmlCDATA, xmlEndElement, 0:
			return k
		}
		if !x.read() {
			return 0
		}
	}
}

func (x *xmlCursor) depth() int {
	d := -1
	for n := x.node(); n != nil && n != x.doc; n = n.parent {
		d++
	}
	return max(d, 0)
}

// find reads until keep holds, at most to the end of the element where within is set.
func (x *xmlCursor) find(within *domNode, keep func(*domNode) bool) bool {
	for x.read() {
		if within != nil && x.end && x.cur == within {
			return false
		}
		if !x.end && x.cur.kind == xmlElement && keep(x.cur) {
			return true
		}
	}
	return false
}

func (x *xmlCursor) descendant(keep func(*domNode) bool) bool {
	n := x.cur
	if n == nil && x.state == 0 {
		return x.find(nil, keep)
	}
	if n == nil || n.kind != xmlElement || x.end || n.first == nil && !n.open {
		return false
	}
	return x.find(n, keep)
}

func (x *xmlCursor) sibling(keep func(*domNode) bool) bool {
	if x.cur == nil {
		return false
	}
	parent := x.cur.parent
	for x.skip(); x.cur != nil && x.cur != parent; x.skip() {
		if !x.end && x.cur.kind == xmlElement && keep(x.cur) {
			return true
		}
	}
	return false
}

// startsElement is IsStartElement.
func (x *xmlCursor) startsElement(keep func(*domNode) bool) bool {
	return x.content() == xmlElement && keep(x.cur)
}

// startElement is ReadStartElement.
func (x *xmlCursor) startElement(keep func(*domNode) bool, what string) {
	if !x.startsElement(keep) {
		x.fail(what + " was not found.")
	}
	x.read()
}

func (x *xmlCursor) endElement() {
	if x.content() != xmlEndElement {
		x.fail("'" + x.kindName() + "' is an invalid XmlNodeType.")
	}
	x.read()
}

func (x *xmlCursor) kindName() string {
	if x.kind() == 0 {
		return "None"
	}
	return strings.TrimPrefix(x.cur.ClrName(), domSpace+"Xml")
}

func (x *xmlCursor) fail(message string) { xmlError("%s", message) }

// elementText is ReadElementContentAsString.
func (x *xmlCursor) elementText() string {
	if x.kind() != xmlElement {
		invalidOperation("The ReadElementContentAsString method is not supported on node type " + x.kindName() + ". If you want to read typed content of an element, use the ReadElementContentAs method.")
	}
	for k := x.cur.first; k != nil; k = k.next {
		if k.kind == xmlElement {
			x.fail("ReadElementContentAs() methods cannot be called on an element that has child elements.")
		}
	}
	s := x.cur.innerText()
	x.r.Alloc(len(s))
	x.skip()
	return s
}

// contentText is ReadContentAsString.
func (x *xmlCursor) contentText() string {
	if x.attr != nil {
		return x.attr.value
	}
	out := ""
	for x.cur != nil && !x.end && (x.cur.isText() || x.cur.kind == xmlComment || x.cur.kind == xmlInstruction) {
		if x.cur.isText() {
			out += x.cur.value
			x.r.Alloc(len(out))
		}
		x.read()
	}
	return out
}

// outer is ReadOuterXml, or ReadInnerXml.
func (x *xmlCursor) outer(inner bool) string {
	if x.attr != nil {
		if inner {
			return x.attr.innerXML(x.r)
		}
		return x.attr.outerXML(x.r)
	}
	if x.kind() != xmlElement {
		if x.state == readInteractive {
			x.read()
		}
		return ""
	}
	s := ""
	if inner {
		s = x.cur.innerXML(x.r)
	} else {
		s = x.cur.outerXML(x.r)
	}
	x.skip()
	return s
}

// linq is XNode.ReadFrom.
func (x *xmlCursor) linq() XNode {
	if x.state != readInteractive {
		invalidOperation("The XmlReader state should be Interactive.")
	}
	n := x.cur
	var out XNode
	switch x.kind() {
	case xmlElement:
		e := parseXML(x.r, n.outerXML(x.r), loadPreserveWhitespace).root()
		detach(e)
		x.skip()
		return e
	case xmlText, xmlWhitespace, xmlSignificantWhitespace:
		out = &XText{value: n.value}
	case xmlCDATA:
		out = &XCData{XText{value: n.value}}
	case xmlComment:
		out = &XComment{value: n.value}
	case xmlInstruction:
		out = &XProcessingInstruction{target: n.local, data: n.value}
	default:
		invalidOperation("The XmlReader should not be on a node of type " + x.kindName() + ".")
	}
	x.read()
	return out
}

// moveTo steps onto an attribute.
func (x *xmlCursor) moveTo(a *domNode) bool {
	if a != nil {
		x.attr = a
	}
	return a != nil
}

// attributeAt gives an attribute of the element that the reader is in.
func (x *xmlCursor) attributeAt(i int) *domNode {
	if x.cur == nil || x.end || i < 0 || i >= len(x.cur.attrs) {
		return nil
	}
	return x.cur.attrs[i]
}

func (x *xmlCursor) nextAttribute() *domNode {
	if x.attr == nil {
		return x.attributeAt(0)
	}
	for i, a := range x.cur.attrs {
		if a == x.attr {
			return x.attributeAt(i + 1)
		}
	}
	return nil
}

func (x *xmlCursor) attribute(find func(*domNode) *domNode) *domNode {
	if x.cur == nil || x.end {
		return nil
	}
	return find(x.cur)
}

func attributeValue(a *domNode) string {
	if a == nil {
		return csharp.Null()
	}
	return a.value
}
