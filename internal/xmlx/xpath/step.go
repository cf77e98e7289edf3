package xpath

import (
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// step is one step of a location path.
type step struct {
	axis       axis
	test       test
	predicates []*Expr
}

type axis uint8

const (
	axisChild axis = iota
	axisDescendant
	axisDescendantOrSelf
	axisParent
	axisAncestor
	axisAncestorOrSelf
	axisFollowingSibling
	axisPrecedingSibling
	axisFollowing
	axisPreceding
	axisAttribute
	axisNamespace
	axisSelf
)

func axisNamed(s string) (axis, bool) {
	for i, name := range [...]string{
		"child", "descendant", "descendant-or-self", "parent", "ancestor", "ancestor-or-self", "following-sibling", "preceding-sibling",
		"following", "preceding", "attribute", "namespace", "self",
	} {
		if name == s {
			return axis(i), true
		}
	}
	return 0, false
}

// test says which nodes of an axis count.
type test struct {
	kind testKind
	// name is the name, or with testSpace the namespace, or the target of an instruction.
	name xmlx.Name
	main Kind // the kind of nodes that names test on the axis
}

type testKind uint8

const (
	testName testKind = iota
	testSpace
	testAnyName
	testNode
	testText
	testComment
	testInstruction
)

func (t *test) matches(n *Node) bool {
	switch t.kind {
	case testName:
		return n.Kind == t.main && n.Name.Local == t.name.Local && n.Name.Space == t.name.Space
	case testSpace:
		return n.Kind == t.main && n.Name.Space == t.name.Space
	case testAnyName:
		return n.Kind == t.main
	case testText:
		return n.Kind == Text
	case testComment:
		return n.Kind == Comment
	case testInstruction:
		return n.Kind == Instruction && (t.name.Local == "" || n.Name.Local == t.name.Local)
	}
	return true
}

// location parses a path that begins at the context node or at the root.
func (p *parser) location() (*Expr, error) {
	var steps []step
	var err error
	start := contextNode
	switch t := p.peek(); {
	case t.kind == tokenSymbol && t.text == "/":
		p.at++
		start = topNode
		if p.startsStep() {
			steps, err = p.steps()
		}
	case t.kind == tokenSymbol && t.text == "//":
		start = topNode
		steps, err = p.moreSteps(nil)
	default:
		steps, err = p.steps()
	}
	if err != nil {
		return nil, err
	}
	return NewExpr(Set, pathOf(start, steps)), nil
}

func contextNode(c *Context) []*Node { return []*Node{c.Node} }

func topNode(c *Context) []*Node { return []*Node{c.Node.Top()} }

func (p *parser) startsStep() bool {
	switch t := p.peek(); t.kind {
	case tokenName:
		return true
	case tokenSymbol:
		return t.text == "." || t.text == ".." || t.text == "@" || t.text == "*"
	}
	return false
}

func (p *parser) steps() ([]step, error) {
	s, err := p.step()
	if err != nil {
		return nil, err
	}
	return p.moreSteps([]step{s})
}

// moreSteps parses what follows: /step and //step.
func (p *parser) moreSteps(steps []step) ([]step, error) {
	for {
		deep := p.symbol("//")
		if !deep && !p.symbol("/") {
			return steps, nil
		}
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		switch {
		case deep && s.axis == axisChild && !s.positional():
			s.axis = axisDescendant
		case deep:
			steps = append(steps, step{axis: axisDescendantOrSelf, test: test{kind: testNode}})
		}
		steps = append(steps, s)
	}
}

func (s *step) positional() bool {
	for _, e := range s.predicates {
		if e.positional || e.Type == Number || e.Type == Any {
			return true
		}
	}
	return false
}

func (p *parser) step() (step, error) {
	anyNode := test{kind: testNode}
	switch {
	case p.symbol("."):
		return step{axis: axisSelf, test: anyNode}, nil
	case p.symbol(".."):
		return step{axis: axisParent, test: anyNode}, nil
	}
	s := step{axis: axisChild}
	if p.symbol("@") {
		s.axis = axisAttribute
	} else if next := p.peekAt(1); p.peek().kind == tokenName && next.kind == tokenSymbol && next.text == "::" {
		var ok bool
		if s.axis, ok = axisNamed(p.peek().text); !ok {
			return s, fmt.Errorf("there is no axis %q", p.peek().text)
		}
		p.at += 2
	}
	var err error
	if s.test, err = p.nodeTest(s.axis); err != nil {
		return s, err
	}
	s.predicates, err = p.predicates()
	return s, err
}

func (p *parser) nodeTest(a axis) (test, error) {
	t := test{main: Element}
	switch a {
	case axisAttribute:
		t.main = Attribute
	case axisNamespace:
		t.main = Namespace
	}
	word := p.peek()
	p.at++
	switch {
	case word.text == "*" && word.kind != tokenLiteral:
		t.kind = testAnyName
		return t, nil
	case word.kind != tokenName:
		return t, fmt.Errorf("a name is missing before %q", word.text)
	case strings.HasSuffix(word.text, ":*"):
		name, err := p.name(strings.TrimSuffix(word.text, "*") + "x")
		t.kind, t.name.Space = testSpace, name.Space
		return t, err
	}
	if isNodeType(word.text) && p.symbol("(") {
		return p.nodeType(word.text)
	}
	name, err := p.name(word.text)
	t.name = name
	return t, err
}

func (p *parser) nodeType(word string) (t test, err error) {
	switch word {
	case "node":
		t.kind = testNode
	case "text":
		t.kind = testText
	case "comment":
		t.kind = testComment
	default:
		t.kind = testInstruction
		if p.peek().kind == tokenLiteral {
			t.name.Local = p.peek().text
			p.at++
		}
	}
	return t, p.expect(")")
}

func (p *parser) predicates() (list []*Expr, err error) {
	for p.symbol("[") {
		e, err := p.or()
		if err == nil {
			err = p.expect("]")
		}
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// pathOf evaluates steps from where a path begins.
func pathOf(start func(*Context) []*Node, steps []step) func(*Context) Value {
	return func(c *Context) Value {
		nodes := start(c)
		for i := range steps {
			nodes = steps[i].apply(c, nodes)
		}
		return SetValue(nodes...)
	}
}

// apply is what the step finds from each of the nodes, in document order.
func (s *step) apply(c *Context, from []*Node) []*Node {
	if len(from) == 1 {
		return InOrder(s.from(c, from[0]))
	}
	var all []*Node
	for _, n := range from {
		all = append(all, s.from(c, n)...)
	}
	return InOrder(all)
}

// from is what the step finds from one node, in the order of the axis.
func (s *step) from(c *Context, n *Node) []*Node {
	nodes := s.collect(c, n)
	for _, e := range s.predicates {
		nodes = keep(c, nodes, e)
	}
	return nodes
}

// keep are the nodes for which a predicate holds.
func keep(c *Context, nodes []*Node, e *Expr) []*Node {
	if e.constant && e.Type == Number {
		i := e.eval(c).num
		if i >= 1 && i <= float64(len(nodes)) && i == float64(int(i)) {
			return nodes[int(i)-1 : int(i)]
		}
		return nil
	}
	inner := *c
	inner.Size = len(nodes)
	out := nodes[:0]
	for i, n := range nodes {
		c.Budget.Spend(1)
		inner.Node, inner.Position = n, i+1
		if holds(e.eval(&inner), i+1) {
			out = append(out, n)
		}
	}
	return out
}

// holds says whether the value of a predicate keeps the node at a position.
func holds(v Value, position int) bool {
	if v.Type == Number {
		return v.num == float64(position)
	}
	return v.Bool()
}

// filter applies predicates to the value of an expression, in document order.
func filter(e *Expr, predicates []*Expr) *Expr {
	return NewExpr(Set, func(c *Context) Value {
		nodes := append([]*Node(nil), e.Nodes(c)...)
		for _, predicate := range predicates {
			nodes = keep(c, nodes, predicate)
		}
		return SetValue(nodes...)
	}, e)
}
