package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

const domSpace = "System.Xml."

// More of System.Xml.XmlNodeType.
const (
	xmlWhitespace            = 13
	xmlSignificantWhitespace = 14
	xmlEndElement            = 15
	xmlDeclarationNode       = 17
)

// A domNode is System.Xml.XmlNode: a node of a document of the older tree, which keeps prefixes as they were written.
type domNode struct {
	kind               int
	prefix, local, uri string
	value              string // of text, attributes, comments, instructions; the pseudo-attributes of a declaration
	open               bool   // written with an end tag though it has no content
	keep               bool   // PreserveWhitespace of a document
	doc, parent        *domNode
	first, last        *domNode
	prev, next         *domNode
	attrs              []*domNode
}

// ClrName is the class of the node.
func (n *domNode) ClrName() string {
	switch n.kind {
	case xmlElement:
		return domSpace + "XmlElement"
	case xmlAttribute:
		return domSpace + "XmlAttribute"
	case xmlText:
		return domSpace + "XmlText"
	case xmlCDATA:
		return domSpace + "XmlCDataSection"
	case xmlInstruction:
		return domSpace + "XmlProcessingInstruction"
	case xmlComment:
		return domSpace + "XmlComment"
	case xmlDocType:
		return domSpace + "XmlDocumentType"
	case xmlWhitespace:
		return domSpace + "XmlWhitespace"
	case xmlSignificantWhitespace:
		return domSpace + "XmlSignificantWhitespace"
	case xmlDeclarationNode:
		return domSpace + "XmlDeclaration"
	}
	return domSpace + "XmlDocument"
}

// Each gives the children: a node is enumerable.
func (n *domNode) Each(r run, yield func(any) bool) {
	for k := n.first; k != nil; k = k.next {
		r.Step()
		if !yield(k) {
			return
		}
	}
}

// name is XmlNode.Name.
func (n *domNode) name() string {
	switch n.kind {
	case xmlText:
		return "#text"
	case xmlCDATA:
		return "#cdata-section"
	case xmlComment:
		return "#comment"
	case xmlDocument:
		return "#document"
	case xmlWhitespace:
		return "#whitespace"
	case xmlSignificantWhitespace:
		return "#significant-whitespace"
	case xmlDeclarationNode:
		return "xml"
	}
	return qualified(n.prefix, n.local)
}

// isText tells whether the node is character data other than a comment.
func (n *domNode) isText() bool {
	switch n.kind {
	case xmlText, xmlCDATA, xmlWhitespace, xmlSignificantWhitespace:
		return true
	}
	return false
}

// hasValue tells whether XmlNode.Value is not null.
func (n *domNode) hasValue() bool {
	return n.kind != xmlElement && n.kind != xmlDocument && n.kind != xmlDocType
}

// innerText is XmlNode.InnerText.
func (n *domNode) innerText() string {
	if n.kind != xmlElement && n.kind != xmlDocument {
		return n.value
	}
	var b strings.Builder
	xpathWalk(domPath{n}, func(x xpathNode) bool {
		if d := x.(domPath).domNode; d.isText() {
			b.WriteString(d.value)
		}
		return true
	})
	return b.String()
}

func (n *domNode) setInnerText(r run, s string) {
	if n.hasValue() {
		n.value = notNull(s)
		return
	}
	if n.kind != xmlElement {
		invalidOperation("The 'InnerText' of a 'Document' node is read-only and cannot be set.")
	}
	n.removeChildren()
	n.open = true
	if s = notNull(s); s != "" {
		n.insert(n.document().make(r, xmlText, s), nil)
	}
}

// document is the document of a node.
func (n *domNode) document() *domNode {
	if n.kind == xmlDocument {
		return n
	}
	return n.doc
}

// make makes a node without a name.
func (n *domNode) make(r run, kind int, value string) *domNode {
	r.Alloc(128)
	return &domNode{kind: kind, value: notNull(value), doc: n}
}

