package xpath

// collect are the nodes of the step's axis that pass its test, in the order of the axis. The slice is new.
func (s *step) collect(c *Context, n *Node) []*Node {
	k := collector{test: &s.test, budget: c.Budget}
	switch s.axis {
	case axisChild:
		k.siblings(n.First)
	case axisDescendantOrSelf:
		k.add(n)
		k.descendants(n)
	case axisDescendant:
		k.descendants(n)
	case axisParent:
		if n.Parent != nil {
			k.add(n.Parent)
		}
	case axisAncestor:
		k.ancestors(n.Parent)
	case axisAncestorOrSelf:
		k.ancestors(n)
	case axisFollowingSibling:
		if n.Kind != Attribute && n.Kind != Namespace {
			k.siblings(n.Next)
		}
	case axisPrecedingSibling:
		for p := n.Prev; p != nil; p = p.Prev {
			k.add(p)
		}
	case axisFollowing:
		k.following(n)
	case axisPreceding:
		k.preceding(n)
	case axisAttribute:
		for _, a := range n.Attrs {
			k.add(a)
		}
	case axisNamespace:
		k.namespaces(n)
	case axisSelf:
		k.add(n)
	}
	return k.found
}

// collector gathers the nodes that pass a test, and pays for those that it looks at.
type collector struct {
	test   *test
	budget *Budget
	found  []*Node
}

func (k *collector) add(n *Node) {
	k.budget.Spend(1)
	if k.test.matches(n) {
		k.found = append(k.found, n)
	}
}

func (k *collector) siblings(n *Node) {
	for ; n != nil; n = n.Next {
		k.add(n)
	}
}

func (k *collector) descendants(n *Node) {
	for d := n.First; d != nil; d = d.following(n) {
		k.add(d)
	}
}

func (k *collector) ancestors(n *Node) {
	for ; n != nil; n = n.Parent {
		k.add(n)
	}
}

func (k *collector) following(n *Node) {
	if n.Kind == Attribute || n.Kind == Namespace {
		n = n.Parent
		k.descendants(n)
	}
	for ; n != nil; n = n.Parent {
		for s := n.Next; s != nil; s = s.Next {
			k.add(s)
			k.descendants(s)
		}
	}
}

// preceding walks backwards: what comes before, without the ancestors.
func (k *collector) preceding(n *Node) {
	if n.Kind == Attribute || n.Kind == Namespace {
		n = n.Parent
	}
	for ; n != nil; n = n.Parent {
		for s := n.Prev; s != nil; s = s.Prev {
			k.backwards(s)
		}
	}
}

func (k *collector) backwards(n *Node) {
	for d := lastOf(n); ; {
		k.add(d)
		if d == n {
			return
		}
		if d.Prev != nil {
			d = lastOf(d.Prev)
		} else {
			d = d.Parent
		}
	}
}

// lastOf is the last node of a subtree in document order.
func lastOf(n *Node) *Node {
	for n.Last != nil {
		n = n.Last
	}
	return n
}

// namespaces adds the namespace nodes. Their names are their prefixes.
func (k *collector) namespaces(n *Node) {
	for _, s := range n.Scope() {
		k.add(s)
	}
}
