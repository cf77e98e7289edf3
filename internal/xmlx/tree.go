package xmlx

import "strings"

// Kind says what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Element Kind = iota
	Text
	CData
	Comment
	Instruction
)

// XMLNS and XSI are the namespaces of namespace declarations and of xsi:nil.
const (
	XMLNS = "http://www.w3.org/2000/xmlns/"
	XML   = "http://www.w3.org/XML/1998/namespace"
	XSI   = "http://www.w3.org/2001/XMLSchema-instance"
)

// Name is a qualified name: as it is written, and the namespace that its prefix stands for.
type Name struct{ Prefix, Local, Space string }

// String is the name as it is written.
func (n Name) String() string {
	if n.Prefix == "" {
		return n.Local
	}
	return n.Prefix + ":" + n.Local
}

// Attr is an attribute or a namespace declaration, whose namespace is [XMLNS].
type Attr struct {
	Name  Name
	Value string
}

// Node is an element or what stands in one.
type Node struct {
	Kind Kind
	// Name is the name of an element; of an instruction, Local is its target.
	Name     Name
	Attrs    []Attr
	Children []*Node
	// Empty says that an element was written as <a/>, not as <a></a>.
	Empty bool
	// Text is the content of a node that is no element.
	Text string
}

// Document is a whole document.
type Document struct {
	// Declaration are version, encoding and standalone of <?xml … ?>, in their order; nil when there is none.
	Declaration []Attr
	// Nodes are the root element and the comments and instructions around it.
	Nodes []*Node
	// Root is the root element.
	Root *Node
}

// Attr returns the attribute of that local name and namespace.
func (n *Node) Attr(space, local string) (value string, ok bool) {
	for _, a := range n.Attrs {
		if a.Name.Local == local && a.Name.Space == space {
			return a.Value, true
		}
	}
	return "", false
}

// IsNil says whether an element has xsi:nil="true".
func (n *Node) IsNil() bool {
	v, _ := n.Attr(XSI, "nil")
	v = strings.TrimSpace(v)
	return v == "true" || v == "1"
}

// Elements are the child elements.
func (n *Node) Elements() []*Node {
	var list []*Node
	for _, c := range n.Children {
		if c.Kind == Element {
			list = append(list, c)
		}
	}
	return list
}

// Content is the text of a node and of all that stands in it.
func (n *Node) Content() string {
	switch n.Kind {
	case Text, CData:
		return n.Text
	case Element:
		if len(n.Children) == 1 {
			return n.Children[0].Content()
		}
		var b strings.Builder
		n.content(&b)
		return b.String()
	}
	return ""
}

func (n *Node) content(b *strings.Builder) {
	for _, c := range n.Children {
		switch c.Kind {
		case Text, CData:
			b.WriteString(c.Text)
		case Element:
			c.content(b)
		}
	}
}
