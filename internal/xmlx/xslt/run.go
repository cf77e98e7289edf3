package xslt

import (
	"context"
	"fmt"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// Options bound a run and give it parameters.
type Options struct {
	// Parameters are the values of the stylesheet's parameters by name: string, bool, float64.
	Parameters map[string]any
	// MaxOutput is the size in bytes of the largest result; 0 means 64 MB.
	MaxOutput int
}

// The bounds of a run.
const (
	maxSteps  = 20_000_000
	maxDepth  = 5_000 // templates that call each other
	maxResult = 64 << 20
)

// run is one transformation.
type run struct {
	sheet  *Stylesheet
	source *xpath.Node
	budget *xpath.Budget
	params map[xmlx.Name]xpath.Value
	// globals are the values so far; those being worked out are marked.
	globals []globalState
	out     *emitter
	depth   int
	trees   uint32
	nodes   int
	keys    map[keyUse]map[string][]*xpath.Node
}

type globalState struct {
	value      xpath.Value
	done, busy bool
}

// Transform applies the stylesheet to a document. The run ends with ctx.
func (s *Stylesheet) Transform(ctx context.Context, source *xmlx.Document, o Options) (result Result, err error) {
	defer xpath.Catch(&err)
	if o.MaxOutput == 0 {
		o.MaxOutput = maxResult
	}
	r := &run{
		sheet: s, source: xpath.FromDocument(source, 1), budget: xpath.NewBudget(ctx, maxSteps), params: parameters(o.Parameters),
		globals: make([]globalState, len(s.globals)), trees: 1,
	}
	if len(s.strip) > 0 {
		s.stripSpace(r.source, false)
	}
	w := newWriter(s.output, o.MaxOutput)
	r.out = &emitter{to: w, budget: r.budget, nodes: &r.nodes}
	c := r.context(r.source)
	for i := range s.globals {
		r.global(i)
	}
	r.apply(c, []*xpath.Node{r.source}, s.modes[xmlx.Name{}], nil)
	r.out.flush()
	return w.finish(), nil
}

func parameters(given map[string]any) map[xmlx.Name]xpath.Value {
	out := make(map[xmlx.Name]xpath.Value, len(given))
	for name, v := range given {
		switch v := v.(type) {
		case bool:
			out[xmlx.Name{Local: name}] = xpath.BoolValue(v)
		case float64:
			out[xmlx.Name{Local: name}] = xpath.NumberValue(v)
		default:
			out[xmlx.Name{Local: name}] = xpath.StringValue(fmt.Sprint(v))
		}
	}
	return out
}

// stripSpace drops texts of white space that the stylesheet wants gone.
func (s *Stylesheet) stripSpace(n *xpath.Node, keep bool) {
	if v, ok := n.Attr(xmlx.XML, "space"); ok {
		keep = v == "preserve"
	}
	strip := !keep && n.Kind == xpath.Element && s.strips(n.Name)
	for c := n.First; c != nil; c = c.Next {
		switch {
		case c.Kind == xpath.Element:
			s.stripSpace(c, keep)
		case strip && c.Kind == xpath.Text && isSpace(c.Value):
			c.Remove()
		}
	}
}

func (r *run) context(n *xpath.Node) *xpath.Context {
	return &xpath.Context{Node: n, Current: n, Position: 1, Size: 1, Run: r, Budget: r.budget}
}

// global is the value of a global variable, worked out when it is used first.
func (r *run) global(i int) xpath.Value {
	g, state := r.sheet.globals[i], &r.globals[i]
	switch {
	case state.done:
		return state.value
	case state.busy:
		xpath.Failf("the variable $%s depends on itself", g.name.Local)
	}
	state.busy = true
	v, given := r.params[g.name]
	if !g.param || !given {
		v = g.value(r, r.context(r.source))
	}
	state.value, state.done = v, true
	return v
}

// argument is an xsl:with-param in a call.
type argument struct {
	name  xmlx.Name
	value xpath.Value
}

// call runs a template.
func (r *run) call(t *template, c *xpath.Context, args []argument) {
	if r.depth++; r.depth > maxDepth {
		xpath.Failf("%w: templates call each other more than %d deep", xpath.ErrBudget, maxDepth)
	}
	r.budget.Spend(1)
	inner := *c
	inner.Locals = nil
	if t.slots > 0 {
		inner.Locals = make([]xpath.Value, t.slots)
	}
	for i := range t.params {
		p := &t.params[i]
		inner.Locals[p.slot] = r.argument(p, &inner, args)
	}
	t.body.run(r, &inner)
	r.depth--
}

func (r *run) argument(p *parameter, c *xpath.Context, args []argument) xpath.Value {
	for i := range args {
		if args[i].name == p.name {
			return args[i].value
		}
	}
	return p.value(r, c)
}

// apply finds a template for each node and runs it.
func (r *run) apply(c *xpath.Context, nodes []*xpath.Node, m *mode, args []argument) {
	inner := *c
	inner.Size = len(nodes)
	for i, n := range nodes {
		inner.Node, inner.Current, inner.Position = n, n, i+1
		if t := m.find(&inner, n); t != nil {
			r.call(t, &inner, args)
			continue
		}
		r.builtIn(&inner, n, m)
	}
}

// builtIn are the rules for nodes that no template matches.
func (r *run) builtIn(c *xpath.Context, n *xpath.Node, m *mode) {
	switch n.Kind {
	case xpath.Root, xpath.Element:
		if r.depth++; r.depth > maxDepth {
			xpath.Failf("%w: templates call each other more than %d deep", xpath.ErrBudget, maxDepth)
		}
		r.apply(c, children(n), m, nil)
		r.depth--
	case xpath.Text, xpath.Attribute:
		r.out.text(n.Value, false)
	}
}

func children(n *xpath.Node) []*xpath.Node {
	var list []*xpath.Node
	for c := n.First; c != nil; c = c.Next {
		list = append(list, c)
	}
	return list
}

// fragment runs a body into a tree of its own.
func (r *run) fragment(c *xpath.Context, body sequence) *xpath.Node {
	r.trees++
	b := xpath.NewBuilder(r.trees)
	r.into(treeReceiver{b}, c, body)
	return b.Root()
}

// into runs a body with another receiver.
func (r *run) into(to receiver, c *xpath.Context, body sequence) {
	outer := r.out
	r.out = &emitter{to: to, budget: r.budget, nodes: &r.nodes}
	body.run(r, c)
	r.out.flush()
	r.out = outer
}

// textOf runs a body and is the text that it makes.
func (r *run) textOf(c *xpath.Context, body sequence) string {
	if len(body) == 0 {
		return ""
	}
	var t textReceiver
	r.into(&t, c, body)
	return string(t.b)
}

// textReceiver gathers text outside of elements.
type textReceiver struct {
	b     []byte
	depth int
}

func (t *textReceiver) start(xmlx.Name, []binding, []xmlx.Attr) { t.depth++ }
func (t *textReceiver) end()                                    { t.depth-- }
func (t *textReceiver) comment(string)                          {}
func (t *textReceiver) instruction(_, _ string)                 {}

func (t *textReceiver) text(s string, _ bool) {
	if t.depth > 0 {
		return
	}
	if len(t.b)+len(s) > xpath.MaxString {
		xpath.Failf("%w: a text is longer than %d bytes", xpath.ErrBudget, xpath.MaxString)
	}
	t.b = append(t.b, s...)
}
