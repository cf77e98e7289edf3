package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Compiler is what a [Compilable] policy works with. It stands at one element of a document.
type Compiler struct {
	k       *compilation
	node    *node
	section Section
	scope   Scope
	path    string
	// fragment is what Fragment gave for the element.
	fragment Block
	// parent stands at the element around; nil at a section.
	parent *Compiler
	// template says that the element stands in one whose content is a Liquid template.
	template bool
	// only are the policies that may stand where the element does; nil for all.
	only []string
}

// Section is the section that the element stands in; AnySection when a fragment is checked by itself.
func (c *Compiler) Section() Section { return c.section }

// Scope is the scope of the document; 0 when it is not known.
func (c *Compiler) Scope() Scope { return c.scope }

// Errorf reports an error at the element with a code of its own, such as InvalidRegex.
func (c *Compiler) Errorf(code, format string, args ...any) {
	c.k.errorAt(c.node.pos, code, format, args...)
}

// Warnf reports a warning at the element.
func (c *Compiler) Warnf(code, format string, args ...any) {
	c.k.warnAt(c.node.pos, code, format, args...)
}

// Backend notes that the policy uses a backend entity. An unknown one is an error, or a warning when the service is not known.
func (c *Compiler) Backend(name string) {
	note(&c.k.references.backends, name)
	if lookup := c.k.options.Lookup; lookup == nil || !lookup.HasBackend(name) {
		c.k.unknownAt(c.node.pos, "UnknownBackend", "there is no backend %q", name)
	}
}

// Certificate notes that the policy uses a certificate, by name or thumbprint, and reports an unknown one as Backend does.
func (c *Compiler) Certificate(idOrThumbprint string) {
	note(&c.k.references.certificates, idOrThumbprint)
	if lookup := c.k.options.Lookup; lookup == nil || !lookup.HasCertificate(idOrThumbprint) {
		c.k.unknownAt(c.node.pos, "UnknownCertificate", "there is no certificate %q", idOrThumbprint)
	}
}

// UsesBody notes that the policy reads or replaces bodies as a whole.
func (c *Compiler) UsesBody(use BodyUse) { c.k.uses(use) }

// uses notes which bodies the current statement reads or replaces.
func (k *compilation) uses(use BodyUse) {
	k.use |= use
	k.own |= use
}

// Publishes notes that the policy publishes events to a field of the subscription type of a GraphQL API.
func (c *Compiler) Publishes(field string) {
	k := c.k
	for k.outer != nil {
		k = k.outer
	}
	if !slices.Contains(k.events, field) {
		k.events = append(k.events, field)
	}
}

// Values writes and reads values of variables, for caches.
func (c *Compiler) Values() *ValueCodec { return c.k.catalogue.values }

// Fragment compiles the steps of a policy fragment for the place of the element and reports what is wrong with it. A fragment inside of a
// fragment is an error.
func (c *Compiler) Fragment(name string) Block {
	note(&c.k.references.fragments, name)
	if c.k.outer != nil || c.k.report.Kind == KindFragment {
		c.Errorf("NestedFragment", "a fragment cannot include another fragment")
		return Block{}
	}
	var text, format string
	var ok bool
	if lookup := c.k.options.Lookup; lookup != nil {
		text, format, ok = lookup.Fragment(name)
	}
	if !ok {
		c.k.unknownAt(c.node.pos, "UnknownFragment", "there is no policy fragment %q", name)
		return Block{}
	}
	inner := &compilation{catalogue: c.k.catalogue, options: c.k.options, src: source(text), outer: c.k, origin: &origin{source(text), name}, explaining: c.k.explaining}
	inner.options.Format = format
	root := inner.parse()
	var block Block
	if root != nil {
		if root.name != KindFragment {
			inner.errorAt(root.pos, "UnexpectedRoot", "the root element <%s> is not <fragment>", root.name)
		}
		inner.plain(root)
		block = (&Compiler{k: inner, node: root, section: c.section, scope: c.scope, path: c.path}).steps(root.children, c.only)
	}
	c.k.use |= inner.use
	c.k.references.add(&inner.references)
	for _, d := range inner.report.Errors {
		c.Errorf(d.Code, "fragment %q, line %d, column %d: %s", name, d.Line, d.Column, d.Message)
	}
	for _, d := range inner.report.Warnings {
		c.Warnf(d.Code, "fragment %q, line %d, column %d: %s", name, d.Line, d.Column, d.Message)
	}
	c.fragment = block
	return block
}

