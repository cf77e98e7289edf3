package graphql

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// introspected is an object that describes a part of the schema.
type introspected interface {
	// field gives a member: nil, a string, a bool, an introspected or a []introspected. deprecated says whether deprecated members are asked for.
	field(s *Schema, name string, deprecated bool) any
}

// isIntrospection tells the fields of the root that describe the schema.
func isIntrospection(name string) bool { return name == "__schema" || name == "__type" }

// introspect executes a field that describes the schema.
func (e *execution) introspect(s *slot, g group, p *parent) {
	f := g.fields[0]
	arguments, err := e.schema.arguments(f.Definition.Arguments, f.Arguments, e.variables)
	if err != nil {
		e.fail(s, "%s: %s.", s.name(), err)
		return
	}
	switch {
	case p != nil && p.shown != nil:
		deprecated, _ := arguments.values["includeDeprecated"].(bool)
		e.show(s, g.fields, p.shown.field(e.schema, f.Name, deprecated))
	case f.Name == "__schema":
		e.show(s, g.fields, schemaView{})
	default:
		name, _ := arguments.values["name"].(string)
		var found any
		if d := e.schema.types.Types[name]; d != nil {
			found = typeView{def: d}
		}
		e.show(s, g.fields, found)
	}
}

// show completes a value of the schema's description.
func (e *execution) show(s *slot, fields []*ast.Field, v any) {
	switch v := v.(type) {
	case string:
		s.value = json.RawMessage(appendString(nil, v))
	case bool:
		s.value = json.RawMessage("false")
		if v {
			s.value = json.RawMessage("true")
		}
	case []introspected:
		if !e.grow(len(v)) {
			e.fail(s, "The answer has more than %d values.", maxFields)
			return
		}
		list := make([]*slot, len(v))
		for i, item := range v {
			list[i] = &slot{typ: s.typ.Elem, owner: s.owner, field: s.field, path: &path{s.path, i}}
			e.show(list[i], fields, item)
		}
		s.value = list
	case locationView:
		s.value = json.RawMessage(appendString(nil, string(v)))
	case introspected:
		e.completeObject(s, e.schema.types.Types[s.typ.Name()], fields, &parent{shown: v})
	}
}

type schemaView struct{}

func (schemaView) field(s *Schema, name string, _ bool) any {
	root := func(d *ast.Definition) any {
		if d == nil {
			return nil
		}
		return typeView{def: d}
	}
	switch name {
	case "description":
		return text(s.types.Description)
	case "types":
		list := []introspected{}
		for _, n := range slices.Sorted(maps.Keys(s.types.Types)) {
			list = append(list, typeView{def: s.types.Types[n]})
		}
		return list
	case "queryType":
		return root(s.types.Query)
	case "mutationType":
		return root(s.types.Mutation)
	case "subscriptionType":
		return root(s.types.Subscription)
	case "directives":
		list := []introspected{}
		for _, n := range slices.Sorted(maps.Keys(s.types.Directives)) {
			list = append(list, directiveView{s.types.Directives[n]})
		}
		return list
	}
	return nil
}

// text is a description: null when there is none.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// typeView is a named type, or with wrap a list or non-null type.
type typeView struct {
	def  *ast.Definition
	wrap *ast.Type
}

// viewOf describes a type of a field or an argument.
func viewOf(s *Schema, t *ast.Type) introspected {
	if t.NonNull || t.Elem != nil {
		return typeView{wrap: t}
	}
	return typeView{def: s.types.Types[t.NamedType]}
}

func (t typeView) field(s *Schema, name string, deprecated bool) any {
	if t.wrap != nil {
		return t.wrapped(s, name)
	}
	d := t.def
	switch name {
	case "kind":
		return string(d.Kind)
	case "name":
		return d.Name
	case "description":
		return text(d.Description)
	case "specifiedByURL":
		return directiveText(d.Directives, "specifiedBy", "url", nil)
	case "isOneOf":
		if d.Kind == ast.InputObject {
			return d.Directives.ForName("oneOf") != nil
		}
	case "fields":
		if d.Kind == ast.Object || d.Kind == ast.Interface {
			return fieldViews(d.Fields, deprecated)
		}
	case "interfaces":
		if d.Kind == ast.Object || d.Kind == ast.Interface {
			list := []introspected{}
			for _, n := range d.Interfaces {
				list = append(list, typeView{def: s.types.Types[n]})
			}
			return list
		}
	case "possibleTypes":
		if d.IsAbstractType() {
			list := []introspected{}
			for _, p := range s.types.PossibleTypes[d.Name] {
				list = append(list, typeView{def: p})
			}
			return list
		}
	case "enumValues":
		if d.Kind == ast.Enum {
			list := []introspected{}
			for _, v := range d.EnumValues {
				if deprecated || !isDeprecated(v.Directives) {
					list = append(list, enumView{v})
				}
			}
			return list
		}
	case "inputFields":
		if d.Kind == ast.InputObject {
			list := []introspected{}
			for _, f := range d.Fields {
				if deprecated || !isDeprecated(f.Directives) {
					list = append(list, inputView{f.Name, f.Description, f.Type, f.DefaultValue, f.Directives})
				}
			}
			return list
		}
	}
	return nil
}

