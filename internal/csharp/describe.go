package csharp

import (
	"slices"
	"strings"
)

// A TypeInfo describes a type of a library, for reference pages and tools.
type TypeInfo struct {
	Namespace string
	Name      string // with its type parameters, such as "Dictionary<TKey, TValue>"
	Kind      string // class, static class, struct, interface, enum or delegate
	Outside   bool   // not in the published list of types
	Members   []MemberInfo
}

// A MemberInfo describes a member.
type MemberInfo struct {
	Group   string // constructor, property, method, extension, operator, conversion or value
	Decl    string // as C# writes it
	Static  bool
	Outside bool
}

var memberGroups = []string{"constructor", "property", "method", "extension", "operator", "conversion", "value"}

// Describe lists the types of the library with their members, by namespace and name.
func (l *Library) Describe() []TypeInfo {
	var out []TypeInfo
	for _, t := range l.types {
		info := TypeInfo{Namespace: t.namespace, Name: t.outerName() + t.describedName(), Kind: t.describedKind(), Outside: t.outside}
		if t.nested {
			info.Namespace = t.namespace[:strings.LastIndexByte(t.namespace, '.')]
		}
		add := func(group string, list []*Member) {
			for _, m := range list {
				info.Members = append(info.Members, m.describe(group))
			}
		}
		add("constructor", t.ctors)
		add("property", t.indexers)
		for _, list := range t.members {
			for _, m := range list {
				add(m.group(), []*Member{m})
			}
		}
		for op, list := range t.ops {
			if op == "implicit" || op == "explicit" {
				add("conversion", list)
			} else {
				add("operator", list)
			}
		}
		if t.enum != nil {
			for _, n := range t.enum.names {
				info.Members = append(info.Members, MemberInfo{Group: "value", Decl: n, Static: true})
			}
		}
		if t.invoke != nil {
			info.Members = append(info.Members, MemberInfo{Group: "method", Decl: t.invoke.describe()})
		}
		slices.SortStableFunc(info.Members, func(a, b MemberInfo) int {
			if d := slices.Index(memberGroups, a.Group) - slices.Index(memberGroups, b.Group); d != 0 || a.Group == "value" {
				return d
			}
			return strings.Compare(sortKey(a.Decl), sortKey(b.Decl))
		})
		out = append(out, info)
	}
	slices.SortFunc(out, func(a, b TypeInfo) int {
		if d := strings.Compare(a.Namespace, b.Namespace); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// sortKey leaves the type of the result out.
func sortKey(decl string) string {
	name, _, _ := strings.Cut(decl, "(")
	return name[strings.LastIndexByte(name, ' ')+1:] + decl
}

func (t *Type) describedName() string {
	if len(t.params) == 0 {
		return t.name
	}
	names := make([]string, len(t.params))
	for i, p := range t.params {
		names[i] = p.name
	}
	return t.name + "<" + strings.Join(names, ", ") + ">"
}

func (t *Type) describedKind() string {
	switch {
	case t.kind == kindInterface:
		return "interface"
	case t.kind == kindEnum:
		return "enum"
	case t.kind == kindDelegate:
		return "delegate"
	case t.static:
		return "static class"
	case t.isValue():
		return "struct"
	}
	return "class"
}

func (m *Member) group() string {
	switch {
	case m.ext:
		return "extension"
	case m.prop:
		return "property"
	}
	return "method"
}

func (m *Member) describe(group string) MemberInfo {
	decl := m.decl
	if group == "constructor" {
		decl = m.owner.name + strings.TrimPrefix(decl, "void ctor")
	}
	return MemberInfo{Group: group, Decl: decl, Static: m.static && !m.ext && group != "constructor", Outside: m.outside || m.owner.outside}
}

func (s *signature) describe() string {
	params := make([]string, len(s.params))
	for i, p := range s.params {
		params[i] = p.typ.String() + " " + p.name
	}
	return s.result.String() + " " + s.name + "(" + strings.Join(params, ", ") + ")"
}