// child is the compiler for the i-th child element of that name.
func (c *Compiler) child(n *node, i int) *Compiler {
	path := n.name + "[" + strconv.Itoa(i) + "]"
	if c.path != "" {
		path = c.path + "/" + path
	}
	return &Compiler{k: c.k, node: n, section: c.section, scope: c.scope, path: path, template: c.isLiquid(), parent: c}
}

// steps compiles elements as policies. only restricts which; nil allows all.
func (c *Compiler) steps(nodes []*node, only []string) Block {
	var b Block
	count := make(map[string]int)
	for _, n := range nodes {
		count[n.name]++
		e := c.policy(n, count[n.name], only)
		if e == nil {
			continue
		}
		cc := c.child(n, count[n.name])
		cc.only = only
		run := e.make()
		step := step{run: run, name: n.name, path: cc.path, origin: c.k.originOf(), pos: n.pos, end: n.end, container: e.shape.holdsBlock(nil), skips: e.NoHandshake}
		if id := n.attr("id"); id != nil && e.shape.attr("id") == nil {
			text, _ := cc.expand(id.value)
			step.id = text.s
		}
		outer := c.k.own
		c.k.own = 0
		end := cc.beginStatement(n, e, cc.path)
		c.k.uses(e.Body)
		cc.element(reflect.ValueOf(run).Elem(), e.shape, true)
		end(step.id, c.k.own)
		c.k.own = outer
		step.fragment = cc.fragment
		b.steps = append(b.steps, step)
	}
	return b
}

// policy finds the policy of an element and checks whether it may stand here.
func (c *Compiler) policy(n *node, nth int, only []string) *entry {
	e := c.k.catalogue.byName[n.name]
	switch {
	case n.name == "base":
		c.k.errorAt(n.pos, "MisplacedBase", "<base /> may stand only directly in a section")
	case e == nil:
		c.k.errorAt(n.pos, "UnknownPolicy", "<%s> is not a policy that this gateway knows%s", n.name, c.k.catalogue.nearest(n.name))
	case e.Sections&c.section == 0:
		c.k.errorAt(n.pos, "NotAllowedInSection", "<%s> may not stand in section %s", n.name, c.section)
		return nil
	case c.scope != 0 && e.Scopes&c.scope == 0, e.Scopes == ScopeResolver && c.k.report.Kind == KindPolicies:
		c.k.errorAt(n.pos, "NotAllowedInScope", "<%s> may not stand in a document of scope %s", n.name, c.scope)
		return nil
	case e.NoHandshake && c.k.options.Handshake:
		c.k.errorAt(n.pos, "NotAllowedInScope", "<%s> may not stand in a document of a WebSocket API's operation", n.name)
		return nil
	case only != nil && !slices.Contains(only, n.name):
		c.k.errorAt(n.pos, "NotAllowedInElement", "<%s> may not stand in <%s>, only %s", n.name, c.node.name, strings.Join(only, ", "))
		return nil
	case e.OncePerSection && nth > 1:
		c.k.errorAt(n.pos, "DuplicatePolicy", "<%s> may stand only once in a section", n.name)
		return nil
	}
	return e
}

