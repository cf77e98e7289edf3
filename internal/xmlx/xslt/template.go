package xslt

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// template is an xsl:template.
type template struct {
	params []parameter
	slots  int
	body   sequence
}

// parameter is an xsl:param of a template.
type parameter struct {
	name  xmlx.Name
	slot  int
	value func(r *run, c *xpath.Context) xpath.Value
}

// rule is one alternative of the pattern of a template.
type rule struct {
	pattern  *xpath.Pattern
	template *template
	priority float64
	position int
}

// mode are the rules of one mode, best first.
type mode struct {
	rules  []*rule
	byName map[nodeName][]*rule
	byKind [xpath.Namespace + 1][]*rule // for names that no pattern names
}

type nodeName struct {
	kind xpath.Kind
	name xmlx.Name
}

// index sorts the rules and prepares those that can match a node.
func (m *mode) index() {
	slices.SortStableFunc(m.rules, func(a, b *rule) int {
		return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(b.position, a.position))
	})
	m.byName = make(map[nodeName][]*rule)
	for _, r := range m.rules {
		if kind, name, ok := r.pattern.Name(); ok {
			m.byName[nodeName{kind, name}] = nil
		}
	}
	for _, r := range m.rules {
		kind, name, named := r.pattern.Name()
		if named {
			key := nodeName{kind, name}
			m.byName[key] = append(m.byName[key], r)
			continue
		}
		for key := range m.byName {
			if r.pattern.Kinds(key.kind) {
				m.byName[key] = append(m.byName[key], r)
			}
		}
		for k := range m.byKind {
			if r.pattern.Kinds(xpath.Kind(k)) {
				m.byKind[k] = append(m.byKind[k], r)
			}
		}
	}
}

// find is the template for a node; nil when only the built-in rules apply.
func (m *mode) find(c *xpath.Context, n *xpath.Node) *template {
	if m == nil {
		return nil
	}
	list := m.byKind[n.Kind]
	if n.Kind == xpath.Element || n.Kind == xpath.Attribute {
		if named, ok := m.byName[nodeName{n.Kind, xmlx.Name{Local: n.Name.Local, Space: n.Name.Space}}]; ok {
			list = named
		}
	}
	for _, r := range list {
		if r.pattern.Matches(c, n) {
			return r.template
		}
	}
	return nil
}

func (c *compiler) template(n *xpath.Node) error {
	if err := c.allow(n, "match", "name", "priority", "mode"); err != nil {
		return err
	}
	t := &template{}
	match, matches := n.Attr("", "match")
	text, isNamed := n.Attr("", "name")
	if !matches && !isNamed {
		return errors.New("the element must have match or name")
	}
	if isNamed {
		name, err := qname(n, text)
		if err != nil {
			return err
		}
		if c.sheet.named[name] != nil {
			return fmt.Errorf("there are two templates named %q", text)
		}
		c.sheet.named[name] = t
	}
	if _, hasMode := n.Attr("", "mode"); !matches && hasMode {
		return errors.New("mode needs match")
	}
	c.later = append(c.later, func() error {
		if matches {
			if err := c.rules(n, match, t); err != nil {
				return fmt.Errorf("<%s>: %w", n.Name, err)
			}
		}
		if err := c.templateBody(n, t); err != nil {
			return fmt.Errorf("<%s match=%q name=%q>: %w", n.Name, match, text, err)
		}
		return nil
	})
	return nil
}

// rules adds the alternatives of a pattern to their mode.
func (c *compiler) rules(n *xpath.Node, match string, t *template) error {
	c.scope = nil
	patterns, err := xpath.CompilePattern(match, static{c: c, n: n, none: true})
	if err != nil {
		return err
	}
	var name xmlx.Name
	if text, ok := n.Attr("", "mode"); ok {
		if name, err = qname(n, text); err != nil {
			return err
		}
	}
	m := c.sheet.modes[name]
	if m == nil {
		m = &mode{}
		c.sheet.modes[name] = m
	}
	given, has, err := priority(n)
	if err != nil {
		return err
	}
	for _, p := range patterns {
		r := &rule{pattern: p, template: t, priority: p.Priority(), position: len(m.rules)}
		if has {
			r.priority = given
		}
		m.rules = append(m.rules, r)
	}
	return nil
}

func (c *compiler) templateBody(n *xpath.Node, t *template) error {
	c.scope, c.slots = nil, 0
	first := n.First
	for ; first != nil; first = first.Next {
		if first.Kind == xpath.Text && isSpace(first.Value) || first.Kind == xpath.Comment || first.Kind == xpath.Instruction {
			continue
		}
		if first.Kind != xpath.Element || first.Name.Space != spaceXSL || first.Name.Local != "param" {
			break
		}
		name, value, err := c.variable(first)
		if err != nil {
			return fmt.Errorf("<%s>: %w", first.Name, err)
		}
		t.params = append(t.params, parameter{name: name, slot: c.declare(name), value: value})
	}
	body, err := c.siblings(first)
	t.body, t.slots = body, c.slots
	return err
}

// declare adds a local variable.
func (c *compiler) declare(name xmlx.Name) int {
	slot := c.slots
	c.slots++
	c.scope = append(c.scope, local{name, slot})
	return slot
}

// variable compiles the name and the value of a variable, parameter or argument.
func (c *compiler) variable(n *xpath.Node) (xmlx.Name, func(*run, *xpath.Context) xpath.Value, error) {
	if err := c.allow(n, "name!", "select"); err != nil {
		return xmlx.Name{}, nil, err
	}
	text, _ := n.Attr("", "name")
	name, err := qname(n, text)
	if err != nil {
		return name, nil, err
	}
	if text, ok := n.Attr("", "select"); ok {
		if hasContent(n) {
			return name, nil, errors.New("the element has both select and a content")
		}
		e, err := c.expr(n, text)
		if err != nil {
			return name, nil, err
		}
		return name, func(_ *run, c *xpath.Context) xpath.Value { return e.Eval(c) }, nil
	}
	if !hasContent(n) {
		return name, func(*run, *xpath.Context) xpath.Value { return xpath.StringValue("") }, nil
	}
	body, err := c.inner(n)
	if err != nil {
		return name, nil, err
	}
	return name, func(r *run, c *xpath.Context) xpath.Value { return xpath.FragmentValue(r.fragment(c, body)) }, nil
}

func hasContent(n *xpath.Node) bool {
	for ch := n.First; ch != nil; ch = ch.Next {
		if ch.Kind == xpath.Element || ch.Kind == xpath.Text && (!isSpace(ch.Value) || preserves(n)) {
			return true
		}
	}
	return false
}

// global notes a variable of the whole stylesheet; its value is compiled when all names are known.
func (c *compiler) global(n *xpath.Node) error {
	text, _ := n.Attr("", "name")
	name, err := qname(n, text)
	if err != nil {
		return err
	}
	for _, g := range c.sheet.globals {
		if g.name == name {
			return fmt.Errorf("there are two variables or parameters named %q", text)
		}
	}
	g := &global{name: name, param: n.Name.Local == "param"}
	c.sheet.globals = append(c.sheet.globals, g)
	c.later = append(c.later, func() error {
		c.scope, c.slots = nil, 0
		_, value, err := c.variable(n)
		if err != nil {
			return fmt.Errorf("<%s name=%q>: %w", n.Name, text, err)
		}
		slots := c.slots
		g.value = func(r *run, c *xpath.Context) xpath.Value {
			inner := *c
			inner.Locals = make([]xpath.Value, slots)
			return value(r, &inner)
		}
		return nil
	})
	return nil
}
