package xpath

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// Kind says what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Root Kind = iota
	Element
	Attribute
	Text
	Comment
	Instruction
	Namespace
)

// Node is a node of a tree.
type Node struct {
	Kind Kind
	// Name is the name of an element or attribute; of an instruction, Local is its target, of a namespace its prefix.
	Name xmlx.Name
	// Value is the text of a node that has no children; of a namespace, its URI.
	Value string
	// Parent is the element or root around the node; nil for roots.
	Parent *Node
	// First to Prev are the children, and the siblings among them.
	First, Last, Next, Prev *Node
	// Attrs and Spaces are the attributes and the namespaces that an element declares itself.
	Attrs, Spaces []*Node

	order uint64
	// scope are the namespace nodes of an element; made when they are asked for.
	scope []*Node
}

// Builder makes a tree in document order.
type Builder struct {
	root, at *Node
	next     uint64
	slab     []Node
	// first and more are text that waits for more text.
	first string
	more  strings.Builder
}

// NewBuilder begins a tree. Trees of one run have different numbers, which give the document order between them.
func NewBuilder(number uint32) *Builder {
	b := &Builder{next: uint64(number) << 32}
	b.root = b.node(Node{Kind: Root})
	b.at = b.root
	return b
}

const slabSize = 64

func (b *Builder) node(n Node) *Node {
	if len(b.slab) == 0 {
		b.slab = make([]Node, slabSize)
	}
	p := &b.slab[0]
	b.slab = b.slab[1:]
	n.order = b.next
	b.next++
	*p = n
	return p
}

func (b *Builder) add(n Node) *Node {
	b.flush()
	return b.child(n)
}

func (b *Builder) child(n Node) *Node {
	p := b.node(n)
	p.Parent, p.Prev = b.at, b.at.Last
	if p.Prev != nil {
		p.Prev.Next = p
	} else {
		b.at.First = p
	}
	b.at.Last = p
	return p
}

// Start begins an element; its namespaces and attributes come next.
func (b *Builder) Start(name xmlx.Name) { b.at = b.add(Node{Kind: Element, Name: name}) }

// Space declares a prefix for the element.
func (b *Builder) Space(prefix, uri string) {
	n := b.node(Node{Kind: Namespace, Name: xmlx.Name{Local: prefix}, Value: uri, Parent: b.at})
	b.at.Spaces = append(b.at.Spaces, n)
}

// Attr gives the element an attribute.
func (b *Builder) Attr(name xmlx.Name, value string) {
	n := b.node(Node{Kind: Attribute, Name: name, Value: value, Parent: b.at})
	b.at.Attrs = append(b.at.Attrs, n)
}

// Text adds text; it becomes one node with the text before it.
func (b *Builder) Text(s string) {
	switch {
	case b.first == "":
		b.first = s
	case s != "":
		if b.more.Len() == 0 {
			b.more.WriteString(b.first)
		}
		b.more.WriteString(s)
	}
}

// flush makes a node of the text that waits.
func (b *Builder) flush() {
	if b.first == "" {
		return
	}
	s := b.first
	if b.more.Len() > 0 {
		s = b.more.String()
		b.more.Reset()
	}
	b.first = ""
	b.child(Node{Kind: Text, Value: s})
}

// Comment adds a comment.
func (b *Builder) Comment(s string) { b.add(Node{Kind: Comment, Value: s}) }

// Instruction adds a processing instruction.
func (b *Builder) Instruction(target, s string) {
	b.add(Node{Kind: Instruction, Name: xmlx.Name{Local: target}, Value: s})
}

// End ends the element.
func (b *Builder) End() {
	b.flush()
	b.at = b.at.Parent
}

// Root is the tree's root. Nothing may be added afterwards.
func (b *Builder) Root() *Node {
	b.flush()
	return b.root
}

// FromDocument makes a tree of a document.
func FromDocument(d *xmlx.Document, number uint32) *Node {
	b := NewBuilder(number)
	for _, n := range d.Nodes {
		b.copy(n)
	}
	return b.Root()
}

