package graphql

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// object is an input object or the arguments of a field: names and values in the order of the schema.
type object struct {
	names  []string
	values map[string]any
}

func (o *object) set(name string, value any) {
	if o.values == nil {
		o.values = make(map[string]any)
	}
	if _, ok := o.values[name]; !ok {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

// MarshalJSON writes the members in order.
func (o *object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		value, err := json.Marshal(o.values[name])
		if err != nil {
			return nil, err
		}
		b = append(b, value...)
	}
	return append(b, '}'), nil
}

// readVariables coerces the values of variables (specification, 6.1.2).
func (s *Schema) readVariables(op *ast.OperationDefinition, given map[string]json.RawMessage) (map[string]any, error) {
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, v := range op.VariableDefinitions {
		raw, ok := given[v.Variable]
		if !ok && v.DefaultValue != nil {
			value, _, err := s.literal(v.Type, v.DefaultValue, nil)
			if err != nil {
				return nil, variableError(v, err)
			}
			values[v.Variable] = value
			continue
		}
		if !ok {
			if v.Type.NonNull {
				return nil, variableError(v, errors.New("a value is required"))
			}
			continue
		}
		value, err := decodeJSON(raw)
		if err == nil {
			value, err = s.input(v.Type, value, 0)
		}
		if err != nil {
			return nil, variableError(v, err)
		}
		values[v.Variable] = value
	}
	return values, nil
}

func variableError(v *ast.VariableDefinition, err error) error {
	return Errors{{Message: fmt.Sprintf("The variable $%s of type %s is not valid: %s.", v.Variable, v.Type, err), Locations: locationOf(v.Position)}}
}

var errNull = errors.New("null is not allowed")

// input coerces a JSON value of a variable to an input type.
func (s *Schema) input(t *ast.Type, v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("it is nested too deep")
	}
	if v == nil {
		if t.NonNull {
			return nil, errNull
		}
		return nil, nil
	}
	if t.Elem != nil {
		list, ok := v.([]any)
		if !ok { // one value stands for a list of it
			list = []any{v}
		}
		out := make([]any, len(list))
		for i, item := range list {
			var err error
			if out[i], err = s.input(t.Elem, item, depth+1); err != nil {
				return nil, fmt.Errorf("at position %d: %w", i, err)
			}
		}
		return out, nil
	}
	d := s.types.Types[t.NamedType]
	switch d.Kind {
	case ast.Enum:
		if name, ok := v.(string); ok && d.EnumValues.ForName(name) != nil {
			return name, nil
		}
		return nil, fmt.Errorf("%s has no value %v", d.Name, v)
	case ast.InputObject:
		members, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s must be an object", d.Name)
		}
		for name := range members {
			if d.Fields.ForName(name) == nil {
				return nil, fmt.Errorf("%s has no field %q", d.Name, name)
			}
		}
		return s.inputObject(d, func(f *ast.FieldDefinition) (any, bool, error) {
			member, ok := members[f.Name]
			if !ok {
				return nil, false, nil
			}
			value, err := s.input(f.Type, member, depth+1)
			return value, true, err
		})
	}
	return inputScalar(d.Name, v)
}

// inputObject fills an input object field by field and puts defaults where nothing is given.
func (s *Schema) inputObject(d *ast.Definition, member func(*ast.FieldDefinition) (any, bool, error)) (any, error) {
	out := &object{}
	for _, f := range d.Fields {
		value, ok, err := member(f)
		if err == nil && !ok && f.DefaultValue != nil {
			value, ok, err = s.literal(f.Type, f.DefaultValue, nil)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		case ok:
			out.set(f.Name, value)
		case f.Type.NonNull:
			return nil, fmt.Errorf("field %s: a value is required", f.Name)
		}
	}
	if d.Directives.ForName("oneOf") != nil && (len(out.names) != 1 || out.values[out.names[0]] == nil) {
		return nil, fmt.Errorf("%s must have exactly one field", d.Name)
	}
	return out, nil
}

// inputScalar coerces a value from JSON; scalars of the schema's own take what comes.
func inputScalar(name string, v any) (any, error) {
	switch name {
	case "Int":
		if n, ok := v.(json.Number); ok {
			if i, ok := wholeNumber(string(n)); ok && i >= math.MinInt32 && i <= math.MaxInt32 {
				return json.Number(strconv.FormatInt(i, 10)), nil
			}
		}
	case "Float":
		if n, ok := v.(json.Number); ok {
			return n, nil
		}
	case "String":
		if _, ok := v.(string); ok {
			return v, nil
		}
	case "Boolean":
		if _, ok := v.(bool); ok {
			return v, nil
		}
	case "ID":
		switch v := v.(type) {
		case string:
			return v, nil
		case json.Number:
			if i, ok := wholeNumber(string(v)); ok {
				return strconv.FormatInt(i, 10), nil
			}
		}
	default:
		return v, nil
	}
	return nil, fmt.Errorf("%v is not a value of %s", v, name)
}

