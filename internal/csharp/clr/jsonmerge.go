package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A mergeSettings is JsonMergeSettings.
type mergeSettings struct{ arrays, nulls, names int }

// ClrName is Newtonsoft.Json.Linq.JsonMergeSettings.
func (*mergeSettings) ClrName() string { return "Newtonsoft.Json.Linq.JsonMergeSettings" }

// The members of MergeArrayHandling.
const (
	mergeConcat  = 0
	mergeUnion   = 1
	mergeReplace = 2
	mergeItems   = 3
)

// nameOrdinal is StringComparison.Ordinal, the default for names.
const nameOrdinal = 4

// mergeToken is JContainer.Merge.
func mergeToken(r run, to JToken, v any, s *mergeSettings) {
	switch x := to.(type) {
	case *JObject:
		if o, ok := v.(*JObject); ok && o != nil {
			x.merge(r, o, s)
		}
	case *JConstructor:
		if c, ok := v.(*JConstructor); ok && c != nil {
			if c.name != "" {
				x.name = c.name
			}
			mergeList(r, x, csharp.Items(r, c), s)
		}
	case *JArray:
		if list, ok := v.(csharp.Enumerable); ok {
			if t, isToken := v.(JToken); !isToken || t.kind() == jsonArray {
				mergeList(r, x, csharp.Items(r, list), s)
			}
		}
	}
}

// merge puts the properties of another object in, containers of the same kind recursively.
func (o *JObject) merge(r run, other *JObject, s *mergeSettings) {
	for _, p := range append([]*JProperty(nil), other.props...) {
		r.Step()
		r.Alloc(64)
		have := o.property(p.name, s.names)
		if have == nil {
			o.Set(p.name, p.value)
			continue
		}
		if k := have.value.kind(); k == p.value.kind() && (k == jsonObject || k == jsonArray || k == jsonConstructor) {
			mergeToken(r, have.value, p.value, s)
		} else if p.value.kind() != jsonNull || s.nulls == 1 {
			have.set(p.value)
		}
	}
}

// property finds a property, the exact name first.
func (o *JObject) property(name string, comparison int) *JProperty {
	if i := o.find(name); i >= 0 {
		return o.props[i]
	}
	if comparison%2 == 1 { // the IgnoreCase members are the odd ones
		for _, p := range o.props {
			if strings.EqualFold(p.name, name) {
				return p
			}
		}
	}
	return nil
}

// mergeList puts items in an array or a constructor, as the settings say.
func mergeList(r run, t jsonList, items []any, s *mergeSettings) {
	into := t.list()
	if s.arrays == mergeReplace {
		for _, x := range *into {
			x.node().parent = nil
		}
		*into = nil
	}
	for i, item := range items {
		r.Step()
		r.Alloc(64)
		token := contentToken(item)
		switch {
		case s.arrays == mergeItems && i < len(*into):
			if k := (*into)[i].kind(); k == jsonObject || k == jsonArray || k == jsonConstructor {
				mergeToken(r, (*into)[i], item, s)
			} else if token.kind() != jsonNull {
				replaceToken((*into)[i], token)
			}
			continue
		case s.arrays == mergeUnion && holdsToken(r, *into, token):
			continue
		}
		*into = append(*into, adopt(t, token))
	}
}

// holdsToken tells whether an item is equal.
func holdsToken(r run, items []JToken, t JToken) bool {
	for _, x := range items {
		r.Step()
		if deepEquals(x, t) {
			return true
		}
	}
	return false
}

func declareJSONMerge(b *csharp.Builder) {
	b.Enum("Newtonsoft.Json.Linq.MergeArrayHandling", false, []string{"Concat", "Union", "Replace", "Merge"}, countTo(4)).Outside()
	b.Enum("Newtonsoft.Json.Linq.MergeNullValueHandling", true, []string{"Ignore", "Merge"}, countTo(2)).Outside()
	t := b.Type("class Newtonsoft.Json.Linq.JsonMergeSettings", csharp.Go[*mergeSettings]()).Outside()
	t.New("()", csharp.F0(func() *mergeSettings { return &mergeSettings{names: nameOrdinal} }))
	for decl, field := range map[string]func(*mergeSettings) *int{
		"MergeArrayHandling MergeArrayHandling":         func(s *mergeSettings) *int { return &s.arrays },
		"MergeNullValueHandling MergeNullValueHandling": func(s *mergeSettings) *int { return &s.nulls },
		"StringComparison PropertyNameComparison":       func(s *mergeSettings) *int { return &s.names },
	} {
		t.Prop(decl, csharp.F1(func(s *mergeSettings) int { return *field(s) }), csharp.V2(func(s *mergeSettings, v int) { *field(s) = v }))
	}
}

func declareMergeMembers(t *csharp.TypeBuilder) {
	merge := func(r run, t JToken, v any, s *mergeSettings) {
		_, isToken := v.(JToken)
		if _, isList := v.(csharp.Enumerable); v != nil && !isToken && !isList {
			csharp.ThrowArgument("System.ArgumentException", "Could not determine JSON object type for type "+csharp.TypeName(v)+".", "content")
		}
		if s == nil {
			s = &mergeSettings{names: nameOrdinal}
		}
		mergeToken(r, t, v, s)
	}
	t.Method("void Merge(object content)", csharp.V3(func(r run, t JToken, v any) { merge(r, t, v, nil) }))
	t.Method("void Merge(object content, JsonMergeSettings settings)", csharp.V4(merge))
}
