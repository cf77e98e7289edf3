package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// Bounds of copies: a tree that is put below itself doubles with each round of a loop, and the copy recurses.
const (
	maxCopyDepth = 10_000
	nodeCost     = 96 // bytes of a small node
)

// chargeCopy spends memory for the copy that adopt makes when v already has a place or holds parent, and gives v.
func chargeCopy(r run, parent JToken, v any) any {
	t, ok := v.(JToken)
	if !ok || isNilToken(t) {
		return v
	}
	if t.node().parent != nil || isAncestor(t, parent) {
		chargeClone(r, t)
	}
	return v
}

// chargeClone spends memory for a copy of t.
func chargeClone(r run, t JToken) JToken {
	if isNilToken(t) {
		return t
	}
	type place struct {
		t     JToken
		depth int
	}
	for todo := []place{{t, 0}}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		r.Step()
		r.Alloc(nodeCost)
		if p.depth > maxCopyDepth {
			panic(&csharp.LimitError{Limit: "depth"})
		}
		for _, c := range jsonChildren(p.t) {
			todo = append(todo, place{c, p.depth + 1})
		}
	}
	return t
}

// chargeNodes spends memory for a copy of an XML node.
func chargeNodes(r run, n XNode) {
	r.Step()
	r.Alloc(nodeCost)
	if e, ok := n.(*XElement); ok {
		r.Alloc(nodeCost * len(e.attrs))
	}
	if c, ok := n.(XContainer); ok {
		depth := 0
		for k := c.kids().first; k != nil; k = following(k, c, &depth) {
			r.Step()
			r.Alloc(nodeCost)
			if e, ok := k.(*XElement); ok {
				r.Alloc(nodeCost * len(e.attrs))
			}
		}
	}
}

// following is the next node below top in document order.
func following(n XNode, top XContainer, depth *int) XNode {
	if c, ok := n.(XContainer); ok && c.kids().first != nil {
		if *depth++; *depth > maxXMLDepth {
			panic(&csharp.LimitError{Limit: "depth"})
		}
		return c.kids().first
	}
	for {
		if next := n.links().next; next != nil {
			return next
		}
		up := n.links().parent
		if up == nil || up == top {
			return nil
		}
		*depth--
		n = up.(XNode)
	}
}
