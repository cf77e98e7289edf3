package xslt

import (
	"errors"
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// template values: texts with {expressions} in them.
type value func(*xpath.Context) string

// avt compiles an attribute value template.
func (c *compiler) avt(n *xpath.Node, text string) (v value, constant bool, err error) {
	var parts []value
	var literal strings.Builder
	flush := func() {
		if s := literal.String(); s != "" {
			parts = append(parts, func(*xpath.Context) string { return s })
			literal.Reset()
		}
	}
	constant = true
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "{{"), strings.HasPrefix(text[i:], "}}"):
			literal.WriteByte(text[i])
			i++
		case text[i] == '}':
			return nil, false, fmt.Errorf("the value %q has a } too many", text)
		case text[i] != '{':
			literal.WriteByte(text[i])
		default:
			end := expressionEnd(text[i+1:])
			if end < 0 {
				return nil, false, fmt.Errorf("the value %q has a { that is not closed", text)
			}
			flush()
			e, err := c.expr(n, text[i+1:i+1+end])
			if err != nil {
				return nil, false, err
			}
			parts, constant = append(parts, func(c *xpath.Context) string { return e.Eval(c).String() }), false
			i += end + 1
		}
	}
	flush()
	switch len(parts) {
	case 0:
		return func(*xpath.Context) string { return "" }, true, nil
	case 1:
		return parts[0], constant, nil
	}
	return func(c *xpath.Context) string {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(p(c))
		}
		return b.String()
	}, constant, nil
}

// expressionEnd is where the } stands that ends an expression; those in its literals do not.
func expressionEnd(s string) int {
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch {
		case quote != 0:
			if s[i] == quote {
				quote = 0
			}
		case s[i] == '"' || s[i] == '\'':
			quote = s[i]
		case s[i] == '}':
			return i
		}
	}
	return -1
}

// attrValue compiles an attribute that is a template; ok says whether it is there.
func (c *compiler) attrValue(n *xpath.Node, name string) (v value, ok bool, err error) {
	text, ok := n.Attr("", name)
	if !ok {
		return nil, false, nil
	}
	v, _, err = c.avt(n, text)
	return v, true, err
}

// literal compiles a literal result element.
func (c *compiler) literal(n *xpath.Node) (code, error) {
	name := c.aliased(n.Name)
	spaces := c.literalSpaces(n)
	type attribute struct {
		name  xmlx.Name
		value value
	}
	var attrs []attribute
	for _, a := range n.Attrs {
		if a.Name.Space == spaceXSL {
			switch a.Name.Local {
			case "use-attribute-sets", "exclude-result-prefixes", "extension-element-prefixes", "version":
				continue
			}
			return nil, fmt.Errorf("there is no attribute %q", a.Name)
		}
		v, _, err := c.avt(n, a.Value)
		if err != nil {
			return nil, err
		}
		attrName := a.Name
		if attrName.Space != "" {
			attrName = c.aliased(attrName)
		}
		attrs = append(attrs, attribute{attrName, v})
	}
	sets, err := c.useSets(n, spaceXSL)
	if err != nil {
		return nil, err
	}
	body, err := c.inner(n)
	return func(r *run, c *xpath.Context) {
		r.out.start(name)
		for _, s := range spaces {
			r.out.space(s.prefix, s.uri)
		}
		sets.run(r, c)
		for i := range attrs {
			r.out.attr(attrs[i].name, attrs[i].value(c))
		}
		body.run(r, c)
		r.out.end()
	}, err
}

func (c *compiler) aliased(n xmlx.Name) xmlx.Name {
	if to, ok := c.sheet.aliases[n.Space]; ok {
		n.Prefix, n.Space = to.prefix, to.uri
	}
	return n
}

// literalSpaces are the namespaces that a literal result element brings along: all in scope but those that are excluded.
func (c *compiler) literalSpaces(n *xpath.Node) []binding {
	var list []binding
	for _, s := range n.Scope() {
		if s.Value == spaceXSL || s.Value == xmlx.XML || isExcluded(n, s.Value) {
			continue
		}
		b := binding{s.Name.Local, s.Value}
		if to, ok := c.sheet.aliases[s.Value]; ok {
			b = to
		}
		list = append(list, b)
	}
	return list
}

// isExcluded says whether an element of the stylesheet or one around it keeps a namespace out of the result.
func isExcluded(n *xpath.Node, uri string) bool {
	for up := n; up != nil && up.Kind == xpath.Element; up = up.Parent {
		space := spaceXSL
		if up.Name.Space == spaceXSL {
			space = ""
		}
		for _, attr := range [...]string{"exclude-result-prefixes", "extension-element-prefixes"} {
			if list, ok := up.Attr(space, attr); ok && listed(up, list, uri) {
				return true
			}
		}
	}
	return false
}

// listed says whether a namespace is among the prefixes of a list.
func listed(n *xpath.Node, list, uri string) bool {
	for _, prefix := range strings.Fields(list) {
		if prefix == "#default" {
			prefix = ""
		}
		if u, ok := n.Space(prefix); ok && u == uri {
			return true
		}
	}
	return false
}

