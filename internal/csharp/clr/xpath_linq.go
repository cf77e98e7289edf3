package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A linqNode is a node of LINQ to XML for XPath.
type linqNode struct{ XObject }

func asLinqNode(n XNode) xpathNode {
	if n == nil {
		return nil
	}
	return linqNode{n}
}

func (n linqNode) xpathKind() int { return n.nodeType() }

func (n linqNode) xpathName() (prefix, local, uri string) {
	switch x := n.XObject.(type) {
	case *XElement:
		prefix, _ = prefixOf(x, x.name.space, true)
		return prefix, x.name.local, x.name.space
	case *XAttribute:
		prefix, _ = prefixOf(x.parent, x.name.space, false)
		return prefix, x.name.local, x.name.space
	case *XProcessingInstruction:
		return "", x.target, ""
	}
	return "", "", ""
}

func (n linqNode) xpathValue() string {
	switch x := n.XObject.(type) {
	case XContainer:
		return contentText(x)
	case textual:
		return x.text().value
	case *XAttribute:
		return x.value
	case *XComment:
		return x.value
	case *XProcessingInstruction:
		return x.data
	}
	return ""
}

func (n linqNode) xpathParent() xpathNode {
	if p := n.parentNode(); p != nil {
		return linqNode{p}
	}
	return nil
}

func (n linqNode) xpathSibling(forward bool) xpathNode {
	x, ok := n.XObject.(XNode)
	for ok && x != nil {
		if x = x.links().prev; forward {
			x = n.XObject.(XNode).links().next
		}
		if x == nil {
			return nil
		}
		if _, skip := x.(*XDocumentType); !skip {
			return linqNode{x}
		}
		n.XObject = x
	}
	return nil
}

func (n linqNode) xpathChild(first bool) xpathNode {
	c, ok := n.XObject.(XContainer)
	if !ok {
		return nil
	}
	k := c.kids().last
	if first {
		k = c.kids().first
	}
	if _, skip := k.(*XDocumentType); skip {
		return linqNode{k}.xpathSibling(first)
	}
	return asLinqNode(k)
}

func (n linqNode) xpathAttributes() []xpathNode {
	e, ok := n.XObject.(*XElement)
	if !ok {
		return nil
	}
	var out []xpathNode
	for _, a := range e.attrs {
		if _, declares := declaredPrefix(a); !declares {
			out = append(out, linqNode{a})
		}
	}
	return out
}

// declareXPathExtensions declares the extension methods of System.Xml.XPath on nodes of LINQ to XML.
func declareXPathExtensions(b *csharp.Builder) {
	e := b.Type("static class System.Xml.XPath.Extensions", csharp.NoGo()).Outside()
	start := func(n XNode) xpathNode {
		if n == nil {
			csharp.ThrowArgumentNull("node")
		}
		return linqNode{n}
	}
	elements := func(t resultType, r run, n XNode, expr string, ns *xmlNamespaces) *Seq {
		set := selectElements(r, start(n), expr, ns)
		return &Seq{typ: t.Type, each: func(_ run, yield func(any) bool) {
			for _, x := range set {
				if !yield(x.(linqNode).element()) {
					return
				}
			}
		}}
	}
	first := func(r run, n XNode, expr string, ns *xmlNamespaces) *XElement {
		if set := selectElements(r, start(n), expr, ns); len(set) > 0 {
			return set[0].(linqNode).element()
		}
		return nil
	}
	evaluate := func(r run, n XNode, expr string, ns *xmlNamespaces) any {
		v := evalXPath(r, start(n), expr, ns.resolver())
		set, ok := v.(xpathSet)
		if !ok {
			return v
		}
		return &Seq{typ: r.Library().MustType("IEnumerable<object>"), each: func(_ run, yield func(any) bool) {
			for _, x := range set {
				if !yield(x.(linqNode).XObject) {
					return
				}
			}
		}}
	}
	e.Ext("XElement XPathSelectElement(this XNode node, string expression)", csharp.F3(func(r run, n XNode, expr string) *XElement { return first(r, n, expr, nil) }))
	e.Ext("XElement XPathSelectElement(this XNode node, string expression, System.Xml.IXmlNamespaceResolver resolver)", csharp.F4(first))
	e.Ext("IEnumerable<XElement> XPathSelectElements(this XNode node, string expression)", csharp.F4(func(t resultType, r run, n XNode, expr string) *Seq {
		return elements(t, r, n, expr, nil)
	}))
	e.Ext("IEnumerable<XElement> XPathSelectElements(this XNode node, string expression, System.Xml.IXmlNamespaceResolver resolver)", csharp.F5(elements))
	e.Ext("object XPathEvaluate(this XNode node, string expression)", csharp.F3(func(r run, n XNode, expr string) any { return evaluate(r, n, expr, nil) }))
	e.Ext("object XPathEvaluate(this XNode node, string expression, System.Xml.IXmlNamespaceResolver resolver)", csharp.F4(evaluate))
}

// selectElements evaluates an expression that must give nodes.
func selectElements(r run, n xpathNode, expr string, ns *xmlNamespaces) xpathSet {
	v := evalXPath(r, n, expr, ns.resolver())
	set, ok := v.(xpathSet)
	if !ok {
		invalidOperation("The XPath expression evaluated to unexpected type " + r.Library().TypeOf(v).FullName() + ".")
	}
	return slices.Clip(set)
}

// element is the element that a node must be.
func (n linqNode) element() *XElement {
	e, ok := n.XObject.(*XElement)
	if !ok {
		invalidOperation("The XPath expression evaluated to unexpected type " + csharp.TypeName(n.XObject) + ".")
	}
	return e
}
