package policy

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// shape is what the struct of a policy, or of an element in one, says about its XML. It is made once, when the catalogue is.
type shape struct {
	typ   reflect.Type
	attrs []*field
	elems []*field
	text  *field
	inner *field
	block *field
}

// field is one field of a struct with what its tags say.
type field struct {
	index    []int
	name     string // of the attribute or element
	required bool
	constant bool // no expressions
	// mayBeEmpty says that an empty text is a value of a required attribute.
	mayBeEmpty bool
	exact      bool // literal text keeps its white space and may hold markup
	outer      bool // the text is the whole element, tags included
	// keepSpace is set for attributes and exact texts.
	keepSpace bool
	fallback  *string
	rules     rules
	only      []string
	doc       string
	section   Section // of what stands in the element; 0 for that of the element itself
	slice     bool    // any number of elements
	pointer   bool    // an optional struct
	sub       *shape  // of a struct element
}

// rules are what values of a field may be.
type rules struct {
	enum     []string
	min, max *float64
}

func (s *shape) attr(name string) *field { return findField(s.attrs, name) }
func (s *shape) elem(name string) *field { return findField(s.elems, name) }

func findField(list []*field, name string) *field {
	for _, f := range list {
		if f.name == name {
			return f
		}
	}
	return nil
}

// loader is a *Value[T].
type loader interface {
	load(c *Compiler, f *field, t text)
	leaveOpen(t text)
}

var (
	loaderType = reflect.TypeFor[loader]()
	blockType  = reflect.TypeFor[Block]()
)

// shapes makes the shapes of struct types, each once.
type shapes map[reflect.Type]*shape

// of returns the shape of a struct type.
func (all shapes) of(t reflect.Type) (*shape, error) {
	if s, ok := all[t]; ok {
		return s, nil
	}
	s := &shape{typ: t}
	all[t] = s
	return s, all.fields(s, t, nil)
}

// fields adds the fields of t, which is s.typ or embedded in it.
func (all shapes) fields(s *shape, t reflect.Type, index []int) error {
	var errs []error
	for i := range t.NumField() {
		sf := t.Field(i)
		path := append(append([]int(nil), index...), i)
		if isEmbedded(sf) {
			errs = append(errs, all.fields(s, sf.Type, path))
			continue
		}
		if err := all.field(s, sf, path); err != nil {
			errs = append(errs, fmt.Errorf("field %s: %w", sf.Name, err))
		}
	}
	return errors.Join(errs...)
}

// isEmbedded says whether a field is a struct whose fields count as the outer struct's own.
func isEmbedded(sf reflect.StructField) bool {
	return (sf.Anonymous || sf.IsExported()) && sf.Type.Kind() == reflect.Struct && sf.Tag == "" && sf.Type != blockType && !isValueType(sf.Type)
}

// field adds one field if its tags make it part of the XML.
func (all shapes) field(s *shape, sf reflect.StructField, index []int) error {
	f := &field{index: index, doc: sf.Tag.Get("doc")}
	if sf.Type == blockType && sf.IsExported() {
		if list := sf.Tag.Get("only"); list != "" {
			f.only = strings.Split(list, ",")
		}
		s.block = f
		return nil
	}
	if err := f.readRules(sf.Tag); err != nil {
		return err
	}
	for _, key := range [...]string{"attr", "elem", "text", "inner"} {
		tag, ok := sf.Tag.Lookup(key)
		if !ok {
			continue
		}
		if !sf.IsExported() {
			return errors.New("a field with tags must be exported")
		}
		if err := f.readOptions(key, tag); err != nil {
			return err
		}
		return all.place(s, f, key, sf.Type)
	}
	return nil
}

// readRules reads the tags beside the one that places the field.
func (f *field) readRules(tag reflect.StructTag) error {
	if v, ok := tag.Lookup("default"); ok {
		f.fallback = &v
	}
	if v := tag.Get("enum"); v != "" {
		f.rules.enum = strings.Split(v, ",")
	}
	if v := tag.Get("section"); v != "" {
		if f.section = sectionNamed(v); f.section == 0 {
			return fmt.Errorf("tag section: there is no section %q", v)
		}
	}
	for key, bound := range map[string]**float64{"min": &f.rules.min, "max": &f.rules.max} {
		if v := tag.Get(key); v != "" {
			n, err := strconv.ParseFloat(v, 64)
			if err != nil {
				return fmt.Errorf("tag %s: %w", key, err)
			}
			*bound = &n
		}
	}
	return nil
}

// readOptions reads "name,required,const,exact"; text and inner have no name.
func (f *field) readOptions(key, tag string) error {
	options := strings.Split(tag, ",")
	if key == "attr" || key == "elem" {
		f.name, options = options[0], options[1:]
		if f.name == "" {
			return fmt.Errorf("tag %s has no name", key)
		}
	}
	for _, o := range options {
		switch o {
		case "required":
			f.required = true
		case "const":
			f.constant = true
		case "empty":
			f.mayBeEmpty = true
		case "exact":
			f.exact = true
		case "outer":
			f.exact, f.outer = true, true
		case "":
		default:
			return fmt.Errorf("tag %s: option %q is not known", key, o)
		}
	}
	return nil
}

// place puts the field into the shape after a look at its type.
func (all shapes) place(s *shape, f *field, key string, t reflect.Type) error {
	if key == "elem" && t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
		f.slice, t = true, t.Elem()
	}
	if key == "elem" && t.Kind() == reflect.Pointer {
		f.pointer, t = true, t.Elem()
	}
	if !isValueType(t) {
		if key != "elem" || t.Kind() != reflect.Struct {
			return fmt.Errorf("type %s cannot be read from XML", t)
		}
		sub, err := all.of(t)
		if err != nil {
			return err
		}
		f.sub = sub
	}
	f.keepSpace = f.exact || key == "attr"
	switch key {
	case "attr":
		s.attrs = append(s.attrs, f)
	case "elem":
		s.elems = append(s.elems, f)
	case "text":
		s.text = f
	case "inner":
		s.inner = f
	}
	return nil
}

// isValueType says whether a field of the type holds one value.
func isValueType(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return true
	}
	return reflect.PointerTo(t).Implements(loaderType)
}

// holdsBlock says whether other policies may stand in the element.
func (s *shape) holdsBlock(seen []*shape) bool {
	if s.block != nil {
		return true
	}
	if slices.Contains(seen, s) {
		return false
	}
	return slices.ContainsFunc(s.elems, func(f *field) bool { return f.sub != nil && f.sub.holdsBlock(append(seen, s)) })
}

// opaqueNames adds the names of the elements whose content is kept as text: those with an exact text or with inner XML.
func (s *shape) opaqueNames(name string, names map[string]bool, seen map[*shape]bool) {
	if s.inner != nil || s.text != nil && s.text.exact {
		names[name] = true
	}
	if seen[s] {
		return
	}
	seen[s] = true
	for _, f := range s.elems {
		switch {
		case f.sub != nil:
			f.sub.opaqueNames(f.name, names, seen)
		case f.exact:
			names[f.name] = true
		}
	}
}
