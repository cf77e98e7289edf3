package graphql

import (
	"encoding/json"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// complete gives a slot its value (specification, 6.4.3). v is nil, a json.RawMessage, or the error errNotJSON.
func (e *execution) complete(s *slot, fields []*ast.Field, v any) {
	if err, ok := v.(error); ok {
		e.fail(s, "%s: %s.", s.name(), err)
		return
	}
	raw, _ := v.(json.RawMessage)
	switch {
	case isNull(raw):
		if s.typ.NonNull && !e.explained(s) {
			e.fail(s, "Cannot return null for the non-nullable field %s.", s.name())
		}
	case s.typ.Elem != nil:
		e.completeList(s, fields, raw)
	default:
		e.completeNamed(s, fields, raw)
	}
}

// explained says whether the service that gave the answer has told already why a value is missing.
func (e *execution) explained(s *slot) bool {
	if !s.remote {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	at := s.path.list()
	return slices.ContainsFunc(e.errors, func(known *Error) bool {
		return len(known.Path) >= len(at) && comparePaths(&Error{Path: known.Path[:len(at)]}, &Error{Path: at}) == 0
	})
}

func (e *execution) completeList(s *slot, fields []*ast.Field, raw json.RawMessage) {
	var items []json.RawMessage
	if raw[0] == '[' {
		if json.Unmarshal(raw, &items) != nil {
			items = nil
		}
	} else if wrapped, ok := itemsOf(s, raw); ok {
		items = wrapped
	} else {
		e.fail(s, "Expected a list for %s, not %s.", s.name(), clip(raw))
		return
	}
	if !e.grow(len(items)) {
		e.fail(s, "The answer has more than %d values.", maxFields)
		return
	}
	list := make([]*slot, len(items))
	for i, item := range items {
		list[i] = &slot{typ: s.typ.Elem, owner: s.owner, field: s.field, path: &path{s.path, i}, remote: s.remote}
		e.complete(list[i], fields, rawOrNil(item))
	}
	s.value = list
}

// itemsOf takes the list out of an object with nothing but items in it, as resolvers of databases give their rows, for a field that is the list
// itself.
func itemsOf(s *slot, raw json.RawMessage) (items []json.RawMessage, ok bool) {
	var members map[string]json.RawMessage
	if !s.resolved || raw[0] != '{' || json.Unmarshal(raw, &members) != nil || len(members) != 1 {
		return nil, false
	}
	list := trimJSON(members["items"])
	return items, len(list) > 0 && list[0] == '[' && json.Unmarshal(list, &items) == nil
}

func (e *execution) completeNamed(s *slot, fields []*ast.Field, raw json.RawMessage) {
	d := e.schema.types.Types[s.typ.NamedType]
	if d.IsLeafType() {
		if s.resolved && d.BuiltIn && d.Name == "String" && (raw[0] == '{' || raw[0] == '[') {
			raw = appendString(nil, string(raw)) // the answer of a data source, as a text
		}
		value, err := e.schema.leaf(d, raw)
		if err != nil {
			e.fail(s, "%s: %s.", s.name(), err)
			return
		}
		s.value = value
		return
	}
	var members map[string]json.RawMessage
	if raw[0] != '{' || json.Unmarshal(raw, &members) != nil {
		e.fail(s, "Expected an object for %s, not %s.", s.name(), clip(raw))
		return
	}
	object, ok := e.objectType(s, d, members)
	if !ok {
		return
	}
	e.completeObject(s, object, fields, &parent{raw: raw, members: members})
}

// objectType finds the object type of a value of an interface or union by its __typename, or because there is only one.
func (e *execution) objectType(s *slot, d *ast.Definition, members map[string]json.RawMessage) (*ast.Definition, bool) {
	if d.Kind == ast.Object {
		return d, true
	}
	possible := e.schema.types.PossibleTypes[d.Name]
	var name string
	if raw, ok := members["__typename"]; ok && json.Unmarshal(raw, &name) == nil {
		for _, t := range possible {
			if t.Name == name {
				return t, true
			}
		}
		e.fail(s, "%s: %q is no type of %s.", s.name(), name, d.Name)
		return nil, false
	}
	if len(possible) == 1 {
		return possible[0], true
	}
	e.fail(s, "%s: the data has no __typename that says which type of %s it is.", s.name(), d.Name)
	return nil, false
}

// completeObject executes the selected fields of an object.
func (e *execution) completeObject(s *slot, object *ast.Definition, fields []*ast.Field, p *parent) {
	sets := make([]ast.SelectionSet, len(fields))
	for i, f := range fields {
		sets[i] = f.SelectionSet
	}
	groups := e.collect(object, sets...)
	if !e.grow(len(groups)) {
		e.fail(s, "The answer has more than %d values.", maxFields)
		return
	}
	members := make([]member, len(groups))
	for i, g := range groups {
		child := &slot{typ: g.typ(), owner: object, field: g.fields[0], path: &path{s.path, g.key}, remote: s.remote}
		members[i] = member{g.key, child}
		e.execute(child, g, p, p.raw)
	}
	s.value = members
}

// settle carries nulls up to the next place that may be null, and says whether the slot itself is such a place or has a value.
func settle(s *slot) bool {
	switch v := s.value.(type) {
	case []*slot:
		for _, item := range v {
			if !settle(item) {
				s.value = nil
				break
			}
		}
	case []member:
		for _, m := range v {
			if !settle(m.slot) {
				s.value = nil
				break
			}
		}
	}
	return s.value != nil || !s.typ.NonNull
}

// answer writes the whole answer. It runs when nothing else does any more.
func (e *execution) answer(data *slot) []byte {
	settle(data)
	b := []byte{'{'}
	if len(e.errors) > 0 {
		slices.SortStableFunc(e.errors, comparePaths)
		own := e.errors.Body() // {"errors":[…]}
		b = append(append(b, own[1:len(own)-1]...), ',')
	}
	b = append(b, `"data":`...)
	return append(appendValue(b, data), '}')
}

func appendValue(b []byte, s *slot) []byte {
	switch v := s.value.(type) {
	case json.RawMessage:
		return append(b, v...)
	case []*slot:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, item)
		}
		return append(b, ']')
	case []member:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, '"'), m.key...), '"', ':') // a name of the grammar needs no escape
			b = appendValue(b, m.slot)
		}
		return append(b, '}')
	}
	return append(b, jsonNull...)
}
