package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file declares XObject, XNode and XContainer: the axes and changes of a tree.

// axis makes a lazy sequence of the nodes that walk gives, those of type T and with the name only.
func axis[T XNode](t resultType, name *XName, walk func(yield func(XNode) bool)) *Seq {
	return &Seq{typ: t.Type, each: func(_ run, yield func(any) bool) {
		walk(func(n XNode) bool {
			v, ok := n.(T)
			if e, isElement := n.(*XElement); ok && name != nil {
				ok = isElement && *e.name == *name
			}
			return !ok || yield(v)
		})
	}}
}

// oneOf turns "no name" into a name that nothing has: Elements(null) is empty.
func oneOf(name *XName) *XName {
	if name == nil {
		return &XName{}
	}
	return name
}

// forward gives n and its following siblings. The next one is taken after yield, so a tree may change meanwhile.
func forward(n XNode, yield func(XNode) bool) {
	for n != nil && yield(n) {
		n = n.links().next
	}
}

// up gives n, which may be nil, and its ancestors but for the document.
func up(n XContainer, yield func(XNode) bool) {
	for n != nil {
		if e, ok := n.(*XElement); !ok || !yield(e) {
			return
		}
		n = n.parentNode()
	}
}

// before gives the preceding siblings of n in document order.
func before(n XNode, yield func(XNode) bool) {
	if n.links().parent == nil {
		return
	}
	for x := n.links().parent.kids().first; x != nil && x != n && yield(x); {
		x = x.links().next
	}
}

func documentOf(r run, o XObject) *XDocument {
	var top any = o
	for p := o.parentNode(); p != nil; p = p.parentNode() {
		r.Step()
		top = p
	}
	d, _ := top.(*XDocument)
	return d
}

func elementOf(c XContainer) *XElement {
	e, _ := c.(*XElement)
	return e
}

// deepEqual is XNode.DeepEquals.
func deepEqual(a, b XNode, depth int) bool {
	checkDepth(depth)
	switch x := a.(type) {
	case nil:
		return b == nil
	case *XElement:
		y, ok := b.(*XElement)
		if !ok || *x.name != *y.name || len(x.attrs) != len(y.attrs) || x.isEmpty() != y.isEmpty() {
			return false
		}
		for i, p := range x.attrs {
			if q := y.attrs[i]; *p.name != *q.name || p.value != q.value {
				return false
			}
		}
		return equalChildren(x, y, depth)
	case *XDocument:
		y, ok := b.(*XDocument)
		return ok && equalChildren(x, y, depth)
	case *XDocumentType:
		y, ok := b.(*XDocumentType)
		return ok && x.name == y.name && x.public == y.public && x.system == y.system && x.subset == y.subset
	case *XProcessingInstruction:
		y, ok := b.(*XProcessingInstruction)
		return ok && x.target == y.target && x.data == y.data
	case *XComment:
		y, ok := b.(*XComment)
		return ok && x.value == y.value
	case textual:
		y, ok := b.(textual)
		return ok && x.nodeType() == y.nodeType() && x.text().value == y.text().value
	}
	return false
}

func equalChildren(a, b XContainer, depth int) bool {
	x, y := a.kids().first, b.kids().first
	for {
		s, nextX := leadingText(x)
		t, nextY := leadingText(y)
		if x, y = nextX, nextY; s != t {
			return false
		}
		if x == nil || y == nil {
			return x == nil && y == nil
		}
		if !deepEqual(x, y, depth+1) {
			return false
		}
		x, y = x.links().next, y.links().next
	}
}

// leadingText is the text of the adjacent text nodes from n on, which count as one, and the node after them. A CDATA section
// is a node of its own.
func leadingText(n XNode) (string, XNode) {
	var b strings.Builder
	for n != nil {
		t, ok := n.(*XText)
		if !ok {
			break
		}
		b.WriteString(t.value)
		n = n.links().next
	}
	return b.String(), n
}

// isAfter tells whether a comes after b in document order.
func isAfter(a, b XNode) bool {
	path := func(n XNode) (out []XNode) {
		for n != nil {
			out = append([]XNode{n}, out...)
			if n.links().parent == nil {
				break
			}
			n = n.links().parent
		}
		return out
	}
	p, q := path(a), path(b)
	if p[0] != q[0] {
		invalidOperation("A common ancestor is missing.")
	}
	i := 0
	for i < len(p) && i < len(q) && p[i] == q[i] {
		i++
	}
	if i == len(p) || i == len(q) {
		return len(p) > len(q)
	}
	for n := q[i].links().next; n != nil; n = n.links().next {
		if n == p[i] {
			return true
		}
	}
	return false
}

