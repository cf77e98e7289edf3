package policies_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
)

// TestBadValuesAreNamed derives documents with one fault each from the declaration of every policy: each fault has to be an error at its line and
// column that names the element and the attribute.
func TestBadValuesAreNamed(t *testing.T) {
	t.Parallel()
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range catalogue.Describe() {
		t.Run(info.Name, func(t *testing.T) {
			t.Parallel()
			g := &faultGenerator{t: t, catalogue: catalogue, info: info}
			g.places()
			g.element(info.Element, nil)
			if g.faults == 0 {
				t.Error("no fault was tried")
			}
		})
	}
}

// faultGenerator makes the faults of one policy.
type faultGenerator struct {
	t         *testing.T
	catalogue *policy.Catalogue
	info      policy.Info
	faults    int
}

// sample is an element with one attribute a line, so that every place is known.
type sample struct {
	name     string
	attrs    [][2]string
	children []*sample
	text     string
}

// write writes the element; the line of the i-th attribute is the element's plus i+1.
func (s *sample) write(b *strings.Builder) {
	b.WriteString("\n<" + s.name)
	for _, a := range s.attrs {
		b.WriteString("\n" + a[0] + `="` + a[1] + `"`)
	}
	b.WriteString(">" + s.text)
	for _, child := range s.children {
		child.write(b)
	}
	b.WriteString("</" + s.name + ">")
}

// build makes the smallest sample of an element that its declaration allows.
func build(e policy.ElementInfo) *sample {
	s := &sample{name: e.Name}
	for _, a := range e.Attributes {
		if a.Required {
			s.attrs = append(s.attrs, [2]string{a.Name, goodValue(a)})
		}
	}
	if e.Text != nil && !e.Raw {
		s.text = goodValue(*e.Text)
	}
	for _, child := range e.Children {
		if child.Required {
			s.children = append(s.children, build(child))
		}
	}
	return s
}

func goodValue(v policy.ValueInfo) string {
	switch {
	case len(v.Enum) > 0:
		return v.Enum[0]
	case v.Min != nil:
		return strconv.FormatFloat(*v.Min, 'f', -1, 64)
	case v.Type == "boolean":
		return "true"
	case v.Type == "integer" || v.Type == "number":
		return "1"
	}
	return "x"
}

// with is a copy of the sample with an attribute set or, for the value none, removed.
const none = "\x00"

func (s *sample) with(name, value string) *sample {
	c := *s
	c.attrs = slices.DeleteFunc(slices.Clone(s.attrs), func(a [2]string) bool { return a[0] == name })
	if value != none {
		c.attrs = append(c.attrs, [2]string{name, value})
	}
	return &c
}

// path is the way from the policy to an element: the elements on it, the policy first.
type path []policy.ElementInfo

// document wraps the sample of the last element of a path into those before it. It returns the line of that element.
func (g *faultGenerator) document(p path, s *sample, section policy.Section) (text string, line int) {
	for i := len(p) - 2; i >= 0; i-- {
		outer := build(p[i])
		outer.children = slices.DeleteFunc(outer.children, func(c *sample) bool { return c.name == s.name })
		outer.children = append([]*sample{s}, outer.children...)
		outer.text = ""
		s = outer
	}
	var b strings.Builder
	before, after := "<policies><"+section.String()+">", "</"+section.String()+"></policies>"
	switch {
	case !g.inResolver():
	case strings.HasSuffix(g.info.Name, "-data-source"): // the root itself
		before, after = "", ""
	default:
		before, after = "<http-data-source><http-request><set-method>GET</set-method><set-url>x</set-url></http-request><http-response>", "</http-response></http-data-source>"
	}
	b.WriteString(before)
	s.write(&b)
	b.WriteString(after)
	line = 2
	for _, e := range p[:len(p)-1] { // the first child stands on the line after the last attribute
		line += len(build(e).attrs) + 1
	}
	return b.String(), line
}

// inResolver says that the policy stands in documents of resolvers only.
func (g *faultGenerator) inResolver() bool { return g.info.Scopes == policy.ScopeResolver }

// section is one in which the policy may stand.
func (g *faultGenerator) section() policy.Section {
	for s := policy.Inbound; s <= policy.OnError; s <<= 1 {
		if g.info.Sections&s != 0 {
			return s
		}
	}
	return policy.Inbound
}

// expect wants an error with a code at a place, whose message has all words.
func (g *faultGenerator) expect(what, text, code string, line, column int, words ...string) {
	g.t.Helper()
	g.faults++
	report := g.catalogue.Check(text, policy.Options{})
	for _, d := range report.Errors {
		if d.Code != code || d.Line != line || column > 0 && d.Column != column {
			continue
		}
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(d.Message, w) }) {
			g.t.Errorf("%s: the message does not name %q: %s", what, words, d)
		}
		return
	}
	g.t.Errorf("%s: no %s at %d:%d\n%v\n%s", what, code, line, column, report.Errors, text)
}

// element tries the faults of an element and of those inside.
func (g *faultGenerator) element(e policy.ElementInfo, outer path) {
	p := append(slices.Clone(outer), e)
	if e.Raw && e.Text != nil && len(e.Attributes) == 0 { // kept as it is
		return
	}
	s := build(e)
	for _, a := range e.Attributes {
		g.attribute(p, s, a)
	}
	g.structure(p, s)
	for _, child := range e.Children {
		if g.isRecursive(child, p) {
			continue
		}
		g.child(p, child)
		g.element(child, p)
	}
}

func (g *faultGenerator) isRecursive(e policy.ElementInfo, p path) bool {
	return slices.ContainsFunc(p, func(o policy.ElementInfo) bool { return o.Name == e.Name })
}

