package resource

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
)

// schema is what the tags of a struct say. It is built once per type.
type schema struct {
	typ    reflect.Type
	fields []*field
	byName map[string]*field // lower-case JSON name
	hidden bool              // it or something in it is secret or writeonly
	refs   bool              // it or something in it has a ref rule
}

type shape uint8

const (
	leaf   shape = iota // decoded by encoding/json
	object              // struct or pointer to one
	list                // slice of structs
	dict                // map of structs
	merged              // map of leaves: PATCH merges its members
	raw                 // json.RawMessage
)

type field struct {
	name      string // JSON
	goName    string
	index     []int
	shape     shape
	sub       *schema // of object, list, dict
	rules     rules
	doc       string
	filter    bool
	omitEmpty bool
}

var (
	rawType  = reflect.TypeFor[json.RawMessage]()
	timeType = reflect.TypeFor[time.Time]()
)

type schemaBuilder map[reflect.Type]*schema

// of reads a struct type. Recursive types are fine.
func (b schemaBuilder) of(t reflect.Type) (*schema, error) {
	if s, ok := b[t]; ok {
		return s, nil
	}
	s := &schema{typ: t, byName: make(map[string]*field)}
	b[t] = s
	if err := b.collect(s, t, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	return s, nil
}

func (b schemaBuilder) collect(s *schema, t reflect.Type, index []int) error {
	for sf := range t.Fields() {
		at := append(index[:len(index):len(index)], sf.Index...)
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if sf.Anonymous && name == "" {
			if err := b.collect(s, sf.Type, at); err != nil {
				return err
			}
			continue
		}
		if name == "-" || !sf.IsExported() {
			continue
		}
		if name == "" {
			return fmt.Errorf("field %s has no json name", sf.Name)
		}
		f := &field{name: name, goName: sf.Name, index: at, doc: sf.Tag.Get("doc"), filter: sf.Tag.Get("filter") != ""}
		f.omitEmpty = strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		if err := b.describe(f, sf); err != nil {
			return fmt.Errorf("field %s: %w", sf.Name, err)
		}
		if s.byName[strings.ToLower(name)] != nil {
			return fmt.Errorf("two fields named %s", name)
		}
		s.fields = append(s.fields, f)
		s.byName[strings.ToLower(name)] = f
		s.hidden = s.hidden || f.rules.hidden() || f.sub != nil && f.sub.hidden
		s.refs = s.refs || f.rules.refs != nil || f.sub != nil && f.sub.refs
	}
	return nil
}

func (b schemaBuilder) describe(f *field, sf reflect.StructField) (err error) {
	f.shape, f.sub, err = b.shapeOf(sf.Type)
	if err != nil {
		return err
	}
	f.rules, err = parseRules(sf.Tag.Get("rule"), sf.Type)
	return err
}

func (b schemaBuilder) shapeOf(t reflect.Type) (shape, *schema, error) {
	if t == rawType {
		return raw, nil, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		if isObject(t.Elem()) {
			s, err := b.of(t.Elem())
			return object, s, err
		}
	case reflect.Struct:
		if isObject(t) {
			s, err := b.of(t)
			return object, s, err
		}
	case reflect.Slice:
		if isObject(t.Elem()) {
			s, err := b.of(t.Elem())
			return list, s, err
		}
	case reflect.Map:
		if isObject(t.Elem()) {
			s, err := b.of(t.Elem())
			return dict, s, err
		}
		return merged, nil, nil
	}
	return leaf, nil, nil
}

// isObject reports whether a type is a struct that this package reads, not one with a JSON form of its own.
func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != timeType && !reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// filterFields returns the fields that $filter may name, nested ones with a slash.
func (s *schema) filterFields(prefix string, to arm.Fields) {
	for _, f := range s.fields {
		switch {
		case f.filter:
			to[prefix+f.name] = filterKind(s.typ.FieldByIndex(f.index).Type)
		case f.shape == object && len(prefix) < 200:
			f.sub.filterFields(prefix+f.name+"/", to)
		}
	}
}

func filterKind(t reflect.Type) arm.FieldKind {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType:
		return arm.FieldTime
	case t.Kind() == reflect.Bool:
		return arm.FieldBool
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64:
		return arm.FieldNumber
	case t.Kind() == reflect.Slice:
		return arm.FieldList
	}
	return arm.FieldString
}

// get returns a field's value for $filter.
func (s *schema) get(v reflect.Value, name string) any {
	head, rest, nested := strings.Cut(name, "/")
	f := s.byName[strings.ToLower(head)]
	if f == nil {
		return nil
	}
	fv := v.FieldByIndex(f.index)
	for fv.Kind() == reflect.Pointer {
		if fv.IsNil() {
			return nil
		}
		fv = fv.Elem()
	}
	if nested {
		return f.sub.get(fv, rest)
	}
	return filterValue(fv)
}

func filterValue(v reflect.Value) any {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return float64(v.Int())
	case reflect.Float32, reflect.Float64:
		return v.Float()
	}
	switch x := v.Interface().(type) {
	case time.Time, []string:
		return x
	}
	return nil
}

// writable reports whether a caller can set any member.
func (s *schema) writable() bool {
	return slices.ContainsFunc(s.fields, func(f *field) bool { return !f.rules.readonly })
}