func (b *Builder) copy(n *xmlx.Node) {
	switch n.Kind {
	case xmlx.Text, xmlx.CData:
		b.Text(n.Text)
	case xmlx.Comment:
		b.Comment(n.Text)
	case xmlx.Instruction:
		b.Instruction(n.Name.Local, n.Text)
	case xmlx.Element:
		b.Start(n.Name)
		for i := range n.Attrs {
			if a := &n.Attrs[i]; a.Name.Space == xmlx.XMLNS {
				b.Space(declaredPrefix(a.Name), a.Value)
			}
		}
		for i := range n.Attrs {
			if a := &n.Attrs[i]; a.Name.Space != xmlx.XMLNS {
				b.Attr(a.Name, a.Value)
			}
		}
		for _, c := range n.Children {
			b.copy(c)
		}
		b.End()
	}
}

func declaredPrefix(n xmlx.Name) string {
	if n.Prefix == "" {
		return ""
	}
	return n.Local
}

// String is the string-value of a node.
func (n *Node) String() string {
	if n.Kind != Root && n.Kind != Element {
		return n.Value
	}
	if n.First == nil {
		return ""
	}
	if n.First == n.Last && n.First.Kind == Text {
		return n.First.Value
	}
	var b strings.Builder
	for d := n.First; d != nil; d = d.following(n) {
		if d.Kind == Text {
			b.WriteString(d.Value)
		}
	}
	return b.String()
}

// following is the next node of the subtree of top in document order; nil after the last one.
func (n *Node) following(top *Node) *Node {
	if n.First != nil {
		return n.First
	}
	for n != top {
		if n.Next != nil {
			return n.Next
		}
		n = n.Parent
	}
	return nil
}

// Top is the root of the node's tree.
func (n *Node) Top() *Node {
	for n.Parent != nil {
		n = n.Parent
	}
	return n
}

// Attr is the value of an attribute of an element.
func (n *Node) Attr(space, local string) (value string, ok bool) {
	for _, a := range n.Attrs {
		if a.Name.Local == local && a.Name.Space == space {
			return a.Value, true
		}
	}
	return "", false
}

// Space is the namespace that a prefix stands for at an element.
func (n *Node) Space(prefix string) (uri string, ok bool) {
	if prefix == "xml" {
		return xmlx.XML, true
	}
	for e := n; e != nil; e = e.Parent {
		for _, s := range e.Spaces {
			if s.Name.Local == prefix {
				return s.Value, s.Value != "" || prefix == ""
			}
		}
	}
	return "", prefix == ""
}

// Scope are the namespaces in scope of an element, that of the prefix xml among them, in no particular order.
func (n *Node) Scope() []*Node {
	if n.Kind != Element {
		return nil
	}
	if n.scope != nil {
		return n.scope
	}
	seen := map[string]bool{"xml": true}
	n.scope = []*Node{{Kind: Namespace, Name: xmlx.Name{Local: "xml"}, Value: xmlx.XML, Parent: n, order: n.order}}
	for e := n; e != nil; e = e.Parent {
		for _, s := range e.Spaces {
			if seen[s.Name.Local] {
				continue
			}
			seen[s.Name.Local] = true
			if s.Value != "" {
				n.scope = append(n.scope, &Node{Kind: Namespace, Name: s.Name, Value: s.Value, Parent: n, order: n.order})
			}
		}
	}
	return n.scope
}

// Order tells nodes apart and puts them in document order, within a tree and between the trees of a run.
func (n *Node) Order() uint64 { return n.order }

// Remove takes a node out of its parent's children. Its own links stay, so that a walk that stands on it can go on.
func (n *Node) Remove() {
	if n.Prev != nil {
		n.Prev.Next = n.Next
	} else {
		n.Parent.First = n.Next
	}
	if n.Next != nil {
		n.Next.Prev = n.Prev
	} else {
		n.Parent.Last = n.Prev
	}
}

// Before is the node before this one in document order, ancestors included; nil at the root.
func (n *Node) Before() *Node {
	if n.Prev == nil {
		return n.Parent
	}
	return lastOf(n.Prev)
}
