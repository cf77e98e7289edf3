package xslt

import (
	"errors"
	"fmt"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// inner compiles what stands in an element. Its variables end with it.
func (c *compiler) inner(n *xpath.Node) (sequence, error) { return c.siblings(n.First) }

// siblings compiles a node and those after it.
func (c *compiler) siblings(n *xpath.Node) (sequence, error) {
	outer := len(c.scope)
	defer func() { c.scope = c.scope[:outer] }()
	var out sequence
	for ; n != nil; n = n.Next {
		var f code
		var err error
		switch n.Kind {
		case xpath.Text:
			if isSpace(n.Value) && !preserves(n.Parent) {
				continue
			}
			f = textCode(n.Value, false)
		case xpath.Element:
			if f, err = c.element(n); err != nil {
				return nil, fmt.Errorf("<%s>: %w", n.Name, err)
			}
		}
		if f != nil {
			out = append(out, f)
		}
	}
	return out, nil
}

func preserves(n *xpath.Node) bool {
	for ; n != nil; n = n.Parent {
		if v, ok := n.Attr(xmlx.XML, "space"); ok {
			return v == "preserve"
		}
	}
	return false
}

func textCode(s string, raw bool) code {
	return func(r *run, _ *xpath.Context) { r.out.text(s, raw) }
}

// element compiles an element of a template.
func (c *compiler) element(n *xpath.Node) (code, error) {
	if n.Name.Space != spaceXSL {
		if c.isExtension(n) {
			return c.unknown(n)
		}
		return c.literal(n)
	}
	switch n.Name.Local {
	case "apply-templates":
		return c.applyTemplates(n)
	case "call-template":
		return c.callTemplate(n)
	case "for-each":
		return c.forEach(n)
	case "value-of":
		return c.valueOf(n)
	case "copy-of":
		return c.copyOf(n)
	case "copy":
		return c.copy(n)
	case "if":
		return c.ifElement(n)
	case "choose":
		return c.choose(n)
	case "text":
		return c.text(n)
	case "element":
		return c.makeElement(n)
	case "attribute":
		return c.makeAttribute(n)
	case "comment", "processing-instruction":
		return c.aside(n)
	case "variable":
		return c.localVariable(n)
	case "number":
		return c.number(n)
	case "message":
		return c.message(n)
	case "fallback":
		return nil, nil
	case "apply-imports":
		return nil, errors.New("without imported stylesheets there is nothing to apply")
	}
	if c.forward {
		return c.unknown(n)
	}
	return nil, errors.New("the element is not known or may not stand here")
}

// isExtension says whether the namespace of an element is one of extensions.
func (c *compiler) isExtension(n *xpath.Node) bool {
	for up := n; up != nil; up = up.Parent {
		list, ok := up.Attr(spaceXSL, "extension-element-prefixes")
		if up.Name.Space == spaceXSL {
			list, ok = up.Attr("", "extension-element-prefixes")
		}
		if ok && listed(up, list, n.Name.Space) {
			return true
		}
	}
	return false
}

// unknown compiles the fallbacks of an element that is not known; without one it fails when it runs.
func (c *compiler) unknown(n *xpath.Node) (code, error) {
	var fallback sequence
	found := false
	for ch := n.First; ch != nil; ch = ch.Next {
		if ch.Kind != xpath.Element || ch.Name.Space != spaceXSL || ch.Name.Local != "fallback" {
			continue
		}
		body, err := c.inner(ch)
		if err != nil {
			return nil, err
		}
		fallback, found = append(fallback, body...), true
	}
	name := n.Name.String()
	return func(r *run, c *xpath.Context) {
		if !found {
			xpath.Failf("the element <%s> is not known", name)
		}
		fallback.run(r, c)
	}, nil
}

func (c *compiler) applyTemplates(n *xpath.Node) (code, error) {
	if err := c.allow(n, "select", "mode"); err != nil {
		return nil, err
	}
	selected, err := c.attrExpr(n, "select", "node()")
	if err != nil {
		return nil, err
	}
	var name xmlx.Name
	if text, ok := n.Attr("", "mode"); ok {
		if name, err = qname(n, text); err != nil {
			return nil, err
		}
	}
	sorts, args, err := c.sortsAndArguments(n)
	if err != nil {
		return nil, err
	}
	return func(r *run, c *xpath.Context) {
		nodes := sorts.sorted(r, c, selected.Nodes(c))
		r.apply(c, nodes, r.sheet.modes[name], args.eval(r, c))
	}, nil
}

// withParams are the xsl:with-param of a call.
type withParams []struct {
	name  xmlx.Name
	value func(*run, *xpath.Context) xpath.Value
}

func (w withParams) eval(r *run, c *xpath.Context) []argument {
	if len(w) == 0 {
		return nil
	}
	args := make([]argument, len(w))
	for i := range w {
		args[i] = argument{w[i].name, w[i].value(r, c)}
	}
	return args
}

// sortsAndArguments compiles the xsl:sort and xsl:with-param in an element, which holds nothing else.
func (c *compiler) sortsAndArguments(n *xpath.Node) (sorts sortKeys, args withParams, err error) {
	for ch := n.First; ch != nil; ch = ch.Next {
		if ch.Kind != xpath.Element {
			if ch.Kind == xpath.Text && !isSpace(ch.Value) {
				return nil, nil, errors.New("the element has no text of its own")
			}
			continue
		}
		switch {
		case ch.Name.Space == spaceXSL && ch.Name.Local == "sort" && n.Name.Local != "call-template":
			key, err := c.sortKey(ch)
			if err != nil {
				return nil, nil, fmt.Errorf("<%s>: %w", ch.Name, err)
			}
			sorts = append(sorts, key)
		case ch.Name.Space == spaceXSL && ch.Name.Local == "with-param":
			name, value, err := c.variable(ch)
			if err != nil {
				return nil, nil, fmt.Errorf("<%s>: %w", ch.Name, err)
			}
			for _, a := range args {
				if a.name == name {
					return nil, nil, fmt.Errorf("the parameter %q stands twice", name.Local)
				}
			}
			args = append(args, struct {
				name  xmlx.Name
				value func(*run, *xpath.Context) xpath.Value
			}{name, value})
		default:
			return nil, nil, fmt.Errorf("<%s> may not stand here", ch.Name)
		}
	}
	return sorts, args, nil
}

func (c *compiler) callTemplate(n *xpath.Node) (code, error) {
	if err := c.allow(n, "name!"); err != nil {
		return nil, err
	}
	text, _ := n.Attr("", "name")
	name, err := qname(n, text)
	if err != nil {
		return nil, err
	}
	t := c.sheet.named[name]
	if t == nil {
		return nil, fmt.Errorf("there is no template named %q", text)
	}
	_, args, err := c.sortsAndArguments(n)
	if err != nil {
		return nil, err
	}
	return func(r *run, c *xpath.Context) { r.call(t, c, args.eval(r, c)) }, nil
}

func (c *compiler) forEach(n *xpath.Node) (code, error) {
	if err := c.allow(n, "select!"); err != nil {
		return nil, err
	}
	selected, err := c.attrExpr(n, "select", "")
	if err != nil {
		return nil, err
	}
	var sorts sortKeys
	first := n.First
	for ; first != nil; first = first.Next {
		if first.Kind == xpath.Comment || first.Kind == xpath.Text && isSpace(first.Value) {
			continue
		}
		if first.Kind != xpath.Element || first.Name.Space != spaceXSL || first.Name.Local != "sort" {
			break
		}
		key, err := c.sortKey(first)
		if err != nil {
			return nil, fmt.Errorf("<%s>: %w", first.Name, err)
		}
		sorts = append(sorts, key)
	}
	body, err := c.siblings(first)
	if err != nil {
		return nil, err
	}
	return func(r *run, c *xpath.Context) {
		nodes := sorts.sorted(r, c, selected.Nodes(c))
		inner := *c
		inner.Size = len(nodes)
		for i, node := range nodes {
			r.budget.Spend(1)
			inner.Node, inner.Current, inner.Position = node, node, i+1
			body.run(r, &inner)
		}
	}, nil
}

func (c *compiler) valueOf(n *xpath.Node) (code, error) {
	if err := c.allow(n, "select!", "disable-output-escaping"); err != nil {
		return nil, err
	}
	e, err := c.attrExpr(n, "select", "")
	if err != nil {
		return nil, err
	}
	raw, _, err := yesNo(n, "disable-output-escaping")
	return func(r *run, c *xpath.Context) { r.out.text(e.Eval(c).String(), raw) }, err
}

func (c *compiler) copyOf(n *xpath.Node) (code, error) {
	if err := c.allow(n, "select!"); err != nil {
		return nil, err
	}
	e, err := c.attrExpr(n, "select", "")
	return func(r *run, c *xpath.Context) {
		v := e.Eval(c)
		if v.Type != xpath.Set && v.Type != xpath.Fragment {
			r.out.text(v.String(), false)
			return
		}
		for _, node := range v.Nodes {
			r.out.copy(node)
		}
	}, err
}

func (c *compiler) copy(n *xpath.Node) (code, error) {
	if err := c.allow(n, "use-attribute-sets"); err != nil {
		return nil, err
	}
	sets, err := c.useSets(n, "")
	if err != nil {
		return nil, err
	}
	body, err := c.inner(n)
	return func(r *run, c *xpath.Context) {
		switch c.Node.Kind {
		case xpath.Root:
			body.run(r, c)
		case xpath.Element:
			r.out.start(c.Node.Name)
			r.out.copySpaces(c.Node)
			sets.run(r, c)
			body.run(r, c)
			r.out.end()
		default:
			r.out.copy(c.Node)
		}
	}, err
}

func (c *compiler) ifElement(n *xpath.Node) (code, error) {
	if err := c.allow(n, "test!"); err != nil {
		return nil, err
	}
	test, err := c.attrExpr(n, "test", "")
	if err != nil {
		return nil, err
	}
	body, err := c.inner(n)
	return func(r *run, c *xpath.Context) {
		if test.Eval(c).Bool() {
			body.run(r, c)
		}
	}, err
}

func (c *compiler) choose(n *xpath.Node) (code, error) {
	if err := c.allow(n); err != nil {
		return nil, err
	}
	type branch struct {
		test *xpath.Expr
		body sequence
	}
	var branches []branch
	for ch := n.First; ch != nil; ch = ch.Next {
		if ch.Kind != xpath.Element {
			continue
		}
		otherwise := ch.Name.Local == "otherwise"
		if ch.Name.Space != spaceXSL || ch.Name.Local != "when" && !otherwise || len(branches) > 0 && branches[len(branches)-1].test == nil {
			return nil, fmt.Errorf("<%s> may not stand here", ch.Name)
		}
		var b branch
		var err error
		if !otherwise {
			if err = c.allow(ch, "test!"); err == nil {
				b.test, err = c.attrExpr(ch, "test", "")
			}
		}
		if err == nil {
			b.body, err = c.inner(ch)
		}
		if err != nil {
			return nil, fmt.Errorf("<%s>: %w", ch.Name, err)
		}
		branches = append(branches, b)
	}
	if len(branches) == 0 || branches[0].test == nil {
		return nil, errors.New("the element must have an xsl:when")
	}
	return func(r *run, c *xpath.Context) {
		for i := range branches {
			if b := &branches[i]; b.test == nil || b.test.Eval(c).Bool() {
				b.body.run(r, c)
				return
			}
		}
	}, nil
}

func (c *compiler) text(n *xpath.Node) (code, error) {
	if err := c.allow(n, "disable-output-escaping"); err != nil {
		return nil, err
	}
	for ch := n.First; ch != nil; ch = ch.Next {
		if ch.Kind == xpath.Element {
			return nil, fmt.Errorf("<%s> may not stand here", ch.Name)
		}
	}
	raw, _, err := yesNo(n, "disable-output-escaping")
	return textCode(n.String(), raw), err
}

func (c *compiler) localVariable(n *xpath.Node) (code, error) {
	name, value, err := c.variable(n)
	if err != nil {
		return nil, err
	}
	for _, l := range c.scope {
		if l.name == name {
			return nil, fmt.Errorf("the variable $%s hides another one of the template", name.Local)
		}
	}
	slot := c.declare(name)
	return func(r *run, c *xpath.Context) { c.Locals[slot] = value(r, c) }, nil
}

func (c *compiler) message(n *xpath.Node) (code, error) {
	if err := c.allow(n, "terminate"); err != nil {
		return nil, err
	}
	terminate, _, err := yesNo(n, "terminate")
	if err != nil {
		return nil, err
	}
	body, err := c.inner(n)
	return func(r *run, c *xpath.Context) {
		if text := r.fragment(c, body).String(); terminate {
			xpath.Failf("the stylesheet ended the transformation: %s", text)
		}
	}, err
}