// wholeNumber reads numbers such as 3, 3.0 and 3e2.
func wholeNumber(text string) (int64, bool) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// literal coerces a value of the query or the schema to an input type. ok is false for a variable without a value, which counts as not given.
func (s *Schema) literal(t *ast.Type, v *ast.Value, variables map[string]any) (value any, ok bool, err error) {
	switch v.Kind {
	case ast.Variable:
		value, ok = variables[v.Raw]
		if ok && value == nil && t.NonNull {
			return nil, false, errNull
		}
		return value, ok, nil
	case ast.NullValue:
		if t.NonNull {
			return nil, false, errNull
		}
		return nil, true, nil
	}
	if t.Elem != nil {
		value, err = s.literalList(t, v, variables)
		return value, true, err
	}
	d := s.types.Types[t.NamedType]
	if d == nil {
		return nil, false, fmt.Errorf("there is no type %s", t.NamedType)
	}
	if d.Kind == ast.InputObject {
		value, err = s.inputObject(d, func(f *ast.FieldDefinition) (any, bool, error) {
			member := v.Children.ForName(f.Name)
			if member == nil {
				return nil, false, nil
			}
			return s.literal(f.Type, member, variables)
		})
		return value, true, err
	}
	if d.Kind == ast.Enum {
		return v.Raw, true, nil
	}
	plain, err := plainLiteral(v, variables)
	if err == nil {
		plain, err = inputScalar(d.Name, plain)
	}
	return plain, true, err
}

func (s *Schema) literalList(t *ast.Type, v *ast.Value, variables map[string]any) (any, error) {
	if v.Kind != ast.ListValue {
		item, _, err := s.literal(t.Elem, v, variables)
		return []any{item}, err
	}
	out := make([]any, len(v.Children))
	for i, c := range v.Children {
		item, ok, err := s.literal(t.Elem, c.Value, variables)
		if err == nil && !ok && t.Elem.NonNull {
			err = errNull
		}
		if err != nil {
			return nil, fmt.Errorf("at position %d: %w", i, err)
		}
		out[i] = item
	}
	return out, nil
}

// plainLiteral is a literal as JSON would have it, for scalars.
func plainLiteral(v *ast.Value, variables map[string]any) (any, error) {
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw), nil
	case ast.BooleanValue:
		return v.Raw == "true", nil
	case ast.NullValue:
		return nil, nil
	case ast.Variable:
		return variables[v.Raw], nil
	case ast.ListValue:
		out := make([]any, 0, len(v.Children))
		for _, c := range v.Children {
			item, err := plainLiteral(c.Value, variables)
			if err != nil {
				return nil, err
			}
			out = append(out, item)
		}
		return out, nil
	case ast.ObjectValue:
		out := &object{}
		for _, c := range v.Children {
			item, err := plainLiteral(c.Value, variables)
			if err != nil {
				return nil, err
			}
			out.set(c.Name, item)
		}
		return out, nil
	}
	return v.Raw, nil
}

// arguments coerces the arguments of a field (specification, 6.4.1).
func (s *Schema) arguments(definitions ast.ArgumentDefinitionList, given ast.ArgumentList, variables map[string]any) (*object, error) {
	out := &object{}
	for _, d := range definitions {
		var value any
		var ok bool
		var err error
		if a := given.ForName(d.Name); a != nil {
			value, ok, err = s.literal(d.Type, a.Value, variables)
		}
		if err == nil && !ok && d.DefaultValue != nil {
			value, ok, err = s.literal(d.Type, d.DefaultValue, nil)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("the argument %s is not valid: %w", d.Name, err)
		case ok:
			out.set(d.Name, value)
		case d.Type.NonNull:
			return nil, fmt.Errorf("the argument %s is required", d.Name)
		}
	}
	return out, nil
}

var jsonNull = []byte("null")

func isNull(raw []byte) bool { return len(raw) == 0 || bytes.Equal(raw, jsonNull) }

// leaf writes a value of a data source as a scalar or enum. Sources such as XML have only texts: what a text can be read as, it may be.
func (s *Schema) leaf(d *ast.Definition, raw json.RawMessage) (json.RawMessage, error) {
	text, isText := "", false
	if raw[0] == '"' {
		isText = json.Unmarshal(raw, &text) == nil
	} else {
		text = string(raw)
	}
	simple := isText || raw[0] != '{' && raw[0] != '['
	if d.Kind == ast.Enum {
		if isText && d.EnumValues.ForName(text) != nil {
			return raw, nil
		}
		return nil, fmt.Errorf("%s has no value %s", d.Name, clip(raw))
	}
	switch d.Name {
	case "Int":
		if i, ok := wholeNumber(text); simple && ok && i >= math.MinInt32 && i <= math.MaxInt32 {
			return strconv.AppendInt(nil, i, 10), nil
		}
	case "Float":
		if simple && json.Valid([]byte(text)) {
			if _, err := strconv.ParseFloat(text, 64); err == nil {
				return json.RawMessage(text), nil
			}
		}
	case "Boolean":
		if text == "true" || text == "false" {
			return json.RawMessage(text), nil
		}
	case "String":
		if isText {
			return raw, nil
		}
		if simple {
			return appendString(nil, text), nil
		}
	case "ID":
		if isText {
			return raw, nil
		}
		if i, ok := wholeNumber(text); simple && ok {
			return appendString(nil, strconv.FormatInt(i, 10)), nil
		}
	default:
		return raw, nil
	}
	return nil, fmt.Errorf("%s cannot represent %s", d.Name, clip(raw))
}

// clip is the beginning of a value, for messages.
func clip(raw []byte) string {
	const most = 60
	if len(raw) <= most {
		return string(raw)
	}
	return string(bytes.ToValidUTF8(raw[:most], nil)) + "…"
}

// appendString appends a JSON string.
func appendString(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil { // a string cannot fail
		return append(b, `""`...)
	}
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...)
}
