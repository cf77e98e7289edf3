package clr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// maxXMLDepth bounds the nesting of elements: what walks a tree recurses.
const maxXMLDepth = 2000

// System.Xml.XmlNodeType.
const (
	xmlElement     = 1
	xmlAttribute   = 2
	xmlText        = 3
	xmlCDATA       = 4
	xmlInstruction = 7
	xmlComment     = 8
	xmlDocument    = 9
	xmlDocType     = 10
)

// An XObject is System.Xml.Linq.XObject: an XNode or an XAttribute.
type XObject interface {
	parentNode() XContainer
	nodeType() int
}

// An XNode is System.Xml.Linq.XNode.
type XNode interface {
	XObject
	links() *nodeLinks
	clone(depth int) XNode
}

// An XContainer is System.Xml.Linq.XContainer: an element or a document.
type XContainer interface {
	XNode
	kids() *children
}

// nodeLinks ties a node to its parent and siblings.
type nodeLinks struct {
	parent     XContainer
	prev, next XNode
}

func (l *nodeLinks) links() *nodeLinks      { return l }
func (l *nodeLinks) parentNode() XContainer { return l.parent }

// children are the nodes of a container.
type children struct{ first, last XNode }

func (c *children) kids() *children { return c }

type (
	// An XElement is System.Xml.Linq.XElement.
	XElement struct {
		nodeLinks
		children
		name  *XName
		attrs []*XAttribute
		open  bool // written with an end tag though it has no content
	}
	// An XAttribute is System.Xml.Linq.XAttribute.
	XAttribute struct {
		parent *XElement
		name   *XName
		value  string
	}
	// An XDocument is System.Xml.Linq.XDocument.
	XDocument struct {
		nodeLinks
		children
		decl *XDeclaration
	}
	// An XText is System.Xml.Linq.XText.
	XText struct {
		nodeLinks
		value string
	}
	// An XCData is System.Xml.Linq.XCData.
	XCData struct{ XText }
	// An XComment is System.Xml.Linq.XComment.
	XComment struct {
		nodeLinks
		value string
	}
	// An XProcessingInstruction is System.Xml.Linq.XProcessingInstruction.
	XProcessingInstruction struct {
		nodeLinks
		target, data string
	}
	// An XDocumentType is System.Xml.Linq.XDocumentType.
	XDocumentType struct {
		nodeLinks
		name, public, system string
		subset               string // null for none
	}
	// An XDeclaration is System.Xml.Linq.XDeclaration.
	XDeclaration struct{ version, encoding, standalone string }
)

// textual is an XText or XCData.
type textual interface {
	XNode
	text() *XText
}

func (t *XText) text() *XText { return t }

// The classes.

func (*XElement) ClrName() string               { return linqSpace + "XElement" }
func (*XAttribute) ClrName() string             { return linqSpace + "XAttribute" }
func (*XDocument) ClrName() string              { return linqSpace + "XDocument" }
func (*XText) ClrName() string                  { return linqSpace + "XText" }
func (*XCData) ClrName() string                 { return linqSpace + "XCData" }
func (*XComment) ClrName() string               { return linqSpace + "XComment" }
func (*XProcessingInstruction) ClrName() string { return linqSpace + "XProcessingInstruction" }
func (*XDocumentType) ClrName() string          { return linqSpace + "XDocumentType" }
func (*XDeclaration) ClrName() string           { return linqSpace + "XDeclaration" }

func (*XElement) nodeType() int               { return xmlElement }
func (*XAttribute) nodeType() int             { return xmlAttribute }
func (*XDocument) nodeType() int              { return xmlDocument }
func (*XText) nodeType() int                  { return xmlText }
func (*XCData) nodeType() int                 { return xmlCDATA }
func (*XComment) nodeType() int               { return xmlComment }
func (*XProcessingInstruction) nodeType() int { return xmlInstruction }
func (*XDocumentType) nodeType() int          { return xmlDocType }

func (a *XAttribute) parentNode() XContainer {
	if a.parent == nil {
		return nil
	}
	return a.parent
}

// checkDepth panics when a walk goes too deep.
func checkDepth(depth int) {
	if depth > maxXMLDepth {
		panic(&csharp.LimitError{Limit: "depth"})
	}
}

