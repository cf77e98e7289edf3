package policy

import (
	"reflect"
	"slices"
)

// Info describes a policy for reference pages, completion and generated tests. All of it comes from the declaration.
type Info struct {
	Spec
	Element ElementInfo
}

// ElementInfo describes an element: a policy, or one inside.
type ElementInfo struct {
	Name, Doc string
	// Required says that it must stand; Repeats that it may stand several times. They are of no use for a policy itself.
	Required, Repeats bool
	Attributes        []ValueInfo
	Children          []ElementInfo
	// Text is the element's own text; nil when it has none. Raw says that the content, or the element as a whole, is kept as XML.
	Text *ValueInfo
	Raw  bool
	// Policies says that other policies may stand in it: those in Only, or any when that is empty.
	Policies bool
	Only     []string
}

// ValueInfo describes an attribute or a text.
type ValueInfo struct {
	Name, Doc string
	// Type is string, boolean, integer, number, bytes or any.
	Type     string
	Required bool
	// MayBeEmpty says that an empty text is a value although there must be one.
	MayBeEmpty  bool
	Expressions bool
	Default     *string
	Enum        []string
	Min, Max    *float64
}

// Describe describes the policies in the order of the list.
func (c *Catalogue) Describe() []Info {
	infos := make([]Info, 0, len(c.definitions))
	for i := range c.definitions {
		e := c.byName[c.definitions[i].Name]
		infos = append(infos, Info{Spec: e.Spec, Element: e.shape.info(e.Name, nil)})
	}
	return infos
}

// info describes the element of a shape; one that is inside of itself is not described again.
func (s *shape) info(name string, outer []*shape) ElementInfo {
	e := ElementInfo{Name: name, Raw: s.inner != nil}
	if slices.Contains(outer, s) {
		return e
	}
	outer = append(outer, s)
	for _, f := range s.attrs {
		e.Attributes = append(e.Attributes, f.info(s))
	}
	for _, f := range s.elems {
		e.Children = append(e.Children, f.element(s, outer))
	}
	if s.text != nil {
		text := s.text.info(s)
		e.Text = &text
	}
	if s.inner != nil {
		text := s.inner.info(s)
		e.Text = &text
	}
	if s.block != nil {
		e.Policies, e.Only = true, s.block.only
	}
	return e
}

// element describes a child element.
func (f *field) element(s *shape, outer []*shape) ElementInfo {
	e := ElementInfo{Name: f.name, Raw: f.outer}
	if f.sub != nil {
		e = f.sub.info(f.name, outer)
	} else {
		text := f.info(s)
		e.Text = &text
	}
	e.Doc, e.Required, e.Repeats = f.doc, f.required, f.slice
	return e
}

// info describes a value.
func (f *field) info(s *shape) ValueInfo {
	t := s.typ.FieldByIndex(f.index).Type
	if f.slice {
		t = t.Elem()
	}
	v := ValueInfo{
		Name: f.name, Doc: f.doc, Required: f.required, MayBeEmpty: f.mayBeEmpty, Default: f.fallback, Enum: f.rules.enum, Min: f.rules.min, Max: f.rules.max,
	}
	if reflect.PointerTo(t).Implements(loaderType) {
		v.Expressions = !f.constant
		t = t.Field(0).Type // the constant
	}
	switch t.Kind() {
	case reflect.Bool:
		v.Type = "boolean"
	case reflect.Int, reflect.Int64:
		v.Type = "integer"
	case reflect.Float64:
		v.Type = "number"
	case reflect.Slice:
		v.Type = "bytes"
	case reflect.Interface:
		v.Type = "any"
	default:
		v.Type = "string"
	}
	return v
}

// KeepsText says whether the content of elements of that name is kept as text, markup included.
func (c *Catalogue) KeepsText(element string) bool { return c.opaque[element] }
