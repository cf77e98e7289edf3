package xslt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// keyDefinition is an xsl:key.
type keyDefinition struct {
	match []*xpath.Pattern
	use   *xpath.Expr
}

func (c *compiler) key(n *xpath.Node) error {
	if err := c.allow(n, "name!", "match!", "use!"); err != nil {
		return err
	}
	text, _ := n.Attr("", "name")
	name, err := qname(n, text)
	if err != nil {
		return err
	}
	match, _ := n.Attr("", "match")
	use, _ := n.Attr("", "use")
	c.scope = nil
	var d keyDefinition
	if d.match, err = xpath.CompilePattern(match, static{c: c, n: n, none: true}); err != nil {
		return err
	}
	if d.use, err = xpath.Compile(use, static{c: c, n: n, none: true}); err != nil {
		return err
	}
	c.sheet.keys[name] = append(c.sheet.keys[name], d)
	return nil
}

// keyUse is a key in one document.
type keyUse struct {
	name xmlx.Name
	top  *xpath.Node
}

// lookup are the nodes of a document with a key's value.
func (r *run) lookup(name xmlx.Name, top *xpath.Node, key string) []*xpath.Node {
	use := keyUse{name, top}
	index, ok := r.keys[use]
	if !ok {
		if r.keys == nil {
			r.keys = make(map[keyUse]map[string][]*xpath.Node)
		}
		index = make(map[string][]*xpath.Node)
		r.keys[use] = index
		for _, d := range r.sheet.keys[name] {
			r.indexKey(index, d, top)
		}
	}
	return index[key]
}

func (r *run) indexKey(index map[string][]*xpath.Node, d keyDefinition, n *xpath.Node) {
	c := r.context(n)
	r.indexNode(index, d, c, n)
	for _, a := range n.Attrs {
		r.indexNode(index, d, c, a)
	}
	for ch := n.First; ch != nil; ch = ch.Next {
		r.indexKey(index, d, ch)
	}
}

func (r *run) indexNode(index map[string][]*xpath.Node, d keyDefinition, c *xpath.Context, n *xpath.Node) {
	for _, p := range d.match {
		if !p.Matches(c, n) {
			continue
		}
		inner := *c
		inner.Node, inner.Current = n, n
		v := d.use.Eval(&inner)
		if v.Type != xpath.Set {
			index[v.String()] = append(index[v.String()], n)
			return
		}
		for _, m := range v.Nodes {
			s := m.String()
			if list := index[s]; len(list) == 0 || list[len(list)-1] != n {
				index[s] = append(list, n)
			}
		}
		return
	}
}

// Function finds the functions of XSLT and the few of .NET.
func (s static) Function(name xmlx.Name, args []*xpath.Expr) (*xpath.Expr, error) {
	switch {
	case (name.Space == spaceMSXSL || name.Space == spaceEXSL) && name.Local == "node-set":
		return nodeSet(args)
	case name.Space == spaceMSXSL && name.Local == "string-compare":
		return stringCompare(args)
	case name.Space == spaceEXSL && name.Local == "object-type":
		return objectType(args)
	case name.Space != "":
		return nil, nil
	}
	switch name.Local {
	case "current":
		return xpath.NewExpr(xpath.Set, func(c *xpath.Context) xpath.Value { return xpath.SetValue(c.Current) }), xpath.CheckArguments("current", args, 0, 0)
	case "key":
		return s.keyFunction(args)
	case "generate-id":
		return generateID(args)
	case "format-number":
		return s.formatNumber(args)
	case "system-property":
		return s.ofName("system-property", args, xpath.String, func(n xmlx.Name) xpath.Value { return systemProperty(n) })
	case "function-available":
		return s.ofName("function-available", args, xpath.Boolean, func(n xmlx.Name) xpath.Value { return xpath.BoolValue(isFunction(n)) })
	case "element-available":
		return s.ofName("element-available", args, xpath.Boolean, func(n xmlx.Name) xpath.Value { return xpath.BoolValue(isInstruction(n)) })
	case "unparsed-entity-uri":
		return xpath.Constant(xpath.StringValue("")), xpath.CheckArguments("unparsed-entity-uri", args, 1, 1)
	case "document":
		return nil, errors.New("the function document() is not allowed")
	}
	if s.c.forward {
		return xpath.NewExpr(xpath.Any, func(*xpath.Context) xpath.Value {
			xpath.Failf("there is no function %s()", name.Local)
			return xpath.Value{}
		}), nil
	}
	return nil, nil
}

func nodeSet(args []*xpath.Expr) (*xpath.Expr, error) {
	if err := xpath.CheckArguments("node-set", args, 1, 1); err != nil {
		return nil, err
	}
	return xpath.NewExpr(xpath.Set, func(c *xpath.Context) xpath.Value {
		switch v := args[0].Eval(c); v.Type {
		case xpath.Set, xpath.Fragment:
			return xpath.SetValue(v.Nodes...)
		default:
			r := c.Run.(*run)
			r.trees++
			b := xpath.NewBuilder(r.trees)
			b.Text(v.String())
			return xpath.SetValue(b.Root())
		}
	}, args...), nil
}

