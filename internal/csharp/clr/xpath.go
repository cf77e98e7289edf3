package clr

import (
	"math"
	"sort"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file and its neighbours are XPath 1.0 (W3C recommendation of 16 November 1999) as System.Xml.XPath evaluates it. Every
// node that is looked at costs a step of the run. The namespace axis is empty: no policy asks for it.

// An xpathNode is a node of XPath's data model. Values for the same node are equal.
type xpathNode interface {
	// xpathKind is one of the kinds of System.Xml.XmlNodeType; xmlDocument for the root.
	xpathKind() int
	// xpathName gives the name; prefix is the one that was written.
	xpathName() (prefix, local, uri string)
	xpathValue() string
	xpathParent() xpathNode
	// xpathSibling is the neighbour after the node or before it, nil at the edge.
	xpathSibling(forward bool) xpathNode
	// xpathChild is the first child or the last.
	xpathChild(first bool) xpathNode
	// xpathAttributes are the attributes but for declarations of namespaces.
	xpathAttributes() []xpathNode
}

// xpathSet is a node-set in document order.
type xpathSet []xpathNode

// An xpathRun is one evaluation.
type xpathRun struct {
	r      run
	prefix func(string) (uri string, ok bool) // nil without a namespace manager
	order  map[xpathNode]int
}

// An xpathContext is the context of an expression.
type xpathContext struct {
	*xpathRun
	node           xpathNode
	position, size int
}

// evalXPath evaluates an expression at a node: bool, float64, string or xpathSet.
func evalXPath(r run, node xpathNode, expr string, prefix func(string) (string, bool)) any {
	needString(expr, "expression")
	r.Steps(len(expr))
	compiled := parseXPath(expr)
	return compiled.eval(&xpathContext{&xpathRun{r: r, prefix: prefix}, node, 1, 1})
}

// selectXPath evaluates an expression that must give nodes.
func selectXPath(r run, node xpathNode, expr string, prefix func(string) (string, bool)) xpathSet {
	set, ok := evalXPath(r, node, expr, prefix).(xpathSet)
	if !ok {
		xpathError("Expression must evaluate to a node-set.")
	}
	return set
}

func xpathError(message string) { csharp.Throw("System.Xml.XPath.XPathException", message) }

// resolve gives the namespace of a prefix.
func (c *xpathRun) resolve(prefix string) string {
	if prefix == "" {
		return ""
	}
	if c.prefix == nil {
		xpathError("Namespace Manager or XsltContext needed. This query has a prefix, variable, or user-defined function.")
	}
	uri, ok := c.prefix(prefix)
	if !ok {
		xpathError("Namespace prefix '" + prefix + "' is not defined.")
	}
	return uri
}

// visit charges the run for one node.
func (c *xpathRun) visit() {
	c.r.Step()
	c.r.Alloc(16)
}

// sorted puts nodes into document order and drops duplicates.
func (c *xpathRun) sorted(nodes xpathSet) xpathSet {
	if len(nodes) < 2 {
		return nodes
	}
	c.number(nodes[0])
	c.r.Steps(len(nodes))
	sort.SliceStable(nodes, func(i, j int) bool { return c.order[nodes[i]] < c.order[nodes[j]] })
	out := nodes[:1]
	for _, n := range nodes[1:] {
		if n != out[len(out)-1] {
			out = append(out, n)
		}
	}
	return out
}

// number gives every node of a tree its place in document order, once for an evaluation.
func (c *xpathRun) number(n xpathNode) {
	if c.order != nil {
		return
	}
	c.order = map[xpathNode]int{}
	top := xpathRoot(n)
	xpathWalk(top, func(x xpathNode) bool {
		c.visit()
		c.order[x] = len(c.order)
		for _, a := range x.xpathAttributes() {
			c.visit()
			c.order[a] = len(c.order)
		}
		return true
	})
}

func xpathRoot(n xpathNode) xpathNode {
	for p := n.xpathParent(); p != nil; p = n.xpathParent() {
		n = p
	}
	return n
}

// xpathWalk gives a node and what is below it in document order, until yield returns false. It does not recurse.
func xpathWalk(top xpathNode, yield func(xpathNode) bool) bool {
	n := top
	for {
		if !yield(n) {
			return false
		}
		if k := n.xpathChild(true); k != nil {
			n = k
			continue
		}
		for n != top {
			if s := n.xpathSibling(true); s != nil {
				n = s
				break
			}
			n = n.xpathParent()
		}
		if n == top {
			return true
		}
	}
}

// The conversions of XPath 1.0, section 4.

func (c *xpathRun) text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case bool:
		if x {
			return "true"
		}
		return "false"
	case float64:
		return text(x)
	case xpathSet:
		if len(x) == 0 {
			return ""
		}
		s := x[0].xpathValue()
		c.r.Alloc(len(s))
		return s
	}
	return ""
}

func (c *xpathRun) num(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case bool:
		if x {
			return 1
		}
		return 0
	}
	return xpathNumber(c.text(v))
}

// xpathNumber reads a number: digits with a sign and a point, no exponent.
func xpathNumber(s string) float64 {
	s = strings.Trim(s, " \t\r\n")
	if f, ok := parseFloat(s, 0x24, 64); ok && s != "" && strings.Trim(s, "-.0123456789") == "" {
		return f
	}
	return math.NaN()
}

func xpathBool(v any) bool {
	switch x := v.(type) {
	case bool:
		return x
	case float64:
		return x != 0 && !math.IsNaN(x)
	case string:
		return x != ""
	case xpathSet:
		return len(x) > 0
	}
	return false
}