// attribute tries bad values of an attribute.
func (g *faultGenerator) attribute(p path, s *sample, a policy.ValueInfo) {
	name := strconv.Quote(a.Name)
	try := func(value, code string, column int) {
		bad := s.with(a.Name, value)
		text, line := g.document(p, bad, g.section())
		g.expect(fmt.Sprintf("<%s %s=%q>", s.name, a.Name, value), text, code, line+len(bad.attrs), column, s.name, name)
	}
	valueColumn := len(a.Name) + len(`="`) + 1
	for _, value := range badValues(a) {
		try(value, "InvalidValue", valueColumn)
	}
	if !a.Expressions {
		try("@(1)", "ExpressionNotAllowed", valueColumn)
	} else {
		try("@(nonsense)", "CS0103", valueColumn+2)
	}
	if a.Required {
		text, line := g.document(p, s.with(a.Name, none), g.section())
		g.expect(fmt.Sprintf("<%s> without %s", s.name, a.Name), text, "MissingAttribute", line, 1, s.name, name)
		if !a.MayBeEmpty {
			try("", "EmptyAttribute", 1)
		}
	}
}

// badValues are texts that the declaration of a value rules out.
func badValues(v policy.ValueInfo) (bad []string) {
	if len(v.Enum) > 0 || v.Type == "boolean" || v.Type == "integer" || v.Type == "number" {
		bad = append(bad, "nonsense")
	}
	if v.Type == "integer" {
		bad = append(bad, "1.5", "99999999999999999999")
	}
	if v.Min != nil {
		bad = append(bad, strconv.FormatFloat(*v.Min-1, 'f', -1, 64))
	}
	if v.Max != nil {
		bad = append(bad, strconv.FormatFloat(*v.Max+1, 'f', -1, 64))
	}
	return bad
}

// structure tries an attribute and a child that the element does not have, and a missing text.
func (g *faultGenerator) structure(p path, s *sample) {
	e := p[len(p)-1]
	bad := s.with("no-such-attribute", "x")
	text, line := g.document(p, bad, g.section())
	g.expect("<"+s.name+" no-such-attribute>", text, "UnknownAttribute", line+len(bad.attrs), 1, s.name, `"no-such-attribute"`)
	if e.Raw || e.Text != nil && isOpaque(g.catalogue, e) {
		return
	}
	with := *s
	with.children = append([]*sample{{name: "no-such-element"}}, s.children...)
	with.text = ""
	text, line = g.document(p, &with, g.section())
	code := "UnknownElement"
	if e.Policies {
		code = "UnknownPolicy"
	}
	g.expect("<no-such-element> in <"+s.name+">", text, code, line+len(with.attrs)+1, 1, "no-such-element")
	if e.Text != nil && e.Text.Required {
		without := *s
		without.text = ""
		text, line = g.document(p, &without, g.section())
		g.expect("<"+s.name+"> without content", text, "MissingText", line, 1, s.name)
	}
}

// isOpaque says whether the content of an element is kept as text, markup included.
func isOpaque(c *policy.Catalogue, e policy.ElementInfo) bool { return c.KeepsText(e.Name) }

// child tries a missing child, and one that stands twice.
func (g *faultGenerator) child(p path, child policy.ElementInfo) {
	e := p[len(p)-1]
	if isOpaque(g.catalogue, e) {
		return
	}
	s := build(e)
	s.text = ""
	if child.Required {
		without := *s
		without.children = slices.DeleteFunc(slices.Clone(s.children), func(c *sample) bool { return c.name == child.Name })
		text, line := g.document(p, &without, g.section())
		g.expect("<"+s.name+"> without <"+child.Name+">", text, "MissingElement", line, 1, s.name, child.Name)
	}
	if !child.Repeats {
		one := build(child)
		twice := *s
		twice.children = append([]*sample{one, one}, slices.DeleteFunc(slices.Clone(s.children), func(c *sample) bool { return c.name == child.Name })...)
		text, line := g.document(p, &twice, g.section())
		g.expect("two <"+child.Name+"> in <"+s.name+">", text, "DuplicateElement", line+len(s.attrs)+1+one.lines(), 1, s.name, child.Name)
	}
}

// lines is how many lines the element takes.
func (s *sample) lines() int {
	n := 1 + len(s.attrs)
	for _, child := range s.children {
		n += child.lines()
	}
	return n
}

// places tries the sections and scopes in which the policy may not stand, and a second one where there may be one.
func (g *faultGenerator) places() {
	s, p := build(g.info.Element), path{g.info.Element}
	if g.inResolver() {
		return
	}
	for section := policy.Inbound; section <= policy.OnError; section <<= 1 {
		if g.info.Sections&section == 0 {
			text, line := g.document(p, s, section)
			g.expect("in "+section.String(), text, "NotAllowedInSection", line, 1, s.name, section.String())
		}
	}
	text, line := g.document(p, s, g.section())
	for scope := policy.ScopeService; scope <= policy.ScopeOperation; scope <<= 1 {
		if g.info.Scopes&scope != 0 {
			continue
		}
		g.faults++
		report := g.catalogue.Check(text, policy.Options{Scope: scope})
		if !slices.ContainsFunc(report.Errors, func(d policy.Diagnostic) bool {
			return d.Code == "NotAllowedInScope" && d.Line == line && d.Column == 1 && strings.Contains(d.Message, s.name) && strings.Contains(d.Message, scope.String())
		}) {
			g.t.Errorf("in a document of scope %s: %v", scope, report.Errors)
		}
	}
	if g.info.OncePerSection {
		second := strings.Replace(text, "</"+g.section().String()+">", "\n<"+s.name+"/></"+g.section().String()+">", 1)
		g.expect("twice", second, "DuplicatePolicy", line+s.lines(), 1, s.name)
	}
}
