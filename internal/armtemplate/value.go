package armtemplate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Value is a value of the language: nil, bool, int64, json.Number (a number that is no int64), string, []Value or
// [*Object].
type Value = any

// Object is a JSON object that keeps the order of its members. Names are found without regard to case, as templates
// do. The zero value is an empty object.
type Object struct {
	keys   []string
	values map[string]Value // by key in lower case
}

// NewObject returns an object of pairs of name and value.
func NewObject(pairs ...any) *Object {
	o := &Object{}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Len returns the number of members; a nil object has none.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.keys)
}

// Keys returns the names in order. The caller must not change them.
func (o *Object) Keys() []string {
	if o == nil {
		return nil
	}
	return o.keys
}

// Get returns a member.
func (o *Object) Get(name string) (Value, bool) {
	if o == nil {
		return nil, false
	}
	v, ok := o.values[strings.ToLower(name)]
	return v, ok
}

// Text returns a member that is a string, "" for others.
func (o *Object) Text(name string) string {
	v, _ := o.Get(name)
	s, _ := v.(string)
	return s
}

// Object returns a member that is an object, nil for others.
func (o *Object) Object(name string) *Object {
	v, _ := o.Get(name)
	m, _ := v.(*Object)
	return m
}

// Set adds or replaces a member.
func (o *Object) Set(name string, v Value) {
	if o.values == nil {
		o.values = map[string]Value{}
	}
	key := strings.ToLower(name)
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, name)
	}
	o.values[key] = v
}

// Delete removes a member.
func (o *Object) Delete(name string) {
	key := strings.ToLower(name)
	if _, ok := o.values[key]; ok {
		delete(o.values, key)
		o.keys = slices.DeleteFunc(o.keys, func(k string) bool { return strings.ToLower(k) == key })
	}
}

// Clone returns a copy whose members are the same values.
func (o *Object) Clone() *Object {
	c := &Object{}
	for _, k := range o.Keys() {
		v, _ := o.Get(k)
		c.Set(k, v)
	}
	return c
}

// MarshalJSON implements json.Marshaler.
func (o *Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	if err := writeJSON(&b, o); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Object) UnmarshalJSON(data []byte) error {
	v, err := ParseJSON(data)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		return nil
	case *Object:
		*o = *v
		return nil
	}
	return fmt.Errorf("armtemplate: an object is expected, not %s", kindOf(v))
}

func writeJSON(b *bytes.Buffer, v Value) error {
	switch v := v.(type) {
	case *Object:
		b.WriteByte('{')
		for i, k := range v.Keys() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, k); err != nil {
				return err
			}
			b.WriteByte(':')
			m, _ := v.Get(k)
			if err := writeJSON(b, m); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case []Value:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // the encoder's line feed
	}
	return nil
}

// ParseJSON reads one JSON value, as [Relax] takes it. The error is an [*Error] with the place of what is wrong.
func ParseJSON(data []byte) (Value, error) {
	data = Relax(data)
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = fmt.Errorf("there is text after the end of the value")
		}
	}
	if err == nil {
		return v, nil
	}
	e := invalid("The content is not valid JSON: %s.", strings.TrimSuffix(err.Error(), "."))
	e.Line, e.Column = place(data, d.InputOffset())
	return nil, e
}

// place returns line and column, counted from 1, of an offset.
func place(data []byte, offset int64) (line, column int) {
	before := data[:min(int(offset), len(data))]
	line = bytes.Count(before, []byte("\n")) + 1
	return line, len(before) - bytes.LastIndexByte(before, '\n')
}

func decodeValue(d *json.Decoder, depth int) (Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	t, err := d.Token()
	if err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return decodeArray(d, depth)
		}
		return decodeObject(d, depth)
	case json.Number:
		if n, err := strconv.ParseInt(t.String(), 10, 64); err == nil {
			return n, nil
		}
		return t, nil
	}
	return t, nil
}

func decodeArray(d *json.Decoder, depth int) (Value, error) {
	a := []Value{}
	for d.More() {
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.Token()
	return a, err
}

func decodeObject(d *json.Decoder, depth int) (Value, error) {
	o := &Object{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string) // the decoder lets nothing else through
		if _, twice := o.Get(name); twice {
			return nil, fmt.Errorf("the name %q stands twice in one object", name)
		}
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.Set(name, v)
	}
	_, err := d.Token()
	return o, err
}

// kindOf names the type of a value as messages do.
func kindOf(v Value) string {
	switch v.(type) {
	case nil:
		return "Null"
	case bool:
		return "Boolean"
	case int64:
		return "Integer"
	case json.Number:
		return "Float"
	case string:
		return "String"
	case []Value:
		return "Array"
	}
	return "Object"
}

// Equal compares two values; names of members are compared without regard to case, and their order does not count.
func Equal(a, b Value) bool {
	switch a := a.(type) {
	case []Value:
		b, ok := b.([]Value)
		return ok && slices.EqualFunc(a, b, Equal)
	case *Object:
		b, ok := b.(*Object)
		if !ok || a.Len() != b.Len() {
			return false
		}
		for _, k := range a.Keys() {
			x, _ := a.Get(k)
			if y, ok := b.Get(k); !ok || !Equal(x, y) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []Value, *Object:
		return false
	}
	return a == b
}
