package importer

import (
	"encoding/xml"
	"slices"
	"strconv"
)

// shapeKind is what an element holds.
type shapeKind uint8

const (
	kindText shapeKind = iota
	kindInteger
	kindDecimal
	kindBoolean
	kindObjectShape // child elements or attributes
	kindAnything
)

// maxShapes bounds how many elements the types of one message expand to.
const maxShapes = 5_000

// shape is an element or an attribute as messages have it: the types behind it are expanded.
type shape struct {
	name     string
	space    string // "" for an unqualified one
	kind     shapeKind
	format   string // of a text: date-time, date, byte, or empty
	list     bool   // may come more than once
	optional bool
	nillable bool
	fields   []*shape // child elements
	attrs    []*shape
	values   []string // enumerated ones
	doc      string
}

// wraps returns the only child of an element that is nothing but a list of it, or nil.
func (s *shape) wraps() *shape {
	if s.kind == kindObjectShape && len(s.fields) == 1 && len(s.attrs) == 0 && s.fields[0].list {
		return s.fields[0]
	}
	return nil
}

// element expands a top-level element. An unknown one is anything.
func (s *xsdSet) element(name xml.Name, at placed) (*shape, *Error) {
	s.budget = maxShapes
	d, ok := s.declared["element"][name]
	if !ok {
		s.stop(at.fail("Add it to the types, or correct the name.", "there is no element %q in %q", name.Local, clip(name.Space)))
		return &shape{name: name.Local, space: name.Space, kind: kindAnything}, nil
	}
	return s.expand(d, name.Space), nil
}

// typed expands an element without namespace that has a named type.
func (s *xsdSet) typed(name, typ xml.Name, at placed) (*shape, *Error) {
	s.budget = maxShapes
	if typ.Local == "" {
		return nil, at.fail("Add a type or an element.", "the part %q has no type", name.Local)
	}
	out := &shape{name: name.Local, space: name.Space}
	s.named(out, typ, at)
	return out, nil
}

// stop notes why a type is not expanded further.
func (s *xsdSet) stop(e *Error) {
	if s.cut == nil {
		s.cut = e
	}
}

func (s *xsdSet) expand(d declaration, space string) *shape {
	out := &shape{name: d.attr("name"), space: space, nillable: d.attr("nillable") == "true", doc: annotation(d.xmlNode)}
	at := placed{d.xmlNode, d.schema.tree}
	if s.budget--; s.budget < 0 || s.ctx.Err() != nil {
		s.stop(at.fail("Simplify the types.", "the types of the message expand to more than %d elements", maxShapes))
		out.kind = kindAnything
		return out
	}
	switch {
	case d.attr("type") != "":
		s.named(out, d.qname("type"), at)
	case d.first(nsXSD, "complexType") != nil:
		s.complex(out, declaration{d.first(nsXSD, "complexType"), d.schema})
	case d.first(nsXSD, "simpleType") != nil:
		s.simple(out, declaration{d.first(nsXSD, "simpleType"), d.schema})
	default:
		out.kind = kindAnything
	}
	return out
}

// named gives a shape the type of that name. One that holds itself is cut there.
func (s *xsdSet) named(out *shape, name xml.Name, at placed) {
	if name.Space == nsXSD {
		out.kind, out.format = builtIn(name.Local)
		return
	}
	d, ok := s.declared["type"][name]
	if !ok {
		s.stop(at.fail("Add it to the types, or correct the name.", "there is no type %q in %q", name.Local, clip(name.Space)))
		out.kind = kindAnything
		return
	}
	if slices.Contains(s.open, name) {
		s.stop(at.fail("Types that hold themselves cannot be turned into templates.", "the type %q holds itself", name.Local))
		out.kind = kindAnything
		return
	}
	s.open = append(s.open, name)
	if d.name.Local == "simpleType" {
		s.simple(out, d)
	} else {
		s.complex(out, d)
	}
	s.open = s.open[:len(s.open)-1]
}

// builtIn is what the built-in types of XML Schema are in JSON.
func builtIn(name string) (shapeKind, string) {
	switch name {
	case "boolean":
		return kindBoolean, ""
	case "int", "integer", "long", "short", "byte", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte",
		"nonNegativeInteger", "nonPositiveInteger", "positiveInteger", "negativeInteger":
		return kindInteger, ""
	case "decimal", "float", "double":
		return kindDecimal, ""
	case "dateTime":
		return kindText, "date-time"
	case "date":
		return kindText, "date"
	case "base64Binary":
		return kindText, "byte"
	case "anyType":
		return kindAnything, ""
	}
	return kindText, ""
}

// simple reads a simple type: a restriction, a list or a union of others.
func (s *xsdSet) simple(out *shape, d declaration) {
	out.kind = kindText
	r := d.first(nsXSD, "restriction")
	if r == nil {
		return
	}
	if r.attr("base") != "" {
		s.named(out, r.qname("base"), placed{r, d.schema.tree})
	} else if inner := r.first(nsXSD, "simpleType"); inner != nil {
		s.simple(out, declaration{inner, d.schema})
	}
	if values := r.all(nsXSD, "enumeration"); len(values) > 0 {
		out.values = nil
		for _, v := range values {
			out.values = append(out.values, v.attr("value"))
		}
	}
}

