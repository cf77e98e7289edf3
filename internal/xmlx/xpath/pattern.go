package xpath

import (
	"errors"
	"fmt"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// Pattern is one alternative of a match pattern of XSLT.
type Pattern struct {
	// steps go from the matched node upwards.
	steps []patternStep
	// rooted says that the path begins at the root; above is how it is joined to what lies over the last step.
	rooted bool
	// set, of key() and id() patterns, is what the uppermost step hangs on.
	set *Expr
}

type patternStep struct {
	step
	// deep says that any number of elements may lie between this step and the next one upwards.
	deep bool
}

// CompilePattern compiles a pattern into its alternatives.
func CompilePattern(text string, static Static) ([]*Pattern, error) {
	p, err := newParser(text, static)
	if err != nil {
		return nil, fmt.Errorf("the pattern %q: %w", text, err)
	}
	var list []*Pattern
	for {
		alternative, err := p.pattern()
		if err != nil {
			return nil, fmt.Errorf("the pattern %q: %w", text, err)
		}
		list = append(list, alternative)
		if p.peek().kind == tokenEnd {
			return list, nil
		}
		if p.operator("|") == "" {
			return nil, fmt.Errorf("the pattern %q: unexpected %q", text, p.peek().text)
		}
	}
}

func (p *parser) pattern() (*Pattern, error) {
	out := &Pattern{}
	deep := false
	switch t := p.peek(); {
	case t.kind == tokenName && (t.text == "key" || t.text == "id") && p.peekAt(1).text == "(":
		p.at++
		e, err := p.call(t.text)
		if err != nil {
			return nil, err
		}
		out.set = e
		if deep = p.symbol("//"); !deep && !p.symbol("/") {
			return out, nil
		}
	case p.symbol("//"):
		out.rooted, deep = true, true
	case p.symbol("/"):
		out.rooted = true
		if !p.startsStep() {
			return out, nil
		}
	}
	for {
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		if s.axis != axisChild && s.axis != axisAttribute {
			return nil, errors.New("only the axes child and attribute may stand in a pattern")
		}
		out.steps = append([]patternStep{{s, deep}}, out.steps...)
		if deep = p.symbol("//"); !deep && !p.symbol("/") {
			return out, nil
		}
	}
}

// Priority is the default priority.
func (p *Pattern) Priority() float64 {
	if len(p.steps) != 1 || p.rooted || p.set != nil || len(p.steps[0].predicates) > 0 {
		return 0.5
	}
	switch t := p.steps[0].test; {
	case t.kind == testName, t.kind == testInstruction && t.name.Local != "":
		return 0
	case t.kind == testSpace:
		return -0.25
	}
	return -0.5
}

// Name is the only element or attribute name that can match; ok is false when there are others.
func (p *Pattern) Name() (kind Kind, name xmlx.Name, ok bool) {
	if len(p.steps) == 0 || p.steps[0].test.kind != testName {
		return 0, xmlx.Name{}, false
	}
	t := p.steps[0].test
	return t.main, xmlx.Name{Local: t.name.Local, Space: t.name.Space}, true
}

// Kinds says whether nodes of a kind can match.
func (p *Pattern) Kinds(k Kind) bool {
	if len(p.steps) == 0 {
		return p.set != nil || k == Root
	}
	s := &p.steps[0]
	if s.axis == axisAttribute {
		return k == Attribute
	}
	switch s.test.kind {
	case testText:
		return k == Text
	case testComment:
		return k == Comment
	case testInstruction:
		return k == Instruction
	case testNode:
		return k == Element || k == Text || k == Comment || k == Instruction
	}
	return k == Element
}

// Matches says whether a node matches. c gives variables and the budget.
func (p *Pattern) Matches(c *Context, n *Node) bool { return p.matches(c, n, 0) }

func (p *Pattern) matches(c *Context, n *Node, i int) bool {
	if i == len(p.steps) {
		switch {
		case p.set != nil:
			return p.inSet(c, n)
		case p.rooted:
			return n.Kind == Root
		}
		return true
	}
	s := &p.steps[i]
	if !s.matches(c, n) {
		return false
	}
	if i+1 == len(p.steps) && !p.rooted && p.set == nil {
		return true
	}
	for up := n.Parent; up != nil; up = up.Parent {
		if p.matches(c, up, i+1) {
			return true
		}
		if !s.deep {
			return false
		}
	}
	return false
}

func (p *Pattern) inSet(c *Context, n *Node) bool {
	inner := *c
	inner.Node = n
	for _, m := range p.set.Nodes(&inner) {
		if m == n {
			return true
		}
	}
	return false
}

// matches says whether the step selects the node from its parent.
func (s *patternStep) matches(c *Context, n *Node) bool {
	c.Budget.Spend(1)
	if n.Kind == Root || n.Kind == Namespace || (n.Kind == Attribute) != (s.axis == axisAttribute) || !s.test.matches(n) {
		return false
	}
	if len(s.predicates) == 0 {
		return true
	}
	if !s.positional() || n.Parent == nil {
		inner := *c
		inner.Node, inner.Position, inner.Size = n, 1, 1
		for _, e := range s.predicates {
			if !holds(e.eval(&inner), 1) {
				return false
			}
		}
		return true
	}
	for _, m := range s.from(c, n.Parent) {
		if m == n {
			return true
		}
	}
	return false
}