// named makes an element or attribute from a qualified name.
func (n *domNode) named(r run, kind int, name, uri string) *domNode {
	prefix, local, ok := strings.Cut(notNull(name), ":")
	if !ok {
		prefix, local = "", prefix
	}
	return n.qualified(r, kind, prefix, local, uri)
}

func (n *domNode) qualified(r run, kind int, prefix, local, uri string) *domNode {
	if local == "" {
		csharp.Throw("System.ArgumentException", "The local name for elements or attributes cannot be null or an empty string.")
	}
	checkNCName(local)
	uri = notNull(uri)
	if kind == xmlAttribute && (prefix == "xmlns" || prefix == "" && local == "xmlns") {
		uri = xmlnsSpace
	}
	x := n.make(r, kind, "")
	x.prefix, x.local, x.uri = notNull(prefix), local, uri
	return x
}

// unlink takes a child out of its parent.
func (n *domNode) unlink() {
	p := n.parent
	if n.prev == nil {
		p.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		p.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.parent, n.prev, n.next = nil, nil, nil
}

// insert puts a child before ref, at the end when ref is nil.
func (n *domNode) insert(child, ref *domNode) {
	child.parent, child.next = n, ref
	if ref == nil {
		child.prev, n.last = n.last, child
	} else {
		child.prev, ref.prev = ref.prev, child
	}
	if child.prev == nil {
		n.first = child
	} else {
		child.prev.next = child
	}
}

func (n *domNode) removeChildren() {
	for n.first != nil {
		n.first.unlink()
	}
}

// add is InsertBefore, and AppendChild without ref, with their checks.
func (n *domNode) add(r run, child, ref *domNode) *domNode {
	r.Step()
	if child == nil {
		csharp.ThrowNullReference()
	}
	if ref != nil && ref.parent != n {
		csharp.Throw("System.ArgumentException", "The reference node is not a child of this node.")
	}
	if n.kind != xmlElement && n.kind != xmlDocument || child.kind == xmlAttribute || child.kind == xmlDocument {
		invalidOperation("The specified node cannot be inserted as the valid child of this node, because the specified node is the wrong type.")
	}
	for p := n; p != nil; p = p.parent {
		if p == child {
			csharp.Throw("System.ArgumentException", "Cannot insert a node or any ancestor of that node as a child of itself.")
		}
	}
	if child.doc != n.document() {
		csharp.Throw("System.ArgumentException", "The node to be inserted is from a different document context.")
	}
	if n.kind == xmlDocument {
		n.checkTop(child)
	}
	if child == ref {
		return child
	}
	if child.parent != nil {
		child.unlink()
	}
	n.insert(child, ref)
	return child
}

// checkTop refuses what a document cannot hold.
func (n *domNode) checkTop(child *domNode) {
	switch child.kind {
	case xmlElement:
		if root := n.root(); root != nil && root != child {
			invalidOperation("This document already has a 'DocumentElement' node.")
		}
	case xmlText, xmlCDATA:
		invalidOperation("The specified node cannot be inserted as the valid child of this node, because the specified node is the wrong type.")
	}
}

func (n *domNode) remove(child *domNode) *domNode {
	if child == nil {
		csharp.ThrowNullReference()
	}
	if child.parent != n || child.kind == xmlAttribute {
		csharp.Throw("System.ArgumentException", "The node to be removed is not a child of this node.")
	}
	child.unlink()
	return child
}

// root is XmlDocument.DocumentElement.
func (n *domNode) root() *domNode { return n.element(func(*domNode) bool { return true }) }

// element is the first child element for which keep holds.
func (n *domNode) element(keep func(*domNode) bool) *domNode {
	for k := n.first; k != nil; k = k.next {
		if k.kind == xmlElement && keep(k) {
			return k
		}
	}
	return nil
}

// clone copies a node, with what is below it when deep is set; attributes always come along.
func (n *domNode) clone(r run, deep bool, doc *domNode, depth int) *domNode {
	checkDepth(depth)
	r.Alloc(160)
	c := *n
	c.doc, c.parent, c.first, c.last, c.prev, c.next, c.attrs = doc, nil, nil, nil, nil, nil, nil
	if n.kind == xmlDocument {
		c.doc, doc = nil, &c
	}
	for _, a := range n.attrs {
		x := a.clone(r, true, doc, depth+1)
		x.parent = &c
		c.attrs = append(c.attrs, x)
	}
	for k := n.first; k != nil && deep; k = k.next {
		c.insert(k.clone(r, true, doc, depth+1), nil)
	}
	return &c
}

// attribute finds an attribute by its qualified name.
func (n *domNode) attribute(name string) *domNode {
	for _, a := range n.attrs {
		if a.name() == name {
			return a
		}
	}
	return nil
}

func (n *domNode) attributeNS(local, uri string) *domNode {
	for _, a := range n.attrs {
		if a.local == local && a.uri == uri {
			return a
		}
	}
	return nil
}

// put sets an attribute node, in the place of one with the same name.
func (n *domNode) put(a *domNode) (old *domNode) {
	if a.parent != nil && a.parent != n {
		invalidOperation("The 'Attribute' node cannot be inserted because it is already an attribute of another element.")
	}
	a.parent = n
	for i, x := range n.attrs {
		if x.local == a.local && x.uri == a.uri {
			n.attrs[i] = a
			if x != a {
				x.parent = nil
			}
			return x
		}
	}
	n.attrs = append(n.attrs, a)
	return nil
}

func (n *domNode) drop(a *domNode) *domNode {
	for i, x := range n.attrs {
		if x == a {
			n.attrs = append(n.attrs[:i:i], n.attrs[i+1:]...)
			a.parent = nil
			return a
		}
	}
	return nil
}

// namespace is the namespace of a prefix at a node, prefixFor the other way round.
func (n *domNode) namespace(prefix string) (string, bool) {
	for x := n; x != nil; x = x.parent {
		for _, a := range x.attrs {
			if a.uri == xmlnsSpace && (a.prefix == "xmlns" && a.local == prefix || a.prefix == "" && prefix == "") {
				return a.value, true
			}
		}
		if x.kind == xmlElement && x.prefix == prefix && x.uri != "" {
			return x.uri, true
		}
	}
	switch prefix {
	case "xml":
		return xmlSpace, true
	case "xmlns":
		return xmlnsSpace, true
	}
	return "", false
}

func (n *domNode) prefixFor(uri string) string {
	for x := n; x != nil; x = x.parent {
		for _, a := range x.attrs {
			if a.uri == xmlnsSpace && a.value == uri {
				if a.prefix == "" {
					return ""
				}
				return a.local
			}
		}
	}
	return ""
}

// A domPath is a domNode for XPath.
type domPath struct{ *domNode }

func asDOMPath(n *domNode) xpathNode {
	if n == nil {
		return nil
	}
	return domPath{n}
}

func (n domPath) xpathKind() int                         { return n.kind }
func (n domPath) xpathName() (prefix, local, uri string) { return n.prefix, n.local, n.uri }
func (n domPath) xpathValue() string                     { return n.innerText() }
func (n domPath) xpathParent() xpathNode                 { return asDOMPath(n.parent) }

func (n domPath) xpathSibling(forward bool) xpathNode {
	for x := n.domNode; ; {
		if x = x.step(forward); x == nil || x.kind != xmlDeclarationNode && x.kind != xmlDocType {
			return asDOMPath(x)
		}
	}
}

func (n *domNode) step(forward bool) *domNode {
	if n.kind == xmlAttribute {
		return nil
	}
	if forward {
		return n.next
	}
	return n.prev
}

func (n domPath) xpathChild(first bool) xpathNode {
	k := n.last
	if first {
		k = n.first
	}
	if k != nil && (k.kind == xmlDeclarationNode || k.kind == xmlDocType) {
		return domPath{k}.xpathSibling(first)
	}
	return asDOMPath(k)
}

func (n domPath) xpathAttributes() []xpathNode {
	var out []xpathNode
	for _, a := range n.attrs {
		if a.uri != xmlnsSpace {
			out = append(out, domPath{a})
		}
	}
	return out
}