func (t typeView) wrapped(s *Schema, name string) any {
	switch name {
	case "kind":
		if t.wrap.NonNull {
			return "NON_NULL"
		}
		return "LIST"
	case "ofType":
		if t.wrap.NonNull {
			inner := *t.wrap
			inner.NonNull = false
			return viewOf(s, &inner)
		}
		return viewOf(s, t.wrap.Elem)
	}
	return nil
}

func fieldViews(fields ast.FieldList, deprecated bool) []introspected {
	list := []introspected{}
	for _, f := range fields {
		if !strings.HasPrefix(f.Name, "__") && (deprecated || !isDeprecated(f.Directives)) {
			list = append(list, fieldView{f})
		}
	}
	return list
}

type fieldView struct{ *ast.FieldDefinition }

func (f fieldView) field(s *Schema, name string, deprecated bool) any {
	switch name {
	case "name":
		return f.Name
	case "description":
		return text(f.Description)
	case "args":
		return argumentViews(f.Arguments, deprecated)
	case "type":
		return viewOf(s, f.Type)
	}
	return deprecation(f.Directives, name)
}

func argumentViews(arguments ast.ArgumentDefinitionList, deprecated bool) []introspected {
	list := []introspected{}
	for _, a := range arguments {
		if deprecated || !isDeprecated(a.Directives) {
			list = append(list, inputView{a.Name, a.Description, a.Type, a.DefaultValue, a.Directives})
		}
	}
	return list
}

// inputView is an argument or a field of an input object.
type inputView struct {
	name, description string
	typ               *ast.Type
	fallback          *ast.Value
	directives        ast.DirectiveList
}

func (v inputView) field(s *Schema, name string, _ bool) any {
	switch name {
	case "name":
		return v.name
	case "description":
		return text(v.description)
	case "type":
		return viewOf(s, v.typ)
	case "defaultValue":
		if v.fallback != nil {
			return v.fallback.String()
		}
		return nil
	}
	return deprecation(v.directives, name)
}

type enumView struct{ *ast.EnumValueDefinition }

func (v enumView) field(_ *Schema, name string, _ bool) any {
	switch name {
	case "name":
		return v.Name
	case "description":
		return text(v.Description)
	}
	return deprecation(v.Directives, name)
}

type directiveView struct{ *ast.DirectiveDefinition }

func (d directiveView) field(_ *Schema, name string, deprecated bool) any {
	switch name {
	case "name":
		return d.Name
	case "description":
		return text(d.Description)
	case "isRepeatable":
		return d.IsRepeatable
	case "locations":
		list := []introspected{}
		for _, l := range d.Locations {
			list = append(list, locationView(l))
		}
		return list
	case "args":
		return argumentViews(d.Arguments, deprecated)
	}
	return nil
}

// locationView is a value of __DirectiveLocation in a list.
type locationView string

func (locationView) field(*Schema, string, bool) any { return nil }

func isDeprecated(directives ast.DirectiveList) bool { return directives.ForName("deprecated") != nil }

// deprecation gives the members isDeprecated and deprecationReason.
func deprecation(directives ast.DirectiveList, name string) any {
	switch name {
	case "isDeprecated":
		return isDeprecated(directives)
	case "deprecationReason":
		return directiveText(directives, "deprecated", "reason", "No longer supported")
	}
	return nil
}

// directiveText is an argument of a directive; fallback when the directive stands there without it, nil when it does not stand there.
func directiveText(directives ast.DirectiveList, directive, argument string, fallback any) any {
	d := directives.ForName(directive)
	if d == nil {
		return nil
	}
	if a := d.Arguments.ForName(argument); a != nil {
		return a.Value.Raw
	}
	return fallback
}