// complex reads a complex type.
func (s *xsdSet) complex(out *shape, d declaration) {
	out.kind = kindObjectShape
	if d.attr("mixed") == "true" {
		out.kind = kindAnything
		return
	}
	if c := d.first(nsXSD, "simpleContent"); c != nil {
		s.simpleContent(out, declaration{c, d.schema})
		return
	}
	if c := d.first(nsXSD, "complexContent"); c != nil {
		if e := c.first(nsXSD, "extension"); e != nil {
			s.named(out, e.qname("base"), placed{e, d.schema.tree})
			if out.kind != kindAnything {
				out.kind = kindObjectShape
			}
			s.particles(out, declaration{e, d.schema}, false, false)
		} else if r := c.first(nsXSD, "restriction"); r != nil {
			s.particles(out, declaration{r, d.schema}, false, false)
		}
		return
	}
	s.particles(out, d, false, false)
}

// simpleContent reads a text with attributes. The text alone is what is mapped: JSON has no place for both.
func (s *xsdSet) simpleContent(out *shape, d declaration) {
	for _, local := range []string{"extension", "restriction"} {
		if e := d.first(nsXSD, local); e != nil {
			s.named(out, e.qname("base"), placed{e, d.schema.tree})
		}
	}
}

// particles adds the elements and attributes that stand in a type or a group. Whatever is in a choice is optional.
func (s *xsdSet) particles(out *shape, d declaration, optional, list bool) {
	for _, c := range d.children {
		if c.name.Space != nsXSD {
			continue
		}
		at := declaration{c, d.schema}
		mayMiss, mayRepeat := optional || c.attr("minOccurs") == "0", list || repeats(c)
		switch c.name.Local {
		case "sequence", "all":
			s.particles(out, at, mayMiss, mayRepeat)
		case "choice":
			s.particles(out, at, true, mayRepeat)
		case "group":
			s.reference("group", at, func(g declaration) { s.particles(out, g, mayMiss, mayRepeat) })
		case "attributeGroup":
			s.reference("attributeGroup", at, func(g declaration) { s.particles(out, g, optional, list) })
		case "element":
			s.field(out, at, mayMiss, mayRepeat)
		case "attribute":
			s.attribute(out, at)
		}
	}
}

func repeats(n *xmlNode) bool {
	most := n.attr("maxOccurs")
	if most == "unbounded" {
		return true
	}
	count, err := strconv.Atoi(most)
	return err == nil && count > 1
}

// reference follows the ref attribute of a group.
func (s *xsdSet) reference(kind string, d declaration, use func(declaration)) {
	name := d.qname("ref")
	target, ok := s.declared[kind][name]
	key := xml.Name{Space: kind + " " + name.Space, Local: name.Local}
	if !ok || slices.Contains(s.open, key) {
		s.stop(placed{d.xmlNode, d.schema.tree}.fail("Correct the reference.", "the %s %q is unknown or holds itself", kind, name.Local))
		return
	}
	s.open = append(s.open, key)
	use(target)
	s.open = s.open[:len(s.open)-1]
}

// field adds a child element.
func (s *xsdSet) field(out *shape, d declaration, optional, list bool) {
	var field *shape
	if ref := d.qname("ref"); ref.Local != "" {
		key := xml.Name{Space: "element " + ref.Space, Local: ref.Local}
		target, ok := s.declared["element"][ref]
		if !ok || slices.Contains(s.open, key) {
			s.stop(placed{d.xmlNode, d.schema.tree}.fail("Correct the reference.", "the element %q is unknown or holds itself", ref.Local))
			field = &shape{name: ref.Local, space: ref.Space, kind: kindAnything}
		} else {
			s.open = append(s.open, key)
			field = s.expand(target, ref.Space)
			s.open = s.open[:len(s.open)-1]
		}
	} else {
		space := ""
		if form := d.attr("form"); form == "qualified" || form == "" && d.schema.qualified {
			space = d.schema.target
		}
		field = s.expand(d, space)
	}
	field.optional, field.list = optional, list
	for _, other := range out.fields {
		if other.name == field.name && other.space == field.space { // as in two branches of a choice
			other.list = other.list || !optional
			return
		}
	}
	out.fields = append(out.fields, field)
}

// attribute adds an attribute.
func (s *xsdSet) attribute(out *shape, d declaration) {
	if d.attr("use") == "prohibited" {
		return
	}
	a := &shape{name: d.attr("name"), optional: d.attr("use") != "required"}
	if ref := d.qname("ref"); ref.Local != "" {
		target, ok := s.declared["attribute"][ref]
		if !ok { // such as xml:lang
			return
		}
		d.xmlNode, d.schema, a.name, a.space = target.xmlNode, target.schema, ref.Local, ref.Space
	}
	switch {
	case d.attr("type") != "":
		s.named(a, d.qname("type"), placed{d.xmlNode, d.schema.tree})
	case d.first(nsXSD, "simpleType") != nil:
		s.simple(a, declaration{d.first(nsXSD, "simpleType"), d.schema})
	}
	out.attrs = append(out.attrs, a)
}

// annotation is the documentation of a declaration.
func annotation(n *xmlNode) string {
	if d := n.first(nsXSD, "annotation").first(nsXSD, "documentation"); d != nil {
		return firstLine(d.content())
	}
	return ""
}