// element fills a struct from the element that c stands at, then lets it compile itself.
func (c *Compiler) element(v reflect.Value, s *shape, isPolicy bool) {
	before := c.k.failures
	c.attributes(v, s, isPolicy)
	c.children(v, s)
	c.ownText(v, s)
	if c.k.failures > before {
		return
	}
	if p, ok := v.Addr().Interface().(Compilable); ok {
		if err := p.Compile(c); err != nil {
			c.Errorf("InvalidPolicy", "%s", err)
		}
	}
}

func (c *Compiler) attributes(v reflect.Value, s *shape, isPolicy bool) {
	for _, f := range s.attrs {
		if a := c.node.attr(f.name); a != nil {
			if f.required && !f.mayBeEmpty && a.value.s == "" {
				c.k.errorAt(a.pos, "EmptyAttribute", "attribute %q of <%s> must not be empty", f.name, c.node.name)
				continue
			}
			c.assign(v.FieldByIndex(f.index), f, a.value)
			continue
		}
		c.absent(v, f, "attribute")
	}
	for _, a := range c.node.attrs {
		known := s.attr(a.name) != nil || isPolicy && a.name == "id" || a.name == "xmlns" || strings.HasPrefix(a.name, "xmlns:")
		if !known {
			c.k.errorAt(a.pos, "UnknownAttribute", "<%s> has no attribute %q%s", c.node.name, a.name, nearest(a.name, s.attrs))
		}
	}
}

// absent gives a field its default or reports that it is required.
func (c *Compiler) absent(v reflect.Value, f *field, what string) {
	switch {
	case f.fallback != nil:
		c.assign(v.FieldByIndex(f.index), f, plainText(*f.fallback, c.node.pos))
	case f.required && what == "attribute":
		c.Errorf("MissingAttribute", "<%s> must have the attribute %q", c.node.name, f.name)
	case f.required && what == "element":
		c.Errorf("MissingElement", "<%s> must have an element <%s>", c.node.name, f.name)
	case f.required:
		c.Errorf("MissingText", "<%s> must have a content", c.node.name)
	}
}

// children fills the fields for child elements and the block.
func (c *Compiler) children(v reflect.Value, s *shape) {
	count := make(map[string]int)
	var steps []*node
	for _, n := range c.node.children {
		f := s.elem(n.name)
		if f == nil {
			steps = append(steps, n)
			continue
		}
		count[n.name]++
		if count[n.name] > 1 && !f.slice {
			c.k.errorAt(n.pos, "DuplicateElement", "<%s> may stand only once in <%s>", n.name, c.node.name)
			continue
		}
		cc := c.child(n, count[n.name])
		if f.section != 0 {
			cc.section = f.section
		}
		cc.fill(v.FieldByIndex(f.index), f)
	}
	for _, f := range s.elems {
		if count[f.name] == 0 {
			c.absent(v, f, "element")
		}
	}
	if s.block != nil {
		v.FieldByIndex(s.block.index).Set(reflect.ValueOf(c.steps(steps, s.block.only)))
		return
	}
	for _, n := range steps {
		c.k.errorAt(n.pos, "UnknownElement", "<%s> has no element <%s>%s", c.node.name, n.name, nearest(n.name, s.elems))
	}
}

// fill puts the element that c stands at into a field: a value, a struct, or one more of a slice.
func (c *Compiler) fill(v reflect.Value, f *field) {
	if f.slice {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		v = v.Index(v.Len() - 1)
	}
	if f.pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if f.sub != nil {
		c.element(v, f.sub, false)
		return
	}
	if f.outer {
		c.assignOuter(v)
		return
	}
	for _, a := range c.node.attrs {
		c.k.errorAt(a.pos, "UnknownAttribute", "<%s> has no attribute %q", c.node.name, a.name)
	}
	for _, n := range c.node.children {
		c.k.errorAt(n.pos, "UnknownElement", "<%s> has no element <%s>", c.node.name, n.name)
	}
	if f.required && !f.mayBeEmpty && strings.TrimSpace(c.node.text.s) == "" {
		c.Errorf("MissingText", "<%s> must have a content", c.node.name)
		return
	}
	c.assign(v, f, c.node.text)
}