func (e *XElement) clone(depth int) XNode {
	checkDepth(depth)
	c := &XElement{name: e.name, open: e.open}
	for _, a := range e.attrs {
		c.attrs = append(c.attrs, &XAttribute{c, a.name, a.value})
	}
	cloneChildren(c, e, depth)
	return c
}

func (d *XDocument) clone(depth int) XNode {
	c := &XDocument{}
	if d.decl != nil {
		decl := *d.decl
		c.decl = &decl
	}
	cloneChildren(c, d, depth)
	return c
}

func cloneChildren(to, from XContainer, depth int) {
	for n := from.kids().first; n != nil; n = n.links().next {
		appendNode(to, n.clone(depth+1))
	}
}

func (t *XText) clone(int) XNode    { return &XText{value: t.value} }
func (t *XCData) clone(int) XNode   { return &XCData{XText{value: t.value}} }
func (t *XComment) clone(int) XNode { return &XComment{value: t.value} }
func (t *XProcessingInstruction) clone(int) XNode {
	return &XProcessingInstruction{target: t.target, data: t.data}
}
func (t *XDocumentType) clone(int) XNode {
	return &XDocumentType{name: t.name, public: t.public, system: t.system, subset: t.subset}
}

// insertNode puts a detached node behind prev; at the beginning when prev is nil.
func insertNode(c XContainer, n, prev XNode) {
	l, k := n.links(), c.kids()
	l.parent, l.prev = c, prev
	if prev == nil {
		l.next = k.first
		k.first = n
	} else {
		l.next = prev.links().next
		prev.links().next = n
	}
	if l.next == nil {
		k.last = n
	} else {
		l.next.links().prev = n
	}
}

func appendNode(c XContainer, n XNode) { insertNode(c, n, c.kids().last) }

func detach(n XNode) {
	l := n.links()
	k := l.parent.kids()
	if l.prev == nil {
		k.first = l.next
	} else {
		l.prev.links().next = l.next
	}
	if l.next == nil {
		k.last = l.prev
	} else {
		l.next.links().prev = l.prev
	}
	*l = nodeLinks{}
}

// removeNode is XNode.Remove.
func removeNode(n XNode) {
	if n.links().parent == nil {
		invalidOperation("The parent is missing.")
	}
	detach(n)
}

func removeNodes(c XContainer) {
	for c.kids().first != nil {
		detach(c.kids().first)
	}
	if e, ok := c.(*XElement); ok {
		e.open = false
	}
}

// addText appends to a text node at the end, as XContainer.Add does, or makes one.
func addText(c XContainer, prev XNode, s string) XNode {
	if d, ok := c.(*XDocument); ok {
		if strings.Trim(s, " \t\r\n") != "" {
			csharp.Throw("System.ArgumentException", "Non-whitespace characters cannot be added to content.")
		}
		return d.last
	}
	if e, ok := c.(*XElement); ok && s == "" {
		e.open = true
		return prev
	}
	if t, ok := prev.(*XText); ok {
		t.value = csharp.Concat(t.value, s)
		return t
	}
	t := &XText{value: s}
	insertNode(c, t, prev)
	return t
}

// addContent adds what the constructors and Add take behind prev and gives the last node added.
func addContent(r run, c XContainer, prev XNode, v any) XNode {
	r.Step()
	if t, ok := prev.(*XText); ok {
		r.Alloc(len(t.value)) // text that is appended copies what is there
	}
	switch x := v.(type) {
	case nil:
		return prev
	case string:
		r.Alloc(len(x) + 64)
		return addText(c, prev, x)
	case XNode:
		r.Alloc(128)
		if x.links().parent != nil || within(r, c, x) {
			chargeNodes(r, x)
			x = x.clone(0)
		}
		checkPlace(c, x)
		insertNode(c, x, prev)
		return x
	case *XAttribute:
		e, ok := c.(*XElement)
		if !ok {
			csharp.Throw("System.ArgumentException", "An attribute cannot be added to content.")
		}
		r.Alloc(64)
		addAttribute(e, x)
		return prev
	case csharp.Enumerable:
		x.Each(r, func(item any) bool {
			prev = addContent(r, c, prev, item)
			return true
		})
		return prev
	}
	return addText(c, prev, xmlValue(v))
}