// computedName makes the name of an element or attribute from its name and its namespace.
func (c *compiler) computedName(n *xpath.Node) (func(*xpath.Context) xmlx.Name, error) {
	name, _, err := c.attrValue(n, "name")
	if err != nil {
		return nil, err
	}
	space, hasSpace, err := c.attrValue(n, "namespace")
	if err != nil {
		return nil, err
	}
	element := n.Name.Local == "element"
	return func(ctx *xpath.Context) xmlx.Name {
		text := strings.TrimSpace(name(ctx))
		prefix, local, ok := strings.Cut(text, ":")
		if !ok {
			prefix, local = "", text
		}
		if !isName(local) || ok && !isName(prefix) || !element && text == "xmlns" {
			xpath.Failf("%q is not a name", text)
		}
		out := xmlx.Name{Prefix: prefix, Local: local}
		switch {
		case hasSpace:
			if out.Space = space(ctx); out.Space == "" || prefix == "xmlns" {
				out.Prefix = ""
			}
		case ok || element:
			uri, found := n.Space(prefix)
			if !found {
				xpath.Failf("the prefix %q is not declared", prefix)
			}
			out.Space = uri
		}
		return out
	}, nil
}

func (c *compiler) makeElement(n *xpath.Node) (code, error) {
	if err := c.allow(n, "name!", "namespace", "use-attribute-sets"); err != nil {
		return nil, err
	}
	name, err := c.computedName(n)
	if err != nil {
		return nil, err
	}
	sets, err := c.useSets(n, "")
	if err != nil {
		return nil, err
	}
	body, err := c.inner(n)
	return func(r *run, c *xpath.Context) {
		r.out.start(name(c))
		sets.run(r, c)
		body.run(r, c)
		r.out.end()
	}, err
}

func (c *compiler) makeAttribute(n *xpath.Node) (code, error) {
	if err := c.allow(n, "name!", "namespace"); err != nil {
		return nil, err
	}
	name, err := c.computedName(n)
	if err != nil {
		return nil, err
	}
	body, err := c.inner(n)
	return func(r *run, c *xpath.Context) { r.out.attr(name(c), r.textOf(c, body)) }, err
}

// aside compiles a comment or an instruction.
func (c *compiler) aside(n *xpath.Node) (code, error) {
	if n.Name.Local == "comment" {
		if err := c.allow(n); err != nil {
			return nil, err
		}
		body, err := c.inner(n)
		return func(r *run, c *xpath.Context) { r.out.comment(r.textOf(c, body)) }, err
	}
	if err := c.allow(n, "name!"); err != nil {
		return nil, err
	}
	name, _, err := c.attrValue(n, "name")
	if err != nil {
		return nil, err
	}
	body, err := c.inner(n)
	return func(r *run, c *xpath.Context) {
		target := strings.TrimSpace(name(c))
		if !isName(target) || strings.EqualFold(target, "xml") {
			xpath.Failf("%q is not a name for a processing instruction", target)
		}
		r.out.instruction(target, strings.TrimLeft(r.textOf(c, body), " \t\r\n"))
	}, err
}

// attributeSet is an xsl:attribute-set.
type attributeSet struct {
	uses  []xmlx.Name
	body  sequence
	slots int
}

func (c *compiler) attributeSet(n *xpath.Node) error {
	if err := c.allow(n, "name!", "use-attribute-sets"); err != nil {
		return err
	}
	text, _ := n.Attr("", "name")
	name, err := qname(n, text)
	if err != nil {
		return err
	}
	set := &attributeSet{}
	if set.uses, err = setNames(n, ""); err != nil {
		return err
	}
	c.sheet.sets[name] = append(c.sheet.sets[name], set)
	c.later = append(c.later, func() error {
		for ch := n.First; ch != nil; ch = ch.Next {
			if ch.Kind == xpath.Element && (ch.Name.Space != spaceXSL || ch.Name.Local != "attribute") {
				return fmt.Errorf("<%s>: <%s> may not stand here", n.Name, ch.Name)
			}
		}
		c.scope, c.slots = nil, 0
		body, err := c.inner(n)
		set.body, set.slots = body, c.slots
		return err
	})
	return nil
}

func setNames(n *xpath.Node, space string) (names []xmlx.Name, err error) {
	list, _ := n.Attr(space, "use-attribute-sets")
	for _, s := range strings.Fields(list) {
		name, err := qname(n, s)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// usedSets are the attribute sets that an element names.
type usedSets []xmlx.Name

func (c *compiler) useSets(n *xpath.Node, space string) (usedSets, error) {
	names, err := setNames(n, space)
	for _, name := range names {
		if c.sheet.sets[name] == nil {
			return nil, fmt.Errorf("there is no attribute set %q", name.Local)
		}
	}
	return names, err
}

func (u usedSets) run(r *run, c *xpath.Context) {
	for _, name := range u {
		for _, set := range r.sheet.sets[name] {
			usedSets(set.uses).run(r, c)
			inner := *c
			inner.Locals = make([]xpath.Value, set.slots)
			set.body.run(r, &inner)
		}
	}
}

// checkSets refuses attribute sets that use themselves or unknown ones.
func (c *compiler) checkSets() error {
	state := make(map[xmlx.Name]int)
	var visit func(name xmlx.Name) error
	visit = func(name xmlx.Name) error {
		switch {
		case c.sheet.sets[name] == nil:
			return fmt.Errorf("there is no attribute set %q", name.Local)
		case state[name] == 1:
			return errors.New("an attribute set uses itself")
		case state[name] == 2:
			return nil
		}
		state[name] = 1
		for _, set := range c.sheet.sets[name] {
			for _, used := range set.uses {
				if err := visit(used); err != nil {
					return err
				}
			}
		}
		state[name] = 2
		return nil
	}
	for name := range c.sheet.sets {
		if err := visit(name); err != nil {
			return err
		}
	}
	return nil
}