// assignOuter gives a field the raw XML of the element that c stands at.
func (c *Compiler) assignOuter(v reflect.Value) {
	raw := string(c.k.src[c.node.pos:c.node.innerTo])
	if !strings.HasSuffix(raw, "/>") || c.node.innerTo > c.node.innerFrom {
		raw += "</" + c.node.name + ">"
	}
	t, _ := c.expand(plainText(raw, c.node.pos))
	v.SetString(t.s)
}

// ownText fills the fields for the element's content.
func (c *Compiler) ownText(v reflect.Value, s *shape) {
	t := c.node.text
	switch {
	case s.inner != nil:
		if strings.TrimSpace(t.s) == "" {
			c.absent(v, s.inner, "content")
			return
		}
		t, _ = c.expand(t)
		v.FieldByIndex(s.inner.index).SetString(t.s)
	case s.text != nil:
		if trimmed := t.trim(); trimmed.s == "" {
			if s.text.required || s.text.fallback != nil {
				c.absent(v, s.text, "content")
				return
			}
			if !s.text.exact || t.s == "" {
				return
			}
		}
		c.assign(v.FieldByIndex(s.text.index), s.text, t)
	default:
		if t := t.trim(); t.s != "" {
			c.k.errorAt(t.source(0), "UnexpectedText", "<%s> has no text of its own", c.node.name)
		}
	}
}

// assign gives a field the value that stands in t.
func (c *Compiler) assign(v reflect.Value, f *field, t text) {
	c.k.written, c.k.secret = t.s, false
	if x := c.k.explaining; x != nil {
		x.secrets = nil
	}
	t, complete := c.expand(t)
	c.noteValue(f, t)
	if l, ok := v.Addr().Interface().(loader); ok {
		if complete {
			l.load(c, f, t)
		} else {
			l.leaveOpen(t)
		}
		return
	}
	if !complete {
		if v.Kind() == reflect.String {
			v.SetString(t.s)
		}
		return
	}
	if isExpressionStart(t.s) {
		c.noExpression(f, t)
		return
	}
	s := strings.TrimSpace(t.s)
	var err error
	switch v.Kind() {
	case reflect.String:
		if !f.keepSpace {
			t.s = s
		}
		t.s, err = f.rules.text(t.s)
		v.SetString(t.s)
	case reflect.Bool:
		var b bool
		b, err = parseBool(s)
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		var n int64
		n, err = parseInt(s)
		if err == nil {
			err = f.rules.number(float64(n))
		}
		v.SetInt(n)
	case reflect.Float64:
		var n float64
		n, err = parseFloat(s)
		if err == nil {
			err = f.rules.number(n)
		}
		v.SetFloat(n)
	}
	if err != nil {
		c.invalid(f, t, err)
	}
}

// where names the place of a field for messages.
func (c *Compiler) where(f *field) string {
	if f.name == "" || f.name == c.node.name {
		return fmt.Sprintf("the content of <%s>", c.node.name)
	}
	return fmt.Sprintf("attribute %q of <%s>", f.name, c.node.name)
}

func (c *Compiler) noExpression(f *field, t text) {
	c.k.errorAt(t.source(0), "ExpressionNotAllowed", "%s cannot be an expression", c.where(f))
}

func (c *Compiler) invalid(f *field, t text, err error) {
	c.k.errorAt(t.source(0), "InvalidValue", "%s: %s", c.where(f), err)
}

// nearest proposes the name that was probably meant.
func nearest(name string, fields []*field) string {
	best, distance := "", 3
	if len(name) > 64 {
		return ""
	}
	for _, f := range fields {
		if d := editDistance(name, f.name); d < distance {
			best, distance = f.name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance is how many letters must be put in, taken out or replaced to make b of a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