// within tells whether n is c or above it.
func within(r run, c XContainer, n XNode) bool {
	for ; c != nil; c = c.parentNode() {
		r.Step()
		if XNode(c) == n {
			return true
		}
	}
	return false
}

// checkPlace throws when a document would get what it cannot hold.
func checkPlace(c XContainer, n XNode) {
	d, ok := c.(*XDocument)
	if !ok {
		switch n.(type) {
		case *XDocument:
			csharp.Throw("System.ArgumentException", "A node of type Document cannot be added to content.")
		case *XDocumentType:
			csharp.Throw("System.ArgumentException", "A node of type DocumentType cannot be added to content.")
		}
		return
	}
	switch n.(type) {
	case *XDocument, *XCData:
		csharp.Throw("System.ArgumentException", "A node of this type cannot be added to content.")
	case *XElement:
		if d.root() != nil {
			invalidOperation("This operation would create an incorrectly structured document.")
		}
	}
}

func addAttribute(e *XElement, a *XAttribute) {
	if e.attribute(a.name) != nil {
		invalidOperation("Duplicate attribute.")
	}
	if a.parent != nil {
		a = &XAttribute{name: a.name, value: a.value}
	}
	a.parent = e
	e.attrs = append(e.attrs, a)
}

func (e *XElement) attribute(n *XName) *XAttribute {
	for _, a := range e.attrs {
		if n != nil && *a.name == *n {
			return a
		}
	}
	return nil
}

func (d *XDocument) root() *XElement {
	for n := d.first; n != nil; n = n.links().next {
		if e, ok := n.(*XElement); ok {
			return e
		}
	}
	return nil
}

// contentText is XElement.Value: the text in a tree.
func contentText(c XContainer) string {
	if only, ok := c.kids().first.(textual); ok && c.kids().first == c.kids().last {
		return only.text().value
	}
	var out strings.Builder
	walk(c, false, func(n XNode) bool {
		if t, ok := n.(textual); ok {
			out.WriteString(t.text().value)
		}
		return true
	})
	return out.String()
}

// walk gives the nodes of a tree in document order, the root first if self is set, until yield returns false. It does not
// recurse.
func walk(root XNode, self bool, yield func(XNode) bool) {
	n := root
	for first := true; ; first = false {
		if (!first || self) && !yield(n) {
			return
		}
		if c, ok := n.(XContainer); ok && c.kids().first != nil {
			n = c.kids().first
			continue
		}
		for n != root && n.links().next == nil {
			if n = n.links().parent; n == nil {
				return // taken out of the tree meanwhile
			}
		}
		if n == root {
			return
		}
		n = n.links().next
	}
}

// xmlValue is the text of a value in XML.
func xmlValue(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case bool:
		if x {
			return "true"
		}
		return "false"
	case float64:
		return strings.Replace(text(x), "Infinity", "INF", 1)
	case float32:
		return strings.Replace(text(x), "Infinity", "INF", 1)
	case DateTime:
		return x.Format("yyyy-MM-ddTHH:mm:ss.FFFFFFFK")
	case DateTimeOffset:
		s := x.Format("yyyy-MM-ddTHH:mm:ss.FFFFFFFzzz")
		if cut, ok := strings.CutSuffix(s, "+00:00"); ok {
			return cut + "Z"
		}
		return s
	case TimeSpan:
		return xmlDuration(x)
	case XObject:
		csharp.ThrowArgument("System.ArgumentException", "An XObject cannot be used as a value.", "value")
	}
	return text(v)
}

// xmlDuration is the xs:duration of a span.
func xmlDuration(s TimeSpan) string {
	days, hours, minutes, secs, frac := s.parts()
	out := ""
	if s < 0 {
		out = "-"
	}
	out += "P"
	if days > 0 {
		out += strconv.FormatUint(days, 10) + "D"
	}
	clock := ""
	if hours > 0 {
		clock += strconv.FormatUint(hours, 10) + "H"
	}
	if minutes > 0 {
		clock += strconv.FormatUint(minutes, 10) + "M"
	}
	if secs > 0 || frac > 0 || days == 0 && clock == "" {
		clock += strconv.FormatUint(secs, 10)
		if frac > 0 {
			clock += "." + strings.TrimRight(fmt.Sprintf("%07d", frac), "0")
		}
		clock += "S"
	}
	if clock != "" {
		out += "T" + clock
	}
	return out
}
