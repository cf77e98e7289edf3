package clr

import (
	"math"
	"slices"
)

// An xpathExpr is a part of a parsed expression.
type xpathExpr interface{ eval(c *xpathContext) any }

type (
	xpathConst  struct{ value any }
	xpathBinary struct {
		op          string // neg has no right side
		left, right xpathExpr
	}
	xpathCall struct {
		name string
		do   func(c *xpathContext, args []any) any
		args []xpathExpr
	}
	// An xpathPath is a location path; from and predicates are the filter expression before it.
	xpathPath struct {
		absolute   bool
		from       xpathExpr
		predicates []xpathExpr
		steps      []xpathStep
	}
	xpathStep struct {
		axis          string
		test          string // name, node, text, comment or processing-instruction
		prefix, local string
		predicates    []xpathExpr
	}
)

func (e xpathConst) eval(*xpathContext) any { return e.value }

func (e *xpathCall) eval(c *xpathContext) any {
	args := make([]any, len(e.args))
	for i, a := range e.args {
		args[i] = a.eval(c)
	}
	c.r.Step()
	return e.do(c, args)
}

func (e *xpathBinary) eval(c *xpathContext) any {
	c.r.Step()
	left := e.left.eval(c)
	switch e.op {
	case "or":
		return xpathBool(left) || xpathBool(e.right.eval(c))
	case "and":
		return xpathBool(left) && xpathBool(e.right.eval(c))
	case "neg":
		return -c.num(left)
	}
	right := e.right.eval(c)
	switch e.op {
	case "|":
		a, ok := left.(xpathSet)
		b, ok2 := right.(xpathSet)
		if !ok || !ok2 {
			xpathError("Expression must evaluate to a node-set.")
		}
		return c.sorted(append(slices.Clone(a), b...))
	case "+":
		return c.num(left) + c.num(right)
	case "-":
		return c.num(left) - c.num(right)
	case "*":
		return c.num(left) * c.num(right)
	case "div":
		return c.num(left) / c.num(right)
	case "mod":
		return math.Mod(c.num(left), c.num(right))
	}
	return c.compare(e.op, left, right)
}

