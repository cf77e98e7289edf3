package xslt

import (
	"fmt"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// receiver takes a result: a tree or a text.
type receiver interface {
	start(name xmlx.Name, spaces []binding, attrs []xmlx.Attr)
	text(s string, raw bool)
	comment(s string)
	instruction(target, s string)
	end()
}

// binding is a prefix and its namespace.
type binding struct{ prefix, uri string }

// emitter gathers start tags and gives every name that is used a declaration.
type emitter struct {
	to     receiver
	budget *xpath.Budget
	// nodes counts what has been made in the whole run.
	nodes *int

	open   bool // a start tag is being gathered
	name   xmlx.Name
	spaces []binding
	attrs  []xmlx.Attr

	// scope are the bindings of the open elements; marks is where those of each element begin.
	scope []binding
	marks []int
	// written says that the innermost element has content.
	depth int
}

// maxResultNodes is how many elements, attributes and texts the results of one run, its variables included, may have.
const maxResultNodes = 2_000_000

func (e *emitter) count(cost int) {
	if *e.nodes++; *e.nodes > maxResultNodes {
		xpath.Failf("%w: the result has more than %d nodes", xpath.ErrBudget, maxResultNodes)
	}
	e.budget.Spend(cost)
}

func (e *emitter) start(name xmlx.Name) {
	e.flush()
	e.count(1)
	if e.depth++; e.depth > maxResultDepth {
		xpath.Failf("%w: the result is nested deeper than %d", xpath.ErrBudget, maxResultDepth)
	}
	e.open, e.name, e.spaces, e.attrs = true, name, e.spaces[:0], e.attrs[:0]
}

// maxResultDepth is how deep elements of a result may be nested.
const maxResultDepth = 1000

// space declares a prefix for the element that was just started. The first declaration of a prefix stays.
func (e *emitter) space(prefix, uri string) {
	if !e.open || prefix == "xml" {
		return
	}
	for _, s := range e.spaces {
		if s.prefix == prefix {
			return
		}
	}
	e.spaces = append(e.spaces, binding{prefix, uri})
}

func (e *emitter) attr(name xmlx.Name, value string) {
	if !e.open {
		xpath.Failf("the attribute %q cannot follow the content of an element, or stand without one", name)
	}
	e.count(1 + len(value)/8)
	for i := range e.attrs {
		if a := &e.attrs[i]; a.Name.Local == name.Local && a.Name.Space == name.Space {
			a.Value = value
			return
		}
	}
	e.attrs = append(e.attrs, xmlx.Attr{Name: name, Value: value})
}

func (e *emitter) text(s string, raw bool) {
	if s == "" {
		return
	}
	e.flush()
	e.count(1 + len(s)/8)
	e.to.text(s, raw)
}

func (e *emitter) comment(s string) {
	e.flush()
	e.count(1 + len(s)/8)
	e.to.comment(s)
}

func (e *emitter) instruction(target, s string) {
	e.flush()
	e.count(1 + len(s)/8)
	e.to.instruction(target, s)
}

func (e *emitter) end() {
	e.flush()
	e.to.end()
	e.depth--
	last := len(e.marks) - 1
	e.scope, e.marks = e.scope[:e.marks[last]], e.marks[:last]
}

// flush passes the start tag on.
func (e *emitter) flush() {
	if !e.open {
		return
	}
	e.open = false
	e.marks = append(e.marks, len(e.scope))
	wanted := e.spaces
	e.spaces = e.spaces[len(e.spaces):]
	declared := e.declare(wanted)
	e.to.start(e.name, declared, e.attrs)
	e.spaces = wanted[:0]
}

// declare decides what the start tag declares: what its names need, and what was asked for, unless it is declared already.
func (e *emitter) declare(wanted []binding) []binding {
	own := len(e.scope)
	if e.name.Prefix == "" || e.bound(e.name.Prefix, e.name.Space) < 0 {
		e.bind(e.name.Prefix, e.name.Space)
	}
	for _, s := range wanted {
		if !e.boundHere(own, s.prefix) && !(s.prefix == "" && e.name.Space == "" && s.uri != "") {
			e.bind(s.prefix, s.uri)
		}
	}
	for i := range e.attrs {
		a := &e.attrs[i]
		if a.Name.Space == "" || a.Name.Space == xmlx.XML {
			continue
		}
		a.Name.Prefix = e.attrPrefix(own, a.Name)
	}
	return e.scope[own:]
}

// attrPrefix is the prefix under which an attribute of a namespace can be written.
func (e *emitter) attrPrefix(own int, n xmlx.Name) string {
	if n.Prefix != "" {
		if e.bound(n.Prefix, n.Space) >= 0 {
			return n.Prefix
		}
		if !e.boundHere(own, n.Prefix) {
			e.bind(n.Prefix, n.Space)
			return n.Prefix
		}
	}
	for i := len(e.scope) - 1; i >= 0; i-- {
		if s := e.scope[i]; s.uri == n.Space && s.prefix != "" && e.bound(s.prefix, s.uri) == i {
			return s.prefix
		}
	}
	for i := 0; ; i++ {
		prefix := fmt.Sprintf("xp_%d", i)
		if !e.boundHere(0, prefix) {
			e.bind(prefix, n.Space)
			return prefix
		}
	}
}

// bind declares a prefix at the element unless it stands for the namespace already.
func (e *emitter) bind(prefix, uri string) {
	if prefix == "xml" {
		return
	}
	for i := len(e.scope) - 1; i >= 0; i-- {
		if e.scope[i].prefix == prefix {
			if e.scope[i].uri == uri {
				return
			}
			break
		}
		if i == 0 && uri == "" {
			return
		}
	}
	if len(e.scope) == 0 && uri == "" {
		return
	}
	e.scope = append(e.scope, binding{prefix, uri})
}

// bound is where a prefix stands for a namespace; -1 when it does not.
func (e *emitter) bound(prefix, uri string) int {
	for i := len(e.scope) - 1; i >= 0; i-- {
		if e.scope[i].prefix == prefix {
			if e.scope[i].uri == uri {
				return i
			}
			return -1
		}
	}
	return -1
}

// boundHere says whether a prefix is declared from a place of the scope on.
func (e *emitter) boundHere(from int, prefix string) bool {
	for _, s := range e.scope[from:] {
		if s.prefix == prefix {
			return true
		}
	}
	return false
}

// copy copies a node with all that stands in it.
func (e *emitter) copy(n *xpath.Node) {
	switch n.Kind {
	case xpath.Root:
		e.copyChildren(n)
	case xpath.Element:
		e.start(n.Name)
		e.copySpaces(n)
		for _, a := range n.Attrs {
			e.attr(a.Name, a.Value)
		}
		e.copyChildren(n)
		e.end()
	case xpath.Attribute:
		e.attr(n.Name, n.Value)
	case xpath.Text:
		e.text(n.Value, false)
	case xpath.Comment:
		e.comment(n.Value)
	case xpath.Instruction:
		e.instruction(n.Name.Local, n.Value)
	case xpath.Namespace:
		e.space(n.Name.Local, n.Value)
	}
}

func (e *emitter) copyChildren(n *xpath.Node) {
	for c := n.First; c != nil; c = c.Next {
		e.copy(c)
	}
}

// copySpaces declares the namespaces in scope of an element.
func (e *emitter) copySpaces(n *xpath.Node) {
	for up := n; up != nil; up = up.Parent {
		for _, s := range up.Spaces {
			e.space(s.Name.Local, s.Value)
		}
	}
}

// treeReceiver makes a result tree fragment.
type treeReceiver struct{ *xpath.Builder }

func (t treeReceiver) start(name xmlx.Name, spaces []binding, attrs []xmlx.Attr) {
	t.Start(name)
	for _, s := range spaces {
		t.Space(s.prefix, s.uri)
	}
	for _, a := range attrs {
		t.Attr(a.Name, a.Value)
	}
}

func (t treeReceiver) text(s string, _ bool)        { t.Text(s) }
func (t treeReceiver) comment(s string)             { t.Comment(s) }
func (t treeReceiver) instruction(target, s string) { t.Instruction(target, s) }
func (t treeReceiver) end()                         { t.End() }