func stringCompare(args []*xpath.Expr) (*xpath.Expr, error) {
	if err := xpath.CheckArguments("string-compare", args, 2, 4); err != nil {
		return nil, err
	}
	return xpath.NewExpr(xpath.Number, func(c *xpath.Context) xpath.Value {
		a, b := args[0].Eval(c).String(), args[1].Eval(c).String()
		options := ""
		if len(args) == 4 {
			options = args[3].Eval(c).String()
		}
		if strings.Contains(options, "i") {
			a, b = strings.ToLower(a), strings.ToLower(b)
		}
		return xpath.NumberValue(float64(compareTexts(a, b, strings.Contains(options, "u"))))
	}, args...), nil
}

func objectType(args []*xpath.Expr) (*xpath.Expr, error) {
	if err := xpath.CheckArguments("object-type", args, 1, 1); err != nil {
		return nil, err
	}
	return xpath.NewExpr(xpath.String, func(c *xpath.Context) xpath.Value {
		switch args[0].Eval(c).Type {
		case xpath.Set:
			return xpath.StringValue("node-set")
		case xpath.Number:
			return xpath.StringValue("number")
		case xpath.Boolean:
			return xpath.StringValue("boolean")
		case xpath.Fragment:
			return xpath.StringValue("RTF")
		}
		return xpath.StringValue("string")
	}, args...), nil
}

func (s static) keyFunction(args []*xpath.Expr) (*xpath.Expr, error) {
	if err := xpath.CheckArguments("key", args, 2, 2); err != nil {
		return nil, err
	}
	return xpath.NewExpr(xpath.Set, func(c *xpath.Context) xpath.Value {
		r := c.Run.(*run)
		name, err := qname(s.n, args[0].Eval(c).String())
		if err == nil && r.sheet.keys[name] == nil {
			err = fmt.Errorf("there is no key named %q", name.Local)
		}
		if err != nil {
			xpath.Fail(err)
		}
		top, v := c.Node.Top(), args[1].Eval(c)
		if v.Type != xpath.Set {
			return xpath.SetValue(r.lookup(name, top, v.String())...)
		}
		var all []*xpath.Node
		for _, n := range v.Nodes {
			all = append(all, r.lookup(name, top, n.String())...)
		}
		c.Budget.Spend(len(all))
		return xpath.SetValue(xpath.InOrder(all)...)
	}, args...), nil
}

func generateID(args []*xpath.Expr) (*xpath.Expr, error) {
	if err := xpath.CheckArguments("generate-id", args, 0, 1); err != nil {
		return nil, err
	}
	return xpath.NewExpr(xpath.String, func(c *xpath.Context) xpath.Value {
		n := c.Node
		if len(args) == 1 {
			nodes := args[0].Nodes(c)
			if len(nodes) == 0 {
				return xpath.StringValue("")
			}
			n = nodes[0]
		}
		id := "id" + strconv.FormatUint(n.Order(), 36)
		if n.Kind == xpath.Namespace {
			id += "n" + n.Name.Local
		}
		return xpath.StringValue(id)
	}, args...), nil
}

// ofName makes a function of a name that its argument gives.
func (s static) ofName(function string, args []*xpath.Expr, t xpath.Type, f func(xmlx.Name) xpath.Value) (*xpath.Expr, error) {
	if err := xpath.CheckArguments(function, args, 1, 1); err != nil {
		return nil, err
	}
	return xpath.NewExpr(t, func(c *xpath.Context) xpath.Value {
		name, err := qname(s.n, args[0].Eval(c).String())
		if err != nil {
			xpath.Fail(err)
		}
		return f(name)
	}, args...), nil
}

func systemProperty(n xmlx.Name) xpath.Value {
	if n.Space == spaceXSL {
		switch n.Local {
		case "version":
			return xpath.NumberValue(1)
		case "vendor":
			return xpath.StringValue("Causeway")
		}
	}
	return xpath.StringValue("")
}

func isFunction(n xmlx.Name) bool {
	switch n.Space {
	case spaceMSXSL:
		return n.Local == "node-set" || n.Local == "string-compare"
	case spaceEXSL:
		return n.Local == "node-set" || n.Local == "object-type"
	case "":
	default:
		return false
	}
	switch n.Local {
	case "current", "key", "generate-id", "format-number", "system-property", "function-available", "element-available", "unparsed-entity-uri":
		return true
	}
	return xpath.IsFunction(n.Local)
}

func isInstruction(n xmlx.Name) bool {
	if n.Space != spaceXSL {
		return false
	}
	switch n.Local {
	case "apply-templates", "attribute", "call-template", "choose", "comment", "copy", "copy-of", "element", "fallback", "for-each", "if", "message",
		"number", "processing-instruction", "text", "value-of", "variable":
		return true
	}
	return false
}