func needParent(n XNode) XContainer {
	if n.links().parent == nil {
		invalidOperation("The parent is missing.")
	}
	return n.links().parent
}

func declareXNode(b *csharp.Builder) {
	b.Enum("System.Xml.XmlNodeType", false, []string{"None", "Element", "Attribute", "Text", "CDATA", "EntityReference", "Entity", "ProcessingInstruction",
		"Comment", "Document", "DocumentType", "DocumentFragment", "Notation", "Whitespace", "SignificantWhitespace", "EndElement", "EndEntity", "XmlDeclaration"},
		[]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
	b.Enum(linqSpace+"SaveOptions", true, []string{"None", "DisableFormatting", "OmitDuplicateNamespaces"}, []int64{0, 1, 2}).Outside()
	b.Enum(linqSpace+"LoadOptions", true, []string{"None", "PreserveWhitespace", "SetBaseUri", "SetLineInfo"}, []int64{0, 1, 2, 4}).Outside()
	o := b.Type("abstract class "+linqSpace+"XObject", csharp.Go[XObject]())
	o.Prop("XElement Parent", csharp.F1(func(o XObject) *XElement { return elementOf(o.parentNode()) }))
	o.Prop("XDocument Document", csharp.F2(documentOf))
	o.Prop("System.Xml.XmlNodeType NodeType", csharp.F1(func(o XObject) int { return o.nodeType() }))
	n := b.Type("abstract class "+linqSpace+"XNode : XObject", csharp.Go[XNode]())
	n.Prop("XNode NextNode", csharp.F1(func(n XNode) XNode { return n.links().next }))
	n.Prop("XNode PreviousNode", csharp.F1(func(n XNode) XNode { return n.links().prev }))
	n.Method("string ToString()", csharp.F2(func(r run, n XNode) string { return xmlString(r, n, 0) }))
	n.Method("string ToString(SaveOptions options)", csharp.F3(xmlString))
	n.Method("void Remove()", csharp.V1(removeNode))
	n.Method("IEnumerable<XElement> Ancestors()", csharp.F2(func(t resultType, n XNode) *Seq {
		return axis[*XElement](t, nil, func(y func(XNode) bool) { up(n.links().parent, y) })
	}))
	n.Method("IEnumerable<XElement> Ancestors(XName name)", csharp.F3(func(t resultType, n XNode, name *XName) *Seq {
		return axis[*XElement](t, oneOf(name), func(y func(XNode) bool) { up(n.links().parent, y) })
	}))
	for suffix, walk := range map[string]func(XNode, func(XNode) bool){
		"AfterSelf":  func(n XNode, y func(XNode) bool) { forward(n.links().next, y) },
		"BeforeSelf": before,
	} {
		n.Method("IEnumerable<XNode> Nodes"+suffix+"()", csharp.F2(func(t resultType, n XNode) *Seq {
			return axis[XNode](t, nil, func(y func(XNode) bool) { walk(n, y) })
		}))
		n.Method("IEnumerable<XElement> Elements"+suffix+"()", csharp.F2(func(t resultType, n XNode) *Seq {
			return axis[*XElement](t, nil, func(y func(XNode) bool) { walk(n, y) })
		}))
		n.Method("IEnumerable<XElement> Elements"+suffix+"(XName name)", csharp.F3(func(t resultType, n XNode, name *XName) *Seq {
			return axis[*XElement](t, oneOf(name), func(y func(XNode) bool) { walk(n, y) })
		}))
	}
	after := func(r run, n XNode, v any) { addContent(r, needParent(n), n, v) }
	ahead := func(r run, n XNode, v any) { addContent(r, needParent(n), n.links().prev, v) }
	replace := func(r run, n XNode, v any) {
		c, prev := needParent(n), n.links().prev
		detach(n)
		addContent(r, c, prev, v)
	}
	for name, do := range map[string]func(run, XNode, any){"AddAfterSelf": after, "AddBeforeSelf": ahead, "ReplaceWith": replace} {
		n.Method("void "+name+"(object content)", csharp.V3(do))
		n.Method("void "+name+"(params object[] content)", csharp.V3(func(r run, n XNode, a array) { do(r, n, contentOf(a)) }))
	}
	n.Method("bool IsAfter(XNode node)", csharp.F2(isAfter))
	n.Method("bool IsBefore(XNode node)", csharp.F2(func(a, b XNode) bool { return a != b && !isAfter(a, b) }))
	n.Static("int CompareDocumentOrder(XNode n1, XNode n2)", csharp.F3(func(r run, a, b XNode) int { return (&nodeOrder{}).order(r, a, b) }))
	n.Static("XNode ReadFrom(System.Xml.XmlReader reader)", csharp.F1(func(x *xmlCursor) XNode {
		if x == nil {
			csharp.ThrowArgumentNull("reader")
		}
		return x.linq()
	})).Outside()
	n.Method("void WriteTo(System.Xml.XmlWriter writer)", csharp.V2(func(n XNode, w *xmlOut) { w.node(n, 0) }))
	n.StaticProp("XNodeEqualityComparer EqualityComparer", csharp.F0(func() *nodeComparer { return &nodeComparer{} }))
	n.StaticProp("XNodeDocumentOrderComparer DocumentOrderComparer", csharp.F0(func() *nodeOrder { return &nodeOrder{} }))
	n.Static("bool DeepEquals(XNode n1, XNode n2)", csharp.F2(func(a, b XNode) bool { return deepEqual(a, b, 0) }))
	declareXContainer(b)
}

// contentOf makes one content value of a params array; a nil array is no content.
func contentOf(a array) any {
	if a == nil {
		return nil
	}
	return a
}

func xmlString(r run, n XNode, options int) string {
	s := nodeText(n, options)
	r.Alloc(len(s))
	r.Steps(len(s) / 64)
	return s
}

func declareXContainer(b *csharp.Builder) {
	c := b.Type("abstract class "+linqSpace+"XContainer : XNode", csharp.Go[XContainer]())
	c.Prop("XNode FirstNode", csharp.F1(func(c XContainer) XNode { return c.kids().first }))
	c.Prop("XNode LastNode", csharp.F1(func(c XContainer) XNode { return c.kids().last }))
	c.Method("XElement Element(XName name)", csharp.F3(func(r run, c XContainer, name *XName) (out *XElement) {
		forward(c.kids().first, func(n XNode) bool {
			r.Step()
			if e, ok := n.(*XElement); ok && name != nil && *e.name == *name {
				out = e
			}
			return out == nil
		})
		return out
	}))
	children := func(c XContainer) func(func(XNode) bool) {
		return func(y func(XNode) bool) { forward(c.kids().first, y) }
	}
	below := func(c XContainer) func(func(XNode) bool) { return func(y func(XNode) bool) { walk(c, false, y) } }
	c.Method("IEnumerable<XNode> Nodes()", csharp.F2(func(t resultType, c XContainer) *Seq { return axis[XNode](t, nil, children(c)) }))
	c.Method("IEnumerable<XElement> Elements()", csharp.F2(func(t resultType, c XContainer) *Seq { return axis[*XElement](t, nil, children(c)) }))
	c.Method("IEnumerable<XElement> Elements(XName name)", csharp.F3(func(t resultType, c XContainer, name *XName) *Seq {
		return axis[*XElement](t, oneOf(name), children(c))
	}))
	c.Method("IEnumerable<XNode> DescendantNodes()", csharp.F2(func(t resultType, c XContainer) *Seq { return axis[XNode](t, nil, below(c)) }))
	c.Method("IEnumerable<XElement> Descendants()", csharp.F2(func(t resultType, c XContainer) *Seq { return axis[*XElement](t, nil, below(c)) }))
	c.Method("IEnumerable<XElement> Descendants(XName name)", csharp.F3(func(t resultType, c XContainer, name *XName) *Seq {
		return axis[*XElement](t, oneOf(name), below(c))
	}))
	add := func(r run, c XContainer, v any) { addContent(r, c, c.kids().last, v) }
	first := func(r run, c XContainer, v any) { addContent(r, c, nil, v) }
	replace := func(r run, c XContainer, v any) {
		if v != nil {
			v = snapshot(r, v) // the content may be a view of the nodes that go
		}
		removeNodes(c)
		add(r, c, v)
	}
	for name, do := range map[string]func(run, XContainer, any){"Add": add, "AddFirst": first, "ReplaceNodes": replace} {
		c.Method("void "+name+"(object content)", csharp.V3(do))
		c.Method("void "+name+"(params object[] content)", csharp.V3(func(r run, c XContainer, a array) { do(r, c, contentOf(a)) }))
	}
	c.Method("void RemoveNodes()", csharp.V1(removeNodes))
}

// snapshot takes the items of a lazy sequence.
func snapshot(r run, v any) any {
	if s, ok := v.(*Seq); ok {
		return &csharp.Array{Elem: r.Library().MustType("object"), Items: csharp.Items(r, s)}
	}
	return v
}

// declareXExtensions declares the extension methods on sequences of nodes.
func declareXExtensions(b *csharp.Builder) {
	e := b.Type("static class "+linqSpace+"Extensions", csharp.NoGo())
	each := func(src any, walk func(n XNode, y func(XNode) bool)) func(run) func(func(XNode) bool) {
		needArg(src, "source")
		return func(r run) func(func(XNode) bool) {
			return func(y func(XNode) bool) {
				csharp.Each(r, src, func(v any) bool {
					more := true
					if n, ok := v.(XNode); ok {
						walk(n, func(x XNode) bool { more = y(x); return more })
					}
					return more
				})
			}
		}
	}
	axes := map[string]func(n XNode, y func(XNode) bool){
		"Elements":           func(n XNode, y func(XNode) bool) { forward(n.(XContainer).kids().first, y) },
		"Descendants":        func(n XNode, y func(XNode) bool) { walk(n, false, y) },
		"DescendantsAndSelf": func(n XNode, y func(XNode) bool) { walk(n, true, y) },
		"Ancestors":          func(n XNode, y func(XNode) bool) { up(n.links().parent, y) },
		"AncestorsAndSelf":   func(n XNode, y func(XNode) bool) { up(n.(XContainer), y) },
	}
	for name, walk := range axes {
		self := "XContainer"
		switch name {
		case "Ancestors":
			self = "XNode"
		case "DescendantsAndSelf", "AncestorsAndSelf":
			self = "XElement"
		}
		e.Ext("IEnumerable<XElement> "+name+"(this IEnumerable<"+self+"> source)", csharp.F3(func(t resultType, r run, src any) *Seq {
			return axis[*XElement](t, nil, each(src, walk)(r))
		}))
		e.Ext("IEnumerable<XElement> "+name+"(this IEnumerable<"+self+"> source, XName name)", csharp.F4(func(t resultType, r run, src any, name *XName) *Seq {
			return axis[*XElement](t, oneOf(name), each(src, walk)(r))
		}))
	}
	e.Ext("IEnumerable<XNode> Nodes(this IEnumerable<XContainer> source)", csharp.F3(func(t resultType, r run, src any) *Seq {
		return axis[XNode](t, nil, each(src, axes["Elements"])(r))
	}))
	e.Ext("IEnumerable<XNode> DescendantNodes(this IEnumerable<XContainer> source)", csharp.F3(func(t resultType, r run, src any) *Seq {
		return axis[XNode](t, nil, each(src, axes["Descendants"])(r))
	}))
	attributes := func(t resultType, src any, name *XName, all bool) *Seq {
		needArg(src, "source")
		return &Seq{typ: t.Type, each: func(r run, yield func(any) bool) {
			csharp.Each(r, src, func(v any) bool {
				el, ok := v.(*XElement)
				if !ok {
					return true
				}
				for _, a := range el.attrs {
					if (all || *a.name == *name) && !yield(a) {
						return false
					}
				}
				return true
			})
		}}
	}
	e.Ext("IEnumerable<XAttribute> Attributes(this IEnumerable<XElement> source)", csharp.F2(func(t resultType, src any) *Seq { return attributes(t, src, nil, true) }))
	e.Ext("IEnumerable<XAttribute> Attributes(this IEnumerable<XElement> source, XName name)", csharp.F3(func(t resultType, src any, name *XName) *Seq {
		return attributes(t, src, oneOf(name), false)
	}))
	e.Ext("void Remove(this IEnumerable<XNode> source)", csharp.V2(func(r run, src any) {
		needArg(src, "source")
		for _, v := range csharp.Items(r, src) {
			removeNode(v.(XNode))
		}
	}))
	e.Ext("void Remove(this IEnumerable<XAttribute> source)", csharp.V2(func(r run, src any) {
		needArg(src, "source")
		for _, v := range csharp.Items(r, src) {
			v.(*XAttribute).remove()
		}
	}))
}