// compare is section 3.4: a node-set compares as any of its nodes.
func (c *xpathContext) compare(op string, left, right any) bool {
	a, isSet := left.(xpathSet)
	b, isSet2 := right.(xpathSet)
	_, leftBool := left.(bool)
	_, rightBool := right.(bool)
	switch {
	case isSet && isSet2:
		return slices.ContainsFunc(a, func(n xpathNode) bool { return c.compare(op, c.text(xpathSet{n}), right) })
	case isSet && !rightBool:
		return slices.ContainsFunc(a, func(n xpathNode) bool {
			c.r.Step()
			return c.compare(op, c.text(xpathSet{n}), right)
		})
	case isSet2 && !leftBool:
		return slices.ContainsFunc(b, func(n xpathNode) bool {
			c.r.Step()
			return c.compare(op, left, c.text(xpathSet{n}))
		})
	}
	if op == "=" || op == "!=" {
		return c.same(left, right) == (op == "=")
	}
	if isSet {
		left = xpathBool(left)
	}
	if isSet2 {
		right = xpathBool(right)
	}
	x, y := c.num(left), c.num(right)
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

// same compares values of which none is a node-set, or one is and the other a boolean.
func (c *xpathContext) same(left, right any) bool {
	_, leftBool := left.(bool)
	_, rightBool := right.(bool)
	_, leftNum := left.(float64)
	_, rightNum := right.(float64)
	switch {
	case leftBool || rightBool:
		return xpathBool(left) == xpathBool(right)
	case leftNum || rightNum:
		return c.num(left) == c.num(right)
	}
	return c.text(left) == c.text(right)
}

func (e *xpathPath) eval(c *xpathContext) any {
	nodes := xpathSet{c.node}
	switch {
	case e.absolute:
		nodes[0] = xpathRoot(c.node)
	case e.from != nil:
		set, ok := e.from.eval(c).(xpathSet)
		if !ok {
			xpathError("Expression must evaluate to a node-set.")
		}
		nodes = c.filter(set, e.predicates)
	}
	for i := range e.steps {
		nodes = e.steps[i].from(c, nodes)
	}
	return nodes
}

// filter keeps the nodes for which all predicates hold; a number is a position.
func (c *xpathContext) filter(nodes xpathSet, predicates []xpathExpr) xpathSet {
	for _, p := range predicates {
		var kept xpathSet
		for i, n := range nodes {
			v := p.eval(&xpathContext{c.xpathRun, n, i + 1, len(nodes)})
			if f, ok := v.(float64); ok && f == float64(i+1) || !ok && xpathBool(v) {
				c.visit()
				kept = append(kept, n)
			}
		}
		nodes = kept
	}
	return nodes
}

// from applies a step to a node-set.
func (s *xpathStep) from(c *xpathContext, nodes xpathSet) xpathSet {
	uri := ""
	if s.test == "name" {
		uri = c.resolve(s.prefix)
	}
	var out xpathSet
	for _, n := range nodes {
		var found xpathSet
		s.walk(n, func(x xpathNode) bool {
			c.visit()
			if s.matches(x, uri) {
				found = append(found, x)
			}
			return true
		})
		found = c.filter(found, s.predicates)
		if s.reverse() {
			slices.Reverse(found)
		}
		out = append(out, found...)
	}
	if len(nodes) > 1 {
		out = c.sorted(out)
	}
	return out
}

func (s *xpathStep) reverse() bool {
	switch s.axis {
	case "ancestor", "ancestor-or-self", "preceding", "preceding-sibling":
		return true
	}
	return false
}

// matches is the node test.
func (s *xpathStep) matches(n xpathNode, uri string) bool {
	kind := n.xpathKind()
	switch s.test {
	case "node":
		return true
	case "text":
		return kind == xmlText || kind == xmlCDATA || kind == xmlWhitespace || kind == xmlSignificantWhitespace
	case "comment":
		return kind == xmlComment
	case "processing-instruction":
		_, local, _ := n.xpathName()
		return kind == xmlInstruction && (s.local == "" || s.local == local)
	}
	principal := xmlElement
	if s.axis == "attribute" {
		principal = xmlAttribute
	}
	if kind != principal {
		return false
	}
	_, local, space := n.xpathName()
	return (s.local == "*" || s.local == local) && (s.local == "*" && s.prefix == "" || space == uri)
}

func isXPathAxis(name string) bool {
	switch name {
	case "child", "attribute", "self", "parent", "descendant", "descendant-or-self", "ancestor", "ancestor-or-self",
		"following-sibling", "preceding-sibling", "following", "preceding", "namespace":
		return true
	}
	return false
}

// walk gives the nodes of the step's axis in its order.
func (s *xpathStep) walk(n xpathNode, yield func(xpathNode) bool) {
	switch s.axis {
	case "child":
		for k := n.xpathChild(true); k != nil && yield(k); k = k.xpathSibling(true) {
		}
	case "attribute":
		for _, a := range n.xpathAttributes() {
			yield(a)
		}
	case "self":
		yield(n)
	case "parent":
		if p := n.xpathParent(); p != nil {
			yield(p)
		}
	case "descendant", "descendant-or-self":
		xpathWalk(n, func(x xpathNode) bool { return x == n && s.axis == "descendant" || yield(x) })
	case "ancestor", "ancestor-or-self":
		if s.axis == "ancestor" {
			n = n.xpathParent()
		}
		for ; n != nil && yield(n); n = n.xpathParent() {
		}
	case "following-sibling", "preceding-sibling":
		if n.xpathKind() == xmlAttribute {
			return
		}
		forward := s.axis == "following-sibling"
		for k := n.xpathSibling(forward); k != nil && yield(k); k = k.xpathSibling(forward) {
		}
	case "following":
		xpathFollowing(n, yield)
	case "preceding":
		xpathPreceding(n, yield)
	}
}

func xpathFollowing(n xpathNode, yield func(xpathNode) bool) {
	if n.xpathKind() == xmlAttribute {
		n = n.xpathParent()
		xpathWalk(n, func(x xpathNode) bool { return x == n || yield(x) })
	}
	for ; n != nil; n = n.xpathParent() {
		for k := n.xpathSibling(true); k != nil; k = k.xpathSibling(true) {
			xpathWalk(k, yield)
		}
	}
}

// xpathPreceding gives what is before n but for its ancestors, in reverse document order.
func xpathPreceding(n xpathNode, yield func(xpathNode) bool) {
	if n.xpathKind() == xmlAttribute {
		n = n.xpathParent()
	}
	for ; n != nil; n = n.xpathParent() {
		for k := n.xpathSibling(false); k != nil; k = k.xpathSibling(false) {
			var below xpathSet
			xpathWalk(k, func(x xpathNode) bool { below = append(below, x); return true })
			for _, x := range slices.Backward(below) {
				yield(x)
			}
		}
	}
}
