package resource

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Info describes a type at one place of the tree, for documentation, clients and tests.
type Info struct {
	Path    string // "apis/operations"; "" for the service
	ARMType string
	Title   string
	Doc     string
	Verbs   Verbs
	Names   []string // the only names, if not empty
	Join    string   // path of the type that it links to
	Reason  string   // why it is not implemented; "" when it is
	Items   bool     // its collection lists other resources
	PutOK   bool     // PUT never answers 201
	HeadOK  bool
	Patch   int // status of a successful PATCH
	TopLevel,
	Initial bool // there before it was written
	Fields  []FieldInfo
	Actions []ActionInfo
}

// FieldInfo describes a property.
type FieldInfo struct {
	Name, Doc                                        string
	Type                                             string // string, boolean, integer, number, date-time, object, any
	Array, Map                                       bool
	Required, ReadOnly, WriteOnly, Secret, Immutable bool
	URL, Email, Filter                               bool
	Min, Max                                         *float64
	Enum, Refs                                       []string
	Pattern, Default                                 string
	Fields                                           []FieldInfo // of objects
}

// ActionInfo describes an action.
type ActionInfo struct {
	Name, Method, Doc string
	Input, Output     reflect.Type // nil for none
}

// Types describes all types in the order of the catalogue, the service first.
func (c *Catalogue) Types() []Info {
	infos := make([]Info, 0, len(c.order))
	for _, n := range c.order {
		infos = append(infos, n.info())
	}
	return infos
}

func (n *node) info() Info {
	t := n.typ
	i := Info{
		Path: n.path, ARMType: n.armType, Title: t.title, Doc: t.doc, Verbs: t.verbs, Names: slices.Clone(t.names), Join: t.join, Reason: t.reason,
		Items: t.has.items, PutOK: t.putOK, HeadOK: t.headOK, Patch: 200, TopLevel: t.topLevel, Initial: t.has.initial,
		Fields: t.schema.info(map[*schema]bool{}),
	}
	if t.patchEmpty {
		i.Patch = 204
	}
	for _, a := range t.actions {
		i.Actions = append(i.Actions, ActionInfo{a.name, a.method, a.doc, typeOf(a.input), typeOf(a.output)})
	}
	return i
}

func typeOf(v any) reflect.Type {
	if v == nil {
		return nil
	}
	return reflect.TypeOf(v)
}

func (s *schema) info(open map[*schema]bool) (infos []FieldInfo) {
	if open[s] { // recursive
		return nil
	}
	open[s] = true
	defer delete(open, s)
	for _, f := range s.fields {
		r := f.rules
		if r.secret && r.readonly {
			continue // internal
		}
		i := FieldInfo{
			Name: f.name, Doc: f.doc, Required: r.required, ReadOnly: r.readonly, WriteOnly: r.writeonly, Secret: r.secret,
			Immutable: r.immutable, URL: r.url, Email: r.email, Filter: f.filter, Min: r.min, Max: r.max,
			Enum: r.enum, Refs: r.refs, Default: r.def,
		}
		if r.pattern != nil {
			i.Pattern = strings.TrimSuffix(strings.TrimPrefix(r.pattern.String(), "^(?:"), ")$")
		}
		i.describeType(s.typ.FieldByIndex(f.index).Type)
		if f.sub != nil {
			i.Fields = f.sub.info(open)
		}
		infos = append(infos, i)
	}
	return infos
}

func (i *FieldInfo) describeType(t reflect.Type) {
	for {
		switch {
		case t == rawType:
			i.Type = "any"
			return
		case t.Kind() == reflect.Pointer:
		case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
			i.Type = "string"
			return
		case t.Kind() == reflect.Slice:
			i.Array = true
		case t.Kind() == reflect.Map:
			i.Map = true
		default:
			i.Type = jsonType(t)
			return
		}
		t = t.Elem()
	}
}

func jsonType(t reflect.Type) string {
	switch {
	case t == timeType:
		return "date-time"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "integer"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "number"
	case t.Kind() == reflect.Struct:
		return "object"
	}
	return "any"
}

// ARMTypes lists the types' full names.
func (c *Catalogue) ARMTypes() []string {
	names := make([]string, 0, len(c.order))
	for _, n := range c.order {
		names = append(names, n.armType)
	}
	return names
}

// Operations lists what can be authorised, such as Microsoft.ApiManagement/service/apis/write.
func (c *Catalogue) Operations() (names []string) {
	for _, n := range c.order {
		if n.typ.reason != "" {
			continue
		}
		names = append(names, n.armType+"/read")
		if n.typ.verbs&(Create|Update) != 0 {
			names = append(names, n.armType+"/write")
		}
		if n.typ.verbs&Delete != 0 {
			names = append(names, n.armType+"/delete")
		}
		for _, a := range n.typ.actions {
			if a.name != "" && a.method != http.MethodGet {
				names = append(names, n.armType+"/"+a.name+"/action")
			}
		}
	}
	return names
}
